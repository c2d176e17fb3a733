//! ETags: who has an answer already gets 304.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::response::{IntoResponse, Response};
use hlsops_domain::id::StableHash;
use hlsops_wire::List;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::input::none_match;
use crate::middleware::json_body;

/// What an answer looks like, as a number.
pub(super) fn looks(of: &impl Serialize) -> u64 {
    let mut hasher = DefaultHasher::new();
    serde_json::to_vec(of).unwrap_or_default().hash(&mut hasher);
    hasher.finish()
}

/// For `If-Match`: stands for what `id` names in this revision, and for no other that is in the same one. It is kept by
/// clients, so it is the same in every release.
pub(super) fn revision_tag(revision: u64, id: &str) -> String {
    format!("r{revision}.{:08x}", StableHash::new().with(id.as_bytes()).finish() >> 32)
}

/// A list for somebody who may have seen it: 304 if it has the same items as then.
pub(super) fn listed<T: Serialize>(headers: &HeaderMap, list: &List<T>) -> Response {
    listed_as(headers, list, looks(&(&list.items, &list.next_cursor)))
}

/// The same where something else tells whether it is the same.
pub(super) fn listed_as<T: Serialize>(headers: &HeaderMap, list: &List<T>, looks: u64) -> Response {
    let etag = format!("\"l{looks:016x}\"");
    let mut response = if none_match(headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        json_body(StatusCode::OK, serde_json::to_vec(list).unwrap_or_default())
    };
    tag(&mut response, &etag);
    response
}

fn tag(response: &mut Response, etag: &str) {
    if let Ok(etag) = HeaderValue::from_str(etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
}

/// An answer that clients may keep if they ask with `etag` whether it still holds.
pub(super) fn tagged(mut response: Response, etag: &str) -> Response {
    tag(&mut response, etag);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_has_the_same_tag_in_every_release() {
        assert_eq!(revision_tag(3, "default/str_a"), "r3.4b039a20");
        assert_ne!(revision_tag(3, "default/str_a"), revision_tag(3, "default/str_b"));
    }
}
