//! What the tests share: a table, rows of the outbox, channels, and a receiver that answers as told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hlsops_domain::EpochMs;
use hlsops_engine::{Engine, FaultPlan, TableSpec, ensure_table};
use hlsops_fetch::{AllowList, FetchConfig, Fetcher};
use hlsops_notify::Webhooks;
use hlsops_store::{Channel, Format, Notice, Retry, Secret, Store, StreamId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const NOW: EpochMs = EpochMs(1_740_000_000_000);
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// What the rows hold.
pub(crate) const BODY: &str = r#"{"type":"incident.opened","timestamp":"2025-02-19T21:20:00.000Z","data":{"dedup_key":"d","severity":"critical","title":"t","test":false}}"#;

pub(crate) struct Table {
    pub(crate) engine: Engine,
    pub(crate) store: Store,
}

impl Table {
    pub(crate) async fn new() -> Self {
        let engine = Engine::in_memory().unwrap();
        ensure_table(&engine.client(), &TableSpec::new("hlsops")).await.unwrap();
        let store = Store::new(engine.client(), "hlsops");
        Self { engine, store }
    }

    /// The same table through these faults.
    pub(crate) fn through(&self, plan: &FaultPlan) -> Store {
        let retry = Retry { attempts: 8, base: Duration::from_micros(1), cap: Duration::from_micros(50) };
        Store::new(self.engine.client_with(plan), "hlsops").with_retry(retry)
    }
}

pub(crate) async fn event(store: &Store, of: &str, seq: u64, kind: &str, at: EpochMs) {
    let stream = StreamId::new("default", "str_1").unwrap();
    let added = store.add_notice(of, seq, &stream, &Notice { at, kind, body: BODY }).await.unwrap();
    assert!(added.value);
}

pub(crate) fn channel(id: &str, url: &str) -> Channel {
    Channel {
        account: "default".into(),
        id: id.into(),
        name: "Operations".into(),
        url: url.into(),
        headers: vec![("x-team".into(), Secret::new("sports"))],
        secrets: vec![Secret::new(SECRET)],
        format: Format::Event,
        enabled: true,
        why_disabled: None,
        events: Vec::new(),
        created_at: NOW,
        revision: 0,
    }
}

/// A small random sequence, the same for the same seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % most.max(1)
    }
}

/// A request that a receiver got.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    head: String,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }
}

/// Answers with scripted statuses, then with 200; keeps what it got.
#[derive(Clone)]
pub(crate) struct Receiver {
    address: SocketAddr,
    answers: Arc<Mutex<VecDeque<&'static str>>>,
    pub(crate) delay: Duration,
    got: Arc<Mutex<Vec<Request>>>,
}

impl Receiver {
    pub(crate) async fn start(answers: &[&'static str]) -> Self {
        Self::start_slow(answers, Duration::ZERO).await
    }

    pub(crate) async fn start_slow(answers: &[&'static str], delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            address: listener.local_addr().unwrap(),
            answers: Arc::new(Mutex::new(answers.iter().copied().collect())),
            delay,
            got: Arc::default(),
        };
        let accepting = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().answer(stream));
            }
        });
        receiver
    }

    async fn answer(self, mut stream: TcpStream) -> Option<()> {
        let request = read(&mut stream).await?;
        self.got.lock().unwrap().push(request);
        tokio::time::sleep(self.delay).await;
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or("200 OK\r\n");
        let text = "said the receiver";
        let answer = format!("HTTP/1.1 {answer}Content-Length: {}\r\n\r\n{text}", text.len());
        stream.write_all(answer.as_bytes()).await.ok()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub(crate) fn got(&self) -> Vec<Request> {
        self.got.lock().unwrap().clone()
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let mut request = Request { head, body: String::new() };
    let mut body = vec![0; request.header("content-length").parse().ok()?];
    stream.read_exact(&mut body).await.ok()?;
    request.body = String::from_utf8(body).ok()?;
    Some(request)
}

/// Webhooks that may reach these receivers.
pub(crate) fn webhooks(receivers: &[&Receiver]) -> Webhooks {
    let mut allow = AllowList::default();
    for receiver in receivers {
        allow.insert("127.0.0.1", receiver.address.port()).unwrap();
    }
    Webhooks::new(Fetcher::new(FetchConfig { allow, ..FetchConfig::default() }).unwrap())
}
