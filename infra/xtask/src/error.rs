//! Why a task failed, in words that say what to do next.

use std::io;
use std::process::ExitStatus;

/// Every way a task can fail.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot write to the terminal: {0}")]
    Terminal(#[source] io::Error),
    #[error("cannot start `{command}`: {source}")]
    Start { command: String, source: io::Error },
    #[error("`{command}` failed ({status})")]
    Failed { command: String, status: ExitStatus },
    #[error("`cargo metadata` printed something unexpected: {0}")]
    Metadata(#[from] serde_json::Error),
    #[error("`cargo metadata` has no `{0}`")]
    MetadataLacks(&'static str),
    #[error("{tool} is missing (installed for you only as root on Debian)")]
    MissingTool { tool: &'static str, command: &'static str },
    #[error("{tool} is still missing, though apt installed what should hold it: too old a release?")]
    StillMissing { tool: &'static str, command: &'static str },
    #[error("{tool} is missing, and apt could not install it: {source}")]
    NotInstalled { tool: &'static str, command: &'static str, source: Box<Error> },
    #[error(
        "{package} depends on `{found}`, which is not on its list in infra/xtask/src/purity.rs: \
         keep it pure, or add the crate there if it has no I/O, clock, random or environment"
    )]
    Impure { package: &'static str, found: String },
    #[error("{package} no longer depends on `{stale}`: remove it from its list in infra/xtask/src/purity.rs")]
    StaleAllowance { package: &'static str, stale: &'static str },
    #[error("cannot {action} {path}: {source}", path = path.display())]
    File { action: &'static str, path: std::path::PathBuf, source: io::Error },
    #[error("wasm-bindgen cannot read what the compiler made: {0}")]
    Bindgen(String),
    #[error(
        "the page needs `{0}`, a JavaScript file that nothing serves: leave out the crate that brings it"
    )]
    Snippet(String),
    #[error("{file} has no place for `{name}`")]
    NoPlace { file: &'static str, name: &'static str },
    #[error(
        "the page weighs {bytes} bytes compressed, more than {limit}: see what grew it, or raise the limit in \
         infra/xtask/src/site.rs"
    )]
    TooHeavy { bytes: usize, limit: usize },
    #[error("infra/cloud/cost.json has no number `{0}`")]
    NoFigure(String),
    #[error("{address} is taken: {source}; another port goes with --port")]
    Port { address: std::net::SocketAddr, source: io::Error },
    #[error("the emulator did not become ready; what it said is in {}", log.display())]
    NoEmulator { log: std::path::PathBuf },
    #[error("the installation on the emulator: {source}; what the emulator and the functions said is in {}", log.display())]
    EndToEnd { log: std::path::PathBuf, source: Box<Error> },
    #[error("the functions are to be built by and for this machine, which is not {wanted}")]
    NotThisMachine { wanted: &'static str },
    #[error("the compiler cannot build for {target}: run `rustup target add {target}`")]
    MissingTarget { target: &'static str },
    #[error("there is no step `{name}`; the steps are: {known}")]
    UnknownStep { name: String, known: String },
    #[error("there is no benchmark `{name}`; the benchmarks are: {known}")]
    UnknownBench { name: String, known: String },
    #[error("verify stopped at step `{step}`: {source}")]
    Step { step: &'static str, remedy: String, source: Box<Error> },
}

impl Error {
    /// The one command to run next, if there is one.
    pub(crate) fn remedy(&self) -> Option<&str> {
        match self {
            Self::MissingTool { command, .. }
            | Self::NotInstalled { command, .. }
            | Self::StillMissing { command, .. } => Some(command),
            Self::Step { remedy, source, .. } => Some(source.remedy().unwrap_or(remedy)),
            _ => None,
        }
    }
}
