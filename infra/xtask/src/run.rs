//! Tasks that build a program and become it.

use std::process::Command;

use crate::cargo::{self, Workspace, cargo};
use crate::error::Error;
use crate::{machine, site};

const CARGO_RUN: [&str; 3] = ["run", "--release", "--locked"];

/// `hlsops demo`, built for speed, with the page in it.
pub(crate) fn demo(workspace: &Workspace, args: &[String]) -> Result<(), Error> {
    machine::ensure_c_compiler()?;
    println!("xtask: building the page (WebAssembly; some minutes the first time)");
    site::build(workspace)?;
    println!(
        "xtask: building the program `hlsops` (release; some minutes the first time), then: hlsops demo"
    );
    become_program(
        cargo(&CARGO_RUN).args(["--package", "hlsops", "--bin", "hlsops", "--", "demo"]).args(args),
    )
}

/// One binary of `hlsops-bench`, built for speed.
pub(crate) fn bench(workspace: &Workspace, name: Option<&str>, args: &[String]) -> Result<(), Error> {
    let Some(name) = name else {
        println!("cargo xtask bench NAME [ARGS], with NAME one of: {}", workspace.benches.join(", "));
        return Ok(());
    };
    if !workspace.benches.iter().any(|known| known == name) {
        return Err(Error::UnknownBench { name: name.to_owned(), known: workspace.benches.join(", ") });
    }
    machine::ensure_c_compiler()?;
    become_program(cargo(&CARGO_RUN).args(["--package", "hlsops-bench", "--bin", name, "--"]).args(args))
}

/// Replaces this process, so that signals and the exit code are the program's
/// own (`cargo run` does the same once it has built).
#[cfg(unix)]
fn become_program(command: &mut Command) -> Result<(), Error> {
    use std::os::unix::process::CommandExt as _;
    let source = command.exec();
    Err(Error::Start { command: cargo::spelt(command), source })
}

#[cfg(not(unix))]
fn become_program(command: &mut Command) -> Result<(), Error> {
    cargo::run(command)
}
