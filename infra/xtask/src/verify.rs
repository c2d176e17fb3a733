//! `cargo verify`: the steps, in order, and how long they took.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::cargo::{Workspace, cargo, run, spelt};
use crate::error::Error;
use crate::{browser, cloud, deny, machine, purity};

/// One check. Adding one is one entry in [`STEPS`].
struct Step {
    name: &'static str,
    about: &'static str,
    action: Action,
    /// The command that repairs what the step found, if there is one; else a
    /// failure names the command that repeats it.
    repair: Option<&'static str>,
}

enum Action {
    /// A cargo command with its arguments, and RUSTDOCFLAGS.
    Cargo(&'static [&'static str], Option<&'static str>),
    /// A function of this program.
    Own(fn(&Workspace) -> Result<(), Error>),
}

const STEPS: [Step; 10] = [
    Step {
        name: "fmt",
        about: "the source is formatted",
        action: Action::Cargo(&["fmt", "--all", "--check"], None),
        repair: Some("cargo fmt --all"),
    },
    Step {
        name: "clippy",
        about: "no lint fires",
        action: Action::Cargo(
            &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
            None,
        ),
        repair: None,
    },
    // Generated documents are rewritten by tests that fail when they were stale:
    // they need no step of their own.
    Step {
        name: "test",
        about: "unit, property, integration and documentation tests",
        action: Action::Cargo(&["test", "--workspace", "--locked"], None),
        repair: None,
    },
    Step {
        name: "wasm",
        about: "the pure crates build for wasm32-unknown-unknown",
        action: Action::Own(purity::builds_for_wasm),
        repair: None,
    },
    Step {
        name: "purity",
        about: "the pure crates depend on nothing but their short lists",
        action: Action::Own(purity::dependencies_are_listed),
        repair: None,
    },
    Step {
        name: "template",
        about: "the CloudFormation template passes cfn-lint (its policies are a test of hlsops-cloud)",
        action: Action::Own(cloud::lint),
        repair: None,
    },
    Step {
        name: "deny",
        about: "licences, banned crates and sources (deny.toml)",
        action: Action::Own(deny::licences_bans_sources),
        repair: None,
    },
    Step {
        name: "doc",
        about: "the documentation builds without a warning",
        action: Action::Cargo(&["doc", "--workspace", "--no-deps", "--locked"], Some("-D warnings")),
        repair: None,
    },
    Step {
        name: "browser",
        about: "the demo's first minute in a real browser (tests/e2e)",
        action: Action::Own(browser::first_minute),
        repair: None,
    },
    Step {
        name: "cloud",
        about: "the functions on an emulator: deployed, watching, broken on purpose, destroyed (tests/e2e/cloud)",
        action: Action::Own(cloud::end_to_end),
        repair: None,
    },
];

/// Prints the steps.
pub(crate) fn list() {
    for step in &STEPS {
        println!("{:<8}  {}", step.name, step.about);
    }
}

/// Runs the steps, all or those named, up to the first failure.
pub(crate) fn verify(workspace: &Workspace, only: &[String]) -> Result<(), Error> {
    let steps = select(only)?;
    machine::ensure_c_compiler()?;
    let mut times = Vec::with_capacity(steps.len());
    let mut failure = None;
    for step in steps {
        println!("\n== {}: {}\n   {}", step.name, step.about, step.repeat());
        let start = Instant::now();
        let outcome = step.run(workspace);
        times.push((step.name, start.elapsed(), outcome.is_ok()));
        if let Err(source) = outcome {
            failure = Some(step.failed(source));
            break;
        }
    }
    print!("\n{}", table(&times));
    failure.map_or(Ok(()), Err)
}

/// The named steps in the order of the table, whatever order they are named in.
fn select(only: &[String]) -> Result<Vec<&'static Step>, Error> {
    let is_step = |name: &String| STEPS.iter().any(|step| step.name == name);
    if let Some(unknown) = only.iter().find(|name| !is_step(name)) {
        let known = STEPS.map(|step| step.name).join(", ");
        return Err(Error::UnknownStep { name: unknown.clone(), known });
    }
    let wanted = |step: &&Step| only.is_empty() || only.iter().any(|name| name == step.name);
    Ok(STEPS.iter().filter(wanted).collect())
}

impl Step {
    fn run(&self, workspace: &Workspace) -> Result<(), Error> {
        match self.action {
            Action::Cargo(args, rustdocflags) => run(&mut cargo_command(args, rustdocflags)),
            Action::Own(function) => function(workspace),
        }
    }

    /// The command that does this step alone.
    fn repeat(&self) -> String {
        match self.action {
            Action::Cargo(args, rustdocflags) => spelt(&cargo_command(args, rustdocflags)),
            Action::Own(_) => format!("cargo verify --only {}", self.name),
        }
    }

    fn failed(&self, source: Error) -> Error {
        let remedy = self.repair.map_or_else(|| self.repeat(), str::to_owned);
        Error::Step { step: self.name, remedy, source: Box::new(source) }
    }
}

fn cargo_command(args: &[&str], rustdocflags: Option<&str>) -> Command {
    let mut command = cargo(args);
    command.envs(rustdocflags.map(|flags| ("RUSTDOCFLAGS", flags)));
    command
}

fn table(times: &[(&str, Duration, bool)]) -> String {
    let line =
        |name: &str, time: Duration, end: &str| format!("{name:<8}{:>9.1} s  {end}\n", time.as_secs_f64());
    let lines = times.iter().map(|(name, time, ok)| line(name, *time, if *ok { "ok" } else { "FAILED" }));
    let total = times.iter().map(|(_, time, _)| *time).sum();
    let verdict = if times.iter().all(|(_, _, ok)| *ok) { "all ok" } else { "stopped" };
    lines.chain([line("verify", total, verdict)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(only: &[&str]) -> Result<Vec<&'static str>, String> {
        let only: Vec<_> = only.iter().map(|&name| name.to_owned()).collect();
        let steps = select(&only).map_err(|error| error.to_string())?;
        Ok(steps.iter().map(|step| step.name).collect())
    }

    #[test]
    fn steps_are_selected_in_their_own_order() {
        assert_eq!(names(&[]).unwrap(), STEPS.map(|step| step.name));
        assert_eq!(names(&["test", "fmt"]).unwrap(), ["fmt", "test"]);
        let message = names(&["fmt", "lint"]).unwrap_err();
        assert!(message.contains("`lint`") && message.contains("fmt, clippy, test"), "{message}");
    }

    #[test]
    fn every_step_has_its_own_name() {
        for (index, step) in STEPS.iter().enumerate() {
            assert!(!STEPS[..index].iter().any(|other| other.name == step.name), "{}", step.name);
        }
    }

    #[test]
    fn a_failure_names_one_command() {
        let failed = |name: &str| {
            let step = STEPS.iter().find(|step| step.name == name).unwrap();
            let error = step.failed(Error::MetadataLacks("something"));
            error.remedy().unwrap().to_owned()
        };
        assert_eq!(failed("fmt"), "cargo fmt --all");
        assert_eq!(failed("test"), "cargo test --workspace --locked");
        assert_eq!(failed("doc"), "RUSTDOCFLAGS=\"-D warnings\" cargo doc --workspace --no-deps --locked");
        assert_eq!(failed("purity"), "cargo verify --only purity");
        let missing = Error::MissingTool { tool: "a tool", command: "get it" };
        assert_eq!(STEPS[3].failed(missing).remedy(), Some("get it"));
    }

    #[test]
    fn the_table_has_a_line_a_step_and_the_sum() {
        let times = [("fmt", Duration::from_millis(1_250), true), ("clippy", Duration::from_secs(60), false)];
        let expected = "fmt           1.2 s  ok\nclippy       60.0 s  FAILED\nverify       61.2 s  stopped\n";
        assert_eq!(table(&times), expected);
    }
}
