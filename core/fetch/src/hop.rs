//! One hop: a request is sent and its response head awaited, within connect and first-byte time.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use reqwest::{Client, Request, Response};
use tokio::time::{Instant, sleep_until};
use url::{Host, Url};

use crate::bounds::later;
use crate::connector::{HOP, Hop, Progress, Refusal};
use crate::{AllowList, Bounds, FetchError, Phase, classify, special_block};

/// A URL that may be requested: its scheme is http or https, and if its host is an address, that
/// address is public or allowed. A name is judged in the resolver, when its addresses are known.
pub(crate) struct Checked<'a> {
    pub(crate) url: &'a Url,
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) allowed: bool,
    is_literal: bool,
}

impl<'a> Checked<'a> {
    pub(crate) fn new(url: &'a Url, allow: &AllowList) -> Result<Self, FetchError> {
        if !matches!(url.scheme(), "http" | "https") {
            let scheme = url.scheme().chars().take(40).collect::<String>().into();
            return Err(FetchError::Scheme { scheme });
        }
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(FetchError::BadUrl);
        };
        // The URL parser has already turned decimal, octal, hexadecimal and short spellings of
        // an IPv4 address into an address; nothing that looks like one is left a name.
        let literal = match url.host() {
            Some(Host::Ipv4(v4)) => Some(v4.into()),
            Some(Host::Ipv6(v6)) => Some(v6.into()),
            Some(Host::Domain(_)) | None => None,
        };
        let checked = Self { url, host, port, allowed: allow.allows(url), is_literal: literal.is_some() };
        literal.map_or(Ok(()), |address| checked.judge(address))?;
        Ok(checked)
    }

    /// Refuses an address that is not public, unless this host and port are allowed.
    pub(crate) fn judge(&self, address: std::net::IpAddr) -> Result<(), FetchError> {
        match special_block(address) {
            Some(block) if !self.allowed => {
                Err(FetchError::PrivateAddress { host: self.host.into(), port: self.port, address, block })
            }
            _ => Ok(()),
        }
    }

    /// What the connector has to know about this hop.
    pub(crate) fn hop(&self, bounds: &Bounds) -> Arc<Hop> {
        Hop::new(self.allowed, self.is_literal, bounds.connect)
    }
}

/// What sending one request took.
pub(crate) struct Sent {
    pub(crate) dns: Option<Duration>,
    pub(crate) connect: Option<Duration>,
    pub(crate) outcome: Result<Head, FetchError>,
}

/// A response head and the time it took.
pub(crate) struct Head {
    pub(crate) response: Response,
    pub(crate) ttfb: Duration,
}

/// Sends `request` and waits for its head; `deadline` is when the total time is up.
pub(crate) async fn send(
    client: &Client,
    request: Request,
    checked: &Checked<'_>,
    bounds: &Bounds,
    deadline: Instant,
) -> Sent {
    let hop = checked.hop(bounds);
    let clock = Clock { started: Instant::now(), bounds, deadline };
    let answer = clock.watch(&hop, HOP.scope(Arc::clone(&hop), client.execute(request))).await;
    let head_at = Instant::now();
    let progress = hop.progress();
    let outcome = match answer {
        Ok(Ok(response)) => {
            let ttfb = head_at.saturating_duration_since(progress.done_at.unwrap_or(clock.started));
            Ok(Head { response, ttfb })
        }
        Ok(Err(fault)) => Err(explain(&fault, &progress, checked, bounds)),
        Err(timed_out) => Err(timed_out),
    };
    let ours = !progress.left_behind;
    Sent { dns: progress.dns.filter(|_| ours), connect: progress.connect.filter(|_| ours), outcome }
}

/// The connector knows best why it did not connect; the rest is in the client's error.
fn explain(
    fault: &reqwest::Error,
    progress: &Progress,
    checked: &Checked<'_>,
    bounds: &Bounds,
) -> FetchError {
    match &progress.refusal {
        Some(Refusal::Private { address, block }) => FetchError::PrivateAddress {
            host: checked.host.into(),
            port: checked.port,
            address: *address,
            block: *block,
        },
        Some(Refusal::Dns { kind }) => FetchError::Dns { kind: *kind },
        Some(Refusal::TimedOut { phase }) => FetchError::TimedOut { phase: *phase, limit: bounds.connect },
        None => classify::send_fault(fault, checked.url.scheme() == "https"),
    }
}

/// The time limits between sending and the response head.
struct Clock<'a> {
    started: Instant,
    bounds: &'a Bounds,
    deadline: Instant,
}

impl Clock<'_> {
    /// Runs `sending` until it is done or out of time. The alarm is set once and moved only when
    /// it rings while connecting is what took the time.
    async fn watch<T>(&self, hop: &Hop, sending: impl Future<Output = T>) -> Result<T, FetchError> {
        let mut sending = pin!(sending);
        let mut alarm = pin!(sleep_until(self.due(&Progress::default())));
        poll_fn(|cx| {
            if let Poll::Ready(done) = sending.as_mut().poll(cx) {
                return Poll::Ready(Ok(done));
            }
            loop {
                ready!(alarm.as_mut().poll(cx));
                let due = self.due(&hop.progress());
                let now = Instant::now();
                if now >= due {
                    return Poll::Ready(Err(self.timed_out(now)));
                }
                alarm.as_mut().reset(due);
            }
        })
        .await
    }

    /// When the head is overdue, as far as can be said now.
    fn due(&self, progress: &Progress) -> Instant {
        let first_byte_from = match (progress.done_at, progress.connecting_since) {
            (Some(done_at), _) => done_at,
            // Still connecting, which has a limit of its own in the connector.
            (None, Some(since)) => later(since, self.bounds.connect),
            (None, None) => self.started,
        };
        later(first_byte_from, self.bounds.first_byte).min(self.deadline)
    }

    fn timed_out(&self, now: Instant) -> FetchError {
        if now >= self.deadline {
            return FetchError::TimedOut { phase: Phase::Total, limit: self.bounds.total };
        }
        FetchError::TimedOut { phase: Phase::FirstByte, limit: self.bounds.first_byte }
    }
}
