//! What comes in: bodies, query parameters, ids. Everything unknown is refused by its name.

mod body;
mod explain;

use std::ops::RangeInclusive;
use std::sync::Arc;

use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request};
use bytes::Bytes;
use hlsops_domain::EpochMs;
use hlsops_store::StreamId;
use http::request::Parts;
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;

use crate::app::Api;
use crate::problem::{Answer, ApiError, Kind, item};
use crate::times;

/// Most bytes of a body.
pub(crate) const MAX_BODY: usize = 256 * 1024;

/// A body of JSON.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Arc<Api>) -> Answer<Self> {
        let found = <Self as OptionalFromRequest<Arc<Api>>>::from_request(request, api).await?;
        found.ok_or_else(|| {
            ApiError::invalid(vec![item("", "missing", "the body is empty: send a JSON object")])
        })
    }
}

impl<T: DeserializeOwned> OptionalFromRequest<Arc<Api>> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Arc<Api>) -> Answer<Option<Self>> {
        let json = is_json(request.headers());
        let bytes = Bytes::from_request(request, api).await.map_err(|rejection| match rejection {
            BytesRejection::FailedToBufferBody(_) => {
                ApiError::new(Kind::TooLarge, format!("a body may have {MAX_BODY} bytes"))
            }
            _ => ApiError::new(Kind::BadRequest, "the body cannot be read"),
        })?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if !json {
            return Err(ApiError::new(Kind::WrongType, "send the body as Content-Type: application/json"));
        }
        body::read(&bytes).map(|value| Some(Self(value))).map_err(ApiError::invalid)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// The part of a JSON pointer that stands for a field.
fn step(field: &str) -> String {
    format!("/{}", field.replace('~', "~0").replace('/', "~1"))
}

/// The query: names and values as sent.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

/// Most query parameters.
const MAX_PARAMETERS: usize = 64;

impl FromRequestParts<Arc<Api>> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Api>) -> Answer<Self> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

impl Query {
    fn parse(text: &str) -> Answer<Self> {
        let pairs: Vec<_> =
            url::form_urlencoded::parse(text.as_bytes()).take(MAX_PARAMETERS + 1).map(owned).collect();
        if pairs.len() > MAX_PARAMETERS {
            return Err(ApiError::new(
                Kind::BadRequest,
                format!("more than {MAX_PARAMETERS} query parameters"),
            ));
        }
        Ok(Self(pairs))
    }

    /// Only these names may be there; all but the `repeatable` ones once.
    pub(crate) fn only(self, once: &[&str], repeatable: &[&str]) -> Answer<Self> {
        let mut items = Vec::new();
        for (index, (name, _)) in self.0.iter().enumerate() {
            if repeatable.contains(&name.as_str()) {
                continue;
            }
            if !once.contains(&name.as_str()) {
                let mut known: Vec<&str> = once.iter().chain(repeatable).copied().collect();
                known.sort_unstable();
                let known = if known.is_empty() { "none".into() } else { known.join(", ") };
                items.push(item(
                    pointer_of(name),
                    "unknown",
                    format!("not a parameter here; known: {known}"),
                ));
            } else if self.0[..index].iter().any(|(before, _)| before == name) {
                items.push(item(pointer_of(name), "invalid", "given more than once"));
            }
        }
        if items.is_empty() { Ok(self) } else { Err(ApiError::invalid(items)) }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a repeatable parameter; each may also be a list with commas.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let values = self.0.iter().filter(move |(known, _)| known == name);
        values.flat_map(|(_, value)| value.split(',')).filter(|value| !value.is_empty())
    }

    pub(crate) fn flag(&self, name: &str) -> Answer<bool> {
        match self.text(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(bad(name, format!("`{}` is neither true nor false", cut(other)))),
        }
    }

    pub(crate) fn number(&self, name: &str, range: RangeInclusive<u64>, default: u64) -> Answer<u64> {
        let Some(text) = self.text(name) else { return Ok(default) };
        let value = text.parse().ok().filter(|value| range.contains(value));
        value.ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            let detail = format!("`{}` is not a whole number from {least} to {most}", cut(text));
            ApiError::invalid(vec![item(pointer_of(name), "out_of_range", detail)])
        })
    }

    pub(crate) fn time(&self, name: &str) -> Answer<Option<EpochMs>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let parsed = times::parse(text).map(Some);
        parsed.ok_or_else(|| {
            bad(name, format!("`{}` is no RFC 3339 time such as 2026-11-22T03:30:00Z", cut(text)))
        })
    }

    /// One word out of several, each with its meaning.
    pub(crate) fn words<T: Copy>(&self, name: &str, known: &[(&str, T)]) -> Answer<Vec<T>> {
        let one = |word: &str| {
            let found = known.iter().find(|(known, _)| *known == word);
            found.map(|(_, value)| *value).ok_or_else(|| {
                let known: Vec<&str> = known.iter().map(|(known, _)| *known).collect();
                bad(name, format!("`{}` is none of {}", cut(word), known.join(", ")))
            })
        };
        self.all(name).map(one).collect()
    }
}

fn owned((name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)) -> (String, String) {
    (name.into_owned(), value.into_owned())
}

fn pointer_of(name: &str) -> String {
    format!("?{}", cut(name))
}

/// A query parameter that cannot be understood.
pub(crate) fn bad(name: &str, detail: impl Into<String>) -> ApiError {
    ApiError::invalid(vec![item(pointer_of(name), "invalid", detail)])
}

/// As much of somebody else's text as a message needs.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(80)]
}

/// A stream of the account; an id that can be none is one that does not exist.
pub(crate) fn stream_id(account: &str, id: &str) -> Answer<StreamId> {
    StreamId::new(account, id).map_err(|_| ApiError::unknown("stream"))
}

/// Whether the caller has seen what `tag` stands for, by `If-Match`: one of its ETags is that tag in quotes, or `*`.
/// Behind the tag may stand a dash and the 16 digits of how the resource looked, which is no part of its configuration.
pub(crate) fn if_match(headers: &HeaderMap, tag: &str) -> Answer<bool> {
    let missing = || {
        let detail = "read the resource, and send its ETag as If-Match, so that no change of others is lost";
        ApiError::new(Kind::NoIfMatch, detail)
    };
    let value = headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok()).ok_or_else(missing)?;
    let is_look = |rest: &str| {
        let digits = rest.strip_prefix('-').unwrap_or_default();
        rest.is_empty() || digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    };
    let has_seen = |etag: &str| {
        let inside = etag.strip_prefix('"').and_then(|etag| etag.strip_suffix('"'));
        etag == "*" || inside.and_then(|inside| inside.strip_prefix(tag)).is_some_and(is_look)
    };
    Ok(value.split(',').any(|etag| has_seen(etag.trim())))
}

/// The caller has this version already.
pub(crate) fn none_match(headers: &HeaderMap, etag: &str) -> bool {
    let same = |tag: &str| tag.trim().strip_prefix("W/").unwrap_or(tag.trim()) == etag;
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|tag| tag.trim() == "*" || same(tag))
}

#[cfg(test)]
mod tests;
