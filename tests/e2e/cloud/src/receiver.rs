//! An endpoint of the test's own: it takes what SNS and the product's channels post, or refuses it at first.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::error::Error;

/// Something that was posted.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    /// `sns` or `channel`.
    pub(crate) to: String,
    /// SNS's kind of message, or the event's id at a channel.
    pub(crate) says: String,
    /// Whether it was taken.
    pub(crate) taken: bool,
    pub(crate) body: Value,
}

#[derive(Clone, Default)]
struct Shared {
    posted: Arc<Mutex<Vec<Posted>>>,
    /// Posts to the channel that are still to be refused.
    refusals: Arc<AtomicU32>,
}

/// A listener on loopback.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    shared: Shared,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Receiver {
    /// Starts; the channel's first `refusals` posts are answered with 503.
    pub(crate) async fn start(refusals: u32) -> Result<Self, Error> {
        let shared = Shared { refusals: Arc::new(AtomicU32::new(refusals)), ..Shared::default() };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.map_err(Error::system("listen for webhooks"))?;
        let address = listener.local_addr().map_err(Error::system("listen for webhooks"))?;
        let router = Router::new().route("/{to}", post(take)).with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, shared, serving })
    }

    pub(crate) fn url(&self, to: &str) -> String {
        format!("http://{}/{to}", self.address)
    }

    /// What came so far.
    pub(crate) fn posted(&self, to: &str) -> Vec<Posted> {
        let posted = self.shared.posted.lock().unwrap_or_else(PoisonError::into_inner);
        posted.iter().filter(|post| post.to == to).cloned().collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(
    State(shared): State<Shared>,
    Path(to): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let says = if to == "sns" { header("x-amz-sns-message-type") } else { header("webhook-id") };
    let refuse = |left: u32| left.checked_sub(1);
    let refused =
        to == "channel" && shared.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, refuse).is_ok();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let posted = Posted { says: says.to_owned(), taken: !refused, body, to };
    shared.posted.lock().unwrap_or_else(PoisonError::into_inner).push(posted);
    if refused { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NO_CONTENT }
}
