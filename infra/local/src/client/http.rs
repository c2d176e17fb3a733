//! One request to a running `hlsops serve`, on a connection of its own.

use std::time::Duration;

use axum::body::Body;
use http::{Request, Response, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long the server may take to accept, being on this machine.
const CONNECT: Duration = Duration::from_secs(3);
/// How long an answer may take: a backup of gigabytes is the longest.
const ANSWER: Duration = Duration::from_secs(600);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// Nobody listens there.
    #[error("nobody listens at {0}")]
    Nobody(String),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(#[from] hyper::Error),
    /// The request cannot be written.
    #[error("the request cannot be written: {0}")]
    Request(#[from] http::Error),
    /// Time ran out.
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
}

/// Sends `request` to `authority`, the host and port of its URL.
pub(crate) async fn send(authority: &str, mut request: Request<Body>) -> Result<Response<Body>, HttpError> {
    let connecting = timeout(CONNECT, TcpStream::connect(authority)).await;
    let Ok(Ok(stream)) = connecting else { return Err(HttpError::Nobody(authority.to_owned())) };
    let host = authority.parse().map_err(http::Error::from)?;
    request.headers_mut().insert(header::HOST, host);
    let exchange = async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Ends with the answer's body; an error in it is the body's error as well.
        tokio::spawn(connection);
        Ok(sender.send_request(request).await?.map(Body::new))
    };
    timeout(ANSWER, exchange).await.unwrap_or(Err(HttpError::TimedOut(ANSWER)))
}
