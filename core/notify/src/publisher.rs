//! What brings a message to whom it is for.

use std::future::Future;
use std::time::Duration;

use hlsops_domain::EpochMs;
use hlsops_store::{Channel, OutboxRow};

/// An event on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The event's id: the same at every attempt and for every receiver.
    pub id: String,
    /// Type of the event.
    pub kind: String,
    /// The account.
    pub account: String,
    /// The stream, within the account.
    pub stream: String,
    /// The event as JSON.
    pub body: String,
}

impl Message {
    /// What a row of the outbox tells.
    #[must_use]
    pub fn of(row: &OutboxRow) -> Self {
        Self {
            id: row.id(),
            kind: row.kind.clone(),
            account: row.stream.account().into(),
            stream: row.stream.name().into(),
            body: row.body.clone(),
        }
    }
}

/// Whom a message is for.
#[derive(Clone, Copy, Debug)]
pub enum Destination<'a> {
    /// A channel of the account.
    Channel(&'a Channel),
    /// One of [`Publisher::standing`].
    Standing(&'a str),
}

/// What an attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How long it took.
    pub took: Duration,
    /// The status of the answer, if one came.
    pub status: Option<u16>,
    /// The beginning of the answer.
    pub text: String,
    /// Whether the message was taken.
    pub verdict: Verdict,
}

impl Answer {
    /// A failure before anything was sent.
    #[must_use]
    pub fn unsent(error: impl Into<String>) -> Self {
        let verdict = Verdict::Failed { error: error.into(), retry_after: None };
        Self { took: Duration::ZERO, status: None, text: String::new(), verdict }
    }
}

/// Whether a message was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was.
    Delivered,
    /// It was not, and is tried again.
    Failed {
        /// Why, for people.
        error: String,
        /// How long the receiver wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The receiver wants no message ever again.
    Gone,
}

/// Brings messages to channels. An attempt has to end by itself within half a minute.
pub trait Publisher: Send + Sync + 'static {
    /// Destinations that are there for every account beside its channels, and get every event.
    fn standing(&self) -> &[&str] {
        &[]
    }

    /// Tries once.
    fn publish(
        &self,
        to: Destination<'_>,
        message: &Message,
        now: EpochMs,
    ) -> impl Future<Output = Answer> + Send;
}
