//! The sender: from the outbox to the channels, at least once and in order.
//!
//! A sweep addresses the rows that are due and carries the letters that are due. Each letter is carried by a
//! task of its own, at most [`PER_CHANNEL`] at a time to one channel, so that a slow receiver holds up nobody
//! else. Any number of senders may sweep at once.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use hlsops_domain::EpochMs;
use hlsops_store::{Addressed, Channel, Letter, OutboxRow, Store, StoreError, Writer};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use crate::carry::{Carried, Carrier};
use crate::publisher::Publisher;
use crate::schedule::GIVE_UP_AFTER;

/// Letters that are carried at a time.
pub const AT_ONCE: usize = 200;
/// Letters that are carried at a time to one channel.
pub const PER_CHANNEL: usize = 4;
/// Rows taken from each partition of the index in one sweep.
const ROWS: usize = 25;
/// Letters taken from each partition of the index in one sweep.
const LETTERS: usize = 100;
/// For how long a letter that found no room is put off where it may stand before others.
const CROWDED: Duration = Duration::from_secs(5);
/// Turns of a sweep that is to leave nothing behind.
const TURNS: usize = 50;

/// Brings events from the outbox to channels.
pub struct Sender<P> {
    carrier: Arc<Carrier<P>>,
}

impl<P> fmt::Debug for Sender<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("writer", &self.carrier.writer).finish_non_exhaustive()
    }
}

/// What a sender did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Rows addressed.
    pub addressed: u64,
    /// Letters delivered.
    pub delivered: u64,
    /// Attempts that failed and are repeated later.
    pub failed: u64,
    /// Letters given up.
    pub given_up: u64,
}

impl<P: Publisher> Sender<P> {
    /// A sender with a name of its own.
    #[must_use]
    pub fn new(store: Store, publisher: P) -> Self {
        // Randomly seeded by the standard library: no two senders share a name.
        let random = || RandomState::new().hash_one(0);
        let writer = Writer { name: format!("snd-{:016x}", random()), epoch: 0 };
        Self { carrier: Arc::new(Carrier { store, publisher, writer }) }
    }

    /// Addresses and carries everything that is due at `now`, and waits until it is done: for a function that
    /// is called once per tick.
    ///
    /// # Errors
    /// When the outbox cannot be read. A letter whose table failed comes up again by itself.
    pub async fn sweep(&self, now: EpochMs) -> Result<Swept, StoreError> {
        let mut flights = Flights::default();
        for _ in 0..TURNS {
            let started = self.start(&mut flights, now).await;
            flights.land_all().await;
            if started? == 0 {
                break;
            }
        }
        Ok(flights.swept)
    }

    /// For how long the oldest event has been waiting at `now` that should have gone out: one that is not
    /// addressed, or a letter to one of [`Publisher::standing`]. Zero if there is none.
    ///
    /// Letters to channels do not count: a receiver that is down for a day is no fault of this program.
    ///
    /// # Errors
    /// When the outbox cannot be read.
    pub async fn waiting(&self, now: EpochMs) -> Result<Duration, StoreError> {
        let store = &self.carrier.store;
        let rows = store.due_notices(now, ROWS).await?.value.items;
        // Those put off are due later, but no later than that.
        let letters = store.due_letters(now + GIVE_UP_AFTER * 2, LETTERS).await?.value.items;
        let standing = self.carrier.publisher.standing();
        let letters = letters.iter().filter(|letter| standing.contains(&letter.channel.as_str()));
        let oldest = rows.iter().map(|row| row.at).chain(letters.map(|letter| letter.since)).min();
        Ok(oldest.map(|at| now.since(at)).unwrap_or_default())
    }

    /// Starts what is due and finds room. How much that was.
    pub(crate) async fn start(&self, flights: &mut Flights, now: EpochMs) -> Result<usize, StoreError> {
        let clock = Elapsed::since(now);
        // The letters before the rows, which become letters that would be found once more.
        let due = self.carrier.store.due_letters(now, LETTERS).await?.value;
        report(&due.unreadable);
        let crowded = due.items.len() >= LETTERS;
        let new = self.address(flights, &clock).await?;
        let mut started = 0;
        for letter in due.items.into_iter().chain(new) {
            if flights.has_room(&letter) {
                flights.start(Arc::clone(&self.carrier), letter, clock);
                started += 1;
            } else if crowded {
                let until = clock.now() + CROWDED;
                let _ = self.carrier.store.put_off_letter(&letter, clock.now(), until).await?;
            }
        }
        Ok(started)
    }

    /// Turns the rows that are due into letters. A row that cannot be addressed does not hold up the others.
    async fn address(&self, flights: &mut Flights, clock: &Elapsed) -> Result<Vec<Letter>, StoreError> {
        let store = &self.carrier.store;
        let due = store.due_notices(clock.at, ROWS).await?.value;
        report(&due.unreadable);
        let mut accounts: HashMap<String, Vec<Channel>> = HashMap::new();
        let mut letters = Vec::new();
        for row in due.items {
            match self.address_row(&row, &mut accounts, clock).await {
                Ok(Addressed::Addressed(new)) => {
                    flights.swept.addressed += 1;
                    letters.extend(new);
                }
                Ok(Addressed::Already | Addressed::Waits) => {}
                Err(error) => {
                    tracing::warn!(event.id = row.id(), error = %error, "an event could not be addressed");
                }
            }
        }
        Ok(letters)
    }

    async fn address_row(
        &self,
        row: &OutboxRow,
        accounts: &mut HashMap<String, Vec<Channel>>,
        clock: &Elapsed,
    ) -> Result<Addressed, StoreError> {
        let store = &self.carrier.store;
        let account = row.stream.account();
        if !accounts.contains_key(account) {
            accounts.insert(account.into(), store.channels(account).await?.value);
        }
        let channels = accounts.get(account).into_iter().flatten();
        let wanting = channels.filter(|channel| channel.wants(&row.kind)).map(|channel| channel.id.as_str());
        let standing = self.carrier.publisher.standing().iter().copied();
        let all: Vec<&str> = standing.chain(wanting).take(OutboxRow::MAX_CHANNELS).collect();
        Ok(store.address(row, &all, clock.now()).await?.value)
    }
}

/// A time that goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elapsed {
    at: EpochMs,
    began: Instant,
}

impl Elapsed {
    pub(crate) fn since(at: EpochMs) -> Self {
        Self { at, began: Instant::now() }
    }

    pub(crate) fn now(&self) -> EpochMs {
        self.at + self.began.elapsed()
    }
}

/// Letters under way.
#[derive(Default)]
pub(crate) struct Flights {
    tasks: JoinSet<Carried>,
    channels: HashMap<Id, (String, String)>,
    pub(crate) swept: Swept,
}

impl Flights {
    fn has_room(&self, letter: &Letter) -> bool {
        let same =
            |(account, channel): &&(String, String)| *account == letter.account && *channel == letter.channel;
        self.tasks.len() < AT_ONCE && self.channels.values().filter(same).count() < PER_CHANNEL
    }

    fn start<P: Publisher>(&mut self, carrier: Arc<Carrier<P>>, letter: Letter, clock: Elapsed) {
        let channel = (letter.account.clone(), letter.channel.clone());
        let task = self.tasks.spawn(async move { carrier.carry(letter, clock).await });
        self.channels.insert(task.id(), channel);
    }

    /// Waits for the next one to end; never returns while there is none.
    pub(crate) async fn land(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(landed) => self.note(landed),
            None => std::future::pending().await,
        }
    }

    pub(crate) async fn land_all(&mut self) {
        while let Some(landed) = self.tasks.join_next_with_id().await {
            self.note(landed);
        }
    }

    fn note(&mut self, landed: Result<(Id, Carried), JoinError>) {
        let id = match landed {
            Ok((id, carried)) => {
                self.swept.delivered += carried.delivered;
                self.swept.failed += carried.failed;
                self.swept.given_up += carried.given_up;
                id
            }
            Err(error) => {
                tracing::error!(error = %error, "carrying an event ended badly; it comes up again");
                error.id()
            }
        };
        self.channels.remove(&id);
    }
}

fn report(unreadable: &[StoreError]) {
    for error in unreadable {
        tracing::error!(error = %error, "something in the outbox cannot be read and is left there");
    }
}
