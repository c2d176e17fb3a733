//! About the service itself.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hlsops_domain::EpochMs;
use hlsops_domain::freshness::{Pace, is_stale};
use hlsops_store::{PROFILES, ShardId, ShardSummary, Store, StoreError};
use hlsops_wire::{List, ServiceHealth, ServiceStatus, Threshold};
use http::StatusCode;

use crate::app::Api;
use crate::input::Query;
use crate::problem::Answer;
use crate::times;

/// Is the service well?
///
/// Open to everybody. 503 when streams are to be watched and nobody has been heard of for 180 s, or when the
/// table does not answer.
#[utoipa::path(
    get, path = "/health", tag = "service", security(()),
    responses((status = 200, body = ServiceHealth), (status = 503, body = ServiceHealth)),
)]
pub(super) async fn health(State(api): State<Arc<Api>>, query: Query) -> Answer<Response> {
    query.only(&[], &[])?;
    let found = api.status.get(&api).await;
    let now = api.now();
    let health = match found {
        Some(watch) => watch.health(now),
        None => ServiceHealth {
            detail: "the table does not answer; the log says why".into(),
            ..Watch::default().empty(ServiceStatus::NoTable, now)
        },
    };
    let status = match health.status {
        ServiceStatus::Ok => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    Ok((status, Json(health)).into_response())
}

/// What `/health` says, and when that was found out, kept for a moment: it is open to everybody and must cost nothing.
/// That the table failed (no `Watch`) is kept as well, or everybody who waits would try it again.
#[derive(Debug, Default)]
pub(crate) struct Status(tokio::sync::Mutex<Option<(EpochMs, Option<Watch>)>>);

/// How often it is looked at, in milliseconds.
const FRESH_MS: u64 = 5_000;

impl Status {
    async fn get(&self, api: &Api) -> Option<Watch> {
        let mut kept = self.0.lock().await;
        // After the wait for whoever was at it.
        let now = api.now();
        if let Some((at, watch)) = kept.as_ref()
            && now.0.saturating_sub(at.0) < FRESH_MS
        {
            return watch.clone();
        }
        let found = Watch::read(api.store(), now).await;
        let watch = found.inspect_err(|error| tracing::error!("{error}")).ok();
        // Failing may have taken longer than this is kept.
        *kept = Some((api.now(), watch.clone()));
        watch
    }
}

/// What is heard of the watchers.
#[derive(Clone, Debug, Default)]
struct Watch {
    streams: u32,
    incidents: u32,
    probed: Option<EpochMs>,
    /// Shards that have streams and whose watcher is not heard of.
    silent: u32,
}

impl Watch {
    async fn read(store: &Store, now: EpochMs) -> Result<Self, StoreError> {
        let mut watch = Self::default();
        for shard in 0..store.shard_count().await?.value {
            watch.shard(store, ShardId(shard), now).await?;
        }
        Ok(watch)
    }

    async fn shard(&mut self, store: &Store, shard: ShardId, now: EpochMs) -> Result<(), StoreError> {
        let streams = store.shard_streams(shard, ShardSummary::MAX).await?.value;
        let Some(oldest) = streams.iter().map(|known| known.config.created_at).min() else { return Ok(()) };
        let summary = store.summary(shard).await?.value;
        // A watcher needs a moment to come to the first stream there is.
        let heard = summary.as_ref().map(|summary| summary.at).max(Some(oldest));
        self.streams += u32::try_from(streams.len()).unwrap_or(u32::MAX);
        self.silent += u32::from(is_stale(Pace::Continuous, heard, now));
        if let Some(summary) = summary {
            let open = summary.tiles.iter().filter(|tile| tile.incident.is_some()).count();
            self.incidents += u32::try_from(open).unwrap_or(u32::MAX);
            self.probed = Some(self.probed.map_or(summary.at, |probed| probed.min(summary.at)));
        }
        Ok(())
    }

    fn health(&self, now: EpochMs) -> ServiceHealth {
        if self.silent == 0 {
            return self.empty(ServiceStatus::Ok, now);
        }
        let detail = format!(
            "{} shards have streams and no watcher that was heard of in the last {} s: is the probe scheduled?",
            self.silent,
            Pace::LEAST.as_secs()
        );
        ServiceHealth { detail, ..self.empty(ServiceStatus::NotWatching, now) }
    }

    fn empty(&self, status: ServiceStatus, now: EpochMs) -> ServiceHealth {
        ServiceHealth {
            status,
            timestamp: times::text(now),
            version: env!("CARGO_PKG_VERSION").into(),
            streams_monitored: self.streams,
            active_incidents: self.incidents,
            probed_at: self.probed.map(times::text),
            detail: String::new(),
        }
    }
}

/// Thresholds that can be set
///
/// Their ranges, and what they are in each profile.
#[utoipa::path(get, path = "/thresholds", tag = "streams", responses((status = 200, body = List<Threshold>)))]
pub(super) async fn thresholds(State(api): State<Arc<Api>>, query: Query) -> Answer<Json<List<Threshold>>> {
    query.only(&[], &[])?;
    let [(_, default), (_, seed1)] = PROFILES;
    let one = |known: &hlsops_store::Threshold| Threshold {
        name: known.name.into(),
        about: known.about.into(),
        min: known.range.0,
        max: known.range.1,
        default: known.of(&default()),
        seed1: known.of(&seed1()),
    };
    let items = hlsops_store::Threshold::ALL.iter().map(one).collect();
    Ok(Json(List { items, next_cursor: None, as_of: times::text(api.now()) }))
}
