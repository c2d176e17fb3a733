//! One process of `hlsops serve`.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::endpoint_file;
use crate::BenchError;

const ROLE: &str = "hlsops serve";
/// How long a start or an orderly end may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server. Dropping it kills it.
pub(super) struct Life {
    child: Child,
    client: Client,
    address: String,
    key: String,
}

impl Life {
    /// Starts the program on a folder, and waits until it answers.
    pub(super) async fn start(program: &Path, folder: &Path, target: &str) -> Result<Self, BenchError> {
        let child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--allow-target", target, "--data"])
            .arg(folder)
            .env("HLSOPS_LOG", "error")
            .env_remove("HLSOPS_PUBLIC_URL")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(BenchError::io("cannot start `hlsops serve`"))?;
        // An error means that there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some((address, key)) = endpoint(folder, child.id()) {
                return Ok(Self { child, client, address, key });
            }
            sleep(Duration::from_millis(10)).await;
        }
        Err(BenchError::TimedOut { role: ROLE, limit: PATIENCE })
    }

    /// `SIGKILL`, and waits until the process is gone.
    pub(super) async fn kill(mut self) -> Result<(), BenchError> {
        self.child.kill().await.map_err(BenchError::io("cannot kill `hlsops serve`"))
    }

    /// `SIGTERM`; whether the process ended with 0.
    pub(super) async fn end(mut self) -> Result<bool, BenchError> {
        let id = self.child.id().map(|id| id.to_string()).unwrap_or_default();
        let told = Command::new("kill").args(["-TERM", &id]).status().await;
        told.map_err(BenchError::io("cannot run `kill`"))?;
        let ended = timeout(PATIENCE, self.child.wait()).await;
        let ended = ended.map_err(|_| BenchError::TimedOut { role: ROLE, limit: PATIENCE })?;
        Ok(ended.map_err(BenchError::io("cannot wait for `hlsops serve`"))?.success())
    }

    /// One request of the API; none when there was no answer.
    pub(super) async fn ask(&self, method: Method, path: &str, body: &Value) -> Option<(StatusCode, Value)> {
        let url = format!("{}/api/v1/{path}", self.address);
        let request = self.client.request(method, url).bearer_auth(&self.key);
        let request = match body {
            Value::Null => request,
            body => request.header("content-type", "application/json").body(body.to_string()),
        };
        let answer = request.send().await.ok()?;
        let status = answer.status();
        let bytes = answer.bytes().await.ok()?;
        Some((status, serde_json::from_slice(&bytes).unwrap_or_default()))
    }
}

/// Where this very process answers, and its key.
fn endpoint(folder: &Path, process: Option<u32>) -> Option<(String, String)> {
    let file: Value = serde_json::from_slice(&std::fs::read(endpoint_file(folder)).ok()?).ok()?;
    let ours = file.get("pid").and_then(Value::as_u64) == process.map(u64::from);
    let text = |name| file.get(name).and_then(Value::as_str).map(str::to_owned);
    if ours { Some((text("address")?, text("key")?)) } else { None }
}
