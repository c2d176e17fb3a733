//! The guarded HTTP client: fetches URLs that other people chose, without trusting them.
//!
//! [`Fetcher::get`] sends one request, follows its redirects and gives the decoded body to the
//! caller in chunks. It says how long each part took, and never takes longer or more than the
//! caller's [`Bounds`].
//!
//! [`Fetcher::post`] posts a short message through the same guard, follows no redirect and reads
//! back next to nothing.
//!
//! # How a request goes
//! 1. The URL is checked: http or https, and an address in place of a host name must be globally
//!    routable (`special_block` is the table) or allowed.
//! 2. It waits for one of the host's slots; that time is ours and is measured apart.
//! 3. The connector resolves the name through a guard that refuses the answer if *any* address
//!    in it is private, then connects to exactly those addresses. There is no second look-up
//!    between check and connect, so an answer that changes cannot be used against it.
//! 4. The response head arrives. A redirect starts again at 1, at most 5 times.
//! 5. The body is decoded as it arrives and counted after decoding.
//!
//! # Invariants
//! - **Nothing connects without a hop.** The connector finds the request it works for in a
//!   task-local; if there is none it refuses, so a new code path is closed until it is checked.
//! - **Every hop is a first request**: redirects are followed by hand, and an address literal,
//!   which never meets a resolver, is checked each time. The peer's address is checked once more
//!   when the response head is there.
//! - **An exception is one exact `host:port`** of the [`AllowList`]; there are no patterns.
//!   Because the list is fixed per client and the pool keeps connections by host and port, a
//!   connection made for an allowed target can never serve another one.
//! - **The environment steers nothing**: proxy variables are ignored. TLS certificates are always
//!   verified.
//! - **Secrets stay home**: custom headers go to the stream's own [`HeaderHosts`], are dropped at
//!   the first foreign hop for good, and are never printed. Cookies follow RFC 6265 within one
//!   [`Session`].
//! - **Everything has a bound**: bytes and lines after decoding, decoder windows, each phase of
//!   time, redirects, cookies, kept headers, connections per host.
//! - **Cancelling is dropping.** A dropped request gives its slot back and closes its connection.
//! - **No hidden retry.** One exception: a kept connection that turns out closed before the
//!   request was written on it is replaced by the HTTP library.
//!
//! # Where times come from
//! The HTTP library has no phase timings. Name resolution is timed in the resolver, TCP and TLS
//! in a layer around the connector, and time to first byte from the end of connecting (or the
//! start of sending, on a kept connection) to the response head. When another request's
//! connection becomes free while this one still connects, the library uses that one; the
//! connecting then counts for nobody.

mod address;
mod answer;
mod body;
mod bounds;
mod classify;
mod connector;
mod decode;
mod error;
mod fetcher;
mod hop;
mod queue;
mod redirects;
mod session;
mod target;

pub use address::{Block, special_block};
pub use answer::{Fetched, KeptHeaders, Timings};
pub use bounds::{Bounds, Phase};
pub use connector::{Lookup, SystemLookup};
pub use error::{BuildError, Coding, FetchError, TlsFault};
pub use fetcher::{FetchConfig, Fetcher, Get, Post, PostError, Posted};
pub use session::{Session, SessionError};
pub use target::{AllowList, HeaderHosts, HostListError};
