//! The address guard: what is not public is refused before anything connects, and the same
//! target, once allowed, is reached. (Threats 1 to 4.)

mod support;

use hlsops_fetch::{AllowList, Bounds, FetchConfig, FetchError, Fetcher, Get, Session};
use support::{FakeLookup, Server, get, ms, ok, redirect};
use url::Url;

/// What the positive control can show on this machine.
#[derive(Clone, Copy, PartialEq)]
enum Reached {
    /// Our listener gets a connection.
    Listener,
    /// No listener can stand there, but the connector is asked to connect.
    Attempt,
}
use Reached::{Attempt, Listener};

/// Spellings of addresses that are not public, as they stand in a URL.
const SPELLINGS: &[(&str, Reached)] = &[
    ("127.0.0.1", Listener),
    ("127.0.0.2", Listener),
    ("127.1", Listener),
    ("127.0.1", Listener),
    ("127.255.255.254", Listener),
    ("127.0.0.1.", Listener),
    ("2130706433", Listener),
    ("0x7f000001", Listener),
    ("0x7F.0.0.1", Listener),
    ("0x7f.1", Listener),
    ("0x7f.0x0.0x0.0x1", Listener),
    ("017700000001", Listener),
    ("0177.0.0.1", Listener),
    ("0177.0.0.01", Listener),
    ("00000177.0.0.1", Listener),
    ("0177.1", Listener),
    ("127.0x0.1", Listener),
    ("%31%32%37.0.0.1", Listener),
    ("127%2e0%2e0%2e1", Listener),
    ("１２７.0.0.1", Listener),
    ("①②⑦.0.0.1", Listener),
    ("127。0。0。1", Listener),
    ("0.0.0.0", Listener),
    ("0", Listener),
    ("0x0", Listener),
    ("user:secret@127.0.0.1", Listener),
    ("public.example@127.0.0.1", Listener),
    ("0.1.2.3", Attempt),
    ("10.0.0.1", Attempt),
    ("10.255.255.255", Attempt),
    ("167772161", Attempt),
    ("0xa.1", Attempt),
    ("012.0.0.1", Attempt),
    ("172.16.0.1", Attempt),
    ("172.31.255.254", Attempt),
    ("192.168.0.1", Attempt),
    ("0xc0a80001", Attempt),
    ("3232235521", Attempt),
    ("169.254.169.254", Attempt),
    ("2852039166", Attempt),
    ("0xa9fea9fe", Attempt),
    ("0251.0376.0251.0376", Attempt),
    ("100.64.0.1", Attempt),
    ("100.127.255.254", Attempt),
    ("192.0.0.8", Attempt),
    ("192.0.2.1", Attempt),
    ("198.18.0.1", Attempt),
    ("198.51.100.1", Attempt),
    ("203.0.113.1", Attempt),
    ("224.0.0.1", Attempt),
    ("239.255.255.250", Attempt),
    ("240.0.0.1", Attempt),
    ("255.255.255.255", Attempt),
    ("[::1]", Attempt),
    ("[0:0:0:0:0:0:0:1]", Attempt),
    ("[::]", Attempt),
    ("[::127.0.0.1]", Attempt),
    ("[::ffff:127.0.0.1]", Attempt),
    ("[::ffff:7f00:1]", Attempt),
    ("[0:0:0:0:0:ffff:7f00:0001]", Attempt),
    ("[::ffff:10.0.0.1]", Attempt),
    ("[::ffff:169.254.169.254]", Attempt),
    ("[fc00::1]", Attempt),
    ("[fd12:3456:789a::1]", Attempt),
    ("[fe80::1]", Attempt),
    ("[fec0::1]", Attempt),
    ("[ff02::1]", Attempt),
    ("[2001:db8::1]", Attempt),
    ("[64:ff9b::7f00:1]", Attempt),
    ("[64:ff9b::169.254.169.254]", Attempt),
    ("[64:ff9b:1::a00:1]", Attempt),
    ("[2002:7f00:1::]", Attempt),
    ("[2001:0:7f00:1::]", Attempt),
    ("[100::1]", Attempt),
    ("[fd00:ec2::254]", Attempt),
];

fn quick() -> Bounds {
    Bounds { connect: ms(2_000), ..Bounds::playlist(None) }
}

#[tokio::test]
async fn no_spelling_of_a_private_address_is_connected_to_unless_allowed() {
    let server = Server::start("0.0.0.0", |_| ok("#EXTM3U")).await;
    let port = server.address.port();
    let url = |spelling: &str| -> Url {
        format!("http://{spelling}:{port}/x.m3u8")
            .parse()
            .unwrap_or_else(|fault| panic!("{spelling}: {fault}"))
    };
    let mut allow = AllowList::default();
    for (spelling, _) in SPELLINGS {
        allow.insert(url(spelling).host_str().unwrap(), port).unwrap();
    }
    let closed = Fetcher::new(FetchConfig::default()).unwrap();
    let open = Fetcher::new(FetchConfig { allow, ..FetchConfig::default() }).unwrap();
    for (row, (spelling, reached)) in (0..).zip(SPELLINGS) {
        let (url, session) = (url(spelling), Session::new());
        // The attempt is counted before the time runs; nothing answers, so it need not be long.
        let connect = if *reached == Listener { ms(2_000) } else { ms(20) };
        let request = Get {
            url: &url,
            session: &session,
            range: None,
            bounds: Bounds { connect, ..quick() },
            fresh_connection: true,
        };

        let before = server.connections();
        let refused = closed.get(&request, &mut |_| ()).await;
        assert!(
            matches!(refused.result, Err(FetchError::PrivateAddress { .. })),
            "{spelling}: {:?}",
            refused.result
        );
        assert_eq!(closed.connect_attempts(), 0, "{spelling}");
        assert_eq!(server.connections(), before, "{spelling}");

        let control = open.get(&request, &mut |_| ()).await;
        assert_eq!(open.connect_attempts(), row + 1, "{spelling}: {:?}", control.result);
        if *reached == Listener {
            assert_eq!(control.result, Ok(()), "{spelling}");
            assert_eq!(server.connections(), before + 1, "{spelling}");
        }
    }
}

#[tokio::test]
async fn an_allowed_port_opens_no_other_port_and_no_other_spelling_of_a_name() {
    let (one, two) =
        (Server::start("127.0.0.1", |_| ok("")).await, Server::start("127.0.0.1", |_| ok("")).await);
    let client = support::fetcher(&[&one]);
    assert_eq!(get(&client, &one.url("/"), quick()).await.0.result, Ok(()));
    let (other, _) = get(&client, &two.url("/"), quick()).await;
    assert!(matches!(other.result, Err(FetchError::PrivateAddress { .. })), "{:?}", other.result);
    assert_eq!((one.connections(), two.connections()), (1, 0));
}

#[tokio::test]
async fn only_http_and_https_are_fetched() {
    let client = Fetcher::new(FetchConfig::default()).unwrap();
    for url in [
        "file:///etc/passwd",
        "ftp://example.org/x",
        "gopher://127.0.0.1:70/",
        "data:text/plain,x",
        "javascript:1",
        "ws://example.org/",
    ] {
        let (fetched, _) = get(&client, &url.parse().unwrap(), quick()).await;
        assert!(matches!(fetched.result, Err(FetchError::Scheme { .. })), "{url}: {:?}", fetched.result);
    }
    assert_eq!(client.connect_attempts(), 0);
}

#[tokio::test]
async fn a_name_is_refused_if_any_of_its_addresses_is_private() {
    let server = Server::start("127.0.0.1", |_| ok("")).await;
    let port = server.address.port();
    for answer in [
        &["127.0.0.1"][..],
        &["10.0.0.1"],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["fd00::1"],
        &["64:ff9b::7f00:1"],
        &["8.8.8.8", "127.0.0.1"],
        &["127.0.0.1", "8.8.8.8"],
        &["8.8.8.8", "2001:4860:4860::8888", "169.254.169.254"],
    ] {
        let lookup = FakeLookup::default().name("sneaky.example", &[answer]);
        let url: Url = format!("http://sneaky.example:{port}/").parse().unwrap();
        let closed = lookup.fetcher("");
        let (refused, _) = get(&closed, &url, quick()).await;
        assert!(
            matches!(refused.result, Err(FetchError::PrivateAddress { .. })),
            "{answer:?}: {:?}",
            refused.result
        );
        assert_eq!(closed.connect_attempts(), 0, "{answer:?}");
        let message = refused.result.unwrap_err().to_string();
        assert!(!answer.iter().any(|ip| message.contains(ip)), "the message tells addresses: {message}");
    }
    assert_eq!(server.connections(), 0);

    // The control: the same name and answer, allowed, reaches the listener.
    let lookup = FakeLookup::default().name("sneaky.example", &[&["127.0.0.1"]]);
    let open = lookup.fetcher(&format!("sneaky.example:{port}"));
    let url: Url = format!("http://sneaky.example:{port}/").parse().unwrap();
    assert_eq!(get(&open, &url, quick()).await.0.result, Ok(()));
    assert_eq!((open.connect_attempts(), server.connections()), (1, 1));
}

#[tokio::test]
async fn the_name_localhost_is_refused_with_the_systems_resolver() {
    let server = Server::start("127.0.0.1", |_| ok("")).await;
    let url: Url = format!("http://localhost:{}/", server.address.port()).parse().unwrap();
    let client = support::fetcher(&[&server]);
    let (fetched, _) = get(&client, &url, quick()).await;
    assert!(matches!(fetched.result, Err(FetchError::PrivateAddress { .. })), "{:?}", fetched.result);
    assert_eq!((client.connect_attempts(), server.connections()), (0, 0));
}

#[tokio::test]
async fn an_answer_that_changes_after_the_check_is_not_used() {
    // 2d00::/8 is public by the table, and nobody has it: the attempt is made and leads nowhere.
    let server = Server::start("127.0.0.1", |_| ok("")).await;
    let url: Url = format!("http://rebind.example:{}/", server.address.port()).parse().unwrap();
    let lookup = FakeLookup::default().name("rebind.example", &[&["2d00::1"], &["127.0.0.1"]]);
    let client = lookup.fetcher("");
    let limits = Bounds { connect: ms(400), ..quick() };
    let (first, _) = get(&client, &url, limits).await;
    assert!(!matches!(first.result, Ok(()) | Err(FetchError::PrivateAddress { .. })), "{:?}", first.result);
    assert_eq!(client.connect_attempts(), 1, "the first answer was public and was tried");
    let (second, _) = get(&client, &url, limits).await;
    assert!(matches!(second.result, Err(FetchError::PrivateAddress { .. })), "{:?}", second.result);
    assert_eq!((client.connect_attempts(), server.connections()), (1, 0));
}

#[tokio::test]
async fn the_address_connected_to_is_the_address_checked() {
    let server = Server::start("0.0.0.0", |_| ok("")).await;
    let port = server.address.port();
    let lookup = FakeLookup::default().name("two.example", &[&["127.0.0.5"], &["127.0.0.6"]]);
    let client = lookup.fetcher(&format!("two.example:{port}"));
    let url: Url = format!("http://two.example:{port}/").parse().unwrap();
    let (fetched, _) = get(&client, &url, quick()).await;
    assert_eq!(fetched.remote.unwrap().ip().to_string(), "127.0.0.5");
    assert_eq!(
        lookup.lookups.load(std::sync::atomic::Ordering::SeqCst),
        1,
        "one look-up for check and connect"
    );
}

#[tokio::test]
async fn a_redirect_is_checked_like_a_first_request() {
    let inside = Server::start("0.0.0.0", |_| ok("secret")).await;
    let port = inside.address.port();
    for host in
        ["127.0.0.1", "2130706433", "0x7f.1", "0.0.0.0", "[::ffff:127.0.0.1]", "inside.example", "[::1]"]
    {
        let location = format!("http://{host}:{port}/");
        let target = location.clone();
        let outside = Server::start("127.0.0.1", move |_| redirect(&target, "")).await;
        let allowed = format!("127.0.0.1:{}", outside.address.port());
        let lookup = FakeLookup::default().name("inside.example", &[&["127.0.0.1"]]);
        let client = lookup.fetcher(&allowed);
        let (fetched, body) = get(&client, &outside.url("/"), quick()).await;
        assert!(
            matches!(fetched.result, Err(FetchError::PrivateAddress { .. })),
            "{location}: {:?}",
            fetched.result
        );
        assert_eq!((client.connect_attempts(), inside.connections()), (1, 0), "{location}");
        assert_eq!((outside.connections(), body.len()), (1, 0), "{location}");
    }
    let location = format!("http://127.0.0.1:{port}/");
    let outside = Server::start("127.0.0.1", move |_| redirect(&location, "")).await;
    let both = format!("127.0.0.1:{},127.0.0.1:{port}", outside.address.port());
    let (fetched, body) = get(&FakeLookup::default().fetcher(&both), &outside.url("/"), quick()).await;
    assert_eq!(
        (fetched.result, body.as_slice(), inside.connections()),
        (Ok(()), &b"secret"[..], 1),
        "the control"
    );
}

#[tokio::test]
async fn a_redirect_to_another_scheme_is_refused() {
    for location in
        ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:6379/_", "javascript:1", "data:,x"]
    {
        let server = Server::start("127.0.0.1", move |_| redirect(location, "")).await;
        let (fetched, _) = get(&support::fetcher(&[&server]), &server.url("/"), quick()).await;
        assert!(matches!(fetched.result, Err(FetchError::Scheme { .. })), "{location}: {:?}", fetched.result);
    }
}
