//! Why a benchmark could not run.

use std::time::Duration;

/// Why a benchmark could not run. What it measures is never an error.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The origin did not start.
    #[error("the origin did not start: {0}")]
    Origin(#[from] hlsops_origin::StartError),
    /// The origin refused a stream or a fault; the benchmark's table is wrong.
    #[error("the origin refused: {0}")]
    Control(#[from] hlsops_origin::ControlError),
    /// The watcher's client was not built.
    #[error(transparent)]
    Fetcher(#[from] hlsops_fetch::BuildError),
    /// An address could not be allowed.
    #[error(transparent)]
    Allow(#[from] hlsops_fetch::HostListError),
    /// The table could not be opened.
    #[error(transparent)]
    Engine(#[from] hlsops_engine::EngineError),
    /// The table could not be read.
    #[error(transparent)]
    Store(#[from] hlsops_store::StoreError),
    /// The bare client was not built.
    #[error("the bare client was not built: {0}")]
    Client(#[from] reqwest::Error),
    /// A URL could not be read.
    #[error("not a URL: {0}")]
    Url(#[from] url::ParseError),
    /// A child process, a pipe or `/proc` failed.
    #[error("{what}: {source}")]
    Io {
        /// What was done.
        what: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// `/proc` has another form than expected; CPU time and memory are measured on Linux only.
    #[error("cannot read {file}: CPU time and memory are measured on Linux only")]
    Proc {
        /// The file.
        file: &'static str,
    },
    /// A child process ended, or said something else than its figures.
    #[error("the {role} process gave no figures")]
    NoFigures {
        /// What it was for.
        role: &'static str,
    },
    /// A child process took too long.
    #[error("the {role} process gave no answer within {limit:?}")]
    TimedOut {
        /// What it was for.
        role: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// Streams did not come up.
    #[error("{count} streams were not HEALTHY and Live within {limit:?}: {names}")]
    NotSettled {
        /// How many.
        count: usize,
        /// The limit.
        limit: Duration,
        /// Which.
        names: String,
    },
}

impl BenchError {
    /// For `map_err`.
    pub fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}
