//! Why health is what it is, in few lines.

use std::mem::discriminant;

use super::Reason;
use crate::id::RenditionId;

/// The reasons, worst first and each kind once: with the rendition it is about, or with how many it is about. A
/// stream with one rendition needs no name for it.
#[must_use]
pub fn lines<'a>(reasons: &[Reason], labels: &[(RenditionId, &'a str)]) -> Vec<String> {
    let mut kinds: Vec<(&Reason, usize)> = Vec::new();
    for reason in reasons {
        match kinds.iter_mut().find(|(first, _)| discriminant(&first.what) == discriminant(&reason.what)) {
            Some((_, count)) => *count += 1,
            None => kinds.push((reason, 1)),
        }
    }
    let label = |id: RenditionId| -> Option<&'a str> {
        labels.iter().find(|(known, _)| *known == id).map(|(_, label)| *label)
    };
    let line = |(reason, count): (&Reason, usize)| match reason.rendition.and_then(label) {
        Some(_) if count > 1 => format!("{count} renditions: {}", reason.what),
        Some(label) if labels.len() > 1 => format!("{label}: {}", reason.what),
        _ => reason.what.to_string(),
    };
    kinds.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{HealthState, What};

    #[test]
    fn a_reason_names_its_rendition_or_how_many() {
        let id = |n| RenditionId(n);
        let reason = |rendition, what| Reason { state: HealthState::Unhealthy, rendition, what };
        let stalled = |n| reason(Some(id(n)), What::Stalled);
        let three = |n, lost| reason(Some(id(n)), What::ConsecutiveLost(lost));
        let dark = reason(None, What::NothingPlayable);
        let labels = [(id(1), "360p"), (id(2), "720p")];
        let all = [dark, stalled(1), three(1, 3), three(2, 4)];
        assert_eq!(
            lines(&all, &labels),
            [
                "no combination of renditions plays",
                "360p: playlist brings no new segments",
                "2 renditions: 3 segments in a row missing"
            ]
        );
        assert_eq!(lines(&[stalled(1)], &labels[..1]), ["playlist brings no new segments"]);
        assert_eq!(lines(&[stalled(9)], &labels), ["playlist brings no new segments"]);
    }
}
