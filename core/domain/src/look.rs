//! When a look at a stream that is looked at now and then has seen what it came for.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::id::RenditionId;
use crate::rendition::{PlaylistState, Rendition};
use crate::stream::StreamState;
use crate::units::{EpochMs, MediaUs};

/// One look at a stream: its own playlist, every media playlist, and the newest segments.
///
/// A list that has not changed since the look before is loaded again until it changes or is Stalled: nothing
/// is said on the word of one load. Errors are waited for in the same way, until they are confirmed.
#[derive(Clone, Debug)]
pub struct Look {
    began_at: EpochMs,
    /// Newest media sequence number of each rendition when the look began.
    newest: BTreeMap<RenditionId, Option<u64>>,
}

impl Look {
    /// The longest look, unless 3.5 target durations are longer. Enough for a slow download, and for the
    /// confirmation of a load that timed out.
    pub const LONGEST: Duration = Duration::from_secs(60);

    /// A look that begins at `at`.
    #[must_use]
    pub fn new(state: &StreamState, at: EpochMs) -> Self {
        let known = state.renditions().map(|r| (r.spec.id, r.last_sequence()));
        let waiting = state.waiting.values().map(|(closing, _)| closing);
        let waiting = waiting.map(|closing| (closing.id, closing.remembered.last().map(|(last, _)| *last)));
        Self { began_at: at, newest: known.chain(waiting).collect() }
    }

    /// There is nothing more to see, or no time left for it.
    #[must_use]
    pub fn is_over(&self, state: &StreamState, now: EpochMs) -> bool {
        let lasted = now.since(self.began_at);
        let target = state.renditions().map(Rendition::target).max().unwrap_or(MediaUs::ZERO);
        // An older copy from a cache counts as Stalled only after 3 target durations.
        if lasted >= (target.times(7).as_duration() / 2).max(Self::LONGEST) {
            return true;
        }
        if state.renditions().next().is_none() {
            return state.master_down().is_some() && state.last_look >= Some(self.began_at);
        }
        state.renditions().all(|rendition| self.has_seen(rendition, lasted))
    }

    fn has_seen(&self, rendition: &Rendition, lasted: Duration) -> bool {
        let began = Some(self.began_at);
        let loaded = rendition.loaded_at >= began && rendition.failed_loads == 0;
        let seen = match rendition.playlist {
            PlaylistState::Unknown => false,
            PlaylistState::Live => {
                let before = self.newest.get(&rendition.spec.id).copied().flatten();
                loaded && rendition.last_sequence() != before
            }
            // A viewer's buffer runs dry while somebody looks, and not between looks.
            PlaylistState::Stalled => loaded && lasted >= rendition.target().times(2).as_duration(),
            PlaylistState::HttpError(_) => rendition.last_look >= began && rendition.failed_loads >= 2,
            PlaylistState::LiveEnd | PlaylistState::Vod => loaded,
        };
        seen && rendition.unsettled.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::freshness::Pace;
    use crate::limits::Limits;
    use crate::observation::{Failure, Load, Observation, SegmentAttempt};
    use crate::playlist::{self, Parsed};
    use crate::rendition::{Location, RenditionSpec};
    use crate::stream::step;

    /// A stream of one rendition and a look that begins 60 s after it was last seen, at number 9.
    struct World {
        state: StreamState,
        look: Look,
    }

    fn spec() -> RenditionSpec {
        RenditionSpec::single(Location { url: "http://h/a.m3u8".into(), identity: "h/a.m3u8".into() })
    }

    impl World {
        const BEGAN: u64 = 100_000;

        fn new() -> Self {
            let state = StreamState::new(EpochMs(0));
            let look = Look::new(&state, EpochMs(0));
            let mut world = Self { state, look };
            world.see(0, &Observation::Single(&spec()));
            world.load(30_000, Ok(8));
            world.load(40_000, Ok(9));
            for sequence in 6..=9 {
                world.obtain(40_000, sequence);
            }
            world.look = Look::new(&world.state, EpochMs(Self::BEGAN));
            world
        }

        fn see(&mut self, at: u64, seen: &Observation<'_>) {
            let limits = Limits { watch: Pace::Interval(Duration::from_secs(60)), ..Limits::default() };
            step(&mut self.state, EpochMs(at), seen, &limits, &mut Vec::new());
        }

        /// A list of 6 s segments up to this number.
        fn load(&mut self, at: u64, last: Result<u64, Failure>) {
            let text = last.map(|last| {
                let head = format!("#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:{}\n", last - 5);
                (last - 5..=last).fold(head, |text, n| format!("{text}#EXTINF:6,\ns{n}.ts\n"))
            });
            let parsed = text.as_ref().map(|text| playlist::read(text));
            let outcome = match &parsed {
                Ok(Parsed::Media(list)) => Ok(list),
                Ok(_) => panic!("{text:?}"),
                Err(failure) => Err(**failure),
            };
            let load = Load { requested_at: EpochMs(at), ttfb: Duration::ZERO, retry_after: None, outcome };
            self.see(at, &Observation::Playlist(spec().id, load));
        }

        fn obtain(&mut self, at: u64, sequence: u64) {
            let attempt = SegmentAttempt {
                sequence,
                duration: MediaUs::from_seconds(6),
                requested_at: EpochMs(at),
                queue: Duration::ZERO,
                ttfb: Duration::ZERO,
                download: Duration::ZERO,
                bytes: 1,
                length_known: true,
                attempt: 1,
                earlier: None,
                last: true,
                outcome: Ok(()),
            };
            self.see(at, &Observation::Segment(spec().id, attempt));
        }

        fn is_over(&self, at: u64) -> bool {
            self.look.is_over(&self.state, EpochMs(at))
        }
    }

    #[test]
    fn it_is_over_with_the_last_new_segment() {
        let mut world = World::new();
        assert!(!world.is_over(World::BEGAN), "what was seen before is no look");
        world.load(World::BEGAN, Ok(10));
        assert!(!world.is_over(World::BEGAN), "its segment is on its way");
        world.obtain(World::BEGAN + 1_000, 10);
        assert!(world.is_over(World::BEGAN + 1_000));
    }

    #[test]
    fn a_list_that_does_not_change_is_looked_at_until_it_is_stalled() {
        let mut world = World::new();
        for wait in [0, 3_000, 6_000, 9_000] {
            world.load(World::BEGAN + wait, Ok(9));
            assert!(!world.is_over(World::BEGAN + wait), "{wait}");
        }
        world.load(World::BEGAN + 12_000, Ok(9));
        assert!(world.is_over(World::BEGAN + 12_000));
    }

    #[test]
    fn an_error_is_looked_at_twice() {
        let mut world = World::new();
        world.load(World::BEGAN, Err(Failure::Http(503)));
        assert!(!world.is_over(World::BEGAN));
        world.load(World::BEGAN + 1_000, Err(Failure::Http(503)));
        assert!(world.is_over(World::BEGAN + 1_000));
    }

    #[test]
    fn no_look_lasts_for_ever() {
        let world = World::new();
        assert!(!world.is_over(World::BEGAN + 59_999));
        assert!(world.is_over(World::BEGAN + 60_000));
    }
}
