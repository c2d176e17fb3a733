//! Adding a stream, and changing one.

mod draft;
mod fields;
mod words;

use hlsops_wire::{ProblemItem, RenditionKind, StreamDetail, StreamPatch, Validation};
use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_params_map};

use crate::client::{BASE, Failure, client};
use crate::form::{Form, Line, Unplaced, Wrong};
use crate::live::{Live, Role};
use crate::ui::{Notices, Skeleton, Trouble, set_title};
use draft::Draft;
use fields::{Naming, RequestHeaders, Thresholds, Watching};
use words::linked;

/// What a button says that adds a stream although something speaks against it.
const ALL_THE_SAME: &str = "Add it all the same";

/// `/streams/new`: the URL is looked at once, what was found is shown, and then it is saved.
#[component]
pub(crate) fn NewStreamPage() -> impl IntoView {
    set_title("Add a stream");
    let form = Form::new(Draft::default());
    let found = RwSignal::new(None::<Look>);
    // What was proposed is proposed anew for another URL; what was typed stays.
    let proposed = StoredValue::new(String::new());
    let busy = RwSignal::new(false);
    let url = NodeRef::<Input>::new();
    Effect::new(move |_| {
        if let Some(url) = url.get() {
            let _ = url.focus();
        }
    });
    let client = client();
    let look = move || {
        let Some(body) = form.body(Draft::look) else { return };
        busy.set(true);
        found.set(None);
        let (url, headers) = form.draft.with_untracked(|draft| (draft.url.clone(), draft.headers.clone()));
        let propose = move || {
            form.draft.try_update(|draft| {
                let name = hlsops_wire::usual_name(&draft.url);
                let before = proposed.try_update_value(|before| std::mem::replace(before, name.clone()));
                if draft.name.trim().is_empty() || before.as_ref() == Some(&draft.name) {
                    draft.name = name;
                }
            });
        };
        spawn_local(async move {
            let answer = client.post(&format!("{BASE}/streams?validate_only=true"), &body).await;
            busy.try_set(false);
            // Whoever goes on typing meanwhile gets no answer about another URL.
            let is_asked = |draft: &Draft| draft.url == url && draft.headers == headers;
            if form.draft.try_with_untracked(is_asked) != Some(true) {
                return;
            }
            match answer.and_then(|answer| answer.json::<Validation>()) {
                Ok(validation) => {
                    form.errors.try_set(Default::default());
                    propose();
                    found.try_set(Some(Look::Found(validation)));
                }
                Err(failure) => {
                    form.refuse(&failure);
                    if may_come(&failure) {
                        propose();
                        found.try_set(Some(Look::Down));
                    }
                }
            }
        });
    };
    view! {
        <nav class="crumb" aria-label="Breadcrumb"><a href="/">"Wall"</a></nav>
        <div class="head"><h1>"Add a stream"</h1></div>
        <form class="panel form" novalidate=true on:submit=move |event| {
            event.prevent_default();
            look();
        }>
            <div class="field">
                <label for="manifest_url">"URL of a multivariant or media playlist"</label>
                <div class="with-button">
                    <input node_ref=url id="manifest_url" type="url" inputmode="url" autocomplete="off" spellcheck="false"
                        placeholder="https://cdn.example/live/master.m3u8"
                        aria-describedby="url-hint url-wrong" aria-invalid=move || form.is_wrong("/manifest_url")
                        prop:value=move || form.read(|d| d.url.clone())
                        on:input=move |event| {
                            found.set(None);
                            form.set("/manifest_url", |draft| draft.url = event_target_value(&event));
                        }/>
                    <button type="submit" class:primary=move || found.with(Option::is_none) disabled=move || busy.get()>
                        {move || if busy.get() { "Looking…" } else { "Look" }}
                    </button>
                </div>
                <span class="hint" id="url-hint">"Paste it and press Enter: it is looked at once, nothing is saved yet. Addresses of your own network need --allow-target HOST:PORT at the server's start."</span>
                <Wrong form pointer="/manifest_url" id="url-wrong"/>
            </div>
            // Else it stands at the button that adds the stream.
            <Show when=move || found.with(Option::is_none)><Unplaced form/></Show>
            <details class="more">
                <summary>"Request headers"<span class="fine">" if the stream needs a token"</span></summary>
                <RequestHeaders form/>
            </details>
        </form>
        <p class="unseen" role="status">{move || found.with(|look| look.as_ref().map(Look::heading))}</p>
        {move || found.get().map(|look| {
            let heading = look.heading();
            match look {
                Look::Found(found) => view! { <Found found heading form/> }.into_any(),
                Look::Down => view! { <Down heading form/> }.into_any(),
            }
        })}
    }
}

/// What one look at a URL showed.
#[derive(Clone)]
enum Look {
    Found(Validation),
    /// Nothing that plays, which may be so just now.
    Down,
}

impl Look {
    fn heading(&self) -> String {
        match self {
            Self::Found(found) => summary(found),
            Self::Down => "It does not play now".to_owned(),
        }
    }
}

/// Whether a stream that was refused after a look may be added without one: what must never be fetched may not.
fn may_come(failure: &Failure) -> bool {
    let is_never = |item: &ProblemItem| matches!(item.code.as_str(), "private_address" | "bad_url");
    failure.problem().is_some_and(|problem| problem.code == "EC110" && !problem.errors.iter().any(is_never))
}

/// What one look showed, and what is left to say before it is saved.
#[component]
fn Found(found: Validation, heading: String, form: Form<Draft>) -> impl IntoView {
    view! {
        <section class="panel found" aria-labelledby="found">
            <header><h2 id="found">{heading}</h2><span class="fine">{format!("first byte after {} ms", found.ttfb_ms)}</span></header>
            {(!found.warnings.is_empty()).then(|| view! {
                <ul class="verdict notes degraded">{found.warnings.iter().map(|text| view! { <li>{warning(text)}</li> }).collect_view()}</ul>
            })}
            <ul class="variants">
                {found.variants.iter().map(|variant| view! {
                    <li>{variant.label.clone()}<small>{match variant.kind {
                        RenditionKind::Main => "",
                        RenditionKind::Audio => " audio",
                        RenditionKind::Aux => " not judged",
                    }}</small></li>
                }).collect_view()}
            </ul>
            <Adding form label=if found.warnings.is_empty() { "Add the stream" } else { ALL_THE_SAME }/>
        </section>
    }
}

/// What does not play now may be added for when it does.
#[component]
fn Down(heading: String, form: Form<Draft>) -> impl IntoView {
    view! {
        <section class="panel found" aria-labelledby="found">
            <header><h2 id="found">{heading}</h2></header>
            <p>"Is the URL right, and is a token missing? If it is just down, add it all the same: it is watched at once, and its tile says what is wrong until it plays."</p>
            <Adding form label=ALL_THE_SAME/>
        </section>
    }
}

/// What is left to say before a stream is saved, and the button that saves it.
#[component]
fn Adding(form: Form<Draft>, label: &'static str) -> impl IntoView {
    let (client, notices, navigate) = (client(), Notices::current(), use_navigate());
    let busy = RwSignal::new(false);
    let save = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let Some(body) = form.body(Draft::create) else { return };
        let navigate = navigate.clone();
        busy.set(true);
        spawn_local(async move {
            let answer = client.post(&format!("{BASE}/streams"), &body).await;
            match answer.and_then(|answer| answer.json::<StreamDetail>()) {
                Ok(added) => {
                    let said = std::iter::once(format!("{} is watched now", added.stream.name));
                    notices.say(said.chain(added.warnings).collect::<Vec<_>>().join("; "));
                    navigate(&format!("/streams/{}", added.stream.id), NavigateOptions::default());
                }
                Err(failure) => form.refuse(&failure),
            }
            busy.try_set(false);
        });
    };
    view! {
        <form class="form" novalidate=true on:submit=save>
            <Naming form/>
            <details class="more"><summary>"How it is watched"</summary><Watching form/><Thresholds form/></details>
            <Unplaced form/>
            <div class="actions">
                <button type="submit" class="primary" disabled=move || busy.get()>{label}</button>
                <a class="button" href="/">"Cancel"</a>
            </div>
        </form>
    }
}

/// A warning as a sentence, in which the stream it names is a link.
fn warning(text: &str) -> impl IntoView + use<> {
    let (before, link, after) = linked(text);
    let link = link.map(|(id, shown)| view! { <a href=format!("/streams/{id}")>{shown}</a> });
    view! { {before}{link}{after} }
}

fn summary(found: &Validation) -> String {
    let count = found.variants.len();
    if found.multivariant {
        let s = if count == 1 { "" } else { "s" };
        return format!("A multivariant playlist with {count} rendition{s}");
    }
    let segments = found.segments_count.map(|count| format!(" with {count} segments")).unwrap_or_default();
    let target =
        found.target_duration_s.map(|target| format!(", target duration {target:.0} s")).unwrap_or_default();
    format!("A media playlist{segments}{target}")
}

/// `/streams/:id/settings`
#[component]
pub(crate) fn SettingsPage() -> impl IntoView {
    let parameters = use_params_map();
    let path = Signal::derive(move || {
        format!("{BASE}/streams/{}", parameters.with(|all| all.get("id").unwrap_or_default()))
    });
    let live = Live::<StreamDetail>::follow(Role::Main, path);
    let failure = move || live.failure.get().filter(|_| live.data.with(Option::is_none));
    // The form is made once of the first answer: a poll must not overwrite what is being typed.
    let first = Memo::new(move |before: Option<&Option<String>>| {
        before
            .cloned()
            .flatten()
            .or_else(|| live.data.with(|detail| detail.as_ref().map(|d| d.stream.id.clone())))
    });
    view! {
        {move || failure().map(|failure| view! {
            <h1 class="unseen">"Settings"</h1>
            <Trouble failure retry=Callback::new(move |()| live.refresh())/>
        })}
        <Show when=move || failure().is_none() && first.with(Option::is_none)><h1 class="unseen">"Settings"</h1><Skeleton/></Show>
        {move || first.get().map(|_| view! { <Settings live/> })}
    }
}

#[component]
fn Settings(live: Live<StreamDetail>) -> AnyView {
    let Some(detail) = live.data.get_untracked() else { return ().into_any() };
    // Changes of others since then are refused by the API, not overwritten.
    let etag = live.etag();
    let stream = detail.stream.clone();
    set_title(&format!("Settings of {}", stream.name));
    let form = Form::new(Draft::of(&stream));
    let (client, notices, navigate) = (client(), Notices::current(), use_navigate());
    let busy = RwSignal::new(false);
    let href = format!("/streams/{}", stream.id);
    let (name, back) = (stream.name.clone(), href.clone());
    let save = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let Some(patch) = form.body(|draft| draft.patch(&stream)) else { return };
        let (navigate, etag, path, href) =
            (navigate.clone(), etag.clone(), format!("{BASE}/streams/{}", stream.id), href.clone());
        busy.set(true);
        spawn_local(async move {
            match client.patch(&path, &etag, &patch).await {
                Ok(answer) => {
                    let saved = answer.json::<StreamDetail>();
                    let saved = saved.map(|saved| (saved.stream.enabled, saved.warnings));
                    let (is_watched, warnings) = saved.unwrap_or_default();
                    notices.say(said(&patch, is_watched, warnings));
                    navigate(&href, NavigateOptions::default());
                }
                Err(failure) if failure.status() == 412 => form.outdated("stream"),
                Err(failure) => form.refuse(&failure),
            }
            busy.try_set(false);
        });
    };
    view! {
        <nav class="crumb" aria-label="Breadcrumb"><a href="/">"Wall"</a><a href=back.clone()>{name.clone()}</a></nav>
        <div class="head"><h1>"Settings of "{name}</h1></div>
        <form class="panel form" novalidate=true on:submit=save>
            <Line form label="URL" pointer="/manifest_url" hint="It is saved without a look at it: the next look shows whether it plays."
                read=|d| d.url.clone() write=|d, text| d.url = text/>
            <Naming form/>
            <Watching form/>
            <RequestHeaders form/>
            <Thresholds form/>
            <Unplaced form/>
            <div class="actions">
                <button type="submit" class="primary" disabled=move || busy.get()>"Save"</button>
                <a class="button" href=back>"Cancel"</a>
            </div>
        </form>
    }
    .into_any()
}

/// What a change came to. Of a name or a URL that others have had before, it is told only where it was given now.
fn said(patch: &StreamPatch, is_watched: bool, warnings: Vec<String>) -> String {
    let done = if is_watched { "Saved; it is watched with it at once" } else { "Saved" };
    let is_named = patch.name.is_some() || patch.manifest_url.is_some();
    let warnings = warnings.into_iter().filter(|_| is_named);
    std::iter::once(done.to_owned()).chain(warnings).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_down_may_be_added_and_what_must_not_be_fetched_may_not() {
        let refused = |code: &str, kind: &str| {
            let item =
                ProblemItem { pointer: "/manifest_url".into(), code: kind.into(), detail: "no".into() };
            let problem =
                hlsops_wire::Problem { code: code.into(), errors: vec![item], ..Default::default() };
            Failure::Refused(Box::new(problem))
        };
        for kind in ["http_status", "dns", "timeout", "not_a_playlist"] {
            assert!(may_come(&refused("EC110", kind)), "{kind}");
        }
        assert!(!may_come(&refused("EC110", "private_address")) && !may_come(&refused("EC110", "bad_url")));
        assert!(!may_come(&refused("EC100", "taken")) && !may_come(&Failure::Unreachable));
    }

    #[test]
    fn a_save_tells_what_it_did_itself() {
        let given = StreamPatch { name: Some("One".into()), ..StreamPatch::default() };
        let warnings = || vec!["taken".to_owned()];
        assert_eq!(said(&given, true, warnings()), "Saved; it is watched with it at once; taken");
        assert_eq!(said(&given, false, warnings()), "Saved; taken");
        let other = StreamPatch { profile: Some("seed1".into()), ..StreamPatch::default() };
        assert_eq!(said(&other, false, warnings()), "Saved");
    }
}
