//! The fields of a stream's form.

use hlsops_wire::{List, Segments, Threshold, WatchMode};
use leptos::prelude::*;

use super::draft::Draft;
use super::words::{people_say, range};
use crate::client::BASE;
use crate::form::{Form, HeaderRows, Line, Wrong};
use crate::live::{Live, Role};

/// Name, link id and tags.
#[component]
pub(crate) fn Naming(form: Form<Draft>) -> impl IntoView {
    view! {
        <Line form label="Name" pointer="/name" hint="Left empty, it is made of the URL's host and folder, and of the file where that says more than “index” or “master”."
            read=|d| d.name.clone() write=|d, text| d.name = text/>
        <Line form label="Link id" pointer="/link_id" hint="Your own identifier, shown in alerts: 1 to 32 letters, digits, “.”, “_” or “-”. Left empty, one is made up."
            read=|d| d.link_id.clone() write=|d, text| d.link_id = text/>
        <Line form label="Tags" pointer="/tags" hint="Separated by commas, for example: country=CH, sports"
            read=|d| d.tags.clone() write=|d, text| d.tags = text/>
    }
}

/// How the stream is watched.
#[component]
pub(crate) fn Watching(form: Form<Draft>) -> impl IntoView {
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
pub(crate) fn RequestHeaders(form: Form<Draft>) -> impl IntoView {
    view! {
        <HeaderRows form legend="Request headers" pointer="/request_headers"
            hint="Sent to the stream's own host only, such as an access token."
            read=|draft| &draft.headers rows=|draft| &mut draft.headers/>
    }
}

/// Thresholds: what is typed counts, what is empty is inherited from the profile.
#[component]
pub(crate) fn Thresholds(form: Form<Draft>) -> impl IntoView {
    let live = Live::<List<Threshold>>::follow(Role::Slow, Signal::derive(|| format!("{BASE}/thresholds")));
    Effect::new(move |_| {
        if let Some(list) = live.data.get() {
            form.draft.update(|draft| draft.known.clone_from(&list.items));
        }
    });
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

fn threshold(form: Form<Draft>, known: &Threshold) -> impl IntoView + use<> {
    let pointer = format!("/thresholds/{}", known.name);
    let name = StoredValue::new(known.name.clone());
    let [about, wrong] = ["about", "wrong"].map(|part| format!("{}-{part}", known.name));
    let (default, seed1) = (known.default, known.seed1);
    let of_profile = move || if form.read(|d| d.profile == "seed1") { seed1 } else { default };
    let inherited = move || of_profile().map_or_else(|| "not judged".to_owned(), |value| value.to_string());
    let usual = move || {
        let words = name.with_value(|name| people_say(name, of_profile()?))?;
        Some(format!(", default {words}"))
    };
    let read =
        move || form.read(|d| name.with_value(|name| d.thresholds.get(name).cloned().unwrap_or_default()));
    let (at, invalid) = (pointer.clone(), pointer.clone());
    view! {
        <label class="threshold">
            <span><code>{known.name.clone()}</code>" "<span class="hint" id=about.clone()>
                {known.about.clone()}" "{range(known)}{usual}"."
            </span></span>
            <input type="text" inputmode="decimal" autocomplete="off" aria-describedby=format!("{about} {wrong}")
                aria-invalid=move || form.is_wrong(&invalid)
                placeholder=inherited prop:value=read
                on:input=move |event| form.set(&at, |draft| {
                    draft.thresholds.insert(name.get_value(), event_target_value(&event));
                })/>
            <Wrong form pointer id=wrong/>
        </label>
    }
}
