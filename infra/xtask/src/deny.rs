//! cargo-deny: licences, banned and repeated crates, sources; advisories apart.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::cargo::{Workspace, cargo, run};
use crate::error::Error;

/// The exact version, so that everybody gets the same verdict.
const VERSION: &str = "0.20.2";

/// Everything that can be judged without the network.
pub(crate) fn licences_bans_sources(workspace: &Workspace) -> Result<(), Error> {
    check(workspace, &["licenses", "bans", "sources"])
}

/// The advisories: fetched each time, so no part of `verify`.
pub(crate) fn advisories(workspace: &Workspace) -> Result<(), Error> {
    check(workspace, &["advisories"])
}

fn check(workspace: &Workspace, what: &[&str]) -> Result<(), Error> {
    run(Command::new(ensure(workspace)?).args(["--locked", "check"]).args(what))
}

/// The pinned cargo-deny: ours, or one that is already on PATH, or built now.
fn ensure(workspace: &Workspace) -> Result<PathBuf, Error> {
    let tools = workspace.target.join("tools");
    let ours = tools.join("bin").join("cargo-deny").with_extension(std::env::consts::EXE_EXTENSION);
    let installed = [ours.clone(), PathBuf::from("cargo-deny")].into_iter().find(is_pinned);
    if let Some(found) = installed {
        return Ok(found);
    }
    println!("xtask: building cargo-deny {VERSION} once into {}; some minutes", tools.display());
    let start = Instant::now();
    let build = tools.join("build");
    let mut install = cargo(&["install", "cargo-deny", "--version", &format!("={VERSION}"), "--locked"]);
    install.arg("--root").arg(&tools).arg("--target-dir").arg(&build);
    // Its own profile asks for whole-program optimisation: a third more time to
    // build than a tool that runs for two seconds is worth.
    install.env("CARGO_PROFILE_RELEASE_LTO", "off");
    install.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    install.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    run(&mut install)?;
    // Hundreds of megabytes that nobody needs again; losing the race to remove them is no failure.
    let _ = fs::remove_dir_all(build);
    println!("xtask: built cargo-deny in {:.1} s", start.elapsed().as_secs_f64());
    Ok(ours)
}

fn is_pinned(program: &PathBuf) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stderr(Stdio::null());
    command.output().is_ok_and(|output| names_version(&String::from_utf8_lossy(&output.stdout)))
}

/// `cargo-deny 0.20.2`
fn names_version(line: &str) -> bool {
    line.split_whitespace().nth(1) == Some(VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pinned_version_will_do() {
        assert!(names_version("cargo-deny 0.20.2\n"));
        assert!(!names_version("cargo-deny 0.20.20\n"));
        assert!(!names_version(""));
    }
}
