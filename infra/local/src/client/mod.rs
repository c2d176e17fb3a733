//! The API as the command line uses it: over HTTP where `hlsops serve` has the folder open, else in this
//! process, on the same router. What a command means is said once, there.

mod http;
mod refusal;

use std::path::Path;
use std::time::Duration;

use ::http::{Method, Request, StatusCode, header};
use axum::Router;
use axum::body::{Body, to_bytes};
use hlsops_engine::{DATABASE_FILE, EngineError};
use hlsops_fetch::AllowList;
use hlsops_wire::Problem;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt;
use url::Url;

use crate::data::Endpoint;
use crate::exit::Exit;
use crate::station::{OpenError, Settings, Station};
use http::HttpError;
pub(crate) use refusal::Words;

/// The largest answer that is read. Unit: bytes.
const MAX_ANSWER: usize = 32 << 20;
/// How long a folder that is in use may be without an endpoint: while `serve` starts or ends.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a server of this machine may take to say that it is there. What takes longer is not it, or is of no use.
const PROMPT: Duration = Duration::from_secs(3);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// Why a command did not do what it was to do. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The API refused.
    #[error("{}", refusal::told(.0, &[]))]
    Refused(Box<Problem>),
    /// There is nothing of that name, or more than one.
    #[error("{0}")]
    Unclear(String),
    /// What was given cannot be used.
    #[error("{0}")]
    Usage(String),
    /// There is nobody to ask.
    #[error("{0}")]
    Nobody(String),
    /// The folder could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The server did not answer.
    #[error("`hlsops serve` at {address} did not answer: {source}; look at its log")]
    Http {
        /// Where.
        address: String,
        /// Why.
        source: HttpError,
    },
    /// The answer is not what this program knows.
    #[error("the answer cannot be read ({0}): use the same version of hlsops as `hlsops serve`")]
    Answer(String),
    /// A file that was named cannot be read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// Which.
        path: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A file that was named is not what it must be.
    #[error("{0}")]
    Input(String),
    /// A file cannot be written.
    #[error("{0}")]
    Output(String),
    /// The terminal is gone, or the file behind it is full.
    #[error("cannot write the answer: {0}")]
    Terminal(#[from] std::io::Error),
}

impl CallError {
    /// The exit code that goes with it.
    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::Refused(problem) if problem.status >= 500 => Exit::Internal,
            Self::Refused(_) | Self::Unclear(_) => Exit::Findings,
            Self::Usage(_) => Exit::Usage,
            Self::Nobody(_) | Self::Http { .. } => Exit::Unreachable,
            Self::Open(error) => error.exit(),
            Self::Read { .. } | Self::Input(_) => Exit::NoInput,
            Self::Output(_) => Exit::CannotCreate,
            Self::Answer(_) | Self::Terminal(_) => Exit::Internal,
        }
    }

    /// The message, with the fields of the API by the names that a command has for them.
    pub(crate) fn in_words(&self, words: Words) -> String {
        match self {
            Self::Refused(problem) => refusal::told(problem, words),
            other => other.to_string(),
        }
    }
}

/// A request, written without knowing who answers.
#[derive(Debug)]
pub(crate) struct Ask {
    method: Method,
    url: Url,
    if_match: Option<&'static str>,
    body: Option<Vec<u8>>,
}

impl Ask {
    /// A request of the API; `path` is what follows `/api/v1`, part by part.
    pub(crate) fn api(method: Method, path: &[&str]) -> Self {
        Self::new(method, &[&["api", "v1"], path].concat())
    }

    /// A request of what only this machine's operator may ask of a running server.
    pub(crate) fn local(method: Method, path: &[&str]) -> Self {
        Self::new(method, &[&["local"], path].concat())
    }

    fn new(method: Method, path: &[&str]) -> Self {
        let mut url: Url = Url::parse("http://localhost/").unwrap_or_else(|_| unreachable!("it is a URL"));
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.clear().extend(path);
        }
        Self { method, url, if_match: None, body: None }
    }

    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    /// The version to be changed; `*` for any.
    pub(crate) fn if_match(mut self, version: &'static str) -> Self {
        self.if_match = Some(version);
        self
    }

    pub(crate) fn body(mut self, body: &impl Serialize) -> Self {
        // What this program writes are maps with text keys: that is always JSON.
        self.body = serde_json::to_vec(body).ok();
        self
    }

    fn into_request(self, key: &str) -> Result<Request<Body>, ::http::Error> {
        let mut request = Request::builder()
            .method(self.method)
            .uri(&self.url[url::Position::BeforePath..url::Position::AfterQuery])
            .header(header::AUTHORIZATION, format!("Bearer {key}"))
            .header(header::HOST, "localhost");
        if let Some(version) = self.if_match {
            request = request.header(header::IF_MATCH, version);
        }
        match self.body {
            Some(body) => request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body)),
            None => request.body(Body::empty()),
        }
    }
}

/// An answer that is a success.
#[derive(Debug)]
pub(crate) struct Answer {
    body: Vec<u8>,
}

impl Answer {
    /// The body as what the caller knows it to be.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.body).map_err(|error| CallError::Answer(error.to_string()))
    }
}

/// Who answers.
#[derive(Debug)]
pub(crate) enum Api {
    /// A running `hlsops serve`.
    Server(Endpoint),
    /// This process, which has the folder open as long as this lives.
    Here {
        /// What answers.
        router: Box<Router>,
        /// The key of this run.
        key: String,
    },
}

impl Api {
    /// Finds who answers for a folder.
    pub(crate) async fn of(folder: &Path) -> Result<Self, CallError> {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let endpoint = Endpoint::read(folder);
            if let Some(endpoint) = endpoint
                && answers(&endpoint).await
            {
                return Ok(Self::Server(endpoint));
            }
            if !folder.join(DATABASE_FILE).is_file() {
                return Err(CallError::Nobody(format!(
                    "nobody serves `{0}` and it has no data: start `hlsops serve --data {0}`, or name another \
                     folder with --data",
                    folder.display()
                )));
            }
            match Station::open(settings(folder)?).await {
                Ok(station) => return Ok(Self::here(&station)),
                Err(OpenError::Engine(EngineError::FolderInUse { .. }))
                    if tokio::time::Instant::now() < until =>
                {
                    tokio::time::sleep(BETWEEN_LOOKS).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A server runs, which watches as well.
    pub(crate) const fn is_served(&self) -> bool {
        matches!(self, Self::Server(_))
    }

    /// Answers in this process.
    pub(crate) fn here(station: &Station) -> Self {
        Self::Here { router: Box::new(station.api()), key: station.key().to_owned() }
    }

    /// Asks, and gives the answer if it is a success.
    pub(crate) async fn send(&self, ask: Ask) -> Result<Answer, CallError> {
        let broken = |source| CallError::Http { address: self.place(), source };
        let request = |key| ask.into_request(key).map_err(|error| broken(error.into()));
        let response = match self {
            Self::Server(endpoint) => {
                let sent = http::send(authority(endpoint), request(&endpoint.key)?).await;
                sent.map_err(broken)?
            }
            Self::Here { router, key } => match router.as_ref().clone().oneshot(request(key)?).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
        };
        let (head, body) = response.into_parts();
        let body = to_bytes(body, MAX_ANSWER).await.map_err(|error| CallError::Answer(error.to_string()))?;
        if head.status.is_success() {
            return Ok(Answer { body: body.into() });
        }
        Err(CallError::Refused(Box::new(problem(head.status, &body))))
    }

    /// Asks and reads the answer.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, ask: Ask) -> Result<T, CallError> {
        self.send(ask).await?.read()
    }

    fn place(&self) -> String {
        match self {
            Self::Server(endpoint) => endpoint.address.clone(),
            Self::Here { .. } => "this process".into(),
        }
    }
}

/// Private targets are allowed as they are for a server.
fn settings(folder: &Path) -> Result<Settings, CallError> {
    let allow = std::env::var("HLSOPS_ALLOW_TARGETS").unwrap_or_default();
    let allow = AllowList::parse(&allow);
    let allow = allow.map_err(|error| CallError::Usage(format!("HLSOPS_ALLOW_TARGETS: {error}")))?;
    Ok(Settings { allow, ..Settings::new(folder) })
}

/// The problem of an answer; where it is none of ours, its status.
fn problem(status: StatusCode, body: &[u8]) -> Problem {
    serde_json::from_slice(body).unwrap_or_else(|_| Problem {
        title: status.to_string(),
        status: status.as_u16(),
        code: "EC100".into(),
        ..Problem::default()
    })
}

fn authority(endpoint: &Endpoint) -> &str {
    endpoint.address.strip_prefix("http://").unwrap_or(&endpoint.address)
}

/// Whether the server of this run answers there at once, rather than nobody or another one.
pub(crate) async fn answers(endpoint: &Endpoint) -> bool {
    let ask = Ask::local(Method::GET, &["self"]);
    let Ok(request) = ask.into_request(&endpoint.key) else { return false };
    let answer = tokio::time::timeout(PROMPT, http::send(authority(endpoint), request)).await;
    answer.is_ok_and(|sent| sent.is_ok_and(|response| response.status().is_success()))
}
