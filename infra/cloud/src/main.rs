//! The program behind `cargo xtask package|deploy|destroy`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to a terminal")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use hlsops_cloud::package::{Architecture, MAX_ZIP_BYTES, pack};
use hlsops_cloud::{Deployed, Deployment, Error, deploy, destroy};

#[derive(Parser)]
#[command(name = "hlsops-cloud", about = "The installation on AWS")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Make zips of the functions' binaries
    Package {
        /// The binary of probe-fn
        #[arg(long)]
        probe: PathBuf,
        /// The binary of api-fn
        #[arg(long)]
        api: PathBuf,
        /// What they are built for
        #[arg(long, default_value_t, value_enum)]
        architecture: Architecture,
        /// The folder for the zips
        #[arg(long)]
        out: PathBuf,
    },
    /// Bring a stack up to date
    Deploy {
        /// The stack's name
        #[arg(long, default_value = "hlsops")]
        stack: String,
        /// The folder of the zips
        #[arg(long)]
        zips: PathBuf,
        /// What the zips are built for
        #[arg(long, default_value_t, value_enum)]
        architecture: Architecture,
        /// The folder of the built dashboard
        #[arg(long)]
        site: Option<PathBuf>,
        /// A parameter of the template; may be repeated
        #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
        parameters: Vec<(String, String)>,
        /// Apply the changes without asking
        #[arg(long)]
        yes: bool,
        /// The endpoint is MiniStack: avoid its defects
        #[arg(long)]
        ministack: bool,
    },
    /// Delete a stack; its table is retained
    Destroy {
        /// The stack's name
        #[arg(long, default_value = "hlsops")]
        stack: String,
        /// Delete without asking
        #[arg(long)]
        yes: bool,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Cli::parse().task).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hlsops-cloud: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(task: Task) -> Result<(), Error> {
    match task {
        Task::Package { probe, api, architecture, out } => {
            for (name, binary) in [("probe", probe), ("api", api)] {
                let packed = pack(name, &binary, architecture, &out)?;
                let verdict =
                    if packed.zip_bytes > MAX_ZIP_BYTES { "; larger than it should be" } else { "" };
                println!(
                    "{}: {} bytes ({} unpacked, {}){verdict}",
                    packed.path.display(),
                    packed.zip_bytes,
                    packed.binary_bytes,
                    architecture.name()
                );
            }
            Ok(())
        }
        Task::Deploy { stack, zips, architecture, site, parameters, yes, ministack } => {
            let parameters = parameters.into_iter().collect();
            let agreed = yes;
            let wanted = Deployment { stack, zips, architecture, site, parameters, agreed, ministack };
            tell(&deploy(&wanted).await?);
            Ok(())
        }
        Task::Destroy { stack, yes } => destroy(&stack, yes).await,
    }
}

fn tell(deployed: &Deployed) {
    println!();
    for (name, value) in &deployed.outputs {
        println!("{name:<20} {value}");
    }
    let Some(key) = &deployed.first_key else {
        println!("\nkey: there is one already; more with POST /api/v1/keys");
        return;
    };
    println!("\nThe first key, shown this once; keep it like a password:\n    {}", key.as_str());
    if let Some(address) = deployed.outputs.get("DashboardUrl") {
        println!("Open the dashboard with it:\n    {address}#key={}", key.as_str());
    }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
        assert_eq!(parameter("A=b=c"), Ok(("A".into(), "b=c".into())));
        assert!(parameter("A").is_err());
    }
}
