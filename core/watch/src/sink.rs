//! Where what happened goes.

use std::time::Duration;

use hlsops_domain::{EpochMs, Event, RenditionId, StreamState};

/// Takes what a watched stream brings. Called from the stream's task: an implementation must not block.
pub trait Sink: Send {
    /// After every step: the state as it is now and what happened, in order; `events` may be empty.
    fn stepped(&mut self, state: &StreamState, at: EpochMs, events: &[Event]);

    /// A media playlist loaded, with its time to first byte, or did not. Default: ignored.
    fn loaded(&mut self, _rendition: RenditionId, _ttfb: Option<Duration>) {}

    /// A playlist load began. Default: ignored.
    fn polled(&mut self, _poll: Poll) {}
}

/// When a playlist load was due and when it began: how well the watcher keeps its own pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poll {
    /// When it was due.
    pub planned: EpochMs,
    /// When it began.
    pub started: EpochMs,
}
