//! What happened to a stream.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Path, State};
use hlsops_domain::EpochMs;
use hlsops_store::{IncidentItem, IncidentsOf, Minute, StreamId};
use hlsops_wire::{List, TimelineEntry, TimelineKind};

use super::streams::configured;
use crate::app::Api;
use crate::auth::Caller;
use crate::input::{Query, bad, stream_id};
use crate::problem::Answer;
use crate::times;
use crate::view::Labels;
use crate::view::incident::taken;
use crate::view::timeline::{Names, Placed, entries, sort};

/// Minutes read at a time, and at most for one answer: an empty page may still have a cursor.
const BATCH: u32 = 60;
const MOST: u32 = 300;
/// Incidents that entries may belong to.
const INCIDENTS: u32 = 50;

const KINDS: [(&str, TimelineKind); 10] = [
    ("health", TimelineKind::Health),
    ("playlist", TimelineKind::Playlist),
    ("load_failed", TimelineKind::LoadFailed),
    ("segment_failed", TimelineKind::SegmentFailed),
    ("segment_obtained", TimelineKind::SegmentObtained),
    ("incident", TimelineKind::Incident),
    ("finding", TimelineKind::Finding),
    ("rebuffering", TimelineKind::Rebuffering),
    ("origin", TimelineKind::Origin),
    ("gap", TimelineKind::Gap),
];

/// What happened to a stream
///
/// Newest first. Everything but obtained segments, unless `kind` asks for them. A page without items that has
/// a `next_cursor` says that nothing happened in the hours looked through.
#[utoipa::path(
    get, path = "/streams/{id}/timeline", tag = "streams",
    params(
        ("id" = String, Path, description = "`str_...`"),
        ("from" = Option<String>, Query, description = "RFC 3339; default: as far back as minutes are kept"),
        ("to" = Option<String>, Query, description = "RFC 3339; default: now"),
        ("kind" = Option<String>, Query, description = "only these kinds; repeatable"),
        ("limit" = Option<u32>, Query, description = "1 to 500, default 100"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, body = List<TimelineEntry>)),
)]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Json<List<TimelineEntry>>> {
    let query = query.only(&["from", "to", "limit", "cursor"], &["kind"])?;
    let kinds = query.words("kind", &KINDS)?;
    let id = stream_id(caller.account(), &id)?;
    configured(&api, &id).await?;
    let now = api.now();
    // What was stored by a clock ahead of ours is shown.
    let latest = EpochMs(now.0.saturating_add(60_000));
    let to = query.time("to")?.unwrap_or(latest);
    let wanted = Wanted {
        from: query.time("from")?.unwrap_or_default(),
        to,
        before: query.text("cursor").map(read_cursor).transpose()?,
        kinds,
        limit: usize::try_from(query.number("limit", 1..=500, 100)?).unwrap_or(100),
    };
    let (items, next_cursor) = page(&api, &id, &wanted).await?;
    Ok(Json(List { items, next_cursor, as_of: times::text(now) }))
}

/// Which entries.
struct Wanted {
    from: EpochMs,
    to: EpochMs,
    before: Option<(EpochMs, String)>,
    kinds: Vec<TimelineKind>,
    limit: usize,
}

impl Wanted {
    fn has(&self, placed: &Placed) -> bool {
        let kind = placed.entry.kind;
        let kind = match self.kinds.is_empty() {
            true => kind != TimelineKind::SegmentObtained,
            false => self.kinds.contains(&kind),
        };
        let before = match &self.before {
            Some((at, id)) => (placed.at, placed.entry.id.as_str()) < (*at, id.as_str()),
            None => true,
        };
        kind && before && self.from <= placed.at && placed.at < self.to
    }

    /// A stream's minutes begin at a second of their own: entries of a minute reach into the next.
    fn minutes(&self) -> (Minute, Minute) {
        let to = self.before.as_ref().map_or(self.to, |(at, _)| self.to.min(*at));
        (Minute(Minute::of(self.from).0.saturating_sub(1)), Minute::of(to))
    }
}

/// `{milliseconds}.{id}` of the last entry of the page before.
fn read_cursor(text: &str) -> Answer<(EpochMs, String)> {
    let parts = text.split_once('.').and_then(|(at, id)| Some((EpochMs(at.parse().ok()?), id.to_owned())));
    parts.ok_or_else(|| bad("cursor", "not a `next_cursor` of this list"))
}

async fn page(api: &Api, id: &StreamId, wanted: &Wanted) -> Answer<(Vec<TimelineEntry>, Option<String>)> {
    let labels = Labels::of(&api.store().outline(id).await?.value);
    let incidents = incidents(api, id).await?;
    let names = Names { labels: &labels, incidents: &incidents };
    let (first, mut last) = wanted.minutes();
    let mut found: Vec<Placed> = Vec::new();
    let mut read = 0;
    // Where reading stopped; none at the end of what there is.
    let mut reached = None;
    loop {
        let (minutes, more) = api.store().history(id, first, last, BATCH).await?.value;
        read += BATCH;
        let oldest = minutes.last().map(|stored| stored.minute);
        for stored in &minutes {
            found.extend(entries(stored, names).into_iter().filter(|placed| wanted.has(placed)));
        }
        let Some(oldest) = oldest.filter(|oldest| more && oldest.0 > first.0) else { break };
        last = Minute(oldest.0 - 1);
        if found.len() > wanted.limit || read >= MOST {
            reached = Some(oldest.start());
            break;
        }
    }
    let since = reached.unwrap_or_default();
    found.extend(taken(&incidents).filter(|placed| placed.at >= since && wanted.has(placed)));
    sort(&mut found);
    let cut = found.len() > wanted.limit;
    found.truncate(wanted.limit);
    let next = match found.last().filter(|_| cut) {
        Some(last) => Some(format!("{}.{}", last.at.0, last.entry.id)),
        None => reached.map(|at| format!("{}.", at.0)),
    };
    Ok((found.into_iter().map(|placed| placed.entry).collect(), next))
}

/// The newest incidents of a stream.
pub(super) async fn incidents(api: &Api, id: &StreamId) -> Answer<Vec<IncidentItem>> {
    Ok(api.store().incident_page(&IncidentsOf::Stream(id), None, INCIDENTS).await?.value.0)
}
