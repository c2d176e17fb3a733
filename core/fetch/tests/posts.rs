//! Posting: the guard, the bounds, and what is kept of the answer. (Threat 7.)

mod support;

use std::time::Duration;

use hlsops_fetch::{FetchError, Fetcher, Phase, Post, PostError, Posted};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use support::{FakeLookup, Server, Step, ms, ok, redirect};
use url::Url;

async fn post(fetcher: &Fetcher, url: &Url, body: impl Into<bytes::Bytes>) -> Posted {
    fetcher.post(&Post { limit: ms(600), ..Post::new(url, body) }).await
}

fn answer(status: &str, body: &str) -> Vec<Step> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nRetry-After: 7\r\n\r\n{body}", body.len());
    vec![Step::Send(head.into_bytes())]
}

#[tokio::test]
async fn a_message_goes_out_once_with_its_headers() {
    let server = Server::start("127.0.0.1", |_| ok("thanks")).await;
    let client = support::fetcher(&[&server]);
    let url = server.url("/hook?token=a");
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("webhook-id", HeaderValue::from_static("evt.1"));
    let posted = client.post(&Post { headers, ..Post::new(&url, "{}") }).await;
    assert_eq!((posted.result, posted.status, &posted.answer[..]), (Ok(()), Some(200), &b"thanks"[..]));
    let heads = server.heads();
    assert!(heads[0].starts_with("post /hook?token=a http/1.1"), "{heads:?}");
    for line in ["content-length: 2", "content-type: application/json", "webhook-id: evt.1"] {
        assert!(heads[0].contains(line), "{line} in {heads:?}");
    }
    assert_eq!(heads.len(), 1, "{heads:?}");
}

#[tokio::test]
async fn anything_but_success_is_a_failure_and_redirects_are_not_followed() {
    let target = Server::start("127.0.0.1", |_| ok("")).await;
    let location = target.url("/elsewhere").to_string();
    let server = Server::start("127.0.0.1", move |path| match path {
        "/gone" => answer("410 Gone", "no more"),
        "/busy" => answer("503 Busy", "later"),
        "/not-modified" => answer("304 X", ""),
        _ => redirect(&location, ""),
    })
    .await;
    let client = support::fetcher(&[&server, &target]);
    for (path, status) in [("/gone", 410), ("/busy", 503), ("/not-modified", 304), ("/moved", 302)] {
        let posted = post(&client, &server.url(path), "{}").await;
        assert_eq!(posted.result, Err(FetchError::Refused { status }.into()), "{path}");
        assert_eq!(posted.status, Some(status), "{path}");
    }
    let busy = post(&client, &server.url("/busy"), "{}").await;
    assert_eq!((busy.headers.retry_after().as_deref(), &busy.answer[..]), (Some("7"), &b"later"[..]));
    assert_eq!(target.connections(), 0, "a redirect is a failure");
}

#[tokio::test]
async fn nothing_goes_to_a_private_address() {
    let server = Server::start("127.0.0.1", |_| ok("")).await;
    let port = server.address.port();
    let private = |posted: Posted| match posted.result {
        Err(PostError::Fetch(error)) => error.class() == "private_address",
        _ => false,
    };
    let closed = support::fetcher(&[]);
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "localhost"] {
        let url: Url = format!("http://{host}:{port}/").parse().unwrap();
        assert!(private(post(&closed, &url, "{}").await), "{host}");
    }
    let named = FakeLookup::default().name("hooks.example", &[&["93.184.216.34", "127.0.0.1"]]);
    let url: Url = format!("http://hooks.example:{port}/").parse().unwrap();
    assert!(private(post(&named.fetcher(""), &url, "{}").await), "one private address among them");
    assert_eq!(server.connections(), 0);
    assert!(closed.permits(&server.url("/")).is_err());
    assert!(closed.permits(&"ftp://example.com/".parse().unwrap()).is_err());
    let open = support::fetcher(&[&server]);
    assert_eq!(open.permits(&server.url("/")), Ok(()));
    assert_eq!(post(&open, &server.url("/"), "{}").await.result, Ok(()), "the control");
}

#[tokio::test]
async fn silence_ends_in_time_and_little_is_read_back() {
    let server = Server::start("127.0.0.1", |path| match path {
        "/silent" => vec![Step::Wait(Duration::from_secs(30))],
        "/drips" => {
            vec![support::head(""), Step::Send(b"some".to_vec()), Step::Wait(Duration::from_secs(30))]
        }
        _ => vec![support::head(""), Step::Repeat(vec![b'x'; 1_000], 100_000), Step::Close],
    })
    .await;
    let client = support::fetcher(&[&server]);
    let silent = post(&client, &server.url("/silent"), "{}").await;
    let Err(PostError::Fetch(FetchError::TimedOut { phase, .. })) = silent.result else {
        panic!("{silent:?}");
    };
    assert!(matches!(phase, Phase::FirstByte | Phase::Total));
    let drips = post(&client, &server.url("/drips"), "{}").await;
    assert_eq!((drips.result, &drips.answer[..]), (Ok(()), &b"some"[..]), "its head said 200");
    let endless = post(&client, &server.url("/endless"), "{}").await;
    assert_eq!((endless.result, endless.answer.len()), (Ok(()), Post::ANSWER));
    assert_eq!(client.busy_hosts(), 0, "every place was given back");
}

#[tokio::test]
async fn a_message_that_is_too_long_is_not_sent() {
    let server = Server::start("127.0.0.1", |_| ok("")).await;
    let client = support::fetcher(&[&server]);
    let posted = post(&client, &server.url("/"), vec![b'x'; Post::MAX_BODY + 1]).await;
    assert!(matches!(posted.result, Err(PostError::TooLong { .. })), "{posted:?}");
    assert_eq!(server.connections(), 0);
}
