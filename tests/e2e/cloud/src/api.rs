//! The API through the gateway's URL, and the site through CloudFront's name.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

use crate::error::Error;

/// Longest wait for an answer: the gateway gives up after 30 s.
const ANSWER: Duration = Duration::from_secs(40);

/// A client of a deployed installation.
pub(crate) struct Api {
    client: Client,
    /// The emulator.
    endpoint: String,
    /// The HTTP API's id.
    id: String,
    key: String,
}

impl Api {
    pub(crate) fn new(endpoint: &str, id: &str, key: &str) -> Result<Self, Error> {
        let client = Client::builder().no_proxy().timeout(ANSWER).build().map_err(Error::Client)?;
        Ok(Self { client, endpoint: endpoint.into(), id: id.into(), key: key.into() })
    }

    /// What it shows at the door.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// `GET`, which must succeed.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Error> {
        self.ok(&format!("GET {path}"), self.request(Method::GET, path)).await
    }

    /// `POST`, which must succeed.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.ok(&format!("POST {path}"), self.request(Method::POST, path).json(body)).await
    }

    /// `PATCH` of what is there now, which must succeed.
    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Result<Value, Error> {
        let what = format!("PATCH {path}");
        let now = self.request(Method::GET, path).send().await;
        let now = now.map_err(|source| Error::Http { what: what.clone(), source })?;
        let version = now.headers().get("etag").and_then(|tag| tag.to_str().ok()).unwrap_or_default();
        let request = self.request(Method::PATCH, path).header("if-match", version);
        self.ok(&what, request.json(body)).await
    }

    /// The status of a `GET` without a key.
    pub(crate) async fn status_without_key(&self, path: &str) -> Result<u16, Error> {
        let request = self.client.get(self.url(path));
        let answer = request.send().await.map_err(|source| Error::Http { what: path.into(), source })?;
        Ok(answer.status().as_u16())
    }

    /// A page of the site, as CloudFront serves it under its name; its policy and its text.
    pub(crate) async fn page(&self, domain: &str, path: &str) -> Result<(Option<String>, String), Error> {
        let what = format!("GET https://{domain}{path}");
        let failed = |source| Error::Http { what: what.clone(), source };
        // The name leads to AWS; the emulator goes by the header.
        let request = self.client.get(format!("{}{path}", self.endpoint));
        let request = request.header("host", domain).header("cloudfront-forwarded-proto", "https");
        let answer = request.header("x-forwarded-proto", "https").send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let policy = answer.headers().get("content-security-policy");
        let policy = policy.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = answer.text().await.map_err(failed)?;
        if status != 200 {
            return Err(Error::Answer { what, status, body });
        }
        Ok((policy, body))
    }

    fn url(&self, path: &str) -> String {
        format!("{}/_aws/execute-api/{}/api/v1{path}", self.endpoint, self.id)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path)).bearer_auth(&self.key)
    }

    async fn ok(&self, what: &str, request: RequestBuilder) -> Result<Value, Error> {
        let failed = |source| Error::Http { what: what.into(), source };
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        let body = answer.text().await.map_err(failed)?;
        if !status.is_success() {
            return Err(Error::Answer { what: what.into(), status: status.as_u16(), body });
        }
        serde_json::from_str(&body).map_err(|error| {
            Error::Wrong(format!("{what} answered something else than JSON ({error}): {body}"))
        })
    }
}
