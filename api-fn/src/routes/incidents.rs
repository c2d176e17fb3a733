//! Incidents: listing, showing, taking.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use hlsops_domain::EpochMs;
use hlsops_notify::event;
use hlsops_store::{
    Acknowledged, Acknowledgement, Closed, IncidentId, IncidentItem, IncidentsOf, Minute, Notice, Resolution,
    StoredMinute, StreamConfig, StreamId, Writer,
};
use hlsops_wire::{
    Acknowledge, Incident, IncidentDetail, IncidentStatus, IncidentTaken, List, State as HealthState,
    TimelineEntry,
};
use http::HeaderMap;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::removed;
use super::streams::{configured, outline};
use super::tag::{listed_as, looks};
use crate::app::Api;
use crate::auth::Caller;
use crate::config::is_text;
use crate::input::{Body, Query, bad, stream_id};
use crate::problem::{Answer, ApiError, Kind, item};
use crate::random::new_id;
use crate::times;
use crate::view::Labels;
use crate::view::incident::{already, incident, left_out, people, shorten, verdict};
use crate::view::losses::{losses, total};
use crate::view::pauses::switches;
use crate::view::stream::newest_look;
use crate::view::timeline::{Names, Placed, entries, sort};

const STATUSES: [(&str, IncidentStatus); 3] = [
    ("open", IncidentStatus::Open),
    ("acknowledged", IncidentStatus::Acknowledged),
    ("resolved", IncidentStatus::Resolved),
];
/// Incidents are kept for 400 days.
const MONTHS: usize = 14;
/// Incidents read at a time.
const BATCH: u32 = 200;

/// Incidents
///
/// Those that go on first, then those that are over, by the month in which they ended; newest first in each.
#[utoipa::path(
    get, path = "/incidents", tag = "incidents",
    params(
        ("status" = Option<String>, Query, description = "only these: open, acknowledged, resolved; repeatable"),
        ("stream" = Option<String>, Query, description = "only those of this stream"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 500, description = "1 to 500, default 100"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, body = List<Incident>), (status = 304, description = "the same as the caller has seen")),
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    query: Query,
) -> Answer<Response> {
    let query = query.only(&["stream", "limit", "cursor"], &["status"])?;
    let statuses = query.words("status", &STATUSES)?;
    let limit = usize::try_from(query.number("limit", 1..=500, 100)?).unwrap_or(100);
    let stream = query.text("stream").map(|id| stream_id(caller.account(), id)).transpose()?;
    let now = api.now();
    let wall = api.wall(caller.account()).await?;
    removed::sweep(&api, &wall).await;
    let wants = |status| statuses.is_empty() || statuses.contains(&status);
    let sets = match &stream {
        Some(stream) => vec![IncidentsOf::Stream(stream)],
        None => sets(caller.account(), now, wants),
    };
    let mut after = match query.text("cursor") {
        Some(text) => Some(read_cursor(&api, &caller, text, sets.len()).await?),
        None => None,
    };
    let mut items = Vec::new();
    let mut next = None;
    let first = after.as_ref().map_or(0, |(index, _)| *index);
    'sets: for (index, set) in sets.iter().enumerate().skip(first) {
        let mut last = after.take().map(|(_, last)| last);
        loop {
            let (found, more) = api.store().incident_page(set, last.as_ref(), BATCH).await?.value;
            for found in &found {
                let name = wall.tile(found.stream.name()).map(|(tile, _)| tile.name.as_str());
                let shown = incident(found, name, now);
                if wants(shown.status) {
                    items.push(shown);
                }
                if items.len() >= limit {
                    next = Some(format!("{index}.{}", found.id));
                    break 'sets;
                }
            }
            last = found.into_iter().next_back().filter(|_| more);
            if last.is_none() {
                break;
            }
        }
    }
    if let Some(stream) = &stream
        && items.is_empty()
    {
        // No incidents of a stream that nobody knows does not mean that all is well.
        configured(&api, stream).await?;
    }
    // How long one has been going on is no change of it.
    let lasting = |shown: &Incident| if shown.resolved_at.is_some() { shown.duration_s } else { 0 };
    let seen: Vec<Incident> =
        items.iter().map(|shown| Incident { duration_s: lasting(shown), ..shown.clone() }).collect();
    let looks = looks(&(seen, &next));
    Ok(listed_as(&headers, &List { items, next_cursor: next, as_of: times::text(now) }, looks))
}

fn sets(account: &str, now: EpochMs, wants: impl Fn(IncidentStatus) -> bool) -> Vec<IncidentsOf<'_>> {
    let mut sets = Vec::new();
    if wants(IncidentStatus::Open) || wants(IncidentStatus::Acknowledged) {
        sets.push(IncidentsOf::Open(account));
    }
    if wants(IncidentStatus::Resolved) {
        let months = std::iter::successors(Some(now), |month| Some(month_before(*month)));
        sets.extend(months.take(MONTHS).map(|month| IncidentsOf::Closed(account, month)));
    }
    sets
}

/// The last millisecond of the month before.
fn month_before(at: EpochMs) -> EpochMs {
    let ms = i64::try_from(at.0).unwrap_or(i64::MAX);
    let day = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX).to_zoned(TimeZone::UTC);
    let first = day.first_of_month().and_then(|first| first.start_of_day());
    let first = first.map_or(0, |first| first.timestamp().as_millisecond());
    EpochMs(u64::try_from(first).unwrap_or_default().saturating_sub(1))
}

/// Which set, and the last incident of the page before.
async fn read_cursor(api: &Api, caller: &Caller, text: &str, sets: usize) -> Answer<(usize, IncidentItem)> {
    let wrong = || bad("cursor", "not a `next_cursor` of this list");
    let (index, id) = text.split_once('.').ok_or_else(wrong)?;
    let index = index.parse().ok().filter(|index| *index < sets).ok_or_else(wrong)?;
    let last = find(api, caller, id).await.map_err(|_| wrong())?;
    Ok((index, last))
}

/// An incident of the caller's account.
async fn find(api: &Api, caller: &Caller, id: &str) -> Answer<IncidentItem> {
    let unknown = || ApiError::unknown("incident");
    let id = own(caller, id)?;
    api.store().incident(&id).await?.value.ok_or_else(unknown)
}

fn own(caller: &Caller, id: &str) -> Answer<IncidentId> {
    let id = IncidentId::parse(id).map_err(|_| ApiError::unknown("incident"))?;
    let owned = id.parts().is_some_and(|(stream, _)| stream.account() == caller.account());
    if owned { Ok(id) } else { Err(ApiError::unknown("incident")) }
}

/// What is shown before an incident began.
const BEFORE_MS: u64 = 120_000;
/// How far a clock may be ahead of ours.
const CLOCKS: Duration = Duration::from_secs(120);
/// Minutes of its end, and of its beginning where it took longer.
const END: u32 = 120;
const BEGINNING: u64 = 10;
/// Most entries.
const ENTRIES: usize = 500;

/// An incident
///
/// With a verdict and with what happened from shortly before it began to its end. Of a long one,
/// the beginning and the end.
#[utoipa::path(
    get, path = "/incidents/{id}", tag = "incidents",
    params(("id" = String, Path, description = "`inc:...`")),
    responses((status = 200, body = IncidentDetail)),
)]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Json<IncidentDetail>> {
    query.only(&[], &[])?;
    let id = own(&caller, &id)?;
    let known = api.store().incident_with_notes(&id, ENTRIES).await?.value;
    let (found, notes) = known.ok_or_else(|| ApiError::unknown("incident"))?;
    let now = api.now();
    let from = EpochMs(found.opened.0.saturating_sub(BEFORE_MS));
    // What was stored by a clock ahead of ours is shown; what came after the end is another story.
    let to = found.closed.unwrap_or(now + CLOCKS);
    let (wall, outline, (minutes, unread)) = tokio::try_join!(
        api.wall(caller.account()),
        outline(&api, &found.stream),
        minutes(&api, &found, from, to),
    )?;
    let labels = Labels::of(&outline);
    let pauses = wall.config(&found.stream).map(StreamConfig::pauses).unwrap_or_default();
    let names = Names { labels: &labels, incidents: std::slice::from_ref(&found), pauses: &pauses };
    let mut placed: Vec<Placed> = minutes.iter().flat_map(|stored| entries(stored, names, false)).collect();
    placed.extend(switches(&pauses));
    placed.retain(|one| from <= one.at && one.at <= to);
    placed.extend(people(&found, &notes));
    sort(&mut placed);
    let mut timeline: Vec<TimelineEntry> = placed.into_iter().map(|one| one.entry).collect();
    let tile = wall.tile(found.stream.name()).map(|(tile, _)| tile);
    let shown = incident(&found, tile.map(|tile| tile.name.as_str()), now);
    let lost = losses(&minutes, &labels, from, to);
    let verdict = verdict(&shown, &timeline, &lost, unread.is_some());
    let cut = shorten(&mut timeline, ENTRIES);
    let left_out = left_out(cut, unread);
    Ok(Json(IncidentDetail {
        incident: shown,
        as_of: times::text(now),
        verdict,
        segments_lost_count: total(&lost),
        lost,
        stream_state: tile.map_or(HealthState::NoData, |tile| tile.state),
        timeline,
        complete_to_at: newest_look(&minutes).map(|look| times::text(look.min(to))),
        truncated: left_out.is_some(),
        left_out,
    }))
}

/// The minutes of a range, of a long one its beginning and its end, and the time between that was not read.
async fn minutes(
    api: &Api,
    found: &IncidentItem,
    from: EpochMs,
    to: EpochMs,
) -> Answer<(Vec<StoredMinute>, Option<(EpochMs, EpochMs)>)> {
    let (first, last) = (Minute(Minute::of(from).0.saturating_sub(1)), Minute::of(to));
    let (mut minutes, more) = api.store().history(&found.stream, first, last, END).await?.value;
    let oldest = minutes.last().map(|stored| stored.minute.0);
    let Some(oldest) = oldest.filter(|_| more) else { return Ok((minutes, None)) };
    let until = Minute((first.0 + BEGINNING).min(oldest.saturating_sub(1)));
    let (beginning, _) = api.store().history(&found.stream, first, until, END).await?.value;
    minutes.extend(beginning);
    let (from, to) = (until.next(), Minute(oldest));
    Ok((minutes, (from < to).then(|| (from.start(), to.start()))))
}

/// Take an incident
///
/// Says that somebody looks after it; the channels are told. Repeating it changes nothing and tells nobody: the
/// first one stands, and `note` says who that is and since when.
#[utoipa::path(
    post, path = "/incidents/{id}/acknowledge", tag = "incidents",
    params(("id" = String, Path, description = "`inc:...`")),
    request_body(content = Option<Acknowledge>),
    responses((status = 200, body = IncidentTaken)),
)]
pub(super) async fn acknowledge(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Query,
    body: Option<Body<Acknowledge>>,
) -> Answer<Json<IncidentTaken>> {
    query.only(&[], &[])?;
    let id = own(&caller, &id)?;
    let by = who(body, &caller)?;
    let at = api.now();
    let stream = id.parts().map(|(stream, _)| stream).ok_or_else(|| ApiError::unknown("incident"))?;
    let config = api.store().stream(&stream).await?.value;
    let config = config.ok_or_else(|| ApiError::new(Kind::Conflict, "the incident's stream was removed"))?;
    let body = |incident: &IncidentItem, seq: u64| {
        let at = at.max(incident.opened);
        event::acknowledged(&about(&config, incident, seq), at, &by, None).to_json()
    };
    let taken = Acknowledgement { at, by: &by, kind: event::ACKNOWLEDGED, body: &body };
    let outcome = api.store().acknowledge_incident(&id, &taken).await?.value;
    (api.app.on_notice)();
    answer(&api, &caller, outcome, at).await
}

/// Who does it: the one named, else the key.
fn who(body: Option<Body<Acknowledge>>, caller: &Caller) -> Answer<String> {
    let by = body.and_then(|Body(body)| body.by).unwrap_or_else(|| caller.key.name.clone());
    let wrong =
        || ApiError::invalid(vec![item("/by", "invalid", "1 to 80 characters, no control characters")]);
    if is_text(&by, 1..=80) { Ok(by) } else { Err(wrong()) }
}

fn about<'a>(stream: &'a StreamConfig, incident: &'a IncidentItem, seq: u64) -> event::About<'a> {
    event::About {
        stream,
        incident: incident.id.as_str(),
        seq,
        title: &incident.title,
        trigger: &incident.trigger,
        opened: incident.opened,
        seen: None,
    }
}

/// Closes what is open of a stream that was removed: nobody watches it any more, so nobody else would. `config` is
/// none where that is gone too.
pub(super) async fn close(api: &Api, stream: &StreamId, config: Option<&StreamConfig>) -> Answer<()> {
    const TRIES: u32 = 3;
    let at = api.now();
    let writer = Writer { name: new_id("api", at)?, epoch: 0 };
    let note = event::End::StreamRemoved.note();
    for _ in 0..TRIES {
        let pointer = api.store().incident_pointer(stream).await?.value;
        let Some((id, _)) = &pointer.open else { return Ok(()) };
        let Some(incident) = api.store().incident(id).await?.value else { return Ok(()) };
        let at = at.max(incident.opened);
        let config = config.cloned().unwrap_or_else(|| remains(&incident));
        let about = about(&config, &incident, pointer.seq + 1);
        let body = event::resolved(&about, at, None, event::End::StreamRemoved).to_json();
        let notice = Notice { at, kind: event::RESOLVED, body: &body };
        let resolution = Resolution { at, note, notice };
        if let Closed::Closed | Closed::Already =
            api.store().close_incident(stream, &pointer, &resolution, &writer).await?.value
        {
            (api.app.on_notice)();
            return Ok(());
        }
    }
    Ok(())
}

/// What its incident knows of a stream that is gone.
fn remains(incident: &IncidentItem) -> StreamConfig {
    let name = incident.stream_name.clone();
    StreamConfig { name, ..StreamConfig::new(incident.stream.clone(), "", incident.opened) }
}

/// Give an incident back
///
/// Nobody looks after it any more. Its timeline says so; the channels are not told.
#[utoipa::path(
    post, path = "/incidents/{id}/unacknowledge", tag = "incidents",
    params(("id" = String, Path, description = "`inc:...`")),
    request_body(content = Option<Acknowledge>),
    responses((status = 200, body = IncidentTaken)),
)]
pub(super) async fn unacknowledge(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Query,
    body: Option<Body<Acknowledge>>,
) -> Answer<Json<IncidentTaken>> {
    query.only(&[], &[])?;
    let id = own(&caller, &id)?;
    let by = who(body, &caller)?;
    let at = api.now();
    let outcome = api.store().unacknowledge_incident(&id, at, &by).await?.value;
    answer(&api, &caller, outcome, at).await
}

async fn answer(
    api: &Api,
    caller: &Caller,
    outcome: Acknowledged,
    now: EpochMs,
) -> Answer<Json<IncidentTaken>> {
    let (found, note) = match outcome {
        Acknowledged::Done(found) => {
            api.walls.forget(caller.account());
            (found, None)
        }
        Acknowledged::Already(found) => {
            let note = already(&found);
            (found, Some(note))
        }
        Acknowledged::Resolved(_) => {
            return Err(ApiError::new(
                Kind::Conflict,
                "the incident is over: there is nothing to look after",
            ));
        }
        Acknowledged::Missing => return Err(ApiError::unknown("incident")),
    };
    let wall = api.wall(caller.account()).await?;
    let name = wall.tile(found.stream.name()).map(|(tile, _)| tile.name.as_str());
    Ok(Json(IncidentTaken { incident: incident(&found, name, now), note }))
}
