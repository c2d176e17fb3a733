//! Series of figures of a stream.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Path, State};
use hlsops_domain::{EpochMs, RenditionId};
use hlsops_store::{Minute, StoredMinute, StreamId};
use hlsops_wire::MetricsSeries;

use super::streams::{configured, outline};
use crate::app::Api;
use crate::auth::Caller;
use crate::input::{Query, bad, stream_id};
use crate::problem::Answer;
use crate::times;
use crate::view::metrics::{Range, points, states};

const DAY_MS: u64 = 86_400_000;
const HOUR_MS: u64 = 3_600_000;
/// Most steps of a series.
const STEPS: u64 = 2_000;

/// Series of figures
///
/// At most 24 hours and 2,000 steps at a time.
#[utoipa::path(
    get, path = "/streams/{id}/metrics", tag = "streams",
    params(
        ("id" = String, Path, description = "`str_...`"),
        ("from" = Option<String>, Query, description = "RFC 3339; default: one hour before `to`"),
        ("to" = Option<String>, Query, description = "RFC 3339; default: now"),
        ("step_s" = Option<u32>, Query, minimum = 5, maximum = 3600, description = "length of a step, 5 to 3600, default 60"),
        ("rendition" = Option<String>, Query, description = "of this rendition alone, `ren_...`"),
    ),
    responses((status = 200, body = MetricsSeries)),
)]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Json<MetricsSeries>> {
    let query = query.only(&["from", "to", "step_s", "rendition"], &[])?;
    let id = stream_id(caller.account(), &id)?;
    let now = api.now();
    let range = range(&query, now)?;
    let (config, outline, minutes) =
        tokio::try_join!(configured(&api, &id), outline(&api, &id), minutes(&api, &id, &range))?;
    Ok(Json(MetricsSeries {
        stream_id: id.name().into(),
        rendition_id: range.rendition.map(|rendition| rendition.to_string()),
        from_at: times::text(range.from),
        to_at: times::text(range.to),
        step_s: range.step_ms / 1_000,
        points: points(&minutes, &outline, &range),
        states: states(&minutes, &since(config.created_at, range), &config.pauses(), now),
    }))
}

/// The part of the range in which there was a stream: its first minute began before it was added.
fn since(created: EpochMs, range: Range) -> Range {
    Range { from: range.from.max(created), ..range }
}

async fn minutes(api: &Api, id: &StreamId, range: &Range) -> Answer<Vec<StoredMinute>> {
    let (first, last) = (Minute(Minute::of(range.from).0.saturating_sub(1)), Minute::of(range.to));
    let most = usize::try_from(last.0 - first.0 + 1).unwrap_or(usize::MAX);
    Ok(api.store().minutes(id, first, last, most).await?.value)
}

fn range(query: &Query, now: EpochMs) -> Answer<Range> {
    let to = query.time("to")?.unwrap_or(now);
    let from = query.time("from")?.unwrap_or(EpochMs(to.0.saturating_sub(HOUR_MS)));
    let step_ms = query.number("step_s", 5..=3_600, 60)? * 1_000;
    if from >= to {
        return Err(bad("from", "must lie before `to`"));
    }
    if to.0 - from.0 > DAY_MS {
        return Err(bad("from", "at most 24 hours before `to`"));
    }
    if (to.0 - from.0) / step_ms > STEPS {
        return Err(bad("step_s", format!("at most {STEPS} steps: make them longer, or the range shorter")));
    }
    let rendition = query.text("rendition").map(|text| {
        let id = text.strip_prefix("ren_").and_then(|digits| u64::from_str_radix(digits, 16).ok());
        id.map(RenditionId).ok_or_else(|| bad("rendition", "is `ren_` and 16 hexadecimal digits"))
    });
    Ok(Range { from, to, step_ms, rendition: rendition.transpose()? })
}
