use super::{Clause, Fact, Rule, RuleId, Severity, Spec};
use crate::rendition::Change;

pub(super) const RULE: Rule = Rule {
    id: RuleId("media-sequence-went-down"),
    code: "EC-1003",
    summary: "negatively increasing media sequence",
    fix: "Never give a media sequence number twice: let the packager resume its numbering, or start a new one \
          far from the old and mark it with EXT-X-DISCONTINUITY.",
    clause: Clause { spec: Spec::Rfc8216, section: "6.2.2" },
    severity: Severity::Error,
    check,
};

/// An encoder that starts a new numbering elsewhere is an event, not a fault: players follow it. The same
/// numbers with other segments are one.
fn check(fact: &Fact<'_>) -> Option<String> {
    let Fact::Loaded(progress) = fact else { return None };
    let Some(Change::WentDown { from, to, conflict: true }) = progress.change else { return None };
    Some(format!(
        "the newest segment was number {from} and is now number {to}, and shared numbers name other segments"
    ))
}

#[cfg(test)]
pub(super) fn fixtures() -> super::fixtures::Fixtures {
    use super::fixtures::{Fixtures, loaded};

    let went_down = |conflict| Some(Change::WentDown { from: 900, to: 3, conflict });
    Fixtures {
        passing: vec![
            loaded(Some(Change::Advanced), true),
            loaded(Some(Change::OlderCopy { behind: 2 }), true),
            loaded(went_down(false), true),
        ],
        failing: vec![(
            loaded(went_down(true), true),
            "the newest segment was number 900 and is now number 3, and shared numbers name other segments",
        )],
    }
}
