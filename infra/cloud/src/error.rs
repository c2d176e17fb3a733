//! Why a deployment stops, in words that say what to do next.

use std::io;
use std::path::PathBuf;

use aws_sdk_cloudformation::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use crate::template::{TemplateError, ValueError};

/// Every way a task can fail.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are what the messages say")]
pub enum Error {
    /// Nobody is logged in.
    #[error(
        "no AWS credentials: set AWS_PROFILE to a profile of ~/.aws/config (for IAM Identity Center, \
         `aws sso login` first), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY\n    ({reason})"
    )]
    NoCredentials { reason: String },
    /// No region is set anywhere.
    #[error("no region: set AWS_REGION, for example AWS_REGION=eu-central-1, or a region in the profile")]
    NoRegion,
    /// Workarounds for the emulator, elsewhere.
    #[error(
        "--ministack is for the emulator: AWS_ENDPOINT_URL must be an http URL of this machine, and is {found}"
    )]
    NoEmulator { found: String },
    /// A service said no.
    #[error("cannot {doing}: {code}: {reason}")]
    Refused { doing: String, code: String, reason: String },
    /// A file could not be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    /// A zip could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Zip { path: PathBuf, source: zip::result::ZipError },
    /// A binary is not what was asked for.
    #[error("{} is no Linux binary for {wanted}: build it with `cargo xtask package`", path.display())]
    WrongBinary { path: PathBuf, wanted: &'static str },
    /// The site's folder is not built, or is something else.
    #[error("{} is no built dashboard: {lacks}", path.display())]
    NoSite { path: PathBuf, lacks: &'static str },
    /// The template is broken.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The parameters do not fit.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The user did not agree.
    #[error("stopped: nothing was changed")]
    Declined,
    /// Nobody is there to agree.
    #[error("nobody can confirm, as standard input is no terminal: pass --yes to go ahead")]
    NoTerminal,
    /// The stack is in a state that allows nothing.
    #[error("the stack `{stack}` is {status}: {remedy}")]
    Stuck { stack: String, status: String, remedy: &'static str },
    /// It ended badly.
    #[error("the stack `{stack}` ended as {status}:{reasons}")]
    Failed { stack: String, status: String, reasons: String },
    /// It took too long.
    #[error("the stack `{stack}` is still {status}; CloudFormation goes on by itself: run this again later")]
    Late { stack: String, status: String },
    /// Something a finished stack has is not there.
    #[error("the stack has no {what}: was it deployed with another version of the template?")]
    Lacks { what: &'static str },
    /// The first key was not made.
    #[error("cannot make the first key: {0}")]
    Key(#[from] hlsops_api::KeyError),
    /// The table cannot be read.
    #[error("cannot read the table: {0}")]
    Table(#[from] hlsops_store::StoreError),
}

impl Error {
    /// What a service answered, when it was asked to do something.
    pub(crate) fn refused<E, R>(doing: impl Into<String>) -> impl FnOnce(SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug,
    {
        |error| {
            let metadata = error.as_service_error();
            let code = metadata.and_then(ProvideErrorMetadata::code).unwrap_or("no answer").to_owned();
            let said = metadata.and_then(ProvideErrorMetadata::message).map(str::to_owned);
            let reason = said.unwrap_or_else(|| DisplayErrorContext(&error).to_string());
            Self::Refused { doing: doing.into(), code, reason }
        }
    }

    /// What the system said about a file.
    pub(crate) fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { doing, path: path.into(), source }
    }
}
