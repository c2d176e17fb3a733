//! Tells people: what happened becomes an [`event`], an event a row of the outbox in the transaction of what
//! happened, and a [`Sender`] brings it to channels.
//!
//! # The promise
//! At least once, in order for each incident and channel, with the same event id at every attempt. A crash at
//! any moment delays a message and loses none. A channel that does not take a message is tried again for 24 h,
//! and neither holds up other channels nor makes them hear it twice.
//!
//! # How an event goes
//! 1. Whoever makes the transition writes the event's JSON as a row of the outbox, in one transaction with it.
//! 2. A sweep addresses the row: one transaction makes a letter for each channel that wants it and an entry of
//!    the account's inbox.
//! 3. Each letter is claimed, published, noted as a delivery and settled. A failure puts the next attempt off;
//!    410 disables the channel.
//! 4. The row is sent when none of its letters is under way.
//!
//! # Where it runs
//! [`run_sender`] in a program that stays, [`Sender::sweep`] in a function that is called once per tick; both
//! may run at once, and several of each. [`Webhooks`] posts to the channels' URLs; with the feature `sns`,
//! `Topic` publishes every event to an SNS topic as well.

mod carry;
pub mod event;
mod lines;
mod publisher;
mod run;
mod schedule;
mod sender;
mod sign;
#[cfg(feature = "sns")]
mod sns;
mod text;
mod webhooks;

pub use carry::send_test;
pub use lines::Lines;
pub use publisher::{Answer, Destination, Message, Publisher, Verdict};
pub use run::run_sender;
pub use schedule::GIVE_UP_AFTER;
pub use sender::{AT_ONCE, PER_CHANNEL, Sender, Swept};
pub use sign::{SecretError, check_secret, new_secret, signatures};
#[cfg(feature = "sns")]
pub use sns::Topic;
pub use text::timestamp;
pub use webhooks::{ChannelError, Webhooks};
