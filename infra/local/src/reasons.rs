//! Why health is what it is, for a terminal.

use hlsops_domain::{StreamState, health};

use crate::terminal::plain;

/// The reasons, worst first and each kind once.
pub(crate) fn lines(state: &StreamState) -> Vec<String> {
    let lines = health::lines(&state.health.reasons, &state.labels());
    lines.iter().map(|line| plain(line, 200)).collect()
}
