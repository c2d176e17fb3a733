//! What the form of a new stream says in its own words: the name it proposes, and warnings with links.

use crate::form::errors::capitalized;
use crate::ui::quoted;

/// Names of files that say nothing about the stream.
const USUAL: [&str; 9] =
    ["master", "index", "playlist", "manifest", "main", "stream", "live", "media", "chunklist"];
/// Longest name of a stream. Unit: characters.
const NAME_MAX: usize = 120;

/// A name for the stream at a URL: its host, the folder before the file, and the file where that says more. `usual`
/// is the name where the URL has no folder.
pub(super) fn proposal(url: &str, usual: &str) -> String {
    named(url.trim()).unwrap_or_else(|| usual.to_owned())
}

fn named(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let rest = rest.split(['?', '#']).next()?;
    let (authority, path) = rest.split_once('/')?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    // The digits after the last colon are the port; an IPv6 address has its colons in brackets.
    let host = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    };
    let mut parts = path.rsplit('/').filter(|part| !part.is_empty());
    let (file, folder) = (parts.next()?, parts.next()?);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let file = (!USUAL.contains(&stem.to_lowercase().as_str())).then_some(stem);
    let words: Vec<&str> = [host, folder].into_iter().chain(file).collect();
    Some(words.join(" ").chars().take(NAME_MAX).collect())
}

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
    fn streams_of_a_host_get_names_of_their_own() {
        for (url, expected) in [
            ("http://127.0.0.1:45005/live/steady/master.m3u8", "127.0.0.1 steady"),
            ("https://me:secret@cdn.example/a/sports1/hd.m3u8?token=x/y", "cdn.example sports1 hd"),
            ("http://[::1]:80/live/a/INDEX.m3u8#x", "[::1] a"),
            ("http://[::1]/live/a/", "[::1] live a"),
            ("https://cdn.example/master.m3u8", "usual"),
            ("https://cdn.example", "usual"),
            ("nothing", "usual"),
        ] {
            assert_eq!(proposal(url, "usual"), expected, "{url}");
        }
        assert_eq!(proposal(&format!("http://a/{}/b", "x".repeat(200)), "").chars().count(), 120);
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
