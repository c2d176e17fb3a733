//! What is wrong with a form, and where.

use std::collections::BTreeMap;

use hlsops_wire::Problem;

use crate::ui::quoted;

/// What is wrong, by JSON pointer into the body.
pub(crate) type Errors = BTreeMap<String, String>;

/// What a problem says of each field. What belongs to no field is under the empty pointer.
pub(crate) fn errors_of(problem: &Problem) -> Errors {
    let mut errors = Errors::new();
    for item in &problem.errors {
        let text = errors.entry(item.pointer.clone()).or_default();
        if !text.is_empty() {
            text.push_str("; ");
        }
        text.push_str(&quoted(&item.detail));
    }
    if errors.is_empty() {
        let detail = if problem.detail.is_empty() { &problem.title } else { &problem.detail };
        errors.insert(String::new(), quoted(detail));
    }
    errors
}

/// What is wrong with a field: what is said of it or of anything inside it.
pub(crate) fn error_at(errors: &Errors, pointer: &str) -> Option<String> {
    let inside = format!("{pointer}/");
    let said =
        errors.iter().filter(|(at, _)| *at == pointer || (!pointer.is_empty() && at.starts_with(&inside)));
    let said: Vec<_> = said.map(|(_, detail)| detail.as_str()).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// What no field of the form can show.
pub(crate) fn unplaced(errors: &Errors, pointers: &[&str]) -> Option<String> {
    let placed =
        |at: &str| pointers.iter().any(|pointer| at == *pointer || at.starts_with(&format!("{pointer}/")));
    let rest: Vec<_> =
        errors.iter().filter(|(at, _)| !placed(at)).map(|(_, detail)| detail.as_str()).collect();
    (!rest.is_empty()).then(|| rest.join("; "))
}

/// A detail as a sentence begins.
pub(crate) fn capitalized(detail: &str) -> String {
    let mut letters = detail.trim_start().chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hlsops_wire::ProblemItem;

    #[test]
    fn a_problem_finds_its_fields() {
        let item = |pointer: &str, detail: &str| ProblemItem {
            pointer: pointer.into(),
            code: "invalid".into(),
            detail: detail.into(),
        };
        let problem = Problem {
            detail: "2 fields are wrong".into(),
            errors: vec![
                item("/manifest_url", "is missing"),
                item("/request_headers/1/name", "has a space"),
                item("?x", "unknown"),
            ],
            ..Problem::default()
        };
        let errors = errors_of(&problem);
        assert_eq!(error_at(&errors, "/manifest_url").as_deref(), Some("is missing"));
        assert_eq!(error_at(&errors, "/request_headers").as_deref(), Some("has a space"));
        assert_eq!(error_at(&errors, "/manifest"), None);
        assert_eq!(unplaced(&errors, &["/manifest_url", "/request_headers"]).as_deref(), Some("unknown"));
        let bare = Problem { title: "No".into(), ..Problem::default() };
        assert_eq!(unplaced(&errors_of(&bare), &["/name"]).as_deref(), Some("No"));
    }

    #[test]
    fn a_sentence_begins_with_a_capital_letter() {
        let cases = [("is missing", "Is missing"), ("ähnlich", "Ähnlich"), ("", ""), (" `x` is", "`x` is")];
        for (detail, expected) in cases {
            assert_eq!(capitalized(detail), expected);
        }
    }
}
