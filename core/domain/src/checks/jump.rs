use super::{Clause, Fact, Rule, RuleId, Severity, Spec};
use crate::rendition::Change;

pub(super) const RULE: Rule = Rule {
    id: RuleId("media-sequence-jumped"),
    code: "EC-1001",
    summary: "an unusually large jump in media playlist progression",
    fix: "Number segments without holes, and keep each one listed for at least 3 target durations; look for \
          a packager that restarted or an edge that lagged behind.",
    clause: Clause { spec: Spec::Rfc8216, section: "6.2.2" },
    severity: Severity::Error,
    check,
};

/// Segments that came and went between two timely looks. After a failed load or a gap of our own the
/// failure is the finding, not the jump.
fn check(fact: &Fact<'_>) -> Option<String> {
    let Fact::Loaded(progress) = fact else { return None };
    let Some(Change::Jumped { missing }) = progress.change.filter(|_| progress.timely) else { return None };
    Some(format!("{missing} media sequence numbers were never listed"))
}

#[cfg(test)]
pub(super) fn fixtures() -> super::fixtures::Fixtures {
    use super::fixtures::{Fixtures, loaded};

    let jumped = Some(Change::Jumped { missing: 7 });
    Fixtures {
        passing: vec![
            loaded(Some(Change::First), true),
            loaded(Some(Change::Advanced), true),
            loaded(Some(Change::OlderCopy { behind: 2 }), true),
            // After a failed load or a gap of our own: what was missed is not the origin's doing.
            loaded(jumped, false),
        ],
        failing: vec![(loaded(jumped, true), "7 media sequence numbers were never listed")],
    }
}
