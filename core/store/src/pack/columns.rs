//! The log of a minute as columns of bits.
//!
//! Each rendition has its columns one after the other. A number is told by its difference from what was to
//! be expected: the next sequence number, the same distance in time, the running mean of sizes. A column
//! in which everything came as expected is one bit.

use hlsops_domain::rendition::Loss;
use hlsops_domain::{EpochMs, MediaUs, RenditionId};

use super::bits::{Adaptive, BitReader, BitWriter, unzigzag, zigzag};
use super::codes::{failure, failure_code, small};
use super::entries::{read_change, write_change};
use super::log::{Loads, LogLimits, MinuteLog, RenditionLog, SegmentRow};
use super::{PackError, versioned};
use crate::ids::Minute;

const VERSION: u8 = 1;

impl MinuteLog {
    /// As bytes.
    #[must_use]
    pub fn pack(&self) -> Vec<u8> {
        let mut out = BitWriter::new(VERSION);
        out.number(self.minute.0);
        out.number(self.dropped);
        out.number(self.renditions.len() as u64);
        let mut before = SegmentRow::expected(self.minute);
        for rendition in &self.renditions {
            out.bits(rendition.id.0, 64);
            write_loads(&mut out, rendition.loads);
            out.number(rendition.segments.len() as u64);
            if let Some(first) = rendition.segments.first() {
                write_columns(&mut out, &rendition.segments, before);
                before = SegmentRow { sequence: first.sequence.wrapping_sub(1), ..*first };
            }
        }
        out.number(self.changes.len() as u64);
        let mut at = self.minute.start();
        for change in &self.changes {
            write_change(&mut out, change, at, &self.renditions);
            at = change.at;
        }
        out.finish()
    }

    /// From bytes.
    ///
    /// # Errors
    /// If a newer version packed them, or if they are not what a version packs.
    pub fn unpack(bytes: &[u8]) -> Result<Self, PackError> {
        let mut from = BitReader::new(versioned(bytes, VERSION)?);
        let mut log = Self::new(Minute(from.number()?));
        log.dropped = from.number()?;
        let mut before = SegmentRow::expected(log.minute);
        let mut left = LogLimits::SEGMENTS;
        for _ in 0..from.count(LogLimits::RENDITIONS)? {
            let id = RenditionId(from.bits(64)?);
            let loads = read_loads(&mut from)?;
            let count = count_rows(&mut from, left)?;
            left -= count;
            let segments = if count > 0 { read_columns(&mut from, count, before)? } else { Vec::new() };
            if let Some(first) = segments.first() {
                before = SegmentRow { sequence: first.sequence.wrapping_sub(1), ..*first };
            }
            log.renditions.push(RenditionLog { id, loads, segments });
        }
        let mut at = log.minute.start();
        for _ in 0..from.count(LogLimits::CHANGES)? {
            let change = read_change(&mut from, at, &log.renditions)?;
            at = change.at;
            log.changes.push(change);
        }
        Ok(log)
    }
}

/// Rows whose every column is as expected take no bits at all, so only the bound limits them.
fn count_rows(from: &mut BitReader<'_>, most: usize) -> Result<usize, PackError> {
    let count: usize = small(from.number()?)?;
    if count > most { Err(PackError::Damaged("count")) } else { Ok(count) }
}

impl SegmentRow {
    /// What the first row of a minute is compared with.
    fn expected(minute: Minute) -> Self {
        Self {
            at: minute.start(),
            sequence: 0,
            media: MediaUs::ZERO,
            bytes: 0,
            ttfb_ms: 0,
            download_ms: 0,
            paced: false,
            attempt: 1,
            failure: None,
            last: true,
        }
    }

    /// The loss this row stands for, if it is one that health counts.
    pub(super) fn loss(&self) -> Option<Loss> {
        let counts = self.last && self.failure.is_some_and(|failure| !failure.is_no_evidence());
        counts.then_some(Loss { segments: 1, media: self.media })
    }
}

/// A column: how to take its number out of a row and put it back, what is expected of the next one, and
/// what the numbers are usually like.
struct Column {
    get: fn(&SegmentRow) -> u64,
    set: fn(&mut SegmentRow, u64) -> Result<(), PackError>,
    expect: Expect,
    typical: u64,
}

/// What is expected of the next number.
#[derive(Clone, Copy)]
enum Expect {
    /// One more than the last.
    Next,
    /// The last.
    Same,
    /// As far from the last as they usually lie apart.
    Step,
    /// The running mean.
    Mean,
    /// Zero.
    Zero,
}

const COLUMNS: [Column; 10] = [
    Column {
        get: |row| row.failure.map_or(0, failure_code),
        set: |row, value| {
            row.failure = if value == 0 { None } else { Some(failure(value)?) };
            Ok(())
        },
        expect: Expect::Zero,
        typical: 0,
    },
    Column {
        get: |row| u64::from(row.attempt.wrapping_sub(1)),
        set: |row, value| small::<u8>(value).map(|value| row.attempt = value.wrapping_add(1)),
        expect: Expect::Zero,
        typical: 0,
    },
    Column {
        get: |row| u64::from(!row.last),
        set: |row, value| flag(value).map(|value| row.last = !value),
        expect: Expect::Zero,
        typical: 0,
    },
    Column {
        get: |row| u64::from(row.paced),
        set: |row, value| flag(value).map(|value| row.paced = value),
        expect: Expect::Zero,
        typical: 0,
    },
    Column {
        get: |row| row.sequence,
        set: |row, value| {
            row.sequence = value;
            Ok(())
        },
        expect: Expect::Next,
        typical: 1,
    },
    Column {
        get: |row| row.at.0,
        set: |row, value| {
            row.at = EpochMs(value);
            Ok(())
        },
        expect: Expect::Step,
        typical: 128,
    },
    Column {
        get: |row| row.media.0,
        set: |row, value| {
            row.media = MediaUs(value);
            Ok(())
        },
        expect: Expect::Same,
        typical: 1_000,
    },
    Column {
        get: |row| row.bytes,
        set: |row, value| {
            row.bytes = value;
            Ok(())
        },
        expect: Expect::Mean,
        typical: 65_536,
    },
    Column {
        get: |row| row.ttfb_ms,
        set: |row, value| {
            row.ttfb_ms = value;
            Ok(())
        },
        expect: Expect::Mean,
        typical: 16,
    },
    Column {
        get: |row| row.download_ms.wrapping_sub(row.ttfb_ms),
        set: |row, value| {
            row.download_ms = value.wrapping_add(row.ttfb_ms);
            Ok(())
        },
        expect: Expect::Mean,
        typical: 64,
    },
];

fn flag(value: u64) -> Result<bool, PackError> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(PackError::Damaged("flag")),
    }
}

/// What is expected, from what came before.
struct Expectation {
    rule: Expect,
    seen: u32,
    last: u64,
    step: u64,
    mean: u64,
}

impl Expectation {
    fn new(column: &Column, before: &SegmentRow) -> Self {
        let last = (column.get)(before);
        Self { rule: column.expect, seen: 0, last, step: 0, mean: last }
    }

    const fn next(&self) -> u64 {
        match self.rule {
            Expect::Next => self.last.wrapping_add(1),
            Expect::Same => self.last,
            Expect::Step => self.last.wrapping_add(self.step),
            Expect::Mean => self.mean,
            Expect::Zero => 0,
        }
    }

    fn learn(&mut self, value: u64) {
        let step = value.wrapping_sub(self.last);
        // The first row's distance is that from the beginning of the minute.
        self.step = match self.seen {
            0 => 0,
            1 => step,
            _ => mean(self.step, step),
        };
        self.mean = mean(self.mean, value);
        self.last = value;
        self.seen = self.seen.saturating_add(1);
    }
}

/// A running mean of about four.
fn mean(mean: u64, value: u64) -> u64 {
    u64::try_from((u128::from(mean) * 3 + u128::from(value)) / 4).unwrap_or(value)
}

fn write_columns(out: &mut BitWriter, rows: &[SegmentRow], before: SegmentRow) {
    for column in &COLUMNS {
        let mut expectation = Expectation::new(column, &before);
        let surprises = rows.iter().map(|row| {
            let value = (column.get)(row);
            let surprise = zigzag(value.wrapping_sub(expectation.next()));
            expectation.learn(value);
            surprise
        });
        let surprises: Vec<u64> = surprises.collect();
        let any = surprises.iter().any(|surprise| *surprise != 0);
        out.bit(any);
        if any {
            let mut numbers = Adaptive::new(column.typical);
            surprises.iter().for_each(|surprise| numbers.write(out, *surprise));
        }
    }
}

fn read_columns(
    from: &mut BitReader<'_>,
    count: usize,
    before: SegmentRow,
) -> Result<Vec<SegmentRow>, PackError> {
    let mut rows = vec![SegmentRow::expected(Minute(0)); count];
    for column in &COLUMNS {
        let mut expectation = Expectation::new(column, &before);
        let mut numbers = from.bit()?.then(|| Adaptive::new(column.typical));
        for row in &mut rows {
            let surprise = match &mut numbers {
                Some(numbers) => numbers.read(from)?,
                None => 0,
            };
            let value = expectation.next().wrapping_add(unzigzag(surprise));
            expectation.learn(value);
            (column.set)(row, value)?;
        }
    }
    Ok(rows)
}

fn write_loads(out: &mut BitWriter, loads: Loads) {
    for number in [loads.good, loads.failed, loads.ttfb_sum_ms, loads.ttfb_max_ms] {
        out.number(number);
    }
}

fn read_loads(from: &mut BitReader<'_>) -> Result<Loads, PackError> {
    Ok(Loads {
        good: from.number()?,
        failed: from.number()?,
        ttfb_sum_ms: from.number()?,
        ttfb_max_ms: from.number()?,
    })
}
