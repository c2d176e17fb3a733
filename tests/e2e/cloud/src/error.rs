//! Why the scenario stopped.

use aws_sdk_sqs::error::{DisplayErrorContext, SdkError};

/// Something did not go as it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("AWS_ENDPOINT_URL is not set: this runs on an emulator only")]
    NoEndpoint,
    #[error(transparent)]
    Cloud(#[from] hlsops_cloud::Error),
    #[error("cannot read the table: {0}")]
    Table(#[from] hlsops_store::StoreError),
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
    #[error("cannot {doing}: {reason}")]
    Refused { doing: &'static str, reason: String },
    #[error("cannot {doing}: {source}")]
    System { doing: &'static str, source: std::io::Error },
    #[error("{what} within {within_s} s; last seen: {last}")]
    Late { what: &'static str, within_s: u64, last: String },
    #[error("{0}")]
    Wrong(String),
}

impl Error {
    /// What a service answered, when it was asked to do something.
    pub(crate) fn refused<E, R>(doing: &'static str) -> impl FnOnce(SdkError<E, R>) -> Self
    where
        E: std::error::Error + 'static,
        R: std::fmt::Debug,
    {
        move |error| Self::Refused { doing, reason: DisplayErrorContext(&error).to_string() }
    }

    /// What the system said.
    pub(crate) fn system(doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::System { doing, source }
    }
}

/// Fails with what was expected and what was seen.
pub(crate) fn expect(holds: bool, wrong: impl FnOnce() -> String) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::Wrong(wrong())) }
}
