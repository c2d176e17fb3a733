//! A stream: what exactly is wrong with it, and since when?

pub(crate) mod findings;
mod older;
pub(crate) mod renditions;
mod rows;
pub(crate) mod strip;
pub(crate) mod timeline;

use std::sync::Arc;

use hlsops_wire::{Finding, List, MetricsSeries, State, StreamDetail};
use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_params_map};

use crate::acknowledge::{Acknowledging, incident_line};
use crate::client::{BASE, client};
use crate::live::{Freshness, Live, Role};
use crate::rights::Changing;
use crate::time;
use crate::ui::{Notices, Shortcuts, Skeleton, Trouble, at, badge, playlist_chip, set_title};
use findings::Findings;
use older::{Older, Part};
use renditions::Renditions;
use strip::Strip;
use timeline::Timeline;

/// Everything that is polled about a stream.
#[derive(Clone, Copy)]
pub(crate) struct StreamData {
    pub(crate) detail: Live<StreamDetail>,
    pub(crate) timeline: Live<hlsops_wire::Timeline>,
    pub(crate) findings: Live<List<Finding>>,
    pub(crate) series: Live<MetricsSeries>,
    /// Which part of the timeline is shown.
    pub(crate) part: Part,
}

impl StreamData {
    fn follow(id: Signal<String>) -> Self {
        let path =
            move |rest: &'static str| Signal::derive(move || format!("{BASE}/streams/{}{rest}", id.get()));
        let part = Part::new(id);
        let detail = Live::<StreamDetail>::follow(Role::Main, path(""));
        // They cost the server much and change little, but for what goes wrong now.
        let findings = Live::follow(Role::Slow, path("/findings"));
        Effect::new(move |before: Option<Figures>| {
            let now = detail.data.with(|detail| detail.as_deref().map(Figures::of).unwrap_or_default());
            if before.is_some_and(|before| now.ask_for_more_than(&before)) {
                findings.refresh();
            }
            now
        });
        Self {
            detail,
            timeline: Live::follow(Role::Side, part.path()),
            part,
            findings,
            series: Live::follow(Role::Side, path("/metrics")),
        }
    }

    /// Up to when the findings are complete: as far as the figures of a detail that was read no later.
    fn findings_to(self) -> Signal<Option<String>> {
        let complete_to = Memo::new(move |before: Option<&Option<String>>| {
            self.detail.data.with(|detail| {
                let detail = detail.as_ref()?;
                let read = self.findings.data.with(|list| Some(list.as_ref()?.as_of.clone()))?;
                if detail.as_of <= read { detail.figures_to_at.clone() } else { before.cloned().flatten() }
            })
        });
        complete_to.into()
    }

    fn refresh(self) {
        self.detail.refresh();
        self.timeline.refresh();
        self.series.refresh();
    }
}

/// Of when the figures of a stream are, and whether they are bad.
#[derive(Default)]
struct Figures {
    to: Option<String>,
    are_bad: bool,
}

impl Figures {
    fn of(detail: &StreamDetail) -> Self {
        let are_bad = matches!(detail.stream.health.state, State::Degraded | State::Unhealthy);
        Self { to: detail.figures_to_at.clone(), are_bad }
    }

    /// Whether what was found before may stand beside figures that know of more.
    fn ask_for_more_than(&self, before: &Self) -> bool {
        before.to.is_some() && self.to.is_some() && self.to != before.to && (self.are_bad || before.are_bad)
    }
}

/// `/streams/:id`
#[component]
pub(crate) fn StreamPage() -> impl IntoView {
    let parameters = use_params_map();
    let id = Signal::derive(move || parameters.with(|all| all.get("id").unwrap_or_default()));
    let data = StreamData::follow(id);
    let fresh = Freshness::current();
    Effect::new(move |_| {
        if let Some(detail) = data.detail.data.get() {
            set_title(&detail.stream.name);
            fresh.probed(detail.stream.last_look_at.as_deref());
        }
    });
    let failure = move || data.detail.failure.get().filter(|_| data.detail.data.with(Option::is_none));
    let name =
        Memo::new(move |_| data.detail.data.with(|detail| detail.as_ref().map(|d| d.stream.name.clone())));
    view! {
        {move || failure().map(|failure| view! {
            <nav class="crumb"><a href="/">"Wall"</a></nav>
            <h1 class="unseen">"Stream"</h1>
            <Trouble failure retry=Callback::new(move |()| data.refresh())/>
        })}
        <Show when=move || failure().is_none() && name.with(Option::is_none)>
            <h1 class="unseen">"Stream"</h1><Skeleton/>
        </Show>
        {move || name.get().map(|name| view! { <Page data name/> })}
    }
}

#[component]
fn Page(data: StreamData, name: String) -> impl IntoView {
    let detail = data.detail.data;
    let entries =
        Signal::derive(move || data.timeline.data.with(|list| list.as_ref().map(|l| l.items.clone())));
    let complete_to = Signal::derive(move || {
        data.timeline.data.with(|list| list.as_ref().and_then(|l| l.complete_to_at.clone()))
    });
    let created = Signal::derive(move || {
        detail.with(|detail| detail.as_ref().and_then(|d| time::parse(&d.stream.created_at)))
    });
    let findings = Signal::derive(move || {
        data.findings.data.with(|list| list.as_ref().map(|l| l.items.clone()).unwrap_or_default())
    });
    view! {
        <nav class="crumb" aria-label="Breadcrumb"><a href="/">"Wall"</a></nav>
        <div class="head">
            <h1>{name}</h1>
            {move || detail.get().map(|detail| view! { <Now detail/> })}
            <Actions data/>
        </div>
        {move || detail.get().map(|detail| reasons(&detail))}
        {move || detail.get().and_then(|detail| incident_line(detail.active_incident.as_ref()?).into())}
        <Strip series=data.series.data.into() created/>
        <div class="columns">
            <Timeline entries complete_to group=data.part.group end=move || view! { <Older part=data.part timeline=data.timeline/> }/>
            <div>
                <Renditions detail=detail.into()/>
                <Findings findings to=data.findings_to()/>
                {move || detail.get().map(|detail| facts(&detail))}
            </div>
        </div>
    }
}

/// The state with its time, and the playlist's.
#[component]
fn Now(detail: Arc<StreamDetail>) -> impl IntoView {
    let fresh = Freshness::current();
    let since = detail.stream.health.since_at.as_deref().and_then(time::parse);
    view! {
        <p class="now">
            {badge(detail.stream.health.state)}
            {move || since.map(|since| format!(" for {}", time::length(fresh.shown_now() - since)))}
            " "{detail.stream.playlist_state.as_deref().map(playlist_chip)}
        </p>
    }
}

/// What holds now, worst first; the first is the verdict.
fn reasons(detail: &StreamDetail) -> impl IntoView + use<> {
    let health = &detail.stream.health;
    let label = |id: &Option<String>| {
        let known = detail.renditions.iter().find(|rendition| Some(&rendition.id) == id.as_ref());
        known.map(|rendition| view! { <span class="of">{rendition.label.clone()}</span> })
    };
    let class = format!("verdict {}", crate::wall::query::slug(health.state));
    if health.reasons.is_empty() {
        return view! { <p class=class>{without_reasons(detail, Freshness::current().server_now_untracked())}</p> }.into_any();
    }
    let line =
        |reason: &hlsops_wire::Reason| view! { <li>{reason.text.clone()}{label(&reason.rendition_id)}</li> };
    let of_time = health.reasons_as_of.as_deref().map(at);
    view! {
        <ul class=class aria-label="Reasons">
            {health.reasons.iter().map(line).collect_view()}
            {of_time.map(|time| view! { <li class="fine">"figures of "{time}" UTC"</li> })}
        </ul>
    }
    .into_any()
}

/// What is said where there are no reasons.
fn without_reasons(detail: &StreamDetail, now_ms: i64) -> String {
    let stream = &detail.stream;
    let text = match stream.health.state {
        State::Healthy if detail.active_incident.is_some() => {
            return healing(detail.clear_s);
        }
        State::Healthy => "A viewer has nothing to complain of.",
        State::Paused => return paused(stream.health.since_at.as_deref(), now_ms),
        // Only who looks at a stream knows the state of its playlists.
        State::NoData if stream.playlist_state.is_some() => {
            "It is being looked at; nothing can be said before its next segment."
        }
        State::NoData => "Nobody has looked at it lately, so nothing is known.",
        State::Degraded | State::Unhealthy => "The reasons come with the next look.",
    };
    text.to_owned()
}

fn paused(since_at: Option<&str>, now_ms: i64) -> String {
    let since = since_at.map(|at| format!(" since {} UTC", time::when(at, now_ms))).unwrap_or_default();
    format!("Paused{since}: nobody looks at it.")
}

/// An incident outlasts what opened it.
fn healing(clear_s: Option<f64>) -> String {
    let held = clear_s.map_or_else(|| "long enough".to_owned(), |seconds| time::exact(seconds * 1_000.0));
    format!("Healthy again; the incident is resolved when that has held for {held}.")
}

/// How it is watched.
fn facts(detail: &StreamDetail) -> impl IntoView + use<> {
    let stream = &detail.stream;
    let seconds = |value: f64| format!("{value:.1} s");
    let target = detail.target_duration_s.map(|target| format!(", target duration {}", seconds(target)));
    let buffer = detail.buffer_s.map_or_else(|| "\u{2013}".into(), seconds);
    let of_time = detail.figures_to_at.as_deref().filter(|_| detail.buffer_s.is_some());
    let of_time = of_time.map(|time| view! { <span class="fine">" at "{at(time)}" UTC"</span> });
    let tags: Vec<_> = stream
        .tags
        .iter()
        .map(|(key, value)| if value.is_empty() { key.clone() } else { format!("{key}={value}") })
        .collect();
    let watch = match (stream.watch.mode, stream.watch.interval_s) {
        (hlsops_wire::WatchMode::Continuous, _) => "all the time".to_owned(),
        (hlsops_wire::WatchMode::Interval, every) => format!("every {} s", every.unwrap_or(60)),
    };
    view! {
        <section class="panel" aria-labelledby="facts">
            <header><h2 id="facts">"Stream"</h2></header>
            <dl class="facts">
                <div><dt>"URL"</dt><dd class="url">{stream.manifest_url.clone()}</dd></div>
                <div><dt>"Link id"</dt><dd><code>{stream.link_id.clone()}</code></dd></div>
                <div><dt>"Watched"</dt><dd>{watch}</dd></div>
                <div><dt>"Buffer"</dt><dd>{buffer}{of_time}{target}</dd></div>
                {(!tags.is_empty()).then(|| view! { <div><dt>"Tags"</dt><dd>{tags.join(", ")}</dd></div> })}
                <div><dt>"Added"</dt><dd>{at(&stream.created_at)}</dd></div>
            </dl>
        </section>
    }
}

#[component]
fn Actions(data: StreamData) -> impl IntoView {
    let detail = data.detail.data;
    let acknowledging = Acknowledging::new(Callback::new(move |()| data.refresh()));
    let incident =
        Memo::new(move |_| detail.with(|detail| detail.as_ref().and_then(|d| d.active_incident.clone())));
    let dialog = NodeRef::<Dialog>::new();
    let id = Memo::new(move |_| detail.with(|d| d.as_ref().map(|d| d.stream.id.clone()).unwrap_or_default()));
    let enabled = Memo::new(move |_| detail.with(|d| d.as_ref().is_some_and(|d| d.stream.enabled)));
    Shortcuts::current().listen(move |key| match key {
        "a" => acknowledging.take(incident.get_untracked().as_ref()),
        _ => false,
    });
    view! {
        <div class="actions"><Changing>
            {move || incident.get().map(|incident| acknowledging.button(&incident))}
            <PauseButton data enabled id/>
            <a class="button" href=move || format!("/streams/{}/settings", id.get())>"Settings"</a>
            <button type="button" class="danger" on:click=move |_| {
                if let Some(dialog) = dialog.get_untracked() {
                    let _ = dialog.show_modal();
                }
            }>"Delete"</button>
            <DeleteDialog data dialog/>
        </Changing></div>
    }
}

#[component]
fn PauseButton(data: StreamData, enabled: Memo<bool>, id: Memo<String>) -> impl IntoView {
    let (client, notices) = (client(), Notices::current());
    let busy = RwSignal::new(false);
    let toggle = move |_| {
        let (verb, done) =
            if enabled.get_untracked() { ("pause", "Paused") } else { ("resume", "Watched again") };
        let path = format!("{BASE}/streams/{}/{verb}", id.get_untracked());
        busy.set(true);
        spawn_local(async move {
            match client.post_empty(&path).await {
                Ok(_) => notices.say(done),
                Err(failure) => notices.fail("The change", &failure),
            }
            busy.try_set(false);
            data.refresh();
        });
    };
    view! {
        <button type="button" disabled=move || busy.get() on:click=toggle>
            {move || if enabled.get() { "Pause" } else { "Resume" }}
        </button>
    }
}

#[component]
fn DeleteDialog(data: StreamData, dialog: NodeRef<Dialog>) -> impl IntoView {
    let (client, notices) = (client(), Notices::current());
    let navigate = use_navigate();
    let name =
        move || data.detail.data.with(|d| d.as_ref().map(|d| d.stream.name.clone()).unwrap_or_default());
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let delete = move |_| {
        let Some(detail) = data.detail.data.get_untracked() else { return };
        let navigate = navigate.clone();
        close();
        spawn_local(async move {
            // People mean the stream, whatever it looks like this second.
            match client.delete(&format!("{BASE}/streams/{}", detail.stream.id), "*").await {
                Ok(_) => {
                    notices.say(format!("{} is deleted", detail.stream.name));
                    navigate("/", NavigateOptions::default());
                }
                Err(failure) => notices.fail("Deleting", &failure),
            }
        });
    };
    view! {
        <dialog node_ref=dialog aria-labelledby="delete-title">
            <h2 id="delete-title">{move || format!("Delete {}?", name())}</h2>
            <p>"It is watched no longer, and an open incident is closed. What was recorded expires by itself."</p>
            <div class="actions">
                <button type="button" on:click=move |_| close()>"Keep it"</button>
                <button type="button" class="danger" on:click=delete>"Delete"</button>
            </div>
        </dialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A stream in a state, with what matters of it.
    fn said(state: &str, more: serde_json::Value) -> String {
        let mut detail = json!({
            "id": "str_1", "link_id": "a", "name": "A", "manifest_url": "https://a.example/m.m3u8", "enabled": true,
            "watch": {}, "profile": "default", "health": {"state": state},
            "created_at": "2026-11-22T03:04:05.678Z", "as_of": "2026-11-22T03:04:05.678Z", "renditions": [],
        });
        detail.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let now = time::parse("2026-11-22T05:00:00.000Z").unwrap();
        without_reasons(&serde_json::from_value(detail).unwrap(), now)
    }

    #[test]
    fn who_is_looked_at_is_not_said_to_be_forgotten() {
        assert!(said("no_data", json!({})).starts_with("Nobody has looked"));
        let waiting = said("no_data", json!({"playlist_state": "Unknown"}));
        assert_eq!(waiting, "It is being looked at; nothing can be said before its next segment.");
    }

    #[test]
    fn since_when_it_is_paused_is_said_where_that_is_known() {
        assert_eq!(said("paused", json!({})), "Paused: nobody looks at it.");
        let since = json!({"health": {"state": "paused", "since_at": "2026-11-22T03:04:05.678Z"}});
        assert_eq!(said("paused", since), "Paused since 03:04:05 UTC: nobody looks at it.");
    }

    #[test]
    fn an_incident_of_a_healthy_stream_is_explained() {
        assert_eq!(said("healthy", json!({})), "A viewer has nothing to complain of.");
        let incident = json!({
            "id": "inc_1", "stream_id": "str_1", "stream_name": "A", "status": "open", "trigger": "unhealthy",
            "title": "gone", "opened_at": "2026-11-22T03:04:05.678Z", "duration_s": 1,
        });
        let healing =
            |seconds: Option<f64>| said("healthy", json!({"active_incident": incident, "clear_s": seconds}));
        let usual = healing(Some(120.0));
        assert_eq!(usual, "Healthy again; the incident is resolved when that has held for 2 min.");
        assert!(healing(Some(90.0)).ends_with("that has held for 1 min 30 s."));
        assert!(healing(None).ends_with("that has held for long enough."));
    }

    #[test]
    fn findings_are_asked_for_again_when_figures_of_what_is_wrong_are_newer() {
        let figures = |to: &str, are_bad| Figures { to: Some(to.to_owned()), are_bad };
        let none = Figures::default;
        for (before, now, expected) in [
            (figures("1", true), figures("2", true), true),
            (figures("1", true), figures("2", false), true),
            (figures("1", false), figures("2", true), true),
            (figures("1", false), figures("2", false), false),
            (figures("1", true), figures("1", true), false),
            (none(), figures("1", true), false),
            (figures("1", true), none(), false),
        ] {
            let case = (before.to.clone(), before.are_bad, now.to.clone(), now.are_bad);
            assert_eq!(now.ask_for_more_than(&before), expected, "{case:?}");
        }
    }
}
