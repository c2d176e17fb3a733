//! Why health is what it is, in few lines.

use super::Reason;
use super::what::Between;
use crate::id::RenditionId;

/// The reasons, worst first and each kind once: with the rendition it is about, or with how many it is about and
/// the least and the greatest value among them. A stream with one rendition needs no name for it.
#[must_use]
pub fn lines<'a>(reasons: &[Reason], labels: &[(RenditionId, &'a str)]) -> Vec<String> {
    let mut kinds: Vec<(&Reason, Between<'_>, usize)> = Vec::new();
    for reason in reasons {
        match kinds.iter_mut().find(|(first, ..)| first.what.is_like(&reason.what)) {
            Some((_, all, count)) => (*all, *count) = (all.and(&reason.what), *count + 1),
            None => kinds.push((reason, Between::only(&reason.what), 1)),
        }
    }
    let label = |id: RenditionId| -> Option<&'a str> {
        labels.iter().find(|(known, _)| *known == id).map(|(_, label)| *label)
    };
    let line = |(reason, all, count): (&Reason, Between<'_>, usize)| match reason.rendition.and_then(label) {
        Some(_) if count > 1 => format!("{count} renditions: {all}"),
        Some(label) if labels.len() > 1 => format!("{label}: {all}"),
        _ => all.to_string(),
    };
    kinds.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Failure;
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
                "no variant can be played",
                "360p: playlist brings no new segments",
                "2 renditions: 3 to 4 segments in a row missing"
            ]
        );
        assert_eq!(lines(&[stalled(1)], &labels[..1]), ["playlist brings no new segments"]);
        let failing = |n, status| reason(Some(id(n)), What::PlaylistDown(Failure::Http(status)));
        assert_eq!(
            lines(&[failing(1, 503), failing(2, 404)], &labels),
            ["360p: playlist does not load: HTTP 503", "720p: playlist does not load: HTTP 404"]
        );
        let window = Duration::from_secs(120);
        let waited = |n, ms| {
            let waited = Duration::from_millis(ms);
            reason(Some(id(n)), What::Rebuffering { waited, window })
        };
        let expected = |text: &str| vec![format!("2 renditions: playback waited {text} s within 120 s")];
        assert_eq!(lines(&[waited(1, 7_100), waited(2, 6_000)], &labels), expected("6.0 to 7.1"));
        assert_eq!(lines(&[waited(1, 6_010), waited(2, 6_000)], &labels), expected("6.0"));
        assert_eq!(lines(&[stalled(9)], &labels), ["playlist brings no new segments"]);
    }
}
