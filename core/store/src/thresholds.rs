//! Thresholds of a stream: a profile and what differs from it.

use std::collections::BTreeMap;
use std::time::Duration;

use hlsops_domain::Limits;

type Set = fn(&mut Limits, f64);

/// Thresholds that can be overridden: name with its unit, and where it goes.
const LIMITS: [(&str, Set); 18] = [
    ("window_ms", |l, v| l.window = ms(v)),
    ("lost_degraded", |l, v| l.lost_degraded = whole(v)),
    ("lost_unhealthy", |l, v| l.lost_unhealthy = Some(whole(v))),
    ("consecutive_unhealthy", |l, v| l.consecutive_unhealthy = count(v)),
    ("lost_share_unhealthy", |l, v| l.lost_share_unhealthy = v),
    ("ttfb_degraded_ms", |l, v| l.ttfb_degraded = ms(v)),
    ("ttfb_unhealthy_ms", |l, v| l.ttfb_unhealthy = Some(ms(v))),
    ("ratio_degraded", |l, v| l.ratio_degraded = v),
    ("ratio_unhealthy", |l, v| l.ratio_unhealthy = v),
    ("min_samples", |l, v| l.min_samples = usize::try_from(whole(v)).unwrap_or(usize::MAX)),
    ("rebuffer_degraded_ms", |l, v| l.rebuffer_degraded = ms(v)),
    ("rebuffer_share_degraded", |l, v| l.rebuffer_share_degraded = v),
    ("rebuffer_share_unhealthy", |l, v| l.rebuffer_share_unhealthy = v),
    ("expect_24x7", |l, v| l.expect_24x7 = v != 0.0),
    ("degraded_opens_ms", |l, v| l.degraded_opens = ms(v)),
    ("degraded_minutes", |l, v| l.degraded_minutes = count(v)),
    ("clear_ms", |l, v| l.clear = ms(v)),
    ("min_clear_ms", |l, v| l.min_clear = ms(v)),
];

/// Thresholds from a profile and what differs from it. Gives the name of an unknown profile or threshold.
///
/// # Errors
/// The unknown name.
pub fn limits_from<'a>(profile: &'a str, overrides: &'a BTreeMap<String, f64>) -> Result<Limits, &'a str> {
    let mut limits = match profile {
        "default" => Limits::default(),
        "seed1" => Limits::seed1(),
        unknown => return Err(unknown),
    };
    for (name, value) in overrides {
        let (_, set) = LIMITS.iter().find(|(known, _)| known == name).ok_or(name.as_str())?;
        set(&mut limits, *value);
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
