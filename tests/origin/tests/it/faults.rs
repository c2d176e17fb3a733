//! Each fault does what it says: in virtual time, without a network.

use crate::common::{T0, ask, list, small, stream, uris};
use hlsops_origin::answer::{Compress, Delivery, Resource};
use hlsops_origin::stream::Stream;
use hlsops_origin::{
    Container, DEMO, Fault, FaultKind, FaultRefused, Health, Layout, PlaylistState, Rendition, SegmentLength,
    StreamSpec, TarpitMode, What,
};

fn master() -> Stream {
    stream(crate::common::spec(Layout::Master, Container::Ts, SegmentLength::S2))
}

fn with(spec: StreamSpec, fault: Fault) -> Stream {
    let stream = stream(spec);
    stream.set_fault(fault, T0).unwrap();
    stream
}

/// The newest segment's name.
fn newest(stream: &Stream, at_ms: u64) -> String {
    list(stream, "index.m3u8", at_ms).segments.pop().unwrap().uri
}

#[test]
fn segment_faults_leave_playlists_alone() {
    let cases = [
        (FaultKind::SegmentStatus(403), 403, Delivery::Whole),
        (FaultKind::SegmentStatus(404), 404, Delivery::Whole),
        (FaultKind::SegmentStatus(500), 500, Delivery::Whole),
        (FaultKind::SegmentHang, 0, Delivery::Silence),
        (FaultKind::SegmentTruncated, 200, Delivery::Truncated),
        (FaultKind::SegmentSlow { speed_ratio: 0.4 }, 200, Delivery::Paced(5_000)),
        (FaultKind::WrongContent, 200, Delivery::Whole),
    ];
    for (kind, status, delivery) in cases {
        let stream = with(small(), Fault::new(kind));
        let name = newest(&stream, T0);
        assert_eq!(stream.first_faulty(), None, "{kind:?}: playlists are right");
        let answer = ask(&stream, &name, T0 + 7);
        assert_eq!((answer.status, answer.delivery), (status, delivery), "{kind:?}");
        assert_eq!(answer.entry.fault, Some(kind.name()));
        assert_eq!(stream.first_faulty(), Some(T0 + 7), "{kind:?}");
    }
}

#[test]
fn wrong_content_is_a_page_under_the_right_type() {
    let stream = with(small(), Fault::new(FaultKind::WrongContent));
    let answer = ask(&stream, &newest(&stream, T0), T0);
    assert_eq!(answer.content_type, "video/mp2t");
    assert!(answer.body.starts_with(b"<!DOCTYPE html>"));
}

#[test]
fn playlist_and_master_statuses() {
    for status in [403, 404, 500, 503] {
        let stream = with(small(), Fault::new(FaultKind::PlaylistStatus(status)));
        assert_eq!(ask(&stream, "index.m3u8", T0).status, status);
    }
    for status in [404, 500] {
        let stream = master();
        stream.set_fault(Fault::new(FaultKind::MasterStatus(status)), T0).unwrap();
        assert_eq!(ask(&stream, "master.m3u8", T0).status, status);
        assert_eq!(ask(&stream, "360p/index.m3u8", T0).status, 200);
    }
}

#[test]
fn a_fault_of_one_rendition_leaves_the_others_alone() {
    let stream = master();
    stream.set_fault(Fault::new(FaultKind::PlaylistStatus(500)).rendition(Rendition::V270), T0).unwrap();
    stream.set_fault(Fault::new(FaultKind::PlaylistStall).rendition(Rendition::Audio), T0).unwrap();
    let at = T0 + 10_000;
    assert_eq!(ask(&stream, "270p/index.m3u8", at).status, 500);
    assert_eq!(ask(&stream, "360p/index.m3u8", at).entry.fault, None);
    let (audio, video) = (list(&stream, "audio/index.m3u8", at), list(&stream, "180p/index.m3u8", at));
    assert_eq!(audio.media_sequence + 5, video.media_sequence);
}

#[test]
fn a_stall_freezes_the_playlist_and_keeps_its_segments() {
    let stream = with(small(), Fault::new(FaultKind::PlaylistStall).after_ms(4_000).for_ms(3_600_000));
    assert_eq!(list(&stream, "index.m3u8", T0 + 4_000), list(&stream, "index.m3u8", T0 + 600_000));
    let name = list(&stream, "index.m3u8", T0 + 600_000).segments[0].uri.clone();
    assert_eq!(ask(&stream, &name, T0 + 600_000).status, 200, "what is listed can be fetched");
    let before = list(&stream, "index.m3u8", T0 + 600_000).media_sequence;
    let after = list(&stream, "index.m3u8", T0 + 3_604_000).media_sequence;
    assert_eq!(after - before, 1_800, "it was frozen for 3600 s of 2 s each");
}

#[test]
fn a_stall_is_faulty_only_once_something_is_missing() {
    let stream = with(small(), Fault::new(FaultKind::PlaylistStall));
    let next_ms = (T0..T0 + 2_001).find(|&at| ask(&stream, "index.m3u8", at).entry.fault.is_some()).unwrap();
    let fresh = crate::common::stream(small());
    assert_ne!(newest(&fresh, next_ms), newest(&fresh, next_ms - 1), "a segment was due just then");
    assert_eq!(stream.first_faulty(), Some(next_ms));
}

#[test]
fn each_third_answer_is_an_older_copy() {
    let stream = with(small(), Fault::new(FaultKind::OlderCopy { segments: 2 }));
    let seen: Vec<u64> = (0..6).map(|_| list(&stream, "index.m3u8", T0).media_sequence).collect();
    let right = seen[0];
    assert_eq!(seen, [right, right, right - 2, right, right, right - 2]);
    let oldest = list(&stream, "index.m3u8", T0); // the seventh, right again
    assert_eq!(oldest.media_sequence, right);
    assert_eq!(stream.snapshot(T0).faults[0].faulty, 2);
}

#[test]
fn every_and_count_limit_a_fault() {
    let mut fault = Fault::new(FaultKind::PlaylistStatus(503));
    fault.every = Some(2);
    fault.count = Some(2);
    let stream = with(small(), fault);
    let statuses: Vec<u16> = (0..7).map(|_| ask(&stream, "index.m3u8", T0).status).collect();
    assert_eq!(statuses, [200, 503, 200, 503, 200, 200, 200]);
}

#[test]
fn a_jump_renames_all_and_goes_on() {
    let stream = with(small(), Fault::new(FaultKind::Jump { by: 50, every_ms: None }).after_ms(2_000));
    let before = list(&stream, "index.m3u8", T0 + 1_999);
    let after = list(&stream, "index.m3u8", T0 + 4_000);
    assert_eq!(after.media_sequence, before.media_sequence + 50 + 1);
    assert_eq!(after.segments[0].program_date_time, before.segments[1].program_date_time, "same media");
    for name in uris(&before).into_iter().chain(uris(&after)) {
        assert_eq!(ask(&stream, name, T0 + 4_000).status, 200, "{name}: old names live on for a while");
    }
    assert_eq!(ask(&stream, uris(&before)[0], T0 + 60_000).status, 404);
    stream.clear_faults(T0 + 5_000);
    assert_eq!(list(&stream, "index.m3u8", T0 + 5_999).media_sequence / 50, 1, "numbers never go back");
}

#[test]
fn repeated_jumps_stop_when_cleared() {
    let stream = with(small(), Fault::new(FaultKind::Jump { by: 50, every_ms: Some(15_000) }));
    let start = list(&crate::common::stream(small()), "index.m3u8", T0).media_sequence;
    let at = |seconds: u64| list(&stream, "index.m3u8", T0 + seconds * 1_000).media_sequence - start;
    assert_eq!(at(2), 51);
    assert_eq!(at(16), 58);
    assert_eq!(at(18), 109, "each 16 s, as segments are whole");
    stream.clear_faults(T0 + 19_000);
    assert_eq!(at(100), 150);
}

#[test]
fn an_encoder_restart_starts_low_with_new_names_and_a_discontinuity() {
    let stream = with(small(), Fault::new(FaultKind::EncoderRestart { first: 0 }));
    let before = list(&crate::common::stream(small()), "index.m3u8", T0);
    let first = list(&stream, "index.m3u8", T0 + 2_000);
    assert_eq!((first.media_sequence, first.discontinuity_sequence), (0, 0));
    assert_eq!(uris(&first), ["seg-e1-0.ts"]);
    assert!(first.segments[0].discontinuity);
    let last_before = before.segments.last().unwrap();
    let gap = first.segments[0].program_date_time.unwrap() - last_before.program_date_time.unwrap();
    assert_eq!(gap.num_milliseconds(), 2_000, "media continue in time");
    let later = list(&stream, "index.m3u8", T0 + 16_000);
    assert_eq!((later.media_sequence, later.segments.len()), (2, 6));
    let number = later.discontinuity_sequence + u64::from(later.segments[0].discontinuity);
    assert!(number >= 1, "the restart's tag has left and is counted");
    for name in uris(&before).into_iter().chain(uris(&first)) {
        assert_eq!(ask(&stream, name, T0 + 2_000).status, 200, "{name}");
    }
}

#[test]
fn an_end_is_an_endlist_and_nothing_after_it() {
    let stream = with(small(), Fault::new(FaultKind::End).after_ms(12_000));
    let live = list(&stream, "index.m3u8", T0 + 11_999);
    assert!(!live.end_list);
    let ended = list(&stream, "index.m3u8", T0 + 12_000);
    assert!(ended.end_list);
    assert_eq!(ended, list(&stream, "index.m3u8", T0 + 900_000));
    for name in uris(&ended) {
        assert_eq!(ask(&stream, name, T0 + 900_000).status, 200, "{name}");
    }
    let next = format!("seg-{}.ts", ended.media_sequence + ended.segments.len() as u64);
    assert_eq!(ask(&stream, &next, T0 + 900_000).status, 404);
}

#[test]
fn redirects_lead_to_the_same_path_under_moved() {
    let stream = with(small(), Fault::new(FaultKind::Redirect));
    let answer = ask(&stream, "index.m3u8", T0);
    assert_eq!((answer.status, answer.location.as_deref()), (302, Some("/moved/test/index.m3u8")));
    let moved = Resource::locate(stream.spec(), "index.m3u8", true).unwrap();
    assert_eq!(stream.answer(&moved, T0).status, 200);
    let mut fault = Fault::new(FaultKind::Redirect);
    fault.on = Some(What::Segment);
    let stream = with(small(), fault);
    assert_eq!(ask(&stream, &newest(&stream, T0), T0).status, 302);
    let stream = crate::common::stream(StreamSpec { redirect: true, ..small() });
    assert_eq!(ask(&stream, "index.m3u8", T0).status, 302, "by specification");
    assert_eq!(stream.first_faulty(), None, "which is no fault");
}

#[test]
fn gzip_and_tarpits() {
    let stream = with(small(), Fault::new(FaultKind::Gzip));
    assert_eq!(ask(&stream, "index.m3u8", T0).compress, Compress::Always);
    let spec = StreamSpec { gzip: true, ..small() };
    assert_eq!(ask(&crate::common::stream(spec), "index.m3u8", T0).compress, Compress::IfAccepted);
    for (mode, delivery) in [(TarpitMode::Drip, Delivery::Drip), (TarpitMode::Silence, Delivery::Silence)] {
        let stream = with(small(), Fault::new(FaultKind::Tarpit(mode)));
        assert_eq!(ask(&stream, "index.m3u8", T0).delivery, delivery);
    }
}

#[test]
fn flapping_is_on_and_off_in_turn() {
    let stream = with(small(), Fault::new(FaultKind::PlaylistStatus(503)).flap_ms(10_000));
    let at = |seconds: u64| ask(&stream, "index.m3u8", T0 + seconds * 1_000).status;
    assert_eq!([at(0), at(9), at(10), at(19), at(20), at(35)], [503, 503, 200, 200, 503, 200]);
}

#[test]
fn several_faults_at_once_and_recovery() {
    let stream = with(small(), Fault::new(FaultKind::SegmentStatus(404)));
    stream.set_fault(Fault::new(FaultKind::Gzip), T0).unwrap();
    stream.set_fault(Fault::new(FaultKind::SegmentSlow { speed_ratio: 0.5 }), T0).unwrap();
    let name = newest(&crate::common::stream(small()), T0);
    assert_eq!(ask(&stream, &name, T0).status, 404, "a refusal comes before slowness");
    assert_eq!(ask(&stream, "index.m3u8", T0).compress, Compress::Always);
    stream.clear_faults(T0 + 1);
    assert_eq!(ask(&stream, &name, T0 + 1).status, 200);
    let snapshot = stream.snapshot(T0 + 1);
    assert_eq!((snapshot.faults.len(), snapshot.past.len()), (0, 3));
    assert_eq!(snapshot.past[0].first_faulty_ms, Some(T0));
}

#[test]
fn what_is_refused() {
    let stream = with(small(), Fault::new(FaultKind::End));
    let short = Fault::new(FaultKind::Jump { by: 3, every_ms: None });
    assert_eq!(stream.set_fault(short, T0), Err(FaultRefused::JumpTooShort { least: 14 }));
    for _ in 1..Stream::MAX_FAULTS {
        stream.set_fault(Fault::new(FaultKind::Gzip), T0).unwrap();
    }
    assert_eq!(stream.set_fault(Fault::new(FaultKind::Gzip), T0), Err(FaultRefused::TooMany));
}

#[test]
fn the_demo_table_agrees_with_the_rules() {
    let mut ids = std::collections::HashSet::new();
    for row in &DEMO {
        assert!(ids.insert(row.id), "{} twice", row.id);
        assert!(!row.title.is_empty() && row.why.ends_with('.'), "{}", row.id);
        let stream = stream(row.spec);
        for fault in row.faults {
            stream.set_fault(*fault, T0).unwrap();
        }
        let begun = T0 + row.faults.first().map_or(0, |fault| fault.after_ms) + 1;
        assert!(begun - T0 <= 12_001, "{}: shows within 30 s", row.id);
        let expected = stream.snapshot(begun).expected;
        let worst = row.health.iter().max().unwrap();
        assert_eq!((expected.health, expected.playlist_state), (*worst, row.playlist_state), "{}", row.id);
        assert_eq!(expected.codes, row.codes, "{}", row.id);
        let before = row.faults.iter().any(|fault| fault.after_ms > 0).then(|| stream.snapshot(T0).expected);
        if let Some(before) = before {
            assert_eq!((before.health, before.playlist_state), (Health::Healthy, PlaylistState::Live));
        }
    }
}
