//! Incidents: the list, and one of them.

use std::sync::Arc;

use hlsops_wire::{Incident, IncidentDetail, IncidentStatus, List};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::acknowledge::{Acknowledging, encoded};
use crate::client::BASE;
use crate::live::{Freshness, Live, Role};
use crate::rights::Changing;
use crate::stream::timeline::{Group, Timeline};
use crate::time;
use crate::ui::{Shortcuts, Skeleton, Trouble, at, badge, set_title, status_chip};

/// Incidents that are shown.
const LIMIT: u32 = 200;

/// What the list shows: its word in the URL, its label, and what is asked for.
const VIEWS: [(&str, &str, &str); 3] = [
    ("", "All", ""),
    ("active", "Active", "&status=open&status=acknowledged"),
    ("resolved", "Resolved", "&status=resolved"),
];

fn asked(status: &str) -> String {
    let filter = VIEWS.iter().find(|(word, ..)| *word == status).map_or("", |(.., filter)| filter);
    format!("{BASE}/incidents?limit={LIMIT}{filter}")
}

/// `/incidents`
#[component]
pub(crate) fn IncidentsPage() -> impl IntoView {
    set_title("Incidents");
    let parameters = use_query_map();
    let status = Memo::new(move |_| parameters.with(|all| all.get("status").unwrap_or_default()));
    let live = Live::<List<Incident>>::follow(
        Role::Main,
        Signal::derive(move || status.with(|status| asked(status))),
    );
    let items = Signal::derive(move || live.data.get());
    let failure = move || live.failure.get().filter(|_| items.with(Option::is_none));
    view! {
        <div class="head">
            <h1>"Incidents"</h1>
            <div class="filters">
                {VIEWS.map(|(word, label, _)| {
                    let href = if word.is_empty() { "/incidents".to_owned() } else { format!("/incidents?status={word}") };
                    view! {
                        <a class="filter" href=href aria-current=move || status.with(|s| s == word).then_some("page")>{label}</a>
                    }
                }).collect_view()}
            </div>
        </div>
        {move || failure().map(|failure| view! {
            <Trouble failure retry=Callback::new(move |()| live.refresh())/>
        })}
        <Show when=move || failure().is_none() && items.with(Option::is_none)><Skeleton/></Show>
        {move || items.get().map(|list| table(&list))}
    }
}

fn table(list: &Arc<List<Incident>>) -> AnyView {
    if list.items.is_empty() {
        return view! {
            <section class="empty">
                <h2>"No incidents"</h2>
                <p>"An incident opens when a stream turns UNHEALTHY, or stays DEGRADED for long."</p>
                <p><a class="button" href="/">"Back to the wall"</a></p>
            </section>
        }
        .into_any();
    }
    view! {
        <div class="panel scroll" tabindex="0" role="region" aria-label="Incidents">
            <table class="listing stack">
                <thead><tr>
                    <th scope="col">"Status"</th><th scope="col">"Stream"</th><th scope="col">"Began with"</th>
                    <th scope="col">"Started (UTC)"</th><th scope="col" class="num">"Duration"</th><th scope="col">"Taken by"</th>
                </tr></thead>
                <tbody>{list.items.iter().map(row).collect_view()}</tbody>
            </table>
        </div>
        {list.next_cursor.is_some().then(|| view! { <p class="fine">{format!("The newest {LIMIT} are shown.")}</p> })}
    }
    .into_any()
}

fn row(incident: &Incident) -> impl IntoView + use<> {
    view! {
        <tr>
            <td data-label="Status">{status_chip(incident.status)}</td>
            <th scope="row">{stream_name(incident)}</th>
            <td data-label="Began with"><a href=format!("/incidents/{}", encoded(&incident.id))>{incident.title.clone()}</a></td>
            <td class="when" data-label="Started (UTC)">{at(&incident.opened_at)}</td>
            <td class="num" data-label="Duration">{lasted(incident)}</td>
            <td data-label="Taken by">{incident.acknowledged_by.clone()}</td>
        </tr>
    }
}

/// The page of its stream; none where that is not there any more.
fn stream_page(incident: &Incident) -> Option<String> {
    (!incident.stream_removed).then(|| format!("/streams/{}", incident.stream_id))
}

fn stream_name(incident: &Incident) -> AnyView {
    let name = incident.stream_name.clone();
    match stream_page(incident) {
        Some(page) => view! { <a href=page>{name}</a> }.into_any(),
        None => view! { {name}" "<span class="fine">"(removed)"</span> }.into_any(),
    }
}

/// How long it lasted, or has lasted so far.
fn lasted(incident: &Incident) -> impl Fn() -> String + use<> {
    let fresh = Freshness::current();
    let opened = time::parse(&incident.opened_at);
    let fixed = read_length(incident);
    let is_over = incident.status == IncidentStatus::Resolved;
    move || match opened {
        Some(opened) if !is_over => time::length(fresh.shown_now() - opened),
        _ => time::length(fixed),
    }
}

/// How long it had lasted when it was read. Unit: milliseconds.
fn read_length(incident: &Incident) -> i64 {
    i64::try_from(incident.duration_s).unwrap_or(i64::MAX).saturating_mul(1_000)
}

/// `/incidents/:id`
#[component]
pub(crate) fn IncidentPage() -> impl IntoView {
    let parameters = use_params_map();
    let path = Signal::derive(move || {
        format!("{BASE}/incidents/{}", encoded(&parameters.with(|all| all.get("id").unwrap_or_default())))
    });
    let live = Live::<IncidentDetail>::follow(Role::Main, path);
    let failure = move || live.failure.get().filter(|_| live.data.with(Option::is_none));
    let is_there = Memo::new(move |_| live.data.with(Option::is_some));
    Effect::new(move |_| {
        if let Some(detail) = live.data.get() {
            set_title(&format!("Incident of {}", detail.incident.stream_name));
        }
    });
    view! {
        <nav class="crumb" aria-label="Breadcrumb"><a href="/">"Wall"</a><a href="/incidents">"Incidents"</a></nav>
        {move || failure().map(|failure| view! {
            <h1 class="unseen">"Incident"</h1>
            <Trouble failure retry=Callback::new(move |()| live.refresh())/>
        })}
        <Show when=move || failure().is_none() && !is_there.get()><h1 class="unseen">"Incident"</h1><Skeleton/></Show>
        <Show when=move || is_there.get()><Detail live/></Show>
    }
}

#[component]
fn Detail(live: Live<IncidentDetail>) -> impl IntoView {
    let acknowledging = Acknowledging::new(Callback::new(move |()| live.refresh()));
    let incident = move || live.data.with_untracked(|detail| detail.as_ref().map(|d| d.incident.clone()));
    Shortcuts::current().listen(move |key| key == "a" && acknowledging.take(incident().as_ref()));
    let entries = Signal::derive(move || live.data.with(|d| d.as_ref().map(|d| d.timeline.clone())));
    // Of one that is over, everything is there.
    let complete_to = Signal::derive(move || {
        live.data.with(|d| {
            let going_on = d.as_ref().filter(|d| d.incident.status != IncidentStatus::Resolved);
            going_on.and_then(|d| d.complete_to_at.clone())
        })
    });
    let stream = Memo::new(move |_| live.data.with(|d| d.as_ref().and_then(|d| stream_page(&d.incident))));
    let left_out = Memo::new(move |_| live.data.with(|d| d.as_ref().and_then(|d| d.left_out.clone())));
    view! {
        {move || live.data.get().map(|detail| heading(&detail, acknowledging))}
        <Timeline entries complete_to group=RwSignal::new(Group::default()) end=move || view! {
            {move || left_out.get().map(|what| view! {
                <p class="fine">"Left out here: "{what}"."{stream.get().map(|page| view! {
                    " It is all in "<a href=page>"the stream's timeline"</a>"."
                })}</p>
            })}
        }/>
    }
}

/// How it began, where the sentence above does not say so.
fn beginning(detail: &IncidentDetail) -> Option<&str> {
    let title = detail.incident.title.as_str();
    (!detail.verdict.contains(title)).then_some(title)
}

/// How its stream is now.
fn stream_now(detail: &IncidentDetail) -> AnyView {
    if detail.incident.stream_removed {
        return view! { <span class="chip">"stream removed"</span> }.into_any();
    }
    view! { "now "{badge(detail.stream_state)} }.into_any()
}

fn heading(detail: &IncidentDetail, acknowledging: Acknowledging) -> impl IntoView + use<> {
    let incident = &detail.incident;
    let taken = incident.clone();
    let stream = stream_page(incident).map(|page| view! { <a class="button" href=page>"Stream"</a> });
    let beginning = beginning(detail).map(str::to_owned);
    let by = |by: &Option<String>| by.as_ref().map(|by| format!(" by {by}"));
    view! {
        <div class="head">
            <h1>{stream_name(incident)}</h1>
            <p class="now">{status_chip(incident.status)}" "{stream_now(detail)}</p>
            <div class="actions">
                <Changing>{acknowledging.button(&taken)}</Changing>
                {stream}
            </div>
        </div>
        <p class=format!("verdict {}", if incident.status == IncidentStatus::Resolved { "resolved" } else { "unhealthy" })>
            {detail.verdict.clone()}
        </p>
        <dl class="facts wide">
            {beginning.map(|title| view! { <div><dt>"Began with"</dt><dd>{title}</dd></div> })}
            <div><dt>"Started (UTC)"</dt><dd>{at(&incident.opened_at)}</dd></div>
            // As of the answer, like the sentence above.
            <div><dt>{if incident.status == IncidentStatus::Resolved { "Lasted" } else { "Open for" }}</dt><dd>{time::length(read_length(incident))}</dd></div>
            {incident.acknowledged_at.as_ref().map(|time| view! {
                <div><dt>"Acknowledged"</dt><dd>{at(time)}{by(&incident.acknowledged_by)}</dd></div>
            })}
            {incident.resolved_at.as_ref().map(|time| view! {
                <div><dt>"Resolved"</dt><dd>{at(time)}{incident.resolution.as_ref().map(|why| format!(" ({why})"))}</dd></div>
            })}
            <div><dt>"Incident"</dt><dd><code>{incident.id.clone()}</code></dd></div>
        </dl>
    }
}

#[cfg(test)]
mod tests {
    use super::{asked, beginning, stream_page};
    use hlsops_wire::{Incident, IncidentDetail};

    #[test]
    fn the_word_in_the_url_chooses_what_is_asked_for() {
        assert_eq!(asked(""), "/api/v1/incidents?limit=200");
        assert_eq!(asked("active"), "/api/v1/incidents?limit=200&status=open&status=acknowledged");
        assert_eq!(asked("?&x=1"), asked(""));
    }

    fn detail(verdict: &str) -> IncidentDetail {
        serde_json::from_value(serde_json::json!({
            "id": "inc_1", "stream_id": "str_1", "stream_name": "A", "status": "open", "trigger": "unhealthy",
            "title": "3 segments lost", "opened_at": "2026-11-22T03:04:05.678Z", "duration_s": 1,
            "as_of": "2026-11-22T03:04:05.678Z", "verdict": verdict, "stream_state": "unhealthy", "timeline": [],
        }))
        .unwrap()
    }

    #[test]
    fn a_stream_that_was_removed_has_no_page() {
        let incident = detail("").incident;
        assert_eq!(stream_page(&incident).as_deref(), Some("/streams/str_1"));
        assert_eq!(stream_page(&Incident { stream_removed: true, ..incident }), None);
    }

    #[test]
    fn how_it_began_is_said_once() {
        assert_eq!(beginning(&detail("Began with 3 segments lost (12 failed); open for 1 s")), None);
        assert_eq!(beginning(&detail("all is lost")), Some("3 segments lost"));
    }
}
