//! Why a request brought nothing, or not everything.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use crate::{Block, Phase};

/// Why a request failed. A playlist that breaks a rule is a finding elsewhere, not an error here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The target, or one address its name resolves to, is not globally routable. Nothing was
    /// connected to. The message leaves the address out, because whoever may add a stream must
    /// not be able to ask our resolver about internal names; the fields are for the log.
    #[error(
        "{host}:{port} is not a public address; to reach it all the same, list exactly `{host}:{port}` among the allowed targets"
    )]
    PrivateAddress {
        /// The host as the URL of the refused hop spells it.
        host: Box<str>,
        /// The port of the refused hop.
        port: u16,
        /// The address that was refused.
        address: IpAddr,
        /// The special-purpose block the address is in.
        block: Block,
    },
    /// A scheme other than http and https, in the request or in a redirect.
    #[error("the scheme `{scheme}` is not fetched; use an http or https URL")]
    Scheme {
        /// The scheme, cut to 40 characters.
        scheme: Box<str>,
    },
    /// The URL has no host or port, or cannot be sent as a request.
    #[error("the URL cannot be requested; check its host, port and path")]
    BadUrl,
    /// A redirect without a usable `Location`.
    #[error("the origin redirects without a usable Location header; correct the redirect at the origin")]
    BadRedirect,
    /// More hops than allowed.
    #[error("more than {limit} redirects; point the stream at the final URL")]
    TooManyRedirects {
        /// The most redirects one request follows.
        limit: u8,
    },
    /// A redirect leads to a URL of the same chain, and no cookie changed in between.
    #[error("the redirects lead in a circle; correct them at the origin")]
    RedirectLoop,
    /// The name could not be resolved.
    #[error("the host name could not be resolved; check its spelling and its DNS records")]
    Dns {
        /// What the resolver said.
        kind: io::ErrorKind,
    },
    /// No TCP connection.
    #[error("no connection to the host ({kind}); check that the server listens and is reachable")]
    Connect {
        /// What the operating system said.
        kind: io::ErrorKind,
    },
    /// No trusted TLS connection.
    #[error("no secure connection: {fault}")]
    Tls {
        /// What was wrong.
        fault: TlsFault,
    },
    /// A time limit ran out.
    #[error("timed out after {limit:?} {phase}")]
    TimedOut {
        /// In which part of the request.
        phase: Phase,
        /// The limit that ran out.
        limit: Duration,
    },
    /// The final answer is not a success. Its body was not read. 304 is among them.
    #[error("the origin answered {status}")]
    Refused {
        /// The HTTP status code.
        status: u16,
    },
    /// The decoded body is larger than the cap.
    #[error(
        "the body is larger than {limit_bytes} bytes; check that the URL is a playlist or segment of this stream"
    )]
    TooLarge {
        /// The cap, in decoded bytes.
        limit_bytes: u64,
    },
    /// The body has more lines than the cap.
    #[error("the body has more than {limit} lines; shorten the playlist")]
    TooManyLines {
        /// The cap, in lines.
        limit: u64,
    },
    /// A line of the body is longer than the cap.
    #[error("a line of the body is longer than {limit_bytes} bytes; check that the URL is a playlist")]
    LineTooLong {
        /// The cap, in bytes without the line feed.
        limit_bytes: u64,
    },
    /// The body ended before its announced length, its last chunk or the end of its compression.
    #[error("the body ended early, after {received_bytes} bytes; the origin or a cache cut the connection")]
    Truncated {
        /// Decoded bytes that had arrived.
        received_bytes: u64,
    },
    /// The body breaks its own compression.
    #[error("the body is not valid {coding}; check the compression at the origin or CDN")]
    Decode {
        /// The compression it claims to have.
        coding: Coding,
    },
    /// A `Content-Encoding` that was not asked for.
    #[error("the body has a Content-Encoding that was not asked for; send gzip, br, zstd or none")]
    UnknownEncoding,
    /// A byte range was asked for and other bytes were sent.
    #[error("the origin does not send the byte range that was asked for; enable range requests there")]
    WrongRange,
    /// The connection was closed before a response head came.
    #[error("the server closed the connection without an answer; check the server's log")]
    Closed,
    /// The answer is not HTTP as this client understands it.
    #[error("the answer is not valid HTTP; check that the port serves HTTP")]
    Protocol,
}

impl FetchError {
    /// A stable class for counting and grouping.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::PrivateAddress { .. } => "private_address",
            Self::Scheme { .. } | Self::BadUrl => "bad_url",
            Self::BadRedirect | Self::TooManyRedirects { .. } | Self::RedirectLoop => "redirect",
            Self::Dns { .. } => "dns",
            Self::Connect { .. } => "connect",
            Self::Tls { .. } => "tls",
            Self::TimedOut { .. } => "timeout",
            Self::Refused { .. } => "http_status",
            Self::TooLarge { .. } | Self::TooManyLines { .. } | Self::LineTooLong { .. } => "too_large",
            Self::Truncated { .. } => "truncated",
            Self::Decode { .. } | Self::UnknownEncoding => "encoding",
            Self::WrongRange => "range",
            Self::Closed | Self::Protocol => "protocol",
        }
    }
}

/// What was wrong with a TLS connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsFault {
    /// The certificate is past its end.
    Expired,
    /// The certificate is not valid yet.
    NotYetValid,
    /// The certificate is for other names.
    WrongName,
    /// No trusted authority has signed the certificate.
    UntrustedIssuer,
    /// The certificate is bad in another way.
    BadCertificate,
    /// The server does not speak TLS, or closed the connection in the handshake.
    Handshake,
}

impl std::fmt::Display for TlsFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Expired => "the certificate has expired; renew it",
            Self::NotYetValid => "the certificate is not valid yet; check the server's and our clock",
            Self::WrongName => "the certificate is for another host name",
            Self::UntrustedIssuer => {
                "the certificate's issuer is not trusted; send the full chain from a public authority"
            }
            Self::BadCertificate => "the certificate is not acceptable",
            Self::Handshake => "the TLS handshake failed; check that the port speaks TLS 1.2 or 1.3",
        })
    }
}

/// A compression of a body (RFC 9110 section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// RFC 1952.
    Gzip,
    /// RFC 7932.
    Brotli,
    /// RFC 8878, with the window of RFC 9659.
    Zstd,
}

impl std::fmt::Display for Coding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Brotli => "Brotli",
            Self::Zstd => "Zstandard",
        })
    }
}

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The user agent is not a header value.
    #[error("user_agent has characters that a header may not have; use printable ASCII")]
    UserAgent,
    /// `per_host` is out of its range.
    #[error("per_host is {got}; it must be between 1 and {max}")]
    PerHost {
        /// The value given.
        got: usize,
        /// The largest value.
        max: usize,
    },
    /// The HTTP client could not be set up, most often because the machine has no certificate
    /// authorities.
    #[error("the HTTP client could not be set up; check that the system's CA certificates are installed")]
    Client(#[source] reqwest::Error),
}
