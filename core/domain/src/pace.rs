//! When to look again, and when to try again.

use std::time::Duration;

use crate::observation::Failure;
use crate::units::MediaUs;

/// What a playlist load means for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// New segments were listed.
    Changed,
    /// Nothing new was listed.
    Unchanged,
    /// The load failed for the first time: look again at once, on a new connection.
    FirstFailure,
    /// The load failed again.
    Failing,
    /// The origin asked us to slow down (429), for this long if it said so.
    Throttled(Option<Duration>),
    /// The list ended.
    Ended,
}

/// How long after the *start* of a load the next one starts.
///
/// RFC 8216 section 6.3.4: after a change at least a target duration, after no change half of one,
/// both measured from when the client began to load the playlist.
#[must_use]
pub fn reload_after(cause: Cause, target: MediaUs) -> Duration {
    let target = target.as_duration();
    let second = Duration::from_secs(1);
    match cause {
        Cause::Changed => target,
        Cause::Unchanged => target / 2,
        Cause::FirstFailure => second,
        Cause::Failing => (target / 2).clamp(second, 10 * second),
        Cause::Throttled(asked) => asked.unwrap_or(10 * second).clamp(second, 300 * second),
        Cause::Ended => target.max(10 * second),
    }
}

/// How often the master is looked at again. Default: 30 s.
pub const MASTER_EVERY: Duration = Duration::from_secs(30);

/// Wait before the second and last attempt at a segment: max(1 s, TD / 2). None after the second attempt
/// and where trying again cannot help.
#[must_use]
pub fn retry_after(attempt: u8, failure: Failure, target: MediaUs) -> Option<Duration> {
    if attempt > 1 || matches!(failure, Failure::Expired | Failure::Blocked) {
        return None;
    }
    Some((target.as_duration() / 2).max(Duration::from_secs(1)))
}

/// The whole time a request may take: max(30 s, 3 target durations).
#[must_use]
pub fn total_timeout(target: Option<MediaUs>) -> Duration {
    target.map_or(Duration::ZERO, |t| t.times(3).as_duration()).max(Duration::from_secs(30))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reloads_keep_the_pace_of_the_standard() {
        let target = MediaUs::from_seconds(6);
        assert_eq!(reload_after(Cause::Changed, target), Duration::from_secs(6));
        assert_eq!(reload_after(Cause::Unchanged, target), Duration::from_secs(3));
        assert_eq!(reload_after(Cause::FirstFailure, target), Duration::from_secs(1));
        assert_eq!(
            reload_after(Cause::Throttled(Some(Duration::from_secs(9_000))), target),
            Duration::from_secs(300)
        );
    }

    #[test]
    fn a_segment_is_tried_twice() {
        let target = MediaUs::from_seconds(6);
        assert_eq!(retry_after(1, Failure::Http(404), target), Some(Duration::from_secs(3)));
        assert_eq!(
            retry_after(1, Failure::Http(404), MediaUs::from_seconds(1)),
            Some(Duration::from_secs(1))
        );
        assert_eq!(retry_after(2, Failure::Http(404), target), None);
        assert_eq!(retry_after(1, Failure::Expired, target), None);
    }
}
