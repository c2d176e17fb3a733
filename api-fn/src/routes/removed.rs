//! Incidents that outlive their stream: it was removed, and then something failed, or nobody watched it. A watcher
//! closes what it leaves of a stream that is gone; where there is none, whoever looks does.

use hlsops_store::StreamId;

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
    close(api, id, None).await?;
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
