//! The page and the API under one name, as CloudFront has them on AWS: the emulator's CloudFront serves the page and
//! refuses to call the API, since that has a name of AWS.

use std::path::Path;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::task::JoinHandle;

use crate::error::{Error, expect};

/// Longest body of a request.
const MAX_BODY: usize = 1_000_000;

/// A listener on loopback.
pub(crate) struct Front {
    url: String,
    serving: JoinHandle<std::io::Result<()>>,
}

#[derive(Clone)]
struct Origins {
    client: reqwest::Client,
    endpoint: String,
    api: String,
    domain: String,
}

impl Front {
    /// Starts one before an API and the page of a CloudFront domain.
    pub(crate) async fn start(endpoint: &str, api: &str, domain: &str) -> Result<Self, Error> {
        let client = reqwest::Client::builder().no_proxy().build().map_err(Error::Client)?;
        let origins = Origins { client, endpoint: endpoint.into(), api: api.into(), domain: domain.into() };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.map_err(Error::system("listen for a browser"))?;
        let address = listener.local_addr().map_err(Error::system("listen for a browser"))?;
        let router = Router::new().fallback(pass).with_state(origins);
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url: format!("http://{address}"), serving })
    }

    /// Lets a browser look at the wall.
    pub(crate) async fn look(
        &self,
        browser: &Path,
        scripts: &Path,
        key: &str,
        streams: &[&str],
    ) -> Result<(), Error> {
        let mut script = tokio::process::Command::new("node");
        script.current_dir(scripts).arg("cloud.mjs").arg(browser).arg(format!("{}/#key={key}", self.url));
        let ended = script.args(streams).kill_on_drop(true).status().await;
        let ended = ended.map_err(Error::system("start node"))?;
        expect(ended.success(), || "the page does not show the wall; see above".into())
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// As the template's cache behaviours: these paths are the API's, the others the page's.
async fn pass(State(origins): State<Origins>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let is_api = ["/api/", "/docs", "/openapi.json"].iter().any(|begins| path.starts_with(begins));
    let Origins { client, endpoint, api, domain } = origins;
    let before = if is_api { format!("/_aws/execute-api/{api}") } else { String::new() };
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let mut headers = parts.headers;
    headers.remove(header::HOST);
    let mut sent =
        client.request(parts.method, format!("{endpoint}{before}{path}")).headers(headers).body(body);
    if !is_api {
        sent = sent.header(header::HOST, domain).header("x-forwarded-proto", "https");
    }
    let Ok(answer) = sent.send().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    let Ok(body) = answer.bytes().await else { return StatusCode::BAD_GATEWAY.into_response() };
    for of_connection in [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH] {
        headers.remove(of_connection);
    }
    (status, headers, Body::from(body)).into_response()
}
