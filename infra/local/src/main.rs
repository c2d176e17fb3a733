//! `hlsops`: the command-line program.
#![expect(clippy::print_stderr, reason = "a command-line program speaks to its terminal")]

mod check;
mod cli;
mod demo;
mod exit;
mod reasons;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::exit::Exit;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return exit::usage(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("hlsops: cannot start worker threads: {error}");
            return Exit::Internal.into();
        }
    };
    let done = match cli.command {
        Command::Check(options) => runtime.block_on(check::run(options)),
        Command::Demo(options) => runtime.block_on(demo::run(options)),
    };
    // Requests that still wait for an answer must not hold up the end.
    runtime.shutdown_background();
    done.into()
}
