//! When a stream was paused.

use hlsops_domain::EpochMs;

use crate::streams::StreamConfig;

/// A time in which nobody was to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Since when.
    pub from: EpochMs,
    /// Until when; none where it still holds.
    pub until: Option<EpochMs>,
}

impl StreamConfig {
    /// Most pauses that are remembered, the newest ones.
    pub const MAX_PAUSES: usize = 20;

    /// The same, paused or resumed at `at`.
    #[must_use]
    pub fn switched(mut self, enabled: bool, at: EpochMs) -> Self {
        if enabled == self.enabled {
            return self;
        }
        self.pauses = self.pauses();
        match self.pauses.last_mut() {
            Some(last) if enabled => last.until = Some(at),
            _ => self.pauses.push(Pause { from: at, until: None }),
        }
        let surplus = self.pauses.len().saturating_sub(Self::MAX_PAUSES);
        self.pauses.drain(..surplus);
        self.enabled = enabled;
        self
    }

    /// All pauses, oldest first. One that is created paused has been since then.
    #[must_use]
    pub fn pauses(&self) -> Vec<Pause> {
        let mut all = self.pauses.clone();
        if !self.enabled && all.last().is_none_or(|last| last.until.is_some()) {
            all.push(Pause { from: self.created_at, until: None });
        }
        all
    }

    /// When it was resumed last; none while it is paused, and where it never was.
    #[must_use]
    pub fn resumed_at(&self) -> Option<EpochMs> {
        self.pauses().last().and_then(|last| last.until)
    }
}

/// As pairs of milliseconds.
pub(crate) fn write(pauses: &[Pause]) -> Vec<(String, String)> {
    let text = |at: EpochMs| at.0.to_string();
    pauses.iter().map(|pause| (text(pause.from), pause.until.map(text).unwrap_or_default())).collect()
}

/// What [`write`] wrote; none if it is something else.
pub(crate) fn read(pairs: &[(String, String)]) -> Option<Vec<Pause>> {
    let time = |text: &str| text.parse().ok().map(EpochMs);
    let pause = |(from, until): &(String, String)| {
        let until = if until.is_empty() { None } else { Some(time(until)?) };
        Some(Pause { from: time(from)?, until })
    };
    pairs.iter().map(pause).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn pause(from: u64, until: Option<u64>) -> Pause {
        Pause {
            from: EpochMs(from),
            until: match until {
                Some(at) => Some(EpochMs(at)),
                None => None,
            },
        }
    }

    #[test]
    fn pauses_read_as_they_were_written() {
        for pauses in [vec![], vec![pause(5, Some(7)), pause(9, None)]] {
            assert_eq!(read(&write(&pauses)), Some(pauses));
        }
        assert_eq!(read(&[("x".into(), String::new())]), None);
    }
}
