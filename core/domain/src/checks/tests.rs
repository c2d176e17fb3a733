use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::*;

#[test]
fn every_rule_is_complete() {
    for rule in ALL {
        let id = rule.id.0;
        assert!(!rule.summary.is_empty() && !rule.summary.ends_with('.'), "{id}: no summary in one clause");
        assert!(rule.fix.ends_with('.'), "{id}: no sentence that says what to do");
        assert!(!rule.clause.section.is_empty(), "{id}: no clause");
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(!id.is_empty() && id.chars().all(plain), "{id}: an id is words and hyphens");
        let (class, number) = rule.code.split_once('-').expect("a code");
        let severity = if class == "EC" { Severity::Error } else { Severity::Warning };
        assert!(matches!(class, "EC" | "WA") && number.len() == 4, "{id}: {}", rule.code);
        assert_eq!(rule.severity, severity, "{id}: severity and code speak of the same");
    }
}

#[test]
fn ids_are_unique_and_every_code_has_its_rules_together() {
    let ids: BTreeSet<_> = ALL.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), ALL.len());
    assert!(ALL.is_sorted_by_key(|rule| rule.code));
    let codes: BTreeSet<_> = ALL.iter().map(|rule| rule.code).collect();
    for code in ["EC-1001", "EC-1003", "EC-2002", "EC-2004", "WA-1001", "WA-1002"] {
        assert!(codes.contains(code), "{code}");
    }
}

/// Through the whole catalogue: a failing fixture is found by its own rule and by no other.
#[test]
fn fixtures_pass_and_fail() {
    assert_eq!(ALL.len(), FIXTURES.len());
    let found = |sample: &fixtures::Sample| -> Vec<(RuleId, String)> {
        run(EpochMs(1), None, &sample.fact()).map(|finding| (finding.rule.id, finding.message)).collect()
    };
    for (rule, fixtures) in ALL.iter().zip(FIXTURES) {
        let fixtures = fixtures();
        assert!(!fixtures.passing.is_empty() && !fixtures.failing.is_empty(), "{}: no fixture", rule.id.0);
        for sample in &fixtures.passing {
            let of_this_rule = found(sample).into_iter().find(|(id, _)| *id == rule.id);
            assert_eq!(of_this_rule, None, "{}: {sample:?}", rule.id.0);
        }
        for (sample, message) in &fixtures.failing {
            assert_eq!(found(sample), [(rule.id, (*message).to_owned())], "{}: {sample:?}", rule.id.0);
        }
    }
}

/// Rewrites `docs/checks.md` and fails when it was stale.
#[test]
fn the_reference_page_is_fresh() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/checks.md");
    let page = reference_page();
    if std::fs::read_to_string(&path).ok().as_deref() != Some(page.as_str()) {
        std::fs::write(&path, page).expect("docs/checks.md can be written");
        panic!("docs/checks.md was stale and has been rewritten: look at it and commit it");
    }
}

fn reference_page() -> String {
    let mut page = String::from(
        "# Checks\n\n\
         Generated from the catalogue in `core/domain/src/checks` by its tests; do not edit.\n\n\
         A finding is a rule that was broken, once. Its id is public and never reused; several rules may share a \
         code.\n\n\
         | Code | Id | Severity | Fault | Clause |\n|---|---|---|---|---|\n",
    );
    for rule in ALL {
        let (code, id, severity) = (rule.code, rule.id.0, severity(rule));
        let _ =
            writeln!(page, "| {code} | [`{id}`](#{id}) | {severity} | {} | {} |", rule.summary, rule.clause);
    }
    for rule in ALL {
        let (code, id, severity) = (rule.code, rule.id.0, severity(rule));
        let _ = write!(
            page,
            "\n## {id}\n\n{code}, {severity}: {}.\n\n{}\n\nClause: {}.\n",
            rule.summary, rule.fix, rule.clause
        );
        page.push_str("\nFor example:\n\n");
        for (_, message) in fixtures_of(rule).failing {
            let _ = writeln!(page, "- {message}");
        }
    }
    page
}

fn fixtures_of(rule: &Rule) -> fixtures::Fixtures {
    let index = ALL.iter().position(|other| other.id == rule.id).expect("a rule of the catalogue");
    FIXTURES[index]()
}

fn severity(rule: &Rule) -> &'static str {
    match rule.severity {
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}
