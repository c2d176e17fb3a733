//! Series out of stored minutes.

use std::collections::BTreeMap;
use std::time::Duration;

use hlsops_domain::freshness::Pace;
use hlsops_domain::rendition::RenditionKind;
use hlsops_domain::{Closing, EpochMs, HealthState, RenditionId};
use hlsops_store::pack::{MinuteLog, SegmentRow, What};
use hlsops_store::{Minute, Outline, Pause, Slot, StoredMinute};
use hlsops_wire::{MetricsPoint, State, StateSpan};

use super::state;
use crate::times;

/// Which series.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    /// From when, included.
    pub(crate) from: EpochMs,
    /// To when, excluded.
    pub(crate) to: EpochMs,
    /// Length of a step.
    pub(crate) step_ms: u64,
    /// Of one rendition.
    pub(crate) rendition: Option<RenditionId>,
}

impl Range {
    fn step(&self, at: EpochMs) -> Option<u64> {
        (self.from <= at && at < self.to).then(|| (at.0 - self.from.0) / self.step_ms.max(1))
    }

    fn wants(&self, rendition: RenditionId) -> bool {
        self.rendition.is_none_or(|wanted| wanted == rendition)
    }
}

/// Sums of segments.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    ttfb_ms: Vec<u64>,
    media_us: u64,
    bytes: u64,
    /// Of those whose download says something about the network.
    timed_media_us: u64,
    download_ms: u64,
    /// Obtained.
    pub(crate) obtained: u64,
    /// Asked for and not obtained: counted once, when no attempt follows.
    pub(crate) failed: u64,
    /// Lost, as health counts it: what we were asked to leave alone is not.
    pub(crate) lost: u64,
}

impl Sums {
    pub(crate) fn add(&mut self, row: &SegmentRow) {
        if row.failure.is_some() {
            self.failed += u64::from(row.last);
            self.lost += u64::from(is_lost(row));
            return;
        }
        self.obtained += 1;
        self.ttfb_ms.push(row.ttfb_ms);
        self.media_us = self.media_us.saturating_add(row.media.0);
        self.bytes = self.bytes.saturating_add(row.bytes);
        if !row.paced {
            self.timed_media_us = self.timed_media_us.saturating_add(row.media.0);
            self.download_ms = self.download_ms.saturating_add(row.download_ms);
        }
    }

    /// The lower median.
    pub(crate) fn ttfb_p50_ms(&self) -> Option<u64> {
        let mut sorted = self.ttfb_ms.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len().saturating_sub(1) / 2).copied()
    }

    fn ttfb_max_ms(&self) -> Option<u64> {
        self.ttfb_ms.iter().max().copied()
    }

    /// Media seconds per download second, to two decimals.
    pub(crate) fn download_ratio(&self) -> Option<f64> {
        (self.download_ms > 0).then(|| rounded(real(self.timed_media_us) / 1e3 / real(self.download_ms)))
    }

    fn bitrate_bps(&self) -> Option<u64> {
        let bits = u128::from(self.bytes) * 8_000_000;
        u64::try_from(bits.checked_div(u128::from(self.media_us))?).ok()
    }
}

/// A loss as health counts it: no attempt followed, and the origin did not ask to be left alone.
pub(crate) fn is_lost(row: &SegmentRow) -> bool {
    row.last && row.failure.is_some_and(|failure| !failure.is_no_evidence())
}

fn real(n: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let real = n as f64;
    real
}

/// To two decimals.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[derive(Default)]
struct Step {
    sums: Sums,
    loads_failed: u64,
    buffer_s: Option<f64>,
}

/// One point for each step in which something was seen. `minutes` are oldest first.
pub(crate) fn points(minutes: &[StoredMinute], outline: &Outline, range: &Range) -> Vec<MetricsPoint> {
    let mut steps: BTreeMap<u64, Step> = BTreeMap::new();
    for stored in minutes {
        let Slot::Watched { closing, log } = &stored.slot else { continue };
        take(log, range, &mut steps);
        let at = closing.renditions.iter().map(|rendition| rendition.buffer.at).max();
        if let Some(step) = at.and_then(|at| range.step(at))
            && let Some(buffer) = least_buffer(closing, outline, range)
        {
            let known = &mut steps.entry(step).or_default().buffer_s;
            *known = Some(known.map_or(buffer, |known| known.min(buffer)));
        }
    }
    let point = |(step, found): (u64, Step)| MetricsPoint {
        at: times::text(EpochMs(range.from.0 + step * range.step_ms)),
        ttfb_p50_ms: found.sums.ttfb_p50_ms(),
        ttfb_max_ms: found.sums.ttfb_max_ms(),
        download_ratio: found.sums.download_ratio(),
        bitrate_bps: found.sums.bitrate_bps(),
        buffer_s: found.buffer_s,
        segments_obtained_count: found.sums.obtained,
        segments_failed_count: found.sums.failed,
        loads_failed_count: found.loads_failed,
    };
    steps.into_iter().map(point).collect()
}

fn take(log: &MinuteLog, range: &Range, steps: &mut BTreeMap<u64, Step>) {
    for rendition in log.renditions().iter().filter(|rendition| range.wants(rendition.id)) {
        for row in &rendition.segments {
            if let Some(step) = range.step(row.at) {
                steps.entry(step).or_default().sums.add(row);
            }
        }
    }
    for change in log.changes() {
        let wanted = change.rendition.is_none_or(|id| range.wants(id));
        if wanted
            && matches!(change.what, What::LoadFailed(_))
            && let Some(step) = range.step(change.at)
        {
            steps.entry(step).or_default().loads_failed += 1;
        }
    }
}

/// Of the renditions that viewers play and that are asked for.
fn least_buffer(closing: &Closing, outline: &Outline, range: &Range) -> Option<f64> {
    let played =
        |id| !outline.renditions.iter().any(|known| known.id == id && known.kind == RenditionKind::Aux);
    let wanted = closing.renditions.iter().filter(|known| range.wants(known.id) && played(known.id));
    let open = wanted.filter(|known| !known.playlist.has_ended());
    open.map(|known| known.buffer.level).min().map(|level| rounded(level.as_seconds()))
}

/// Health over the range, but for the time in which the stream was paused. `minutes` and `pauses` are oldest first.
pub(crate) fn states(
    minutes: &[StoredMinute],
    range: &Range,
    pauses: &[Pause],
    now: EpochMs,
) -> Vec<StateSpan> {
    let mut turns: Vec<(EpochMs, HealthState)> = Vec::new();
    let mut end = range.from;
    for stored in minutes {
        let begins = stored.minute.start().max(range.from);
        match &stored.slot {
            Slot::Watched { closing, log } => {
                let changes = log.changes().iter().filter_map(|change| match change.what {
                    What::Health { from, to, .. } => Some((change.at, from, to)),
                    _ => None,
                });
                let first = changes.clone().next().map_or(closing.health, |(_, from, _)| from);
                if turns.last().is_none_or(|(_, before)| *before != first) {
                    turns.push((begins.max(end), first));
                }
                turns.extend(changes.map(|(at, _, to)| (at, to)));
                end = closing.last_look.unwrap_or(begins).max(end);
            }
            Slot::Gap(to) => {
                turns.push((begins.max(held_until(end, pauses)), HealthState::NoData));
                end = Minute(to.0).next().start();
            }
            Slot::Claimed => {}
        }
    }
    // The newest minute is saved now and then; until it is too old, what it says holds.
    let fresh = now.since(end) <= Pace::LEAST;
    let end = if fresh { now } else { end }.min(range.to);
    let mut spans: Vec<Span> = Vec::new();
    for (index, (at, health)) in turns.iter().enumerate() {
        let to = turns.get(index + 1).map_or(end, |(next, _)| *next).min(end);
        spans.push(Span { from: (*at).max(range.from), to, state: state(*health) });
    }
    for pause in pauses {
        let until = pause.until.unwrap_or(now).min(now).min(range.to);
        spans = paused(spans, Span { from: pause.from.max(range.from), to: until, state: State::Paused });
    }
    joined(spans)
}

/// A pause that begins shortly after the last look ends what that look has shown; until then it holds.
fn held_until(end: EpochMs, pauses: &[Pause]) -> EpochMs {
    let begins = pauses.iter().map(|pause| pause.from);
    let next = begins.filter(|from| *from >= end && from.since(end) <= Pace::LEAST);
    next.min().unwrap_or(end)
}

/// A time in which a stream was in one state.
#[derive(Clone, Copy)]
struct Span {
    from: EpochMs,
    to: EpochMs,
    state: State,
}

/// What is left of `spans` before and after a pause, with the pause in between. What was so before it is not known
/// to be so after it.
fn paused(spans: Vec<Span>, pause: Span) -> Vec<Span> {
    if pause.from >= pause.to {
        return spans;
    }
    let before = spans.iter().map(|span| Span { to: span.to.min(pause.from), ..*span });
    let after = spans.iter().map(|span| match span.from < pause.to {
        true => Span { from: pause.to, state: State::NoData, ..*span },
        false => *span,
    });
    let all = before.chain([pause]).chain(after);
    all.filter(|span| span.from < span.to).collect()
}

/// As they are told: those of one state that follow each other are one, and none is shorter than a second, which nobody
/// would see.
fn joined(spans: Vec<Span>) -> Vec<StateSpan> {
    let mut joined: Vec<Span> = Vec::new();
    for span in spans {
        match joined.last_mut().filter(|last| last.state == span.state && last.to == span.from) {
            Some(last) => last.to = span.to,
            None => joined.push(span),
        }
    }
    joined.retain(|span| span.to.since(span.from) >= Duration::from_secs(1));
    let told =
        |Span { from, to, state }| StateSpan { from_at: times::text(from), to_at: times::text(to), state };
    joined.into_iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_so_before_a_pause_is_not_known_after_it() {
        let span = |from, to, state| Span { from: EpochMs(from), to: EpochMs(to), state };
        let seen = vec![span(0, 9_500, State::Unhealthy), span(9_500, 20_000, State::NoData)];
        let told = joined(paused(seen, span(5_000, 9_000, State::Paused)));
        let told: Vec<_> = told.iter().map(|one| (one.from_at.as_str(), one.state)).collect();
        let at = |ms| times::text(EpochMs(ms));
        let (begin, pause, end) = (at(0), at(5_000), at(9_000));
        let expected = [(&begin, State::Unhealthy), (&pause, State::Paused), (&end, State::NoData)];
        assert_eq!(told, expected.map(|(at, state)| (at.as_str(), state)));
    }

    #[test]
    fn what_was_seen_last_holds_until_a_pause_begins() {
        let s = |seconds: u64| EpochMs(seconds * 1_000);
        let pauses = [Pause { from: s(500), until: Some(s(600)) }, Pause { from: s(2_000), until: None }];
        for (end, expected) in [(498, 500), (500, 500), (501, 501), (1_000, 1_000), (1_900, 2_000)] {
            assert_eq!(held_until(s(end), &pauses), s(expected), "{end}");
        }
    }
}
