//! `hlsops-probe`: the probe as a Lambda function. Everything it does is in the library.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use hlsops_domain::EpochMs;
use hlsops_fetch::{FetchConfig, Fetcher};
use hlsops_probe::lambda::{Config, Function, Invocation, clients};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Mutex;

/// The answer of the last invocation has this long to leave, once the process was told to end.
const LAST_WORDS: Duration = Duration::from_millis(300);

// One thread: a function of 256 MB has a sixth of a processor, and threads would only share it.
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
    let clients = clients(&config, get)?;
    let fetcher = Fetcher::new(FetchConfig { allow: config.allow.clone(), ..FetchConfig::default() })?;
    let function = Arc::new(Function::new(config, clients, fetcher));
    let busy = Arc::new(Mutex::new(()));
    let mut terminate = signal(SignalKind::terminate())?;
    let service = {
        let (function, busy) = (Arc::clone(&function), Arc::clone(&busy));
        service_fn(move |event: LambdaEvent<Value>| {
            let (function, busy) = (Arc::clone(&function), Arc::clone(&busy));
            async move {
                let _busy = busy.lock().await;
                handle(&function, event).await
            }
        })
    };
    let serving = tokio::spawn(lambda_runtime::run(service));
    tokio::select! {
        ended = serving => return ended?,
        _ = terminate.recv() => function.stop(),
    }
    // An invocation under way ends by itself now.
    drop(busy.lock().await);
    tokio::time::sleep(LAST_WORDS).await;
    Ok(())
}

async fn handle(function: &Function, event: LambdaEvent<Value>) -> Result<Value, Error> {
    let (payload, context) = event.into_parts();
    let invocation = Invocation { request_id: context.request_id, deadline: EpochMs(context.deadline) };
    let (answer, line) = function.invoke(payload, &invocation).await;
    // Without a standard output there is nobody to tell.
    let _ = writeln!(std::io::stdout(), "{line}");
    Ok(answer?)
}
