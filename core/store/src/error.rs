//! Why a call of the store failed. Who won a race is an outcome, never an error.

use crate::ids::Minute;
use crate::pack::PackError;

/// Why a call failed, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Throttled at every attempt; nothing was written.
    #[error(
        "the table throttled {operation} {attempts} times: write less often, or raise the table's limits"
    )]
    Throttled {
        /// What was tried.
        operation: &'static str,
        /// How often.
        attempts: u32,
    },
    /// No answer at any attempt; whether it was carried out is unknown.
    ///
    /// Calling again is safe: every method recognises its own earlier write.
    #[error("no answer to {operation} after {attempts} attempts, call it again: {reason}")]
    Unanswered {
        /// What was tried.
        operation: &'static str,
        /// How often.
        attempts: u32,
        /// The last answer, for people.
        reason: String,
    },
    /// The database refused for a reason that trying again does not cure.
    #[error("the table refused {operation} ({code}): {reason}")]
    Refused {
        /// What was tried.
        operation: &'static str,
        /// The service's name of the error.
        code: String,
        /// The service's words.
        reason: String,
    },
    /// An item was written by a newer version of this program.
    #[error(
        "the item {key} has schema version {found}, this program knows {known}: install the newer version"
    )]
    Newer {
        /// Its key.
        key: String,
        /// Its version.
        found: u64,
        /// The newest known one.
        known: u64,
    },
    /// An item lacks an attribute or has it in another type.
    #[error("the item {key} has no valid `{attribute}`: restore it from a backup, or delete it")]
    Damaged {
        /// Its key.
        key: String,
        /// The attribute.
        attribute: &'static str,
    },
    /// A packed attribute cannot be read.
    #[error("the item {key} cannot be unpacked: {source}")]
    Packed {
        /// Its key.
        key: String,
        /// Why.
        source: PackError,
    },
    /// More than an item may hold.
    #[error("{what} takes {got}, at most {limit} is allowed")]
    TooLarge {
        /// What.
        what: &'static str,
        /// Its size.
        got: usize,
        /// The bound.
        limit: usize,
    },
    /// An identifier that may not stand in a key.
    #[error("the {field} `{got}` is not 1 to 64 letters, digits, `-`, `_` or `.`")]
    BadId {
        /// Which.
        field: &'static str,
        /// What it was.
        got: String,
    },
    /// A minute before the newest one of the chain: the caller's clock went backwards.
    #[error("minute {} lies before minute {}, the newest of its chain: use `Chain::minute_at`", minute.0, newest.0)]
    MinutePassed {
        /// The minute that was to be saved.
        minute: Minute,
        /// The newest one.
        newest: Minute,
    },
    /// Others changed the same item at every attempt.
    #[error("{operation} lost {attempts} races in a row: call it again")]
    Contended {
        /// What was tried.
        operation: &'static str,
        /// How often.
        attempts: u32,
    },
}
