//! Every name and key of the table. Nothing else spells one.
//!
//! One `pk` holds what one page reads. Numbers are padded, so that the order of text is the order of time.
//! `#` separates and is in no identifier ([`crate::ids`]).

use hlsops_domain::EpochMs;

use crate::ids::{IncidentId, Minute, ShardId, StreamId};

/// Names of the table's key attributes, of its index, and of the attributes every item may have.
pub mod attribute {
    /// Partition key.
    pub const PK: &str = "pk";
    /// Sort key.
    pub const SK: &str = "sk";
    /// The index. Sparse: only items with [`G1P`] are in it.
    pub const INDEX: &str = "gsi1";
    /// Partition key of the index.
    pub const G1P: &str = "g1p";
    /// Sort key of the index.
    pub const G1S: &str = "g1s";
    /// Epoch second after which an item may be deleted.
    pub const TTL: &str = "ttl";
    /// Schema version.
    pub const VERSION: &str = "v";
}

/// How long things are kept, in seconds.
pub mod kept {
    const DAY: u64 = 86_400;
    /// Idempotency keys.
    pub const REQUESTS: u64 = DAY;
    /// Minutes.
    pub const MINUTES: u64 = 8 * DAY;
    /// Findings, cues, outbox rows, hour rollups.
    pub const DETAIL: u64 = 90 * DAY;
    /// API keys that have expired: so long it is said that they did.
    pub const EXPIRED_KEYS: u64 = 30 * DAY;
    /// Incidents, their timelines and the minutes copied to them.
    pub const INCIDENTS: u64 = 400 * DAY;
}

/// Partitions of the index that hold outbox rows that are due, and as many again for letters: the sweep reads
/// all of them.
pub const DUE_PARTITIONS: u8 = 4;

/// The key of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are what their types say")]
pub enum Key<'a> {
    /// Configuration of a stream.
    Config(&'a StreamId),
    /// The shard a stream is watched in, with what its watcher needs.
    Assignment(&'a StreamId),
    /// Closing state, rollups and packed log of a minute.
    Minute(&'a StreamId, Minute),
    /// Rollup of an hour (hours since the epoch).
    Hour(&'a StreamId, u64),
    /// What a stream consists of, and why it is as it is.
    Outline(&'a StreamId),
    /// Which incident is open.
    Pointer(&'a StreamId),
    /// An incident.
    Incident { stream: &'a StreamId, opened: EpochMs, version: u64 },
    /// An entry of an incident's own timeline.
    Timeline { incident: &'a IncidentId, at: EpochMs, n: u64 },
    /// A minute copied to an incident that was closed.
    Evidence(&'a IncidentId, Minute),
    /// Findings of a minute, as the watcher of one lease epoch wrote them.
    Findings { stream: &'a StreamId, minute: Minute, epoch: u64 },
    /// A SCTE-35 cue.
    Cue { stream: &'a StreamId, at: EpochMs, event: u64 },
    /// Something to be told to someone: row `seq` of an incident or an alert's episode.
    Outbox { of: &'a str, seq: u64 },
    /// That row on its way to one channel.
    Letter { of: &'a str, channel: &'a str, seq: u64 },
    /// That row in the inbox of its account.
    Inbox { account: &'a str, entry: &'a str },
    /// Alert settings of an account.
    AlertSettings { account: &'a str },
    /// A notification channel.
    Channel { account: &'a str, channel: &'a str },
    /// A silence.
    Silence { account: &'a str, silence: &'a str },
    /// An API key, by the SHA-256 of its secret in hexadecimal.
    ApiKey { sha256: &'a str },
    /// A request that may be sent again, by the SHA-256 of its idempotency key in hexadecimal.
    Request { account: &'a str, sha256: &'a str },
    /// An entry of the audit log.
    Audit { account: &'a str, at: EpochMs, n: u64 },
    /// An attempt to deliver an alert.
    Delivery { account: &'a str, delivery: &'a str },
    /// How many shards there are.
    Plan,
    /// Who watches a shard.
    Lease(ShardId),
    /// The wall's summary of a shard.
    Summary(ShardId),
}

impl Key<'_> {
    /// Partition and sort key.
    #[must_use]
    pub fn pair(&self) -> (String, String) {
        match self {
            Self::Config(stream) => (of_stream(stream), "A#CFG".into()),
            Self::Assignment(stream) => (of_stream(stream), "A#SHD".into()),
            Self::Minute(stream, minute) => (of_stream(stream), format!("{MINUTE}{}", minute_text(*minute))),
            Self::Hour(stream, hour) => (of_stream(stream), format!("H#{hour:08}")),
            Self::Outline(stream) => (of_stream(stream), "A#NOW".into()),
            Self::Pointer(stream) => (of_stream(stream), "A#INC".into()),
            Self::Incident { stream, opened, version } => {
                (of_stream(stream), format!("{INCIDENT}{}#{version}", time(*opened)))
            }
            Self::Timeline { incident, at, n } => (of_incident(incident), format!("{}#{n:06}", time(*at))),
            Self::Evidence(incident, minute) => {
                (of_incident(incident), format!("P#{}", minute_text(*minute)))
            }
            Self::Findings { stream, minute, epoch } => {
                (of_stream(stream), format!("{FINDINGS}{}#{epoch:010}", minute_text(*minute)))
            }
            Self::Cue { stream, at, event } => (of_stream(stream), format!("C#{}#{event}", time(*at))),
            Self::Outbox { of, seq } => (format!("O#{of}"), sequence(*seq)),
            Self::Letter { of, channel, seq } => (format!("OL#{of}#{channel}"), sequence(*seq)),
            Self::Inbox { account, entry } => (of_account(account), format!("{INBOX}{entry}")),
            Self::AlertSettings { account } => (of_account(account), "ALERTS".into()),
            Self::Channel { account, channel } => (of_account(account), format!("{CHANNEL}{channel}")),
            Self::Silence { account, silence } => (of_account(account), format!("SILENCE#{silence}")),
            Self::ApiKey { sha256 } => (format!("K#{sha256}"), "K".into()),
            Self::Request { account, sha256 } => (of_account(account), format!("REQUEST#{sha256}")),
            Self::Audit { account, at, n } => (of_account(account), format!("AUDIT#{}#{n:06}", time(*at))),
            Self::Delivery { account, delivery } => (of_account(account), format!("{DELIVERY}{delivery}")),
            Self::Plan => ("PLAN".into(), "PLAN".into()),
            Self::Lease(shard) => (format!("L#{shard}"), "L".into()),
            Self::Summary(shard) => (format!("SH#{shard}"), "SUM".into()),
        }
    }
}

/// A place in the index: partition and sort key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are what their types say")]
pub enum IndexKey<'a> {
    /// A stream among those of its account.
    OfAccount(&'a StreamId),
    /// A stream among those of its shard.
    OfShard(ShardId, &'a StreamId),
    /// An open incident among those of its account.
    Open { stream: &'a StreamId, opened: EpochMs },
    /// A closed incident among those of its account and month.
    Closed { stream: &'a StreamId, opened: EpochMs, closed: EpochMs },
    /// An API key among those of its account.
    KeyOf { account: &'a str, key: &'a str },
    /// An outbox row that is due.
    Due { of: &'a str, seq: u64, at: EpochMs },
    /// A letter that is due.
    DueLetter { of: &'a str, channel: &'a str, seq: u64, at: EpochMs },
}

impl IndexKey<'_> {
    /// Partition and sort key of the index.
    #[must_use]
    pub fn pair(&self) -> (String, String) {
        match self {
            Self::OfAccount(stream) => (streams_of(stream.account()), stream.name().into()),
            Self::OfShard(shard, stream) => (streams_in(*shard), stream.to_string()),
            Self::Open { stream, opened } => {
                (open_incidents(stream.account()), format!("{}#{}", time(*opened), stream.name()))
            }
            Self::Closed { stream, opened, closed } => {
                (closed_incidents(stream.account(), *closed), format!("{}#{}", time(*opened), stream.name()))
            }
            Self::KeyOf { account, key } => (keys_of(account), (*key).into()),
            Self::Due { of, seq, at } => (due(partition_of(of)), format!("{}#{of}#{seq:010}", time(*at))),
            Self::DueLetter { of, channel, seq, at } => {
                (due_letters(partition_of(channel)), format!("{}#{of}#{seq:010}#{channel}", time(*at)))
            }
        }
    }
}

/// Index partition: the streams of an account.
#[must_use]
pub fn streams_of(account: &str) -> String {
    format!("G#{account}#streams")
}

/// Index partition: the API keys of an account.
#[must_use]
pub fn keys_of(account: &str) -> String {
    format!("G#{account}#keys")
}

/// Index partition: the enabled streams of a shard.
#[must_use]
pub fn streams_in(shard: ShardId) -> String {
    format!("G#shard#{shard}")
}

/// Index partition: the open incidents of an account.
#[must_use]
pub fn open_incidents(account: &str) -> String {
    format!("G#{account}#open")
}

/// Index partition: the incidents of an account that were closed in the month of `closed` (UTC).
#[must_use]
pub fn closed_incidents(account: &str, closed: EpochMs) -> String {
    let ms = i64::try_from(closed.0).unwrap_or(i64::MAX);
    let day = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::MAX);
    let day = day.to_zoned(jiff::tz::TimeZone::UTC);
    format!("G#{account}#closed#{:04}-{:02}", day.year(), day.month())
}

/// Index partition: one of those of outbox rows that are due, below [`DUE_PARTITIONS`].
#[must_use]
pub fn due(partition: u8) -> String {
    format!("O#due#{partition}")
}

/// Index partition: one of those of letters that are due, below [`DUE_PARTITIONS`]. All letters to a channel
/// are in one, so that a channel that is behind stands in the way of few others.
#[must_use]
pub fn due_letters(partition: u8) -> String {
    format!("OL#due#{partition}")
}

/// Sort keys of the index that are due at `now` are below this.
#[must_use]
pub fn due_before(now: EpochMs) -> String {
    time(EpochMs(now.0.saturating_add(1)))
}

/// Partition of everything of a stream.
#[must_use]
pub fn of_stream(stream: &StreamId) -> String {
    format!("S#{stream}")
}

/// Sort keys of the minutes from `from` to `to`, both included.
#[must_use]
pub fn minutes(from: Minute, to: Minute) -> (String, String) {
    (format!("{MINUTE}{}", minute_text(from)), format!("{MINUTE}{}", minute_text(to)))
}

/// Sort keys of the findings of the minutes from `from` to `to`, both included.
#[must_use]
pub fn findings(from: Minute, to: Minute) -> (String, String) {
    // `~` comes after every digit and after `#`.
    (format!("{FINDINGS}{}", minute_text(from)), format!("{FINDINGS}{}~", minute_text(to)))
}

/// What the sort keys of all minutes begin with.
pub const MINUTE: &str = "M#";
/// What the sort keys of all incidents begin with.
pub const INCIDENT: &str = "I#";
/// What the sort keys of all channels begin with.
pub const CHANNEL: &str = "CHANNEL#";
/// What the sort keys of all deliveries begin with.
pub const DELIVERY: &str = "DELIVERY#";
/// What the sort keys of all entries of an inbox begin with.
pub const INBOX: &str = "INBOX#";
const FINDINGS: &str = "E#";

/// Partition of what belongs to an account as a whole.
#[must_use]
pub fn of_account(account: &str) -> String {
    format!("ACC#{account}")
}

fn of_incident(incident: &IncidentId) -> String {
    format!("T#{incident}")
}

fn sequence(seq: u64) -> String {
    format!("{seq:010}")
}

fn time(at: EpochMs) -> String {
    format!("{:014}", at.0)
}

fn minute_text(minute: Minute) -> String {
    format!("{:010}", minute.0)
}

fn partition_of(id: &str) -> u8 {
    let hash = hlsops_domain::id::StableHash::new().with(id.as_bytes()).finish();
    u8::try_from(hash % u64::from(DUE_PARTITIONS)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn keys_are_distinct_and_in_the_order_of_time() {
        let stream = StreamId::new("acme", "news").expect("valid");
        let id = IncidentId::new(&stream, 3);
        let at = EpochMs(1_700_000_000_000);
        let all = [
            Key::Config(&stream),
            Key::Assignment(&stream),
            Key::Minute(&stream, Minute(28_000_000)),
            Key::Hour(&stream, 466_666),
            Key::Outline(&stream),
            Key::Pointer(&stream),
            Key::Incident { stream: &stream, opened: at, version: 3 },
            Key::Timeline { incident: &id, at, n: 1 },
            Key::Evidence(&id, Minute(28_000_000)),
            Key::Findings { stream: &stream, minute: Minute(28_000_000), epoch: 4 },
            Key::Cue { stream: &stream, at, event: 7 },
            Key::Outbox { of: "x", seq: 1 },
            Key::Letter { of: "x", channel: "c", seq: 1 },
            Key::Inbox { account: "acme", entry: "e" },
            Key::AlertSettings { account: "acme" },
            Key::Channel { account: "acme", channel: "c" },
            Key::Silence { account: "acme", silence: "s" },
            Key::ApiKey { sha256: "00" },
            Key::Request { account: "acme", sha256: "00" },
            Key::Audit { account: "acme", at, n: 1 },
            Key::Delivery { account: "acme", delivery: "d" },
            Key::Plan,
            Key::Lease(ShardId(1)),
            Key::Summary(ShardId(1)),
        ];
        let pairs: BTreeSet<_> = all.iter().map(Key::pair).collect();
        assert_eq!(pairs.len(), all.len());
        assert_eq!(Key::Minute(&stream, Minute(28_000_000)).pair().1, "M#0028000000");
        assert_eq!(closed_incidents("acme", at), "G#acme#closed#2023-11");
        let (from, to) = findings(Minute(5), Minute(6));
        let of = |minute| Key::Findings { stream: &stream, minute: Minute(minute), epoch: 9 }.pair().1;
        assert!(from < of(5) && of(6) < to && of(7) > to && of(4) < from);
        assert!(IndexKey::Due { of: "x", seq: 1, at }.pair().1 < due_before(at));
        assert!(IndexKey::Due { of: "x", seq: 1, at: EpochMs(at.0 + 1) }.pair().1 > due_before(at));
    }
}
