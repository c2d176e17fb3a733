//! Redirects, followed by hand so that each hop is checked like a first request.

use http::header::LOCATION;
use reqwest::{Response, StatusCode};
use url::Url;

use crate::{FetchError, Get, Session};

/// Where one request was sent on to.
#[derive(Debug)]
pub(crate) struct Redirects {
    /// Cookies known at the first request. The same URL with a new cookie is not a circle, because origins start
    /// sessions that way.
    revision: u64,
    /// Each with the cookies known when it was asked for.
    followed: Vec<(Url, u64)>,
}

impl Redirects {
    /// The most redirects one request follows.
    pub(crate) const MAX: u8 = 5;

    /// The longest `Location`, in bytes.
    const MAX_LOCATION_BYTES: usize = 8 << 10;

    pub(crate) fn from(session: &Session) -> Self {
        Self { revision: session.revision(), followed: Vec::new() }
    }

    /// Where a response redirects to; `None` if it does not. The caller checks the new URL.
    pub(crate) fn next(
        &mut self,
        from: &Url,
        response: &Response,
        first: &Get<'_>,
    ) -> Result<Option<Url>, FetchError> {
        if !is_redirect(response.status()) {
            return Ok(None);
        }
        let location = response.headers().get(LOCATION).map(|value| value.as_bytes());
        let mut next = location
            .filter(|bytes| bytes.len() <= Self::MAX_LOCATION_BYTES)
            .and_then(|bytes| from.join(std::str::from_utf8(bytes).ok()?).ok())
            .ok_or(FetchError::BadRedirect)?;
        next.set_fragment(None);
        let step = (next, first.session.revision());
        let is_first = || {
            let mut url = first.url.clone();
            url.set_fragment(None);
            (url, self.revision) == step
        };
        if self.followed.contains(&step) || is_first() {
            return Err(FetchError::RedirectLoop);
        }
        if self.followed() >= Self::MAX {
            return Err(FetchError::TooManyRedirects { limit: Self::MAX });
        }
        self.followed.push(step.clone());
        Ok(Some(step.0))
    }

    /// How many were followed.
    pub(crate) fn followed(&self) -> u8 {
        u8::try_from(self.followed.len()).unwrap_or(Self::MAX)
    }
}

/// 300 and 304 are answers, not redirects.
fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}
