//! A scripted HTTP server and small helpers, shared by the tests of this crate.
#![expect(clippy::unwrap_used, reason = "a helper of tests, outside a test function")]
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hlsops_fetch::{AllowList, Bounds, FetchConfig, Fetched, Fetcher, Get, Lookup, Session};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// What a server does after it has read a request head.
#[derive(Clone)]
pub(crate) enum Step {
    Send(Vec<u8>),
    /// The same bytes so many times.
    Repeat(Vec<u8>, u64),
    Wait(Duration),
    Close,
}

/// A server on an own port that counts connections and keeps request heads.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Arc<AtomicUsize>,
    pub(crate) heads: Arc<Mutex<Vec<String>>>,
    /// The most requests that were answered at the same time.
    pub(crate) most_at_once: Arc<AtomicUsize>,
    busy: Arc<AtomicUsize>,
}

type Script = Arc<dyn Fn(&str) -> Vec<Step> + Send + Sync>;

impl Server {
    /// Listens on `ip`; `script` turns a request path into steps.
    pub(crate) async fn start(ip: &str, script: impl Fn(&str) -> Vec<Step> + Send + Sync + 'static) -> Self {
        Self::start_at(&format!("{}:0", if ip.contains(':') { format!("[{ip}]") } else { ip.into() }), script)
            .await
    }

    pub(crate) async fn start_at(
        address: &str,
        script: impl Fn(&str) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            heads: Arc::default(),
            most_at_once: Arc::default(),
            busy: Arc::default(),
        };
        let (accepting, script): (_, Script) = (server.clone(), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepting.connections.fetch_add(1, SeqCst);
                tokio::spawn(accepting.clone().serve(stream, Arc::clone(&script)));
            }
        });
        server
    }

    async fn serve(self, mut stream: TcpStream, script: Script) {
        while let Some(head) = read_head(&mut stream).await {
            let path = head.split(' ').nth(1).unwrap_or("/").to_owned();
            self.heads.lock().unwrap().push(head);
            let busy = self.busy.fetch_add(1, SeqCst) + 1;
            self.most_at_once.fetch_max(busy, SeqCst);
            let kept = play(&mut stream, script(&path)).await;
            self.busy.fetch_sub(1, SeqCst);
            if kept.is_none() {
                return;
            }
        }
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(SeqCst)
    }

    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8_lossy(&head).to_lowercase())
}

/// `None` when the connection is to be closed or is gone.
async fn play(stream: &mut TcpStream, steps: Vec<Step>) -> Option<()> {
    for step in steps {
        match step {
            Step::Send(bytes) => stream.write_all(&bytes).await.ok()?,
            Step::Repeat(bytes, times) => {
                for _ in 0..times {
                    stream.write_all(&bytes).await.ok()?;
                }
            }
            Step::Wait(time) => tokio::time::sleep(time).await,
            Step::Close => return None,
        }
    }
    Some(())
}

/// A complete 200 with a body.
pub(crate) fn ok(body: &str) -> Vec<Step> {
    vec![Step::Send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes())]
}

/// A redirect; `more` are further header lines, each ended by CR LF.
pub(crate) fn redirect(location: &str, more: &str) -> Vec<Step> {
    let head = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\n{more}Content-Length: 0\r\n\r\n");
    vec![Step::Send(head.into_bytes())]
}

/// A response head without length, so that the body ends with the connection.
pub(crate) fn head(more: &str) -> Step {
    Step::Send(format!("HTTP/1.1 200 OK\r\n{more}\r\n").into_bytes())
}

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A client that may fetch from these servers.
pub(crate) fn fetcher(allowed: &[&Server]) -> Fetcher {
    let mut allow = AllowList::default();
    for server in allowed {
        allow.insert(&server.address.ip().to_string(), server.address.port()).unwrap();
    }
    Fetcher::new(FetchConfig { allow, ..FetchConfig::default() }).unwrap()
}

/// One GET with limits and a new session.
pub(crate) async fn get(fetcher: &Fetcher, url: &Url, bounds: Bounds) -> (Fetched, Vec<u8>) {
    get_as(fetcher, url, bounds, &Session::new()).await
}

pub(crate) async fn get_as(
    fetcher: &Fetcher,
    url: &Url,
    bounds: Bounds,
    session: &Session,
) -> (Fetched, Vec<u8>) {
    let mut body = Vec::new();
    let request = Get { url, session, range: None, bounds, fresh_connection: false };
    let fetched = fetcher.get(&request, &mut |chunk| body.extend_from_slice(chunk)).await;
    assert_eq!(fetched.body_bytes, body.len() as u64, "body_bytes is what was given");
    (fetched, body)
}

/// A resolver with scripted answers: each look-up takes the next one, the last one stays.
#[derive(Clone, Default)]
pub(crate) struct FakeLookup {
    answers: Arc<Mutex<HashMap<String, Vec<Vec<IpAddr>>>>>,
    pub(crate) lookups: Arc<AtomicUsize>,
    delay: Duration,
}

impl FakeLookup {
    /// Each look-up takes so long.
    pub(crate) fn after(delay: Duration) -> Self {
        Self { delay, ..Self::default() }
    }

    pub(crate) fn name(self, host: &str, answers: &[&[&str]]) -> Self {
        let parse = |answer: &&[&str]| answer.iter().map(|ip| ip.parse().unwrap()).collect();
        self.answers.lock().unwrap().insert(host.into(), answers.iter().map(parse).collect());
        self
    }

    pub(crate) fn fetcher(&self, allow: &str) -> Fetcher {
        let config = FetchConfig { allow: allow.parse().unwrap(), ..FetchConfig::default() };
        Fetcher::with_lookup(config, Arc::new(self.clone())).unwrap()
    }
}

impl Lookup for FakeLookup {
    fn addresses_of(&self, host: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        self.lookups.fetch_add(1, SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = answers
            .get_mut(host)
            .map(|answers| if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() });
        let delay = self.delay;
        Box::pin(async move {
            tokio::time::sleep(delay).await;
            answer.ok_or_else(|| io::ErrorKind::NotFound.into())
        })
    }
}
