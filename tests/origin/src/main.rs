//! `hlsops-origin`: the origin as a program.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use hlsops_origin::{DEMO, Origin, OriginConfig, StartError};

/// A live HLS origin with faults on demand, serving real media.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Address to serve on; may be given several times. Port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8899")]
    listen: Vec<SocketAddr>,
    /// Make the nine demo streams, with their faults.
    #[arg(long)]
    demo: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If standard error is closed there is nobody left to tell.
            let _ = writeln!(std::io::stderr(), "hlsops-origin: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), StartError> {
    let origin = Origin::start(OriginConfig { listen: options.listen, demo: options.demo }).await?;
    let mut text = String::new();
    for address in origin.addresses() {
        text += &format!("serving    http://{address}\n");
    }
    text += &format!("control    {}/control\n", origin.base_url());
    text += &format!("automatic  {}   (any name after auto-)\n", origin.url("auto-1"));
    if options.demo {
        for row in &DEMO {
            text += &format!("{:<17}{}\n{:<17}{}\n", row.id, origin.url(row.id), "", row.why);
        }
    }
    // A closed standard output does not stop the origin.
    let _ = std::io::stdout().write_all(text.as_bytes());
    let _ = std::io::stdout().flush();
    // Without a handler for the signal, its default ends the program just as well.
    let _ = tokio::signal::ctrl_c().await;
    origin.stop().await;
    Ok(())
}
