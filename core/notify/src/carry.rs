//! Carrying one letter: claim, publish, note the delivery, settle; then the letter that waited for it.

use std::time::Duration;

use hlsops_domain::EpochMs;
use hlsops_store::{Channel, Claim, Delivery, Letter, Outcome, Store, StoreError, Writer};
use tokio::time::timeout;

use crate::publisher::{Answer, Destination, Message, Publisher, Verdict};
use crate::schedule::next_attempt;
use crate::sender::Elapsed;

/// How long a letter is claimed for: an attempt's longest time and a reserve for noting what came of it.
const CLAIM: Duration = Duration::from_secs(60);
/// How long an attempt may take, waiting for a free connection included.
const ATTEMPT: Duration = Duration::from_secs(40);
/// Letters to one channel about one incident that one task carries, one after the other.
const IN_A_ROW: usize = 100;

/// What carries letters.
pub(crate) struct Carrier<P> {
    pub(crate) store: Store,
    pub(crate) publisher: P,
    pub(crate) writer: Writer,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Carried {
    pub(crate) delivered: u64,
    pub(crate) failed: u64,
    pub(crate) given_up: u64,
}

impl<P: Publisher> Carrier<P> {
    /// Carries a letter, and once it has ended those after it.
    pub(crate) async fn carry(&self, letter: Letter, clock: Elapsed) -> Carried {
        let mut carried = Carried::default();
        let mut next = Some(letter);
        for _ in 0..IN_A_ROW {
            let Some(letter) = next else { break };
            next = match self.carry_one(&letter, &clock, &mut carried).await {
                Ok(next) => next,
                Err(error) => {
                    tracing::warn!(
                        event.id = letter.event(), channel.id = letter.channel, error = %error,
                        "an event waits for the table"
                    );
                    None
                }
            };
        }
        carried
    }

    /// The letter to carry next, if this one has ended.
    async fn carry_one(
        &self,
        letter: &Letter,
        clock: &Elapsed,
        carried: &mut Carried,
    ) -> Result<Option<Letter>, StoreError> {
        let now = clock.now();
        let claim = self.store.claim_letter(letter, &self.writer, now, now + CLAIM).await?.value;
        let letter = match claim {
            Claim::Claimed(letter) => letter,
            Claim::Taken(_) => return Ok(None),
            Claim::Waits(due) => {
                // Whoever carries the one before carries this one next; until then it need not be looked at.
                let until = due.max(now + Duration::from_secs(1));
                let _ = self.store.put_off_letter(letter, now, until).await?;
                return Ok(None);
            }
            Claim::Done => return Ok(self.store.letter_after(letter).await?.value),
        };
        let outcome = self.attempt(&letter, clock).await?;
        match outcome {
            Outcome::Delivered => carried.delivered += 1,
            Outcome::GivenUp => carried.given_up += 1,
            Outcome::Again(_) => carried.failed += 1,
        }
        let _ = self.store.settle_letter(&letter, &self.writer, outcome, clock.now()).await?;
        match outcome {
            Outcome::Again(_) => Ok(None),
            Outcome::Delivered | Outcome::GivenUp => Ok(self.store.letter_after(&letter).await?.value),
        }
    }

    async fn attempt(&self, letter: &Letter, clock: &Elapsed) -> Result<Outcome, StoreError> {
        let Some(row) = self.store.notice(&letter.of, letter.seq).await?.value else {
            return Ok(Outcome::GivenUp);
        };
        let message = Message::of(&row);
        let channel;
        let to = if self.publisher.standing().contains(&letter.channel.as_str()) {
            Destination::Standing(&letter.channel)
        } else {
            channel = self.store.channel(&letter.account, &letter.channel).await?.value;
            match &channel {
                Some(channel) if channel.enabled => Destination::Channel(channel),
                // Removed or switched off meanwhile: nobody waits for it any more.
                _ => return Ok(Outcome::GivenUp),
            }
        };
        let began = clock.now();
        let answer = publish(&self.publisher, to, &message, began).await;
        note(&self.store, &message, &letter.channel, letter.tries, began, &answer).await?;
        let again = |asked| {
            let key = format!("{}#{}", message.id, letter.channel);
            next_attempt(letter.since, letter.tries, clock.now(), asked, &key)
        };
        Ok(match answer.verdict {
            Verdict::Delivered => Outcome::Delivered,
            Verdict::Failed { retry_after, .. } => {
                again(retry_after).map_or(Outcome::GivenUp, Outcome::Again)
            }
            Verdict::Gone => {
                if let Destination::Channel(channel) = to {
                    disable(&self.store, channel).await?;
                }
                Outcome::GivenUp
            }
        })
    }
}

/// Tries a channel with an event that says that nothing happened, and notes the delivery. Nothing is repeated.
///
/// # Errors
/// When the delivery cannot be noted.
pub async fn send_test<P: Publisher>(
    store: &Store,
    publisher: &P,
    channel: &Channel,
    now: EpochMs,
) -> Result<Delivery, StoreError> {
    let event = crate::event::test(&channel.id, &channel.name, now);
    // A test of a channel in one and the same millisecond is one test.
    let id = format!("test_{}", hlsops_store::ulid(now, u128::from(hash(&channel.id))));
    let message = Message {
        id: format!("{id}.1"),
        kind: event.kind.clone(),
        account: channel.account.clone(),
        stream: String::new(),
        body: event.to_json(),
    };
    let answer = publish(publisher, Destination::Channel(channel), &message, now).await;
    note(store, &message, &channel.id, 1, now, &answer).await
}

async fn publish<P: Publisher>(
    publisher: &P,
    to: Destination<'_>,
    message: &Message,
    now: EpochMs,
) -> Answer {
    let attempt = timeout(ATTEMPT, publisher.publish(to, message, now)).await;
    attempt.unwrap_or_else(|_| Answer { took: ATTEMPT, ..Answer::unsent("the attempt did not end in time") })
}

async fn note(
    store: &Store,
    message: &Message,
    channel: &str,
    attempt: u64,
    at: EpochMs,
    answer: &Answer,
) -> Result<Delivery, StoreError> {
    let error = match &answer.verdict {
        Verdict::Delivered => None,
        Verdict::Failed { error, .. } => Some(error.clone()),
        Verdict::Gone => {
            Some("the receiver answered 410: it wants no messages, the channel is disabled".into())
        }
    };
    let delivery = Delivery {
        account: message.account.clone(),
        event: message.id.clone(),
        kind: message.kind.clone(),
        channel: channel.into(),
        attempt,
        at,
        took: Duration::from_millis(u64::try_from(answer.took.as_millis()).unwrap_or(u64::MAX)),
        delivered: answer.verdict == Verdict::Delivered,
        status: answer.status,
        answer: answer.text.clone(),
        error,
    };
    let _ = store.add_delivery(&delivery).await?;
    Ok(delivery)
}

/// Somebody who has changed the channel meanwhile has the last word.
async fn disable(store: &Store, channel: &Channel) -> Result<(), StoreError> {
    let why = Some("the receiver answered 410 Gone".into());
    let disabled = Channel { enabled: false, why_disabled: why, ..channel.clone() };
    let _ = store.save_channel(&disabled).await?;
    tracing::warn!(channel.id = channel.id, "the receiver answered 410: the channel is disabled");
    Ok(())
}

fn hash(text: &str) -> u64 {
    hlsops_domain::id::StableHash::new().with(text.as_bytes()).finish()
}
