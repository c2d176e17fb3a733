//! Starting commands, and what cargo knows about the workspace.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::error::Error;

/// The cargo that runs this task runner, so that `cargo +nightly verify` means it.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.args(args);
    command
}

/// Runs a command whose output the user sees.
pub(crate) fn run(command: &mut Command) -> Result<(), Error> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Error::Failed { command: spelt(command), status }),
        Err(source) => Err(Error::Start { command: spelt(command), source }),
    }
}

/// Runs a command and returns what it printed; its errors go to the terminal.
pub(crate) fn capture(command: &mut Command) -> Result<String, Error> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| Error::Start { command: spelt(command), source })?;
    if !output.status.success() {
        return Err(Error::Failed { command: spelt(command), status: output.status });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A command as one would type it: the program's name, not where it was found.
pub(crate) fn spelt(command: &Command) -> String {
    let set = command.get_envs().filter_map(|(name, value)| {
        value.map(|value| format!("{}={}", name.display(), quoted(&value.to_string_lossy())))
    });
    let program = Path::new(command.get_program());
    let name = program.file_stem().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let args = command.get_args().map(|arg| quoted(&arg.to_string_lossy()));
    set.chain([name]).chain(args).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    if word.contains(' ') { format!("\"{word}\"") } else { word.to_owned() }
}

/// What the tasks need to know about the workspace.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The folder of the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Where cargo builds, after `CARGO_TARGET_DIR` and configuration.
    pub(crate) target: PathBuf,
    /// The binaries of `hlsops-bench`, in alphabetical order.
    pub(crate) benches: Vec<String>,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self, Error> {
        let args = ["metadata", "--format-version=1", "--no-deps", "--locked", "--quiet"];
        Self::from_metadata(&capture(&mut cargo(&args))?)
    }

    /// A program of a package that has integration tests, as they are given it. After the step `test` it is there;
    /// building it by itself would build most of what it stands on once more, with fewer features.
    pub(crate) fn tested_program(&self, name: &str) -> Result<PathBuf, Error> {
        run(&mut cargo(&["test", "--workspace", "--locked", "--no-run", "--quiet"]))?;
        Ok(self.target.join("debug").join(name).with_extension(std::env::consts::EXE_EXTENSION))
    }

    fn from_metadata(json: &str) -> Result<Self, Error> {
        let metadata: Value = serde_json::from_str(json)?;
        let path = |name| metadata[name].as_str().map(PathBuf::from).ok_or(Error::MetadataLacks(name));
        let target = path("target_directory")?;
        let root = path("workspace_root")?;
        let packages = metadata["packages"].as_array().ok_or(Error::MetadataLacks("packages"))?;
        let mut benches: Vec<_> = packages
            .iter()
            .filter(|package| package["name"] == "hlsops-bench")
            .flat_map(|package| package["targets"].as_array().into_iter().flatten())
            .filter(|target| target["kind"][0] == "bin")
            .filter_map(|target| target["name"].as_str().map(str::to_owned))
            .collect();
        benches.sort();
        Ok(Self { root, target, benches })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_spelt_as_one_would_type_it() {
        let mut command = Command::new("/somewhere/bin/cargo");
        command.args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings").env_remove("CARGO");
        assert_eq!(spelt(&command), "RUSTDOCFLAGS=\"-D warnings\" cargo doc --no-deps");
    }

    #[test]
    fn the_benchmarks_are_the_binaries_of_their_package() {
        let workspace = Workspace::from_metadata(
            r#"{"target_directory": "/t", "workspace_root": "/w", "packages": [
                {"name": "hlsops", "targets": [{"kind": ["bin"], "name": "hlsops"}]},
                {"name": "hlsops-bench", "targets": [
                    {"kind": ["bin"], "name": "watch"}, {"kind": ["lib"], "name": "shared"},
                    {"kind": ["bin"], "name": "media"}]}]}"#,
        );
        assert_eq!(workspace.unwrap().benches, ["media", "watch"]);
    }

    #[test]
    fn metadata_of_another_shape_is_an_error() {
        assert!(matches!(Workspace::from_metadata("{"), Err(Error::Metadata(_))));
        assert!(matches!(Workspace::from_metadata("{}"), Err(Error::MetadataLacks("target_directory"))));
    }
}
