//! Accepting connections: how many, how long, and how they end.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Connections at the same time; more wait in the system's queue.
const CONNECTIONS: usize = 1_024;
/// How long a request's head may take, and how long a connection may stand idle.
const HEAD: Duration = Duration::from_secs(30);
/// How long answers under way may take once the program ends.
const FAREWELL: Duration = Duration::from_secs(5);
/// The wait after a failure to accept: most likely there are no descriptors left.
const BREATH: Duration = Duration::from_millis(100);

/// Answers connections until `until` ends; then lets answers under way end, for a moment.
pub(crate) async fn serve(listener: TcpListener, router: Router, until: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let (stop, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut until = pin!(until);
    loop {
        let accepted = async {
            // The semaphore is never closed.
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        tokio::select! {
            () = &mut until => break,
            Some(_) = connections.join_next() => {}
            (place, accepted) = accepted => match accepted {
                Ok((stream, _)) => {
                    let (router, stopped) = (router.clone(), stopped.clone());
                    connections.spawn(async move {
                        let _place = place;
                        answer(stream, router, stopped).await;
                    });
                }
                Err(error) => {
                    tracing::warn!("cannot accept a connection: {error}");
                    tokio::time::sleep(BREATH).await;
                }
            },
        }
    }
    // Nobody listening means that there is no connection.
    let _ = stop.send(true);
    let all = async { while connections.join_next().await.is_some() {} };
    // Those that take longer are closed when the set is dropped.
    let _ = tokio::time::timeout(FAREWELL, all).await;
}

async fn answer(stream: TcpStream, router: Router, mut stopped: watch::Receiver<bool>) {
    // Without it small answers wait for the previous one's acknowledgement; not fatal.
    let _ = stream.set_nodelay(true);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)));
    let told = tokio::select! {
        // How a connection ends is its client's affair.
        _ = connection.as_mut() => return,
        told = stopped.wait_for(|stop| *stop) => told.is_ok(),
    };
    if told {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}
