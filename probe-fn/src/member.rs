//! One stream of a shard: what is wanted of it, and what becomes of it.

use std::time::Duration;

use hlsops_domain::EpochMs;
use hlsops_store::{StreamConfig, Writer};
use tokio::sync::oneshot;

use crate::board::Place;
use crate::stream::{StreamEnd, StreamError};
use crate::writer::WriterEnd;

/// Which configuration of a stream. A stream that was removed and added again begins with revision 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(EpochMs, u64);

impl Version {
    pub(crate) const fn of(config: &StreamConfig) -> Self {
        Self(config.created_at, config.revision)
    }
}

/// A stream of the shard.
#[derive(Debug)]
pub(crate) struct Member {
    /// Where its tile is.
    pub(crate) place: Place,
    /// How it is to be watched; none when it is not to be watched any more.
    wanted: Option<StreamConfig>,
    run: Option<Run>,
    /// Not started before.
    rest_until: EpochMs,
    /// Not watched after.
    leave_at: Option<EpochMs>,
    /// Who goes on then.
    heir: Option<Writer>,
    /// Ends by failure in a row.
    failures: u32,
    end: Option<StreamEnd>,
}

/// A stream being watched.
#[derive(Debug)]
struct Run {
    version: Version,
    since: EpochMs,
    /// Gone once it was told to stop.
    stop: Option<oneshot::Sender<Option<Writer>>>,
}

/// What is to be done with a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Start,
    Stop,
    Nothing,
}

/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Pause when a newer epoch has the stream.
const STRANGER_PAUSE: Duration = Duration::from_secs(30);
/// Who was watched for this long begins with the shortest pause again.
const STEADY: Duration = Duration::from_secs(60);
const NEVER: EpochMs = EpochMs(u64::MAX);

impl Member {
    pub(crate) fn new(config: StreamConfig, place: Place, start_at: EpochMs) -> Self {
        Self {
            place,
            wanted: Some(config),
            run: None,
            rest_until: start_at,
            leave_at: None,
            heir: None,
            failures: 0,
            end: None,
        }
    }

    /// Takes in what was listed of it. `true` if it is not wanted any more.
    ///
    /// An index may list an older configuration than the one before: it does not count.
    pub(crate) fn want(&mut self, listed: Option<StreamConfig>) -> bool {
        let Some(listed) = listed else {
            return self.wanted.take().is_some();
        };
        let known = self.wanted.as_ref().map(Version::of);
        if known.is_none_or(|known| Version::of(&listed) > known) {
            // What failed may have been cured.
            (self.failures, self.rest_until) = (0, EpochMs(0));
            self.wanted = Some(listed);
        }
        false
    }

    /// It is to be stopped then, and not to be started any more; `heir` goes on.
    pub(crate) fn leave_at(&mut self, at: EpochMs, heir: Option<Writer>) {
        (self.leave_at, self.heir) = (Some(at), heir);
    }

    /// Stops it if need be; gives the configuration to start it with if it is to be started.
    pub(crate) fn settle(&mut self, now: EpochMs) -> Option<StreamConfig> {
        let left = self.leave_at.is_some_and(|at| now >= at);
        let wanted = self.wanted.as_ref().filter(|_| !left).map(Version::of);
        let running = self.run.as_ref().map(|run| run.version);
        match action(wanted, running, now >= self.rest_until && self.leave_at.is_none()) {
            Action::Start => self.wanted.clone(),
            Action::Stop => {
                // An error means that it has just ended by itself.
                let stop = self.run.as_mut().and_then(|run| run.stop.take());
                let _ = stop.map(|stop| stop.send(self.heir.clone()));
                None
            }
            Action::Nothing => None,
        }
    }

    pub(crate) fn started(&mut self, version: Version, stop: oneshot::Sender<Option<Writer>>, now: EpochMs) {
        self.run = Some(Run { version, since: now, stop: Some(stop) });
    }

    /// Takes in how a run of it ended; none for a panic. `true` if a newer epoch than `epoch` has the stream,
    /// and has had it before.
    pub(crate) fn ended(&mut self, end: Option<StreamEnd>, epoch: u64, now: EpochMs) -> bool {
        let Some(run) = self.run.take() else { return false };
        if now.since(run.since) >= STEADY {
            self.failures = 0;
        }
        self.failures += 1;
        let mut stranger = false;
        let pause = match end.as_ref().map(|end| &end.outcome) {
            Some(Ok(WriterEnd::Done)) => {
                self.failures = 0;
                Duration::ZERO
            }
            Some(Ok(WriterEnd::Lost(holder)) | Err(StreamError::Taken(holder))) => {
                stranger = holder.epoch >= epoch;
                if stranger { STRANGER_PAUSE } else { pause(self.failures) }
            }
            Some(Err(error)) if error.is_configuration() => Duration::MAX,
            Some(Ok(WriterEnd::Failed(_)) | Err(_)) | None => pause(self.failures),
        };
        if let Some(end) = &end {
            report(end, pause);
        }
        self.rest_until = if pause == Duration::MAX { NEVER } else { now + pause };
        self.end = end;
        stranger && self.failures > 1
    }

    /// Neither wanted nor watched.
    pub(crate) fn is_gone(&self) -> bool {
        self.run.is_none() && (self.wanted.is_none() || self.leave_at.is_some())
    }

    /// When [`Member::settle`] has something to do.
    pub(crate) fn wake_at(&self) -> Option<EpochMs> {
        match &self.run {
            Some(run) => self.leave_at.filter(|_| run.stop.is_some()),
            None => Some(self.rest_until).filter(|at| *at != NEVER && self.leave_at.is_none()),
        }
    }

    /// How it ended last, where it is not watched now.
    pub(crate) fn take_end(&mut self) -> Option<StreamEnd> {
        self.end.take().filter(|_| self.run.is_none())
    }
}

fn action(wanted: Option<Version>, running: Option<Version>, rested: bool) -> Action {
    match (wanted, running) {
        (Some(_), None) if rested => Action::Start,
        (Some(wanted), Some(running)) if wanted == running => Action::Nothing,
        (_, Some(_)) => Action::Stop,
        (_, None) => Action::Nothing,
    }
}

/// After the first failure one second, then twice as long each time.
fn pause(failures: u32) -> Duration {
    Duration::from_secs(1_u64 << failures.saturating_sub(1).min(16)).min(LONGEST_PAUSE)
}

fn report(end: &StreamEnd, pause: Duration) {
    let stream = &end.stream;
    match &end.outcome {
        Ok(WriterEnd::Done) => {}
        Ok(WriterEnd::Lost(holder)) => {
            tracing::info!(stream.id = %stream, holder.name, holder.epoch, "another watcher has the stream");
        }
        Ok(WriterEnd::Failed(error)) => {
            tracing::warn!(stream.id = %stream, "watching again in {pause:?}: {error}");
        }
        Err(error) if error.is_configuration() => {
            tracing::warn!(stream.id = %stream, "not watched until its configuration is changed: {error}");
        }
        Err(error) => tracing::warn!(stream.id = %stream, "watching again in {pause:?}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hlsops_store::{Holder, Spent, StoreError, StreamId};

    const fn version(revision: u64) -> Version {
        Version(EpochMs(0), revision)
    }

    #[test]
    fn what_is_wanted_is_watched() {
        use Action::{Nothing, Start, Stop};
        let (one, two) = (Some(version(1)), Some(version(2)));
        for (wanted, running, rested, expected) in [
            (one, None, true, Start),
            (one, None, false, Nothing),
            (one, one, true, Nothing),
            (one, one, false, Nothing),
            (two, one, true, Stop),
            (None, one, true, Stop),
            (None, None, true, Nothing),
        ] {
            assert_eq!(action(wanted, running, rested), expected, "{wanted:?} {running:?} {rested}");
        }
    }

    fn member() -> Member {
        let id = StreamId::new("acme", "news").expect("valid");
        let place = Place::new(&id, None, EpochMs(0), std::sync::Arc::default());
        let mut member = Member::new(config(1), place, EpochMs(0));
        assert!(member.settle(EpochMs(0)).is_some());
        member.started(version(1), oneshot::channel().0, EpochMs(0));
        member
    }

    fn config(revision: u64) -> StreamConfig {
        let id = StreamId::new("acme", "news").expect("valid");
        StreamConfig { revision, ..StreamConfig::new(id, "", EpochMs(0)) }
    }

    fn end(outcome: Result<WriterEnd, StreamError>) -> Option<StreamEnd> {
        let stream = StreamId::new("acme", "news").expect("valid");
        Some(StreamEnd { stream, outcome, spent: Spent::default() })
    }

    /// Seconds until it is watched again; none for never.
    #[track_caller]
    fn check(outcome: Option<StreamEnd>, expected: Option<u64>) {
        let mut member = member();
        let _ = member.ended(outcome, 5, EpochMs(0));
        assert_eq!(member.wake_at(), expected.map(|s| EpochMs(s * 1_000)));
    }

    fn failed() -> Option<StreamEnd> {
        end(Ok(WriterEnd::Failed(StoreError::Throttled { operation: "x", attempts: 1 })))
    }

    fn lost(epoch: u64) -> Option<StreamEnd> {
        end(Ok(WriterEnd::Lost(Holder { name: "other".into(), epoch })))
    }

    #[test]
    fn how_it_ended_says_when_it_is_watched_again() {
        check(end(Ok(WriterEnd::Done)), Some(0));
        check(failed(), Some(1));
        check(None, Some(1));
        check(lost(4), Some(1));
        check(lost(6), Some(30));
        check(end(Err(StreamError::Limit("x".into()))), None);
    }

    #[test]
    fn pauses_grow_and_end_with_a_new_configuration() {
        let mut member = member();
        let mut pauses = Vec::new();
        for _ in 0..9 {
            let _ = member.ended(failed(), 5, EpochMs(0));
            pauses.push(member.rest_until.0 / 1_000);
            member.started(version(1), oneshot::channel().0, EpochMs(0));
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        let _ = member.ended(failed(), 5, EpochMs(60_000));
        assert_eq!(member.rest_until, EpochMs(61_000), "it was watched for long");
        assert!(!member.want(Some(config(2))));
        assert_eq!(member.settle(EpochMs(0)).map(|config| config.revision), Some(2));
        assert!(!member.want(Some(config(1))), "a list that lags");
        assert_eq!(member.settle(EpochMs(0)).map(|config| config.revision), Some(2));
        assert!(member.want(None));
        assert!(member.is_gone());
    }

    #[test]
    fn a_newer_epoch_that_stays_calls_for_relief() {
        let mut member = member();
        assert!(!member.ended(lost(6), 5, EpochMs(0)));
        member.started(version(1), oneshot::channel().0, EpochMs(0));
        assert!(member.ended(lost(6), 5, EpochMs(0)));
    }
}
