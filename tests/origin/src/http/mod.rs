//! The HTTP side. Thin: a request is read, one function decides, the answer is sent.

mod body;
mod control;
mod live;
mod problem;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, get, put};

use crate::registry::Registry;

/// Largest body of a control request. Unit: bytes.
const MAX_CONTROL_BYTES: usize = 16 * 1024;

/// All routes.
pub(crate) fn router(registry: Arc<Registry>) -> Router {
    Router::new()
        .route("/live/{stream}/{*path}", any(live::serve_live))
        .route("/moved/{stream}/{*path}", any(live::serve_moved))
        .route("/control", get(control::list))
        .route(
            "/control/{stream}",
            get(control::show).put(control::put_stream).delete(control::remove_stream),
        )
        .route("/control/{stream}/fault", put(control::put_fault).delete(control::clear_faults))
        .route("/control/{stream}/served", get(control::served))
        .layer(DefaultBodyLimit::max(MAX_CONTROL_BYTES))
        .with_state(registry)
}
