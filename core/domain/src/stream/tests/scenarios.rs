use super::script::{World, check, id};
use crate::buffer::Phase;
use crate::event::{Event, EventKind};
use crate::health::{HealthState, Reason, What};
use crate::units::EpochMs;

/// What every script begins with: a healthy stream of 6 s segments.
const UP: [&str; 2] = ["6 a Unknown>Live", "6 HEALTHY"];

/// Runs a script that begins with 30 s of a healthy stream `a`; the rest of its timeline must read so.
#[track_caller]
fn check_a(script: &str, expected: &[&str]) -> World {
    let all: Vec<&str> = UP.iter().chain(expected).copied().collect();
    check("a", &format!("0-30 a live\n{script}"), &all)
}

#[test]
fn a_healthy_stream_is_healthy_from_its_first_advance() {
    check("a", "0 a live", &[]);
    check("a", "0-3/3 a live\n3 a same", &[]);
    check("a", "0-600 a live", &UP);
    check("a b", "0-600 ab live", &["6 a Unknown>Live", "6 HEALTHY", "6 b Unknown>Live"]);
    check("a+s s x", "0-600 as live", &["6 a Unknown>Live", "6 HEALTHY", "6 s Unknown>Live"]);
}

#[test]
fn stalled_is_confirmed_by_a_reload_and_never_by_time_alone() {
    let stalled = ["36 a Live>Stalled", "36 DEGRADED: playlist brings no new segments"];
    check_a("30-36/3 a same", &[]);
    check_a("30-36/3 a same\n33-36/1 .", &[]);
    check_a("30-39/3 a same", &stalled);
    // 9 s are 1.5 target durations: 33.0 is not later, and a load begun before does not tell.
    check_a("30 a same\n33 a same\n36 a same lag=4000", &[]);
    let back = ["39 a Stalled>Live", "39 HEALTHY"];
    check_a("30-39/3 a same\n39 a live", &[&stalled[..], &back].concat());
}

#[test]
fn a_stall_is_degraded_while_the_buffer_lasts() {
    check_a(
        "30-150/3 a same",
        &[
            "36 a Live>Stalled",
            "36 DEGRADED: playlist brings no new segments",
            "45 a dry",
            "45 a WA-1001",
            "45 UNHEALTHY: no variant can be played; playlist brings no new segments; playback waited 3.0 s \
             within 120 s",
            "45 opened, Unhealthy",
        ],
    );
}

#[test]
fn health_follows_the_buffer_between_looks() {
    let story = check_a(
        "30-45/3 a same\n42.1-45/1 .",
        &[
            "36 a Live>Stalled",
            "36 DEGRADED: playlist brings no new segments",
            "42.1 UNHEALTHY: no variant can be played; playlist brings no new segments",
            "42.1 opened, Unhealthy",
        ],
    );
    assert_eq!(story.codes(), [""; 0], "the buffer itself is reckoned at looks");
}

#[test]
fn an_older_copy_now_and_then_is_no_fault() {
    check_a("30 a old\n33-60 a live\n63 a old\n66-90 a live", &["30 a older by 1", "63 a older by 1"]);
    // Two edges, one of them 12 s behind, at every other look.
    let script = "33-150/6 a live\n30-150/6 a old";
    let world = {
        let mut world = World::new("a");
        world.run(&format!("0-30 a live\n{script}"));
        world
    };
    assert_eq!(world.codes(), [""; 0]);
    assert_eq!(world.state.health.state, HealthState::Healthy);
    assert!(world.story().iter().all(|line| !line.contains("Stalled") && !line.contains("restart")));
}

/// Also one from before everything we have seen: it looks like a restart, until the list comes back.
#[test]
fn a_very_old_copy_right_after_the_start_is_no_fault() {
    check(
        "a",
        "0 a T6 M100 6,6,6\n6 a T6 M101 6,6,6\n9 a T6 M90 6,6,6\n12 a T6 M102 6,6,6\n18 a T6 M103 6,6,6",
        &["6 a Unknown>Live", "6 HEALTHY", "9 a restart 103>92"],
    );
}

#[test]
fn an_older_copy_for_good_is_a_stall() {
    // It takes 3 target durations from the last change, at 24 s, instead of 1.5.
    let older = |seconds: &[u64]| -> Vec<String> {
        seconds.iter().map(|second| format!("{second} a older by 2")).collect()
    };
    let before = older(&[30, 33, 36, 39, 42]);
    let mut expected: Vec<&str> = before.iter().map(String::as_str).collect();
    expected.extend(["45 a older by 2", "45 a Live>Stalled", "45 a dry", "45 a WA-1001"]);
    expected.push(
        "45 UNHEALTHY: no variant can be played; playlist brings no new segments; playback waited 3.0 s within \
         120 s",
    );
    expected.push("45 opened, Unhealthy");
    check_a("30-48/3 a T6 M102 6,6,6,6", &expected);
}

#[test]
fn two_failures_in_a_row_make_http_error() {
    check_a("30 a !503\n31-60 a live", &[]);
    let down = |why: &str| {
        [
            "31 a EC-2004".to_owned(),
            "31 a Live>HTTPError".to_owned(),
            format!("31 UNHEALTHY: no variant can be played; playlist does not load: {why}"),
            "31 opened, Unhealthy".to_owned(),
        ]
    };
    for (mark, why) in [("503", "HTTP 503"), ("timeout", "timed out"), ("dns", "host name does not resolve")]
    {
        let down = down(why);
        let expected: Vec<&str> = down.iter().map(String::as_str).collect();
        check_a(&format!("30 a !{mark}\n31-34/3 a !{mark}\n34-37/3 a !{mark}"), &expected);
    }
}

#[test]
fn recovery_from_http_error_is_to_where_things_stand() {
    let state = |script: &str| {
        let mut world = World::new("a");
        world.run(script);
        world.state.rendition(id("a")).expect("a").playlist.name()
    };
    assert_eq!(state("0 a !503\n1 a !503"), "HTTPError");
    assert_eq!(state("0 a !503\n1 a !503\n2 a live"), "Unknown");
    assert_eq!(state("0-30 a live\n30 a !503\n31 a !503\n32 a same"), "Live");
    assert_eq!(state("0-30 a live\n30-48/3 a !503\n48 a same"), "Stalled");
    assert_eq!(state("0-30 a live\n30-48/3 a !503\n48 a live"), "Live");
    assert_eq!(state("0-30 a live\n30-48/3 a !503\n48 a T6 M104 6,6,6,6 end"), "LiveEnd");
}

#[test]
fn an_end_is_live_end_or_vod() {
    let world = check_a("30-90/10 a T6 M105 6,6,6,6 end", &["30 a Live>LiveEnd"]);
    let buffer = &world.state.rendition(id("a")).expect("a").buffer;
    assert_eq!((buffer.phase(), buffer.sums().rebuffering.as_secs()), (Phase::Stopped, 0));
    assert_eq!(world.state.health.state, HealthState::Healthy);
    check("a", "0-60 a T6 M0 6,6,6,6 end", &["0 a Unknown>VOD", "0 HEALTHY"]);
    check_a("30-90/10 a T6 M105 6,6,6,6 end\n90-120 a live", &["30 a Live>LiveEnd", "90 a LiveEnd>Live"]);
}

#[test]
fn a_stream_that_must_never_end_is_unhealthy_when_it_does() {
    let mut world = World::new("a");
    world.limits.expect_24x7 = true;
    world.run("0-30 a live\n30 a T6 M105 6,6,6,6 end");
    let end = [
        "30 a Live>LiveEnd",
        "30 UNHEALTHY: the stream ended, and it must never end",
        "30 opened, Unhealthy",
    ];
    assert_eq!(world.story(), [&UP[..], &end].concat());
}

#[test]
fn an_encoder_restart_is_one_event_and_no_fault() {
    check_a(
        "30 a T6 M0 6\n36 a T6 M0 6,6\n42 a T6 M0 6,6,6\n48 a T6 M1 6,6,6\n54 a T6 M2 6,6,6",
        &["30 a restart 107>0"],
    );
}

/// With sequence numbers from a clock or near the end of what an integer holds.
#[test]
fn a_wrap_is_no_fault() {
    check(
        "a",
        "0 a T6 M18446744073709551612 6,6,6\n6 a T6 M18446744073709551613 6,6,6\n12 a T6 M18446744073709551614 6,6,6\n\
         18 a T6 M18446744073709551615 6,6,6\n24 a T6 M0 6,6,6\n30 a T6 M1 6,6,6\n33 a T6 M0 6,6,6\n36 a T6 M2 6,6,6",
        &["6 a Unknown>Live", "6 HEALTHY", "33 a older by 1"],
    );
    check(
        "a",
        "0 a T6 M65533 6,6,6\n6 a T6 M65534 6,6,6\n12 a T6 M0 6,6,6\n18 a T6 M1 6,6,6",
        &["6 a Unknown>Live", "6 HEALTHY", "12 a restart 65536>2"],
    );
}

#[test]
fn a_jump_between_timely_looks_is_degraded() {
    let found = ["30 a EC-1001", "30 DEGRADED: 1 segment lost within 30 s, 5.0 % of a 120 s window"];
    check_a("30 a T6 M109 6,6,6", &found);
    // However far the numbers leap: more media than time has passed cannot be missing.
    check_a("30 a T6 M90000 6,6,6", &found);
    check_a("30 a T6 M108 6,6,6", &[]);
    // After a failure, and after a longer wait than the standard's, it is not the origin's doing.
    check_a("30 a !503\n31 a T6 M109 6,6,6", &[]);
    check_a("34 a T6 M110 6,6,6", &[]);
    check_a(
        "30 a same\n33 a T6 M109 6,6,6",
        &["33 a EC-1001", "33 DEGRADED: 1 segment lost within 33 s, 5.0 % of a 120 s window"],
    );
}

/// All of it is told, and what a window is long weighs.
#[test]
fn a_jump_after_a_long_stall_costs_no_more_than_the_window() {
    let mut world = World::new("a b");
    world.run("0-30 ab live\n30-327/3 a same\n30-330 b live\n330 a T6 M200 6,6,6");
    let lost = |reason: &Reason| match reason.what {
        What::SegmentsLost { count, share, .. } => Some((count, share)),
        _ => None,
    };
    assert_eq!(world.state.health.reasons.iter().find_map(lost), Some((51, 0.5)));
    assert_eq!(world.codes().last(), Some(&"EC-1001"));
}

#[test]
fn the_same_numbers_given_twice_are_found() {
    check_a("30 a T6 u=z/ M102 6,6,6", &["30 a restart 107>104", "30 a EC-1003"]);
    check_a("30 a T6 u=z/ M104 6,6,6,6", &["30 a restart 107>107", "30 a EC-1003"]);
}

/// Neither another host nor another token makes another segment of it.
#[test]
fn edges_may_name_themselves() {
    check(
        "a",
        "0 a T6 u=http://edge1/v/ M100 6,6,6\n6 a T6 u=http://edge1/v/ M101 6,6,6\n\
         9 a T6 u=//edge2:8080/v/ M100 6,6,6\n12 a T6 u=https://edge2/v/ M102 6,6,6",
        &["6 a Unknown>Live", "6 HEALTHY", "9 a older by 1"],
    );
}

#[test]
fn a_429_is_neither_a_failure_nor_a_look() {
    check_a("30-36/3 a !429\n36-60 a live", &[]);
    let last_look = |script: &str| {
        let mut world = World::new("a");
        world.run(script);
        (world.state.last_look.map(|at| at.0), world.codes())
    };
    assert_eq!(last_look("0-30 a live\n30-36/3 a !429"), (Some(24_000), vec![]));
    // Nor does it make a first failure of the one before it.
    check_a("30 a !503\n31 a !429\n34-60 a live", &[]);
    check_a(
        "30-90/3 a !429\n55-90/5 .\n90-120 a live",
        &["55 NO DATA: no look for 31 s", "90 a nobody looked for 66s", "90 HEALTHY"],
    );
    check_a("30-60 a live x429\n60-90 a live", &[]);
    let mut world = World::new("m");
    world.run("0 m !429\n1 m !429");
    assert_eq!(
        (world.story(), world.state.last_look.is_some()),
        (vec![], true),
        "the look of the start alone"
    );
}

#[test]
fn our_own_gap_freezes_and_accuses_nobody() {
    let world = check_a("90-150 a live", &["90 a nobody looked for 66s"]);
    let sums = world.state.rendition(id("a")).expect("a").buffer.sums();
    assert_eq!((sums.rebuffering.as_secs(), sums.lost.0, sums.frozen.as_secs()), (0, 0, 66));
    // Nothing was published in a gap of ours, and for long: the patience begins anew.
    check_a("90-96/3 a same", &["90 a nobody looked for 66s"]);
    check_a(
        "90-103/3 a same",
        &[
            "90 a nobody looked for 66s",
            "102 a Live>Stalled",
            "102 DEGRADED: playlist brings no new segments",
        ],
    );
}

#[test]
fn between_looks_of_ours_no_outage_is_made_up() {
    check_a("30-54/1 .\n54-120 a live", &["54 a nobody looked for 30s"]);
}

#[test]
fn a_pause_of_ours_that_would_empty_the_buffer_makes_nobody_wait() {
    let live = |from: u64, to: u64| -> String {
        let line = |at| format!("{at} a T2 M{} 2,2,2,2\n", at / 2);
        (from..to).step_by(2).map(line).collect()
    };
    let rebuffered = |script: &str| {
        let mut world = World::new("a");
        world.run(&format!("{}{script}", live(0, 30)));
        let waited = world.state.rendition(id("a")).expect("a").buffer.sums().rebuffering;
        let gaps = world.story().iter().filter(|line| line.contains("nobody looked")).count();
        (waited.as_secs(), gaps, world.codes())
    };
    // Six seconds are buffered at 28. A look after six is late and costs nobody anything, one after eight or ten
    // would have to be a gap of ours.
    for (again, gaps) in [(34, 0), (36, 1), (38, 1), (40, 1)] {
        assert_eq!(rebuffered(&live(again, 60)), (0, gaps, vec![]), "looked again at {again} s");
    }
    // The same silence of the origin, while we look, is an outage; and a segment was never listed.
    assert_eq!(rebuffered(&format!("30-38/1 a same\n{}", live(38, 60))), (4, 0, vec!["WA-1001", "EC-1001"]));
}

#[test]
fn gap_segments_are_neither_failures_nor_credit() {
    let world = check_a("30 a T6 M105 6,6,6,6g\n36 a T6 M106 6,6,6g,6\n42 a T6 M107 6,6g,6,6", &[]);
    let rendition = world.state.rendition(id("a")).expect("a");
    assert_eq!(rendition.buffer.sums().lost.as_seconds(), 6.0);
    assert_eq!(rendition.buffer.level().as_seconds(), 12.0);
    assert_eq!(rendition.lost(crate::EpochMs(42_000), world.limits.window).segments, 0);
}

#[test]
fn three_missing_segments_in_a_row_are_unhealthy() {
    let start = "0-90 bcd live\n0-30 a live";
    let health = |script: &str| {
        let mut world = World::new("a b c d");
        world.run(&format!("{start}\n{script}"));
        let reasons: Vec<String> =
            world.state.health.reasons.iter().map(|reason| reason.what.to_string()).collect();
        format!("{}: {}", world.state.health.state.name(), reasons.join("; "))
    };
    let lost = |count: u32, share: &str| format!("{count} segments lost within 84 s, {share} % of the media");
    let degraded = |count, share| format!("DEGRADED: {}", lost(count, share));
    let young = "DEGRADED: 2 segments lost within 84 s, 2.5 % of a 120 s window";
    assert_eq!(health("30-42 a live x404"), young);
    let three = format!("UNHEALTHY: 3 segments in a row missing; {}", lost(3, "4.8"));
    assert_eq!(health("30-48 a live x404"), three);
    assert_eq!(health("30-42 a live x404\n42 a live x410"), three);
    assert_eq!(health("30-42 a live x404\n42 a live xtruncated"), three);
    assert_eq!(health("30-48 a live xtimeout"), degraded(3, "4.8"));
    assert_eq!(health("30-48 a live x403"), degraded(3, "4.8"));
    // What proves nothing neither counts nor resets; what came resets.
    assert_eq!(
        health("30-42 a live x404\n42 a live xtimeout\n48 a live x404"),
        format!(
            "UNHEALTHY: 3 segments in a row missing; {}; playback waited 6.0 s within 120 s",
            lost(4, "6.3")
        ),
    );
    assert_eq!(health("30-42 a live x404\n42 a live\n48 a live x404"), degraded(3, "4.8"));
}

#[test]
fn a_tenth_of_the_media_lost_is_unhealthy() {
    check_a(
        "30-42 a live xtimeout",
        &[
            "30 a EC-2002",
            "30 DEGRADED: 1 segment lost within 30 s, 5.0 % of a 120 s window",
            "36 a EC-2002",
            "36 UNHEALTHY: 2 segments lost within 36 s, 10.0 % of a 120 s window",
            "36 opened, Unhealthy",
        ],
    );
}

#[test]
fn one_segment_missing_in_every_rendition_of_a_young_stream_is_no_outage() {
    let mut world = World::new("a b c");
    world.run("0-6 abc live\n6-12 abc live x404\n12-18 abc live");
    let reasons: Vec<String> =
        world.state.health.reasons.iter().map(|reason| reason.what.to_string()).collect();
    assert_eq!(world.state.health.state, HealthState::Degraded);
    assert_eq!(reasons, ["3 segments lost within 12 s, 5.0 % of a 120 s window"]);
}

/// What a jump lists is published, also while it is still being fetched: it must not look like a larger share for a
/// moment.
#[test]
fn a_jump_weighs_the_same_before_and_after_its_segments_have_come() {
    let mut world = World::new("a");
    let mut first = 100;
    for at in (0..48).step_by(2) {
        first += if [12, 24, 38].contains(&at) { 50 } else { 1 };
        world.run(&format!("{at} a T2 M{first} 2,2,2"));
    }
    let turned = |event: &Event| match &event.kind {
        EventKind::Health { to, .. } => Some(to.state),
        _ => None,
    };
    let turned: Vec<HealthState> = world.events.iter().filter_map(turned).collect();
    assert_eq!(turned, [HealthState::Healthy, HealthState::Degraded], "{:?}", world.state.health);
    let reasons: Vec<String> =
        world.state.health.reasons.iter().map(|reason| reason.what.to_string()).collect();
    assert_eq!(reasons, ["3 segments lost within 46 s, 8.6 % of the media"]);
}

#[test]
fn all_lost_from_the_start_on_is_all_of_the_media() {
    let mut world = World::new("a");
    world.run("0-12 a live xtimeout");
    let reasons: Vec<String> =
        world.state.health.reasons.iter().map(|reason| reason.what.to_string()).collect();
    assert_eq!(world.state.health.state, HealthState::Unhealthy);
    assert_eq!(reasons, ["4 segments lost within 6 s, 100.0 % of the media"]);
}

/// What was published last may not be listed yet.
#[test]
fn all_lost_for_a_whole_window_is_all_of_the_media() {
    let mut world = World::new("a");
    world.run("0-30 a live\n30-198 a live x404");
    let share = |world: &World| {
        let whats = world.state.health.reasons.iter().map(|reason| reason.what.to_string());
        whats.filter(|what| what.contains("lost")).collect::<Vec<_>>()
    };
    assert_eq!(share(&world), ["21 segments lost within 120 s, 100.0 % of the media"]);
    // The oldest have left the window, and the next one is still to come.
    world.run("205 .");
    assert_eq!(share(&world), ["18 segments lost within 120 s, 100.0 % of the media"]);
}

#[test]
fn one_rendition_of_several_is_never_more_than_degraded() {
    let start = ["6 a Unknown>Live", "6 HEALTHY", "6 b Unknown>Live"];
    let dry = ["45 b dry", "45 b WA-1001"];
    let down = ["33 b EC-2004", "33 b Live>HTTPError", "33 DEGRADED: playlist does not load: HTTP 500"];
    let lasting = ["334 opened, LongDegraded"];
    check(
        "a b",
        "0-330 a live\n0-30 b live\n30-330/3 b !500\n334 a live",
        &[&start[..], &down, &dry, &lasting].concat(),
    );
    let stalled = ["36 b Live>Stalled", "36 DEGRADED: playlist brings no new segments"];
    check("a b", "0-330 a live\n0-30 b live\n30-330/3 b same", &[&start[..], &stalled, &dry].concat());
}

#[test]
fn all_of_them_are_unhealthy() {
    check(
        "a b",
        "0-30 ab live\n30-48/3 ab same",
        &[
            "6 a Unknown>Live",
            "6 HEALTHY",
            "6 b Unknown>Live",
            "36 a Live>Stalled",
            "36 DEGRADED: playlist brings no new segments",
            "36 b Live>Stalled",
            "45 a dry",
            "45 a WA-1001",
            "45 UNHEALTHY: no variant can be played; playlist brings no new segments; playlist brings no \
             new segments; playback waited 3.0 s within 120 s; playback waited 3.0 s within 120 s",
            "45 opened, Unhealthy",
            "45 b dry",
            "45 b WA-1001",
        ],
    );
}

#[test]
fn an_audio_group_counts_where_it_is_needed() {
    let down = |health: &str| {
        ["6 a Unknown>Live", "6 HEALTHY", "6 s Unknown>Live", "33 s EC-2004", "33 s Live>HTTPError", health]
            .map(str::to_owned)
            .to_vec()
    };
    let story = |setup: &str| {
        let mut world = World::new(setup);
        world.run("0-42 a live\n0-30 s live\n30-42/3 s !404");
        world.story()
    };
    let needed = "33 UNHEALTHY: no variant can be played; playlist does not load: HTTP 404";
    assert_eq!(story("a+s s"), [down(needed), vec!["33 opened, Unhealthy".into()]].concat());
    assert_eq!(story("a s"), down("33 DEGRADED: playlist does not load: HTTP 404"));
}

#[test]
fn aux_renditions_never_count() {
    let story = ["6 a Unknown>Live", "6 HEALTHY", "1 x EC-2004", "1 x Unknown>HTTPError"];
    let mut world = World::new("a x");
    world.run("0-30 a live\n0-1/1 x !404\n1 x !404");
    let mut expected = story.map(str::to_owned).to_vec();
    expected.sort();
    let mut got = world.story();
    got.sort();
    assert_eq!(got, expected);
}

#[test]
fn a_master_that_does_not_load_means_nobody_can_start() {
    check(
        "a b",
        "0-60 ab live\n30 m !404\n31 m !404\n32 m !404\n60 m",
        &[
            "6 a Unknown>Live",
            "6 HEALTHY",
            "6 b Unknown>Live",
            "31 EC-2004",
            "31 UNHEALTHY: no new viewer can start: the stream's playlist does not load: HTTP 404",
            "31 opened, Unhealthy",
            "60 HEALTHY",
        ],
    );
    check("a b", "0-12 ab live\n9 m !404\n10 m", &["6 a Unknown>Live", "6 HEALTHY", "6 b Unknown>Live"]);
}

#[test]
fn renditions_come_and_go() {
    check("a b", "1 m a b\n2 m a c\n3 m a", &["2 renditions +1 -1", "3 renditions +0 -1"]);
}

#[test]
fn silence_is_no_data_and_never_the_last_colour() {
    check("a", "1-400/1 .", &[]);
    check_a("30-90/1 .", &["55 NO DATA: no look for 31 s"]);
    let mut world = World::new("a");
    world.run("1-31/1 .");
    assert_eq!(world.state.health.state, HealthState::NoData);
    assert_eq!(world.state.health.reasons.len(), 1);
}

#[test]
fn figures_need_five_samples_and_take_the_median() {
    check_a("30-36 a live ttfb=900", &[]);
    // 3 of the first look and 4 more were quick: the seventh slow one is the first that is not a minority.
    check_a("30-66 a live ttfb=900", &[]);
    check_a("30-72 a live ttfb=900", &["66 DEGRADED: TTFB 900 ms > 500 ms"]);
    check(
        "a",
        "0-30 a live ttfb=501",
        &["6 a Unknown>Live", "6 HEALTHY", "12 DEGRADED: TTFB 501 ms > 500 ms"],
    );
    check("a", "0-30 a live ttfb=500", &UP);
}

#[test]
fn the_download_ratio_leaves_paced_answers_out() {
    let slow = |health: &'static str| ["6 a Unknown>Live", "6 HEALTHY", health];
    check("a", "0-30 a live dl=5001", &slow("12 DEGRADED: download ratio 1.20 < 1.2"));
    check("a", "0-30 a live dl=5000", &UP);
    check("a", "0-30 a live dl=5500 chunked", &UP);
    let found = check(
        "a",
        "0-18 a live dl=7500",
        &[
            "0 a WA-1002",
            "0 a WA-1002",
            "0 a WA-1002",
            "6 a Unknown>Live",
            "6 HEALTHY",
            "6 a WA-1002",
            "12 a WA-1002",
            "12 UNHEALTHY: download ratio 0.80 < 1",
            "12 opened, Unhealthy",
        ],
    );
    assert_eq!(found.codes().len(), 5);
    // All main renditions must be below 1.0.
    check(
        "a b",
        "0-13 a live dl=7500\n0-13 b live chunked dl=6000\n0.1-13/6 . ",
        &[
            "0 a WA-1002",
            "0 a WA-1002",
            "0 a WA-1002",
            "6 a Unknown>Live",
            "6 HEALTHY",
            "6 a WA-1002",
            "6 b Unknown>Live",
            "12 a WA-1002",
            "12 DEGRADED: download ratio 0.80 < 1.2",
        ],
    );
}

#[test]
fn rebuffering_is_reported_once_for_each_event() {
    let world = check_a(
        "30-54/2 a same\n54-72 a live",
        &[
            "34 a Live>Stalled",
            "34 DEGRADED: playlist brings no new segments",
            "44 a dry",
            "44 a WA-1001",
            "44 UNHEALTHY: no variant can be played; playlist brings no new segments",
            "44 opened, Unhealthy",
            "54 a EC-1001",
            "54 a Stalled>Live",
            "54 a fed after 12s",
        ],
    );
    assert_eq!(world.codes(), ["WA-1001", "EC-1001"]);
    // Also when it began and ended between two looks; not when the segment waited for us all the while.
    let stalled = ["36 a Live>Stalled", "36 DEGRADED: playlist brings no new segments", "42 a Stalled>Live"];
    let dry = ["42 HEALTHY", "44 a dry", "44 a WA-1001", "44 a fed after 2s"];
    check_a("30-42/3 a same\n42 a live after=2000", &[&stalled[..], &dry].concat());
    check_a("30-42/3 a same\n42 a live after=2000 q=2000", &[&stalled[..], &dry[..1]].concat());
}

/// The buffer is empty after what was lost, and every segment since comes a little later than the one before.
#[test]
fn milliseconds_of_jitter_after_an_outage_are_no_events() {
    let mut world = World::new("a");
    world.run("0-30 a live\n30-48 a live x404");
    for index in 8..100_u64 {
        world.run(&format!("{} a live after={}", index * 6, index * 4));
    }
    assert_eq!(world.codes(), ["EC-2002", "EC-2002", "EC-2002", "WA-1001"]);
    assert_eq!(world.state.health.state, HealthState::Healthy);
}

#[test]
fn an_incident_opens_and_resolves() {
    let mut world = World::new("a");
    world.run("0-30 a live\n30-42/3 a !503\n42-400 a live");
    let expected = [
        "33 a EC-2004",
        "33 a Live>HTTPError",
        "33 UNHEALTHY: no variant can be played; playlist does not load: HTTP 503",
        "33 opened, Unhealthy",
        "42 a HTTPError>Live",
        "42 HEALTHY",
        "162 resolved after 129s",
    ];
    assert_eq!(world.story(), [&UP[..], &expected].concat());
}

#[test]
fn degraded_opens_after_300_s_with_evidence_in_three_minutes() {
    // The lost segments of the first minute hold the window; only those of later minutes are new evidence.
    let story = |minutes: &[u64]| {
        let mut world = World::new("a b c d");
        let mut script = String::from("0-600 bcd live\n");
        let lost: Vec<u64> = minutes.iter().map(|minute| minute * 60 + 30).collect();
        for at in (0..600).step_by(6) {
            let fails = if lost.contains(&at) { "x404" } else { "" };
            script += &format!("{at} a live {fails}\n");
        }
        world.run(&script);
        world.story().into_iter().filter(|line| line.contains("opened")).collect::<Vec<_>>()
    };
    assert_eq!(story(&[0, 1, 3, 5]), ["336 opened, LongDegraded"]);
    assert_eq!(story(&[0, 2, 4]), ["336 opened, LongDegraded"]);
    assert_eq!(story(&[0, 1, 2]), [""; 0], "healthy again at 270 s");
    assert_eq!(story(&[0, 3, 6]), [""; 0], "healthy between");
}

#[test]
fn time_that_steps_back_makes_no_outage() {
    let mut world = World::new("a");
    world.run("0 a T6 M0 6,6,6");
    for minute in 0..10_u64 {
        for look in 0..10 {
            let sequence = minute * 10 + look + 1;
            // Every minute the clock is put back by five.
            let at = 3_600 - minute * 300 + look * 6;
            world.run(&format!("{at} a T6 M{sequence} 6,6,6"));
        }
    }
    assert_eq!(world.codes(), [""; 0], "{:#?}", world.story());
    assert_eq!(world.state.health.state, HealthState::Healthy);
}

#[test]
fn a_list_that_stays_empty_is_a_stall() {
    check("a", "0-12/3 a T6 M0", &[]);
    check("a", "0-15/3 a T6 M0", &["12 a Unknown>Stalled", "12 DEGRADED: playlist brings no new segments"]);
    check("a", "0-9/3 a T6 M0\n9-21 a live", &["9 a Unknown>Live", "9 HEALTHY"]);
}

/// Health keeps a bounded number of reasons, and the verdict must be among them.
#[test]
fn the_worst_reason_is_kept() {
    let names: Vec<String> = ('A'..='Z').chain('a'..='l').chain('n'..='r').map(String::from).collect();
    let mut world = World::new(&names.join(" "));
    let all = names.concat();
    world.run(&format!("0-30 {all} live\n30 {all} !503\n31 {all} !503\n31-70/3 {all} !503"));
    let health = &world.state.health;
    assert_eq!((health.state, health.reasons[0].state), (HealthState::Unhealthy, HealthState::Unhealthy));
    assert_eq!(health.reasons.len(), crate::Health::MAX_REASONS);
}

/// Nobody asked whether it had changed; some edges answer so all the same.
#[test]
fn not_modified_is_an_unchanged_load() {
    check_a("30-36/3 a !304\n36-60 a live", &[]);
    check_a("30-39/3 a !304", &["36 a Live>Stalled", "36 DEGRADED: playlist brings no new segments"]);
    check_a("30 a T6 M105 6,6,6,6 end\n40-70/10 a !304", &["30 a Live>LiveEnd"]);
    check_a("0.5-60/5 m !304\n30-60 a live", &[]);
    // Before the first list it says nothing.
    let mut world = World::new("a");
    world.run("0-2/1 a !304");
    assert_eq!(world.codes(), ["EC-2004"]);
}

/// The master answers all the while, and nobody may look at what it lists.
#[test]
fn a_master_alone_keeps_no_stream_green() {
    check(
        "a b",
        "0-30 ab live\n30-120/3 ab !429\n30-120/30 m\n40-120/1 .",
        &["6 a Unknown>Live", "6 HEALTHY", "6 b Unknown>Live", "55 NO DATA: no look for 31 s"],
    );
}

/// Between looks the silence is ours, but in a load that takes long it is the origin's.
#[test]
fn a_load_that_hangs_is_an_outage_while_it_hangs() {
    let story = check_a(
        "30 a ?\n31-60/1 .\n60 a !timeout lag=30000",
        &[
            "45 DEGRADED: playback waited 3.0 s within 120 s",
            "54 UNHEALTHY: playback waited 12.0 s within 120 s",
            "54 opened, Unhealthy",
            "60 a dry",
            "60 a WA-1001",
        ],
    );
    assert_eq!(story.state.health.state, HealthState::Unhealthy);
    // A load cannot take for ever: then it is us who do not look.
    check_a("30 a ?\n100 .", &["100 NO DATA: no look for 76 s"]);
}

#[test]
fn short_segments_are_not_given_up_at_a_start() {
    let mut world = World::new("a");
    let list = format!("T20 M0 {}", vec!["0.5"; 300].join(","));
    world.run(&format!("0 a {list}"));
    assert_eq!(
        world.state.rendition(id("a")).expect("a").samples(EpochMs(0), world.limits.window).count(),
        64
    );
}

/// What makes a stream UNHEALTHY stands before what came of it.
#[test]
fn the_cause_is_told_before_its_consequences() {
    let mut world = World::new("a");
    world.run("0-30 a live\n30-90/3 a !503");
    let reasons: Vec<String> = world.state.health.reasons.iter().map(|r| r.what.to_string()).collect();
    assert_eq!(reasons[1], "playlist does not load: HTTP 503", "{reasons:?}");
    assert!(reasons[2].starts_with("playback waited"), "{reasons:?}");
}
