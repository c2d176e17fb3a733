//! The task runner: `cargo demo`, `cargo verify` and `cargo xtask ...`.
//!
//! It needs nothing but cargo and a C compiler, and is compiled first on every
//! machine, so it has few dependencies. What else a task needs it installs where
//! it may, or fails with the one command that does.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a task runner talks to a terminal")]

mod browser;
mod cargo;
mod cloud;
mod deny;
mod error;
mod machine;
mod purity;
mod run;
mod site;
mod verify;
mod wasm;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::cargo::Workspace;
use crate::error::Error;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Tasks of this workspace")]
struct Cli {
    #[command(subcommand)]
    task: Option<Task>,
}

#[derive(Subcommand)]
enum Task {
    /// Build `hlsops` and run its demo; `cargo demo` for short
    #[command(disable_help_flag = true)]
    Demo {
        /// Handed to `hlsops demo`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Every check and test, in order, up to the first failure; `cargo verify` for short
    Verify {
        /// Only these steps, separated by commas
        #[arg(long, value_delimiter = ',', value_name = "STEP")]
        only: Vec<String>,
        /// Name the steps and run none
        #[arg(long, conflicts_with = "only")]
        list: bool,
    },
    /// Build the dashboard into dashboard/dist
    Site,
    /// Play the demo's first minute in a real browser; a step of `verify`
    Browser {
        /// Measure the page with a wall of so many made-up streams instead
        #[arg(long, value_name = "STREAMS", value_parser = clap::value_parser!(u32).range(1..=20_000))]
        wall: Option<u32>,
    },
    /// Run a benchmark; without a name, name them
    Bench {
        /// Which benchmark
        name: Option<String>,
        /// Handed to the benchmark
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Build the functions and zip them for Lambda
    Package {
        #[command(flatten)]
        build: cloud::Build,
    },
    /// Build everything and bring an AWS stack up to date; shows the changes and asks first
    Deploy {
        #[command(flatten)]
        wanted: cloud::Deploy,
    },
    /// Delete an AWS stack; its table is retained
    Destroy {
        /// The stack's name
        #[arg(long, default_value = "hlsops")]
        stack: String,
        /// Delete without asking
        #[arg(long)]
        yes: bool,
    },
    /// Run an emulator of AWS on a loopback port until Ctrl-C
    Emulator {
        /// The port; any free one if none is given
        #[arg(long)]
        port: Option<u16>,
    },
    /// Deploy the functions' own binaries to the emulator, and use what was deployed
    E2eCloud,
    /// What an installation costs a month, from measured figures
    Cost,
    /// Look the dependencies up in the database of security advisories (needs the network)
    Audit,
}

fn main() -> ExitCode {
    match dispatch(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error}");
            if let Some(command) = error.remedy() {
                eprintln!("    run: {command}");
            }
            ExitCode::FAILURE
        }
    }
}

fn dispatch(cli: Cli) -> Result<(), Error> {
    match cli.task {
        None => Cli::command().print_help().map_err(Error::Terminal),
        Some(Task::Demo { args }) => run::demo(&Workspace::load()?, &args),
        Some(Task::Verify { list: true, .. }) => {
            verify::list();
            Ok(())
        }
        Some(Task::Verify { only, .. }) => verify::verify(&Workspace::load()?, &only),
        Some(Task::Site) => site::build(&Workspace::load()?),
        Some(Task::Browser { wall: None }) => browser::first_minute(&Workspace::load()?),
        Some(Task::Browser { wall: Some(streams) }) => browser::wall(&Workspace::load()?, streams),
        Some(Task::Bench { name, args }) => run::bench(&Workspace::load()?, name.as_deref(), &args),
        Some(Task::Package { build }) => cloud::package(&Workspace::load()?, build),
        Some(Task::Deploy { wanted }) => cloud::deploy(&Workspace::load()?, &wanted),
        Some(Task::Destroy { stack, yes }) => cloud::destroy(&stack, yes),
        Some(Task::Emulator { port }) => cloud::emulator::foreground(&Workspace::load()?, port),
        Some(Task::E2eCloud) => cloud::end_to_end(&Workspace::load()?),
        Some(Task::Cost) => cloud::cost::print(),
        Some(Task::Audit) => deny::advisories(&Workspace::load()?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Task {
        Cli::try_parse_from(line.split(' ')).unwrap().task.unwrap()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn arguments_behind_the_task_are_handed_on() {
        let Task::Demo { args } = parse("xtask demo --help --port 8080") else { panic!() };
        assert_eq!(args, ["--help", "--port", "8080"]);
        let Task::Bench { name, args } = parse("xtask bench watch 50 --json") else { panic!() };
        assert_eq!((name.as_deref(), args), (Some("watch"), vec!["50".into(), "--json".into()]));
        let Task::Verify { only, list: false } = parse("xtask verify --only fmt,test") else { panic!() };
        assert_eq!(only, ["fmt", "test"]);
    }
}
