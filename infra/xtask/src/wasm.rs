//! A toolchain that builds for wasm32-unknown-unknown.
//!
//! Two are known. The ordinary one is rustup's with the target added. Debian's
//! own compiler does without a download from rustup: it builds the standard
//! library from the source package on the way (`-Zbuild-std`, which a stable
//! compiler allows with `RUSTC_BOOTSTRAP=1`).

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{capture, cargo};
use crate::error::Error;
use crate::machine::{self, Tool};

/// The target triple.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

const TOOL: Tool = Tool {
    name: "the standard library for wasm32-unknown-unknown",
    packages: &["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm"],
    command: "rustup target add wasm32-unknown-unknown",
};

/// Debian's compiler is found here whatever PATH says, as rustup's comes first there.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_STD_SOURCE: &str = "/usr/lib/rustlib/src/rust/library/std";

const LINKER_VARIABLE: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER";

/// The oldest compiler that builds the workspace.
const OLDEST: &str = env!("CARGO_PKG_RUST_VERSION");

/// Which toolchain builds for the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The one that runs now; it has the target.
    Active,
    /// Debian's, with the standard library's source.
    Debian,
}

impl Toolchain {
    /// Finds one, or installs one.
    pub(crate) fn ensure() -> Result<Self, Error> {
        machine::ensure(&TOOL, Self::find)
    }

    fn find() -> Option<Self> {
        if active_has_target() {
            Some(Self::Active)
        } else if debian_is_complete() {
            Some(Self::Debian)
        } else {
            None
        }
    }

    /// `cargo build` for the target, in a target directory of its own.
    pub(crate) fn build(self, target_dir: &Path) -> Command {
        let mut command = match self {
            Self::Active => cargo(&[]),
            Self::Debian => debian_cargo(),
        };
        command.args(["build", "--locked", "--target", TARGET, "--target-dir"]).arg(target_dir);
        if self == Self::Debian {
            command.arg("-Zbuild-std=std,panic_abort");
            command.envs(linker().map(|path| (LINKER_VARIABLE, path)));
        }
        command
    }
}

/// The linker that comes with the active toolchain: Debian packs its own apart.
fn linker() -> Option<PathBuf> {
    let libraries = capture(Command::new("rustc").args(["--print", "target-libdir"])).ok()?;
    let linker = Path::new(libraries.trim()).parent()?.join("bin").join("rust-lld");
    linker.is_file().then_some(linker)
}

fn debian_cargo() -> Command {
    let mut command = Command::new(DEBIAN_CARGO);
    command.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1");
    // What rustup and the outer cargo set is about another toolchain.
    for name in ["RUSTUP_TOOLCHAIN", "CARGO", "RUSTC_WRAPPER", "RUSTDOC", "LD_LIBRARY_PATH"] {
        command.env_remove(name);
    }
    command
}

fn active_has_target() -> bool {
    let args = ["--print", "target-libdir", "--target", TARGET];
    let directory = capture(Command::new("rustc").args(args));
    directory.is_ok_and(|path| PathBuf::from(path.trim()).is_dir())
}

fn debian_is_complete() -> bool {
    let present = |path: &&str| Path::new(path).exists();
    [DEBIAN_RUSTC, DEBIAN_CARGO, DEBIAN_STD_SOURCE].iter().all(present)
        && capture(Command::new(DEBIAN_RUSTC).arg("--version").env_remove("LD_LIBRARY_PATH"))
            .is_ok_and(|line| is_new_enough(&line))
}

/// Whether `rustc 1.96.0 (...)` is at least [`OLDEST`].
fn is_new_enough(line: &str) -> bool {
    let found = line.split_whitespace().nth(1).and_then(version);
    found.is_some() && found >= version(OLDEST)
}

/// Major and minor number of `1.96.0` or `1.96`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_compiler_will_not_do() {
        assert!(is_new_enough("rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)"));
        assert!(is_new_enough("rustc 1.100.0-nightly") && is_new_enough("rustc 1.95.0"));
        assert!(!is_new_enough("rustc 1.85.0") && !is_new_enough("gcc (Debian) 12") && !is_new_enough(""));
    }

    #[test]
    fn debian_builds_the_standard_library_too() {
        let args = |toolchain: Toolchain| {
            let command = toolchain.build(Path::new("/t"));
            command.get_args().map(|arg| arg.to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        let common = ["build", "--locked", "--target", TARGET, "--target-dir", "/t"];
        assert_eq!(args(Toolchain::Active), common);
        assert_eq!(args(Toolchain::Debian), [&common[..], &["-Zbuild-std=std,panic_abort"]].concat());
    }
}
