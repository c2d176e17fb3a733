//! The committed media are what the index, the master and the README say.

use crate::common::media;
use hlsops_origin::media::{LOOP_MS, PIECE_MS, PIECES, Track};
use hlsops_origin::{Container, Layout, Rendition, SegmentLength};

fn pieces(track: &Track) -> impl Iterator<Item = (usize, bytes::Bytes)> + '_ {
    (0..PIECES).map(|piece| (piece, track.bytes(piece..piece + 1)))
}

#[test]
fn every_rendition_is_sixty_seconds_exactly() {
    for container in Container::ALL {
        for rendition in Rendition::ALL {
            let track = media().track(rendition, container);
            assert_eq!(track.duration_ms(0..PIECES), LOOP_MS, "{rendition:?} {container:?}");
            for piece in 0..PIECES {
                let expected = match rendition {
                    // 63 and 62 frames of 32 ms in turn: 1875 in all.
                    Rendition::Audio if piece % 2 == 0 => 2_016,
                    Rendition::Audio => 1_984,
                    _ => PIECE_MS,
                };
                assert_eq!(track.duration_ms(piece..piece + 1), expected, "{rendition:?} piece {piece}");
            }
        }
    }
}

#[test]
fn no_more_than_fourteen_megabytes_are_committed() {
    let total: usize = Container::ALL
        .iter()
        .flat_map(|&container| Rendition::ALL.map(|rendition| media().track(rendition, container)))
        .map(|track| track.bytes(0..PIECES).len())
        .sum();
    assert!((8_000_000..14_000_000).contains(&total), "{total}");
}

// Transport streams.

struct Packet<'a> {
    pid: u16,
    starts: bool,
    payload: &'a [u8],
}

fn packets(data: &[u8]) -> impl Iterator<Item = Packet<'_>> {
    assert_eq!(data.len() % 188, 0);
    data.chunks_exact(188).map(|packet| {
        assert_eq!(packet[0], 0x47, "sync byte");
        let adaptation = if packet[3] & 0x20 == 0 { 0 } else { 1 + usize::from(packet[4]) };
        Packet {
            pid: u16::from_be_bytes([packet[1], packet[2]]) & 0x1fff,
            starts: packet[1] & 0x40 != 0,
            payload: &packet[4 + adaptation..],
        }
    })
}

/// The elementary stream of a PID, and how many PES packets it came in.
fn elementary(data: &[u8], pid: u16) -> (Vec<u8>, usize) {
    let (mut stream, mut count) = (Vec::new(), 0);
    for packet in packets(data).filter(|packet| packet.pid == pid) {
        let header = if packet.starts { 9 + usize::from(packet.payload[8]) } else { 0 };
        count += usize::from(packet.starts);
        stream.extend_from_slice(&packet.payload[header..]);
    }
    (stream, count)
}

/// H.264 units after each start code.
fn annex_b_types(stream: &[u8]) -> Vec<u8> {
    stream.windows(4).filter(|four| four[..3] == [0, 0, 1]).map(|four| four[3] & 0x1f).collect()
}

fn adts_frames(mut stream: &[u8]) -> usize {
    let mut frames = 0;
    while !stream.is_empty() {
        assert_eq!((stream[0], stream[1] & 0xf6), (0xff, 0xf0), "ADTS sync");
        let length =
            (usize::from(stream[3] & 3) << 11) | (usize::from(stream[4]) << 3) | usize::from(stream[5] >> 5);
        stream = &stream[length..];
        frames += 1;
    }
    frames
}

#[test]
fn ts_pieces_start_with_tables_and_a_key_frame_and_are_complete() {
    for rendition in Rendition::ALL {
        let mut audio_frames = 0;
        for (piece, data) in pieces(media().track(rendition, Container::Ts)) {
            let pids: Vec<u16> = packets(&data).take(3).map(|packet| packet.pid).collect();
            assert_eq!(pids, [17, 0, 4096], "{rendition:?} piece {piece}: SDT, PAT, PMT");
            let (audio_pid, video) = match rendition {
                Rendition::Audio => (256, false),
                Rendition::Muxed => (257, true),
                _ => (0x1fff, true),
            };
            if video {
                let (stream, count) = elementary(&data, 256);
                let types = annex_b_types(&stream);
                assert_eq!(count, 50, "{rendition:?} piece {piece}: frames in 2 s");
                assert_eq!(types[..3], [9, 7, 8], "delimiter, SPS, PPS");
                let slices: Vec<u8> = types.into_iter().filter(|kind| matches!(kind, 1 | 5)).collect();
                assert_eq!(slices[0], 5, "IDR first");
                assert_eq!(slices.iter().filter(|&&kind| kind == 5).count(), 1, "one IDR per piece");
            }
            let frames = adts_frames(&elementary(&data, audio_pid).0);
            audio_frames += frames;
            if rendition == Rendition::Audio {
                assert_eq!(frames as u64 * 32, if piece % 2 == 0 { 2_016 } else { 1_984 });
            }
        }
        let expected = if matches!(rendition, Rendition::Audio | Rendition::Muxed) { 1_875 } else { 0 };
        assert_eq!(audio_frames, expected, "{rendition:?}: AAC frames in 60 s");
    }
}

// Fragmented MP4.

fn boxes(mut data: &[u8]) -> Vec<(String, &[u8])> {
    let mut found = Vec::new();
    while !data.is_empty() {
        let size = u32::from_be_bytes(data[..4].try_into().unwrap()) as usize;
        found.push((String::from_utf8_lossy(&data[4..8]).into_owned(), &data[8..size]));
        data = &data[size..];
    }
    found
}

fn within<'a>(data: &'a [u8], path: &str) -> Vec<&'a [u8]> {
    path.split('/').fold(vec![data], |outer, name| {
        let inner = outer.into_iter().flat_map(boxes);
        inner.filter(|(kind, _)| kind == name).map(|(_, body)| body).collect()
    })
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes[..4].try_into().unwrap())
}

#[test]
fn fmp4_pieces_start_with_a_fragment_and_a_key_frame_and_are_complete() {
    for rendition in Rendition::ALL {
        let track = media().track(rendition, Container::Fmp4);
        let init = track.init().unwrap();
        assert_eq!(boxes(&init).iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), ["ftyp", "moov"]);
        let mut audio_frames = 0;
        for (piece, data) in pieces(track) {
            let kinds: Vec<String> =
                boxes(&data).into_iter().map(|(kind, _)| kind).filter(|kind| kind != "sidx").collect();
            assert_eq!(kinds, ["moof", "mdat"], "{rendition:?} piece {piece}");
            let samples: Vec<u32> =
                within(&data, "moof/traf/trun").iter().map(|run| number(&run[4..])).collect();
            let decode_time = within(&data, "moof/traf/tfdt");
            assert_eq!(decode_time.len(), if rendition == Rendition::Muxed { 2 } else { 1 });
            match rendition {
                Rendition::Audio => audio_frames += samples.iter().sum::<u32>(),
                _ => {
                    assert_eq!(samples[0], 50, "frames in 2 s");
                    assert_eq!(first_slice_type(within(&data, "mdat")[0]), 5, "IDR first");
                    audio_frames += samples[1..].iter().sum::<u32>();
                }
            }
        }
        let expected = if matches!(rendition, Rendition::Audio | Rendition::Muxed) { 1_875 } else { 0 };
        assert_eq!(audio_frames, expected, "{rendition:?}: AAC frames in 60 s");
    }
}

fn first_slice_type(mut sample: &[u8]) -> u8 {
    loop {
        let kind = sample[4] & 0x1f;
        if matches!(kind, 1 | 5) {
            return kind;
        }
        sample = &sample[4 + number(sample) as usize..];
    }
}

#[test]
fn codecs_and_resolutions_are_those_of_the_media() {
    for rendition in Rendition::ALL.into_iter().filter(|known| *known != Rendition::Audio) {
        let init = media().track(rendition, Container::Fmp4).init().unwrap();
        let at = init.windows(4).position(|four| four == b"avcC").unwrap() + 5;
        let (profile, constraints, level) = (init[at], init[at + 1], init[at + 2]);
        let codec = format!("avc1.{profile:02x}{constraints:02x}{level:02x}");
        assert_eq!(rendition.codecs().split(',').next(), Some(codec.as_str()), "{rendition:?} fMP4");

        let (stream, _) = elementary(&media().track(rendition, Container::Ts).bytes(0..1), 256);
        let sps = stream.windows(4).position(|four| four[..3] == [0, 0, 1] && four[3] & 0x1f == 7).unwrap();
        assert_eq!(stream[sps + 4..sps + 7], [profile, constraints, level], "{rendition:?} TS");

        let header = within(&init, "moov/trak/tkhd")[0];
        let size = (u64::from(number(&header[76..]) >> 16), u64::from(number(&header[80..]) >> 16));
        assert_eq!(rendition.resolution(), Some(size), "{rendition:?}");
    }
}

#[test]
fn declared_bandwidths_hold_at_every_segment_length() {
    for container in Container::ALL {
        for length in SegmentLength::ALL {
            let spec = crate::common::spec(Layout::Master, container, length);
            let master = hlsops_origin::master::master_playlist(media(), &spec);
            let audio = measured(Rendition::Audio, container, length);
            for (variant, rendition) in master.variants.iter().zip(Rendition::OF_MASTER) {
                let video = measured(rendition, container, length);
                let peak = video.0 + audio.0;
                let average = video.1 + audio.1;
                let (declared, declared_average) =
                    (variant.bandwidth as f64, variant.average_bandwidth.unwrap() as f64);
                assert!(declared >= peak && declared < peak + 3.0, "{declared} {peak}");
                assert!(declared_average >= average && declared_average < average + 3.0);
                assert!(declared_average <= declared);
            }
        }
    }
}

/// Peak and average in bits a second, in another way than the origin's.
fn measured(rendition: Rendition, container: Container, length: SegmentLength) -> (f64, f64) {
    let track = media().track(rendition, container);
    let step = length.pieces();
    let rates = (0..PIECES / step).map(|n| {
        let bits: usize =
            (n * step..(n + 1) * step).map(|piece| track.bytes(piece..piece + 1).len() * 8).sum();
        bits as f64 / (track.duration_ms(n * step..(n + 1) * step) as f64 / 1_000.0)
    });
    (rates.fold(0.0, f64::max), track.bytes(0..PIECES).len() as f64 * 8.0 / 60.0)
}
