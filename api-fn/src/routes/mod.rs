//! The routes, and who may use them.

mod channels;
mod deliveries;
mod findings;
mod inbox;
mod incidents;
mod keys;
mod metrics;
mod namesakes;
mod removed;
mod status;
mod streams;
mod tag;
mod timeline;
mod wall;
mod write;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::{Router, middleware as layers};
use hlsops_store::KeyScope;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::{Api, App};
use crate::auth::{authenticate, require};
use crate::input::MAX_BODY;
use crate::{docs, middleware};

pub(crate) use status::Status;

/// Where the API's own routes begin.
const BASE: &str = "/api/v1";

/// The router. Unknown paths are answered with a problem, so it can be the fallback of another router.
pub fn build_router(app: App) -> Router {
    let api = Arc::new(Api::new(app));
    let (router, document) = all(&api);
    router.merge(docs::router(&document)).layer(layers::from_fn_with_state(api, middleware::finish))
}

/// The OpenAPI document of the routes.
#[must_use]
pub fn openapi(app: App) -> Document {
    all(&Arc::new(Api::new(app))).1
}

fn all(api: &Arc<Api>) -> (Router, Document) {
    let looking = OpenApiRouter::new()
        .routes(routes!(streams::list))
        .routes(routes!(streams::show))
        .routes(routes!(timeline::show))
        .routes(routes!(metrics::show))
        .routes(routes!(findings::list))
        .routes(routes!(wall::show))
        .routes(routes!(incidents::list))
        .routes(routes!(incidents::show))
        .routes(routes!(status::thresholds))
        .routes(routes!(keys::own))
        .routes(routes!(channels::list))
        .routes(routes!(channels::show))
        .routes(routes!(deliveries::list))
        .routes(routes!(inbox::list));
    let changing = OpenApiRouter::new()
        .routes(routes!(write::create))
        .routes(routes!(write::patch))
        .routes(routes!(write::remove))
        .routes(routes!(write::pause))
        .routes(routes!(write::resume))
        .routes(routes!(incidents::acknowledge))
        .routes(routes!(incidents::unacknowledge))
        .routes(routes!(channels::create))
        .routes(routes!(channels::patch))
        .routes(routes!(channels::remove))
        .routes(routes!(channels::test))
        .routes(routes!(channels::renew_secret))
        .routes(routes!(channels::drop_old_secret));
    let governing = OpenApiRouter::new()
        .routes(routes!(keys::list))
        .routes(routes!(keys::create))
        .routes(routes!(keys::revoke));
    let scoped = |routes: OpenApiRouter<Arc<Api>>, scope: KeyScope| {
        routes.route_layer(layers::from_fn_with_state(scope, require))
    };
    let closed = scoped(looking, KeyScope::Viewer)
        .merge(scoped(changing, KeyScope::Operator))
        .merge(scoped(governing, KeyScope::Admin))
        .route_layer(layers::from_fn_with_state(Arc::clone(api), authenticate));
    let routes = closed.routes(routes!(status::health));
    let described = OpenApiRouter::with_openapi(docs::document()).nest(BASE, routes);
    let (router, document) = described.split_for_parts();
    let router = router
        .fallback(middleware::no_route)
        .method_not_allowed_fallback(middleware::no_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Arc::clone(api));
    (router, document)
}
