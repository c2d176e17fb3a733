//! The multivariant playlist. Every attribute is true of the media: rates are measured from the index.

use m3u8_rs::{AlternativeMedia, AlternativeMediaType, MasterPlaylist, Resolution, VariantStream};

use crate::media::{AUDIO_CODEC, Container, FRAME_RATE, LOOP_MS, Media, Rendition};
use crate::spec::{SegmentLength, StreamSpec};
use crate::text;

/// Name of the audio group.
pub const AUDIO_GROUP: &str = "aac";

/// Measured rates of a rendition. Unit: bits a second, rounded up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Largest rate of any run of segments lasting 0.5 to 1.5 target durations (RFC 8216 section 4.1).
    pub peak: u64,
    /// Of the whole loop.
    pub average: u64,
}

/// Measures a rendition at a segment length, over the loop point too. As segments are about as long as the target
/// duration, only single segments are such runs.
#[must_use]
pub fn rates(media: &Media, rendition: Rendition, container: Container, length: SegmentLength) -> Rates {
    let track = media.track(rendition, container);
    let (pieces, mut peak, mut total_bytes) = (length.pieces(), 0, 0);
    for position in 0..length.per_loop() as usize {
        let range = position * pieces..(position + 1) * pieces;
        let bytes = track.bytes(range.clone()).len() as u64;
        let duration_ms = track.duration_ms(range).max(1);
        peak = peak.max((bytes * 8_000).div_ceil(duration_ms));
        total_bytes += bytes;
    }
    Rates { peak, average: (total_bytes * 8_000).div_ceil(LOOP_MS) }
}

/// The multivariant playlist of a stream, as data: best video first, audio as a group of its own.
#[must_use]
pub fn master_playlist(media: &Media, spec: &StreamSpec) -> MasterPlaylist {
    let audio = rates(media, Rendition::Audio, spec.container, spec.segment);
    let variants = Rendition::OF_MASTER.iter().filter_map(|&rendition| {
        let (width, height) = rendition.resolution()?;
        let video = rates(media, rendition, spec.container, spec.segment);
        Some(VariantStream {
            uri: format!("{}/index.m3u8", rendition.name()),
            bandwidth: video.peak + audio.peak,
            average_bandwidth: Some(video.average + audio.average),
            codecs: Some(format!("{},{AUDIO_CODEC}", rendition.codecs())),
            resolution: Some(Resolution { width, height }),
            frame_rate: Some(FRAME_RATE),
            audio: Some(AUDIO_GROUP.to_owned()),
            ..VariantStream::default()
        })
    });
    MasterPlaylist {
        // 6 as EXT-X-MAP follows; else 4, which RFC 8216 section 7 suggests for EXT-X-MEDIA.
        version: Some(if spec.container == Container::Fmp4 { 6 } else { 4 }),
        independent_segments: true,
        variants: variants.collect(),
        alternatives: vec![AlternativeMedia {
            media_type: AlternativeMediaType::Audio,
            uri: Some(format!("{}/index.m3u8", Rendition::Audio.name())),
            group_id: AUDIO_GROUP.to_owned(),
            language: Some("en".to_owned()),
            name: "English".to_owned(),
            default: true,
            autoselect: true,
            channels: Some("1".to_owned()),
            ..AlternativeMedia::default()
        }],
        ..MasterPlaylist::default()
    }
}

/// The multivariant playlist of a stream, as text. It does not change with time.
#[must_use]
pub fn master(media: &Media, spec: &StreamSpec) -> String {
    text::master(&master_playlist(media, spec))
}
