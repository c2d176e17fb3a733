//! Tools from PyPI, each in a private environment of its own below the target directory.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use twox_hash::XxHash3_64;

use crate::cargo::{Workspace, run};
use crate::error::Error;
use crate::machine::{self, Tool};

/// Tools with all they need, to the last version.
pub(crate) struct Tools {
    name: &'static str,
    requirements: &'static str,
}

/// cfn-lint.
pub(crate) const LINT: Tools =
    Tools { name: "lint", requirements: include_str!("../../../cloud/python/lint.txt") };
/// MiniStack.
pub(crate) const EMULATOR: Tools =
    Tools { name: "emulator", requirements: include_str!("../../../cloud/python/emulator.txt") };
/// cargo-lambda, and the linker it uses.
pub(crate) const BUILD: Tools =
    Tools { name: "build", requirements: include_str!("../../../cloud/python/build.txt") };

const PYTHON: Tool = Tool {
    name: "Python 3.10 or newer with venv",
    packages: &["python3", "python3-venv"],
    command: "sudo apt-get install -y python3 python3-venv    # or your system's; 3.10 or newer",
};

/// Prints nothing and succeeds where the tools can be installed.
const PROBE: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))";

/// Written when an environment is complete.
const COMPLETE: &str = "complete";

/// An environment.
pub(crate) struct Venv {
    folder: PathBuf,
}

impl Tools {
    /// The environment, made now if it is not there. Other requirements make another one.
    pub(crate) fn ensure(&self, workspace: &Workspace) -> Result<Venv, Error> {
        let hash = XxHash3_64::oneshot(self.requirements.as_bytes());
        let tools = workspace.target.join("tools");
        let venv = Venv { folder: tools.join(format!("python-{}-{hash:016x}", self.name)) };
        let complete = venv.folder.join(COMPLETE);
        if complete.is_file() {
            return Ok(venv);
        }
        println!("xtask: installing {} from PyPI into {}", self.pins(), venv.folder.display());
        let python = machine::ensure(&PYTHON, find)?;
        let file = |action, path: &PathBuf| {
            let path = path.clone();
            move |source| Error::File { action, path, source }
        };
        fs::create_dir_all(&tools).map_err(file("create", &tools))?;
        let list = tools.join(format!("python-{}-{hash:016x}.txt", self.name));
        fs::write(&list, self.requirements).map_err(file("write", &list))?;
        run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&venv.folder))?;
        let mut pip = Command::new(venv.program("python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
        run(pip.arg("--requirement").arg(&list))?;
        fs::write(&complete, "").map_err(file("write", &complete))?;
        Ok(venv)
    }

    /// The tools as they are pinned, without what they need: they stand for it.
    fn pins(&self) -> String {
        const KNOWN: [&str; 4] = ["cargo-lambda==", "cfn-lint==", "ministack==", "ziglang=="];
        let lines = self.requirements.lines();
        let ours = lines.filter(|line| KNOWN.iter().any(|known| line.starts_with(known)));
        ours.map(|line| line.replace("==", " ")).collect::<Vec<_>>().join(" and ")
    }
}

impl Venv {
    /// A program of the environment.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs().join(name).with_extension(std::env::consts::EXE_EXTENSION)
    }

    /// Where its programs are.
    pub(crate) fn programs(&self) -> PathBuf {
        self.folder.join(if cfg!(windows) { "Scripts" } else { "bin" })
    }
}

fn find() -> Option<&'static str> {
    let suits = |python: &&str| {
        let mut command = Command::new(python);
        command.args(["-c", PROBE]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    ["python3", "/usr/bin/python3", "python"].into_iter().find(suits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_requirement_is_pinned() {
        for tools in [LINT, EMULATOR, BUILD] {
            for line in tools.requirements.lines() {
                let (name, version) = line.split_once("==").unwrap_or_else(|| panic!("{line} is not pinned"));
                assert!(
                    !name.is_empty() && version.starts_with(|first: char| first.is_ascii_digit()),
                    "{line}"
                );
            }
            assert!(!tools.pins().is_empty(), "{}", tools.name);
        }
    }
}
