//! `hlsops-api`: the API as a Lambda function behind an HTTP API. Everything it does is in the library.

use std::process::ExitCode;

use hlsops_api::lambda::{Config, router};
use lambda_http::Error;

// One thread: a function of 512 MB has a third of a processor, and serves one request at a time.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().json().with_writer(std::io::stdout).init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Error> {
    let get = |name: &str| std::env::var(name).ok();
    let config = Config::read(get)?;
    lambda_http::run(router(&config)?).await
}
