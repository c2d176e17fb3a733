//! The cloud: linting the template, building the functions, deploying them, an emulator to do so without an
//! account.
//!
//! What speaks to AWS is another program, `hlsops-cloud`, so that this one stays quick to build.

pub(crate) mod cost;
pub(crate) mod emulator;
mod functions;
mod python;

use std::path::PathBuf;
use std::process::Command;

use clap::{Args, ValueEnum};

use crate::cargo::{Workspace, cargo, run};
use crate::error::Error;
use crate::{browser, machine, site};

pub(crate) use functions::Architecture;

/// Seen from the workspace's root.
const TEMPLATE: &str = "infra/cloud/template.yaml";

/// Which functions to build.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Build {
    /// What to build the functions for
    #[arg(long, value_enum, default_value_t)]
    pub(crate) arch: Architecture,
    /// Build them with this machine's own compiler and system library, which an emulator on it runs and AWS
    /// may not; needs no cargo-lambda
    #[arg(long)]
    pub(crate) native: bool,
}

/// What to deploy.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct Deploy {
    #[command(flatten)]
    pub(crate) build: Build,
    /// The stack's name
    #[arg(long, default_value = "hlsops")]
    pub(crate) stack: String,
    /// A parameter of the template, such as WatchdogEmail=ops@example.com; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub(crate) parameters: Vec<String>,
    /// Apply the changes without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Leave the dashboard as it is
    #[arg(long)]
    pub(crate) no_site: bool,
    /// The endpoint is `cargo xtask emulator`: avoid its defects
    #[arg(long)]
    pub(crate) ministack: bool,
}

/// The pinned cfn-lint over the template.
pub(crate) fn lint(workspace: &Workspace) -> Result<(), Error> {
    let venv = python::LINT.ensure(workspace)?;
    run(Command::new(venv.program("cfn-lint")).arg("--").arg(workspace.root.join(TEMPLATE)))?;
    println!("cfn-lint: {TEMPLATE} is clean");
    Ok(())
}

/// Builds the functions and zips them.
pub(crate) fn package(workspace: &Workspace, build: Build) -> Result<(), Error> {
    package_with(workspace, build, program(&[]))
}

fn package_with(workspace: &Workspace, build: Build, mut zip: Command) -> Result<(), Error> {
    machine::ensure_c_compiler()?;
    let binaries = functions::build(workspace, build)?;
    zip.arg("package").arg("--probe").arg(&binaries.probe).arg("--api").arg(&binaries.api);
    run(zip.arg("--architecture").arg(name(build.arch)).arg("--out").arg(zips(workspace, build.arch)))
}

/// Builds everything and brings a stack up to date.
pub(crate) fn deploy(workspace: &Workspace, wanted: &Deploy) -> Result<(), Error> {
    package(workspace, wanted.build)?;
    let mut deploy = program(&["deploy", "--stack", &wanted.stack]);
    if !wanted.no_site {
        site::build(workspace)?;
        deploy.arg("--site").arg(workspace.root.join(site::DIST));
    }
    let arch = wanted.build.arch;
    deploy.arg("--zips").arg(zips(workspace, arch)).arg("--architecture").arg(name(arch));
    for parameter in &wanted.parameters {
        deploy.arg("--param").arg(parameter);
    }
    deploy.args(wanted.yes.then_some("--yes")).args(wanted.ministack.then_some("--ministack"));
    run(&mut deploy)
}

/// Deploys the functions' own binaries to an emulator, and uses what was deployed.
pub(crate) fn end_to_end(workspace: &Workspace) -> Result<(), Error> {
    let build = Build { arch: Architecture::of_this_machine()?, native: true };
    let [zip, scenario] = ["hlsops-cloud", "hlsops-e2e-cloud"].map(|name| workspace.tested_program(name));
    package_with(workspace, build, Command::new(zip?))?;
    site::build(workspace)?;
    let (browser, scripts) = browser::tools(workspace)?;
    let emulator = emulator::Emulator::start(workspace, None)?;
    let log = emulator.log();
    println!("emulator: MiniStack; its log, with what the functions say: {}", log.display());
    let mut scenario = Command::new(scenario?);
    scenario.arg("--zips").arg(zips(workspace, build.arch)).arg("--architecture").arg(name(build.arch));
    scenario.arg("--site").arg(workspace.root.join(site::DIST));
    scenario.arg("--browser").arg(browser).arg("--scripts").arg(scripts);
    run(scenario.envs(emulator.client_environment()))
        .map_err(|source| Error::EndToEnd { log, source: Box::new(source) })
}

/// Deletes a stack.
pub(crate) fn destroy(stack: &str, yes: bool) -> Result<(), Error> {
    run(program(&["destroy", "--stack", stack]).args(yes.then_some("--yes")))
}

/// The program that speaks to AWS. Not optimised: it waits more than it works.
fn program(args: &[&str]) -> Command {
    let mut command = cargo(&["run", "--locked", "--quiet", "--package", "hlsops-cloud", "--"]);
    command.args(args);
    command
}

fn zips(workspace: &Workspace, arch: Architecture) -> PathBuf {
    workspace.target.join("lambda-zips").join(name(arch))
}

fn name(arch: Architecture) -> String {
    arch.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
