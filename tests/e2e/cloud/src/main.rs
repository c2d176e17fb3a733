//! The whole installation with the functions' own binaries, deployed to an emulator of AWS and used as an
//! operator would: `cargo xtask e2e-cloud` starts the emulator, builds the binaries and runs this.
//!
//! Every line it prints is something that was seen, with the second since the start.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to a terminal")]

mod api;
mod error;
mod scenario;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use hlsops_cloud::package::Architecture;

/// What to deploy.
#[derive(Parser)]
struct Cli {
    /// The folder of the functions' zips
    #[arg(long)]
    zips: PathBuf,
    /// What they are built for
    #[arg(long, value_enum)]
    architecture: Architecture,
    /// The folder of the built dashboard
    #[arg(long)]
    site: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Cli { zips, architecture, site } = Cli::parse();
    match scenario::run(zips, architecture, site).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cloud e2e: {error}");
            ExitCode::FAILURE
        }
    }
}
