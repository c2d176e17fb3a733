//! What a stream is called that nobody has named.

/// Names of files that say nothing about a stream.
const USUAL: [&str; 9] =
    ["master", "index", "playlist", "manifest", "main", "stream", "live", "media", "chunklist"];
/// Longest name of a stream. Unit: characters.
const NAME_MAX: usize = 120;

/// A name for the stream at a URL: its host, the folder before the file, and the file where that says more. What is no
/// URL is its own name.
#[must_use]
pub fn usual_name(url: &str) -> String {
    let url = url.trim();
    let name = named(url).unwrap_or_else(|| url.to_owned());
    name.chars().take(NAME_MAX).collect()
}

fn named(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let rest = rest.split(['?', '#']).next()?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    // The digits after the last colon are the port; an IPv6 address has its colons in brackets.
    let host = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    };
    let mut parts = path.rsplit('/').filter(|part| !part.is_empty());
    let (file, folder) = (parts.next(), parts.next());
    let stem = file.map(|file| file.rsplit_once('.').map_or(file, |(stem, _)| stem));
    let telling = stem.filter(|stem| !USUAL.contains(&stem.to_lowercase().as_str()));
    let words: Vec<&str> = [Some(host), folder, telling].into_iter().flatten().collect();
    Some(words.join(" "))
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
            ("https://cdn.example/master.m3u8", "cdn.example"),
            ("https://cdn.example/sports.m3u8", "cdn.example sports"),
            ("https://cdn.example", "cdn.example"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(usual_name(url), expected, "{url}");
        }
        assert_eq!(usual_name(&format!("http://a/{}/b", "x".repeat(200))).chars().count(), 120);
    }
}
