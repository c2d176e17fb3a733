//! Texts that other people chose, made fit to be sent to a third party.

use hlsops_domain::EpochMs;
use url::Url;

/// One line of at most `most` characters: control characters, line separators and marks that turn the
/// direction of writing are spaces.
pub(crate) fn line(text: &str, most: usize) -> String {
    let unseen = |c: char| {
        c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let words = text.split(|c: char| c.is_whitespace() || unseen(c)).filter(|word| !word.is_empty());
    let mut line = String::new();
    for word in words {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    cut(line, most)
}

/// At most `most` characters, the last of them an ellipsis where something was cut off.
pub(crate) fn cut(mut text: String, most: usize) -> String {
    if let Some((at, _)) = text.char_indices().nth(most) {
        let last = text[..at].char_indices().next_back().map_or(0, |(last, _)| last);
        text.truncate(last);
        text.push('…');
    }
    text
}

/// A line for programs that read `<...>` as a command, such as `<!channel>`.
pub(crate) fn plain(text: &str, most: usize) -> String {
    line(text, most).replace('<', "‹").replace('>', "›")
}

/// A URL without what lets its reader in: the values of its query and its password.
#[must_use]
pub(crate) fn masked(url: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else { return "(not a URL)".into() };
    if !parsed.username().is_empty() || parsed.password().is_some() {
        // Fails only for URLs that have no host, which have no user either.
        let _ = parsed.set_username("***").and_then(|()| parsed.set_password(None));
    }
    parsed.set_fragment(None);
    if let Some(query) = parsed.query() {
        let mask = |pair: &str| match pair.split_once('=') {
            Some((name, _)) => format!("{name}=***"),
            // A bare token is a value, too.
            None if pair.is_empty() => String::new(),
            None => "***".into(),
        };
        let query: Vec<String> = query.split('&').map(mask).collect();
        parsed.set_query(Some(&query.join("&")));
    }
    parsed.into()
}

/// RFC 3339 in UTC with milliseconds and `Z`.
#[must_use]
pub fn timestamp(at: EpochMs) -> String {
    moment(at).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// As [`timestamp`], with a space and whole seconds, for people.
pub(crate) fn spoken(at: EpochMs) -> String {
    moment(at).strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn moment(at: EpochMs) -> jiff::Timestamp {
    let ms = i64::try_from(at.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::MAX)
}

/// Reads what [`timestamp`] writes.
pub(crate) fn read_timestamp(text: &str) -> Option<EpochMs> {
    let at: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(at.as_millisecond()).ok().map(EpochMs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_one_line() {
        for (name, expected) in [
            ("Sports 1", "Sports 1"),
            (" a\r\nb\tc\0d ", "a b c d"),
            ("a\u{2028}b\u{202e}c", "a b c"),
            ("", ""),
            ("Zürich 日本", "Zürich 日本"),
        ] {
            assert_eq!(line(name, 180), expected, "{name:?}");
        }
        let long = "ü".repeat(180);
        assert_eq!(line(&long, 180), long);
        assert_eq!(line(&long, 179), format!("{}…", "ü".repeat(178)));
        assert_eq!(plain("<!channel> up", 80), "‹!channel› up");
    }

    #[test]
    fn urls_lose_their_secrets() {
        for (url, expected) in [
            ("https://h/a.m3u8", "https://h/a.m3u8"),
            ("https://h/a.m3u8?token=canary&x=1", "https://h/a.m3u8?token=***&x=***"),
            ("https://h/a.m3u8?canary", "https://h/a.m3u8?***"),
            ("https://h/a?k=v=w&&b=#canary", "https://h/a?k=***&&b=***"),
            ("https://u:canary@h/a", "https://***@h/a"),
            ("canary", "(not a URL)"),
        ] {
            assert_eq!(masked(url), expected);
        }
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        let at = EpochMs(1_610_541_723_007);
        assert_eq!(timestamp(at), "2021-01-13T12:42:03.007Z");
        assert_eq!(read_timestamp("2021-01-13T12:42:03.007Z"), Some(at));
        assert_eq!(spoken(at), "2021-01-13 12:42:03Z");
        assert!(timestamp(EpochMs(u64::MAX)).starts_with("9999"));
    }
}
