//! The parts of the program on one folder and one address.

use std::future::Future;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::{Router, middleware};
use hlsops_notify::{Webhooks, run_sender};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

use super::clock::WallClock;
use super::{ServeError, answers, door, guard, local, watchers};
use crate::data::Endpoint;
use crate::station::Station;

/// How often expired items are deleted.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// How long storing the last pages may take.
pub(super) const FAREWELL: Duration = Duration::from_secs(20);

/// An address that is taken.
#[derive(Debug)]
pub(crate) struct Listener {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Takes the address; port 0 is a free one. `option` is the one that chooses another.
    pub(crate) async fn take(listen: SocketAddr, option: &'static str) -> Result<Self, ServeError> {
        let failed = |source| ServeError::Listen { address: listen, source, option };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }
}

/// An open folder with an address.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) station: Station,
    listener: TcpListener,
    address: SocketAddr,
    names: guard::Names,
    /// What links in messages begin with, if not the address.
    pub(super) links: Option<String>,
}

impl Server {
    /// Puts both together.
    pub(crate) fn new(station: Station, listener: Listener, public_url: Option<&Url>) -> Self {
        let Listener { listener, address } = listener;
        let names = guard::Names::new(address, public_url.and_then(Url::host_str));
        let links = public_url.map(|url| url.as_str().trim_end_matches('/').to_owned());
        Self { station, listener, address, names, links }
    }

    /// How this machine reaches it, and its key.
    pub(crate) fn endpoint(&self) -> Endpoint {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        let key = self.station.key().to_owned();
        Endpoint { address: format!("http://{address}"), key, pid: std::process::id() }
    }

    /// Watches and answers until `until` ends; then stores the last pages. `more` is answered as well.
    pub(crate) async fn run(self, more: Router, until: impl Future<Output = ()>) -> Result<(), ServeError> {
        let links = self.links.clone().unwrap_or_else(|| self.endpoint().address);
        let Self { station, listener, names, .. } = self;
        let router = local::routes(&station)
            .merge(more)
            .merge(crate::site::routes())
            .fallback_service(station.api())
            .layer(middleware::from_fn_with_state(Arc::new(names), guard::check))
            .layer(middleware::from_fn(answers::finish));
        let (stop, stopped) = watch::channel(false);
        let mut parts = JoinSet::new();
        let (engine, until_told) = (station.engine.clone(), watchers::told(stopped.clone()));
        parts.spawn(async move {
            engine.run_sweeper(SWEEP_EVERY, until_told).await;
            "the sweep of expired items"
        });
        let publisher = Webhooks::new(station.fetcher.clone()).with_links(links);
        let (store, notice) = (station.store.clone(), Arc::clone(&station.notice));
        let until_told = watchers::told(stopped.clone());
        parts.spawn(async move {
            // What is due was stamped by the system's time.
            run_sender(store, publisher, WallClock, notice, until_told).await;
            "sending messages"
        });
        let until_told = watchers::told(stopped.clone());
        parts.spawn(async move {
            door::serve(listener, router, until_told).await;
            "answering"
        });
        parts.spawn(async move {
            watchers::run(station, stopped).await;
            "watching"
        });
        let early = tokio::select! {
            () = until => None,
            part = parts.join_next() => Some(part.and_then(Result::ok).unwrap_or("a part of the program")),
        };
        // Nobody listening means that all parts have ended.
        let _ = stop.send(true);
        let all = async { while parts.join_next().await.is_some() {} };
        let in_time = tokio::time::timeout(FAREWELL, all).await.is_ok();
        match early {
            Some(part) => Err(ServeError::Ended(part)),
            None if in_time => Ok(()),
            None => Err(ServeError::Slow),
        }
    }
}
