//! Exit codes: what pipelines read.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing to complain of.
    Clean,
    /// Findings, or a stream that is not HEALTHY.
    Findings,
    /// The stream could not be looked at.
    Unreachable,
    /// The command line is wrong (EX_USAGE of sysexits).
    Usage,
    /// Our own failure (EX_SOFTWARE of sysexits).
    Internal,
}

impl Exit {
    /// The number a shell sees.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => 1,
            Self::Unreachable => 2,
            Self::Usage => 64,
            Self::Internal => 70,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Prints what clap has to say; help and version are no errors.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // A closed terminal is no reason to fail differently.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Clean.into() }
}
