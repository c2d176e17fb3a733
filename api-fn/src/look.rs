//! One look at a URL before it is saved.

use std::time::Duration;

use hlsops_domain::playlist::{self, MediaPlaylist, Parsed, Problem as Oddity, ProblemKind};
use hlsops_domain::rendition::{Location, RenditionKind, list_renditions};
use hlsops_fetch::{Bounds, FetchError, Fetcher, Get};
use hlsops_store::StreamConfig;
use hlsops_wire::{Validation, ValidationVariant};
use url::Url;

use crate::config::session;
use crate::problem::{Answer, ApiError, Kind, item};
use crate::view::{masked_url, rendition_kind};

/// Below the 30 s that a gateway gives a request.
const PATIENCE: Duration = Duration::from_secs(20);
/// Most oddities of a playlist that are told.
const MAX_WARNINGS: usize = 10;

/// Looks at a stream once, as the watcher would. Nothing is stored.
pub(crate) async fn look(fetcher: &Fetcher, config: &StreamConfig, url: &Url) -> Answer<Validation> {
    let session = session(&config.headers, url).map_err(|item| ApiError::invalid(vec![item]))?;
    let bounds = Bounds { total: PATIENCE, ..Bounds::playlist(None) };
    let get = Get { url, session: &session, range: None, bounds, fresh_connection: false };
    let mut body = Vec::new();
    let fetched = fetcher.get(&get, &mut |chunk| body.extend_from_slice(chunk)).await;
    if let Err(error) = &fetched.result {
        return Err(unusable(error));
    }
    let text = playlist::decode(&body);
    let mut found = Validation {
        manifest_url: masked_url(fetched.final_url.as_str()),
        name: config.name.clone(),
        multivariant: false,
        variants: Vec::new(),
        target_duration_s: None,
        segments_count: None,
        ttfb_ms: u64::try_from(fetched.timings.ttfb.unwrap_or_default().as_millis()).unwrap_or(u64::MAX),
        warnings: Vec::new(),
    };
    match playlist::read(&text) {
        Parsed::NotAPlaylist(why) => {
            let detail = format!("the URL answers, and it is no playlist: {}", why.describe());
            return Err(refused("not_a_playlist", detail));
        }
        Parsed::Multivariant(list) => {
            let base = &fetched.final_url;
            let locate = |uri: &str| {
                let url = base.join(uri).ok()?;
                Some(Location { identity: url.path().to_owned(), url: url.into() })
            };
            found.multivariant = true;
            let variant = |spec: hlsops_domain::rendition::RenditionSpec| ValidationVariant {
                label: spec.label,
                kind: rendition_kind(spec.kind),
                bandwidth_bps: spec.bandwidth_bps,
            };
            found.variants = list_renditions(&list, locate).into_iter().map(variant).collect();
            if found.variants.is_empty() {
                return Err(refused("nothing_to_play", "the playlist lists no variant that can be reached"));
            }
            warn(&mut found, &list.problems);
        }
        Parsed::Media(list) => of_media(&mut found, &list),
    }
    if fetched.redirects > 0 {
        found.warnings.push(format!("{} redirects on the way; each look pays for them", fetched.redirects));
    }
    Ok(found)
}

fn of_media(found: &mut Validation, list: &MediaPlaylist<'_>) {
    found.variants = vec![ValidationVariant {
        label: "media playlist".into(),
        kind: rendition_kind(RenditionKind::Main),
        bandwidth_bps: None,
    }];
    found.target_duration_s = Some(list.target().as_seconds());
    found.segments_count = u64::try_from(list.segments.len()).ok();
    if list.ended {
        found.warnings.push("the playlist has ended (EXT-X-ENDLIST): it is no live stream".into());
    }
    warn(found, &list.problems);
}

fn warn(found: &mut Validation, oddities: &[Oddity]) {
    let line = |oddity: &Oddity| format!("line {}: {}", oddity.line, words(oddity.kind));
    found.warnings.extend(oddities.iter().take(MAX_WARNINGS).map(line));
}

const fn words(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::BadTag => "#EXT with nothing usable after it",
        ProblemKind::BadValue => "a value that is not of the tag's form",
        ProblemKind::BadAttributes => "attributes that cannot be read, or a required one is missing",
        ProblemKind::VariantWithoutUri => "EXT-X-STREAM-INF without a URI after it",
        ProblemKind::Duplicate => "a tag that may stand once stands again",
        ProblemKind::UndefinedVariable => "a variable that is not defined",
    }
}

/// Why a stream at that URL cannot be watched at all.
pub(crate) fn unusable(error: &FetchError) -> ApiError {
    refused(error.class(), error.to_string())
}

fn refused(code: &str, detail: impl Into<String>) -> ApiError {
    let detail = detail.into();
    ApiError::new(Kind::Unusable, detail.clone()).with_items(vec![item("/manifest_url", code, detail)])
}
