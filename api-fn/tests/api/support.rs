//! What the tests share: a table in memory, a router, a clock that stands still, and requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use axum::Router;
use axum::body::{Body, to_bytes};
use hlsops_api::{App, LocalKey, Secret, build_router, create_key};
use hlsops_domain::EpochMs;
use hlsops_engine::Engine;
use hlsops_fetch::{AllowList, FetchConfig, Fetcher};
use hlsops_store::{KeyScope, Store, StreamId};
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

/// 2026-11-22T03:30:00Z.
pub(crate) const NOW: EpochMs = EpochMs(1_795_318_200_000);
pub(crate) const ACCOUNT: &str = "default";

/// A router and what it works with.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) router: Router,
    pub(crate) secret: Secret,
    pub(crate) changes: Arc<AtomicU64>,
    pub(crate) notices: Arc<AtomicU64>,
    clock: Arc<AtomicU64>,
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) bytes: usize,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self
    }

    /// A problem with this code whose first error points there.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, code: &str, pointer: &str) -> Self {
        let got = self.is(status);
        assert_eq!(got.header("content-type"), "application/problem+json");
        assert_eq!(got.body["code"], code, "{}", got.body);
        assert_eq!(got.body["errors"][0]["pointer"].as_str().unwrap_or_default(), pointer, "{}", got.body);
        assert_eq!(got.body["status"], status);
        assert_eq!(got.body["request_id"], got.header("request-id"));
        got
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::allowing(AllowList::default()).await
    }

    pub(crate) async fn allowing(allow: AllowList) -> Self {
        let store = Store::new(Engine::in_memory().unwrap().client(), "hlsops");
        store.ensure_table().await.unwrap();
        let fetcher = Fetcher::new(FetchConfig { allow, ..FetchConfig::default() }).unwrap();
        let secret = Secret::generate().unwrap();
        let [clock, changes, notices] = [NOW.0, 0, 0].map(|start| Arc::new(AtomicU64::new(start)));
        let mut app = App::new(store.clone(), fetcher);
        let (time, changed, noticed) = (Arc::clone(&clock), Arc::clone(&changes), Arc::clone(&notices));
        app.now = Arc::new(move || EpochMs(time.load(Relaxed)));
        app.on_change = Arc::new(move || _ = changed.fetch_add(1, Relaxed));
        app.on_notice = Arc::new(move || _ = noticed.fetch_add(1, Relaxed));
        app.local_key = Some(LocalKey::new(&secret, ACCOUNT));
        app.max_streams = 3_000;
        Self { store, router: build_router(app), secret, changes, notices, clock }
    }

    pub(crate) fn now(&self) -> EpochMs {
        EpochMs(self.clock.load(Relaxed))
    }

    /// Turns the clock back.
    pub(crate) fn back(&self, seconds: u64) {
        self.clock.fetch_sub(seconds * 1_000, Relaxed);
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.fetch_add(seconds * 1_000, Relaxed);
    }

    /// A stored key.
    pub(crate) async fn key(&self, account: &str, scope: KeyScope) -> Secret {
        create_key(&self.store, account, "Maria", scope, None, self.now()).await.unwrap().0
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Got {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 16 << 20).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Got { status: parts.status, headers: parts.headers, body, bytes: bytes.len() }
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Got {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "x-api-key") {
            request = request.header("x-api-key", self.secret.as_str());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        self.ask(Method::GET, path, &[], None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Got {
        self.ask(Method::POST, path, &[], Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, etag: &str, body: Value) -> Got {
        self.ask(Method::PATCH, path, &[("if-match", etag)], Some(body)).await
    }

    /// Adds a stream and gives its id.
    pub(crate) async fn add(&self, name: &str) -> String {
        let body =
            json!({"manifest_url": format!("https://cdn.example/{name}.m3u8?token=secret"), "name": name});
        let got = self.post("/api/v1/streams", body).await.is(201);
        got.body["id"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn stream(id: &str) -> StreamId {
    StreamId::new(ACCOUNT, id).unwrap()
}
