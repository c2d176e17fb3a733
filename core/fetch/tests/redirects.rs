//! Redirects: how many, where to, and what goes along. (Threats 4 and 6.)
#![expect(clippy::unwrap_used, reason = "helpers of tests stand outside test functions")]

mod support;

use hlsops_fetch::{Bounds, FetchError, Fetched, HeaderHosts, Session};
use http::header::{HeaderMap, HeaderValue};
use support::{Server, get, get_as, ok, redirect};

/// A server where `/n` redirects to `/n-1`, and `/0` is the end.
async fn countdown() -> Server {
    Server::start("127.0.0.1", |path| match path.trim_start_matches('/').parse::<u32>() {
        Ok(0) => ok("end"),
        Ok(n) => redirect(&format!("/{}#part", n - 1), ""),
        Err(_) => ok("?"),
    })
    .await
}

#[tokio::test]
async fn five_redirects_are_followed_and_six_are_not() {
    let server = countdown().await;
    let client = support::fetcher(&[&server]);
    for (first, expected, redirects) in [
        (0, Ok(()), 0),
        (1, Ok(()), 1),
        (5, Ok(()), 5),
        (6, Err(FetchError::TooManyRedirects { limit: 5 }), 5),
        (20, Err(FetchError::TooManyRedirects { limit: 5 }), 5),
    ] {
        let before = server.heads().len();
        let (fetched, body) = get(&client, &server.url(&format!("/{first}")), Bounds::playlist(None)).await;
        assert_eq!((fetched.result.clone(), fetched.redirects), (expected, redirects), "{first}");
        assert_eq!(server.heads().len() - before, usize::from(redirects) + 1, "{first}");
        if fetched.result.is_ok() {
            assert_eq!((fetched.final_url, body.as_slice()), (server.url("/0"), &b"end"[..]));
        }
    }
    assert_eq!(server.connections(), 1, "redirects reuse the connection");
}

#[tokio::test]
async fn a_circle_is_told_from_a_session_cookie() {
    let server = Server::start("127.0.0.1", |path| match path {
        "/self" => redirect("/self", ""),
        "/a" => redirect("/b", ""),
        "/b" => redirect("/a#again", ""),
        "/always-a-cookie" => redirect("/always-a-cookie", "Set-Cookie: s=1\r\n"),
        _ => ok(""),
    })
    .await;
    let client = support::fetcher(&[&server]);
    let result = async |path: &str| get(&client, &server.url(path), Bounds::playlist(None)).await.0.result;
    assert_eq!(result("/self").await, Err(FetchError::RedirectLoop));
    assert_eq!(result("/a").await, Err(FetchError::RedirectLoop));
    assert_eq!(result("/always-a-cookie").await, Err(FetchError::TooManyRedirects { limit: 5 }));
}

#[tokio::test]
async fn a_redirect_that_leads_nowhere_is_bad() {
    for location in
        ["", "Location: http://\r\n", "Location: \u{fffd}\u{0080}\r\n", "Location: http://[::1\r\n"]
    {
        let answer = format!("HTTP/1.1 301 X\r\n{location}Content-Length: 0\r\n\r\n");
        let server = Server::start("127.0.0.1", move |path| match path {
            "/" => vec![support::Step::Send(answer.clone().into_bytes())],
            _ => vec![support::Step::Send(b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n".to_vec())],
        })
        .await;
        let (fetched, _) = get(&support::fetcher(&[&server]), &server.url("/"), Bounds::playlist(None)).await;
        let refused =
            matches!(fetched.result, Err(FetchError::BadRedirect | FetchError::Refused { status: 404 }));
        assert!(refused, "{location:?}: {:?}", fetched.result);
    }
    let long = format!("/{}", "x".repeat(9_000));
    let server = Server::start("127.0.0.1", move |_| redirect(&long, "")).await;
    let (fetched, _) = get(&support::fetcher(&[&server]), &server.url("/"), Bounds::playlist(None)).await;
    assert_eq!(fetched.result, Err(FetchError::BadRedirect));
}

/// A custom header, a custom cookie and a custom user agent, for one server's host and port.
fn secrets(server: &Server) -> Session {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_static("Bearer canary"));
    headers.insert("cookie", HeaderValue::from_static("custom=canary"));
    headers.insert("user-agent", HeaderValue::from_static("canary-player"));
    Session::with_headers(headers, HeaderHosts::of(&server.url("/"))).unwrap()
}

/// Fetches `/` of the first server with its secrets; all servers may be fetched.
async fn fetch_with_secrets(servers: &[&Server]) -> Fetched {
    let client = support::fetcher(servers);
    get_as(&client, &servers[0].url("/"), Bounds::playlist(None), &secrets(servers[0])).await.0
}

#[tokio::test]
async fn headers_and_cookies_are_dropped_on_host_change() {
    let foreign = Server::start("127.0.0.2", |_| ok("end")).await;
    let target = foreign.url("/").to_string();
    let home = Server::start("127.0.0.1", move |path| match path {
        "/" => redirect("/again", "Set-Cookie: jar=canary; Path=/\r\n"),
        _ => redirect(&target, ""),
    })
    .await;
    let fetched = fetch_with_secrets(&[&home, &foreign]).await;
    assert_eq!((fetched.result, fetched.redirects), (Ok(()), 2));
    let heads = home.heads();
    assert!(
        heads.iter().all(|head| head.contains("bearer canary") && head.contains("canary-player")),
        "{heads:?}"
    );
    assert!(!heads[0].contains("jar=canary"), "{heads:?}");
    assert!(heads[1].contains("custom=canary") && heads[1].contains("jar=canary"), "the control: {heads:?}");
    let seen = foreign.heads().concat();
    assert!(seen.contains("get / http/1.1") && seen.contains("hlsops/"), "{seen}");
    assert!(!seen.contains("canary") && !seen.contains("referer"), "{seen}");
}

#[tokio::test]
async fn another_port_is_another_host() {
    let foreign = Server::start("127.0.0.1", |_| ok("end")).await;
    let target = foreign.url("/").to_string();
    let home = Server::start("127.0.0.1", move |_| redirect(&target, "")).await;
    assert_eq!(fetch_with_secrets(&[&home, &foreign]).await.result, Ok(()));
    assert!(!foreign.heads().concat().contains("canary"), "{:?}", foreign.heads());
}

#[tokio::test]
async fn headers_stay_dropped_after_a_foreign_hop() {
    // The foreign host sends us back to a path of its choice.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let back = format!("http://127.0.0.1:{port}/chosen");
    let foreign = Server::start("127.0.0.2", move |_| redirect(&back, "")).await;
    let target = foreign.url("/").to_string();
    let home = Server::start_at(&format!("127.0.0.1:{port}"), move |path| match path {
        "/" => redirect(&target, ""),
        _ => ok("end"),
    })
    .await;
    let fetched = fetch_with_secrets(&[&home, &foreign]).await;
    assert_eq!((fetched.result, fetched.redirects), (Ok(()), 2));
    let heads = home.heads();
    assert!(heads[0].contains("canary"), "the control: {heads:?}");
    assert!(heads[1].contains("/chosen") && !heads[1].contains("canary"), "{heads:?}");
}

#[tokio::test]
async fn headers_go_to_every_listed_host() {
    let second = Server::start("127.0.0.2", |_| ok("end")).await;
    let target = second.url("/").to_string();
    let first = Server::start("127.0.0.1", move |_| redirect(&target, "")).await;
    let mut headers = HeaderMap::new();
    headers.insert("x-token", HeaderValue::from_static("canary"));
    let hosts = HeaderHosts::parse(&format!("{},{}", first.address, second.address)).unwrap();
    let session = Session::with_headers(headers, hosts).unwrap();
    let client = support::fetcher(&[&first, &second]);
    let (fetched, _) = get_as(&client, &first.url("/"), Bounds::playlist(None), &session).await;
    assert_eq!(fetched.result, Ok(()));
    assert!(second.heads().concat().contains("canary"), "{:?}", second.heads());
}

#[tokio::test]
async fn cookies_live_as_long_as_their_session_and_in_no_other() {
    let server = Server::start("127.0.0.1", |path| match path {
        "/set" => vec![support::Step::Send(
            b"HTTP/1.1 200 OK\r\nSet-Cookie: k=canary; Path=/\r\nContent-Length: 0\r\n\r\n".to_vec(),
        )],
        _ => ok(""),
    })
    .await;
    let client = support::fetcher(&[&server]);
    let (one, two) = (Session::new(), Session::new());
    for (path, session, expected) in
        [("/set", &one, false), ("/x", &one, true), ("/x", &two, false), ("/y", &one, true)]
    {
        get_as(&client, &server.url(path), Bounds::playlist(None), session).await;
        let head = server.heads().pop().unwrap();
        assert_eq!(head.contains("cookie: k=canary"), expected, "{head}");
    }
}
