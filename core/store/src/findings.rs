//! Findings of a minute, with samples of what was seen.
//!
//! Each watcher writes its own item, named by its lease epoch, so none ever overwrites another's; a reader
//! gets them all. How often each rule was broken also stands in the minute's log, which is one chain and
//! counts nothing twice: these items are for the texts.

use hlsops_domain::findings::FindingBook;
use hlsops_domain::{EpochMs, RenditionId};

use aws_sdk_dynamodb::types::AttributeValue;

use crate::Store;
use crate::call::{Select, Terms};
use crate::error::StoreError;
use crate::ids::{Minute, StreamId, Writer};
use crate::item::{Item, Reading, Writing};
use crate::keys::{self, Key, kept};
use crate::spent::Paid;

const VERSION: u64 = 1;
const MINUTE: &str = "min";
const ROWS: &str = "f";
const OVERFLOW: &str = "more";
const OWNER: &str = "own";

/// The findings of one minute as one watcher saw them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MinuteFindings {
    /// Which minute.
    pub minute: Minute,
    /// One row for each rule and rendition, at most [`MinuteFindings::MAX`].
    pub rows: Vec<FindingRow>,
    /// Findings that did not fit.
    pub overflow: u64,
}

/// Equal findings, folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingRow {
    /// Public code of the rule.
    pub code: String,
    /// The rendition; none for the stream's own playlist.
    pub rendition: Option<RenditionId>,
    /// First seen.
    pub first: EpochMs,
    /// Last seen.
    pub last: EpochMs,
    /// How often.
    pub count: u64,
    /// What was seen the last time, at most [`MinuteFindings::MAX_SAMPLE`] characters.
    pub sample: String,
}

impl MinuteFindings {
    /// Most rows of a minute.
    pub const MAX: usize = 100;
    /// Longest sample, in characters.
    pub const MAX_SAMPLE: usize = 240;

    /// From the domain's book of a minute.
    #[must_use]
    pub fn of(minute: Minute, book: &FindingBook) -> Self {
        let rows: Vec<FindingRow> = book
            .iter()
            .take(Self::MAX)
            .map(|folded| FindingRow {
                code: folded.rule.code.into(),
                rendition: folded.rendition,
                first: folded.first_at,
                last: folded.last_at,
                count: folded.count,
                sample: folded.message.chars().take(Self::MAX_SAMPLE).collect(),
            })
            .collect();
        let cut: u64 = book.iter().skip(Self::MAX).map(|folded| folded.count).sum();
        Self { minute, rows, overflow: book.overflow().saturating_add(cut) }
    }
}

impl Store {
    /// Writes the findings of a minute, in place of those this writer wrote before.
    ///
    /// Concurrent writers: each epoch has an item of its own; `false` if another writer of the same epoch has
    /// it, and nothing was stored.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn save_findings(
        &self,
        stream: &StreamId,
        findings: &MinuteFindings,
        writer: &Writer,
    ) -> Result<Paid<bool>, StoreError> {
        let (minute, epoch) = (findings.minute, writer.epoch);
        let rows = findings.rows.iter().take(MinuteFindings::MAX).map(write_finding).collect();
        let item = Writing::new(&Key::Findings { stream, minute, epoch }, VERSION)
            .number(MINUTE, minute.0)
            .number(OVERFLOW, findings.overflow)
            .text(OWNER, &writer.name)
            .value(ROWS, AttributeValue::L(rows))
            .kept(minute.start(), kept::DETAIL)
            .done();
        let terms = Terms::default().name("#o", OWNER).text(":me", &writer.name);
        let condition = Some("attribute_not_exists(pk) OR #o = :me");
        let verdict = self.put("write findings", &item, condition, &terms).await?;
        Ok(verdict.map(|verdict| verdict.refused().is_none()))
    }

    /// The findings of the minutes from `from` to `to`, both included, newest first, at most `most` items.
    ///
    /// Concurrent writers: eventually consistent.
    ///
    /// # Errors
    /// Whatever the table says.
    pub async fn findings(
        &self,
        stream: &StreamId,
        from: Minute,
        to: Minute,
        most: usize,
    ) -> Result<Paid<Vec<MinuteFindings>>, StoreError> {
        let (from, to) = keys::findings(from, to);
        let terms = Terms::default().text(":s", keys::of_stream(stream)).text(":a", from).text(":b", to);
        let mut select = Select::new("pk = :s AND sk BETWEEN :a AND :b", terms);
        select.newest_first = true;
        let items = self.query_all("read findings", select, most).await?;
        items.try_map(|items| items.iter().map(read_findings).collect())
    }
}

fn write_finding(row: &FindingRow) -> AttributeValue {
    let number = |n: u64| AttributeValue::N(n.to_string());
    let text = |t: String| AttributeValue::S(t);
    let rendition = row.rendition.map_or(AttributeValue::Null(true), |id| number(id.0));
    AttributeValue::L(vec![
        text(row.code.clone()),
        rendition,
        number(row.first.0),
        number(row.last.0),
        number(row.count),
        text(row.sample.chars().take(MinuteFindings::MAX_SAMPLE).collect()),
    ])
}

fn read_findings(item: &Item) -> Result<MinuteFindings, StoreError> {
    let reading = Reading::new(item, VERSION)?;
    let rows = item.get(ROWS).and_then(|rows| rows.as_l().ok()).ok_or_else(|| reading.damaged(ROWS))?;
    let rows: Option<Vec<FindingRow>> = rows.iter().map(read_finding).collect();
    Ok(MinuteFindings {
        minute: Minute(reading.number(MINUTE)?),
        rows: rows.ok_or_else(|| reading.damaged(ROWS))?,
        overflow: reading.find_number(OVERFLOW).unwrap_or_default(),
    })
}

fn read_finding(value: &AttributeValue) -> Option<FindingRow> {
    let [code, rendition, first, last, count, sample, ..] = value.as_l().ok()?.as_slice() else {
        return None;
    };
    let number = |value: &AttributeValue| value.as_n().ok()?.parse::<u64>().ok();
    Some(FindingRow {
        code: code.as_s().ok()?.clone(),
        rendition: number(rendition).map(RenditionId),
        first: EpochMs(number(first)?),
        last: EpochMs(number(last)?),
        count: number(count)?,
        sample: sample.as_s().ok()?.clone(),
    })
}
