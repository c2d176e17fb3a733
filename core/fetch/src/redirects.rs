//! Redirects, followed by hand so that each hop is checked like a first request.

use http::header::LOCATION;
use reqwest::{Response, StatusCode};
use url::Url;

use crate::{FetchError, Session};

/// The URLs one request has asked for.
#[derive(Debug)]
pub(crate) struct Redirects {
    /// Each with the cookies known when it was asked for: the same URL with a new cookie is not
    /// a circle, because origins start sessions that way.
    asked: Vec<(Url, u64)>,
}

impl Redirects {
    /// The most redirects one request follows.
    pub(crate) const MAX: u8 = 5;

    /// The longest `Location`, in bytes.
    const MAX_LOCATION_BYTES: usize = 8 << 10;

    pub(crate) fn from(first: &Url, session: &Session) -> Self {
        let mut first = first.clone();
        first.set_fragment(None);
        Self { asked: vec![(first, session.revision())] }
    }

    /// Where a response redirects to; `None` if it does not. The caller checks the new URL.
    pub(crate) fn next(
        &mut self,
        from: &Url,
        response: &Response,
        session: &Session,
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
        let step = (next, session.revision());
        if self.asked.contains(&step) {
            return Err(FetchError::RedirectLoop);
        }
        if self.followed() >= Self::MAX {
            return Err(FetchError::TooManyRedirects { limit: Self::MAX });
        }
        self.asked.push(step.clone());
        Ok(Some(step.0))
    }

    /// How many were followed.
    pub(crate) fn followed(&self) -> u8 {
        u8::try_from(self.asked.len() - 1).unwrap_or(Self::MAX)
    }
}

/// 300 and 304 are answers, not redirects.
fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}
