//! The live model, at many times and for many specifications: playlists as a client sees them, one after another.

use std::collections::HashMap;

use crate::common::{T0, ask, list, media, stream};
use hlsops_origin::live::{Live, SegmentName};
use hlsops_origin::numbering::Numbering;
use hlsops_origin::{Container, Layout, Rendition, SegmentLength, StreamSpec};
use m3u8_rs::MediaPlaylist;
use proptest::prelude::*;

fn specs() -> impl Strategy<Value = StreamSpec> {
    let first = prop_oneof![Just(0), Just((1 << 32) - 5), 0..1_000_000_u64];
    (0..2_usize, 0..2_usize, 0..4_usize, StreamSpec::WINDOW_RANGE, first).prop_map(
        |(layout, container, segment, window_segments, first_sequence)| StreamSpec {
            layout: Layout::ALL[layout],
            container: Container::ALL[container],
            segment: SegmentLength::ALL[segment],
            window_segments,
            first_sequence,
            ..StreamSpec::DEFAULT
        },
    )
}

/// The discontinuity sequence number of each listed segment (rfc8216bis section 6.2.2).
fn discontinuity_numbers(list: &MediaPlaylist) -> Vec<(String, u64)> {
    let mut number = list.discontinuity_sequence;
    let mut numbers = Vec::new();
    for segment in &list.segments {
        number += u64::from(segment.discontinuity);
        numbers.push((segment.uri.clone(), number));
    }
    numbers
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_window_slides_by_one_and_nothing_listed_changes(spec in specs(), start in 0..400_u64, which in 0..4_usize) {
        let numbering = Numbering::new(spec.first_sequence);
        let live = Live { media: media(), spec: &spec, epoch_ms: T0, numbering: &numbering };
        let rendition = spec.renditions()[which % spec.renditions().len()];
        let length = spec.segment.ms();
        let mut numbers = HashMap::new();
        let mut before: Option<MediaPlaylist> = None;
        for step in start..start + 70 {
            let at_ms = T0 + (step + 1) * length;
            let now = live.media_playlist(rendition, at_ms);
            prop_assert_eq!(&now, &live.media_playlist(rendition, at_ms + length - 1), "nothing between");
            prop_assert_eq!(now.segments.len() as u64, (step + 1).min(spec.window_segments));
            prop_assert_eq!(now.media_sequence, spec.first_sequence + (step + 1).saturating_sub(spec.window_segments));
            for (uri, number) in discontinuity_numbers(&now) {
                let known = *numbers.entry(uri).or_insert(number);
                prop_assert_eq!(known, number, "a segment's discontinuity number never changes");
            }
            if let Some(before) = before {
                let left = (now.media_sequence - before.media_sequence) as usize;
                prop_assert_eq!(&before.segments[left..].iter().map(without_map).collect::<Vec<_>>(),
                    &now.segments[..now.segments.len() - 1].iter().map(without_map).collect::<Vec<_>>());
            }
            before = Some(now);
        }
    }

    #[test]
    fn what_is_written_reads_back_the_same(spec in specs(), at in 0..10_000_000_u64, which in 0..4_usize) {
        let numbering = Numbering::new(spec.first_sequence);
        let live = Live { media: media(), spec: &spec, epoch_ms: T0, numbering: &numbering };
        let rendition = spec.renditions()[which % spec.renditions().len()];
        let at_ms = T0 + spec.segment.ms() + at;
        let meant = live.media_playlist(rendition, at_ms);
        let text = live.playlist(rendition, &[], at_ms).text;
        prop_assert_eq!(m3u8_rs::parse_media_playlist_res(text.as_bytes()).unwrap(), meant.clone());
        prop_assert!(text.ends_with('\n') && !text.contains('\r'));
        prop_assert_eq!(text.matches("#EXT-X-MEDIA-SEQUENCE:").count(), 1, "{}", text);
        prop_assert_eq!(text.matches("#EXT-X-DISCONTINUITY-SEQUENCE:").count(), 1, "{}", text);
        for segment in &meant.segments {
            prop_assert!(segment.duration.round() as u64 <= meant.target_duration, "RFC 8216 section 4.3.3.1");
        }
        let times: Vec<i64> = meant.segments.iter()
            .map(|segment| segment.program_date_time.unwrap().timestamp_millis()).collect();
        for (pair, segment) in times.windows(2).zip(&meant.segments) {
            prop_assert_eq!(pair[1] - pair[0], (segment.duration * 1_000.0).round() as i64, "dates follow EXTINF");
        }
    }

    #[test]
    fn segments_stay_a_window_after_they_left(spec in specs(), newest in 0..1_000_u64) {
        let numbering = Numbering::new(spec.first_sequence);
        let live = Live { media: media(), spec: &spec, epoch_ms: T0, numbering: &numbering };
        let at = |slot: u64| T0 + (slot + 1) * spec.segment.ms();
        let fetch = |number, at_ms| live.fetchable(SegmentName { generation: 0, number }, &[], false, at_ms);
        let number = spec.first_sequence + newest;
        prop_assert_eq!(fetch(number, at(newest) - 1), None, "not before it is complete");
        let last = newest + 2 * spec.window_segments;
        for slot in [newest, newest + spec.window_segments - 1, newest + spec.window_segments, last] {
            prop_assert_eq!(fetch(number, at(slot)), Some(newest));
        }
        prop_assert_eq!(fetch(number, at(last + 1)), None, "long gone");
    }
}

fn without_map(segment: &m3u8_rs::MediaSegment) -> m3u8_rs::MediaSegment {
    m3u8_rs::MediaSegment { map: None, ..segment.clone() }
}

#[test]
fn a_new_stream_has_a_full_window_and_all_of_it_can_be_fetched() {
    for layout in Layout::ALL {
        for container in Container::ALL {
            for segment in SegmentLength::ALL {
                let stream = stream(crate::common::spec(layout, container, segment));
                for rendition in stream.spec().renditions() {
                    let folder = match layout {
                        Layout::Master => format!("{}/", rendition.name()),
                        Layout::Media => String::new(),
                    };
                    let now = list(&stream, &format!("{folder}index.m3u8"), T0);
                    assert_eq!(now.segments.len(), 6);
                    for segment in &now.segments {
                        let answer = ask(&stream, &format!("{folder}{}", segment.uri), T0);
                        assert_eq!(answer.status, 200, "{}", segment.uri);
                        assert!(answer.body.len() > 4_000);
                    }
                }
            }
        }
    }
}

#[test]
fn the_discontinuity_is_at_the_loop_point_and_counted_when_it_has_left() {
    let spec = StreamSpec { window_segments: 3, segment: SegmentLength::S10, ..crate::common::small() };
    let numbering = Numbering::new(0);
    let live = Live { media: media(), spec: &spec, epoch_ms: T0, numbering: &numbering };
    let seen: Vec<(u64, u64, Vec<bool>)> = (2..10)
        .map(|slot| live.media_playlist(Rendition::Muxed, T0 + (slot + 1) * 10_000))
        .map(|list| {
            let tags = list.segments.iter().map(|segment| segment.discontinuity).collect();
            (list.media_sequence, list.discontinuity_sequence, tags)
        })
        .collect();
    let expected = [
        (0, 0, vec![false, false, false]), // the very first segment has none
        (1, 0, vec![false, false, false]),
        (2, 0, vec![false, false, false]),
        (3, 0, vec![false, false, false]),
        (4, 0, vec![false, false, true]), // segment 6 starts the loop again
        (5, 0, vec![false, true, false]),
        (6, 0, vec![true, false, false]), // still listed: not counted
        (7, 1, vec![false, false, false]),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn versions_maps_and_names_fit_the_container() {
    let ts = stream(crate::common::spec(Layout::Master, Container::Ts, SegmentLength::S4));
    let now = list(&ts, "360p/index.m3u8", T0);
    assert_eq!((now.version, now.target_duration, now.segments[0].map.is_some()), (Some(3), 4, false));
    let fmp4 = stream(crate::common::spec(Layout::Master, Container::Fmp4, SegmentLength::S4));
    let now = list(&fmp4, "audio/index.m3u8", T0);
    assert_eq!((now.version, now.segments[0].map.as_ref().unwrap().uri.as_str()), (Some(6), "init.mp4"));
    assert!(now.segments[0].uri.ends_with(".m4s"));
    assert_eq!(ask(&fmp4, "audio/init.mp4", T0).content_type, "audio/mp4");
}

#[test]
fn the_master_reads_back_the_same_and_is_complete() {
    for container in Container::ALL {
        for segment in SegmentLength::ALL {
            let spec = crate::common::spec(Layout::Master, container, segment);
            let answer = ask(&stream(spec), "master.m3u8", T0);
            let read = m3u8_rs::parse_master_playlist_res(&answer.body).unwrap();
            assert_eq!(read, hlsops_origin::master::master_playlist(media(), &spec));
            let text = String::from_utf8(answer.body.to_vec()).unwrap();
            assert_eq!(text.matches(",FRAME-RATE=25.000,").count(), 3, "{text}");
            assert_eq!(text.matches(",AVERAGE-BANDWIDTH=").count(), 3, "{text}");
        }
    }
}

#[test]
fn streams_do_not_publish_all_at_once() {
    let spec = StreamSpec::DEFAULT;
    let phases: std::collections::HashSet<u64> =
        (0..100).map(|n| spec.epoch_ms(&format!("auto-{n}"), T0) % spec.segment.ms() / 100).collect();
    assert!(phases.len() > 25, "100 streams over 40 tenths of a second: {}", phases.len());
}
