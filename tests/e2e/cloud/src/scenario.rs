//! What happens, in order.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hlsops_cloud::package::{Architecture, FUNCTIONS, MAX_ZIP_BYTES};
use hlsops_cloud::{Deployment, deploy};
use hlsops_origin::{Fault, FaultKind, Origin, OriginConfig, StreamSpec};
use serde_json::{Value, json};

use crate::api::Api;
use crate::aws::Services;
use crate::error::{Error, expect};
use crate::front::Front;
use crate::receiver::Receiver;

pub(crate) const STACK: &str = "hlsops-e2e";
/// The ones that stay well, and the one that gets a fault.
const STREAMS: [&str; 3] = ["well-1", "well-2", FAULTY];
pub(crate) const FAULTY: &str = "faulty";
/// The first posts to the channel that its receiver refuses.
const REFUSALS: u32 = 2;

/// The tick comes once a minute, and a stream is HEALTHY when it has been seen to advance.
const WATCHED_WITHIN: Duration = Duration::from_secs(180);
const OPENED_WITHIN: Duration = Duration::from_secs(60);
const RESOLVED_WITHIN: Duration = Duration::from_secs(180);
const PAUSE: Duration = Duration::from_millis(500);

/// What is deployed, and all that belongs to it.
pub(crate) struct Play {
    pub(crate) services: Services,
    pub(crate) origin: Origin,
    pub(crate) receiver: Receiver,
    pub(crate) api: Api,
    /// The stack's.
    pub(crate) outputs: BTreeMap<String, String>,
    /// The streams' ids by the origin's names.
    pub(crate) ids: BTreeMap<String, String>,
    /// A queue of the test that is subscribed to the events.
    pub(crate) subscribed: String,
    /// What has come to it: kinds and ids of events.
    pub(crate) queue: RefCell<Vec<(String, String)>>,
    /// The channel that posts to the test.
    pub(crate) channel: String,
    began: Instant,
}

/// Deploys, uses, disturbs, deploys again, destroys.
pub(crate) async fn run(
    zips: PathBuf,
    architecture: Architecture,
    site: Option<PathBuf>,
    browser: Option<(PathBuf, PathBuf)>,
) -> Result<(), Error> {
    let services = Services::connect().await?;
    let listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
    let origin = Origin::start(OriginConfig { listen, demo: false }).await?;
    for name in STREAMS {
        origin.add_stream(name, StreamSpec::DEFAULT)?;
    }
    let receiver = Receiver::start(REFUSALS).await?;
    let targets = origin.addresses().iter().chain([&receiver.address]).map(ToString::to_string);
    let parameters = [
        ("AllowTargets", targets.collect::<Vec<_>>().join(",")),
        // Short runs, so that watchers relieve each other meanwhile.
        ("WatchTimeoutS", "240".to_owned()),
    ];
    let wanted = Deployment {
        stack: STACK.into(),
        zips,
        architecture,
        site: site.clone(),
        parameters: parameters.map(|(name, value)| (name.to_owned(), value)).into(),
        agreed: true,
        ministack: true,
    };
    are_small(&wanted.zips)?;
    let mut play = Play::begin(services, origin, receiver, &wanted).await?;
    if site.is_some() {
        play.site().await?;
    }
    play.subscriptions().await?;
    play.add_streams().await?;
    play.watched("the schedule fired, dispatch sent work, a watcher runs: all HEALTHY").await?;
    if let Some((browser, scripts)) = browser {
        play.page(&browser, &scripts).await?;
    }
    play.poison().await?;
    play.ticks().await?;
    let incident = play.fault().await?;
    play.acknowledge(&incident).await?;
    play.deploys_again(&wanted, &incident).await?;
    play.watcher_is_killed(wanted, &incident).await?;
    play.recovery(&incident).await?;
    play.told(&incident).await?;
    play.pause().await?;
    play.ends().await
}

impl Play {
    async fn begin(
        services: Services,
        origin: Origin,
        receiver: Receiver,
        wanted: &Deployment,
    ) -> Result<Self, Error> {
        let began = Instant::now();
        let deployed = deploy(wanted).await?;
        let key = deployed.first_key.ok_or_else(|| Error::Wrong("no first key was made".into()))?;
        let id = deployed.outputs.get("ApiId").cloned().unwrap_or_default();
        let api = Api::new(&services.endpoint, &id, key.as_str())?;
        let play = Self {
            services,
            origin,
            receiver,
            api,
            outputs: deployed.outputs,
            ids: BTreeMap::new(),
            subscribed: String::new(),
            queue: RefCell::default(),
            channel: String::new(),
            began,
        };
        play.saw(&format!("deployed: {} changes", deployed.changes));
        let status = play.api.status_without_key("/streams").await?;
        expect(status == 401, || format!("without a key the API answers {status}"))?;
        play.saw("without a key the API answers 401");
        Ok(play)
    }

    /// Tells what was seen, and when.
    pub(crate) fn saw(&self, what: &str) {
        println!("{:7.1} s  {what}", self.began.elapsed().as_secs_f64());
    }

    pub(crate) fn output(&self, name: &str) -> &str {
        self.outputs.get(name).map_or("", String::as_str)
    }

    /// The page, a path of the page's own router, and what browsers are told of the files.
    async fn site(&self) -> Result<(), Error> {
        for path in ["/", "/incidents"] {
            let (policy, text) = self.api.page(self.output("SiteDomain"), path).await?;
            expect(text.contains("<html"), || format!("{path} is no page: {text}"))?;
            let strict = policy.as_deref().is_some_and(|policy| policy.contains("default-src 'none'"));
            expect(strict, || format!("{path} has the policy {policy:?}"))?;
        }
        let objects = self.services.objects(self.output("SiteBucket")).await?;
        for (end, kind, is_kept) in [
            ("index.html", "text/html; charset=utf-8", false),
            (".js", "text/javascript; charset=utf-8", true),
            (".wasm", "application/wasm", true),
            (".css", "text/css; charset=utf-8", true),
        ] {
            let all: Vec<_> = objects.iter().filter(|object| object.key.ends_with(end)).collect();
            expect(!all.is_empty(), || format!("no {end} in the bucket: {objects:?}"))?;
            let right = all.iter().all(|object| {
                let kept = object.cache_control.contains("immutable");
                object.content_type == kind
                    && (kept == is_kept)
                    && (kept || object.cache_control == "no-cache")
            });
            expect(right, || format!("{all:?} instead of {kind}, kept for ever: {is_kept}"))?;
        }
        self.saw(&format!(
            "the page and its {} files come from the bucket, headers are right",
            objects.len()
        ));
        Ok(())
    }

    /// Adds the streams through the gateway.
    async fn add_streams(&mut self) -> Result<(), Error> {
        for name in STREAMS {
            let mut body = json!({ "manifest_url": self.origin.url(name), "name": name });
            if name == FAULTY {
                // Recovery after 20 s instead of 120 s.
                body["thresholds"] = json!({ "clear_ms": 20_000, "window_ms": 20_000 });
            }
            let added = self.api.post("/streams", &body).await?;
            self.ids.insert(name.to_owned(), text(&added, "id"));
        }
        expect(self.ids.values().all(|id| id.starts_with("str_")), || format!("{:?}", self.ids))?;
        self.saw(&format!("{} streams added through the gateway", STREAMS.len()));
        Ok(())
    }

    /// Waits until all streams but those with a fault are HEALTHY.
    pub(crate) async fn watched(&self, saw: &str) -> Result<(), Error> {
        until("the streams are not HEALTHY", WATCHED_WITHIN, async || {
            let wall = self.api.get("/wall").await?;
            let states: BTreeMap<String, String> =
                tiles(&wall).map(|tile| (text(tile, "name"), text(tile, "state"))).collect();
            let is_broken = |name: &str| !self.origin.faults(name).is_empty();
            let well = states.iter().all(|(name, state)| state == "healthy" || is_broken(name));
            Ok((well && states.len() == STREAMS.len(), json!(states)))
        })
        .await?;
        self.saw(saw);
        Ok(())
    }

    /// A browser opens the page.
    async fn page(&self, browser: &Path, scripts: &Path) -> Result<(), Error> {
        let (id, domain) = (self.output("ApiId"), self.output("SiteDomain"));
        let front = Front::start(&self.services.endpoint, id, domain).await?;
        front.look(browser, scripts, self.api.key(), &STREAMS).await?;
        self.saw("a browser has opened the page from the bucket: it shows the streams, its console is empty");
        Ok(())
    }

    /// A fault at the origin; the incident it opens.
    async fn fault(&self) -> Result<String, Error> {
        self.origin.set_fault(FAULTY, Fault::new(FaultKind::PlaylistStatus(503)))?;
        self.saw("the origin answers 503 for the playlists of one stream");
        let mut id = String::new();
        until("no incident was opened", OPENED_WITHIN, async || {
            let incidents = self.api.get("/incidents?status=open").await?;
            let mine = items(&incidents).find(|incident| text(incident, "stream_id") == self.ids[FAULTY]);
            id = mine.map(|incident| text(incident, "id")).unwrap_or_default();
            Ok((!id.is_empty(), incidents))
        })
        .await?;
        self.saw(&format!("incident {id} is open"));
        self.hears(&id, 1, "incident.opened").await?;
        Ok(id)
    }

    async fn acknowledge(&self, incident: &str) -> Result<(), Error> {
        let path = format!("{}/acknowledge", path_of(incident));
        let acknowledged = self.api.post(&path, &json!({ "by": "e2e" })).await?;
        let status = text(&acknowledged, "status");
        expect(status == "acknowledged", || format!("acknowledged as {acknowledged}"))?;
        self.saw("acknowledged through the API");
        self.hears(incident, 2, "incident.acknowledged").await
    }

    async fn recovery(&self, incident: &str) -> Result<(), Error> {
        self.origin.clear_faults(FAULTY)?;
        self.saw("the origin is well again");
        until("the incident was not resolved", RESOLVED_WITHIN, async || {
            let incident = self.api.get(&path_of(incident)).await?;
            Ok((text(&incident, "status") == "resolved", json!(text(&incident, "status"))))
        })
        .await?;
        self.saw("the incident is resolved");
        self.hears(incident, 3, "incident.resolved").await
    }

    /// Fails unless there is one incident, as it should be.
    pub(crate) async fn only_incident(&self, incident: &str, status: &str) -> Result<(), Error> {
        let all = self.api.get("/incidents").await?;
        let found: Vec<_> = items(&all).map(|one| (text(one, "id"), text(one, "status"))).collect();
        let wanted = [(incident.to_owned(), status.to_owned())];
        expect(found == wanted, || format!("incidents are {found:?} instead of {wanted:?}"))
    }
}

fn are_small(zips: &Path) -> Result<(), Error> {
    for function in FUNCTIONS {
        let zip = std::fs::metadata(zips.join(format!("{function}.zip")));
        let bytes = zip.map_err(Error::system("look at a zip"))?.len();
        expect(bytes <= MAX_ZIP_BYTES as u64, || format!("the zip of {function} has {bytes} bytes"))?;
    }
    Ok(())
}

/// Asks until it holds.
pub(crate) async fn until(
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

pub(crate) fn path_of(incident: &str) -> String {
    format!("/incidents/{}", incident.replace('#', "%23"))
}

pub(crate) fn tiles(wall: &Value) -> impl Iterator<Item = &Value> {
    wall["tiles"].as_array().into_iter().flatten()
}

pub(crate) fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list["items"].as_array().into_iter().flatten()
}

pub(crate) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}
