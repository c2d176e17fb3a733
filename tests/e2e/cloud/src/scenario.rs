//! What happens, in order.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use hlsops_cloud::package::Architecture;
use hlsops_cloud::{Deployment, deploy, destroy};
use hlsops_origin::{Fault, FaultKind, Origin, OriginConfig, StreamSpec};
use serde_json::{Value, json};

use crate::api::Api;
use crate::error::{Error, expect};

const STACK: &str = "hlsops-e2e";
/// The ones that stay well, and the one that gets a fault.
const STREAMS: [&str; 3] = ["well-1", "well-2", "faulty"];

/// The tick comes once a minute, and a stream is HEALTHY when it has been seen to advance.
const WATCHED_WITHIN: Duration = Duration::from_secs(180);
const OPENED_WITHIN: Duration = Duration::from_secs(60);
/// A window of errors must have passed first.
const RESOLVED_WITHIN: Duration = Duration::from_secs(300);
const PAUSE: Duration = Duration::from_secs(1);

struct Clock(Instant);

impl Clock {
    fn saw(&self, what: &str) {
        println!("{:7.1} s  {what}", self.0.elapsed().as_secs_f64());
    }
}

/// Deploys, uses, deploys again, destroys.
pub(crate) async fn run(
    zips: PathBuf,
    architecture: Architecture,
    site: Option<PathBuf>,
) -> Result<(), Error> {
    let endpoint = std::env::var("AWS_ENDPOINT_URL").map_err(|_| Error::NoEndpoint)?;
    // A second call finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clock = Clock(Instant::now());
    let listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
    let origin = Origin::start(OriginConfig { listen, demo: false }).await?;
    for name in STREAMS {
        origin.add_stream(name, StreamSpec::DEFAULT)?;
    }
    let target = origin.addresses().first().map(ToString::to_string).unwrap_or_default();
    clock.saw(&format!("an origin serves {} streams at {target}", STREAMS.len()));

    let wanted = Deployment {
        stack: STACK.into(),
        zips,
        architecture,
        site: site.clone(),
        parameters: BTreeMap::from([("AllowTargets".into(), target)]),
        agreed: true,
        ministack: true,
    };
    let deployed = deploy(&wanted).await?;
    clock.saw(&format!("deployed: {} changes", deployed.changes));
    let key = deployed.first_key.ok_or_else(|| Error::Wrong("no first key was made".into()))?;
    let output = |name: &str| deployed.outputs.get(name).cloned().unwrap_or_default();
    let api = Api::new(&endpoint, &output("ApiId"), key.as_str())?;

    expect(api.status_without_key("/streams").await? == 401, || "the API serves without a key".into())?;
    clock.saw("without a key the API answers 401");
    if site.is_some() {
        page_loads(&api, &output("SiteDomain")).await?;
        clock.saw("the page comes from its bucket, with a content security policy");
    }
    let faulty = add_streams(&api, &origin).await?;
    clock.saw("streams added through the gateway");
    watched(&api).await?;
    clock.saw("the schedule fired, dispatch sent work, a watcher runs: all HEALTHY");
    incident(&api, &origin, &faulty, &clock).await?;

    let again = deploy(&wanted).await?;
    expect(again.changes == 0 && again.first_key.is_none(), || {
        format!("a second deployment made {} changes", again.changes)
    })?;
    clock.saw("a second deployment changes nothing");
    destroy(STACK, true).await?;
    clock.saw("destroyed");
    origin.stop().await;
    Ok(())
}

/// The page, a path of the page's own router, and the policy of both.
async fn page_loads(api: &Api, domain: &str) -> Result<(), Error> {
    for path in ["/", "/incidents"] {
        let (policy, text) = api.page(domain, path).await?;
        expect(text.contains("<html"), || format!("{path} is no page: {text}"))?;
        let strict = policy.as_deref().is_some_and(|policy| policy.contains("default-src 'none'"));
        expect(strict, || format!("{path} has the policy {policy:?}"))?;
    }
    Ok(())
}

/// Adds the streams; the id of the one that gets a fault.
async fn add_streams(api: &Api, origin: &Origin) -> Result<String, Error> {
    let mut faulty = String::new();
    for name in STREAMS {
        let body = json!({ "manifest_url": origin.url(name), "name": name });
        let added = api.post("/streams", &body).await?;
        if name == "faulty" {
            faulty = text(&added, "id");
        }
    }
    expect(faulty.starts_with("str_"), || format!("`{faulty}` is no stream id"))?;
    Ok(faulty)
}

async fn watched(api: &Api) -> Result<(), Error> {
    until("the streams are not all HEALTHY", WATCHED_WITHIN, async || {
        let wall = api.get("/wall").await?;
        let states: Vec<String> = tiles(&wall).map(|tile| text(tile, "state")).collect();
        Ok((states.len() == STREAMS.len() && states.iter().all(|state| state == "healthy"), json!(states)))
    })
    .await
}

/// A fault, its incident, the acknowledgement, the recovery.
async fn incident(api: &Api, origin: &Origin, stream: &str, clock: &Clock) -> Result<(), Error> {
    origin.set_fault("faulty", Fault::new(FaultKind::PlaylistStatus(503)))?;
    clock.saw("the origin answers 503 for the playlists of one stream");
    let mut id = String::new();
    until("no incident was opened", OPENED_WITHIN, async || {
        let incidents = api.get("/incidents?status=open").await?;
        let mine = items(&incidents).find(|incident| text(incident, "stream_id") == stream);
        id = mine.map(|incident| text(incident, "id")).unwrap_or_default();
        Ok((!id.is_empty(), incidents))
    })
    .await?;
    clock.saw(&format!("incident {id} is open"));
    let path = format!("/incidents/{}", id.replace('#', "%23"));
    let acknowledged = api.post(&format!("{path}/acknowledge"), &json!({ "by": "e2e" })).await?;
    expect(text(&acknowledged, "status") == "acknowledged", || format!("acknowledged as {acknowledged}"))?;
    clock.saw("acknowledged through the API");
    origin.clear_faults("faulty")?;
    clock.saw("the origin is well again");
    until("the incident was not resolved", RESOLVED_WITHIN, async || {
        let incident = api.get(&path).await?;
        Ok((text(&incident, "status") == "resolved", json!(text(&incident, "status"))))
    })
    .await?;
    clock.saw("the incident is resolved");
    let others = api.get("/incidents").await?;
    expect(items(&others).count() == 1, || format!("not one incident: {others}"))
}

/// Asks until it holds.
async fn until(
    what: &'static str,
    within: Duration,
    mut holds: impl AsyncFnMut() -> Result<(bool, Value), Error>,
) -> Result<(), Error> {
    let start = Instant::now();
    loop {
        let (done, last) = holds().await?;
        if done {
            return Ok(());
        }
        if start.elapsed() > within {
            return Err(Error::Late { what, within_s: within.as_secs(), last: last.to_string() });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn tiles(wall: &Value) -> impl Iterator<Item = &Value> {
    wall["tiles"].as_array().into_iter().flatten()
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list["items"].as_array().into_iter().flatten()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}
