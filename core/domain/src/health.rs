//! Is the stream healthy now? Three states with reasons, and NO DATA: never the last colour.

mod badness;
mod lines;
mod losses;
mod what;

use std::time::Duration;

use crate::buffer::Buffer;
use crate::id::RenditionId;
use crate::limits::Limits;
use crate::rendition::{PlaylistState, Rendition, RenditionKind, RenditionSpec};
use crate::stream::StreamState;
use crate::units::{EpochMs, MediaUs};

pub use lines::lines;
pub use what::What;

/// Health, from best to worst; NO DATA stands apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HealthState {
    /// Nobody has looked, or nothing can be said yet.
    NoData,
    /// A viewer has nothing to complain of.
    Healthy,
    /// Something is wrong; viewers may still be served.
    Degraded,
    /// Viewers are not served.
    Unhealthy,
}

impl HealthState {
    /// The word for people and machines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoData => "NO DATA",
            Self::Healthy => "HEALTHY",
            Self::Degraded => "DEGRADED",
            Self::Unhealthy => "UNHEALTHY",
        }
    }
}

/// Health and everything that speaks for it now.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// The worst of the reasons.
    pub state: HealthState,
    /// Worst first. Empty when HEALTHY.
    pub reasons: Vec<Reason>,
}

impl Health {
    /// Most reasons kept, the worst ones: a stream of 200 renditions may have several each, and nobody reads
    /// more.
    pub const MAX_REASONS: usize = 50;

    /// Nothing is wrong.
    pub const HEALTHY: Self = Self { state: HealthState::Healthy, reasons: Vec::new() };
}

/// One thing that holds now, with its value and threshold.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// What it makes of the stream.
    pub state: HealthState,
    /// The rendition it is about; none for the whole stream.
    pub rendition: Option<RenditionId>,
    /// What holds.
    pub what: What,
}

/// Health at `now`. Depends on time as well as on what arrived, so ask again as time passes.
#[must_use]
pub fn evaluate(stream: &StreamState, now: EpochMs, limits: &Limits) -> Health {
    if is_plainly_healthy(stream, now, limits) {
        debug_assert_eq!(weigh(stream, now, limits), Health::HEALTHY);
        return Health::HEALTHY;
    }
    weigh(stream, now, limits)
}

/// Nothing at all speaks against it: what most streams are at most times, told without weighing anything. Where
/// this is in doubt, [`weigh`] decides.
fn is_plainly_healthy(stream: &StreamState, now: EpochMs, limits: &Limits) -> bool {
    let strictest_ns = limits.strictest_ttfb().as_nanos();
    let lowest_ratio = limits.ratio_degraded.max(limits.ratio_unhealthy);
    let allowed = limits.no_data_after(MediaUs::ZERO);
    let (mut looked, mut samples, mut ttfb_ns) = (false, 0, 0);
    for rendition in stream.played() {
        let sum = rendition.samples.sum(now, limits.window);
        let is_fast = || sum.ratio(limits.min_samples).is_none_or(|ratio| ratio >= lowest_ratio);
        let is_fine = rendition.playlist == PlaylistState::Live
            && rendition.consecutive_lost < limits.consecutive_unhealthy
            && rendition.losses.is_empty()
            && rendition.buffer.plays_until(now)
            && !rendition.buffer.has_waited()
            && rendition.asked_at.is_none_or(|asked| asked <= now)
            && (rendition.spec.kind != RenditionKind::Main || is_fast());
        if !is_fine {
            return false;
        }
        looked |= rendition.last_look.is_some_and(|last| now.since(last) <= allowed);
        samples += sum.count;
        ttfb_ns += sum.ttfb_ns;
    }
    looked
        && stream.master_down().is_none()
        && limits.rebuffer_share_unhealthy > 0.0
        && (samples < limits.min_samples.max(1) || ttfb_ns * 2 <= strictest_ns * samples as u128)
}

/// Health by everything that speaks for it.
fn weigh(stream: &StreamState, now: EpochMs, limits: &Limits) -> Health {
    let mut found = Reasons::default();
    if let Some(silence) = no_data(stream, now, limits) {
        found.add(HealthState::NoData, None, What::NotLooked(silence));
        return found.finish();
    }
    let played: Vec<Seen<'_>> = stream.played().map(|known| Seen::of(known, now)).collect();
    loads(stream, &played, limits, &mut found);
    segments(stream, &played, now, limits, &mut found);
    delivery(&played, now, limits, &mut found);
    if found.0.is_empty() && played.iter().all(|r| r.known.playlist == PlaylistState::Unknown) {
        found.add(HealthState::NoData, None, What::Starting);
        return found.finish();
    }
    found.finish()
}

#[derive(Default)]
struct Reasons(Vec<Reason>);

impl Reasons {
    fn add(&mut self, state: HealthState, rendition: Option<RenditionId>, what: What) {
        self.0.push(Reason { state, rendition, what });
    }

    /// Health by the worst of them.
    fn finish(mut self) -> Health {
        self.0.sort_by_key(|reason| std::cmp::Reverse(reason.state));
        self.0.truncate(Health::MAX_REASONS);
        let state = self.0.first().map_or(HealthState::Healthy, |worst| worst.state);
        Health { state, reasons: self.0 }
    }
}

/// A rendition and its buffer as it stands now.
struct Seen<'a> {
    known: &'a Rendition,
    /// Where it stands otherwise than at the last look. In a box, as most do not.
    later: Option<Box<Buffer>>,
}

impl<'a> Seen<'a> {
    /// A buffer that still plays now says the same as at the last look: most do, and are not copied.
    fn of(known: &'a Rendition, now: EpochMs) -> Self {
        let later = (!known.buffer.plays_until(now)).then(|| Box::new(known.buffer_at(now)));
        Self { known, later }
    }

    fn buffer(&self) -> &Buffer {
        self.later.as_deref().unwrap_or(&self.known.buffer)
    }
}

/// For how long nobody has looked, if that is too long.
///
/// Where a rendition was ever looked at, renditions count alone: the stream's own playlist may answer all the
/// while, and says nothing of what viewers get. A load under way ends the silence when it began, and for as
/// long as a load may take.
fn no_data(stream: &StreamState, now: EpochMs, limits: &Limits) -> Option<Duration> {
    let longest = stream.played().map(Rendition::target).max().unwrap_or_default();
    let allowed = limits.no_data_after(longest);
    let seen = stream.played().filter_map(|r| r.last_look).max();
    let last = seen.or(stream.last_look).unwrap_or(stream.began_at);
    let asked = stream.played().filter_map(|r| r.asked_at).max();
    let until = asked.filter(|asked| now.since(*asked) <= allowed + Duration::from_secs(1)).unwrap_or(now);
    let silence = until.since(last);
    (silence > allowed).then_some(silence)
}

/// Playlists that fail, stall or end.
fn loads(stream: &StreamState, played: &[Seen<'_>], limits: &Limits, found: &mut Reasons) {
    use HealthState::{Degraded, Unhealthy};
    if let Some(failure) = stream.master_down() {
        found.add(Unhealthy, None, What::MasterDown(failure));
    }
    let troubled = played
        .iter()
        .any(|r| matches!(r.known.playlist, PlaylistState::HttpError(_) | PlaylistState::Stalled));
    let dark = troubled && !combination(played, |r| r.known.plays_from(r.buffer()));
    if dark {
        found.add(Unhealthy, None, What::NothingPlayable);
    }
    // Where nothing plays, each of them is why, and stands before what came of it.
    let state = if dark { Unhealthy } else { Degraded };
    for rendition in played {
        let id = Some(rendition.known.spec.id);
        match rendition.known.playlist {
            PlaylistState::HttpError(failure) => found.add(state, id, What::PlaylistDown(failure)),
            PlaylistState::Stalled => found.add(state, id, What::Stalled),
            PlaylistState::LiveEnd if limits.expect_24x7 => found.add(Unhealthy, id, What::Ended),
            _ => {}
        }
    }
}

/// Whether on some pathway there is one main rendition and, if its audio lies apart, one audio rendition
/// of which `ok` holds. A rendition nothing is known of yet counts as good.
fn combination(played: &[Seen<'_>], ok: impl Fn(&Seen<'_>) -> bool) -> bool {
    let good = |r: &Seen<'_>| r.known.playlist == PlaylistState::Unknown || ok(r);
    let shares = |a: &[String], b: &[String]| a.iter().any(|x| b.contains(x));
    let of_kind = |kind| played.iter().filter(move |r| r.known.spec.kind == kind);
    let audio: Vec<&RenditionSpec> =
        of_kind(RenditionKind::Audio).filter(|r| good(r)).map(|r| &r.known.spec).collect();
    of_kind(RenditionKind::Main).filter(|r| good(r)).map(|r| &r.known.spec).any(|main| {
        main.audio_groups.is_empty()
            || audio.iter().any(|audio| {
                shares(&audio.audio_groups, &main.audio_groups)
                    && (audio.pathways.is_empty() || shares(&audio.pathways, &main.pathways))
            })
    })
}

/// Segments lost, slow to begin, slow to come.
fn segments(stream: &StreamState, played: &[Seen<'_>], now: EpochMs, limits: &Limits, found: &mut Reasons) {
    losses::weigh(stream, played, now, limits, found);
    for rendition in played.iter().map(|r| r.known) {
        if rendition.consecutive_lost >= limits.consecutive_unhealthy {
            let what = What::ConsecutiveLost(rendition.consecutive_lost);
            found.add(HealthState::Unhealthy, Some(rendition.spec.id), what);
        }
    }
    first_byte(played, now, limits, found);
    ratios(played, now, limits, found);
}

fn first_byte(played: &[Seen<'_>], now: EpochMs, limits: &Limits, found: &mut Reasons) {
    let sums = played.iter().map(|r| r.known.samples.sum(now, limits.window));
    let (count, total_ns) = sums.fold((0, 0), |(count, ns), sum| (count + sum.count, ns + sum.ttfb_ns));
    if count < limits.min_samples.max(1) {
        return;
    }
    // At least half of the samples reach the median, so it is at most twice the mean: where that is within the
    // limits, nobody has to look for it.
    if total_ns * 2 <= limits.strictest_ttfb().as_nanos() * count as u128 {
        return;
    }
    let mut all: Vec<Duration> =
        played.iter().flat_map(|r| r.known.samples(now, limits.window)).map(|s| s.ttfb).collect();
    let middle = all.len() / 2;
    let median = *all.select_nth_unstable(middle).1;
    match limits.ttfb_unhealthy {
        Some(limit) if median > limit => {
            found.add(HealthState::Unhealthy, None, What::SlowFirstByte { median, limit });
        }
        _ if median > limits.ttfb_degraded => {
            let limit = limits.ttfb_degraded;
            found.add(HealthState::Degraded, None, What::SlowFirstByte { median, limit });
        }
        _ => {}
    }
}

fn ratios(played: &[Seen<'_>], now: EpochMs, limits: &Limits, found: &mut Reasons) {
    let mains = || {
        let mains = played.iter().map(|r| r.known).filter(|r| r.spec.kind == RenditionKind::Main);
        mains.filter(|r| !r.playlist.has_ended())
    };
    let ratio_of = |r: &Rendition| r.download_ratio(now, limits.window, limits.min_samples);
    let all_low = mains().all(|r| ratio_of(r).is_some_and(|ratio| ratio < limits.ratio_unhealthy));
    for rendition in mains() {
        let id = Some(rendition.spec.id);
        match ratio_of(rendition) {
            Some(ratio) if all_low => {
                let what = What::LowRatio { ratio, limit: limits.ratio_unhealthy };
                found.add(HealthState::Unhealthy, id, what);
            }
            Some(ratio) if ratio < limits.ratio_degraded => {
                let what = What::LowRatio { ratio, limit: limits.ratio_degraded };
                found.add(HealthState::Degraded, id, what);
            }
            _ => {}
        }
    }
}

/// Rebuffering. A viewer switches away from a rendition that stops, so it takes all combinations to make
/// UNHEALTHY.
fn delivery(played: &[Seen<'_>], now: EpochMs, limits: &Limits, found: &mut Reasons) {
    let window = limits.window;
    let waited = |r: &Seen<'_>| r.buffer().rebuffered(now, window);
    if limits.rebuffer_share_unhealthy > 0.0 && played.iter().all(|r| waited(r).is_zero()) {
        return;
    }
    let slight = limits.rebuffer_degraded.max(window.mul_f64(limits.rebuffer_share_degraded.clamp(0.0, 1.0)));
    let severe = window.mul_f64(limits.rebuffer_share_unhealthy.clamp(0.0, 1.0));
    let unwatchable =
        played.iter().any(|r| waited(r) >= severe) && !combination(played, |r| waited(r) < severe);
    for rendition in played {
        let waited = waited(rendition);
        let state = if unwatchable && waited >= severe {
            HealthState::Unhealthy
        } else if waited > slight {
            HealthState::Degraded
        } else {
            continue;
        };
        found.add(state, Some(rendition.known.spec.id), What::Rebuffering { waited, window });
    }
}
