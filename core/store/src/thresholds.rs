//! Thresholds of a stream: a profile and what differs from it.

use std::collections::BTreeMap;
use std::time::Duration;

use hlsops_domain::Limits;

/// A threshold that can be overridden.
#[derive(Clone, Copy, Debug)]
pub struct Threshold {
    /// Its name, with its unit.
    pub name: &'static str,
    /// What it decides, as a sentence for people.
    pub about: &'static str,
    /// Least and most allowed.
    pub range: (f64, f64),
    get: fn(&Limits) -> Option<f64>,
    set: fn(&mut Limits, f64),
}

impl Threshold {
    /// Every one.
    pub const ALL: &[Self] = &LIMITS;

    /// The one of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        LIMITS.iter().find(|known| known.name == name)
    }

    /// Its value among these limits; none where it is not judged.
    #[must_use]
    pub fn of(&self, limits: &Limits) -> Option<f64> {
        (self.get)(limits)
    }
}

/// A profile: its name and its thresholds.
pub type Profile = (&'static str, fn() -> Limits);

/// Every profile.
pub const PROFILES: [Profile; 2] = [("default", Limits::default), ("seed1", Limits::seed1)];

const HOUR_MS: f64 = 3_600_000.0;

macro_rules! limit {
    ($name:ident, $about:literal, $range:expr, $get:expr, $set:expr) => {
        Threshold { name: stringify!($name), about: $about, range: $range, get: $get, set: $set }
    };
}

/// Name with its unit, what it decides, range, and where it stands.
const LIMITS: [Threshold; 18] = [
    // The watcher keeps 180 s of the past over a change of hands.
    limit!(window_ms, "How far back health looks.", (10_000.0, 180_000.0), |l| from_ms(l.window), |l, v| l
        .window =
        ms(v)),
    limit!(
        lost_degraded,
        "So many segments lost in the window make DEGRADED.",
        (1.0, 1e6),
        |l| from(l.lost_degraded),
        |l, v| l.lost_degraded = whole(v)
    ),
    limit!(
        lost_unhealthy,
        "So many segments lost in the window make UNHEALTHY, whatever their share.",
        (1.0, 1e6),
        |l| l.lost_unhealthy.and_then(from),
        |l, v| {
            l.lost_unhealthy = Some(whole(v));
        }
    ),
    limit!(
        consecutive_unhealthy,
        "So many segments one after the other of which the origin itself says that they are missing make UNHEALTHY.",
        (1.0, 1e6),
        |l| Some(l.consecutive_unhealthy.into()),
        |l, v| {
            l.consecutive_unhealthy = count(v);
        }
    ),
    limit!(
        lost_share_unhealthy,
        "This share of the media published in the window lost makes UNHEALTHY; until a rendition has lost three segments, of all a window holds.",
        (0.0, 1.0),
        |l| Some(l.lost_share_unhealthy),
        |l, v| {
            l.lost_share_unhealthy = v;
        }
    ),
    limit!(
        ttfb_degraded_ms,
        "A median time to the first byte of segments above this makes DEGRADED.",
        (1.0, 60_000.0),
        |l| from_ms(l.ttfb_degraded),
        |l, v| l.ttfb_degraded = ms(v)
    ),
    limit!(
        ttfb_unhealthy_ms,
        "A median time to the first byte of segments above this makes UNHEALTHY.",
        (1.0, 60_000.0),
        |l| l.ttfb_unhealthy.and_then(from_ms),
        |l, v| {
            l.ttfb_unhealthy = Some(ms(v));
        }
    ),
    limit!(
        ratio_degraded,
        "A main rendition below this many media seconds per second of download makes DEGRADED.",
        (0.0, 100.0),
        |l| Some(l.ratio_degraded),
        |l, v| l.ratio_degraded = v
    ),
    limit!(
        ratio_unhealthy,
        "All main renditions below this many media seconds per second of download make UNHEALTHY.",
        (0.0, 100.0),
        |l| Some(l.ratio_unhealthy),
        |l, v| l.ratio_unhealthy = v
    ),
    limit!(
        min_samples,
        "With fewer segments in the window neither time to first byte nor download ratio is judged.",
        (1.0, 1_000.0),
        |l| u64::try_from(l.min_samples).ok().and_then(from),
        |l, v| {
            l.min_samples = usize::try_from(whole(v)).unwrap_or(usize::MAX);
        }
    ),
    limit!(
        rebuffer_degraded_ms,
        "Playback waiting longer than this in the window makes DEGRADED, unless rebuffer_share_degraded is longer.",
        (0.0, 180_000.0),
        |l| from_ms(l.rebuffer_degraded),
        |l, v| {
            l.rebuffer_degraded = ms(v);
        }
    ),
    limit!(
        rebuffer_share_degraded,
        "Playback waiting for more than this share of the window makes DEGRADED, unless rebuffer_degraded_ms is longer.",
        (0.0, 1.0),
        |l| Some(l.rebuffer_share_degraded),
        |l, v| {
            l.rebuffer_share_degraded = v;
        }
    ),
    limit!(
        rebuffer_share_unhealthy,
        "Playback waiting for this share of the window on every combination of renditions makes UNHEALTHY.",
        (0.0, 1.0),
        |l| Some(l.rebuffer_share_unhealthy),
        |l, v| {
            l.rebuffer_share_unhealthy = v;
        }
    ),
    limit!(
        expect_24x7,
        "1: the stream must never end, so its end is an outage.",
        (0.0, 1.0),
        |l| Some(f64::from(u8::from(l.expect_24x7))),
        |l, v| {
            l.expect_24x7 = v != 0.0;
        }
    ),
    limit!(
        degraded_opens_ms,
        "DEGRADED for this long opens an incident.",
        (0.0, 24.0 * HOUR_MS),
        |l| from_ms(l.degraded_opens),
        |l, v| {
            l.degraded_opens = ms(v);
        }
    ),
    limit!(
        degraded_minutes,
        "So many minutes must bring new evidence before DEGRADED opens an incident.",
        (1.0, 1_440.0),
        |l| Some(l.degraded_minutes.into()),
        |l, v| {
            l.degraded_minutes = count(v);
        }
    ),
    limit!(
        clear_ms,
        "HEALTHY for this long resolves an incident.",
        (0.0, 24.0 * HOUR_MS),
        |l| from_ms(l.clear),
        |l, v| l.clear = ms(v)
    ),
    limit!(
        min_clear_ms,
        "Media that keeps coming for this long ends a time of rebuffering.",
        (0.0, 24.0 * HOUR_MS),
        |l| from_ms(l.min_clear),
        |l, v| l.min_clear = ms(v)
    ),
];

/// Thresholds from a profile and what differs from it. Gives the name of an unknown profile or threshold.
///
/// # Errors
/// The unknown name.
pub fn limits_from<'a>(profile: &'a str, overrides: &'a BTreeMap<String, f64>) -> Result<Limits, &'a str> {
    let (_, limits) = PROFILES.iter().find(|(known, _)| *known == profile).ok_or(profile)?;
    let mut limits = limits();
    for (name, value) in overrides {
        let known = Threshold::find(name).ok_or(name.as_str())?;
        (known.set)(&mut limits, *value);
    }
    Ok(limits)
}

/// Not a number and less than nothing become zero; what is too much, the most.
fn whole(value: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "such casts saturate")]
    let whole = value.round() as u64;
    whole
}

fn count(value: f64) -> u32 {
    u32::try_from(whole(value)).unwrap_or(u32::MAX)
}

fn ms(value: f64) -> Duration {
    Duration::from_millis(whole(value))
}

#[expect(clippy::unnecessary_wraps, reason = "some thresholds may be absent")]
fn from(value: u64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "thresholds are small numbers")]
    let value = value as f64;
    Some(value)
}

fn from_ms(value: Duration) -> Option<f64> {
    u64::try_from(value.as_millis()).ok().and_then(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_threshold_reads_what_it_sets_and_allows_its_defaults() {
        for threshold in Threshold::ALL {
            let (least, most) = threshold.range;
            assert!(least < most, "{}", threshold.name);
            for (profile, limits) in PROFILES {
                let value = threshold.of(&limits());
                let allowed = value.is_none_or(|value| (least..=most).contains(&value));
                assert!(allowed, "{} of {profile}: {value:?}", threshold.name);
            }
            for value in [least, most] {
                let overrides = BTreeMap::from([(threshold.name.to_owned(), value)]);
                let limits = limits_from("default", &overrides).expect("known");
                assert_eq!(threshold.of(&limits), Some(value), "{}", threshold.name);
            }
        }
    }

    #[test]
    fn an_unknown_name_is_given_back() {
        let none = BTreeMap::new();
        assert_eq!(limits_from("gold", &none), Err("gold"));
        assert_eq!(limits_from("default", &BTreeMap::from([("wnidow_ms".into(), 1.0)])), Err("wnidow_ms"));
    }
}
