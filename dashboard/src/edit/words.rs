//! What the form of a stream says in its own words: warnings with links, and thresholds.

use hlsops_wire::Threshold;

use crate::form::errors::capitalized;
use crate::time;
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

/// What a threshold may be: `10000 to 180000 (10 s to 3 min)`.
pub(super) fn range(known: &Threshold) -> String {
    let Threshold { name, min, max, .. } = known;
    let words = people_say(name, *min).zip(people_say(name, *max));
    let words = words.map(|(min, max)| format!(" ({min} to {max})")).unwrap_or_default();
    format!("{min} to {max}{words}")
}

/// The value of a threshold as people say it, where that is not the number itself.
pub(super) fn people_say(name: &str, value: f64) -> Option<String> {
    name.ends_with("_ms").then(|| time::exact(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_milliseconds_is_said_in_larger_units_too() {
        let known = |name: &str, min, max| {
            let (name, about) = (name.to_owned(), String::new());
            range(&Threshold { name, about, min, max, default: None, seed1: None })
        };
        assert_eq!(known("window_ms", 10_000.0, 180_000.0), "10000 to 180000 (10 s to 3 min)");
        assert_eq!(known("degraded_opens_ms", 0.0, 86_400_000.0), "0 to 86400000 (0 s to 1 d)");
        assert_eq!(known("lost_share_unhealthy", 0.0, 1.0), "0 to 1");
    }

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
