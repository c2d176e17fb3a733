//! Why health is what it is, in few lines.

use std::mem::discriminant;

use hlsops_domain::{Reason, StreamState};

use crate::terminal::plain;

/// The reasons, worst first and each kind once: with the rendition it is about, or with how many it is about.
pub(crate) fn lines(state: &StreamState) -> Vec<String> {
    let mut kinds: Vec<(&Reason, usize)> = Vec::new();
    for reason in &state.health.reasons {
        match kinds.iter_mut().find(|(first, _)| discriminant(&first.what) == discriminant(&reason.what)) {
            Some((_, count)) => *count += 1,
            None => kinds.push((reason, 1)),
        }
    }
    let alone = state.renditions().nth(1).is_none();
    let line = |(reason, count): (&Reason, usize)| match reason.rendition.and_then(|id| state.rendition(id)) {
        Some(_) if count > 1 => format!("{count} renditions: {}", reason.what),
        Some(one) if !alone => format!("{}: {}", plain(&one.spec.label, 40), reason.what),
        _ => reason.what.to_string(),
    };
    kinds.into_iter().map(line).collect()
}
