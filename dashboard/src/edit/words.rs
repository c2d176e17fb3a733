//! What the form of a new stream says in its own words: warnings with links.

use crate::form::errors::capitalized;
use crate::ui::quoted;

/// A warning as a sentence, cut where it names a stream: what is before, the id with what is shown of it, and what is
/// after.
pub(super) fn linked(text: &str) -> (String, Option<(String, String)>, String) {
    let whole = || (capitalized(&quoted(text)), None, String::new());
    let Some((before, rest)) = text.split_once(" (str_") else { return whole() };
    let Some((id, after)) = rest.split_once(')') else { return whole() };
    let id = format!("str_{id}");
    let after = quoted(after);
    // The name stands in front of the id, in backticks; else the id is what can be shown.
    match before.strip_suffix('`').and_then(|before| before.rsplit_once('`')) {
        Some((before, name)) => {
            (capitalized(&quoted(before)), Some((id, format!("\u{201c}{name}\u{201d}"))), after)
        }
        None => (capitalized(&quoted(before)) + " (", Some((id.clone(), id)), ")".to_owned() + &after),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_of_a_warning_is_a_link() {
        let (before, link, after) = linked("the stream `Steady` (str_01) has the same URL");
        assert_eq!((before.as_str(), after.as_str()), ("The stream ", " has the same URL"));
        assert_eq!(link, Some(("str_01".into(), "“Steady”".into())));
        let (before, link, after) = linked("another stream is called `A` too (str_02): choose");
        assert_eq!((before.as_str(), after.as_str()), ("Another stream is called “A” too (", "): choose"));
        assert_eq!(link, Some(("str_02".into(), "str_02".into())));
        assert_eq!(linked("line 3: odd"), ("Line 3: odd".into(), None, String::new()));
    }
}
