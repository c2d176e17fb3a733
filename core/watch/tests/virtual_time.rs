//! Whole watches against a scripted origin, in virtual time.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use hlsops_domain::{EventKind, Failure};
use support::{fail, live, master, ok, run, slow};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_healthy_stream_is_fetched_once_and_brings_nothing_to_say() {
    for target_s in [2, 4, 6, 10] {
        let seen = run("index.m3u8", 10 * MINUTE, move |ask| match ask.is_playlist() {
            true => ok(live(ask.ms, target_s, 6)),
            false => ok(""),
        })
        .await;
        assert_eq!(seen.findings(), [""; 0], "{target_s} s");
        assert_eq!(seen.states(), [format!("Unknown->Live@{target_s}")]);
        let words: Vec<_> = seen.health.iter().map(|(_, word)| *word).collect();
        assert_eq!(words, ["NO DATA", "HEALTHY"], "{target_s} s: {:?}", seen.health);
        let mut segments: Vec<_> = seen.asked("seg-").iter().map(|s| s.path.clone()).collect();
        let count = segments.len();
        segments.sort();
        segments.dedup();
        assert_eq!(segments.len(), count, "{target_s} s: a segment was fetched twice");
        let expected = usize::try_from(600 / target_s).unwrap() + 3;
        assert!(count.abs_diff(expected) <= 1, "{target_s} s: {count} segments instead of {expected}");
    }
}

#[tokio::test(start_paused = true)]
async fn playlists_are_loaded_at_the_pace_of_the_standard() {
    // Published 1.5 s after each full interval, so that every other load brings nothing new.
    let seen = run("index.m3u8", MINUTE, |ask| match ask.is_playlist() {
        true => ok(live(ask.ms.saturating_sub(1_500), 4, 6)),
        false => ok(""),
    })
    .await;
    let loads: Vec<u64> = seen.asked("index.m3u8").iter().map(|s| s.ms).collect();
    for pair in loads.windows(2) {
        let gap = pair[1] - pair[0];
        assert!((1_990..=4_010).contains(&gap), "loads {pair:?} are {gap} ms apart");
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_segment_is_tried_twice_and_holds_up_nothing() {
    let seen = run("index.m3u8", MINUTE, |ask| match ask.sequence() {
        Some(105) => fail(Failure::Http(404)),
        Some(_) => ok(""),
        None => ok(live(ask.ms, 4, 6)),
    })
    .await;
    let tries = seen.asked("seg-105");
    assert_eq!(tries.len(), 2);
    assert!((1_990..2_200).contains(&(tries[1].ms - tries[0].ms)), "{tries:?}");
    assert!(!tries[0].fresh_connection && tries[1].fresh_connection);
    assert_eq!(seen.findings(), ["EC-2002@22"]);
    assert_eq!(seen.health.last().map(|(_, word)| *word), Some("DEGRADED"), "{:?}", seen.health);
}

#[tokio::test(start_paused = true)]
async fn a_missing_segment_is_known_in_time_beside_one_that_hangs() {
    let seen = run("index.m3u8", MINUTE, |ask| match ask.sequence() {
        Some(104) => fail(Failure::Http(404)),
        Some(105) => slow(Duration::from_secs(29)),
        Some(_) => ok(""),
        // Two segments at once, every 8 s.
        None => ok(live(ask.ms / 8_000 * 8_000 + 4_000, 4, 6)),
    })
    .await;
    let tries = seen.asked("seg-104");
    let hanging = seen.asked("seg-105");
    assert_eq!((tries.len(), hanging.len()), (2, 1));
    assert!(hanging[0].ms < tries[1].ms, "{hanging:?} {tries:?}");
    assert!((1_990..2_200).contains(&(tries[1].ms - tries[0].ms)), "{tries:?}");
    assert_eq!(seen.findings()[0], format!("EC-2002@{}", (tries[1].ms + 20) / 1_000));
}

#[tokio::test(start_paused = true)]
async fn three_missing_segments_in_a_row_are_unhealthy_until_one_comes() {
    let seen = run("index.m3u8", 4 * MINUTE, |ask| match ask.sequence() {
        Some(105..=107) => fail(Failure::Http(404)),
        Some(_) => ok(""),
        None => ok(live(ask.ms, 4, 6)),
    })
    .await;
    let words: Vec<_> = seen.health.iter().map(|(_, word)| *word).collect();
    // 12 s of 120 s are lost: a tenth of the window, so UNHEALTHY stays until the losses leave it.
    assert_eq!(words, ["NO DATA", "HEALTHY", "DEGRADED", "UNHEALTHY", "DEGRADED", "HEALTHY"]);
    let lost: Vec<_> = seen.findings().into_iter().filter(|f| f.starts_with("EC-2002")).collect();
    assert_eq!(lost, ["EC-2002@22", "EC-2002@26", "EC-2002@30"]);
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_playlist_is_confirmed_on_a_new_connection_a_second_later() {
    let seen = run("index.m3u8", MINUTE, |ask| match ask.is_playlist() {
        // Neither the answer nor the second look is on a beat.
        true if ask.ms > 20_000 && ask.ms < 40_000 => {
            support::Reply { after: Duration::from_millis(80), ..fail(Failure::Http(500)) }
        }
        true => ok(live(ask.ms, 4, 6)),
        false => ok(""),
    })
    .await;
    let failing: Vec<_> = seen.served.iter().filter(|s| !s.ok).collect();
    assert!((1_080..=1_180).contains(&(failing[1].ms - failing[0].ms)), "{failing:?}");
    assert!(failing[1].fresh_connection);
    assert_eq!(seen.states()[..2], ["Unknown->Live@4", "Live->HTTPError@21"]);
    assert_eq!(seen.findings()[0], "EC-2004@21");
    assert!(seen.states().last().unwrap().contains("->Live@"), "{:?}", seen.states());
}

#[tokio::test(start_paused = true)]
async fn one_failed_load_is_no_finding() {
    let seen = run("index.m3u8", MINUTE, |ask| match ask.is_playlist() {
        true if (20_000..20_500).contains(&ask.ms) => fail(Failure::Timeout),
        true => ok(live(ask.ms, 4, 6)),
        false => ok(""),
    })
    .await;
    assert!(seen.events.iter().any(|e| e.kind == EventKind::LoadFailed(Failure::Timeout)));
    assert_eq!(seen.findings(), [""; 0]);
    assert_eq!(seen.states(), ["Unknown->Live@4"]);
}

#[tokio::test(start_paused = true)]
async fn a_stale_token_is_renewed_from_the_master_before_anything_counts() {
    let seen = run("master.m3u8", MINUTE, |ask| {
        let good = if ask.ms < 20_000 { "?t=1" } else { "?t=2" };
        match ask.is_playlist() {
            true if ask.path == "master.m3u8" => ok(master(good)),
            true if !ask.path.ends_with(good) => fail(Failure::Http(403)),
            true => ok(live(ask.ms, 4, 6)),
            false => ok(""),
        }
    })
    .await;
    assert!(seen.served.iter().any(|s| !s.ok), "the token did change");
    assert_eq!(seen.findings(), [""; 0]);
    assert!(seen.states().iter().all(|s| s.starts_with("Unknown->Live")), "{:?}", seen.states());
    assert_eq!(seen.state.renditions().count(), 3);
}

#[tokio::test(start_paused = true)]
async fn one_dead_rendition_degrades_and_the_others_go_on() {
    let seen = run("master.m3u8", 4 * MINUTE, |ask| match ask.is_playlist() {
        true if ask.path == "master.m3u8" => ok(master("")),
        true if ask.path.starts_with("high") => fail(Failure::Http(404)),
        true => ok(live(ask.ms, 4, 6)),
        false => ok(""),
    })
    .await;
    assert_eq!(seen.findings().first().map(String::as_str), Some("EC-2004@1"));
    assert_eq!(seen.health.last().map(|(_, word)| *word), Some("DEGRADED"), "{:?}", seen.health);
    assert!(!seen.health.iter().any(|(_, word)| *word == "UNHEALTHY"), "{:?}", seen.health);
}

#[tokio::test(start_paused = true)]
async fn a_playlist_that_stops_is_stalled_at_the_second_reload_and_unhealthy_when_the_buffer_is_empty() {
    let seen = run("index.m3u8", MINUTE, |ask| match ask.is_playlist() {
        true => ok(live(ask.ms.min(20_000), 4, 6)),
        false => ok(""),
    })
    .await;
    assert_eq!(seen.states()[0], "Unknown->Live@4");
    let stalled = &seen.states()[1];
    assert!(
        ["Live->Stalled@26", "Live->Stalled@27", "Live->Stalled@28"].contains(&stalled.as_str()),
        "{stalled}"
    );
    let words: Vec<_> = seen.health.iter().map(|(_, word)| *word).collect();
    assert_eq!(words, ["NO DATA", "HEALTHY", "DEGRADED", "UNHEALTHY"], "{:?}", seen.health);
}

#[tokio::test(start_paused = true)]
async fn segments_slower_than_real_time_are_unhealthy() {
    // 2 s of media take 5 s: 0.4 of real time.
    let seen = run("index.m3u8", MINUTE, |ask| match ask.is_playlist() {
        true => ok(live(ask.ms, 2, 6)),
        false => slow(Duration::from_secs(5)),
    })
    .await;
    let unhealthy = seen.health.iter().find(|(_, word)| *word == "UNHEALTHY");
    assert!(unhealthy.is_some_and(|(ms, _)| *ms <= 30_000), "{:?}", seen.health);
    assert!(seen.findings().iter().any(|f| f.starts_with("WA-1002")), "{:?}", seen.findings());
}

#[tokio::test(start_paused = true)]
async fn a_hanging_segment_does_not_hold_up_the_playlist() {
    let seen = run("index.m3u8", MINUTE, |ask| match ask.sequence() {
        Some(105) => support::Reply { after: Duration::from_secs(10), ..fail(Failure::Timeout) },
        Some(_) => ok(""),
        None => ok(live(ask.ms, 4, 6)),
    })
    .await;
    let loads: Vec<u64> = seen.asked("index.m3u8").iter().map(|s| s.ms).collect();
    assert!(loads.windows(2).all(|pair| pair[1] - pair[0] <= 4_100), "{loads:?}");
    assert!(seen.findings().iter().any(|f| f.starts_with("EC-2002")), "{:?}", seen.findings());
}

#[tokio::test(start_paused = true)]
async fn an_origin_that_asks_for_patience_gets_it() {
    let seen = run("index.m3u8", 2 * MINUTE, |ask| match ask.is_playlist() {
        true if ask.ms > 20_000 => {
            support::Reply { retry_after: Some(Duration::from_secs(25)), ..fail(Failure::Http(429)) }
        }
        true => ok(live(ask.ms, 4, 6)),
        false => ok(""),
    })
    .await;
    let asked: Vec<u64> = seen.asked("index.m3u8").iter().map(|s| s.ms).filter(|ms| *ms > 20_000).collect();
    assert!(asked.windows(2).all(|pair| (25_000..25_200).contains(&(pair[1] - pair[0]))), "{asked:?}");
    assert_eq!(seen.states(), ["Unknown->Live@4"]);
    assert_eq!(seen.health.last().map(|(_, word)| *word), Some("NO DATA"), "{:?}", seen.health);
    assert!(!seen.health.iter().any(|(_, word)| *word == "UNHEALTHY"), "{:?}", seen.health);
}

#[tokio::test(start_paused = true)]
async fn an_ended_stream_is_live_end_and_an_ended_list_is_vod() {
    let end = |ms: u64| format!("{}#EXT-X-ENDLIST\n", live(ms, 4, 6));
    let ended = run("index.m3u8", 3 * MINUTE, move |ask| match ask.is_playlist() {
        true if ask.ms > 20_000 => ok(end(20_000)),
        true => ok(live(ask.ms, 4, 6)),
        false => ok(""),
    })
    .await;
    assert_eq!(ended.states(), ["Unknown->Live@4", "Live->LiveEnd@20"]);
    assert_eq!(ended.findings(), [""; 0]);
    assert_eq!(ended.health.last().map(|(_, word)| *word), Some("HEALTHY"), "{:?}", ended.health);
    let vod = run("index.m3u8", MINUTE, move |ask| if ask.is_playlist() { ok(end(0)) } else { ok("") }).await;
    assert_eq!(vod.states(), ["Unknown->VOD@0"]);
    assert_eq!(vod.asked("seg-").len(), 3, "the first three target durations are looked at");
}

#[tokio::test(start_paused = true)]
async fn an_encoder_restart_is_one_event_and_nothing_old_is_fetched() {
    let seen = run("index.m3u8", 2 * MINUTE, |ask| match ask.is_playlist() {
        true if ask.ms > 30_000 => {
            ok(support::list((ask.ms - 30_000) / 4_000 + 5, 4, 6).replace("seg-", "b/seg-"))
        }
        true => ok(live(ask.ms, 4, 6)),
        false => ok(""),
    })
    .await;
    let restarts = seen.events.iter().filter(|e| matches!(e.kind, EventKind::EncoderRestarted { .. }));
    assert_eq!(restarts.count(), 1);
    assert_eq!(seen.findings(), [""; 0]);
    let words: Vec<_> = seen.health.iter().map(|(_, word)| *word).collect();
    assert_eq!(words, ["NO DATA", "HEALTHY"], "{:?}", seen.health);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_cannot_be_reached_at_all_is_unhealthy() {
    let seen = run("master.m3u8", MINUTE, |_| fail(Failure::Dns)).await;
    assert_eq!(seen.findings(), ["EC-2004@1"]);
    assert_eq!(seen.health[1].1, "UNHEALTHY");
    assert!(seen.served.len() > 10, "it is tried again and again: {}", seen.served.len());
}

/// Some servers put a new session into the path of every rendition at each load of the master, and into the
/// names of its segments.
#[tokio::test(start_paused = true)]
async fn a_session_in_the_path_shows_nowhere() {
    let session = |path: &str| path.split('/').next().unwrap().to_owned();
    let seen = run("master.m3u8", 5 * MINUTE, move |ask| match ask.is_playlist() {
        true if ask.path == "master.m3u8" => ok(master("").replace("/index", &format!("/w{}/index", ask.ms))),
        // The first session lasts for two minutes.
        true if ask.ms > 120_000 && ask.path.contains("/w0/") => fail(Failure::Http(404)),
        true => ok(live(ask.ms, 4, 6).replace("seg-", &format!("{}-seg-", session(&ask.path)))),
        false => ok(""),
    })
    .await;
    assert_eq!(seen.findings(), [""; 0]);
    let words: Vec<_> = seen.health.iter().map(|(_, word)| *word).collect();
    assert_eq!(words, ["NO DATA", "HEALTHY"], "{:?}", seen.health);
    assert!(seen.states().iter().all(|s| s.starts_with("Unknown->Live@4")), "{:?}", seen.states());
    assert!(!seen.events.iter().any(|e| matches!(e.kind, EventKind::EncoderRestarted { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_session_in_the_path_hides_no_stall() {
    let seen = run("master.m3u8", 2 * MINUTE, |ask| match ask.is_playlist() {
        true if ask.path == "master.m3u8" => ok(master("").replace("/index", &format!("/w{}/index", ask.ms))),
        true => ok(live(ask.ms.min(25_000), 4, 6)),
        false => ok(""),
    })
    .await;
    assert_eq!(seen.health.last().map(|(_, word)| *word), Some("UNHEALTHY"), "{:?}", seen.health);
}

#[tokio::test(start_paused = true)]
async fn a_slow_master_renews_a_stale_token_all_the_same() {
    let seen = run("master.m3u8", MINUTE, |ask| {
        let good = if ask.ms < 20_000 { "?t=1" } else { "?t=2" };
        match ask.is_playlist() {
            true if ask.path == "master.m3u8" => {
                support::Reply { after: Duration::from_secs(3), ..ok(master(good)) }
            }
            true if !ask.path.ends_with(good) => fail(Failure::Http(403)),
            true => ok(live(ask.ms, 4, 6)),
            false => ok(""),
        }
    })
    .await;
    assert!(seen.served.iter().any(|s| !s.ok), "the token did change");
    assert_eq!(seen.findings(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_load_that_hangs_never_looks_healthy() {
    let seen = run("index.m3u8", 2 * MINUTE, |ask| match ask.is_playlist() {
        true if ask.ms > 20_000 => {
            support::Reply { after: Duration::from_secs(30), ..fail(Failure::Timeout) }
        }
        true => ok(live(ask.ms, 4, 6)),
        false => ok(""),
    })
    .await;
    let words: Vec<_> = seen.health.iter().map(|(_, word)| *word).collect();
    assert_eq!(words, ["NO DATA", "HEALTHY", "DEGRADED", "UNHEALTHY"], "{:?}", seen.health);
}

/// Players play such a stream all the same.
#[tokio::test(start_paused = true)]
async fn a_target_duration_that_is_far_too_small_makes_no_outage() {
    for written in [0, 1, 2, 3] {
        let header = format!("TARGETDURATION:{written}\n");
        let seen = run("index.m3u8", 5 * MINUTE, move |ask| match ask.is_playlist() {
            true => ok(live(ask.ms, 6, 6).replace("TARGETDURATION:6\n", &header)),
            false => ok(""),
        })
        .await;
        assert_eq!(seen.findings(), [""; 0], "{written} s");
        let words: Vec<_> = seen.health.iter().map(|(_, word)| *word).collect();
        assert_eq!(words, ["NO DATA", "HEALTHY"], "{written} s: {:?}", seen.health);
    }
}

/// The variants are behind one variable, the segments behind one that is imported and one from the URL.
#[tokio::test(start_paused = true)]
async fn variables_are_put_in_before_anything_is_fetched() {
    let seen = run("master.m3u8?session=s%2F7", MINUTE, |ask| match ask.is_playlist() {
        true if ask.path.starts_with("master") => {
            let define = "#EXTM3U\n#EXT-X-DEFINE:QUERYPARAM=\"session\"\n\
                          #EXT-X-DEFINE:NAME=\"place\",VALUE=\"/edge/{$session}\"\n";
            let text = master("?k=9").replace("#EXTM3U\n", define);
            let text = text.replace("audio/", "{$place}/audio/").replace("high/", "{$place}/high/");
            ok(text.replace("low/", "{$place}/low/"))
        }
        true if ask.path.starts_with("edge/s/7/") && ask.path.ends_with("index.m3u8?k=9") => {
            let define = "#EXTM3U\n#EXT-X-DEFINE:IMPORT=\"place\"\n#EXT-X-DEFINE:QUERYPARAM=\"k\"\n";
            let text = live(ask.ms, 4, 6).replace("#EXTM3U\n", define);
            ok(text.replace("seg-", "{$place}/k{$k}/seg-"))
        }
        false if ask.path.starts_with("edge/s/7/k9/seg-") => ok(""),
        _ => fail(Failure::Http(404)),
    })
    .await;
    assert!(seen.served.iter().all(|served| served.ok), "{:?}", seen.served);
    assert!(seen.asked("seg-").len() > 30, "{:?}", seen.served);
    assert_eq!(seen.state.renditions().count(), 3);
    assert_eq!(seen.findings(), [""; 0]);
}
