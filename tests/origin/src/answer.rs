//! What a stream answers to a request. Pure, but for the faults' own counters.

use bytes::Bytes;

use crate::fault::{Applied, FaultKind, Hit, TarpitMode, What};
use crate::ledger::{Entry, Outcome};
use crate::live::{Live, SegmentName};
use crate::master::master;
use crate::media::{Container, Rendition};
use crate::spec::{Layout, StreamSpec};

/// What a path below a stream's name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its kind.
    pub what: What,
    /// Its rendition, unless it is the master.
    pub rendition: Option<Rendition>,
    /// The segment.
    pub segment: Option<SegmentName>,
    /// The path below the stream's name, as requested.
    pub path: String,
    /// Asked for under `/moved`, where redirects lead and nothing is redirected again.
    pub moved: bool,
}

impl Resource {
    /// Reads the path below the stream's name: `master.m3u8`, `360p/index.m3u8`, `360p/seg-7.ts`, `360p/init.mp4`;
    /// for a stream without a master `index.m3u8` and so on. None if it names nothing this stream has.
    #[must_use]
    pub fn locate(spec: &StreamSpec, path: &str, moved: bool) -> Option<Self> {
        let found =
            |what, rendition, segment| Some(Self { what, rendition, segment, path: path.to_owned(), moved });
        let (rendition, name) = match (spec.layout, path.split_once('/')) {
            (Layout::Master, None) if path == "master.m3u8" => return found(What::Master, None, None),
            (Layout::Media, None) => (Rendition::Muxed, path),
            (Layout::Master, Some((folder, name))) => {
                (Rendition::OF_MASTER.into_iter().find(|known| known.name() == folder)?, name)
            }
            _ => return None,
        };
        match name {
            "index.m3u8" => found(What::Playlist, Some(rendition), None),
            "init.mp4" if spec.container == Container::Fmp4 => found(What::Init, Some(rendition), None),
            _ => {
                let segment = SegmentName::parse(name, spec.container)?;
                found(What::Segment, Some(rendition), Some(segment))
            }
        }
    }
}

/// When to compress a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compress {
    /// Never.
    No,
    /// If the client accepts gzip.
    IfAccepted,
    /// Whatever the client accepts.
    Always,
}

/// How a body is delivered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Delivery {
    /// As fast as it goes.
    Whole,
    /// Half of what was announced, then the connection ends.
    Truncated,
    /// Evenly over this time. Unit: milliseconds.
    Paced(u64),
    /// Nothing is ever sent.
    Silence,
    /// Everything is sent at one byte a second, from the status line on.
    Drip,
}

/// An answer, before HTTP.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Of the body.
    pub content_type: &'static str,
    /// Where to go instead.
    pub location: Option<String>,
    /// Body before compression; media are slices, not copies.
    pub body: Bytes,
    /// Whether to compress.
    pub compress: Compress,
    /// How to send.
    pub delivery: Delivery,
    /// For the ledger.
    pub entry: Entry,
}

/// Type of playlists (RFC 8216 section 4).
pub const PLAYLIST_TYPE: &str = "application/vnd.apple.mpegurl";
const WRONG_PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head>\
    <body><h1>Please sign in to continue</h1><p>This is not media.</p></body></html>\n";

/// Decides on the answer to a request.
pub fn answer(
    live: &Live<'_>,
    stream: &str,
    faults: &mut [Applied],
    resource: &Resource,
    now_ms: u64,
) -> Answer {
    let meet = |(index, applied): (usize, &mut Applied)| {
        applied.meet(index, resource.what, resource.rendition, now_ms)
    };
    let mut hits: Vec<Hit> = faults.iter_mut().enumerate().filter_map(meet).collect();
    if resource.moved {
        hits.retain(|hit| hit.kind != FaultKind::Redirect);
    }
    let (mut answer, changed_by) = healthy(live, stream, faults, &hits, resource, now_ms);
    let action = hits.iter().min_by_key(|hit| precedence(hit.kind)).filter(|hit| precedence(hit.kind) < NONE);
    if let Some(hit) = action {
        let slot_ms = live.spec.segment.ms();
        apply(&mut answer, hit.kind, stream, resource, slot_ms);
    }
    let mut blamed = action.map(|hit| hit.index).or(changed_by);
    if answer.status == 200
        && let Some(hit) = hits.iter().find(|hit| hit.kind == FaultKind::Gzip)
    {
        answer.compress = Compress::Always;
        blamed = blamed.or(Some(hit.index));
    }
    if let Some(applied) = blamed.and_then(|index| faults.get_mut(index)) {
        applied.note_faulty(now_ms);
        answer.entry.fault = Some(applied.fault.name());
    }
    answer.entry.status = answer.status;
    answer
}

/// Kinds from here on change the playlist's text only.
const NONE: u8 = 10;

/// Which of several faults decides how a request is answered.
const fn precedence(kind: FaultKind) -> u8 {
    match kind {
        FaultKind::Tarpit(_) => 0,
        FaultKind::Redirect => 1,
        FaultKind::SegmentHang => 2,
        FaultKind::SegmentStatus(_) | FaultKind::PlaylistStatus(_) | FaultKind::MasterStatus(_) => 3,
        FaultKind::WrongContent => 4,
        FaultKind::SegmentTruncated => 5,
        FaultKind::SegmentSlow { .. } => 6,
        _ => NONE,
    }
}

fn apply(answer: &mut Answer, kind: FaultKind, stream: &str, resource: &Resource, slot_ms: u64) {
    match kind {
        FaultKind::Tarpit(TarpitMode::Drip) => answer.delivery = Delivery::Drip,
        FaultKind::Tarpit(TarpitMode::Silence) | FaultKind::SegmentHang => {
            answer.delivery = Delivery::Silence;
            answer.status = 0;
        }
        FaultKind::Redirect => redirect(answer, stream, resource),
        FaultKind::SegmentStatus(status)
        | FaultKind::PlaylistStatus(status)
        | FaultKind::MasterStatus(status) => refuse(answer, status),
        FaultKind::WrongContent => {
            answer.status = 200;
            answer.content_type = content_type(resource);
            answer.body = Bytes::from_static(WRONG_PAGE.as_bytes());
            answer.compress = Compress::No;
        }
        FaultKind::SegmentTruncated if answer.status == 200 => answer.delivery = Delivery::Truncated,
        FaultKind::SegmentSlow { speed_ratio } if answer.status == 200 => {
            answer.delivery = Delivery::Paced((slot_ms as f64 / speed_ratio.max(0.001)) as u64);
        }
        _ => {}
    }
}

fn refuse(answer: &mut Answer, status: u16) {
    answer.status = status;
    answer.content_type = "text/plain; charset=utf-8";
    answer.location = None;
    answer.body = Bytes::from_static(b"no\n");
    answer.compress = Compress::No;
}

fn redirect(answer: &mut Answer, stream: &str, resource: &Resource) {
    refuse(answer, 302);
    answer.body = Bytes::new();
    answer.location = Some(format!("/moved/{stream}/{}", resource.path));
}

/// The answer without faults of delivery, and the fault that changed its text, if one did.
fn healthy(
    live: &Live<'_>,
    stream: &str,
    faults: &[Applied],
    hits: &[Hit],
    resource: &Resource,
    now_ms: u64,
) -> (Answer, Option<usize>) {
    let mut answer = blank(resource, now_ms);
    let mut changed_by = None;
    let rendition = resource.rendition.unwrap_or(Rendition::Muxed);
    let track = live.media.track(rendition, live.spec.container);
    match resource.what {
        What::Master => answer.body = master(live.media, live.spec).into(),
        What::Init => match track.init() {
            Some(init) => answer.body = init,
            None => refuse(&mut answer, 404),
        },
        What::Playlist => {
            let listing = live.playlist(rendition, hits, now_ms);
            changed_by = listing.changed_by.or_else(|| renumbered_by(live, faults, now_ms));
            answer.entry.media_sequence = Some(listing.media_sequence);
            answer.entry.sequence = Some(listing.newest_sequence);
            answer.body = listing.text.into();
        }
        What::Segment => {
            let (frozen, ended) = frozen(faults, rendition, now_ms);
            let slot = resource.segment.and_then(|name| live.fetchable(name, &frozen, ended, now_ms));
            match slot {
                Some(slot) => answer.body = track.bytes(live.pieces(slot)),
                None => refuse(&mut answer, 404),
            }
        }
    }
    let playlist = matches!(resource.what, What::Master | What::Playlist);
    if playlist && live.spec.gzip {
        answer.compress = Compress::IfAccepted;
    }
    if playlist && live.spec.redirect && !resource.moved {
        redirect(&mut answer, stream, resource);
        changed_by = None;
    }
    (answer, changed_by)
}

fn blank(resource: &Resource, now_ms: u64) -> Answer {
    Answer {
        status: 200,
        content_type: content_type(resource),
        location: None,
        body: Bytes::new(),
        compress: Compress::No,
        delivery: Delivery::Whole,
        entry: Entry {
            at_ms: now_ms,
            done_ms: None,
            kind: resource.what.name(),
            rendition: resource.rendition.map(Rendition::name),
            media_sequence: None,
            sequence: resource.segment.map(|segment| segment.number),
            status: 200,
            bytes: 0,
            fault: None,
            outcome: Outcome::Open,
        },
    }
}

fn content_type(resource: &Resource) -> &'static str {
    match resource.what {
        What::Master | What::Playlist => PLAYLIST_TYPE,
        What::Segment if resource.path.ends_with(".ts") => "video/mp2t",
        What::Segment | What::Init if resource.rendition == Some(Rendition::Audio) => "audio/mp4",
        What::Segment | What::Init => "video/mp4",
    }
}

/// The times this rendition's playlist is shown from instead of now, and whether it has ended.
fn frozen(faults: &[Applied], rendition: Rendition, now_ms: u64) -> (Vec<u64>, bool) {
    let mut ended = false;
    let mut times = Vec::new();
    for applied in faults {
        let stops = matches!(applied.fault.kind, FaultKind::End | FaultKind::PlaylistStall);
        let here = applied.fault.rendition.is_none_or(|only| only == rendition);
        if stops
            && here
            && let Some(since_ms) = applied.active_since(now_ms)
        {
            times.push(since_ms);
            ended |= applied.fault.kind == FaultKind::End;
        }
    }
    (times, ended)
}

/// The newest renumbering a playlist shows now, while its fault is set.
fn renumbered_by(live: &Live<'_>, faults: &[Applied], now_ms: u64) -> Option<usize> {
    let newest = live.newest_slot(now_ms)?;
    faults
        .iter()
        .rposition(|applied| applied.fault.kind.renumbers() && live.next_slot(applied.begins_ms()) <= newest)
}
