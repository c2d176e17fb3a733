//! Exit codes: what pipelines read.

use std::process::ExitCode;

/// What `hlsops --help` says of exit codes.
pub(crate) const CODES: &str = "Exit codes:
  0   done, or nothing to complain of
  1   findings, refused, or not found
  2   unreachable, nobody to ask, or the data folder is in use
  64  wrong usage
  66  a file that was named is missing, cannot be read, or is not what it must be
  69  the address to listen on cannot be had
  70  internal error
  73  a file or folder cannot be created or written";

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
    /// A file that was named cannot be used (EX_NOINPUT of sysexits).
    NoInput,
    /// An address cannot be had (EX_UNAVAILABLE of sysexits).
    Unavailable,
    /// Our own failure (EX_SOFTWARE of sysexits).
    Internal,
    /// A file or folder cannot be created or written (EX_CANTCREAT of sysexits).
    CannotCreate,
}

impl Exit {
    /// The number a shell sees.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => 1,
            Self::Unreachable => 2,
            Self::Usage => 64,
            Self::NoInput => 66,
            Self::Unavailable => 69,
            Self::Internal => 70,
            Self::CannotCreate => 73,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_explained() {
        use Exit::{CannotCreate, Clean, Findings, Internal, NoInput, Unavailable, Unreachable, Usage};
        let all = [Clean, Findings, Unreachable, Usage, NoInput, Unavailable, Internal, CannotCreate];
        let explained: Vec<&str> =
            CODES.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(explained, all.map(|exit| exit.code().to_string()));
    }
}
