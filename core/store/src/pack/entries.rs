//! Changes in bits.

use hlsops_domain::{EpochMs, MediaUs};

use super::PackError;
use super::bits::{BitReader, BitWriter};
use super::codes::{
    failure, failure_code, read_health, read_length, read_playlist, read_transition, small, write_health,
    write_length, write_playlist, write_transition,
};
use super::log::{Change, LogLimits, RenditionLog, What};

pub(super) fn write_change(out: &mut BitWriter, change: &Change, before: EpochMs, known: &[RenditionLog]) {
    out.difference(before.0, change.at.0);
    // The log knows every rendition its changes name; 0 stands for the whole stream.
    let index = change.rendition.and_then(|id| known.iter().position(|log| log.id == id));
    out.number(index.map_or(0, |index| index as u64 + 1));
    write_what(out, &change.what);
}

pub(super) fn read_change(
    from: &mut BitReader<'_>,
    before: EpochMs,
    known: &[RenditionLog],
) -> Result<Change, PackError> {
    let at = EpochMs(from.difference(before.0)?);
    let rendition = match from.number()? {
        0 => None,
        index => {
            let log = known.get(small::<usize>(index - 1)?).ok_or(PackError::Damaged("rendition"))?;
            Some(log.id)
        }
    };
    Ok(Change { at, rendition, what: read_what(from)? })
}

fn write_what(out: &mut BitWriter, what: &What) {
    match what {
        What::LoadFailed(failure) => tagged(out, 1).number(failure_code(*failure)),
        What::Playlist { from, to } => {
            write_playlist(tagged(out, 2), *from);
            write_playlist(out, *to);
        }
        What::Health { from, to, reason } => {
            write_health(tagged(out, 3), *from);
            write_health(out, *to);
            out.number((*reason).into());
        }
        What::Incident(transition) => write_transition(tagged(out, 4), *transition),
        What::Found { code, count } => {
            tagged(out, 5).text(code);
            out.number(*count);
        }
        What::RebufferingStarted => {
            tagged(out, 6);
        }
        What::RebufferingEnded { waited } => write_length(tagged(out, 7), *waited),
        What::Restarted { from, to } => {
            tagged(out, 8).number(*from);
            out.difference(*from, *to);
        }
        What::OlderCopy { behind } => tagged(out, 9).number(*behind),
        What::OwnGap(length) => write_length(tagged(out, 10), *length),
        What::NotWatched { first, last } => {
            tagged(out, 11).number(*first);
            out.difference(*first, *last);
        }
        What::Renditions { added, removed } => {
            tagged(out, 12).number(*added);
            out.number(*removed);
        }
        What::Lost { segments, media } => {
            tagged(out, 13).number(*segments);
            out.number(media.0);
        }
    }
}

fn tagged(out: &mut BitWriter, tag: u64) -> &mut BitWriter {
    out.number(tag);
    out
}

fn read_what(from: &mut BitReader<'_>) -> Result<What, PackError> {
    Ok(match from.number()? {
        1 => What::LoadFailed(failure(from.number()?)?),
        2 => What::Playlist { from: read_playlist(from)?, to: read_playlist(from)? },
        3 => {
            What::Health { from: read_health(from)?, to: read_health(from)?, reason: small(from.number()?)? }
        }
        4 => What::Incident(read_transition(from)?),
        5 => What::Found { code: from.text(LogLimits::CODE)?, count: from.number()? },
        6 => What::RebufferingStarted,
        7 => What::RebufferingEnded { waited: read_length(from)? },
        8 => {
            let before = from.number()?;
            What::Restarted { from: before, to: from.difference(before)? }
        }
        9 => What::OlderCopy { behind: from.number()? },
        10 => What::OwnGap(read_length(from)?),
        11 => {
            let first = from.number()?;
            What::NotWatched { first, last: from.difference(first)? }
        }
        12 => What::Renditions { added: from.number()?, removed: from.number()? },
        13 => What::Lost { segments: from.number()?, media: MediaUs(from.number()?) },
        _ => return Err(PackError::Damaged("change")),
    })
}
