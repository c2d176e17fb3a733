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
/// Minutes with findings that are read for one answer.
const MINUTES: usize = 3_000;

/// Rules that a stream broke
///
/// Equal ones folded, newest first. At most 7 days. Of more than 3,000 minutes with findings the newest count, and
/// `next_cursor` leads to those before, which are folded for themselves.
#[utoipa::path(
    get, path = "/streams/{id}/findings", tag = "streams",
    params(
        ("id" = String, Path, description = "`str_...`"),
        ("from" = Option<String>, Query, description = "RFC 3339; default: 24 hours before `to`"),
        ("to" = Option<String>, Query, description = "RFC 3339; default: now"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 500, description = "1 to 500; default: all of those minutes"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, body = List<Finding>)),
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Json<List<Finding>>> {
    let query = query.only(&["from", "to", "limit", "cursor"], &[])?;
    let id = stream_id(caller.account(), &id)?;
    let now = api.now();
    let to = query.time("to")?.unwrap_or(now);
    let from = query.time("from")?.unwrap_or(EpochMs(to.0.saturating_sub(DAY_MS)));
    if from >= to || to.0 - from.0 > MOST_DAYS * DAY_MS {
        return Err(bad("from", format!("must lie before `to`, at most {MOST_DAYS} days")));
    }
    let limit = query.number("limit", 1..=500, u64::MAX)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let place = query.text("cursor").map(Place::read).transpose()?;
    let place = place.unwrap_or(Place { newest: Minute::of(to), skip: 0 });
    let (_, outline, (found, older)) =
        tokio::try_join!(configured(&api, &id), outline(&api, &id), found(&api, &id, from, place.newest))?;
    let folded = fold(&found);
    let labels = Labels::of(&outline);
    let rows = folded.iter().skip(place.skip).take(limit);
    let items = rows.map(|row| finding(row, &labels)).collect();
    let next = place.next(limit, folded.len(), older);
    Ok(Json(List { items, next_cursor: next.map(|next| next.text()), as_of: times::text(now) }))
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// The newest of the minutes that are folded.
    newest: Minute,
    /// Rows of them that were on pages before.
    skip: usize,
}

impl Place {
    /// `{minute}.{rows}`.
    fn read(text: &str) -> Answer<Self> {
        let parts = text.split_once('.').and_then(|(minute, skip)| {
            Some(Self { newest: Minute(minute.parse().ok()?), skip: skip.parse().ok()? })
        });
        parts.ok_or_else(|| bad("cursor", "not a `next_cursor` of this list"))
    }

    fn text(self) -> String {
        format!("{}.{}", self.newest.0, self.skip)
    }

    /// The place after so many of `rows`; `older`: the newest minute that was not read.
    fn next(self, limit: usize, rows: usize, older: Option<Minute>) -> Option<Self> {
        let skip = self.skip.saturating_add(limit);
        if skip < rows { Some(Self { skip, ..self }) } else { older.map(|newest| Self { newest, skip: 0 }) }
    }
}

/// The newest minutes with findings, and the next one where there are more.
async fn found(
    api: &Api,
    id: &StreamId,
    from: EpochMs,
    to: Minute,
) -> Answer<(Vec<MinuteFindings>, Option<Minute>)> {
    let from = Minute::of(from);
    // The default range may have moved past a cursor.
    if to < from {
        return Ok((Vec::new(), None));
    }
    let found = api.store().findings(id, from, to, MINUTES + 1).await?.value;
    Ok(whole(found, MINUTES))
}

/// At most so many items, newest first, without those of a minute that did not come whole: it begins the next page.
fn whole(mut found: Vec<MinuteFindings>, most: usize) -> (Vec<MinuteFindings>, Option<Minute>) {
    let Some(next) = found.get(most).map(|left| left.minute) else { return (found, None) };
    found.truncate(most);
    found.retain(|minute| minute.minute > next);
    (found, Some(next))
}

fn fold(minutes: &[MinuteFindings]) -> Vec<FindingRow> {
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
    rows
}

fn finding(row: &FindingRow, labels: &Labels) -> Finding {
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
        code: row.code.clone(),
        rendition_id: row.rendition.map(|id| id.to_string()),
        rendition: row.rendition.map(|id| labels.get(id).unwrap_or_else(|| id.to_string())),
        first_at: times::text(row.first),
        last_at: times::text(row.last),
        count: row.count,
        sample: row.sample.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(of: &[u64]) -> Vec<MinuteFindings> {
        of.iter()
            .map(|minute| MinuteFindings { minute: Minute(*minute), ..MinuteFindings::default() })
            .collect()
    }

    #[track_caller]
    fn check(found: &[u64], kept: &[u64], next: Option<u64>) {
        assert_eq!(whole(minutes(found), 3), (minutes(kept), next.map(Minute)), "{found:?}");
    }

    /// Two watchers may have written of one minute.
    #[test]
    fn the_newest_minutes_are_kept_and_none_is_cut_in_two() {
        check(&[9, 8, 7], &[9, 8, 7], None);
        check(&[9, 8, 7, 6], &[9, 8, 7], Some(6));
        check(&[9, 8, 7, 7], &[9, 8], Some(7));
        check(&[9, 9, 9, 8], &[9, 9, 9], Some(8));
    }

    #[test]
    fn places_lead_from_page_to_page() {
        let first = Place { newest: Minute(9), skip: 0 };
        let second = first.next(2, 3, Some(Minute(4))).unwrap();
        assert_eq!(Place::read(&second.text()).unwrap(), Place { newest: Minute(9), skip: 2 });
        assert_eq!(second.next(2, 3, Some(Minute(4))), Some(Place { newest: Minute(4), skip: 0 }));
        assert_eq!(second.next(2, 3, None), None);
        assert_eq!(first.next(usize::MAX, 3, None), None);
        for bad in ["", "9", "9.x", "x.9"] {
            assert!(Place::read(bad).is_err(), "{bad}");
        }
    }
}
