//! The page in a real browser: the program with the page in it, Chromium, and scripts that play the first minute and
//! measure a large wall.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{Workspace, run};
use crate::error::Error;
use crate::machine::{self, Tool};
use crate::site;

const CHROMIUM: Tool = Tool {
    name: "Chromium",
    packages: &["chromium"],
    command: "sudo apt-get install -y chromium    # or set CHROMIUM to the path of a Chromium or Chrome",
};

const NODE: Tool = Tool {
    name: "Node.js 18 or newer with npm",
    packages: &["nodejs", "npm"],
    command: "sudo apt-get install -y nodejs npm    # or your system's: brew install node, ...",
};

/// Where the script is, seen from the workspace's root.
const SCRIPTS: &str = "tests/e2e";

/// Plays the first minute against `hlsops demo`. Pictures of every page are left in the target directory.
pub(crate) fn first_minute(workspace: &Workspace) -> Result<(), Error> {
    let pictures = workspace.target.join("browser");
    println!("xtask: pictures of every page go to {}", pictures.display());
    run(script(workspace, "browser.mjs")?.arg(pictures))
}

/// Measures the page with a wall of so many streams.
pub(crate) fn wall(workspace: &Workspace, streams: u32) -> Result<(), Error> {
    run(script(workspace, "wall.mjs")?.arg(streams.to_string()))
}

/// A script with what it needs: the program with the page in it, and Chromium.
fn script(workspace: &Workspace, name: &str) -> Result<Command, Error> {
    let (chromium, scripts) = tools(workspace)?;
    site::build(workspace)?;
    let program = workspace.tested_program("hlsops")?;
    let mut command = Command::new("node");
    command.current_dir(scripts).arg(name).arg(program).arg(chromium);
    Ok(command)
}

/// Chromium, and the folder of the scripts with what they need.
pub(crate) fn tools(workspace: &Workspace) -> Result<(PathBuf, PathBuf), Error> {
    let chromium = machine::ensure(&CHROMIUM, find_chromium)?;
    machine::ensure(&NODE, find_node)?;
    let scripts = workspace.root.join(SCRIPTS);
    install(&scripts)?;
    Ok((chromium, scripts))
}

/// What the lock file names, unless npm has installed just that.
fn install(scripts: &Path) -> Result<(), Error> {
    let changed = |path: &str| std::fs::metadata(scripts.join(path)).and_then(|file| file.modified()).ok();
    // npm writes it at the end of an installation.
    let installed = changed("node_modules/.package-lock.json");
    if installed.is_some() && installed >= changed("package-lock.json") {
        return Ok(());
    }
    // Nothing is run that a package brings along, and no browser is downloaded.
    run(Command::new("npm").current_dir(scripts).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))
}

fn find_chromium() -> Option<PathBuf> {
    if let Some(chosen) = std::env::var_os("CHROMIUM") {
        return Some(chosen.into());
    }
    let known = [
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ];
    known.into_iter().map(PathBuf::from).find(|path| path.is_file())
}

fn find_node() -> Option<()> {
    let version = Command::new("node").arg("--version").output().ok()?;
    let is_new = is_new_enough(&String::from_utf8_lossy(&version.stdout));
    (is_new && machine::works("npm", &["--version"])).then_some(())
}

/// Whether `v20.20.2` is at least 18.
fn is_new_enough(version: &str) -> bool {
    let major = version.trim().strip_prefix('v').and_then(|version| version.split('.').next());
    major.and_then(|major| major.parse::<u32>().ok()).is_some_and(|major| major >= 18)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_node_will_not_do() {
        assert!(is_new_enough("v18.19.0\n") && is_new_enough("v20.20.2"));
        assert!(!is_new_enough("v16.20.0") && !is_new_enough("") && !is_new_enough("20"));
    }
}
