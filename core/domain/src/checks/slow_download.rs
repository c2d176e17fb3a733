use super::{Clause, Fact, Rule, RuleId, Severity, Spec};

pub(super) const RULE: Rule = Rule {
    id: RuleId("segment-slower-than-playback"),
    code: "WA-1002",
    summary: "downloading the segment took longer than it plays",
    fix: "Compare the bit rate with the path's throughput and the edge's cache hits; a viewer of this \
          rendition would have to switch down.",
    clause: Clause { spec: Spec::Rfc8216, section: "6.3.3" },
    severity: Severity::Warning,
    check,
};

/// Responses that the origin paces at the rate of the media are how low latency works, and no fault.
fn check(fact: &Fact<'_>) -> Option<String> {
    let Fact::Segment(attempt) = fact else { return None };
    let media = attempt.duration.as_duration();
    let slow = attempt.outcome.is_ok() && !media.is_zero() && attempt.download > media && !attempt.is_paced();
    slow.then(|| {
        format!(
            "segment {}: {:.1} s to download {} of media",
            attempt.sequence,
            attempt.download.as_secs_f64(),
            attempt.duration
        )
    })
}

#[cfg(test)]
pub(super) fn fixtures() -> super::fixtures::Fixtures {
    use super::fixtures::{Fixtures, Sample, segment};
    use crate::observation::Failure;
    use crate::observation::SegmentAttempt;
    use std::time::Duration;

    let took = |ms, length_known| {
        let download = Duration::from_millis(ms);
        Sample::Segment(SegmentAttempt { download, length_known, ..segment(Ok(())) })
    };
    let failed = SegmentAttempt { download: Duration::from_secs(30), ..segment(Err(Failure::Timeout)) };
    Fixtures {
        passing: vec![
            took(300, true),
            took(6_000, true),
            // The origin sends the segment while it is made.
            took(6_100, false),
            Sample::Segment(failed),
        ],
        failing: vec![
            (took(6_100, true), "segment 10: 6.1 s to download 6 s of media"),
            (took(9_000, false), "segment 10: 9.0 s to download 6 s of media"),
        ],
    }
}
