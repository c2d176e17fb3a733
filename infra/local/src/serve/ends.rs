//! When the program is told to end.

use std::future::Future;
use std::pin::Pin;

/// What `work` comes to; none when `told` ends first.
pub(crate) async fn unless<T>(
    told: Pin<&mut impl Future<Output = ()>>,
    work: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        () = told => None,
        done = work => Some(done),
    }
}

/// Ends at Ctrl-C and at SIGTERM. Both are caught from this call on, also before anybody waits for them: who sees
/// that a server is there may tell it to end.
#[cfg(unix)]
pub(crate) fn signal() -> impl Future<Output = ()> {
    use tokio::signal::unix::{Signal, SignalKind, signal};
    async fn caught(signal: Option<Signal>) {
        match signal {
            Some(mut signal) => {
                signal.recv().await;
            }
            // There are no such signals to wait for; then only SIGKILL ends the program.
            None => std::future::pending().await,
        }
    }
    let [interrupt, terminate] =
        [SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).ok());
    async {
        tokio::select! {
            () = caught(interrupt) => {}
            () = caught(terminate) => {}
        }
    }
}

/// Ends at Ctrl-C.
#[cfg(not(unix))]
pub(crate) async fn signal() {
    // An error means that there are no signals to wait for.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
