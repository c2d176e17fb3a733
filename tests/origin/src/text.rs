//! Playlists as text. m3u8-rs writes them; this file puts right what its writer (6.0.1) leaves out:
//!
//! - MEDIA-SEQUENCE and DISCONTINUITY-SEQUENCE are left out when 0. Legal (both default to 0), but a playlist that
//!   starts at 0 is then unlike all others of its stream; both are always written here.
//! - EXTINF is written as the shortest form of an f32: "2". Durations should be decimal (RFC 8216 section 4.3.2.1),
//!   and readers differ on the rest; always three decimals here. (The library's own precision switch is a global of
//!   the process and would change other writers.)
//! - FRAME-RATE likewise: "25" becomes "25.000" (RFC 8216 section 4.3.4.2: three decimals).
//! - Unknown tags of a media playlist, and of segments EXT-X-MAP placed after DISCONTINUITY, are lost or reordered;
//!   this crate writes none, and MAP before DISCONTINUITY is legal.

use m3u8_rs::{MasterPlaylist, MediaPlaylist};

/// A media playlist.
#[must_use]
pub fn media(list: &MediaPlaylist) -> String {
    let written = written(|buffer| list.write_to(buffer));
    let mut text = String::with_capacity(written.len() + 128);
    for line in written.lines() {
        match line.strip_prefix("#EXTINF:").and_then(|rest| rest.split_once(',')) {
            Some((seconds, title)) => {
                let seconds: f64 = seconds.parse().unwrap_or_default();
                text.push_str(&format!("#EXTINF:{seconds:.3},{title}"));
            }
            None => text.push_str(line),
        }
        text.push('\n');
        if line.starts_with("#EXT-X-TARGETDURATION:") && list.media_sequence == 0 {
            text.push_str("#EXT-X-MEDIA-SEQUENCE:0\n");
        }
        let before_discontinuity = line.starts_with("#EXT-X-MEDIA-SEQUENCE:")
            || (list.media_sequence == 0 && line.starts_with("#EXT-X-TARGETDURATION:"));
        if before_discontinuity && list.discontinuity_sequence == 0 {
            text.push_str("#EXT-X-DISCONTINUITY-SEQUENCE:0\n");
        }
    }
    text
}

/// A multivariant playlist.
#[must_use]
pub fn master(list: &MasterPlaylist) -> String {
    let mut text = written(|buffer| list.write_to(buffer));
    for variant in &list.variants {
        if let Some(rate) = variant.frame_rate {
            let short = format!(",FRAME-RATE={rate}");
            text = text.replace(&format!("{short},"), &format!(",FRAME-RATE={rate:.3},"));
            text = text.replace(&format!("{short}\n"), &format!(",FRAME-RATE={rate:.3}\n"));
        }
    }
    text
}

/// ISO 8601 in UTC with milliseconds, as EXT-X-PROGRAM-DATE-TIME wants it.
#[must_use]
pub fn date_time(epoch_ms: u64) -> String {
    let time = i64::try_from(epoch_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.map(|time| format!("{time:.3}")).unwrap_or_default()
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut buffer = Vec::with_capacity(2_048);
    // Writing to memory does not fail, and the library writes UTF-8 only.
    match write(&mut buffer) {
        Ok(()) => String::from_utf8(buffer).unwrap_or_default(),
        Err(_) => String::new(),
    }
}
