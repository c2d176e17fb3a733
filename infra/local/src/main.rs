//! `hlsops`: the command-line program.

mod check;
mod cli;
mod client;
mod commands;
mod data;
mod demo;
mod exit;
mod reasons;
mod serve;
mod site;
mod station;
mod terminal;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::cli::{Cli, Command};
use crate::commands::Asking;
use crate::exit::Exit;
use crate::terminal::complain;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(mut error) => {
            // An argument need not be Unicode; it only names a command here.
            let args: Vec<String> =
                std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect();
            cli::suggest::suggest(&mut error, &Cli::command(), &args);
            return exit::usage(&error);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(format_args!("hlsops: cannot start worker threads: {error}"));
            return Exit::Internal.into();
        }
    };
    let done = runtime.block_on(run(cli));
    // Requests that still wait for an answer must not hold up the end.
    runtime.shutdown_background();
    done.into()
}

async fn run(cli: Cli) -> Exit {
    let asking = match cli.command {
        Command::Check(options) => return check::run(options).await,
        Command::Demo(_) if cli.folder.is_given() => {
            complain(
                "hlsops demo: --data: the demo has a folder of its own, which goes away with it; leave --data out, \
                 or use `hlsops serve` to keep data",
            );
            return Exit::Usage;
        }
        Command::Demo(options) => return demo::run(options).await,
        Command::Serve(options) => return serve::run(options).await,
        Command::Stream(command) => Asking::Stream(command),
        Command::Incidents(options) => Asking::Incidents(options),
        Command::Incident(command) => Asking::Incident(command),
        Command::Timeline(options) => Asking::Timeline(options),
        Command::Thresholds(options) => Asking::Thresholds(options),
        Command::Key(command) => Asking::Key(command),
        Command::Backup(options) => Asking::Backup(options),
        Command::Restore(options) => Asking::Restore(options),
        Command::Import(options) => Asking::Import(options),
    };
    commands::run(asking).await
}
