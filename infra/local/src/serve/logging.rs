//! What is said on standard error while the program serves.

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Which lines there are where `HLSOPS_LOG` does not say otherwise: not each request of the API.
pub(crate) const NOTABLE: &str = "warn,hlsops=info,hlsops_api=warn";

/// The filter cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("HLSOPS_LOG: {0}; write it as `info`, or as `warn,hlsops=debug`")]
pub(crate) struct BadFilter(#[from] tracing_subscriber::filter::ParseError);

/// Sends log lines to standard error from now on, those of `default` unless `HLSOPS_LOG` says which. A second
/// call changes nothing.
pub(crate) fn start(format: LogFormat, colour: bool, default: &str) -> Result<(), BadFilter> {
    let filter = std::env::var("HLSOPS_LOG").ok().filter(|filter| !filter.is_empty());
    let filter = EnvFilter::try_new(filter.as_deref().unwrap_or(default))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A reader who has left is no reason to end, which writing an error about that to the same place would be.
    let lines = lines.log_internal_errors(false);
    // An error means that there is a subscriber already.
    let _ = match format {
        LogFormat::Text => lines.with_ansi(colour).with_target(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).try_init(),
    };
    Ok(())
}
