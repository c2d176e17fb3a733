//! Bodies: what is handed on, and where each bound stops it. (Threats 9, 10, 13.)
#![expect(clippy::unwrap_used, reason = "helpers of tests stand outside test functions")]

mod support;

use std::io::Write;
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;
use hlsops_fetch::{Bounds, Coding, FetchError, Fetcher, Get, Session};
use support::{Server, Step, get, head, ms, ok};

const CAP: u64 = 8 << 20;

async fn serve(steps: Vec<Step>) -> (Server, Fetcher) {
    let server = Server::start("127.0.0.1", move |_| steps.clone()).await;
    let client = support::fetcher(&[&server]);
    (server, client)
}

#[track_caller]
fn assert_stopped(result: Result<(), FetchError>, expected: FetchError) {
    assert_eq!(result, Err(expected));
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// Resident memory at its highest, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

async fn assert_bomb_is_stopped(coding: &str, bomb: Vec<u8>, times: u64) {
    let wire_total = bomb.len() as u64 * times;
    let steps = vec![
        head(&format!("Content-Encoding: {coding}\r\nContent-Length: {wire_total}\r\n")),
        Step::Repeat(bomb, times),
    ];
    let (_server, client) = serve(steps).await;
    let bounds = Bounds { max_lines: None, max_line_bytes: None, ..Bounds::playlist(None) };
    let session = Session::new();
    let mut given = 0;
    let before = peak_memory();
    let url = _server.url("/");
    let request = Get { url: &url, session: &session, range: None, bounds, fresh_connection: false };
    let fetched = client.get(&request, &mut |chunk| given += chunk.len() as u64).await;
    assert_stopped(fetched.result, FetchError::TooLarge { limit_bytes: CAP });
    assert!(given <= CAP && given > CAP - (1 << 20), "{coding}: {given} bytes were given");
    assert!(fetched.wire_bytes <= wire_total, "{coding}");
    let grown = peak_memory() - before;
    assert!(grown < 64 << 20, "{coding}: memory grew by {grown} bytes");
}

#[tokio::test]
async fn a_compression_bomb_of_a_gibibyte_is_stopped_at_the_cap() {
    // 1 MiB a member, 1,024 members: about 1 MB on the wire.
    assert_bomb_is_stopped("gzip", gzip(&vec![b'#'; 1 << 20]), 1_024).await;
    let frame = zstd::bulk::compress(&vec![b'#'; 64 << 20], 1).unwrap();
    assert_bomb_is_stopped("zstd", frame, 16).await;
    // One stream of 809 bytes with the largest window, 16 MiB.
    assert_bomb_is_stopped("br", include_bytes!("data/bomb.br").to_vec(), 1).await;
}

#[tokio::test]
async fn each_compression_is_decoded_and_counted_on_both_sides() {
    let plain = "#EXTM3U\n".repeat(40);
    let brotli = b"\x1b\x3f\x01\xf8\x8d\x94\xab\x93\x6b\x3d\x52\x54\x85\xa5\x15\x66\x9a\xa8\xc4\x6e\xe1\x00\x39\x7e\x06";
    let two_members = [gzip(&plain.as_bytes()[..100]), gzip(&plain.as_bytes()[100..])].concat();
    for (coding, wire) in [
        ("gzip", gzip(plain.as_bytes())),
        ("GZIP", gzip(plain.as_bytes())),
        ("x-gzip", two_members),
        ("zstd", zstd::bulk::compress(plain.as_bytes(), 3).unwrap()),
        ("br", brotli.to_vec()),
        ("identity", plain.clone().into_bytes()),
    ] {
        let whole = wire.len();
        // Byte by byte, and at once.
        for pieces in [1, whole] {
            let mut steps = vec![head(&format!("Content-Encoding: {coding}\r\nContent-Length: {whole}\r\n"))];
            steps.extend(wire.chunks(pieces).map(|piece| Step::Send(piece.to_vec())));
            let (server, client) = serve(steps).await;
            let (fetched, body) = get(&client, &server.url("/"), Bounds::playlist(None)).await;
            assert_eq!(fetched.result, Ok(()), "{coding} in pieces of {pieces}");
            assert_eq!(String::from_utf8(body).unwrap(), plain, "{coding} in pieces of {pieces}");
            assert_eq!(fetched.wire_bytes, whole as u64, "{coding}");
        }
    }
}

#[tokio::test]
async fn a_bad_compression_is_told_from_a_cut_one() {
    let plain = b"#EXTM3U\n#EXT-X-VERSION:3\n".repeat(20);
    let frame = zstd::bulk::compress(&plain, 3).unwrap();
    let packed = gzip(&plain);
    let brotli = include_bytes!("data/bomb.br").to_vec();
    let decode = |coding| Some(FetchError::Decode { coding });
    for (coding, wire, expected) in [
        ("gzip", b"not gzip at all, but long enough to tell".to_vec(), decode(Coding::Gzip)),
        ("br", b"\xff\xff\xff\xff not brotli".to_vec(), decode(Coding::Brotli)),
        ("zstd", b"not zstd at all".to_vec(), decode(Coding::Zstd)),
        ("gzip", packed[..packed.len() / 2].to_vec(), None),
        // Inside the checksum at its end a cut cannot be told from a wrong checksum.
        ("gzip", packed[..packed.len() - 4].to_vec(), decode(Coding::Gzip)),
        ("gzip", packed[..5].to_vec(), None),
        ("zstd", frame[..frame.len() / 2].to_vec(), None),
        ("br", brotli[..20].to_vec(), None),
    ] {
        let whole = wire.len();
        let steps = vec![
            head(&format!("Content-Encoding: {coding}\r\nContent-Length: {whole}\r\n")),
            Step::Send(wire),
        ];
        let (server, client) = serve(steps).await;
        let bounds = Bounds { max_bytes: 64 << 20, max_line_bytes: None, ..Bounds::playlist(None) };
        let (fetched, _) = get(&client, &server.url("/"), bounds).await;
        let expected = expected.unwrap_or(FetchError::Truncated { received_bytes: fetched.body_bytes });
        assert_eq!(fetched.result, Err(expected), "{coding}, {whole} bytes");
    }
}

#[tokio::test]
async fn a_window_larger_than_http_allows_is_refused() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.set_parameter(zstd::zstd_safe::CParameter::WindowLog(27)).unwrap();
    for _ in 0..20 {
        encoder.write_all(&vec![b'#'; 1 << 20]).unwrap();
    }
    let frame = encoder.finish().unwrap();
    // A brotli stream header that announces a "large window" of 2^30 bytes.
    let brotli = vec![0x11, 0x1e, 0x00, 0x00, 0x00, 0x00];
    for (coding, name, wire) in [(Coding::Zstd, "zstd", frame), (Coding::Brotli, "br", brotli)] {
        let whole = wire.len();
        let steps =
            vec![head(&format!("Content-Encoding: {name}\r\nContent-Length: {whole}\r\n")), Step::Send(wire)];
        let (server, client) = serve(steps).await;
        let (fetched, _) = get(&client, &server.url("/"), Bounds::segment(None)).await;
        assert_eq!(fetched.result, Err(FetchError::Decode { coding }));
    }
}

#[tokio::test]
async fn a_compression_that_was_not_asked_for_is_refused() {
    for coding in ["deflate", "gzip, gzip", "compress", "br, gzip"] {
        let (server, client) = serve(vec![
            head(&format!("Content-Encoding: {coding}\r\nContent-Length: 2\r\n")),
            Step::Send(b"ab".to_vec()),
        ])
        .await;
        let (fetched, body) = get(&client, &server.url("/"), Bounds::playlist(None)).await;
        assert_eq!((fetched.result, body.len()), (Err(FetchError::UnknownEncoding), 0), "{coding}");
    }
}

#[tokio::test]
async fn an_endless_body_is_stopped_at_the_cap() {
    let (server, client) = serve(vec![head(""), Step::Repeat(vec![b'x'; 64 << 10], u64::MAX)]).await;
    let bounds = Bounds { max_line_bytes: None, ..Bounds::playlist(None) };
    let (fetched, body) = get(&client, &server.url("/"), bounds).await;
    assert_stopped(fetched.result, FetchError::TooLarge { limit_bytes: CAP });
    assert!(body.len() as u64 <= CAP, "{}", body.len());

    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000)).into_bytes();
    let (server, client) =
        serve(vec![head("Transfer-Encoding: chunked\r\n"), Step::Repeat(chunk, u64::MAX)]).await;
    let (fetched, _) = get(&client, &server.url("/"), bounds).await;
    assert_stopped(fetched.result, FetchError::TooLarge { limit_bytes: CAP });
}

#[tokio::test]
async fn the_cap_is_exact() {
    for (bytes, expected) in [(1_000, Ok(())), (1_001, Err(FetchError::TooLarge { limit_bytes: 1_000 }))] {
        for declared in [format!("Content-Length: {bytes}\r\n"), String::new()] {
            let (server, client) =
                serve(vec![head(&declared), Step::Send(vec![b'x'; bytes]), Step::Close]).await;
            let bounds = Bounds { max_bytes: 1_000, ..Bounds::segment(None) };
            let (fetched, _) = get(&client, &server.url("/"), bounds).await;
            assert_eq!(fetched.result, expected, "{bytes} {declared}");
        }
    }
}

#[tokio::test]
async fn a_giant_line_and_ten_million_lines_are_stopped() {
    let (server, client) = serve(vec![head(""), Step::Repeat(vec![b'x'; 1 << 20], 1_024)]).await;
    let (fetched, body) = get(&client, &server.url("/"), Bounds::playlist(None)).await;
    assert_stopped(fetched.result, FetchError::LineTooLong { limit_bytes: 64 << 10 });
    assert!(body.len() <= 64 << 10, "{}", body.len());

    let (server, client) = serve(vec![head(""), Step::Repeat(vec![b'\n'; 100_000], 100)]).await;
    let (fetched, body) = get(&client, &server.url("/"), Bounds::playlist(None)).await;
    assert_stopped(fetched.result, FetchError::TooManyLines { limit: 200_000 });
    assert!(body.len() <= 200_000, "{}", body.len());
}

#[tokio::test]
async fn a_list_of_24_hours_passes() {
    let mut list = String::from("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:EVENT\n");
    for n in 0..43_200 {
        list += &format!(
            "#EXTINF:2.00000,\nhttps://cdn.example/live/channel-one/1080p/2026/segment_{n:08}.ts?v=1234567\n"
        );
    }
    assert!((4_000_000..5_000_000).contains(&list.len()), "{}", list.len());
    for (header, wire) in
        [("", list.clone().into_bytes()), ("Content-Encoding: gzip\r\n", gzip(list.as_bytes()))]
    {
        let (server, client) =
            serve(vec![head(&format!("{header}Content-Length: {}\r\n", wire.len())), Step::Send(wire)]).await;
        let (fetched, body) = get(&client, &server.url("/"), Bounds::playlist(None)).await;
        assert_eq!(fetched.result, Ok(()));
        assert!(body == list.as_bytes(), "the body is the list");
    }
}

#[tokio::test]
async fn a_body_that_ends_early_is_truncated() {
    let chunked = "Transfer-Encoding: chunked\r\n";
    for (headers, sent, received_bytes) in [
        ("Content-Length: 1000\r\n", "0123456789", 10),
        ("Content-Length: 1000\r\n", "", 0),
        (chunked, "a\r\n0123456789\r\n", 10),
        (chunked, "14\r\n0123456789", 10),
        (chunked, "a\r\n0123456789\r\n0\r\n", 10),
    ] {
        let (server, client) =
            serve(vec![head(headers), Step::Send(sent.into()), Step::Wait(ms(20)), Step::Close]).await;
        let (fetched, body) = get(&client, &server.url("/"), Bounds::playlist(None)).await;
        assert_eq!(fetched.result, Err(FetchError::Truncated { received_bytes }), "{headers} {sent}");
        assert_eq!(body.len() as u64, received_bytes);
    }
    // The control: complete bodies of both kinds.
    for (headers, sent) in
        [("Content-Length: 10\r\n", "0123456789"), (chunked, "a\r\n0123456789\r\n0\r\n\r\n")]
    {
        let (server, client) = serve(vec![head(headers), Step::Send(sent.into()), Step::Close]).await;
        let (fetched, body) = get(&client, &server.url("/"), Bounds::playlist(None)).await;
        assert_eq!((fetched.result, body.as_slice()), (Ok(()), &b"0123456789"[..]));
    }
}

#[tokio::test]
async fn what_is_not_http_is_said_to_be_so() {
    for (answer, expected) in [
        ("", FetchError::Closed),
        ("HTTP/1.1 200", FetchError::Closed),
        ("SSH-2.0-OpenSSH_9.6\r\n\r\n", FetchError::Protocol),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", FetchError::Protocol),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", FetchError::Protocol),
    ] {
        let (server, client) = serve(vec![Step::Send(answer.into()), Step::Close]).await;
        let (fetched, _) = get(&client, &server.url("/"), Bounds::playlist(None)).await;
        assert_eq!(fetched.result, Err(expected), "{answer}");
    }
}

#[tokio::test]
async fn any_other_status_is_refused_and_its_connection_kept() {
    let server = Server::start("127.0.0.1", |path| {
        let status = path.trim_start_matches('/');
        let length = if status == "304" { "" } else { "Content-Length: 4\r\n" };
        let body = if status == "304" { "" } else { "gone" };
        vec![Step::Send(format!("HTTP/1.1 {status} X\r\nRetry-After: 7\r\n{length}\r\n{body}").into_bytes())]
    })
    .await;
    let client = support::fetcher(&[&server]);
    for status in [304, 400, 401, 403, 404, 410, 416, 429, 500, 503] {
        let (fetched, body) = get(&client, &server.url(&format!("/{status}")), Bounds::playlist(None)).await;
        assert_eq!(fetched.result, Err(FetchError::Refused { status }));
        assert_eq!((fetched.status, body.len()), (Some(status), 0));
        assert_eq!(fetched.headers.retry_after().as_deref(), Some("7"));
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_range_brings_exactly_its_bytes_or_an_error() {
    let file = "0123456789";
    let partial = |from: usize, text: &str| {
        let to = from + text.len() - 1;
        let head = format!(
            "HTTP/1.1 206 P\r\nContent-Range: bytes {from}-{to}/10\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        );
        vec![Step::Send(head.into_bytes())]
    };
    for (range, answer, expected) in [
        ((2, 3), partial(2, "234"), Ok("234")),
        ((2, 3), partial(2, "23456"), Ok("234")),
        ((8, 9), partial(8, "89"), Ok("89")),
        ((0, 4), ok(file), Ok("0123")),
        ((2, 3), ok(file), Err(FetchError::WrongRange)),
        ((2, 3), partial(3, "345"), Err(FetchError::WrongRange)),
        ((2, 0), ok(file), Err(FetchError::WrongRange)),
        ((u64::MAX, 2), ok(file), Err(FetchError::WrongRange)),
    ] {
        let (server, client) = serve(answer).await;
        let (url, session, mut body) = (server.url("/"), Session::new(), String::new());
        let request = Get {
            url: &url,
            session: &session,
            range: Some(range),
            bounds: Bounds::segment(None),
            fresh_connection: false,
        };
        let fetched = client.get(&request, &mut |chunk| body += std::str::from_utf8(chunk).unwrap()).await;
        match expected {
            Ok(text) => {
                assert_eq!((fetched.result, body.as_str()), (Ok(()), text), "{range:?}");
                let line = format!("range: bytes={}-{}\r\n", range.0, range.0 + range.1 - 1);
                let head = &server.heads()[0];
                assert!(head.contains(&line) && !head.contains("accept-encoding"), "{head}");
            }
            Err(fault) => assert_eq!((fetched.result, body.as_str()), (Err(fault), ""), "{range:?}"),
        }
    }
}

#[tokio::test]
async fn slow_answers_run_out_of_time_in_the_right_phase() {
    use hlsops_fetch::Phase::{FirstByte, Idle, Total};
    let trickle = |text: &str, every: u64| -> Vec<Step> {
        text.bytes().flat_map(|byte| [Step::Send(vec![byte]), Step::Wait(ms(every))]).collect()
    };
    let long = "x".repeat(500);
    let with_head = |rest: Vec<Step>| [vec![head("Content-Length: 500\r\n")], rest].concat();
    for (name, steps, phase) in [
        ("accept and silence", vec![Step::Wait(ms(5_000))], FirstByte),
        (
            "head byte by byte",
            trickle("HTTP/1.1 200 OK\r\nServer: slow\r\nX: 1234567890\r\n\r\n", 10),
            FirstByte,
        ),
        ("head, then silence", with_head(vec![Step::Wait(ms(5_000))]), Idle),
        ("some body, then silence", with_head(vec![Step::Send(b"x".to_vec()), Step::Wait(ms(5_000))]), Idle),
        ("body byte by byte", with_head(trickle(&long, 10)), Total),
    ] {
        let (server, client) = serve(steps).await;
        let bounds = Bounds {
            connect: ms(800),
            first_byte: ms(300),
            idle: ms(400),
            total: ms(900),
            ..Bounds::playlist(None)
        };
        let began = Instant::now();
        let (fetched, _) = get(&client, &server.url("/"), bounds).await;
        let limit = match phase {
            FirstByte => ms(300),
            Idle => ms(400),
            _ => ms(900),
        };
        assert_eq!(fetched.result, Err(FetchError::TimedOut { phase, limit }), "{name}");
        let took = began.elapsed();
        assert!((limit..limit + ms(3_000)).contains(&took), "{name}: {took:?}");
        assert_eq!(fetched.timings.ttfb.is_some(), phase != FirstByte, "{name}");
    }
}

#[tokio::test]
async fn a_body_that_never_pauses_runs_out_of_time_as_well() {
    let (server, client) = serve(vec![head(""), Step::Repeat(vec![b'x'; 64 << 10], u64::MAX)]).await;
    let bounds = Bounds { max_bytes: u64::MAX, total: ms(200), ..Bounds::segment(None) };
    let session = Session::new();
    let url = server.url("/");
    let request = Get { url: &url, session: &session, range: None, bounds, fresh_connection: false };
    let fetched = client.get(&request, &mut |_| ()).await;
    let total = hlsops_fetch::Phase::Total;
    assert_eq!(fetched.result, Err(FetchError::TimedOut { phase: total, limit: ms(200) }));
    assert!(fetched.timings.total < ms(3_000) && fetched.body_bytes > 0, "{:?}", fetched.timings);
}
