//! The pure crates stay pure: they build where there is no operating system, and
//! depend on nothing but what is listed here.

use std::collections::BTreeSet;

use crate::cargo::{Workspace, capture, cargo, run};
use crate::error::Error;
use crate::wasm::Toolchain;

/// A crate without I/O, clock, random, environment and files.
struct Pure {
    package: &'static str,
    /// Every crate of its normal dependencies, indirect ones too, on any target.
    allowed: &'static [&'static str],
}

const PURE: [Pure; 2] = [
    Pure { package: "hlsops-domain", allowed: &["fast-float2", "memchr", "quick-m3u8"] },
    Pure { package: "hlsops-media", allowed: &["twox-hash"] },
];

/// Builds the pure crates for wasm32, in a target directory of their own.
pub(crate) fn builds_for_wasm(workspace: &Workspace) -> Result<(), Error> {
    let mut build = Toolchain::ensure()?.build(&workspace.target.join("wasm"));
    for pure in &PURE {
        build.args(["--package", pure.package]);
    }
    run(&mut build)
}

/// Compares what the pure crates depend on with what they may.
pub(crate) fn dependencies_are_listed(_: &Workspace) -> Result<(), Error> {
    for pure in &PURE {
        let options = ["tree", "--locked", "--edges=normal", "--target=all", "--prefix=none"];
        let tree = capture(cargo(&options).args(["--package", pure.package]))?;
        pure.compare(&tree)?;
        println!("{}: {}", pure.package, pure.allowed.join(", "));
    }
    Ok(())
}

impl Pure {
    /// `tree` is what `cargo tree --prefix=none` prints: a line a crate, the name first.
    fn compare(&self, tree: &str) -> Result<(), Error> {
        let names = tree.lines().filter_map(|line| line.split_whitespace().next());
        let found: BTreeSet<_> = names.filter(|name| *name != self.package).collect();
        let package = self.package;
        if let Some(extra) = found.iter().find(|name| !self.allowed.contains(name)) {
            return Err(Error::Impure { package, found: (*extra).to_owned() });
        }
        match self.allowed.iter().find(|name| !found.contains(*name)) {
            Some(stale) => Err(Error::StaleAllowance { package, stale }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(tree: &str, expected: &str) {
        let pure = Pure { package: "ours", allowed: &["memchr", "quick-m3u8"] };
        let message = pure.compare(tree).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(message.starts_with(expected) && message.is_empty() == expected.is_empty(), "{message}");
    }

    #[test]
    fn the_tree_must_equal_the_list() {
        let tree = "ours v0.1.0 (/some/folder)\nquick-m3u8 v0.8.0\nmemchr v2.8.3\n";
        check(tree, "");
        check(&format!("{tree}memchr v2.8.3 (*)\n\n"), "");
        check(&format!("{tree}tokio v1.54.1\n"), "ours depends on `tokio`");
        check(&format!("{tree}serde_derive v1.0.229 (proc-macro)\n"), "ours depends on `serde_derive`");
        check("ours v0.1.0 (/some/folder)\nmemchr v2.8.3\n", "ours no longer depends on `quick-m3u8`");
    }
}
