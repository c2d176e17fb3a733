//! Small parts that every page uses.

use std::time::Duration;

use hlsops_wire::{IncidentStatus, State};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

use crate::client::Failure;
use crate::live::Freshness;
use crate::time;
use crate::wall::query::slug;

/// How long a notice stays, and its undo with it.
const NOTICE: Duration = Duration::from_secs(10);
const SHORTCUTS_OFF: &str = "hlsops.shortcuts";

/// The shapes of the states, once on the page; [`mark`] shows them.
#[component]
pub(crate) fn Shapes() -> impl IntoView {
    view! {
        <svg class="shapes" aria-hidden="true" focusable="false">
            <symbol id="m-healthy" viewBox="0 0 16 16">
                <path fill="currentColor" fill-rule="evenodd" d="M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zm3.3 4.3L7 9.600 4.800 7.400l-1.200 1.200L7 12l5.500-5.500z"/>
            </symbol>
            <symbol id="m-degraded" viewBox="0 0 16 16">
                <path fill="currentColor" fill-rule="evenodd" d="M8 1l7.500 13.500H.5zM7.200 5.700v4.600h1.600V5.700zm0 5.900v1.600h1.600v-1.600z"/>
            </symbol>
            <symbol id="m-unhealthy" viewBox="0 0 16 16">
                <path fill="currentColor" fill-rule="evenodd" d="M5 .7h6L15.300 5v6L11 15.300H5L.7 11V5zm.6 3.700L4.400 5.600 6.800 8l-2.400 2.400 1.200 1.200L8 9.200l2.400 2.400 1.200-1.200L9.200 8l2.400-2.400-1.200-1.200L8 6.800z"/>
            </symbol>
            <symbol id="m-no_data" viewBox="0 0 16 16">
                <path fill="none" stroke="currentColor" stroke-width="1.500" d="M8 1.200L14.800 8 8 14.800 1.200 8z"/>
                <path fill="none" stroke="currentColor" stroke-width="1.400" d="M6.300 6.600c0-2.200 3.400-2.200 3.400 0 0 1.200-1.700 1.200-1.700 2.500M8 10.200v1.300"/>
            </symbol>
            <symbol id="m-paused" viewBox="0 0 16 16">
                <path fill="currentColor" d="M3.500 2h3v12h-3zm6 0h3v12h-3z"/>
            </symbol>
            <symbol id="m-ended" viewBox="0 0 16 16"><path fill="currentColor" d="M2.500 2.500h11v11h-11z"/></symbol>
        </svg>
    }
}

/// The shape of a state. The word stands beside it, so it is silent.
pub(crate) fn mark(state: State) -> impl IntoView {
    view! { <svg class="mark" aria-hidden="true"><use href=format!("#m-{}", slug(state))></use></svg> }
}

/// Shape and word of a state, in its colour.
pub(crate) fn badge(state: State) -> impl IntoView {
    view! { <span class=format!("badge {}", slug(state))>{mark(state)}{state.name()}</span> }
}

/// Where an incident stands.
pub(crate) fn status_chip(status: IncidentStatus) -> impl IntoView {
    let (class, word) = match status {
        IncidentStatus::Open => ("chip open", "OPEN"),
        IncidentStatus::Acknowledged => ("chip taken", "ACKNOWLEDGED"),
        IncidentStatus::Resolved => ("chip", "RESOLVED"),
    };
    view! { <span class=class>{word}</span> }
}

/// A playlist's state; what a viewer suffers from stands out.
pub(crate) fn playlist_chip(state: &str) -> impl IntoView + use<> {
    let class = if matches!(state, "Stalled" | "HTTPError") { "chip ill" } else { "chip" };
    view! { <span class=class>{state.to_owned()}</span> }
}

/// A time of the API, with the whole of it as its title.
pub(crate) fn at(text: &str) -> impl IntoView + use<> {
    let shown = time::when(text, Freshness::current().server_now_untracked());
    view! { <time datetime=text.to_owned() title=text.to_owned()>{shown}</time> }
}

/// Nothing is here yet. The grey bars appear only when it takes long.
#[component]
pub(crate) fn Skeleton(#[prop(default = "page")] of: &'static str) -> impl IntoView {
    view! {
        <div class=format!("skeleton {of}") role="status" aria-busy="true">
            <span class="unseen">"Loading"</span>
            <i></i><i></i><i></i><i></i><i></i><i></i>
        </div>
    }
}

/// A failure in place of a page, or above what was there before.
#[component]
pub(crate) fn Trouble(failure: Failure, retry: Callback<()>) -> impl IntoView {
    let request = failure.problem().map(|problem| problem.request_id.clone()).filter(|id| !id.is_empty());
    let hint = match failure.status() {
        403 => Some("This key may not do that: sign in with one of a higher scope."),
        404 => Some("It may have been removed, or the address is mistyped."),
        _ => None,
    };
    view! {
        <section class="trouble" role="alert">
            <h2>{failure.title()}</h2>
            <p>{failure.detail()}</p>
            {hint.map(|hint| view! { <p>{hint}</p> })}
            {request.map(|id| view! { <p class="fine">"Request " <code>{id}</code></p> })}
            <div class="actions">
                <button type="button" on:click=move |_| retry.run(())>"Try again"</button>
                {(failure.status() == 404).then(|| view! { <a class="button" href="/">"To the wall"</a> })}
            </div>
        </section>
    }
}

/// What was just done, with a way back for a while.
#[derive(Clone)]
struct Notice {
    text: String,
    undo: Option<Callback<()>>,
    number: u64,
}

/// Says what was just done. One for the whole page.
#[derive(Clone, Copy)]
pub(crate) struct Notices {
    shown: RwSignal<Option<Notice>>,
    count: StoredValue<u64>,
}

impl Notices {
    pub(crate) fn start() -> Self {
        let notices = Self { shown: RwSignal::new(None), count: StoredValue::new(0) };
        provide_context(notices);
        notices
    }

    pub(crate) fn current() -> Self {
        use_context().unwrap_or_else(Self::start)
    }

    pub(crate) fn say(self, text: impl Into<String>) {
        self.show(text.into(), None);
    }

    pub(crate) fn say_with_undo(self, text: impl Into<String>, undo: Callback<()>) {
        self.show(text.into(), Some(undo));
    }

    pub(crate) fn fail(self, what: &str, failure: &Failure) {
        let detail = failure.detail();
        let why = if detail.is_empty() { failure.title() } else { detail };
        self.say(format!("{what} failed: {why}"));
    }

    fn show(self, text: String, undo: Option<Callback<()>>) {
        let text = quoted(&text);
        let number = self.count.get_value() + 1;
        self.count.set_value(number);
        self.shown.set(Some(Notice { text, undo, number }));
        set_timeout(
            move || {
                if self
                    .shown
                    .with_untracked(|shown| shown.as_ref().is_some_and(|notice| notice.number == number))
                {
                    self.shown.set(None);
                }
            },
            NOTICE,
        );
    }
}

/// Where notices appear.
#[component]
pub(crate) fn NoticeBox() -> impl IntoView {
    let notices = Notices::current();
    let close = move || notices.shown.set(None);
    view! {
        <div class="notices" role="status">
            {move || notices.shown.get().map(|notice| view! {
                <p class="notice">
                    <span>{notice.text}</span>
                    {notice.undo.map(|undo| view! {
                        <button type="button" on:click=move |_| { close(); undo.run(()); }>"Undo"</button>
                    })}
                    <button type="button" class="bare" aria-label="Dismiss" on:click=move |_| close()>"×"</button>
                </p>
            })}
        </div>
    }
}

/// Whether single keys do something. People with speech input turn that off.
#[derive(Clone, Copy)]
pub(crate) struct Shortcuts(RwSignal<bool>);

impl Shortcuts {
    pub(crate) fn start() -> Self {
        let off =
            window().local_storage().ok().flatten().and_then(|s| s.get_item(SHORTCUTS_OFF).ok().flatten());
        let shortcuts = Self(RwSignal::new(off.is_none()));
        provide_context(shortcuts);
        shortcuts
    }

    pub(crate) fn current() -> Self {
        use_context().unwrap_or_else(Self::start)
    }

    pub(crate) fn are_on(self) -> bool {
        self.0.get()
    }

    pub(crate) fn turn(self, on: bool) {
        self.0.set(on);
        if let Some(storage) = window().local_storage().ok().flatten() {
            let _ =
                if on { storage.remove_item(SHORTCUTS_OFF) } else { storage.set_item(SHORTCUTS_OFF, "off") };
        }
    }

    /// Calls `act` with each key that is pressed alone and outside of a field, for as long as this part of the
    /// page is there. `act` says whether the key meant something.
    pub(crate) fn listen(self, act: impl Fn(&str) -> bool + 'static) {
        let listener = window_event_listener(leptos::ev::keydown, move |event: KeyboardEvent| {
            let modified = event.ctrl_key() || event.alt_key() || event.meta_key();
            if !modified && self.0.get_untracked() && !is_typing(&event) && act(&event.key()) {
                event.prevent_default();
            }
        });
        on_cleanup(move || listener.remove());
    }
}

fn is_typing(event: &KeyboardEvent) -> bool {
    let element = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
    element.is_some_and(|element| {
        matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
            || element.closest("dialog").is_ok_and(|d| d.is_some())
    })
}

/// Sets the title of the tab.
pub(crate) fn set_title(title: &str) {
    document().set_title(&format!("{title} · HLS Ops"));
}

/// A sentence of the API as the page writes it: “this” for what stands in backticks.
pub(crate) fn quoted(text: &str) -> String {
    let mut parts = text.split('`');
    let mut out = parts.next().unwrap_or_default().to_owned();
    while let Some(part) = parts.next() {
        match parts.next() {
            Some(rest) => out.extend(["\u{201c}", part, "\u{201d}", rest]),
            // It has no end.
            None => out.extend(["`", part]),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_reads_as_on_a_page() {
        for (text, expected) in [
            ("no quotes", "no quotes"),
            ("the stream `A` (str_a), list `h:1`", "the stream “A” (str_a), list “h:1”"),
            ("`a`", "“a”"),
            ("it`s", "it`s"),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }
}
