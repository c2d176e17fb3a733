//! Where the time goes: phases, the queue of a host, and what the environment may not do.
#![expect(clippy::unwrap_used, reason = "helpers of tests stand outside test functions")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use hlsops_fetch::{
    AllowList, Bounds, BuildError, FetchConfig, FetchError, Fetched, Fetcher, Get, Phase, Session, TlsFault,
};
use support::{FakeLookup, Server, Step, get, head, ms, ok};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

fn bounds() -> Bounds {
    Bounds::playlist(None)
}

fn slow_ok(wait: u64) -> Vec<Step> {
    [vec![Step::Wait(ms(wait))], ok("x")].concat()
}

async fn get_fresh(client: &Fetcher, url: &Url) -> Fetched {
    let session = Session::new();
    let request = Get { url, session: &session, range: None, bounds: bounds(), fresh_connection: true };
    client.get(&request, &mut |_| ()).await
}

#[tokio::test]
async fn each_phase_is_timed_and_a_reused_connection_has_no_first_two() {
    let server = Server::start("127.0.0.1", |_| slow_ok(60)).await;
    let port = server.address.port();
    let lookup = FakeLookup::after(ms(500)).name("slow.example", &[&["127.0.0.1"]]);
    let client = lookup.fetcher(&format!("slow.example:{port}"));
    let url: Url = format!("http://slow.example:{port}/").parse().unwrap();

    let first = get(&client, &url, bounds()).await.0;
    assert_eq!(first.result, Ok(()));
    let times = first.timings;
    assert!(times.dns.unwrap() >= ms(500), "{times:?}");
    assert!(times.connect.unwrap() < ms(500), "connect is without dns: {times:?}");
    assert!((ms(60)..ms(500)).contains(&times.ttfb.unwrap()), "ttfb is without dns: {times:?}");
    assert!(times.total >= ms(560) && times.queue.is_zero(), "{times:?}");
    assert_eq!(first.remote.unwrap(), server.address);

    let second = get(&client, &url, bounds()).await.0.timings;
    assert_eq!((second.dns, second.connect), (None, None), "the connection is reused");
    assert!((ms(60)..ms(500)).contains(&second.ttfb.unwrap()), "{second:?}");

    for _ in 0..2 {
        let fresh = get_fresh(&client, &url).await.timings;
        assert!(fresh.dns.is_some() && fresh.connect.is_some(), "{fresh:?}");
    }
    assert_eq!((server.connections(), client.connect_attempts()), (3, 3));
}

#[tokio::test]
async fn a_connection_that_becomes_free_leaves_the_connecting_behind() {
    // The second look-up takes for ever, so the second request can only be served by the first
    // one's connection; what its own connecting took is then nobody's time.
    let server = Server::start("127.0.0.1", |_| slow_ok(400)).await;
    let port = server.address.port();
    let lookup = FakeLookup::default().name("race.example", &[&["127.0.0.1"]]);
    let slow = SlowAfterFirst { inner: lookup, calls: Arc::default() };
    let allow = format!("race.example:{port}").parse().unwrap();
    let client =
        Fetcher::with_lookup(FetchConfig { allow, ..FetchConfig::default() }, Arc::new(slow)).unwrap();
    let url: Url = format!("http://race.example:{port}/").parse().unwrap();
    let (first, second) = tokio::join!(get(&client, &url, bounds()), async {
        tokio::time::sleep(ms(20)).await;
        get(&client, &url, bounds()).await
    });
    assert!(first.0.timings.connect.is_some());
    let times = second.0.timings;
    assert_eq!((second.0.result, times.dns, times.connect), (Ok(()), None, None));
    assert!((ms(400)..ms(700)).contains(&times.ttfb.unwrap()), "ttfb is from sending: {times:?}");
    assert_eq!(server.connections(), 1);
}

struct SlowAfterFirst {
    inner: FakeLookup,
    calls: Arc<AtomicUsize>,
}

impl hlsops_fetch::Lookup for SlowAfterFirst {
    fn addresses_of(
        &self,
        host: &str,
    ) -> std::pin::Pin<Box<dyn Future<Output = std::io::Result<Vec<std::net::IpAddr>>> + Send>> {
        let answer = self.inner.addresses_of(host);
        let wait = if self.calls.fetch_add(1, SeqCst) == 0 { ms(0) } else { ms(3_000) };
        Box::pin(async move {
            tokio::time::sleep(wait).await;
            answer.await
        })
    }
}

#[tokio::test]
async fn connecting_runs_out_of_time_where_it_is_slow() {
    let limits = Bounds { connect: ms(100), ..bounds() };
    let late = Err(FetchError::TimedOut { phase: Phase::Dns, limit: ms(100) });
    let lookup = FakeLookup::after(ms(5_000)).name("mute.example", &[&["127.0.0.1"]]);
    let client = lookup.fetcher("mute.example:1");
    let (fetched, _) = get(&client, &"http://mute.example:1/".parse().unwrap(), limits).await;
    assert_eq!(fetched.result, late);
    assert!(fetched.timings.dns.unwrap() >= ms(100) && fetched.timings.connect.is_none());

    // A listener that never speaks: TCP is there at once, the TLS handshake never is.
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = mute.local_addr().unwrap();
    let client =
        Fetcher::new(FetchConfig { allow: address.to_string().parse().unwrap(), ..FetchConfig::default() })
            .unwrap();
    let (fetched, _) = get(&client, &format!("https://{address}/").parse().unwrap(), limits).await;
    assert_eq!(fetched.result, Err(FetchError::TimedOut { phase: Phase::Connect, limit: ms(100) }));
    assert!(fetched.timings.connect.unwrap() >= ms(100));

    // The total limit holds while connecting as well.
    let short = Bounds { total: ms(50), ..limits };
    let (fetched, _) = get(&client, &format!("https://{address}/").parse().unwrap(), short).await;
    assert_eq!(fetched.result, Err(FetchError::TimedOut { phase: Phase::Total, limit: ms(50) }));
}

/// A listener that sends `text` to whoever connects, and closes.
async fn blurt(text: &'static [u8]) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(text).await;
        }
    });
    address
}

#[tokio::test]
async fn failed_connections_have_their_class() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (plain, silent) = (blurt(b"HTTP/1.1 400 Bad Request\r\n\r\n").await, blurt(b"").await);
    let allow: AllowList = format!("{free},{plain},{silent},gone.example:80").parse().unwrap();
    let lookup = Arc::new(FakeLookup::default());
    let client = Fetcher::with_lookup(FetchConfig { allow, ..FetchConfig::default() }, lookup).unwrap();
    for (url, expected) in [
        (format!("http://{free}/"), FetchError::Connect { kind: std::io::ErrorKind::ConnectionRefused }),
        ("http://gone.example/".into(), FetchError::Dns { kind: std::io::ErrorKind::NotFound }),
        (format!("https://{plain}/"), FetchError::Tls { fault: TlsFault::Handshake }),
        (format!("https://{silent}/"), FetchError::Tls { fault: TlsFault::Handshake }),
        (format!("http://{silent}/"), FetchError::Closed),
    ] {
        let parsed = url.parse().unwrap();
        let (fetched, _) = get(&client, &parsed, bounds()).await;
        assert_eq!(fetched.result, Err(expected), "{url}");
    }
}

async fn many(client: &Fetcher, url: &Url, count: usize) -> Vec<Fetched> {
    let tasks: Vec<_> = (0..count)
        .map(|_| {
            let (client, url) = (client.clone(), url.clone());
            tokio::spawn(async move { get(&client, &url, bounds()).await.0 })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await.unwrap());
    }
    all
}

fn client_with(per_host: usize, server: &Server) -> Fetcher {
    let allow = server.address.to_string().parse().unwrap();
    Fetcher::new(FetchConfig { allow, per_host, ..FetchConfig::default() }).unwrap()
}

#[tokio::test]
async fn a_host_gets_only_so_many_requests_at_once_and_the_wait_is_ours() {
    let server = Server::start("127.0.0.1", |_| slow_ok(100)).await;
    let client = client_with(2, &server);
    let began = Instant::now();
    let mut all = many(&client, &server.url("/"), 8).await;
    let took = began.elapsed();
    assert_eq!(server.most_at_once.load(SeqCst), 2);
    assert!(server.connections() <= 2, "{}", server.connections());
    all.sort_by_key(|fetched| fetched.timings.queue);
    for (place, fetched) in (0..).zip(&all) {
        assert_eq!(fetched.result, Ok(()));
        let times = fetched.timings;
        assert!(times.queue >= ms(100 * (place / 2)), "{place}: {times:?}");
        assert!(times.ttfb.unwrap() >= ms(100) && times.total >= ms(100), "{place}: {times:?}");
        // Both are without the queue: with it they would be longer than all of it took.
        assert!(times.queue + times.total <= took && times.ttfb <= Some(times.total), "{place}: {times:?}");
    }
    assert_eq!(client.busy_hosts(), 0, "idle hosts are forgotten");

    // The control: without the limit all six go at once.
    let client = client_with(64, &server);
    many(&client, &server.url("/"), 6).await;
    assert_eq!(server.most_at_once.load(SeqCst), 6);
}

#[tokio::test]
async fn a_busy_host_does_not_hold_up_another() {
    let tar_pit = Server::start("127.0.0.1", |_| vec![Step::Wait(Duration::from_secs(60))]).await;
    let good = Server::start("127.0.0.1", |_| ok("x")).await;
    let client = support::fetcher(&[&tar_pit, &good]);
    let stuck: Vec<_> = (0..100)
        .map(|_| {
            let (client, url) = (client.clone(), tar_pit.url("/"));
            tokio::spawn(async move { get(&client, &url, bounds()).await })
        })
        .collect();
    tokio::time::sleep(ms(50)).await;
    assert_eq!(client.busy_hosts(), 1);
    for _ in 0..50 {
        let times = get(&client, &good.url("/"), bounds()).await.0.timings;
        assert!(times.queue.is_zero() && times.total < ms(2_000), "{times:?}");
    }
    for task in &stuck {
        task.abort();
    }
    for task in stuck {
        assert!(task.await.unwrap_err().is_cancelled());
    }
    assert_eq!(client.busy_hosts(), 0);
}

#[tokio::test]
async fn dropping_a_request_gives_its_slot_back() {
    let server = Server::start("127.0.0.1", |path| match path {
        "/hang" => vec![head("Content-Length: 10\r\n"), Step::Wait(Duration::from_secs(60))],
        _ => ok("x"),
    })
    .await;
    let client = client_with(1, &server);
    for _ in 0..3 {
        // One request runs, one waits; both are dropped.
        let (hang, url) = (server.url("/hang"), server.url("/"));
        let busy = client.clone();
        let running = tokio::spawn(async move { get(&busy, &hang, bounds()).await });
        while client.busy_hosts() == 0 {
            tokio::time::sleep(ms(1)).await;
        }
        let waiting = tokio::time::timeout(ms(20), get(&client, &url, bounds())).await;
        assert!(waiting.is_err(), "there is one slot, and it is taken");
        running.abort();
        assert!(running.await.is_err_and(|error| error.is_cancelled()));
        assert_eq!(client.busy_hosts(), 0);
        let after = get(&client, &url, bounds()).await.0;
        assert_eq!((after.result, after.timings.queue), (Ok(()), Duration::ZERO));
    }
}

#[tokio::test]
async fn a_wait_in_the_queue_has_an_end() {
    let server = Server::start("127.0.0.1", |_| vec![Step::Wait(Duration::from_secs(60))]).await;
    let client = client_with(1, &server);
    let (busy, url) = (client.clone(), server.url("/"));
    let blocker = tokio::spawn(async move { get(&busy, &url, bounds()).await });
    tokio::time::sleep(ms(30)).await;
    let limits = Bounds { total: ms(400), ..bounds() };
    let began = Instant::now();
    let (fetched, _) = get(&client, &server.url("/"), limits).await;
    assert_eq!(fetched.result, Err(FetchError::TimedOut { phase: Phase::Queue, limit: ms(400) }));
    assert!(fetched.timings.queue >= ms(400) && began.elapsed() < ms(5_000), "{:?}", fetched.timings);
    assert!(fetched.timings.total < ms(400), "the wait is not the origin's time: {:?}", fetched.timings);
    blocker.abort();
}

/// Also the child of the next test, which sets the environment.
#[tokio::test]
async fn a_plain_get_works() {
    let server = Server::start("127.0.0.1", |_| ok("x")).await;
    let (fetched, body) = get(&support::fetcher(&[&server]), &server.url("/"), bounds()).await;
    assert_eq!((fetched.result, body.as_slice()), (Ok(()), &b"x"[..]));
    assert_eq!(server.connections(), 1);
    assert!(
        server.heads()[0].starts_with("get / http/1.1"),
        "not a proxy's absolute form: {:?}",
        server.heads()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proxy_variables_are_ignored() {
    let proxy = Server::start("127.0.0.1", |_| ok("from the proxy")).await;
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "a_plain_get_works"]).env_remove("NO_PROXY").env_remove("no_proxy");
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        child.env(name, format!("http://{}", proxy.address));
    }
    let output = tokio::task::spawn_blocking(move || child.output().unwrap()).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn a_bad_configuration_names_its_field() {
    let config = |per_host, user_agent: &str| FetchConfig {
        per_host,
        user_agent: user_agent.into(),
        ..FetchConfig::default()
    };
    for (config, field) in
        [(config(0, "x"), "per_host"), (config(10_001, "x"), "per_host"), (config(1, "x\ny"), "user_agent")]
    {
        let fault: BuildError = Fetcher::new(config).unwrap_err();
        assert!(fault.to_string().contains(field), "{fault}");
    }
}

/// A TLS server with a certificate nobody has signed. Says whether a handshake ever succeeded.
fn self_signed_server() -> (std::net::SocketAddr, std::thread::JoinHandle<bool>) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut session = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        while session.is_handshaking() {
            if session.complete_io(&mut stream).is_err() {
                return false;
            }
        }
        // TLS 1.3: the server is done before the client has judged; its answer is an alert.
        session.complete_io(&mut stream).is_ok()
            && session.process_new_packets().is_ok_and(|state| state.plaintext_bytes_to_read() > 0)
    });
    (address, server)
}

#[tokio::test]
async fn an_untrusted_certificate_is_refused_even_for_an_allowed_target() {
    let (address, server) = self_signed_server();
    let config = FetchConfig { allow: address.to_string().parse().unwrap(), ..FetchConfig::default() };
    let client = Fetcher::new(config).unwrap();
    let url = format!("https://{address}/").parse().unwrap();
    let (fetched, _) = get(&client, &url, bounds()).await;
    assert_eq!(fetched.result, Err(FetchError::Tls { fault: TlsFault::UntrustedIssuer }));
    assert!(!server.join().unwrap(), "no request was sent");
}
