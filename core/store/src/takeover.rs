//! How a watcher gets a stream's chain.

use hlsops_domain::Closing;

use crate::Store;
use crate::error::StoreError;
use crate::ids::{Minute, StreamId, Writer};
use crate::minutes::{Body, Chain, Holder, Slot, StoredMinute};
use crate::pack::MinuteLog;
use crate::spent::{Paid, Spent};

/// What became of a take-over.
#[derive(Clone, Debug)]
pub enum TakeOver {
    /// The chain is ours.
    Taken(Box<Taken>),
    /// A watcher with a newer lease epoch, or another one with the same, has it.
    Lost(Holder),
}

/// A chain and what stands at its end.
#[derive(Clone, Debug)]
pub struct Taken {
    /// To save with.
    pub chain: Chain,
    /// The newest watched minutes, oldest first: at least the last three if there are that many.
    pub recent: Vec<StoredMinute>,
}

impl Taken {
    /// The state to resume from; none for a stream nobody has watched.
    #[must_use]
    pub fn closing(&self) -> Option<&Closing> {
        match &self.recent.last()?.slot {
            Slot::Watched { closing, .. } => Some(closing),
            _ => None,
        }
    }

    /// The logs to resume from, oldest first.
    pub fn logs(&self) -> impl Iterator<Item = &MinuteLog> {
        self.recent.iter().filter_map(|stored| match &stored.slot {
            Slot::Watched { log, .. } => Some(log),
            _ => None,
        })
    }

    /// The log to carry on with in `minute`: what an earlier watcher has already stored of it.
    #[must_use]
    pub fn log(&self, minute: Minute) -> MinuteLog {
        match self.recent.last() {
            Some(StoredMinute { minute: newest, slot: Slot::Watched { log, .. }, .. })
                if *newest == minute =>
            {
                log.clone()
            }
            _ => MinuteLog::new(minute),
        }
    }
}

/// Minutes read at first: what the windows need, and a claim.
const AT_ONCE: u32 = 4;
/// Minutes read when those were gaps and claims only.
const AT_MOST: u32 = 24;
const ROUNDS: u32 = 8;

/// The end of a chain, as read.
struct End {
    /// The newest item that is no claim.
    base: Option<StoredMinute>,
    /// The claim behind it.
    claim: Option<StoredMinute>,
    watched: Vec<StoredMinute>,
}

impl End {
    fn of(mut minutes: Vec<StoredMinute>) -> Self {
        let claim = minutes.pop_if(|newest| newest.slot == Slot::Claimed);
        let base = minutes.last().cloned();
        minutes.retain(StoredMinute::is_watched);
        Self { base, claim, watched: minutes }
    }

    fn holders(&self) -> impl Iterator<Item = &Holder> {
        self.base.iter().chain(&self.claim).map(|stored| &stored.holder)
    }
}

impl Store {
    /// Takes the chain of a stream over, with its content, and reads what is needed to carry on.
    ///
    /// Both places where the earlier watcher could write next become ours: the place after the newest item
    /// by a claim, the newest item itself on condition that it is as we read it. From then on every save of
    /// the earlier watcher is [`crate::Saved::Lost`]; what it saved before is in what we get. An earlier watcher
    /// that left the chain to us ([`Chain::bequeath`]) has done all that itself.
    ///
    /// Concurrent writers: the newest lease epoch wins; an older one, and a second writer of the same epoch,
    /// get [`TakeOver::Lost`]. Repeating it after an error or a dropped future is safe.
    ///
    /// Cost: half a read unit and two writes, none for a chain that was left to us; twice the read if the chain
    /// moved meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Contended`] if the chain moved at every try, and whatever the table says.
    pub async fn take_over(
        &self,
        stream: &StreamId,
        writer: &Writer,
        now: Minute,
    ) -> Result<Paid<TakeOver>, StoreError> {
        let mut spent = Spent::default();
        for round in 0..ROUNDS {
            let end = self.read_end(stream, round > 0).await?.add_to(&mut spent);
            let wins = |holder: &&Holder| {
                holder.epoch > writer.epoch || (holder.epoch == writer.epoch && holder.name != writer.name)
            };
            if let Some(holder) = end.holders().find(wins) {
                return Ok(Paid { value: TakeOver::Lost(holder.clone()), spent });
            }
            if let Some(chain) = self.take(stream, writer, now, &end).await?.add_to(&mut spent) {
                let taken = Taken { chain, recent: end.watched };
                return Ok(Paid { value: TakeOver::Taken(Box::new(taken)), spent });
            }
        }
        Err(StoreError::Contended { operation: "take a chain over", attempts: ROUNDS })
    }

    /// One try; `None` when the chain is no longer as read.
    async fn take(
        &self,
        stream: &StreamId,
        writer: &Writer,
        now: Minute,
        end: &End,
    ) -> Result<Paid<Option<Chain>>, StoreError> {
        let next = match (&end.claim, &end.base) {
            (Some(claim), _) => claim.minute,
            (None, Some(base)) => base.next(),
            (None, None) => now,
        };
        let (stream, writer) = (stream.clone(), writer.clone());
        let mut chain = Chain { stream, writer, heir: None, is_given: false, newest: None, next, claim: 0 };
        let mut spent = Spent::default();
        if let (None, Some(base)) = (&end.claim, &end.base)
            && base.left
            && base.holder.name == chain.writer.name
        {
            chain.newest = Some((base.minute, base.revision));
            return Ok(Paid { value: Some(chain), spent });
        }
        // First the way forward, then the way it might be rewritten.
        let claimed = match &end.claim {
            Some(claim) => self.seal(&chain.stream, claim, &chain.writer).await?.add_to(&mut spent),
            None => {
                let written = self.write_slot(&chain, next, 0, &Body::Claim).await?.add_to(&mut spent);
                // Ours but no claim: an earlier try of ours has got further; read again.
                written.ok().map(|(revision, _)| revision).filter(|revision| *revision == 1)
            }
        };
        let Some(claimed) = claimed else { return Ok(Paid { value: None, spent }) };
        chain.claim = claimed;
        if let Some(base) = &end.base {
            let sealed = self.seal(&chain.stream, base, &chain.writer).await?.add_to(&mut spent);
            let Some(revision) = sealed else { return Ok(Paid { value: None, spent }) };
            chain.newest = base.is_watched().then_some((base.minute, revision));
        }
        Ok(Paid { value: Some(chain), spent })
    }

    async fn read_end(&self, stream: &StreamId, consistent: bool) -> Result<Paid<End>, StoreError> {
        let mut spent = Spent::default();
        let mut minutes = self.newest_minutes(stream, AT_ONCE, consistent).await?.add_to(&mut spent);
        let full = minutes.len() == AT_ONCE as usize;
        if full && !minutes.iter().any(StoredMinute::is_watched) {
            minutes = self.newest_minutes(stream, AT_MOST, consistent).await?.add_to(&mut spent);
        }
        Ok(Paid { value: End::of(minutes), spent })
    }
}
