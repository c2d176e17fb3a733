use super::{Clause, Fact, Rule, RuleId, Severity, Spec};

pub(super) const RULE: Rule = Rule {
    id: RuleId("rebuffering"),
    code: "WA-1001",
    summary: "a viewer of this rendition ran out of media",
    fix: "See what else was found at the same time: late playlists point to the encoder, slow or missing \
          segments to delivery.",
    clause: Clause { spec: Spec::Rfc8216, section: "6.3.3" },
    severity: Severity::Warning,
    check,
};

fn check(fact: &Fact<'_>) -> Option<String> {
    let Fact::RanDry { waiting } = fact else { return None };
    let waited_s = waiting.as_secs_f64();
    Some(format!("the playback buffer ran dry: who plays this rendition has waited {waited_s:.1} s"))
}

#[cfg(test)]
pub(super) fn fixtures() -> super::fixtures::Fixtures {
    use super::fixtures::{Fixtures, Sample, loaded, segment};
    use crate::rendition::Change;
    use std::time::Duration;

    Fixtures {
        passing: vec![loaded(Some(Change::Unchanged), true), Sample::Segment(segment(Ok(())))],
        failing: vec![(
            Sample::RanDry(Duration::from_millis(2_540)),
            "the playback buffer ran dry: who plays this rendition has waited 2.5 s",
        )],
    }
}
