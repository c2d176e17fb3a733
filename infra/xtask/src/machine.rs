//! The machine: what it has, and installing what it lacks.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::cargo;
use crate::error::Error;

/// A tool that does not come from crates.io.
pub(crate) struct Tool {
    /// What it is, in an error's words.
    pub(crate) name: &'static str,
    /// The Debian packages that hold it.
    pub(crate) packages: &'static [&'static str],
    /// The one command that provides it where we do not.
    pub(crate) command: &'static str,
}

const C_COMPILER: Tool = Tool {
    name: "a C compiler (`cc`)",
    packages: &["gcc", "libc6-dev"],
    command: "sudo apt-get install -y gcc libc6-dev    # or your system's: xcode-select --install, ...",
};

/// Some dependencies compile C. (Without any linker this program would not exist,
/// but the linker may be another than `cc`.)
pub(crate) fn ensure_c_compiler() -> Result<(), Error> {
    let chosen = std::env::var_os("CC").is_some();
    ensure(&C_COMPILER, || (chosen || works("cc", &["--version"])).then_some(()))
}

/// Finds a tool; if it is missing, installs it as root on Debian, and elsewhere
/// names the command that does.
pub(crate) fn ensure<T>(tool: &Tool, find: impl Fn() -> Option<T>) -> Result<T, Error> {
    if let Some(found) = find() {
        return Ok(found);
    }
    let &Tool { name, packages, command } = tool;
    if !(is_debian() && is_root()) {
        return Err(Error::MissingTool { tool: name, command });
    }
    println!("xtask: installing {name} with apt: {}", packages.join(" "));
    if let Err(source) = apt(packages) {
        return Err(Error::NotInstalled { tool: name, command, source: Box::new(source) });
    }
    find().ok_or(Error::StillMissing { tool: name, command })
}

/// `--no-remove`: apt gives up rather than remove what is already there.
fn apt(packages: &[&str]) -> Result<(), Error> {
    let apt_get = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(args).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    cargo::run(&mut apt_get(&["update", "--quiet"]))?;
    let options = ["install", "--yes", "--quiet", "--no-install-recommends", "--no-remove"];
    cargo::run(apt_get(&options).args(packages))
}

fn is_debian() -> bool {
    Path::new("/etc/debian_version").is_file() && works("apt-get", &["--version"])
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Whether a program is there and answers.
pub(crate) fn works(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
