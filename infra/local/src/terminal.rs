//! Words, shapes and colours for a terminal. Colour is never the only signal.

use std::fmt::Display;
use std::io::{IsTerminal, Write, stderr};
use std::time::Duration;

use hlsops_domain::HealthState;

/// How to write to a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    colour: bool,
}

impl Style {
    #[cfg(test)]
    pub(crate) const COLOUR: Self = Self { colour: true };
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { colour: false };

    /// Colour when the stream is a terminal and `NO_COLOR` is unset or empty (no-color.org).
    pub(crate) fn of(stream: &impl IsTerminal) -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { colour: stream.is_terminal() && !refused }
    }

    /// Escape sequences for colours are welcome.
    pub(crate) const fn has_colour(self) -> bool {
        self.colour
    }

    /// The shape and the word of a state, in its colour, padded to 12 columns.
    pub(crate) fn health(self, state: HealthState) -> String {
        let (shape, code) = match state {
            HealthState::Healthy => ("●", "32"),
            HealthState::Degraded => ("▲", "33"),
            HealthState::Unhealthy => ("■", "31"),
            HealthState::NoData => ("◇", "90"),
        };
        self.paint(code, &format!("{shape} {:<10}", state.name()))
    }

    /// Less important text.
    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("90", text)
    }

    /// A heading.
    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Text in a colour.
    pub(crate) fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// A length of time as people read it: `42s`, `4m12s`, `2h05m`.
pub(crate) fn age(length: Duration) -> String {
    let seconds = length.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// Media seconds per second of download. Beyond 100 it says no more than that the origin is near.
pub(crate) fn ratio(ratio: f64) -> String {
    if ratio < 100.0 { format!("{ratio:.1}") } else { "over 100".to_owned() }
}

/// A line on standard error. A reader who has left is no reason to end, or to end differently.
pub(crate) fn complain(line: impl Display) {
    let _ = writeln!(stderr(), "{line}");
}

/// Text from outside, safe for a terminal: control characters become `·`, and it is cut to `width` columns.
pub(crate) fn plain(text: &str, width: usize) -> String {
    let clean = text.chars().map(|c| if c.is_control() { '·' } else { c });
    if text.chars().count() <= width {
        return clean.collect();
    }
    clean.take(width.saturating_sub(1)).chain(['…']).collect()
}

/// Columns that text takes, escape sequences for colours left out.
pub(crate) fn width(text: &str) -> usize {
    let mut hidden = false;
    let shown = text.chars().filter(|c| match (hidden, c) {
        (false, '\x1b') => {
            hidden = true;
            false
        }
        (true, c) => {
            hidden = *c != 'm';
            false
        }
        (false, _) => true,
    });
    shown.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_short() {
        assert_eq!(age(Duration::from_secs(9)), "9s");
        assert_eq!(age(Duration::from_secs(252)), "4m12s");
        assert_eq!(age(Duration::from_secs(7_500)), "2h05m");
    }

    #[test]
    fn ratios_have_a_decimal_and_an_end() {
        assert_eq!([0.44, 2.0, 99.9, 100.0, 1e9].map(ratio), ["0.4", "2.0", "99.9", "over 100", "over 100"]);
    }

    #[test]
    fn foreign_text_cannot_steer_the_terminal() {
        assert_eq!(plain("a\x1b[2Jb", 20), "a·[2Jb");
        assert_eq!(plain("abcdef", 4), "abc…");
    }
}
