//! Building the functions' binaries.

use std::path::PathBuf;
use std::process::Command;

use clap::ValueEnum;

use super::{Build, python};
use crate::cargo::{Workspace, capture, cargo, run};
use crate::error::Error;

/// Instruction sets of Lambda.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Architecture {
    /// Graviton: a fifth cheaper
    #[default]
    #[value(name = "arm64")]
    Arm,
    /// For emulators on such machines
    #[value(name = "x86_64")]
    X86,
}

impl Architecture {
    /// The one whose binaries this machine runs.
    pub(crate) fn of_this_machine() -> Result<Self, Error> {
        let host = host()?;
        let known = [Self::Arm, Self::X86].into_iter().find(|arch| arch.target() == host);
        known.ok_or(Error::NotThisMachine { wanted: "one of Lambda's (Linux on arm64 or x86-64)" })
    }

    const fn target(self) -> &'static str {
        match self {
            Self::Arm => "aarch64-unknown-linux-gnu",
            Self::X86 => "x86_64-unknown-linux-gnu",
        }
    }
}

/// The profile of the functions in the workspace's manifest.
const PROFILE: &str = "lambda";
const PACKAGES: [&str; 4] = ["--package", "hlsops-probe", "--package", "hlsops-api"];
const BINARIES: [&str; 4] = ["--bin", "hlsops-probe", "--bin", "hlsops-api"];

/// The system library of Lambda's runtime provided.al2023.
const GLIBC: &str = "2.34";

/// Where they are.
pub(crate) struct Binaries {
    pub(crate) probe: PathBuf,
    pub(crate) api: PathBuf,
}

/// Builds them, small and quick to start.
pub(crate) fn build(workspace: &Workspace, wanted: Build) -> Result<Binaries, Error> {
    let target = wanted.arch.target();
    let mut command = if wanted.native {
        if host()? != target {
            return Err(Error::NotThisMachine { wanted: target });
        }
        cargo(&["build"])
    } else {
        need_target(target)?;
        lambda(workspace)?
    };
    // Lambda's system library is older than most machines': the linker is told which symbols there are.
    let linked = if wanted.native { target.to_owned() } else { format!("{target}.{GLIBC}") };
    command.args(["--locked", "--profile", PROFILE, "--target", &linked]).args(PACKAGES).args(BINARIES);
    // cargo leaves a binary under its name; cargo-lambda moves it into a folder of its own.
    let moved = workspace.target.join("lambda-binaries").join(target);
    let built = workspace.target.join(target).join(PROFILE);
    if !wanted.native {
        command.arg("--lambda-dir").arg(&moved);
    }
    run(&mut command)?;
    let binary = |name: &str| {
        if wanted.native { built.join(name) } else { moved.join(name).join("bootstrap") }
    };
    Ok(Binaries { probe: binary("hlsops-probe"), api: binary("hlsops-api") })
}

/// cargo-lambda of our environment, which finds its linker on PATH.
fn lambda(workspace: &Workspace) -> Result<Command, Error> {
    let venv = python::BUILD.ensure(workspace)?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([venv.programs()].into_iter().chain(std::env::split_paths(&path)));
    let mut command = Command::new(venv.program("cargo-lambda"));
    command.args(["lambda", "build"]);
    if let Ok(path) = path {
        command.env("PATH", path);
    }
    Ok(command)
}

/// What this machine's compiler builds for by itself.
fn host() -> Result<String, Error> {
    let version = capture(Command::new("rustc").arg("-vV"))?;
    Ok(version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default().to_owned())
}

fn need_target(target: &'static str) -> Result<(), Error> {
    let args = ["--print", "target-libdir", "--target", target];
    let folder = capture(Command::new("rustc").args(args)).map(|path| PathBuf::from(path.trim()));
    match folder {
        Ok(folder) if folder.is_dir() => Ok(()),
        _ => Err(Error::MissingTarget { target }),
    }
}
