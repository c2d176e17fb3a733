//! How a watcher reaches the streams.

use std::sync::Arc;

use hlsops_fetch::{Fetcher, HeaderHosts, Session};
use hlsops_store::StreamConfig;
use hlsops_watch::{HttpTransport, Transport};
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::stream::StreamError;

/// Gives each stream a transport of its own: the guarded HTTP client, or a script in tests and replays.
pub trait Network: Clone + Send + Sync + 'static {
    /// What a stream is fetched with.
    type Transport: Transport;

    /// The transport of a stream at `url`.
    ///
    /// # Errors
    /// When the stream's headers cannot be sent.
    fn transport(&self, config: &StreamConfig, url: &Url) -> Result<Self::Transport, StreamError>;
}

impl Network for Fetcher {
    type Transport = HttpTransport;

    fn transport(&self, config: &StreamConfig, url: &Url) -> Result<HttpTransport, StreamError> {
        Ok(HttpTransport::new(self.clone(), Arc::new(session(config, url)?)))
    }
}

fn session(config: &StreamConfig, url: &Url) -> Result<Session, StreamError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &config.headers {
        let bad = || StreamError::Header(name.clone());
        let key: HeaderName = name.parse().map_err(|_| bad())?;
        let value: HeaderValue = value.parse().map_err(|_| bad())?;
        headers.append(key, value);
    }
    Ok(Session::with_headers(headers, HeaderHosts::of(url))?)
}
