//! Rules that a stream broke.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Path, State};
use hlsops_domain::checks::{self, Severity};
use hlsops_domain::{EpochMs, RenditionId};
use hlsops_store::{FindingRow, Minute, MinuteFindings, StreamId};
use hlsops_wire as wire;
use hlsops_wire::{Finding, List};

use super::streams::{configured, outline};
use crate::app::Api;
use crate::auth::Caller;
use crate::input::{Query, bad, stream_id};
use crate::problem::Answer;
use crate::times;
use crate::view::Labels;

const DAY_MS: u64 = 86_400_000;
const MOST_DAYS: u64 = 7;
/// Minutes with findings that are read.
const MINUTES: usize = 3_000;

/// Rules that a stream broke
///
/// Equal ones folded, newest first. At most 7 days, of which the first 3,000 minutes with findings count.
#[utoipa::path(
    get, path = "/streams/{id}/findings", tag = "streams",
    params(
        ("id" = String, Path, description = "`str_...`"),
        ("from" = Option<String>, Query, description = "RFC 3339; default: 24 hours before `to`"),
        ("to" = Option<String>, Query, description = "RFC 3339; default: now"),
    ),
    responses((status = 200, body = List<Finding>)),
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Json<List<Finding>>> {
    let query = query.only(&["from", "to"], &[])?;
    let id = stream_id(caller.account(), &id)?;
    let now = api.now();
    let to = query.time("to")?.unwrap_or(now);
    let from = query.time("from")?.unwrap_or(EpochMs(to.0.saturating_sub(DAY_MS)));
    if from >= to || to.0 - from.0 > MOST_DAYS * DAY_MS {
        return Err(bad("from", format!("must lie before `to`, at most {MOST_DAYS} days")));
    }
    let (_, outline, found) =
        tokio::try_join!(configured(&api, &id), outline(&api, &id), found(&api, &id, from, to))?;
    let items = fold(&found, &Labels::of(&outline));
    Ok(Json(List { items, next_cursor: None, as_of: times::text(now) }))
}

async fn found(api: &Api, id: &StreamId, from: EpochMs, to: EpochMs) -> Answer<Vec<MinuteFindings>> {
    Ok(api.store().findings(id, Minute::of(from), Minute::of(to), MINUTES).await?.value)
}

fn fold(minutes: &[MinuteFindings], labels: &Labels) -> Vec<Finding> {
    let mut folded: BTreeMap<(&str, Option<RenditionId>), FindingRow> = BTreeMap::new();
    for row in minutes.iter().flat_map(|minute| &minute.rows) {
        let known = folded
            .entry((&row.code, row.rendition))
            .or_insert_with(|| FindingRow { count: 0, ..row.clone() });
        known.count = known.count.saturating_add(row.count);
        known.first = known.first.min(row.first);
        if row.last >= known.last {
            (known.last, known.sample) = (row.last, row.sample.clone());
        }
    }
    let mut rows: Vec<FindingRow> = folded.into_values().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.last));
    rows.into_iter().map(|row| finding(row, labels)).collect()
}

fn finding(row: FindingRow, labels: &Labels) -> Finding {
    // A code that a newer version knows is shown all the same.
    let rule = checks::ALL.iter().find(|rule| rule.code == row.code);
    Finding {
        severity: match rule.map(|rule| rule.severity) {
            Some(Severity::Warning) => wire::Severity::Warning,
            _ => wire::Severity::Error,
        },
        summary: rule.map_or_else(String::new, |rule| rule.summary.into()),
        fix: rule.map_or_else(String::new, |rule| rule.fix.into()),
        clause: rule.map_or_else(String::new, |rule| rule.clause.to_string()),
        code: row.code,
        rendition_id: row.rendition.map(|id| id.to_string()),
        rendition: row.rendition.map(|id| labels.get(id).unwrap_or_else(|| id.to_string())),
        first_at: times::text(row.first),
        last_at: times::text(row.last),
        count: row.count,
        sample: row.sample,
    }
}
