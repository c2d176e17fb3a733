//! What the API answers, and how fast: `cargo xtask bench wall`.
//!
//! The router over a table with thousands of streams on full shards, an incident and a stream with an hour of history
//! runs in a process of its own; this one asks it over loopback with one connection for latencies, with several for
//! requests per second, and last as dashboards do: every five seconds, with the version they have, while now and then
//! a stream changes. Latencies are the client's.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]

use std::io::stdin;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use hlsops_api::{App, LocalKey, Secret, build_router};
use hlsops_bench::BenchError;
use hlsops_bench::child::Answering;
use hlsops_bench::script::{Script, config};
use hlsops_bench::table::Table;
use hlsops_domain::rendition::PlaylistState;
use hlsops_domain::{EpochMs, HealthState};
use hlsops_engine::Engine;
use hlsops_fetch::{FetchConfig, Fetcher};
use hlsops_probe::{Nudge, Scope, Shared, dispatch, watch_shard};
use hlsops_store::{NewIncident, Notice, ShardId, ShardSummary, Store, StreamId, Tile, Writer};
use hlsops_watch::{Cadences, Clock, SystemClock};
use reqwest::header::{ETAG, IF_NONE_MATCH};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// Measures the API's answers.
#[derive(Clone, Parser)]
struct Options {
    /// Streams on the wall.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(10..=10_000))]
    streams: u32,
    /// Requests of each kind, one after the other.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    requests: u32,
    /// Connections for requests per second.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=500))]
    connections: u32,
    /// For how long dashboards look. Unit: seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(10..=600))]
    seconds: u64,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What a child process does.
#[derive(Clone, Subcommand)]
enum Role {
    /// Serve.
    #[command(hide = true)]
    Serve,
}

/// Dashboards that look at the same time.
const DASHBOARDS: u64 = 20;
/// How often each of them asks.
const POLL: Duration = Duration::from_secs(5);
/// How often a stream changes meanwhile.
const CHANGE: Duration = Duration::from_secs(30);
/// How long the child may take to fill its table.
const START: Duration = Duration::from_secs(120);
/// Minutes of history.
const HISTORY: u64 = 60;

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match options.role {
        Some(Role::Serve) => serve(options.streams),
        None => runtime().and_then(|runtime| runtime.block_on(compare(&options))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wall: {error}");
            ExitCode::from(70)
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, BenchError> {
    tokio::runtime::Runtime::new().map_err(BenchError::io("cannot start the runtime"))
}

/// Where to ask, and as whom.
#[derive(Clone)]
struct Server {
    client: Client,
    base: String,
    key: String,
}

/// An answer.
struct Got {
    took: Duration,
    bytes: usize,
    status: StatusCode,
    etag: Option<String>,
    body: Vec<u8>,
}

impl Got {
    /// How long it took, if it is what was asked for: 304 for who has it already.
    fn expected(&self, etag: Option<&str>) -> Result<Duration, BenchError> {
        let wanted = if etag.is_some() { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
        (self.status == wanted).then_some(self.took).ok_or(BenchError::NoFigures { role: "server" })
    }
}

impl Server {
    async fn get(&self, path: &str, etag: Option<&str>) -> Result<Got, BenchError> {
        let began = Instant::now();
        let mut request = self.client.get(format!("{}{path}", self.base)).header("x-api-key", &self.key);
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let etag = answer.headers().get(ETAG).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = answer.bytes().await?;
        Ok(Got { took: began.elapsed(), bytes: body.len(), status, etag, body: body.to_vec() })
    }
}

async fn compare(options: &Options) -> Result<(), BenchError> {
    let streams = format!("--streams={}", options.streams);
    let mut child = Answering::start("server", &[streams, "serve".into()])?;
    let ready = child.answer(START).await?;
    let text = |name: &str| ready[name].as_str().unwrap_or_default().to_owned();
    // An error means that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = Server { client: Client::new(), base: text("url"), key: text("key") };
    let whole = server.get("/wall", None).await?;
    let etag = whole.etag.clone().unwrap_or_default();
    let each = whole.bytes / options.streams as usize;
    println!("{} tiles, {} bytes, {each} a tile", options.streams, whole.bytes);

    let mut table =
        Table::new(1, &["answer", "status", "bytes", "p50 ms", "p99 ms", "requests/s", "p99 ms of those"]);
    let mut rows: Vec<Value> = Vec::new();
    let (incident, stream) = (text("incident"), text("stream"));
    for (name, path, etag) in [
        ("/wall", "/wall".into(), None),
        ("/wall, known", "/wall".into(), Some(etag.as_str())),
        ("/incidents/{id}", format!("/incidents/{incident}"), None),
        ("/streams/{id}/metrics, an hour", format!("/streams/{stream}/metrics"), None),
    ] {
        let first = server.get(&path, etag).await?;
        let alone = alone(options, &server, &path, etag).await?;
        let (rate, among) = together(options, &server, &path, etag).await?;
        table.add(vec![
            name.into(),
            first.status.as_u16().to_string(),
            first.bytes.to_string(),
            ms(at(&alone, 50)),
            ms(at(&alone, 99)),
            format!("{rate:.0}"),
            ms(at(&among, 99)),
        ]);
        rows.push(json!({
            "answer": name, "status": first.status.as_u16(), "bytes": first.bytes,
            "p50_ms": at(&alone, 50).as_secs_f64() * 1e3, "p99_ms": at(&alone, 99).as_secs_f64() * 1e3,
            "requests_per_s": rate, "connections": options.connections,
        }));
    }
    println!("\n{}", table.text());
    let looked = dashboards(options, &server, &mut child).await?;
    println!(
        "{DASHBOARDS} dashboards, each every {} s, a stream changes every {} s: of {} answers {:.1} % were 304, \
         {:.0} bytes an answer",
        POLL.as_secs(),
        CHANGE.as_secs(),
        looked.answers,
        looked.share_304() * 100.0,
        looked.bytes_each()
    );
    println!(
        "{}",
        json!({
            "bench": "wall", "streams": options.streams, "bytes": whole.bytes, "bytes_per_tile": each,
            "rows": rows, "share_304": looked.share_304(), "bytes_per_poll": looked.bytes_each(),
        })
    );
    child.end().await;
    Ok(())
}

/// Latencies, one request after the other, sorted.
async fn alone(
    options: &Options,
    server: &Server,
    path: &str,
    etag: Option<&str>,
) -> Result<Vec<Duration>, BenchError> {
    let mut took = Vec::new();
    for _ in 0..options.requests {
        took.push(server.get(path, etag).await?.expected(etag)?);
    }
    took.sort_unstable();
    Ok(took)
}

/// Requests per second over several connections, and their latencies, sorted.
async fn together(
    options: &Options,
    server: &Server,
    path: &str,
    etag: Option<&str>,
) -> Result<(f64, Vec<Duration>), BenchError> {
    let each = options.requests.div_ceil(options.connections) * 4;
    let (mut clients, began) = (JoinSet::new(), Instant::now());
    for _ in 0..options.connections {
        let (server, path, etag) = (server.clone(), path.to_owned(), etag.map(str::to_owned));
        clients.spawn(async move {
            let mut took = Vec::new();
            for _ in 0..each {
                took.push(server.get(&path, etag.as_deref()).await?.expected(etag.as_deref())?);
            }
            Ok::<_, BenchError>(took)
        });
    }
    let mut all = Vec::new();
    for took in clients.join_all().await {
        all.extend(took?);
    }
    let rate = f64::from(each * options.connections) / began.elapsed().as_secs_f64();
    all.sort_unstable();
    Ok((rate, all))
}

/// What dashboards got.
#[derive(Default)]
struct Looked {
    answers: u32,
    unchanged: u32,
    bytes: f64,
}

impl Looked {
    fn share_304(&self) -> f64 {
        f64::from(self.unchanged) / f64::from(self.answers.max(1))
    }

    fn bytes_each(&self) -> f64 {
        self.bytes / f64::from(self.answers.max(1))
    }
}

async fn dashboards(options: &Options, server: &Server, child: &mut Answering) -> Result<Looked, BenchError> {
    let (mut clients, until) = (JoinSet::new(), Instant::now() + Duration::from_secs(options.seconds));
    for n in 0..DASHBOARDS {
        let server = server.clone();
        clients.spawn(async move {
            sleep(POLL.mul_f64(n as f64 / DASHBOARDS as f64)).await;
            look(&server, until).await
        });
    }
    let mut changes = interval(CHANGE);
    changes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    changes.tick().await;
    while Instant::now() < until {
        tokio::select! {
            _ = changes.tick() => { child.ask("change", START).await?; }
            () = tokio::time::sleep_until(until) => {}
        }
    }
    let mut all = Looked::default();
    for looked in clients.join_all().await {
        let looked = looked?;
        all.answers += looked.answers;
        all.unchanged += looked.unchanged;
        all.bytes += looked.bytes;
    }
    Ok(all)
}

/// One dashboard: the whole wall once, not counted, then what has changed.
async fn look(server: &Server, until: Instant) -> Result<Looked, BenchError> {
    let mut got = server.get("/wall", None).await?;
    let mut looked = Looked::default();
    let (mut etag, mut version) = (String::new(), String::new());
    loop {
        if got.status != StatusCode::NOT_MODIFIED {
            let wall: Value = serde_json::from_slice(&got.body).unwrap_or_default();
            version = wall["version"].as_str().unwrap_or_default().to_owned();
            etag = got.etag.take().unwrap_or_default();
        }
        sleep(POLL).await;
        if Instant::now() >= until {
            return Ok(looked);
        }
        got = server.get(&format!("/wall?since={version}"), Some(&etag)).await?;
        looked.answers += 1;
        looked.unchanged += u32::from(got.status == StatusCode::NOT_MODIFIED);
        looked.bytes += got.bytes as f64;
    }
}

fn at(sorted: &[Duration], percent: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).copied().unwrap_or_default()
}

fn ms(duration: Duration) -> String {
    format!("{:.2}", duration.as_secs_f64() * 1e3)
}

/// The child: fills a table, serves, and changes a stream whenever it is told to.
fn serve(streams: u32) -> Result<(), BenchError> {
    let engine = Engine::in_memory_inline()?;
    let store = Store::new(engine.client(), "hlsops");
    let mut virtual_time = tokio::runtime::Builder::new_current_thread();
    let virtual_time = virtual_time.enable_all().start_paused(true).build();
    let virtual_time = virtual_time.map_err(BenchError::io("cannot start the runtime"))?;
    let now = SystemClock::new().now();
    let watched = virtual_time.block_on(watch_an_hour(&store, now))?;
    runtime()?.block_on(async {
        let wall = Board::fill(&store, streams, watched).await?;
        wall.answer(&store).await
    })
}

/// A stream that was watched for the last hour.
async fn watch_an_hour(store: &Store, now: EpochMs) -> Result<StreamId, BenchError> {
    store.ensure_table().await?;
    let clock = SystemClock::anchored(EpochMs(now.0 - HISTORY * 60_000));
    let id = StreamId::new("default", "str_01kd00000000000000000000wa")?;
    let _saved = store.save_stream(&config(id.clone(), "Watched", clock.now()), ShardId(0)).await?;
    let network = Script { clock, segment_s: 4 };
    let shared = Shared {
        store: store.clone(),
        network,
        clock,
        nudge: Nudge::default(),
        notice: Default::default(),
        cadences: Cadences::default(),
    };
    for message in dispatch(store, clock.now(), Scope::All).await?.messages {
        let until = sleep(Duration::from_secs(HISTORY * 60));
        let _ended = watch_shard(shared.clone(), message.shard("wall", None), until).await?;
    }
    Ok(id)
}

/// Full shards and their tiles.
struct Board {
    shards: Vec<Vec<Tile>>,
    writer: Writer,
    ready: Value,
    secret: Secret,
}

impl Board {
    async fn fill(store: &Store, streams: u32, watched: StreamId) -> Result<Self, BenchError> {
        let now = SystemClock::new().now();
        let writer = Writer { name: "wall".into(), epoch: u64::from(u32::MAX) };
        let notice = Notice { at: now, kind: "incident.opened", body: "{}" };
        let new =
            NewIncident { at: now, stream_name: "Sports 1", trigger: "unhealthy", title: "HTTP 503", notice };
        let _opened = store.open_incident(&watched, 0, &new, &writer).await?;
        let incident = format!("inc:default:{}:1", watched.name());
        let mut tiles = vec![tile(watched.clone(), 0, now)];
        for n in 1..streams {
            let id = StreamId::new("default", &format!("str_01kd{n:022}"))?;
            let stream = config(id.clone(), &format!("Sports Channel {n:04} HD"), now);
            let _saved = store.save_stream(&stream, ShardId(n / ShardSummary::MAX as u32)).await?;
            tiles.push(tile(id, n, now));
        }
        let shards: Vec<Vec<Tile>> = tiles.chunks(ShardSummary::MAX).map(<[_]>::to_vec).collect();
        let _grown = store.grow_shards(u32::try_from(shards.len()).unwrap_or(u32::MAX)).await?;
        let secret = Secret::generate().map_err(|_| BenchError::NoFigures { role: "server" })?;
        let ready = json!({"incident": incident, "stream": watched.name()});
        let board = Self { shards, writer, ready, secret };
        board.save(store).await?;
        Ok(board)
    }

    async fn save(&self, store: &Store) -> Result<(), BenchError> {
        for (shard, tiles) in (0..).zip(&self.shards) {
            let now = SystemClock::new().now();
            let _saved = store.save_summary(ShardId(shard), tiles, &self.writer, now).await?;
        }
        Ok(())
    }

    /// Serves until the parent is gone.
    async fn answer(mut self, store: &Store) -> Result<(), BenchError> {
        let mut app = App::new(store.clone(), Fetcher::new(FetchConfig::default())?);
        app.local_key = Some(LocalKey::new(&self.secret, "default"));
        app.max_streams = 10_000;
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(BenchError::io("cannot listen"))?;
        let address = listener.local_addr().map_err(BenchError::io("cannot listen"))?;
        self.ready["url"] = json!(format!("http://{address}/api/v1"));
        self.ready["key"] = json!(self.secret.as_str());
        println!("{}", self.ready);
        tokio::spawn(async move { axum::serve(listener, build_router(app)).await });
        let (tell, mut told) = mpsc::unbounded_channel();
        // Ends with its input, or with the process.
        std::thread::spawn(move || stdin().lines().map_while(Result::ok).try_for_each(|_| tell.send(())));
        let mut turn = 0;
        while told.recv().await.is_some() {
            turn += 1;
            let now = SystemClock::new().now();
            if let Some(tile) = self.shards.iter_mut().flatten().nth(turn) {
                (tile.health, tile.since) = (HealthState::Unhealthy, now);
            }
            self.save(store).await?;
            println!("{}", json!({"changed": turn}));
        }
        Ok(())
    }
}

fn tile(stream: StreamId, n: u32, now: EpochMs) -> Tile {
    let (health, reason) = match n % 10 {
        0 => (HealthState::Unhealthy, "playlist does not load: HTTP 503"),
        1 => (HealthState::Degraded, "TTFB 640 ms > 500 ms"),
        _ => (HealthState::Healthy, ""),
    };
    Tile {
        stream,
        health,
        since: EpochMs(now.0 - 60_000),
        last_look: Some(now),
        incident: None,
        playlist: PlaylistState::Live,
        reasons: if reason.is_empty() { Vec::new() } else { vec![reason.into()] },
        reasons_at: (!reason.is_empty()).then_some(now),
        weight: 0,
    }
}
