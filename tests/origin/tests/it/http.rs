//! The origin over real connections on loopback.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hlsops_origin::{
    ControlError, Fault, FaultKind, Origin, OriginConfig, Outcome, Rendition, StreamSpec, TarpitMode, What,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::common::{Reply, get, send, small};

async fn origin() -> (Origin, SocketAddr) {
    let origin = Origin::start(OriginConfig::default()).await.unwrap();
    let address = origin.addresses()[0];
    (origin, address)
}

/// An origin with one stream `s` (muxed, TS, 2 s) that has this fault.
async fn faulty(fault: Fault) -> (Origin, SocketAddr) {
    let (origin, address) = origin().await;
    origin.add_stream("s", small()).unwrap();
    origin.set_fault("s", fault).unwrap();
    (origin, address)
}

/// The path of the newest segment `s` lists.
async fn newest(address: SocketAddr) -> String {
    let playlist = get(address, "/live/s/index.m3u8").await;
    format!("/live/s/{}", playlist.text().lines().last().unwrap())
}

async fn control(address: SocketAddr, method: &str, path: &str, body: &Value) -> Reply {
    send(address, method, path, &[], &body.to_string()).await
}

#[tokio::test]
async fn a_client_can_walk_from_master_to_media() {
    let (origin, address) = origin().await;
    let master = get(address, "/live/auto-7/master.m3u8").await;
    assert_eq!((master.status, master.whole), (200, true));
    assert_eq!(master.header("content-type"), "application/vnd.apple.mpegurl");
    assert_eq!(master.header("cache-control"), "no-cache, no-store");
    assert_eq!(master.header("access-control-allow-origin"), "*");
    assert!(master.header("date").ends_with("GMT"));
    for rendition in ["360p", "270p", "180p", "audio"] {
        assert!(master.text().contains(&format!("{rendition}/index.m3u8")));
        let playlist = get(address, &format!("/live/auto-7/{rendition}/index.m3u8")).await;
        let listed = m3u8_rs::parse_media_playlist_res(&playlist.body).unwrap();
        assert_eq!(listed.segments.len(), 6);
        for segment in listed.segments {
            let reply = get(address, &format!("/live/auto-7/{rendition}/{}", segment.uri)).await;
            assert_eq!((reply.status, reply.whole, reply.body[0]), (200, true, 0x47));
            assert_eq!(reply.header("content-type"), "video/mp2t");
        }
    }
    assert_eq!(origin.url("auto-7"), format!("http://{address}/live/auto-7/master.m3u8"));
    assert_eq!(origin.streams(), ["auto-7"]);
    assert_eq!(origin.ledger("auto-7").len(), 1 + 4 * 7);
}

#[tokio::test]
async fn head_ranges_and_what_is_not_there() {
    let (origin, address) = origin().await;
    origin.add_stream("s", small()).unwrap();
    let path = newest(address).await;
    let whole = get(address, &path).await;
    let head = send(address, "HEAD", &path, &[], "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), whole.body.len().to_string());
    let part = send(address, "GET", &path, &[("Range", "bytes=188-375")], "").await;
    assert_eq!((part.status, &part.body[..]), (206, &whole.body[188..376]));
    assert_eq!(part.header("content-range"), format!("bytes 188-375/{}", whole.body.len()));
    let beyond = send(address, "GET", &path, &[("Range", "bytes=99999999-")], "").await;
    assert_eq!(beyond.status, 416);
    for missing in ["/live/nobody/master.m3u8", "/live/s/master.m3u8", "/live/s/seg-999999.ts", "/live/s/x"] {
        assert_eq!(get(address, missing).await.status, 404, "{missing}");
    }
    assert_eq!(send(address, "OPTIONS", &path, &[], "").await.status, 204);
    assert_eq!(send(address, "POST", &path, &[], "").await.status, 405);
    let statuses: Vec<(u16, Outcome)> =
        origin.ledger("s").iter().skip(1).map(|entry| (entry.status, entry.outcome)).collect();
    let done = |status| (status, Outcome::Finished);
    assert_eq!(statuses, [200, 200, 206, 416, 404, 404, 404].map(done));
}

#[tokio::test]
async fn all_addresses_serve_the_same_streams() {
    let listen = (1..=50).map(|n| SocketAddr::from(([127, 0, 0, n], 0))).collect();
    let origin = Origin::start(OriginConfig { listen, demo: false }).await.unwrap();
    origin.add_stream("s", small()).unwrap();
    assert_eq!(origin.addresses().len(), 50);
    for (n, address) in origin.addresses().iter().enumerate() {
        assert_eq!(get(*address, "/live/s/index.m3u8").await.status, 200);
        assert_eq!(origin.url_at(n, "s"), format!("http://{address}/live/s/index.m3u8"));
    }
    assert_eq!(origin.ledger("s").len(), 50);
}

#[tokio::test]
async fn truncated_means_announced_and_cut() {
    let (origin, address) = faulty(Fault::new(FaultKind::SegmentTruncated)).await;
    let path = newest(address).await;
    let reply = get(address, &path).await;
    assert_eq!((reply.status, reply.whole), (200, false));
    let announced: usize = reply.header("content-length").parse().unwrap();
    assert!(!reply.body.is_empty() && reply.body.len() <= announced / 2);
    let last = origin.ledger("s").pop().unwrap();
    assert_eq!((last.fault, last.outcome), (Some("segment_truncated"), Outcome::Aborted));
}

#[tokio::test]
async fn slow_takes_as_long_as_it_says() {
    let (origin, address) = faulty(Fault::new(FaultKind::SegmentSlow { speed_ratio: 4.0 })).await;
    let path = newest(address).await;
    let started = Instant::now();
    let reply = get(address, &path).await;
    let took = started.elapsed();
    assert!(reply.whole);
    assert!((480..5_000).contains(&took.as_millis()), "2 s at 4 times real time took {took:?}");
    let last = origin.ledger("s").pop().unwrap();
    assert_eq!((last.fault, last.outcome), (Some("segment_slow"), Outcome::Finished));
    assert!(last.done_ms.unwrap() - last.at_ms >= 450);
}

#[tokio::test]
async fn hanging_requests_are_open_until_the_client_goes() {
    let (origin, address) = faulty(Fault::new(FaultKind::SegmentHang)).await;
    let path = newest(address).await;
    let waited = tokio::time::timeout(Duration::from_millis(200), get(address, &path)).await;
    assert!(waited.is_err(), "it answered");
    let outcome = async |wanted| {
        for _ in 0..50 {
            let last = origin.ledger("s").pop().unwrap();
            if last.outcome == wanted {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("never {wanted:?}");
    };
    let last = outcome(Outcome::Aborted).await;
    assert_eq!((last.status, last.bytes, last.fault), (0, 0, Some("segment_hang")));
    assert_eq!(get(address, "/live/s/index.m3u8").await.status, 200, "others are served meanwhile");
}

#[tokio::test]
async fn a_tarpit_drips() {
    let (origin, address) = faulty(Fault::new(FaultKind::Tarpit(TarpitMode::Drip))).await;
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(b"GET /live/s/index.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut seen = Vec::new();
    let _ = tokio::time::timeout(Duration::from_millis(1_300), socket.read_to_end(&mut seen)).await;
    assert!(!seen.is_empty() && b"HT".starts_with(&seen), "one byte at once, one after a second: {seen:?}");
    assert!(origin.first_faulty("s").is_some());
}

#[tokio::test]
async fn redirects_gzip_and_wrong_content() {
    let (origin, address) = faulty(Fault::new(FaultKind::Redirect)).await;
    let moved = get(address, "/live/s/index.m3u8").await;
    assert_eq!((moved.status, moved.header("location")), (302, "/moved/s/index.m3u8"));
    let playlist = get(address, "/moved/s/index.m3u8").await;
    let name = playlist.text().lines().last().unwrap().to_owned();
    assert_eq!(get(address, &format!("/moved/s/{name}")).await.status, 200, "relative names work there too");
    origin.clear_faults("s").unwrap();

    origin.set_fault("s", Fault::new(FaultKind::Gzip)).unwrap();
    let packed = get(address, "/live/s/index.m3u8").await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.whole && packed.unzipped().starts_with("#EXTM3U\n"));
    origin.add_stream("polite", StreamSpec { gzip: true, ..small() }).unwrap();
    let plain = get(address, "/live/polite/index.m3u8").await;
    assert!(plain.text().starts_with("#EXTM3U\n") && plain.header("vary") == "Accept-Encoding");
    let accepts = [("Accept-Encoding", "br;q=1.0, gzip;q=0.8")];
    let packed = send(address, "GET", "/live/polite/index.m3u8", &accepts, "").await;
    assert!(packed.unzipped().starts_with("#EXTM3U\n"));
    origin.clear_faults("s").unwrap();

    let path = newest(address).await;
    origin.set_fault("s", Fault::new(FaultKind::WrongContent)).unwrap();
    let page = get(address, &path).await;
    assert_eq!((page.status, page.header("content-type")), (200, "video/mp2t"));
    assert!(page.text().contains("Please sign in"));
}

#[tokio::test]
async fn faults_by_http_show_at_once_and_are_reported() {
    let (origin, address) = origin().await;
    let made = control(address, "PUT", "/control/x1", &json!({"container": "fmp4", "segment_s": 2})).await;
    assert_eq!((made.status, made.json()["spec"]["layout"].as_str()), (200, Some("master")));
    let body = json!({"kind": "playlist_404", "rendition": "270p", "for_s": 60});
    let set = control(address, "PUT", "/control/x1/fault", &body).await;
    assert_eq!(set.status, 200, "{}", set.text());
    assert_eq!(set.json()["expected"]["health"], "DEGRADED");
    assert_eq!(get(address, "/live/x1/270p/index.m3u8").await.status, 404);
    assert_eq!(get(address, "/live/x1/360p/index.m3u8").await.status, 200);
    assert_eq!(get(address, "/live/x1/360p/init.mp4").await.header("content-type"), "video/mp4");

    let served = get(address, "/control/x1/served").await.json();
    assert_eq!(served["entries"].as_array().unwrap().len(), 3);
    let entry = &served["entries"][0];
    assert_eq!(
        (&entry["rendition"], &entry["status"], &entry["fault"], &entry["faulty"], &entry["outcome"]),
        (&json!("270p"), &json!(404), &json!("playlist_404"), &json!(true), &json!("finished"))
    );
    assert_eq!(served["first_faulty_ms"].as_u64(), origin.first_faulty("x1"));
    assert_eq!(entry["at_ms"].as_u64(), origin.first_faulty("x1"));
    let later = get(address, &format!("/control/x1/served?since={}", u64::MAX)).await.json();
    assert_eq!(later["entries"], json!([]));

    let cleared = control(address, "PUT", "/control/x1/fault", &json!({"kind": "recovery"})).await.json();
    assert_eq!((&cleared["faults"], &cleared["expected"]["health"]), (&json!([]), &json!("HEALTHY")));
    assert_eq!(get(address, "/live/x1/270p/index.m3u8").await.status, 200);
    control(address, "PUT", "/control/x1/fault", &json!({"kind": "flapping", "period_s": 5})).await;
    assert_eq!(get(address, "/live/x1/270p/index.m3u8").await.status, 503);
    assert_eq!(send(address, "DELETE", "/control/x1/fault", &[], "").await.status, 200);
    assert_eq!(get(address, "/live/x1/270p/index.m3u8").await.status, 200);
    assert_eq!(get(address, "/control").await.json()["streams"][0]["name"], "x1");
    assert_eq!(send(address, "DELETE", "/control/x1", &[], "").await.status, 204);
    assert_eq!(get(address, "/control/x1").await.status, 404);
}

#[tokio::test]
async fn control_errors_name_the_field_and_what_it_may_be() {
    let (_origin, address) = origin().await;
    let cases = [
        ("/control/s", json!({"segment_s": 3}), "segment_s", "2"),
        ("/control/s", json!({"window_segments": 2}), "window_segments", "a whole number from 3 to 100"),
        ("/control/s", json!({"layout": "vod"}), "layout", "master"),
        ("/control/s", json!({"colour": 1}), "colour", "layout"),
        ("/control/auto-1/fault", json!({}), "kind", "segment_403"),
        ("/control/auto-1/fault", json!({"kind": "segment_418"}), "kind", "segment_403"),
        ("/control/auto-1/fault", json!({"kind": "end", "colour": 1}), "colour", "kind"),
        ("/control/auto-1/fault", json!({"kind": "end", "rendition": "720p"}), "rendition", "360p"),
        (
            "/control/auto-1/fault",
            json!({"kind": "end", "for_s": -1}),
            "for_s",
            "a number from 0.1 to 604800",
        ),
        (
            "/control/auto-1/fault",
            json!({"kind": "jump", "by": 1}),
            "by",
            "a whole number from 14 to 1099511627776",
        ),
        ("/control/auto-1/fault", json!({"kind": "jump", "rendition": "audio"}), "rendition", "kind"),
        ("/control/auto-1/fault", json!({"kind": "tarpit", "mode": "mud"}), "mode", "drip"),
        ("/control/auto-1/fault", json!({"kind": "gzip", "on": "init"}), "on", "kind"),
        (
            "/control/auto-1/fault",
            json!({"kind": "flapping", "fault": {"kind": "jump"}}),
            "fault.kind",
            "segment_403",
        ),
        ("/control/auto-1/fault", json!([]), "body", "a JSON object"),
    ];
    for (path, body, field, allowed) in cases {
        let reply = control(address, "PUT", path, &body).await;
        assert_eq!(reply.status, 400, "{body}");
        assert_eq!(reply.header("content-type"), "application/problem+json");
        let problem = reply.json();
        assert_eq!(problem["field"], field, "{body}: {problem}");
        assert_eq!(problem["allowed"][0], allowed, "{body}: {problem}");
    }
    assert_eq!(control(address, "PUT", "/control/nobody/fault", &json!({"kind": "end"})).await.status, 404);
    assert_eq!(control(address, "PUT", "/control/no.dots", &json!({})).await.status, 400);
    assert_eq!(get(address, "/control/auto-1/served?since=yesterday").await.json()["field"], "since");
}

#[tokio::test]
async fn the_demo_serves_nine_streams() {
    let origin = Origin::start(OriginConfig { demo: true, ..OriginConfig::default() }).await.unwrap();
    let address = origin.addresses()[0];
    assert_eq!(origin.streams().len(), 9);
    for row in &hlsops_origin::DEMO {
        assert_eq!(get(address, &row.spec.entry_path(row.id)).await.status, 200, "{}", row.id);
        let shown = get(address, &format!("/control/{}", row.id)).await.json();
        assert_eq!(shown["demo"]["why"], row.why);
    }
    assert_eq!(get(address, "/live/dead-variant/270p/index.m3u8").await.status, 404);
    assert_eq!(get(address, "/live/unavailable/360p/index.m3u8").await.status, 503);
}

#[tokio::test]
async fn stopping_closes_sockets_and_connections() {
    let mut fault = Fault::new(FaultKind::Tarpit(TarpitMode::Silence));
    fault.on = Some(What::Playlist);
    let (origin, address) = faulty(fault).await;
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(b"GET /live/s/index.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    origin.stop().await;
    let read = tokio::time::timeout(Duration::from_secs(2), socket.read_to_end(&mut Vec::new())).await;
    assert!(read.is_ok(), "the waiting connection ended");
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    let again = Origin::start(OriginConfig { listen: vec![address], demo: false }).await;
    assert!(again.is_ok(), "the port is free again");
}

#[tokio::test]
async fn mistakes_in_rust_are_errors_too() {
    let (origin, address) = origin().await;
    let fault = Fault::new(FaultKind::End).rendition(Rendition::V360);
    assert_eq!(origin.set_fault("nobody", fault), Err(ControlError::NoSuchStream));
    assert_eq!(origin.first_faulty("nobody"), None);
    let taken = Origin::start(OriginConfig { listen: vec![address], demo: false }).await;
    assert!(taken.is_err_and(|error| error.to_string() == format!("cannot listen on {address}")));
}

#[tokio::test]
async fn first_requests_at_once_make_one_stream() {
    let (origin, address) = origin().await;
    let replies = (0..20).map(|_| tokio::spawn(get(address, "/live/auto-1/360p/index.m3u8")));
    for reply in replies.collect::<Vec<_>>() {
        assert_eq!(reply.await.unwrap().status, 200);
    }
    assert_eq!(origin.ledger("auto-1").len(), 20);
}
