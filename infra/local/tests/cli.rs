//! The program as a user runs it: real processes, a real origin on loopback.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output, Stdio};

use hlsops_origin::{Fault, FaultKind, Layout, Origin, OriginConfig, Rendition, SegmentLength, StreamSpec};
use serde_json::Value;

const FAST: StreamSpec = StreamSpec { segment: SegmentLength::S2, ..StreamSpec::DEFAULT };

/// Runs `hlsops` with `args`, in an environment without settings of ours.
fn hlsops(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hlsops"))
        .args(args)
        .env_remove("HLSOPS_ALLOW_TARGETS")
        .env_remove("HLSOPS_DATA")
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

async fn run(args: &[&str]) -> Output {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let run = move || hlsops(&args.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// `hlsops check URL --json`: the exit code and the verdict.
async fn check(url: &str, more: &[&str]) -> (i32, Value) {
    let length: &[&str] = if more.contains(&"--for") { &[] } else { &["--for", "8s"] };
    let args = [&["check", url, "--json"], length, more].concat();
    let output = run(&args).await;
    let verdict = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), verdict)
}

async fn origin_with(spec: StreamSpec, faults: &[Fault]) -> Origin {
    let origin = Origin::start(OriginConfig::default()).await.unwrap();
    origin.add_stream("tv", spec).unwrap();
    for fault in faults {
        origin.set_fault("tv", *fault).unwrap();
    }
    origin
}

fn codes(verdict: &Value) -> Vec<&str> {
    verdict["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_master_is_clean() {
    let origin = origin_with(FAST, &[]).await;
    let (code, verdict) = check(&origin.url("tv"), &[]).await;
    assert_eq!(code, 0, "{verdict:#}");
    assert_eq!(verdict["health"], "HEALTHY");
    let renditions = verdict["renditions"].as_array().unwrap();
    assert_eq!(renditions.len(), 4, "three videos and an audio group");
    assert_eq!(renditions[0]["label"].as_str().unwrap().split(' ').next(), Some("640x360"), "best first");
    for rendition in renditions {
        assert_eq!(rendition["playlist_state"], "Live", "{rendition:#}");
        assert!(rendition["segments_obtained_count"].as_u64().unwrap() >= 4, "{rendition:#}");
        assert_eq!(rendition["segments_lost_count"], 0, "{rendition:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_rendition_is_a_finding_with_a_clause_and_a_fix() {
    let dead = Fault::new(FaultKind::PlaylistStatus(500)).rendition(Rendition::V270);
    let origin = origin_with(FAST, &[dead]).await;
    let (code, verdict) = check(&origin.url("tv"), &[]).await;
    assert_eq!((code, &verdict["health"]), (1, &Value::from("DEGRADED")), "{verdict:#}");
    assert_eq!(codes(&verdict), ["EC-2004"]);
    let never_loaded = |r: &Value| r["label"].as_str().unwrap().starts_with("480x270");
    for rendition in verdict["renditions"].as_array().unwrap() {
        assert_eq!(rendition["target_duration_s"].is_null(), never_loaded(rendition), "{rendition:#}");
    }
    let finding = &verdict["findings"][0];
    assert!(finding["message"].as_str().unwrap().contains("HTTP 500"), "{finding:#}");
    assert!(finding["clause"].as_str().unwrap().contains("8216"), "{finding:#}");
    assert!(!finding["fix"].as_str().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_segments_are_unhealthy_on_a_media_playlist() {
    let spec = StreamSpec { layout: Layout::Media, ..FAST };
    let origin = origin_with(spec, &[Fault::new(FaultKind::SegmentStatus(404))]).await;
    let (code, verdict) = check(&origin.url("tv"), &[]).await;
    assert_eq!((code, &verdict["health"]), (1, &Value::from("UNHEALTHY")), "{verdict:#}");
    assert_eq!(codes(&verdict), ["EC-2002"]);
}

/// What a numbering jumps over is lost in the reason and in the figures alike.
#[tokio::test(flavor = "multi_thread")]
async fn a_jump_is_counted_once_and_everywhere() {
    let spec = StreamSpec { layout: Layout::Media, ..FAST };
    let jump = FaultKind::Jump { by: 50, every_ms: Some(4_000) };
    let origin = origin_with(spec, &[Fault::new(jump)]).await;
    let (_, verdict) = check(&origin.url("tv"), &[]).await;
    let lost = verdict["renditions"][0]["segments_lost_count"].as_u64().unwrap();
    let reason = verdict["reasons"][0].as_str().unwrap();
    assert!(lost > 0 && reason.starts_with(&format!("{lost} segment")), "{verdict:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_text_verdict_says_the_same() {
    let origin = origin_with(FAST, &[]).await;
    let output = run(&["check", &origin.url("tv"), "--for", "6s"]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    for expected in ["clean: nothing to complain of", "640x360", "audio", "buffer", "TTFB median", "0 lost"] {
        assert!(text.contains(expected), "{expected} is missing in:\n{text}");
    }
    assert!(!text.contains('\x1b'), "no escape sequences where output is no terminal");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_did_not_advance_yet_gets_no_verdict() {
    let origin = origin_with(StreamSpec { segment: SegmentLength::S10, ..StreamSpec::DEFAULT }, &[]).await;
    // Published once in 10 s: at least every other look of 4 s sees nothing new.
    for _ in 0..3 {
        let output = run(&["check", &origin.url("tv"), "--for", "4s"]).await;
        if output.status.code() == Some(1) {
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(text.contains("no verdict yet") && text.contains("watch longer with --for"), "{text}");
            return;
        }
    }
    panic!("it advanced in every look");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_names_its_rendition_or_how_many() {
    let dead = Fault::new(FaultKind::PlaylistStatus(500));
    let origin = origin_with(FAST, &[dead.rendition(Rendition::V270)]).await;
    let (_, verdict) = check(&origin.url("tv"), &["--for", "5s"]).await;
    let reasons = verdict["reasons"].to_string();
    assert!(reasons.contains("480x270") && reasons.contains("HTTP 500"), "{reasons}");
    origin.set_fault("tv", dead).unwrap();
    let (_, verdict) = check(&origin.url("tv"), &["--for", "5s"]).await;
    let reasons = verdict["reasons"].to_string();
    assert!(reasons.contains("4 renditions: playlist does not load: HTTP 500"), "{reasons}");
}

/// `hlsops check ... | head -1`.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_leaves_changes_nothing() {
    let origin = origin_with(FAST, &[]).await;
    let url = origin.url("tv");
    let look = move || {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hlsops"))
            .args(["check", &url, "--for", "5s"])
            .env_remove("HLSOPS_ALLOW_TARGETS")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop((child.stdout.take(), child.stderr.take()));
        child.wait().unwrap()
    };
    let status = tokio::task::spawn_blocking(look).await.unwrap();
    assert_eq!(status.code(), Some(0));
}

/// Ends like Ctrl-C does: with the verdict so far.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_is_cut_short_has_a_verdict() {
    use std::io::{BufRead, BufReader};
    let origin = origin_with(FAST, &[]).await;
    let url = origin.url("tv");
    let look = move || {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hlsops"))
            .args(["check", &url, "--for", "1h", "--json"])
            .env_remove("HLSOPS_ALLOW_TARGETS")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut progress = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(progress.any(|line| line.unwrap().contains("-> Live")));
        Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        let rest = std::thread::spawn(move || progress.count());
        let output = child.wait_with_output().unwrap();
        rest.join().unwrap();
        output
    };
    let output = tokio::task::spawn_blocking(look).await.unwrap();
    let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdict["cut_short"], true, "{verdict:#}");
    assert_eq!(Value::from(output.status.code()), verdict["exit_code"], "{verdict:#}");
    assert!(!verdict["renditions"].as_array().unwrap().is_empty(), "{verdict:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_ended_is_clean_and_said_to_have_ended() {
    let origin = origin_with(FAST, &[Fault::new(FaultKind::End).after_ms(5_000)]).await;
    let output = run(&["check", &origin.url("tv"), "--for", "1m"]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    for expected in
        ["clean: nothing to complain of, but it has ended", "--threshold expect_24x7=1", "LiveEnd"]
    {
        assert!(text.contains(expected), "{expected} is missing in:\n{text}");
    }
}

/// Reasons and figures are of one moment; what a finding tells of another one says of which.
#[tokio::test(flavor = "multi_thread")]
async fn a_wait_is_the_same_wherever_it_is_told() {
    let spec = StreamSpec { layout: Layout::Media, ..FAST };
    let origin = origin_with(spec, &[Fault::new(FaultKind::PlaylistStall).after_ms(4_000)]).await;
    let output = run(&["check", &origin.url("tv"), "--for", "22s"]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    let waited = |behind: &str| {
        let (before, _) =
            text.split_once(behind).unwrap_or_else(|| panic!("{behind} is missing in:\n{text}"));
        before.rsplit_once("playback waited ").unwrap().1.to_owned()
    };
    assert_eq!(waited(" s in all"), waited(" s within 120 s"), "{text}");
    let finding = text.lines().find(|line| line.starts_with("WA-1001")).unwrap();
    assert!(finding.contains(", at ") && finding.ends_with('Z'), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_reached_says_why() {
    let (code, verdict) = check("http://127.0.0.1:1/a.m3u8", &["--for", "1h"]).await;
    assert_eq!((code, &verdict["verdict"]), (2, &Value::from("unreachable")), "{verdict:#}");
    assert_eq!(verdict["failure"], "no connection");
    let watched_s = verdict["watched_s"].as_f64().unwrap();
    assert!(watched_s < 60.0, "the second failure in a row settles it: {watched_s} s");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_private_host_is_refused_until_it_is_named() {
    // The playlist's own host is allowed because it was typed; where it redirects to is not.
    let elsewhere =
        Origin::start(OriginConfig { listen: vec![([127, 0, 0, 2], 0).into()], demo: false }).await;
    let elsewhere = elsewhere.unwrap();
    elsewhere.add_stream("tv", FAST).unwrap();
    let target = elsewhere.url("tv");
    let door = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/a.m3u8", door.local_addr().unwrap());
    let redirect = format!("HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n");
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = door.accept().await {
            let _ = tokio::io::AsyncReadExt::read(&mut socket, &mut [0; 2048]).await;
            let _ = tokio::io::AsyncWriteExt::write_all(&mut socket, redirect.as_bytes()).await;
        }
    });
    let (code, verdict) = check(&url, &[]).await;
    assert_eq!(
        (code, &verdict["failure"]),
        (2, &Value::from("address refused by the guard: allow it as HOST:PORT if it is yours")),
        "{verdict:#}"
    );
    assert!(elsewhere.ledger("tv").is_empty(), "nothing was asked of the other host");
    let named = elsewhere.addresses()[0].to_string();
    let (code, verdict) = check(&url, &["--allow-target", &named]).await;
    assert_eq!(code, 0, "{verdict:#}");
    assert!(!elsewhere.ledger("tv").is_empty());
}

#[cfg(unix)]
#[test]
fn an_argument_that_is_no_text_is_wrong_usage() {
    use std::os::unix::ffi::OsStrExt;
    let wrong = std::ffi::OsStr::from_bytes(b"http://host/\xff");
    for command in ["check", "--fr"] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_hlsops"));
        let output = program.arg(command).arg(wrong).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{command}: {text}");
        assert!(!text.contains("panicked"), "{text}");
    }
}

#[test]
fn wrong_usage_names_the_field_and_the_fix() {
    for (args, expected) in [
        (&["check"][..], "URL"),
        (&["check", "not a url"], "https://host/path.m3u8"),
        (&["check", "ftp://host/a.m3u8"], "http or https"),
        (&["check", "http://host/a.m3u8", "--for", "soon"], "30s"),
        (&["check", "http://host/a.m3u8", "--header", "x"], "Name: value"),
        (&["check", "http://host/a.m3u8", "--allow-target", "10.0.0.0/8"], "--allow-target"),
        (&["check", "http://host/a.m3u8", "--fr", "3s"], "'--for'"),
        (&["serve", "--public-url", "foo"], "https://ops.example.com"),
        (&["serve", "--listen", "nowhere"], "127.0.0.1:8080"),
        (&["serve", "--max-bytes", "4 gigs"], "GiB"),
        (&["key", "new", "x", "--expires-at", "soon"], "90d"),
        (&["demo", "--data", "x"], "leave --data out"),
        (&["restore", "x"], "--data DIR"),
    ] {
        let output = hlsops(args);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{args:?}: {text}");
        assert!(text.contains(expected), "{args:?} does not say {expected}: {text}");
    }
    let help = hlsops(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8(help.stdout).unwrap().contains("Exit codes:"));
}
