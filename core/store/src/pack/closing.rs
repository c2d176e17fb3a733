//! The closing state of a stream in bits.
//!
//! Times are told by their distance from the last look. Fingerprints are hashes, so each takes its whole
//! eight bytes: they are two thirds of a rendition.

use std::time::Duration;

use hlsops_domain::buffer::{BufferClosing, Phase};
use hlsops_domain::rendition::Rendition;
use hlsops_domain::{Closing, EpochMs, MediaUs, RenditionClosing, RenditionId};

use super::bits::{BitReader, BitWriter};
use super::codes::{
    failure, failure_code, read_health, read_incident, read_length, read_playlist, small, write_health,
    write_incident, write_length, write_playlist,
};
use super::log::LogLimits;
use super::{PackError, versioned};

const VERSION: u8 = 1;

/// As bytes. Lengths of time are kept to the microsecond; of the remembered and the unsettled segments the
/// newest [`RenditionClosing::REMEMBERED`] and [`Rendition::MAX_UNSETTLED`].
#[must_use]
pub fn pack_closing(closing: &Closing) -> Vec<u8> {
    let mut out = BitWriter::new(VERSION);
    out.number(closing.began_at.0);
    out.option(closing.last_look, |out, at| out.difference(closing.began_at.0, at.0));
    let base = closing.last_look.unwrap_or(closing.began_at);
    write_health(&mut out, closing.health);
    write_time(&mut out, base, closing.health_since);
    write_incident(&mut out, closing.incident, base);
    out.number(closing.master.0.into());
    out.number(closing.master.1.map_or(0, failure_code));
    let renditions = &closing.renditions[..closing.renditions.len().min(LogLimits::RENDITIONS)];
    out.number(renditions.len() as u64);
    for rendition in renditions {
        write_rendition(&mut out, rendition, base);
    }
    out.finish()
}

/// From bytes.
///
/// # Errors
/// If a newer version packed them, or if they are not what a version packs.
pub fn unpack_closing(bytes: &[u8]) -> Result<Closing, PackError> {
    let from = &mut BitReader::new(versioned(bytes, VERSION)?);
    let began_at = EpochMs(from.number()?);
    let last_look = from.option(|from| from.difference(began_at.0).map(EpochMs))?;
    let base = last_look.unwrap_or(began_at);
    let health = read_health(from)?;
    let health_since = read_time(from, base)?;
    let incident = read_incident(from, base)?;
    let failures = small(from.number()?)?;
    let master_failure = match from.number()? {
        0 => None,
        code => Some(failure(code)?),
    };
    let count = from.count(LogLimits::RENDITIONS)?;
    let renditions = (0..count).map(|_| read_rendition(from, base)).collect::<Result<_, _>>()?;
    Ok(Closing {
        began_at,
        last_look,
        health,
        health_since,
        incident,
        master: (failures, master_failure),
        renditions,
    })
}

fn write_rendition(out: &mut BitWriter, rendition: &RenditionClosing, base: EpochMs) {
    out.bits(rendition.id.0, 64);
    out.bits(rendition.attributes, 64);
    write_playlist(out, rendition.playlist);
    write_time(out, base, rendition.playlist_since);
    out.bit(rendition.was_live);
    out.bit(rendition.dry_reported);
    out.number(rendition.failed_loads.into());
    out.number(rendition.consecutive_lost.into());
    for at in [rendition.last_look, rendition.loaded_at, rendition.changed_at] {
        out.option(at, |out, at| write_time(out, base, at));
    }
    write_media(out, rendition.target);
    let remembered = newest(&rendition.remembered, RenditionClosing::REMEMBERED);
    write_sequences(out, remembered.iter().map(|(sequence, _)| *sequence), 0);
    remembered.iter().for_each(|(_, fingerprint)| out.bits(*fingerprint, 64));
    let last = remembered.last().map_or(0, |(sequence, _)| *sequence);
    write_sequences(out, newest(&rendition.unsettled, Rendition::MAX_UNSETTLED).iter().copied(), last);
    out.option(rendition.obtained_to, |out, to| out.difference(last, to));
    write_buffer(out, &rendition.buffer, base, rendition.target);
}

fn read_rendition(from: &mut BitReader<'_>, base: EpochMs) -> Result<RenditionClosing, PackError> {
    let id = RenditionId(from.bits(64)?);
    let attributes = from.bits(64)?;
    let playlist = read_playlist(from)?;
    let playlist_since = read_time(from, base)?;
    let was_live = from.bit()?;
    let dry_reported = from.bit()?;
    let failed_loads = small(from.number()?)?;
    let consecutive_lost = small(from.number()?)?;
    let mut time = || from.option(|from| read_time(from, base));
    let (last_look, loaded_at, changed_at) = (time()?, time()?, time()?);
    let target = read_media(from)?;
    let sequences = read_sequences(from, 0, RenditionClosing::REMEMBERED)?;
    let remembered: Vec<(u64, u64)> = sequences
        .into_iter()
        .map(|sequence| Ok((sequence, from.bits(64)?)))
        .collect::<Result<_, PackError>>()?;
    let last = remembered.last().map_or(0, |(sequence, _)| *sequence);
    let unsettled = read_sequences(from, last, Rendition::MAX_UNSETTLED)?;
    let obtained_to = from.option(|from| from.difference(last))?;
    let buffer = read_buffer(from, base, target)?;
    Ok(RenditionClosing {
        id,
        attributes,
        playlist,
        playlist_since,
        was_live,
        failed_loads,
        loaded_at,
        changed_at,
        last_look,
        target,
        remembered,
        unsettled,
        consecutive_lost,
        obtained_to,
        dry_reported,
        buffer,
    })
}

fn newest<T>(all: &[T], most: usize) -> &[T] {
    &all[all.len().saturating_sub(most)..]
}

/// Usually each is one more than the one before.
fn write_sequences(out: &mut BitWriter, sequences: impl ExactSizeIterator<Item = u64>, mut before: u64) {
    out.number(sequences.len() as u64);
    for sequence in sequences {
        let expected = before.wrapping_add(1);
        out.bit(sequence != expected);
        if sequence != expected {
            out.difference(expected, sequence);
        }
        before = sequence;
    }
}

fn read_sequences(from: &mut BitReader<'_>, mut before: u64, most: usize) -> Result<Vec<u64>, PackError> {
    let mut sequences = Vec::new();
    for _ in 0..from.count(most)? {
        let expected = before.wrapping_add(1);
        before = if from.bit()? { from.difference(expected)? } else { expected };
        sequences.push(before);
    }
    Ok(sequences)
}

fn write_buffer(out: &mut BitWriter, buffer: &BufferClosing, base: EpochMs, target: MediaUs) {
    let phase = match buffer.phase {
        Phase::Starting => 0,
        Phase::Playing => 1,
        Phase::Stopped => 2,
    };
    out.bits(phase, 2);
    out.bit(buffer.ended);
    write_time(out, base, buffer.at);
    write_time(out, base, buffer.began_at);
    write_time(out, buffer.at, buffer.last_completion);
    write_media(out, buffer.level);
    out.difference(target.0, buffer.target.0);
    out.difference(buffer.target.0.wrapping_mul(3), buffer.start_level.0);
    out.option(buffer.consistent_since, |out, at| write_time(out, buffer.began_at, at));
    out.option(buffer.empty_since, |out, at| write_time(out, base, at));
    for length in [buffer.waited, buffer.condition, buffer.consistent_run, buffer.accumulated] {
        write_length(out, length);
    }
}

fn read_buffer(
    from: &mut BitReader<'_>,
    base: EpochMs,
    of_rendition: MediaUs,
) -> Result<BufferClosing, PackError> {
    let phase = match from.bits(2)? {
        0 => Phase::Starting,
        1 => Phase::Playing,
        2 => Phase::Stopped,
        _ => return Err(PackError::Damaged("phase")),
    };
    let ended = from.bit()?;
    let at = read_time(from, base)?;
    let began_at = read_time(from, base)?;
    let last_completion = read_time(from, at)?;
    let level = read_media(from)?;
    let target = MediaUs(from.difference(of_rendition.0)?);
    let start_level = MediaUs(from.difference(target.0.wrapping_mul(3))?);
    let consistent_since = from.option(|from| read_time(from, began_at))?;
    let empty_since = from.option(|from| read_time(from, base))?;
    let mut length = || -> Result<Duration, PackError> { read_length(from) };
    Ok(BufferClosing {
        phase,
        at,
        began_at,
        level,
        start_level,
        target,
        ended,
        consistent_since,
        empty_since,
        last_completion,
        waited: length()?,
        condition: length()?,
        consistent_run: length()?,
        accumulated: length()?,
    })
}

fn write_time(out: &mut BitWriter, base: EpochMs, at: EpochMs) {
    out.difference(base.0, at.0);
}

fn read_time(from: &mut BitReader<'_>, base: EpochMs) -> Result<EpochMs, PackError> {
    from.difference(base.0).map(EpochMs)
}

/// Media is usually a whole number of milliseconds.
fn write_media(out: &mut BitWriter, media: MediaUs) {
    let whole = media.0.is_multiple_of(1_000);
    out.bit(whole);
    out.number(if whole { media.0 / 1_000 } else { media.0 });
}

fn read_media(from: &mut BitReader<'_>) -> Result<MediaUs, PackError> {
    let whole = from.bit()?;
    let number = from.number()?;
    let us = if whole { number.checked_mul(1_000) } else { Some(number) };
    us.map(MediaUs).ok_or(PackError::Damaged("media"))
}
