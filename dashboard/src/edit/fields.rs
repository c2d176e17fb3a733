//! The fields of the form, each with what is wrong with it beside it.

use hlsops_wire::{List, Segments, Threshold, WatchMode};
use leptos::prelude::*;

use super::draft::{Draft, Errors, error_at};
use crate::client::BASE;
use crate::live::{Live, Role};

/// The form's state.
#[derive(Clone, Copy)]
pub(crate) struct Form {
    pub(crate) draft: RwSignal<Draft>,
    pub(crate) errors: RwSignal<Errors>,
}

impl Form {
    pub(crate) fn new(draft: Draft) -> Self {
        Self { draft: RwSignal::new(draft), errors: RwSignal::new(Errors::new()) }
    }

    /// Changes a field; what was wrong with it is judged anew when it is sent.
    pub(crate) fn set(self, pointer: &str, change: impl FnOnce(&mut Draft)) {
        self.draft.update(change);
        let inside = format!("{pointer}/");
        if self.errors.with_untracked(|errors| error_at(errors, pointer).is_some()) {
            self.errors.update(|errors| errors.retain(|at, _| at != pointer && !at.starts_with(&inside)));
        }
    }

    pub(crate) fn read<T>(self, read: impl Fn(&Draft) -> T) -> T {
        self.draft.with(read)
    }
}

/// The pointers that have a place in the form.
pub(crate) const POINTERS: [&str; 8] =
    ["/manifest_url", "/name", "/link_id", "/tags", "/request_headers", "/watch", "/profile", "/thresholds"];

/// What is wrong with a field.
#[component]
pub(crate) fn Wrong(form: Form, #[prop(into)] pointer: String, #[prop(into)] id: String) -> impl IntoView {
    move || {
        let error = form.errors.with(|errors| error_at(errors, &pointer))?;
        let said = error.trim_start();
        let said = said[..1].to_uppercase() + &said[1..];
        Some(view! { <span class="wrong" id=id.clone()>{said}</span> })
    }
}

/// A line of text.
#[component]
pub(crate) fn Line(
    form: Form,
    label: &'static str,
    pointer: &'static str,
    #[prop(default = "")] hint: &'static str,
    read: fn(&Draft) -> String,
    write: fn(&mut Draft, String),
) -> impl IntoView {
    let id = pointer.trim_start_matches('/').replace('/', "-");
    let (wrong, described) = (format!("{id}-wrong"), format!("{id}-wrong {id}-hint"));
    let is_wrong = move || form.errors.with(|errors| error_at(errors, pointer).is_some());
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input id=id.clone() type="text" autocomplete="off" spellcheck="false"
                aria-describedby=described aria-invalid=move || is_wrong().then_some("true")
                prop:value=move || form.read(read)
                on:input=move |event| form.set(pointer, |draft| write(draft, event_target_value(&event)))/>
            {(!hint.is_empty()).then(|| view! { <span class="hint" id=format!("{id}-hint")>{hint}</span> })}
            <Wrong form pointer id=wrong/>
        </div>
    }
}

/// Name, link id and tags.
#[component]
pub(crate) fn Naming(form: Form) -> impl IntoView {
    view! {
        <Line form label="Name" pointer="/name" hint="Left empty, it is the URL's host and file name."
            read=|d| d.name.clone() write=|d, text| d.name = text/>
        <Line form label="Link id" pointer="/link_id" hint="Your own identifier, shown in alerts: letters, digits, dots, dashes."
            read=|d| d.link_id.clone() write=|d, text| d.link_id = text/>
        <Line form label="Tags" pointer="/tags" hint="country=CH, sports"
            read=|d| d.tags.clone() write=|d, text| d.tags = text/>
    }
}

/// How the stream is watched.
#[component]
pub(crate) fn Watching(form: Form) -> impl IntoView {
    let mode = move |event: &web_sys::Event| {
        let interval = event_target_value(event) == "interval";
        let mode = if interval { WatchMode::Interval } else { WatchMode::Continuous };
        form.set("/watch", |draft| draft.mode = mode);
    };
    let segments = move |event: &web_sys::Event| {
        let none = event_target_value(event) == "none";
        let segments = if none { Segments::None } else { Segments::Full };
        form.set("/watch", |draft| draft.segments = segments);
    };
    let is_interval = move || form.read(|draft| draft.mode == WatchMode::Interval);
    view! {
        <div class="field">
            <label for="mode">"Watch"</label>
            <select id="mode" prop:value=move || if is_interval() { "interval" } else { "continuous" }
                on:change=move |event| mode(&event)>
                <option value="continuous">"All the time: every reload, every segment"</option>
                <option value="interval">"Now and then: one look per interval"</option>
            </select>
        </div>
        <Show when=is_interval>
            <Line form label="Interval in seconds" pointer="/watch/interval_s" hint="10 to 3600; 60 where none is given."
                read=|d| d.interval_s.clone() write=|d, text| d.interval_s = text/>
        </Show>
        <div class="field">
            <label for="segments">"Segments"</label>
            <select id="segments" prop:value=move || form.read(|d| if d.segments == Segments::None { "none" } else { "full" })
                on:change=move |event| segments(&event)>
                <option value="full">"Download every one: as a viewer of every rendition"</option>
                <option value="none">"None: playlists only"</option>
            </select>
            <Wrong form pointer="/watch" id="watch-wrong"/>
        </div>
    }
}

/// Request headers, a row each.
#[component]
pub(crate) fn RequestHeaders(form: Form) -> impl IntoView {
    let count = Memo::new(move |_| form.read(|draft| draft.headers.len()));
    let name = move |index: usize| {
        form.read(|d| d.headers.get(index).map(|(name, _)| name.clone()).unwrap_or_default())
    };
    let value = move |index: usize| {
        form.read(|d| d.headers.get(index).map(|(_, value)| value.clone()).unwrap_or_default())
    };
    let write = move |index: usize, change: fn(&mut (String, String), String), text: String| {
        form.set("/request_headers", |draft| {
            if let Some(header) = draft.headers.get_mut(index) {
                change(header, text);
            }
        });
    };
    view! {
        <fieldset class="field">
            <legend>"Request headers"</legend>
            <span class="hint">"Sent to the stream's own host only, such as an access token."</span>
            <For each=move || 0..count.get() key=|index| *index let:index>
                <div class="pair">
                    <input type="text" placeholder="Name" autocomplete="off" spellcheck="false"
                        aria-label=format!("Name of header {}", index + 1)
                        prop:value=move || name(index)
                        on:input=move |event| write(index, |header, text| header.0 = text, event_target_value(&event))/>
                    <input type="text" placeholder="Value" autocomplete="off" spellcheck="false"
                        aria-label=format!("Value of header {}", index + 1)
                        prop:value=move || value(index)
                        on:input=move |event| write(index, |header, text| header.1 = text, event_target_value(&event))/>
                    <button type="button" aria-label=format!("Remove header {}", index + 1)
                        on:click=move |_| form.set("/request_headers", |draft| {
                            if index < draft.headers.len() {
                                draft.headers.remove(index);
                            }
                        })>"Remove"</button>
                </div>
            </For>
            <Wrong form pointer="/request_headers" id="headers-wrong"/>
            <button type="button" on:click=move |_| form.set("/request_headers", |draft| draft.headers.push(Default::default()))>
                "Add a header"
            </button>
        </fieldset>
    }
}

/// Thresholds: what is typed counts, what is empty is inherited from the profile.
#[component]
pub(crate) fn Thresholds(form: Form) -> impl IntoView {
    let live = Live::<List<Threshold>>::follow(Role::Slow, Signal::derive(|| format!("{BASE}/thresholds")));
    let set =
        move || form.read(|draft| draft.thresholds.values().filter(|value| !value.trim().is_empty()).count());
    view! {
        <details class="field thresholds">
            <summary>"Thresholds"<span class="fine">{move || match set() {
                0 => " all inherited".to_owned(),
                1 => " 1 of this stream's own".to_owned(),
                count => format!(" {count} of this stream's own"),
            }}</span></summary>
            <div class="field">
                <label for="profile">"Profile"</label>
                <select id="profile" prop:value=move || form.read(|d| d.profile.clone())
                    on:change=move |event| form.set("/profile", |draft| draft.profile = event_target_value(&event))>
                    <option value="default">"default"</option>
                    <option value="seed1">"seed1: as the first monitor judged"</option>
                </select>
                <Wrong form pointer="/profile" id="profile-wrong"/>
            </div>
            <div class="rows">
                {move || live.data.get().map(|list| list.items.iter().map(|known| threshold(form, known)).collect_view())}
            </div>
        </details>
    }
}

fn threshold(form: Form, known: &Threshold) -> impl IntoView + use<> {
    let pointer = format!("/thresholds/{}", known.name);
    let (name, wrong) = (StoredValue::new(known.name.clone()), format!("{}-wrong", known.name));
    let (default, seed1) = (known.default, known.seed1);
    let inherited = move || {
        let of_profile = if form.read(|d| d.profile == "seed1") { seed1 } else { default };
        of_profile.map_or_else(|| "not judged".to_owned(), |value| value.to_string())
    };
    let read =
        move || form.read(|d| name.with_value(|name| d.thresholds.get(name).cloned().unwrap_or_default()));
    let at = pointer.clone();
    view! {
        <label class="threshold">
            <code>{known.name.clone()}</code>
            <input type="text" inputmode="decimal" autocomplete="off" aria-describedby=wrong.clone()
                placeholder=inherited prop:value=read title=format!("{} to {}", known.min, known.max)
                on:input=move |event| form.set(&at, |draft| {
                    draft.thresholds.insert(name.get_value(), event_target_value(&event));
                })/>
            <Wrong form pointer id=wrong/>
        </label>
    }
}
