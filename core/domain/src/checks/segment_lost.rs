use super::{Clause, Fact, Rule, RuleId, Severity, Spec};

pub(super) const RULE: Rule = Rule {
    id: RuleId("segment-not-obtained"),
    code: "EC-2002",
    summary: "could not download the segment",
    fix: "Publish a segment before listing it and keep it for its duration plus the playlist's after removal; \
          compare origin and edge for the named sequence number.",
    clause: Clause { spec: Spec::Rfc8216, section: "6.2.2" },
    severity: Severity::Error,
    check,
};

/// Being asked to slow down (429) is between us and the origin, and no fault of the stream.
fn check(fact: &Fact<'_>) -> Option<String> {
    let Fact::Segment(attempt) = fact else { return None };
    let failure = attempt.outcome.err().filter(|failure| attempt.last && !failure.is_no_evidence())?;
    Some(match attempt.earlier {
        Some(earlier) if earlier != failure => {
            format!("segment {}: {failure}, before that {earlier}", attempt.sequence)
        }
        Some(_) => format!("segment {}: {failure}, twice", attempt.sequence),
        None => format!("segment {}: {failure}", attempt.sequence),
    })
}

#[cfg(test)]
pub(super) fn fixtures() -> super::fixtures::Fixtures {
    use super::fixtures::{Fixtures, Sample, segment};
    use crate::observation::Failure;
    use crate::observation::SegmentAttempt;

    let twice = |outcome, earlier| {
        Sample::Segment(SegmentAttempt { attempt: 2, earlier: Some(earlier), ..segment(Err(outcome)) })
    };
    let first = SegmentAttempt { last: false, ..segment(Err(Failure::Http(404))) };
    Fixtures {
        passing: vec![
            Sample::Segment(segment(Ok(()))),
            Sample::Segment(first),
            // We were asked to slow down.
            twice(Failure::Http(429), Failure::Http(429)),
        ],
        failing: vec![
            (twice(Failure::Http(404), Failure::Http(404)), "segment 10: HTTP 404, twice"),
            (twice(Failure::Timeout, Failure::Http(404)), "segment 10: timed out, before that HTTP 404"),
            (
                Sample::Segment(segment(Err(Failure::Expired))),
                "segment 10: left the playlist before it could be downloaded",
            ),
        ],
    }
}
