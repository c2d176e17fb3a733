use super::{Clause, Fact, Rule, RuleId, Severity, Spec};

pub(super) const RULE: Rule = Rule {
    id: RuleId("playlist-not-obtained"),
    code: "EC-2004",
    summary: "could not download the playlist",
    fix: "Fetch the URL with curl from another network: the same fault there points to the origin or to its \
          DNS, a good answer to the edge, a firewall or access rules.",
    clause: Clause { spec: Spec::Rfc8216, section: "6.3.2" },
    severity: Severity::Error,
    check,
};

/// Two loads in a row failed, the second on a new connection.
fn check(fact: &Fact<'_>) -> Option<String> {
    let Fact::Unreachable(failure) = fact else { return None };
    Some(format!("two loads in a row failed: {failure}"))
}

#[cfg(test)]
pub(super) fn fixtures() -> super::fixtures::Fixtures {
    use super::fixtures::{Fixtures, Sample, loaded, segment};
    use crate::observation::Failure;
    use crate::playlist::NotAPlaylist;

    Fixtures {
        passing: vec![loaded(None, true), Sample::Segment(segment(Err(Failure::Http(404))))],
        failing: vec![
            (Sample::Unreachable(Failure::Http(503)), "two loads in a row failed: HTTP 503"),
            (
                Sample::Unreachable(Failure::NotAPlaylist(NotAPlaylist::NoHeader)),
                "two loads in a row failed: not a playlist: the first line is not #EXTM3U",
            ),
        ],
    }
}
