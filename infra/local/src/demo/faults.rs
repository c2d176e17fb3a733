//! Breaking and healing demo streams from the page.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hlsops_origin::{ControlError, Fault, FaultKind, Origin};
use serde::{Deserialize, Serialize};
use tower::ServiceExt;

use crate::serve::{problem, wrong};
use crate::station::Station;

/// The largest body. Unit: bytes.
const MAX_BODY: usize = 4 * 1024;

/// A way to break a stream.
struct Breakage {
    id: &'static str,
    label: &'static str,
    fault: Fault,
}

const fn breakage(id: &'static str, label: &'static str, kind: FaultKind) -> Breakage {
    Breakage { id, label, fault: Fault::new(kind) }
}

/// What the page offers, the most telling first.
static BREAKAGES: [Breakage; 6] = [
    breakage("segment-404", "Segments answer 404", FaultKind::SegmentStatus(404)),
    breakage("playlist-503", "Playlists answer 503", FaultKind::PlaylistStatus(503)),
    breakage("stall", "Playlist stops advancing", FaultKind::PlaylistStall),
    breakage("slow", "Segments arrive too slowly", FaultKind::SegmentSlow { speed_ratio: 0.4 }),
    breakage("truncated", "Segments end half way", FaultKind::SegmentTruncated),
    // After whole segments: every 16 s where they have 2 s, every 20 s where they have 10 s.
    breakage("jump", "Sequence numbers keep jumping", FaultKind::Jump { by: 50, every_ms: Some(16_000) }),
];

/// The faults a stream had when the demo began, as the last one that the page offers: healing takes them away.
const OWN: ListedFault = ListedFault { id: "own", label: "What was wrong at the start" };

/// The origin and its streams, by the id the API knows each by.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    origin: Arc<Origin>,
    streams: Arc<[(String, &'static str)]>,
    api: Router,
}

impl Stage {
    pub(super) fn new(origin: Origin, streams: Vec<(String, &'static str)>, station: &Station) -> Self {
        Self { origin: Arc::new(origin), streams: streams.into(), api: station.api() }
    }
}

/// `GET /local/demo` and `POST /local/demo/fault`, for who has an admin key.
pub(super) fn routes(stage: Stage) -> Router {
    Router::new()
        .route("/local/demo", get(list))
        .route("/local/demo/fault", post(change))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(stage.clone(), ask_admin))
        .with_state(stage)
}

#[derive(Serialize)]
struct Listed {
    streams: Vec<ListedStream>,
    faults: Vec<ListedFault>,
}

#[derive(Serialize)]
struct ListedStream {
    name: &'static str,
    id: String,
    /// Something was wrong with it at the start, so that `own` can be asked for.
    has_own: bool,
}

#[derive(Serialize)]
struct ListedFault {
    id: &'static str,
    label: &'static str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    /// Id of a stream.
    stream: String,
    /// Id of a fault; none heals the stream, `own` is what was wrong with it at the start.
    fault: Option<String>,
}

async fn list(State(stage): State<Stage>) -> Json<Listed> {
    let listed = |(id, name): &(String, &'static str)| {
        let row = hlsops_origin::demo::find(name);
        let has_own = row.is_some_and(|row| !row.faults.is_empty());
        ListedStream { name: row.map_or(*name, |row| row.title), id: id.clone(), has_own }
    };
    let streams = stage.streams.iter().map(listed);
    let faults = BREAKAGES.iter().map(|known| ListedFault { id: known.id, label: known.label });
    Json(Listed { streams: streams.collect(), faults: faults.chain([OWN]).collect() })
}

async fn change(State(stage): State<Stage>, asked: Result<Json<Change>, JsonRejection>) -> Response {
    let asked = match asked {
        Ok(Json(asked)) => asked,
        Err(rejection) => return problem(rejection.status(), &rejection.body_text()),
    };
    let Some((_, name)) = stage.streams.iter().find(|(id, _)| *id == asked.stream) else {
        return problem(StatusCode::NOT_FOUND, "stream: use the id of a demo stream");
    };
    let faults = match faults(name, asked.fault.as_deref()) {
        Ok(faults) => faults,
        Err(why) => return wrong("/fault", &why),
    };
    match put(&stage.origin, name, &faults) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => wrong("/fault", &error.to_string()),
    }
}

/// What is to be wrong with the stream of this name from now on; none heals it.
fn faults(name: &str, asked: Option<&str>) -> Result<Vec<Fault>, String> {
    let Some(asked) = asked else { return Ok(Vec::new()) };
    if asked == OWN.id {
        let own = hlsops_origin::demo::find(name).map(|row| row.faults.to_vec()).unwrap_or_default();
        return if own.is_empty() {
            Err("nothing was wrong with it at the start".to_owned())
        } else {
            Ok(own)
        };
    }
    let known = BREAKAGES.iter().find(|known| known.id == asked);
    known.map(|known| vec![known.fault]).ok_or_else(|| {
        let known: Vec<&str> = BREAKAGES.iter().map(|known| known.id).chain([OWN.id]).collect();
        format!("use one of {}, or null to heal", known.join(", "))
    })
}

/// These faults and no others.
fn put(origin: &Origin, name: &str, faults: &[Fault]) -> Result<(), ControlError> {
    origin.clear_faults(name)?;
    faults.iter().try_for_each(|fault| origin.set_fault(name, *fault).map(|_| ()))
}

/// Asks the API whether the caller may list keys, which only an admin may: so who may do what is said once.
async fn ask_admin(State(stage): State<Stage>, request: Request, next: Next) -> Response {
    let mut asked = Request::builder().uri("/api/v1/keys?limit=1");
    for name in [header::AUTHORIZATION.as_str(), "x-api-key"] {
        if let Some(value) = request.headers().get(name) {
            asked = asked.header(name, value);
        }
    }
    let answer = match asked.body(axum::body::Body::empty()) {
        Ok(asked) => stage.api.clone().oneshot(asked).await.unwrap_or_else(|never| match never {}),
        Err(_) => return problem(StatusCode::BAD_REQUEST, "the key's header cannot be read"),
    };
    if answer.status().is_success() { next.run(request).await } else { answer }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hlsops_origin::{DEMO, OriginConfig};

    #[tokio::test]
    async fn every_breakage_can_be_put_on_every_demo_stream_and_healed() {
        let origin = Origin::start(OriginConfig { demo: true, ..OriginConfig::default() }).await.unwrap();
        for row in &DEMO {
            for known in &BREAKAGES {
                let one = faults(row.id, Some(known.id)).unwrap();
                put(&origin, row.id, &one).unwrap_or_else(|e| panic!("{} {}: {e}", row.id, known.id));
                assert_eq!(origin.faults(row.id).len(), 1, "{} {}", row.id, known.id);
            }
            put(&origin, row.id, &faults(row.id, None).unwrap()).unwrap();
            assert!(origin.faults(row.id).is_empty());
        }
    }

    #[tokio::test]
    async fn a_healed_stream_gets_back_what_was_wrong_with_it() {
        let origin = Origin::start(OriginConfig { demo: true, ..OriginConfig::default() }).await.unwrap();
        for row in &DEMO {
            put(&origin, row.id, &[]).unwrap();
            match faults(row.id, Some(OWN.id)) {
                Ok(own) => {
                    put(&origin, row.id, &own).unwrap();
                    let set: Vec<Fault> = origin.faults(row.id).iter().map(|applied| applied.fault).collect();
                    assert_eq!(set, row.faults, "{}", row.id);
                }
                Err(why) => assert!(row.faults.is_empty() && why.contains("nothing was wrong"), "{why}"),
            }
        }
    }
}
