//! Requests to the API.

use std::time::Duration;

use hlsops_wire::Problem;
use js_sys::Promise;
use leptos::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Headers, Request, RequestCache, RequestInit, Response};

use crate::session::Session;

/// Where the API's own routes begin.
pub(crate) const BASE: &str = "/api/v1";
/// A request that has no answer by then has failed: the gateway gives up a little earlier.
const PATIENCE: Duration = Duration::from_secs(35);

/// Why there is no answer that could be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nobody answered.
    Unreachable,
    /// The API said no, and why.
    Refused(Box<Problem>),
    /// An answer of another shape.
    Unreadable(u16),
}

impl Failure {
    /// A heading.
    pub(crate) fn title(&self) -> String {
        match self {
            Self::Unreachable => "No answer from the server".to_owned(),
            Self::Refused(problem) => problem.title.clone(),
            Self::Unreadable(status) => {
                format!("The server answered {status} with something else than the API's JSON")
            }
        }
    }

    /// What happened and what to do.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::Unreachable => "Is it running, and is this machine online?".to_owned(),
            Self::Refused(problem) => problem.detail.clone(),
            Self::Unreadable(_) => "Is this page newer or older than the server? Reload it.".to_owned(),
        }
    }

    /// The API's words, if it spoke.
    pub(crate) fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) => Some(problem),
            _ => None,
        }
    }

    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Unreachable => 0,
            Self::Refused(problem) => problem.status,
            Self::Unreadable(status) => *status,
        }
    }
}

/// An answer that is a success, or 304.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) etag: Option<String>,
    /// When the server made it.
    pub(crate) as_of: Option<String>,
    /// When the watcher heard of least last said something.
    pub(crate) probed_at: Option<String>,
    body: String,
}

impl Answer {
    pub(crate) const fn is_unchanged(&self) -> bool {
        self.status == 304
    }

    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(&self.body).map_err(|_| Failure::Unreadable(self.status))
    }
}

/// Sends requests with the key of the session.
#[derive(Clone, Copy)]
pub(crate) struct Client {
    session: Session,
}

/// The client of this page.
pub(crate) fn client() -> Client {
    Client { session: Session::current() }
}

impl Client {
    /// Reads `path`; an answer equal to the one that had `etag` comes back as 304.
    pub(crate) async fn get(self, path: &str, etag: Option<&str>) -> Result<Answer, Failure> {
        let headers: Vec<_> = etag.map(|etag| ("If-None-Match", etag)).into_iter().collect();
        self.send("GET", path, None, &headers).await
    }

    pub(crate) async fn post(self, path: &str, body: &impl Serialize) -> Result<Answer, Failure> {
        self.send("POST", path, Some(written(body)), &[]).await
    }

    /// A POST that says all it has to say with its path.
    pub(crate) async fn post_empty(self, path: &str) -> Result<Answer, Failure> {
        self.send("POST", path, None, &[]).await
    }

    pub(crate) async fn patch(
        self,
        path: &str,
        etag: &str,
        body: &impl Serialize,
    ) -> Result<Answer, Failure> {
        self.send("PATCH", path, Some(written(body)), &[("If-Match", etag)]).await
    }

    pub(crate) async fn delete(self, path: &str, etag: &str) -> Result<Answer, Failure> {
        self.send("DELETE", path, None, &[("If-Match", etag)]).await
    }

    async fn send(
        self,
        method: &str,
        path: &str,
        body: Option<String>,
        headers: &[(&str, &str)],
    ) -> Result<Answer, Failure> {
        let key = self.session.key().unwrap_or_default();
        let answer = exchange(method, path, body, headers, &key).await?;
        if answer.status == 304 || (200..300).contains(&answer.status) {
            return Ok(answer);
        }
        let failure = serde_json::from_str::<Problem>(&answer.body)
            .map_or(Failure::Unreadable(answer.status), |problem| Failure::Refused(Box::new(problem)));
        if answer.status == 401 {
            // Only if it is still the same key: another tab of this page may have signed in meanwhile.
            self.session.refuse(&key, &failure);
        }
        Err(failure)
    }
}

fn written(body: &impl Serialize) -> String {
    // The wire types always serialise; if one did not, the API would name what is missing.
    serde_json::to_string(body).unwrap_or_default()
}

async fn exchange(
    method: &str,
    path: &str,
    body: Option<String>,
    headers: &[(&str, &str)],
    key: &str,
) -> Result<Answer, Failure> {
    let controller = AbortController::new().map_err(unreachable)?;
    let request = request(method, path, body, headers, key, &controller).map_err(unreachable)?;
    let timer = set_timeout_with_handle(move || controller.abort(), PATIENCE).ok();
    let answer = read(window().fetch_with_request(&request)).await;
    if let Some(timer) = timer {
        timer.clear();
    }
    answer.map_err(unreachable)
}

fn unreachable(_: JsValue) -> Failure {
    Failure::Unreachable
}

fn request(
    method: &str,
    path: &str,
    body: Option<String>,
    headers: &[(&str, &str)],
    key: &str,
    controller: &AbortController,
) -> Result<Request, JsValue> {
    let all = Headers::new()?;
    all.set("Authorization", &format!("Bearer {key}"))?;
    if body.is_some() {
        all.set("Content-Type", "application/json")?;
    }
    for (name, value) in headers {
        all.set(name, value)?;
    }
    let init = RequestInit::new();
    init.set_method(method);
    init.set_headers(&all);
    // Validators are ours: what the browser keeps would hide a 304.
    init.set_cache(RequestCache::NoStore);
    init.set_signal(Some(&controller.signal()));
    if let Some(body) = body {
        init.set_body(&JsValue::from_str(&body));
    }
    Request::new_with_str_and_init(path, &init)
}

async fn read(answer: Promise) -> Result<Answer, JsValue> {
    let response: Response = JsFuture::from(answer).await?.dyn_into()?;
    let body = JsFuture::from(response.text()?).await?;
    let header = |name: &str| response.headers().get(name).ok().flatten();
    Ok(Answer {
        status: response.status(),
        etag: header("ETag"),
        as_of: header("As-Of"),
        probed_at: header("Probed-At"),
        body: body.as_string().unwrap_or_default(),
    })
}
