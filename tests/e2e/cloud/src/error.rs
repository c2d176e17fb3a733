//! Why the scenario stopped.

/// Something did not go as it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("AWS_ENDPOINT_URL is not set: this runs on an emulator only")]
    NoEndpoint,
    #[error(transparent)]
    Cloud(#[from] hlsops_cloud::Error),
    #[error("the origin does not start: {0}")]
    Origin(#[from] hlsops_origin::StartError),
    #[error("the origin refuses: {0}")]
    Control(#[from] hlsops_origin::ControlError),
    #[error("no answer to {what}: {source}")]
    Http { what: String, source: reqwest::Error },
    #[error("no HTTP client: {0}")]
    Client(#[source] reqwest::Error),
    #[error("{what} answered {status}: {body}")]
    Answer { what: String, status: u16, body: String },
    #[error("{what} within {within_s} s; last seen: {last}")]
    Late { what: &'static str, within_s: u64, last: String },
    #[error("{0}")]
    Wrong(String),
}

/// Fails with what was expected and what was seen.
pub(crate) fn expect(holds: bool, wrong: impl FnOnce() -> String) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::Wrong(wrong())) }
}
