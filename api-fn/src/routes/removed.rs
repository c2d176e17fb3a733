//! Incidents that outlive their stream: it was removed, and then something failed, or its watcher's last page opened one.
//! Nobody watches it any more, so whoever looks closes them.

use std::collections::BTreeMap;

use hlsops_store::{Segments, StreamConfig, StreamId, WatchMode};

use super::incidents::close;
use crate::app::Api;
use crate::problem::Answer;
use crate::wall::Snapshot;

/// Most that are closed for one request; the next one goes on.
const MOST: usize = 10;

/// Closes the incident of a stream that is gone. False where the stream is there, or nothing is open.
pub(super) async fn close_left(api: &Api, id: &StreamId) -> Answer<bool> {
    if api.store().stream(id).await?.value.is_some() {
        return Ok(false);
    }
    if api.store().incident_pointer(id).await?.value.open.is_none() {
        return Ok(false);
    }
    close(api, &remains(id)).await?;
    api.walls.forget(id.account());
    Ok(true)
}

/// Closes what the wall found without a stream. What fails is left to the next one who looks.
pub(super) async fn sweep(api: &Api, wall: &Snapshot) {
    for incident in wall.left.iter().take(MOST) {
        if let Err(error) = close_left(api, &incident.stream).await {
            tracing::warn!(incident.id = %incident.id, "cannot close `{}`, whose stream is gone: {error:?}", incident.id);
        }
    }
}

/// What is known of a stream that is gone.
fn remains(id: &StreamId) -> StreamConfig {
    StreamConfig {
        id: id.clone(),
        url: String::new(),
        name: id.name().into(),
        link_id: None,
        enabled: false,
        watch: WatchMode::Continuous,
        segments: Segments::Full,
        headers: Vec::new(),
        profile: "default".into(),
        overrides: BTreeMap::new(),
        tags: Vec::new(),
        created_at: hlsops_domain::EpochMs(0),
        pauses: Vec::new(),
        revision: 0,
    }
}
