//! The one table: keys, items, conditional writes, queries.
//!
//! There is one implementation. In the cloud the client speaks to DynamoDB, locally and in tests to an
//! embedded engine behind the same interface.
//!
//! # Who wins
//! Correctness comes from conditions on items, never from locks: a lease only saves work. Every method says
//! what concurrent writers get. Losing a race is an outcome such as [`Saved::Lost`], not an error.
//!
//! # Lost replies, throttling, dropped futures
//! A call that is throttled or gets no answer is repeated with growing random waits ([`Retry`]), then
//! surfaces as [`StoreError::Throttled`] (nothing was written) or [`StoreError::Unanswered`] (unknown).
//! Calling again is always safe, also after dropping a call's future half way: each method recognises what
//! an earlier try of the same writer has written.
//!
//! # Cost
//! Every answer is a [`Paid`] with the capacity it consumed.
//!
//! # Stored shape
//! Items are mapped by hand, and no domain type serialises. Each item has a schema version `v`; a newer one
//! is [`StoreError::Newer`]. Minutes are packed ([`pack`]).

mod acknowledge;
mod api_keys;
mod call;
mod channels;
mod deliveries;
mod error;
mod findings;
mod history;
pub mod ids;
mod inbox;
mod incident_item;
mod incidents;
mod item;
pub mod keys;
mod leases;
mod letters;
mod minute_item;
mod minutes;
mod outbox;
mod outline;
pub mod pack;
mod pauses;
mod plan;
mod requests;
mod retry;
mod spent;
mod stream_item;
mod streams;
mod summary;
mod table;
mod takeover;
mod thresholds;

pub use acknowledge::{Acknowledged, Acknowledgement, IncidentNote, IncidentsOf};
pub use api_keys::{ApiKey, KeyScope};
pub use channels::{Channel, Format, Secret};
pub use deliveries::Delivery;
pub use error::StoreError;
pub use findings::{FindingRow, MinuteFindings};
pub use ids::{IncidentId, Minute, ShardId, StreamId, Writer, ulid};
pub use inbox::InboxEntry;
pub use incident_item::IncidentItem;
pub use incidents::{Closed, NewIncident, Opened, Pointer, Resolution};
pub use leases::{Beat, Lease, Leased};
pub use letters::{Claim, Letter, Outcome};
pub use minutes::{Chain, Content, Holder, Saved, Slot, StoredMinute};
pub use outbox::{Addressed, Due, Notice, OutboxRow};
pub use outline::{Outline, OutlineReason, OutlineRendition};
pub use pauses::Pause;
pub use requests::RequestClaim;
pub use retry::Retry;
pub use spent::{Paid, Spent};
pub use streams::{Assignment, Configured, Cursor, ListPage, Segments, StreamConfig, WatchMode};
pub use summary::{ShardSummary, Tile};
pub use takeover::{TakeOver, Taken};
pub use thresholds::{PROFILES, Profile, Threshold, limits_from};

use aws_sdk_dynamodb::Client;

/// The table. Clones share the client.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: String,
    retry: Retry,
}

impl Store {
    /// The table of that name. The client's own retries should be off: the store repeats by itself.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), retry: Retry::default() }
    }

    /// With other repeats.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// The table's name.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }
}
