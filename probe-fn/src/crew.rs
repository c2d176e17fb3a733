//! The streams of a shard while one watcher has it: who is watched, what the wall shows, and signs of life.

use std::collections::BTreeMap;
use std::mem::take;
use std::sync::Arc;
use std::time::Duration;

use hlsops_domain::EpochMs;
use hlsops_store::{
    Assignment, Beat, Lease, Leased, ShardSummary, Spent, StoreError, StreamConfig, StreamId, Tile,
};
use hlsops_watch::Clock;
use tokio::sync::{Notify, oneshot};
use tokio::task::{Id, JoinError, JoinSet};

use crate::board::Place;
use crate::member::{Member, Version};
use crate::network::Network;
use crate::nudge::Nudged;
use crate::recorder::Recorder;
use crate::shard::{Shard, Shared};
use crate::stream::{StreamEnd, watch_stream};

/// How often a watcher looks whether it is superseded and whether configuration has changed.
const LOOK: Duration = Duration::from_secs(5);
/// How often it says that it is alive: often enough that one try may fail before it is missed.
const BEAT: Duration = Duration::from_secs(30);
/// How often the streams are listed although nobody has said that they changed.
const LIST: Duration = Duration::from_secs(300);
/// The least and the most time between two summaries.
const SHOW: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));
/// What happens at the same moment to all renditions of a stream comes in steps: a summary waits for the last of them.
const GATHER: Duration = Duration::from_millis(100);
/// A hand-over begins this long after the lease was taken: the older watcher has learnt of it by then.
const NOTICE: Duration = Duration::from_secs(10);
/// The older watcher stops a stream this long before its minute is over, so that the last requests and the
/// page are done when the newer one begins.
const EARLY: Duration = Duration::from_secs(3);
/// The newer one begins this long after.
const LATE: Duration = Duration::from_millis(500);
/// After this long a hand-over is over.
const HAND_OVER: Duration = Duration::from_secs(80);

/// Everything a watcher has under way.
pub(crate) struct Crew<C, N> {
    shared: Shared<C, N>,
    shard: Shard,
    members: BTreeMap<StreamId, Member>,
    tasks: JoinSet<StreamEnd>,
    running: BTreeMap<Id, StreamId>,
    /// What earlier watchers showed.
    earlier: BTreeMap<StreamId, Tile>,
    /// A tile has changed.
    changed: Arc<Notify>,
    /// When the lease was taken from a watcher that hands its streams over.
    relieves: Option<EpochMs>,
    /// Changes of configuration that are known of.
    changes: u64,
    due: Due,
    /// List once more at the next look: what an index lists may be a moment old.
    again: bool,
    /// Since when something is to be shown.
    news: Option<EpochMs>,
    shown_at: EpochMs,
    spent: Spent,
}

/// When what is to be done next.
struct Due {
    look: EpochMs,
    beat: EpochMs,
    list: EpochMs,
}

impl<C: Clock, N: Network> Crew<C, N> {
    pub(crate) fn new(shared: Shared<C, N>, shard: Shard, changes: u64, relieves: Option<EpochMs>) -> Self {
        let now = shared.clock.now();
        Self {
            members: BTreeMap::new(),
            tasks: JoinSet::new(),
            running: BTreeMap::new(),
            earlier: BTreeMap::new(),
            changed: Arc::new(Notify::new()),
            relieves,
            changes,
            due: Due { look: now + LOOK, beat: now + BEAT, list: now + LIST },
            again: false,
            news: Some(now),
            shown_at: now,
            spent: Spent::default(),
            shared,
            shard,
        }
    }

    /// Lists the shard's streams for the first time and starts them.
    pub(crate) async fn muster(&mut self) -> Result<(), StoreError> {
        // Without it the wall shows NO DATA for a moment, which is no reason not to watch.
        match self.shared.store.summary(self.shard.id).await {
            Ok(summary) => {
                let tiles = summary.add_to(&mut self.spent).map(|summary| summary.tiles).unwrap_or_default();
                self.earlier = tiles.into_iter().map(|tile| (tile.stream.clone(), tile)).collect();
            }
            Err(error) => tracing::warn!(shard.id = self.shard.id.0, "cannot read the summary: {error}"),
        }
        self.list().await?;
        self.due.list = self.due.look;
        Ok(())
    }

    /// Watches until another watcher has the shard. Cancel-safe.
    pub(crate) async fn watch(&mut self, nudged: &mut Nudged) {
        loop {
            self.settle();
            let wake = self.wake_at();
            tokio::select! {
                biased;
                Some(ended) = self.tasks.join_next_with_id() => {
                    self.ended(ended);
                    continue;
                }
                () = self.changed.notified() => self.tell(true),
                () = nudged.rung() => self.due.look = self.shared.clock.now(),
                () = self.shared.clock.sleep_until(wake) => {}
            }
            if let Some(newer) = self.serve().await {
                return self.hand_over(&newer).await;
            }
        }
    }

    /// Does what is due. Gives the lease of the watcher that has superseded this one.
    async fn serve(&mut self) -> Option<Lease> {
        let now = self.shared.clock.now();
        if now >= self.due.look {
            self.due.look = now + LOOK;
            let newer = self.look(now).await;
            if newer.is_some() {
                return newer;
            }
        }
        if now >= self.due.beat {
            let newer = self.beat(now).await;
            if newer.is_some() {
                return newer;
            }
        }
        if now >= self.due.list {
            match self.list().await {
                Ok(()) => self.due.list = now + if take(&mut self.again) { LOOK } else { LIST },
                Err(error) => {
                    tracing::warn!(shard.id = self.shard.id.0, "cannot list the streams: {error}");
                    self.due.list = now + LOOK;
                }
            }
        }
        if now >= self.show_at() {
            self.show(now).await;
        }
        None
    }

    /// A table that does not answer is no reason to stop watching: the next page will tell.
    async fn look(&mut self, now: EpochMs) -> Option<Lease> {
        let lease = match self.shared.store.lease(self.shard.id, false).await {
            Ok(lease) => lease.add_to(&mut self.spent)?,
            Err(error) => {
                tracing::warn!(shard.id = self.shard.id.0, "cannot read the lease: {error}");
                return None;
            }
        };
        // A read that lags may still show an earlier holder.
        let me = &self.shard.writer;
        let newer = |holder: &hlsops_store::Writer| {
            holder.epoch > me.epoch || (holder.epoch == me.epoch && holder.name != me.name)
        };
        if lease.holder.as_ref().is_some_and(newer) {
            return Some(lease);
        }
        if lease.changes != self.changes {
            self.changes = lease.changes;
            (self.due.list, self.again) = (now, true);
        }
        None
    }

    async fn beat(&mut self, now: EpochMs) -> Option<Lease> {
        let tiles = self.members.values().map(|member| member.place.tile().weight);
        let usual = |weight| if weight == 0 { Assignment::USUAL } else { weight };
        let beat = Beat {
            at: now,
            ends: self.shard.ends,
            streams: self.members.len() as u64,
            weight: tiles.map(usual).sum(),
        };
        match self.shared.store.beat(self.shard.id, &self.shard.writer, beat).await {
            Ok(leased) => {
                self.due.beat = now + BEAT;
                match leased.add_to(&mut self.spent) {
                    Leased::Held => None,
                    Leased::Superseded(lease) => Some(lease),
                }
            }
            Err(error) => {
                tracing::warn!(shard.id = self.shard.id.0, "cannot beat the lease: {error}");
                self.due.beat = now + LOOK;
                None
            }
        }
    }

    /// Reads which streams are to be watched. They are started and stopped by [`Crew::settle`].
    async fn list(&mut self) -> Result<(), StoreError> {
        let listed = self.shared.store.shard_streams(self.shard.id, ShardSummary::MAX).await?;
        let mut listed: BTreeMap<StreamId, StreamConfig> = listed
            .add_to(&mut self.spent)
            .into_iter()
            .map(|assignment| (assignment.config.id.clone(), assignment.config))
            .collect();
        let mut has_changed = false;
        for (id, member) in &mut self.members {
            has_changed |= member.want(listed.remove(id));
        }
        let now = self.shared.clock.now();
        for (id, config) in listed {
            let earlier = self.earlier.remove(&id);
            // Whom the older watcher has, it hands over; others have waited long enough.
            let start = match self.relieves.filter(|_| earlier.is_some()) {
                Some(taken) => handed_over_at(taken, Recorder::second_of(&id)) + LATE,
                None => now,
            };
            let place = Place::new(&id, earlier, now, Arc::clone(&self.changed));
            self.members.insert(id, Member::new(config, place, start));
            has_changed = true;
        }
        self.tell(has_changed);
        Ok(())
    }

    /// Starts and stops streams until all is as it is wanted.
    fn settle(&mut self) {
        let now = self.shared.clock.now();
        for (id, member) in &mut self.members {
            let Some(config) = member.settle(now) else { continue };
            let (stop, stopped) = oneshot::channel();
            let (shared, writer, place) =
                (self.shared.clone(), self.shard.writer.clone(), member.place.clone());
            member.started(Version::of(&config), stop, now);
            // An error means that the crew is gone: that is a reason to stop as well.
            let until = async move { stopped.await.ok().flatten() };
            let task =
                self.tasks.spawn(async move { watch_stream(shared, config, writer, place, until).await });
            self.running.insert(task.id(), id.clone());
        }
        let known = self.members.len();
        self.members.retain(|_, member| !member.is_gone());
        self.tell(self.members.len() < known);
    }

    fn ended(&mut self, ended: Result<(Id, StreamEnd), JoinError>) {
        let now = self.shared.clock.now();
        let (task, end) = match ended {
            Ok((task, end)) => {
                self.spent += end.spent;
                (task, Some(end))
            }
            Err(panic) => {
                tracing::error!(shard.id = self.shard.id.0, "watching a stream ended by {panic}");
                (panic.id(), None)
            }
        };
        let Some(id) = self.running.remove(&task) else { return };
        let Some(member) = self.members.get_mut(&id) else { return };
        if member.ended(end, self.shard.writer.epoch, now) {
            // Somebody with a newer epoch has a stream of ours, and keeps it. Only a newer run gets it back.
            tracing::warn!(shard.id = self.shard.id.0, stream.id = %id, "asking for relief: its epoch is newer");
            self.shard.ends = Some(now);
            self.due.beat = now;
        }
    }

    /// There is something to show, where `has_changed`.
    fn tell(&mut self, has_changed: bool) {
        if has_changed {
            self.news.get_or_insert(self.shared.clock.now());
        }
    }

    fn show_at(&self) -> EpochMs {
        match self.news {
            Some(since) => (self.shown_at + SHOW.0).max(since + GATHER),
            None => self.shown_at + SHOW.1,
        }
    }

    async fn show(&mut self, now: EpochMs) {
        // A summary that fails is tried again after the least pause.
        self.shown_at = now;
        let tiles: Vec<Tile> = self.members.values().map(|member| member.place.tile()).collect();
        match self.shared.store.save_summary(self.shard.id, &tiles, &self.shard.writer, now).await {
            Ok(saved) => {
                saved.add_to(&mut self.spent);
                self.news = None;
            }
            Err(error) => {
                tracing::warn!(shard.id = self.shard.id.0, "cannot store the summary: {error}");
                self.tell(true);
            }
        }
    }

    fn wake_at(&self) -> EpochMs {
        let members = self.members.values().filter_map(Member::wake_at);
        let due = [self.due.look, self.due.beat, self.due.list, self.show_at()];
        members.chain(due).min().unwrap_or(self.due.look)
    }

    /// Goes on with each stream until the newer watcher begins with it. A watcher without an end stops: then
    /// the newer one has not waited.
    async fn hand_over(&mut self, newer: &Lease) {
        if self.shard.ends.is_none() {
            return;
        }
        let end = newer.beat.at + HAND_OVER;
        for (id, member) in &mut self.members {
            let at = handed_over_at(newer.beat.at, Recorder::second_of(id));
            member.leave_at(at - EARLY, newer.holder.clone());
        }
        loop {
            self.settle();
            let now = self.shared.clock.now();
            if now >= end || self.members.is_empty() {
                return;
            }
            let wake = self.members.values().filter_map(Member::wake_at).min().unwrap_or(end).min(end);
            tokio::select! {
                biased;
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended),
                () = self.shared.clock.sleep_until(wake) => {}
            }
        }
    }

    /// Stops all streams, shows what is left to be shown, and says how each ended and what all of it cost.
    pub(crate) async fn dismiss(mut self) -> (Vec<StreamEnd>, Spent) {
        for member in self.members.values_mut() {
            member.leave_at(EpochMs(0), None);
            member.settle(self.shared.clock.now());
        }
        let mut ends = Vec::new();
        while let Some(ended) = self.tasks.join_next().await {
            match ended {
                Ok(end) => {
                    self.spent += end.spent;
                    ends.push(end);
                }
                Err(panic) => tracing::error!("watching a stream ended by {panic}"),
            }
        }
        if self.news.is_some() {
            self.show(self.shared.clock.now()).await;
        }
        ends.extend(self.members.values_mut().filter_map(Member::take_end));
        (ends, self.spent)
    }
}

/// When a stream is handed over by the watcher whose lease was taken at `taken`: at the end of one of the
/// stream's own minutes, when what was stored of it is fresh. The next minute is the newer watcher's.
fn handed_over_at(taken: EpochMs, second: u64) -> EpochMs {
    let from = taken + NOTICE;
    let into_minute = (from.0 + 60_000 - second % 60 * 1_000) % 60_000;
    EpochMs(from.0 + (60_000 - into_minute) % 60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stream_is_handed_over_at_the_end_of_its_minute() {
        for second in 0..60 {
            for taken in [0, 1, 59_999, 1_700_000_012_345] {
                let at = handed_over_at(EpochMs(taken), second);
                assert_eq!(at.0 % 60_000, second * 1_000, "its own second");
                assert!((10_000..70_000).contains(&(at.0 - taken)), "{second} {taken}");
            }
        }
    }
}
