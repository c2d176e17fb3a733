//! What is not for everybody who looks over a shoulder: masked as the API masks it for viewers.

use clap::Args;
use hlsops_wire::{Stream, StreamDetail};
use url::Url;

/// Stands for a value that is not shown.
pub(super) const MASK: &str = "***";

/// Whether secrets are shown.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(super) struct Secrets {
    /// Show the values of headers and of the URL's query, which are masked as *** otherwise
    #[arg(long)]
    show_secrets: bool,
}

impl Secrets {
    /// Masks the secrets of a stream, unless they are to be shown.
    pub(super) fn mask(self, stream: &mut Stream) {
        if self.show_secrets {
            return;
        }
        stream.manifest_url = masked(&stream.manifest_url);
        for header in &mut stream.request_headers {
            header.value = MASK.to_owned();
        }
    }

    /// The same of a stream with its renditions.
    pub(super) fn mask_detail(self, detail: &mut StreamDetail) {
        self.mask(&mut detail.stream);
        if !self.show_secrets {
            let urls = detail.renditions.iter_mut().filter_map(|rendition| rendition.url.as_mut());
            urls.for_each(|url| *url = masked(url));
        }
    }
}

/// A URL without the values of its query, where tokens are, without its fragment, and without the user name and
/// password that one in a file may have.
pub(in crate::commands) fn masked(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else { return text.split('?').next().unwrap_or_default().to_owned() };
    url.set_fragment(None);
    if url.set_password(None).is_ok() && !url.username().is_empty() {
        // A URL that takes no password takes no user name.
        let _ = url.set_username(MASK);
    }
    let Some(query) = url.query() else { return url.into() };
    let masked: Vec<String> = query
        .split('&')
        .map(|pair| {
            pair.split_once('=').map_or_else(|| MASK.to_owned(), |(name, _)| format!("{name}={MASK}"))
        })
        .collect();
    url.set_query(Some(&masked.join("&")));
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_values_are_masked() {
        for (url, expected) in [
            ("https://h/a.m3u8", "https://h/a.m3u8"),
            ("https://h/a?token=abc&b", "https://h/a?token=***&***"),
            ("https://h/a?token=abc#key=def", "https://h/a?token=***"),
            ("https://h/a#key=def", "https://h/a"),
            ("https://me:pass@h/a", "https://***@h/a"),
            ("no url?token=abc", "no url"),
        ] {
            assert_eq!(masked(url), expected);
        }
    }
}
