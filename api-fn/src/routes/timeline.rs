//! What happened to a stream.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Path, State};
use hlsops_domain::EpochMs;
use hlsops_store::{IncidentItem, IncidentsOf, Minute, StreamId};
use hlsops_wire::{Timeline, TimelineEntry, TimelineKind};

use super::streams::{configured, outline};
use crate::app::Api;
use crate::auth::Caller;
use crate::input::{Query, bad, stream_id};
use crate::problem::Answer;
use crate::times;
use crate::view::Labels;
use crate::view::incident::taken;
use crate::view::pauses::switches;
use crate::view::stream::newest_look;
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
/// a `next_cursor` says that nothing happened in the hours looked through. `complete_to_at` says up to when it is
/// complete: what happened in the running minute is stored with that minute, or sooner where a state changes.
#[utoipa::path(
    get, path = "/streams/{id}/timeline", tag = "streams",
    params(
        ("id" = String, Path, description = "`str_...`"),
        ("from" = Option<String>, Query, description = "RFC 3339; default: as far back as minutes are kept"),
        ("to" = Option<String>, Query, description = "RFC 3339; default: now"),
        ("kind" = Option<String>, Query, description = "only these kinds; repeatable"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 500, description = "1 to 500, default 100"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, body = Timeline)),
)]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Json<Timeline>> {
    let query = query.only(&["from", "to", "limit", "cursor"], &["kind"])?;
    let kinds = query.words("kind", &KINDS)?;
    let id = stream_id(caller.account(), &id)?;
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
    let (config, outline, incidents) =
        tokio::try_join!(configured(&api, &id), outline(&api, &id), incidents(&api, &id))?;
    let pauses = config.pauses();
    let names = Names { labels: &Labels::of(&outline), incidents: &incidents, pauses: &pauses };
    let page = page(&api, &id, &wanted, names).await?;
    Ok(Json(Timeline {
        items: page.items,
        next_cursor: page.next,
        as_of: times::text(now),
        complete_to_at: page.complete_to.map(times::text),
    }))
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
    fn has_obtained(&self) -> bool {
        self.kinds.contains(&TimelineKind::SegmentObtained)
    }

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

/// A page of the timeline.
struct Page {
    items: Vec<TimelineEntry>,
    next: Option<String>,
    /// Only of the newest page: the others are complete.
    complete_to: Option<EpochMs>,
}

async fn page(api: &Api, id: &StreamId, wanted: &Wanted, names: Names<'_>) -> Answer<Page> {
    let (first, mut last) = wanted.minutes();
    let mut found: Vec<Placed> = Vec::new();
    let mut complete_to = None;
    let mut read = 0;
    // Down to where everything was read; none at the end of what there is.
    let mut reached = None;
    loop {
        let (minutes, more) = api.store().history(id, first, last, BATCH).await?.value;
        if read == 0 && wanted.before.is_none() {
            complete_to = newest_look(&minutes).map(|look| look.min(wanted.to));
        }
        read += BATCH;
        let oldest = minutes.last().map(|stored| stored.minute);
        for stored in &minutes {
            let entries = entries(stored, names, wanted.has_obtained()).into_iter();
            found.extend(entries.filter(|placed| wanted.has(placed)));
        }
        let Some(oldest) = oldest.filter(|oldest| more && oldest.0 > first.0) else { break };
        last = Minute(oldest.0 - 1);
        // The minute before, which was not read, reaches into this one: only what comes after this one is whole.
        let whole = oldest.next().start();
        let enough = found.iter().filter(|placed| placed.at >= whole).count() > wanted.limit;
        if enough || read >= MOST {
            reached = Some(whole);
            break;
        }
    }
    let since = reached.unwrap_or_default();
    found.retain(|placed| placed.at >= since);
    found.extend(taken(names.incidents).filter(|placed| placed.at >= since && wanted.has(placed)));
    found.extend(switches(names.pauses).filter(|placed| placed.at >= since && wanted.has(placed)));
    sort(&mut found);
    let cut = found.len() > wanted.limit;
    found.truncate(wanted.limit);
    let next = match found.last().filter(|_| cut) {
        Some(last) => Some(format!("{}.{}", last.at.0, last.entry.id)),
        None => reached.map(|at| format!("{}.", at.0)),
    };
    Ok(Page { items: found.into_iter().map(|placed| placed.entry).collect(), next, complete_to })
}

/// The newest incidents of a stream.
async fn incidents(api: &Api, id: &StreamId) -> Answer<Vec<IncidentItem>> {
    Ok(api.store().incident_page(&IncidentsOf::Stream(id), None, INCIDENTS).await?.value.0)
}
