//! The whole installation with the functions' own binaries, deployed to an emulator of AWS and used as an
//! operator would, and disturbed: `cargo xtask e2e-cloud` starts the emulator, builds the binaries and runs this.
//!
//! Every line it prints is something that was seen, with the second since the start.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to a terminal")]

mod api;
mod aws;
mod ending;
mod error;
mod front;
mod processes;
mod receiver;
mod scenario;
mod telling;
mod trouble;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

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
    /// A Chromium to open the page with
    #[arg(long, requires_all = ["site", "scripts"])]
    browser: Option<PathBuf>,
    /// The folder of the browser's scripts, with what they need
    #[arg(long)]
    scripts: Option<PathBuf>,
}

/// All of it takes about five minutes.
const LONGEST: Duration = Duration::from_secs(900);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Cli { zips, architecture, site, browser, scripts } = Cli::parse();
    let browser = browser.zip(scripts);
    // Nobody has installed another one before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match tokio::time::timeout(LONGEST, scenario::run(zips, architecture, site, browser)).await {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(error)) => eprintln!("cloud e2e: {error}"),
        Err(_) => eprintln!("cloud e2e: not done within {} s", LONGEST.as_secs()),
    }
    ExitCode::FAILURE
}
