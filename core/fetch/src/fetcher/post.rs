//! Posting a message to an address that somebody else chose: the same guard, no redirects, little read back.

use std::time::Duration;

use bytes::Bytes;
use http::header::HeaderMap;
use reqwest::{Method, Response};
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use crate::bounds::later;
use crate::hop::{self, Checked, Head};
use crate::{Bounds, FetchError, Fetcher, KeptHeaders, Phase};

/// One message.
#[derive(Clone, Debug)]
pub struct Post<'a> {
    /// Where to.
    pub url: &'a Url,
    /// What goes with it: the content type, signatures, the receiver's own headers.
    pub headers: HeaderMap,
    /// The message, at most [`Post::MAX_BODY`] bytes.
    pub body: Bytes,
    /// For everything from the connection to the response head. Default: [`Post::LIMIT`].
    pub limit: Duration,
}

impl<'a> Post<'a> {
    /// The longest message, in bytes.
    pub const MAX_BODY: usize = 64 << 10;
    /// How much is kept of the answer's body, in bytes.
    pub const ANSWER: usize = 256;
    /// For everything from the connection to the response head.
    pub const LIMIT: Duration = Duration::from_secs(15);
    /// For name resolution, TCP and TLS together, within the limit.
    const CONNECT: Duration = Duration::from_secs(5);

    /// A message without headers, with the usual limit.
    #[must_use]
    pub fn new(url: &'a Url, body: impl Into<Bytes>) -> Self {
        Self { url, headers: HeaderMap::new(), body: body.into(), limit: Self::LIMIT }
    }

    fn bounds(&self) -> Bounds {
        Bounds {
            max_bytes: Self::ANSWER as u64,
            max_lines: None,
            max_line_bytes: None,
            connect: Self::CONNECT.min(self.limit),
            first_byte: self.limit,
            idle: self.limit,
            total: self.limit,
        }
    }
}

/// What became of a message.
#[derive(Debug)]
pub struct Posted {
    /// From the connection to the end of what was read.
    pub took: Duration,
    /// The status of the answer, if one came.
    pub status: Option<u16>,
    /// Some headers of the answer.
    pub headers: KeptHeaders,
    /// The first [`Post::ANSWER`] bytes of the answer's body, as far as they came.
    pub answer: Vec<u8>,
    /// Taken (2xx), or why not. A redirect is [`FetchError::Refused`]: a message goes where its address says
    /// and nowhere else.
    pub result: Result<(), PostError>,
}

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// It was not sent.
    #[error("the message has {got_bytes} bytes; at most {limit_bytes} are posted")]
    TooLong {
        /// Its size.
        got_bytes: usize,
        /// The bound.
        limit_bytes: usize,
    },
    /// As for any request.
    #[error(transparent)]
    Fetch(#[from] FetchError),
}

impl Fetcher {
    /// Posts a message over a connection of its own.
    ///
    /// Never panics; what was learned before a failure is in the answer. Nothing is repeated: whether a
    /// message that got no answer was read is unknown. Dropping the future closes the connection.
    pub async fn post(&self, post: &Post<'_>) -> Posted {
        let mut posted = Posted {
            took: Duration::ZERO,
            status: None,
            headers: KeptHeaders::default(),
            answer: Vec::new(),
            result: Ok(()),
        };
        posted.result = self.post_into(post, &mut posted).await;
        posted
    }

    async fn post_into(&self, post: &Post<'_>, posted: &mut Posted) -> Result<(), PostError> {
        let got_bytes = post.body.len();
        if got_bytes > Post::MAX_BODY {
            return Err(PostError::TooLong { got_bytes, limit_bytes: Post::MAX_BODY });
        }
        let checked = Checked::new(post.url, &self.shared.allow)?;
        let mut place = self.shared.queues.join(checked.host, checked.port);
        if !place.try_enter() {
            let queued = timeout(post.limit, place.enter()).await;
            queued.map_err(|_| FetchError::TimedOut { phase: Phase::Queue, limit: post.limit })?;
        }
        let began = Instant::now();
        let deadline = later(began, post.limit);
        let result = self.send_post(post, &checked, deadline, posted).await;
        posted.took = began.elapsed();
        Ok(result?)
    }

    async fn send_post(
        &self,
        post: &Post<'_>,
        checked: &Checked<'_>,
        deadline: Instant,
        posted: &mut Posted,
    ) -> Result<(), FetchError> {
        // A connection kept from before may be closed by the receiver at any moment, and a message cannot be
        // sent again without asking.
        let client = &self.shared.fresh;
        let request = client.request(Method::POST, post.url.clone()).headers(post.headers.clone());
        let request = request.body(post.body.clone()).build().map_err(|_| FetchError::BadUrl)?;
        let sent = hop::send(client, request, checked, &post.bounds(), deadline).await;
        let Head { mut response, .. } = sent.outcome?;
        posted.status = Some(response.status().as_u16());
        posted.headers = KeptHeaders(response.headers().clone());
        response.remote_addr().map_or(Ok(()), |remote| checked.judge(remote.ip()))?;
        // The head says whether the message was taken. What its body lacks changes nothing.
        let _ = timeout_at(deadline, read_answer(&mut response, &mut posted.answer)).await;
        match response.status() {
            taken if taken.is_success() => Ok(()),
            other => Err(FetchError::Refused { status: other.as_u16() }),
        }
    }
}

async fn read_answer(response: &mut Response, answer: &mut Vec<u8>) {
    while answer.len() < Post::ANSWER {
        let Ok(Some(chunk)) = response.chunk().await else { return };
        let room = Post::ANSWER - answer.len();
        answer.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
}
