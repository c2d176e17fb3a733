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

/// Whether a pointer is `pointer`, or leads into it.
pub(crate) fn is_within(at: &str, pointer: &str) -> bool {
    at.strip_prefix(pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Of the pointers that have a place in the form, the nearest to `at`.
fn place<'a>(at: &str, places: &'a [String]) -> Option<&'a str> {
    let places = places.iter().filter(|pointer| is_within(at, pointer));
    places.max_by_key(|pointer| pointer.len()).map(String::as_str)
}

/// What is wrong with a field: what is said of it, and of anything inside it that has no place of its own.
pub(crate) fn error_at(errors: &Errors, pointer: &str, places: &[String]) -> Option<String> {
    let said = errors.iter().filter(|(at, _)| place(at, places) == Some(pointer));
    joined(said.map(|(_, detail)| detail.clone()))
}

/// What no field of the form can show, with the name of the field that it is about.
pub(crate) fn unplaced(errors: &Errors, places: &[String]) -> Option<String> {
    let said = |(at, detail): (&String, &String)| match at.strip_prefix('/') {
        Some(field) if !detail.contains(field.rsplit('/').next().unwrap_or(field)) => {
            format!("{field}: {detail}")
        }
        _ => detail.clone(),
    };
    joined(errors.iter().filter(|(at, _)| place(at, places).is_none()).map(said))
}

fn joined(said: impl Iterator<Item = String>) -> Option<String> {
    let said: Vec<_> = said.collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// A detail as a sentence begins. What is no word of a language, such as the name of a field, stays as it is.
pub(crate) fn capitalized(detail: &str) -> String {
    let detail = detail.trim_start();
    let word = detail.split_whitespace().next().unwrap_or_default();
    if word.contains(|letter: char| matches!(letter, '_' | '/') || letter.is_ascii_digit()) {
        return detail.to_owned();
    }
    let mut letters = detail.chars();
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
        let places = ["/manifest_url", "/manifest", "/request_headers"].map(String::from);
        let said = |pointer: &str| error_at(&errors, pointer, &places);
        assert_eq!(said("/manifest_url").as_deref(), Some("is missing"));
        assert_eq!(said("/request_headers").as_deref(), Some("has a space"));
        assert_eq!(said("/manifest"), None);
        assert_eq!(unplaced(&errors, &places).as_deref(), Some("unknown"));
        let bare = Problem { title: "No".into(), ..Problem::default() };
        assert_eq!(unplaced(&errors_of(&bare), &places).as_deref(), Some("No"));
    }

    #[test]
    fn what_is_wrong_is_said_once_at_its_nearest_place() {
        let errors: Errors = [("/watch/interval_s".to_owned(), "too short".to_owned())].into();
        let said = |pointer: &str, places: &[&str]| {
            let places: Vec<_> = places.iter().map(|place| (*place).to_owned()).collect();
            (error_at(&errors, pointer, &places), unplaced(&errors, &places))
        };
        let both = ["/watch", "/watch/interval_s"];
        assert_eq!(said("/watch/interval_s", &both), (Some("too short".into()), None));
        assert_eq!(said("/watch", &both), (None, None));
        assert_eq!(said("/watch", &["/watch"]), (Some("too short".into()), None));
        assert_eq!(said("/name", &["/name"]), (None, Some("watch/interval_s: too short".into())));
    }

    #[test]
    fn what_names_its_field_itself_is_not_named_twice() {
        let detail = "window_ms is 1, allowed is 10000 to 180000";
        let errors: Errors = [("/thresholds/window_ms".to_owned(), detail.to_owned())].into();
        assert_eq!(unplaced(&errors, &[]).as_deref(), Some(detail));
    }

    #[test]
    fn a_sentence_begins_with_a_capital_letter() {
        let cases = [("is missing", "Is missing"), ("ähnlich", "Ähnlich"), ("", ""), (" `x` is", "`x` is")];
        for (detail, expected) in cases {
            assert_eq!(capitalized(detail), expected);
        }
        for name in ["window_ms is 5000", "watch/mode is odd", "h264 is no codec"] {
            assert_eq!(capitalized(name), name, "a name stays as it is");
        }
    }
}
