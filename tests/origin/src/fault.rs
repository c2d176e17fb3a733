//! What can be wrong with a stream, and when it is. Pure: time and request counts are arguments.

use crate::media::Rendition;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// The multivariant playlist.
    Master,
    /// A media playlist.
    Playlist,
    /// A media segment.
    Segment,
    /// A media initialisation section.
    Init,
}

impl What {
    /// All, in the order documents list them.
    pub const ALL: [Self; 4] = [Self::Master, Self::Playlist, Self::Segment, Self::Init];

    /// The name in ledgers and in the field `on`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::Playlist => "playlist",
            Self::Segment => "segment",
            Self::Init => "init",
        }
    }
}

/// How a request is left waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TarpitMode {
    /// Header bytes at one a second.
    Drip,
    /// Nothing at all.
    Silence,
}

/// The kinds of fault; README.md has a table of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FaultKind {
    /// Segments answer 403, 404 or 500.
    SegmentStatus(u16),
    /// Segment requests are accepted and never answered.
    SegmentHang,
    /// Segments announce their full length and end, with the connection, in the middle.
    SegmentTruncated,
    /// Segments arrive at this share of real time: 0.4 makes 2 s of media take 5 s. Range: 0.01 to 10.
    SegmentSlow {
        /// Media seconds per second of transfer.
        speed_ratio: f64,
    },
    /// Media playlists answer 403, 404, 500 or 503.
    PlaylistStatus(u16),
    /// Media playlists stay as they were when the fault began.
    PlaylistStall,
    /// Media playlists are as they were this many segments ago. By default every third answer is.
    OlderCopy {
        /// Default: 1.
        segments: u64,
    },
    /// The master answers 404 or 500.
    MasterStatus(u16),
    /// Media sequence numbers, and the names made of them, go up by `by` at once; the media continue.
    Jump {
        /// Default: 50.
        by: u64,
        /// Again after this time, until cleared; otherwise once. Unit: milliseconds.
        every_ms: Option<u64>,
    },
    /// Numbering starts again at `first` with new names and a discontinuity; the media continue in time.
    EncoderRestart {
        /// Default: 0.
        first: u64,
    },
    /// 302 to the same path under `/moved`. By default for playlists.
    Redirect,
    /// 200 and the right type, but the body is a page of HTML. By default for segments.
    WrongContent,
    /// Playlists are compressed, whether or not the client accepts that.
    Gzip,
    /// Requests are left waiting. By default all.
    Tarpit(TarpitMode),
    /// ENDLIST is appended and nothing new comes.
    End,
}

impl FaultKind {
    /// The name in the control interface and in ledgers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SegmentStatus(403) => "segment_403",
            Self::SegmentStatus(404) => "segment_404",
            Self::SegmentStatus(_) => "segment_500",
            Self::SegmentHang => "segment_hang",
            Self::SegmentTruncated => "segment_truncated",
            Self::SegmentSlow { .. } => "segment_slow",
            Self::PlaylistStatus(403) => "playlist_403",
            Self::PlaylistStatus(404) => "playlist_404",
            Self::PlaylistStatus(503) => "playlist_503",
            Self::PlaylistStatus(_) => "playlist_500",
            Self::PlaylistStall => "playlist_stall",
            Self::OlderCopy { .. } => "older_copy",
            Self::MasterStatus(404) => "master_404",
            Self::MasterStatus(_) => "master_500",
            Self::Jump { .. } => "jump",
            Self::EncoderRestart { .. } => "encoder_restart",
            Self::Redirect => "redirect",
            Self::WrongContent => "wrong_content",
            Self::Gzip => "gzip",
            Self::Tarpit(_) => "tarpit",
            Self::End => "end",
        }
    }

    /// Whether it renumbers the stream: such a fault concerns all renditions and outlives its removal.
    #[must_use]
    pub const fn renumbers(self) -> bool {
        matches!(self, Self::Jump { .. } | Self::EncoderRestart { .. })
    }

    /// Whether `on` may choose what it concerns.
    #[must_use]
    pub const fn takes_on(self) -> bool {
        matches!(self, Self::Redirect | Self::WrongContent | Self::Tarpit(_))
    }

    /// What it concerns unless `on` says otherwise.
    #[must_use]
    pub const fn concerns(self, what: What) -> bool {
        match self {
            Self::SegmentStatus(_)
            | Self::SegmentHang
            | Self::SegmentTruncated
            | Self::SegmentSlow { .. }
            | Self::WrongContent => matches!(what, What::Segment),
            Self::PlaylistStatus(_) | Self::PlaylistStall | Self::OlderCopy { .. } | Self::End => {
                matches!(what, What::Playlist)
            }
            Self::MasterStatus(_) => matches!(what, What::Master),
            Self::Redirect | Self::Gzip => matches!(what, What::Master | What::Playlist),
            Self::Tarpit(_) => true,
            Self::Jump { .. } | Self::EncoderRestart { .. } => false,
        }
    }
}

/// A fault as somebody asks for it. [`Fault::new`] gives the plain form of a kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// Only this rendition. Default: all.
    pub rendition: Option<Rendition>,
    /// Only requests for this; kinds that allow it are named by [`FaultKind::takes_on`]. Default: the kind's own.
    pub on: Option<What>,
    /// Begins so long after it is set. Unit: milliseconds. Default: 0.
    pub after_ms: u64,
    /// Ends so long after it began. Unit: milliseconds. Default: when cleared.
    pub for_ms: Option<u64>,
    /// Only each n-th request it concerns. Default: every one (`older_copy`: every third).
    pub every: Option<u64>,
    /// Only so many faulty answers (`jump`: jumps). Default: no limit.
    pub count: Option<u64>,
    /// On for this long, off for this long, and so on. Unit: milliseconds. Default: on throughout.
    pub flap_ms: Option<u64>,
}

impl Fault {
    /// All renditions, at once, until cleared.
    #[must_use]
    pub const fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            rendition: None,
            on: None,
            after_ms: 0,
            for_ms: None,
            every: None,
            count: None,
            flap_ms: None,
        }
    }

    /// Only this rendition.
    #[must_use]
    pub const fn rendition(mut self, rendition: Rendition) -> Self {
        self.rendition = Some(rendition);
        self
    }

    /// Begins so long after it is set. Unit: milliseconds.
    #[must_use]
    pub const fn after_ms(mut self, after_ms: u64) -> Self {
        self.after_ms = after_ms;
        self
    }

    /// Ends so long after it began. Unit: milliseconds.
    #[must_use]
    pub const fn for_ms(mut self, for_ms: u64) -> Self {
        self.for_ms = Some(for_ms);
        self
    }

    /// On and off in turn, each for this long. Unit: milliseconds.
    #[must_use]
    pub const fn flap_ms(mut self, flap_ms: u64) -> Self {
        self.flap_ms = Some(flap_ms);
        self
    }

    /// The name shown in ledgers.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.kind.name()
    }

    fn concerns(&self, what: What, rendition: Option<Rendition>) -> bool {
        let here = self.on.map_or_else(|| self.kind.concerns(what), |on| on == what);
        here && self.rendition.is_none_or(|only| rendition == Some(only))
    }
}

/// A fault set on a stream.
#[derive(Clone, Debug)]
pub struct Applied {
    /// Names it within the stream; never reused.
    pub id: u64,
    /// What was asked for.
    pub fault: Fault,
    /// When it was set. Unit: milliseconds since 1970.
    pub set_ms: u64,
    /// Requests it concerned while active.
    pub matched: u64,
    /// Answers it changed.
    pub faulty: u64,
    /// When the first answer it changed was given. Unit: milliseconds since 1970.
    pub first_faulty_ms: Option<u64>,
}

/// A fault that changes an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Position in the stream's list of faults.
    pub index: usize,
    /// What is wrong.
    pub kind: FaultKind,
    /// Start of the present activity: the flapping phase, or the whole. Unit: milliseconds since 1970.
    pub since_ms: u64,
}

impl Applied {
    /// Set now, not seen by anyone yet.
    #[must_use]
    pub const fn new(id: u64, fault: Fault, set_ms: u64) -> Self {
        Self { id, fault, set_ms, matched: 0, faulty: 0, first_faulty_ms: None }
    }

    /// When it begins. Unit: milliseconds since 1970.
    #[must_use]
    pub const fn begins_ms(&self) -> u64 {
        self.set_ms + self.fault.after_ms
    }

    /// Since when it is on without a break, if it is on.
    #[must_use]
    pub fn active_since(&self, now_ms: u64) -> Option<u64> {
        let begins = self.begins_ms();
        let age = now_ms.checked_sub(begins)?;
        if self.fault.for_ms.is_some_and(|length| age >= length) {
            return None;
        }
        let used_up = self.fault.count.is_some_and(|count| self.faulty >= count);
        if used_up && !self.fault.kind.renumbers() {
            return None;
        }
        match self.fault.flap_ms {
            Some(period) if (age / period.max(1)) % 2 == 1 => None,
            Some(period) => Some(begins + age / period.max(1) * period.max(1)),
            None => Some(begins),
        }
    }

    /// Counts a request, and says whether this one is hit.
    pub fn meet(
        &mut self,
        index: usize,
        what: What,
        rendition: Option<Rendition>,
        now_ms: u64,
    ) -> Option<Hit> {
        if !self.fault.concerns(what, rendition) {
            return None;
        }
        let since_ms = self.active_since(now_ms)?;
        self.matched += 1;
        let every = self.fault.every.unwrap_or(match self.fault.kind {
            FaultKind::OlderCopy { .. } => 3,
            _ => 1,
        });
        let hit = self.matched.is_multiple_of(every.max(1));
        hit.then_some(Hit { index, kind: self.fault.kind, since_ms })
    }

    /// Notes that an answer was changed by it.
    pub fn note_faulty(&mut self, now_ms: u64) {
        self.faulty += 1;
        self.first_faulty_ms.get_or_insert(now_ms);
    }
}
