//! How often a key may ask: a number of requests in each minute, and headers that say what is left.
//!
//! Header fields of draft-ietf-httpapi-ratelimit-headers. Several instances of a function count for themselves;
//! what bounds them together is the gateway.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hlsops_domain::EpochMs;
use http::{HeaderMap, HeaderName, HeaderValue};

const WINDOW: Duration = Duration::from_secs(60);
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Windows of keys, by the keys' ids.
#[derive(Debug, Default)]
pub(crate) struct Limiter(Mutex<HashMap<String, Window>>);

#[derive(Clone, Copy, Debug)]
struct Window {
    began: EpochMs,
    used: u32,
}

/// What a key may still do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Requests of a window.
    pub(crate) most: u32,
    /// Requests left in this one; none: this request is one too many.
    pub(crate) left: Option<u32>,
    /// Until the next one begins. Unit: seconds.
    pub(crate) reset_s: u64,
}

impl Limiter {
    /// Most keys counted at a time.
    const MAX: usize = 10_000;

    /// Counts a request.
    pub(crate) fn count(&self, key: &str, most: u32, now: EpochMs) -> Allowance {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= Self::MAX && !windows.contains_key(key) {
            windows.retain(|_, window| is_running(window, now));
        }
        if windows.len() >= Self::MAX {
            windows.clear();
        }
        let window = windows.entry(key.into()).or_insert(Window { began: now, used: 0 });
        if !is_running(window, now) {
            *window = Window { began: now, used: 0 };
        }
        window.used = window.used.saturating_add(1);
        let reset = WINDOW.saturating_sub(now.since(window.began));
        Allowance {
            most,
            left: most.checked_sub(window.used),
            reset_s: reset.as_millis().div_ceil(1_000) as u64,
        }
    }
}

/// A clock that was set back begins a new one.
fn is_running(window: &Window, now: EpochMs) -> bool {
    window.began <= now && now.since(window.began) < WINDOW
}

impl Allowance {
    /// Says it on an answer.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let policy = format!("\"key\";q={};w={}", self.most, WINDOW.as_secs());
        let limit = format!("\"key\";r={};t={}", self.left.unwrap_or_default(), self.reset_s);
        for (name, value) in [(POLICY, policy), (LIMIT, limit)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_fills_and_another_begins() {
        let limiter = Limiter::default();
        let at = |ms: u64| EpochMs(1_000_000 + ms);
        let left = |key, ms| {
            let got = limiter.count(key, 2, at(ms));
            (got.left, got.reset_s)
        };
        assert_eq!(left("a", 0), (Some(1), 60));
        assert_eq!(left("a", 30_001), (Some(0), 30));
        assert_eq!(left("a", 59_999), (None, 1));
        assert_eq!(left("b", 59_999), (Some(1), 60), "each key for itself");
        assert_eq!(left("a", 60_000), (Some(1), 60));
        let before = limiter.count("a", 2, EpochMs(5));
        assert_eq!(before.left, Some(1), "the clock was set back");
    }

    #[test]
    fn keys_are_not_remembered_without_end() {
        let limiter = Limiter::default();
        for key in 0..=Limiter::MAX {
            limiter.count(&key.to_string(), 2, EpochMs(0));
        }
        assert!(limiter.0.lock().unwrap().len() <= Limiter::MAX);
    }
}
