//! From the client's error chains to our own error type.

use std::error::Error;
use std::io;

use rustls::CertificateError;

use crate::{FetchError, TlsFault};

/// Why no response head came, as far as the connector has not said so itself.
pub(crate) fn send_fault(fault: &reqwest::Error, is_https: bool) -> FetchError {
    if fault.is_builder() {
        return FetchError::BadUrl;
    }
    if let Some(tls) = find(fault) {
        return FetchError::Tls { fault: tls_fault(tls) };
    }
    let io_kind = io_kind(fault);
    if fault.is_connect() {
        return match io_kind {
            Some(io::ErrorKind::UnexpectedEof) if is_https => FetchError::Tls { fault: TlsFault::Handshake },
            kind => FetchError::Connect { kind: kind.unwrap_or(io::ErrorKind::Other) },
        };
    }
    let unanswered = find::<hyper::Error>(fault).is_some_and(hyper::Error::is_incomplete_message);
    if unanswered || io_kind.is_some_and(is_cut) {
        return FetchError::Closed;
    }
    FetchError::Protocol
}

/// Why a body stopped.
pub(crate) fn body_fault(fault: &reqwest::Error, received_bytes: u64) -> FetchError {
    let io_kind = io_kind(fault);
    let cut = io_kind.is_some_and(is_cut);
    let incomplete = find::<hyper::Error>(fault).is_some_and(|hyper| {
        // HTTP/2 reports a reset stream as a body error without an io error below it.
        hyper.is_incomplete_message() || hyper.is_closed() || hyper.is_canceled()
    });
    let bad_framing = matches!(io_kind, Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput));
    if cut || incomplete || !bad_framing {
        return FetchError::Truncated { received_bytes };
    }
    FetchError::Protocol
}

fn is_cut(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof)
}

/// The io error nearest to the cause; those around it only say `Other`.
fn io_kind(fault: &reqwest::Error) -> Option<io::ErrorKind> {
    chain(fault).filter_map(|cause| cause.downcast_ref()).last().map(io::Error::kind)
}

fn find<E: Error + 'static>(fault: &reqwest::Error) -> Option<&E> {
    chain(fault).find_map(|cause| cause.downcast_ref())
}

/// All causes. The source of an io error is the source of what it wraps, so that what it wraps
/// has to be asked for apart. Bounded, so that a chain built by others cannot keep us here.
fn chain(fault: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(fault.source(), |cause| {
        let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map(|wrapped| wrapped as &(dyn Error + 'static)).or_else(|| (*cause).source())
    })
    .take(16)
}

fn tls_fault(fault: &rustls::Error) -> TlsFault {
    let rustls::Error::InvalidCertificate(certificate) = fault else {
        return TlsFault::Handshake;
    };
    match certificate {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFault::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TlsFault::NotYetValid,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            TlsFault::WrongName
        }
        CertificateError::UnknownIssuer => TlsFault::UntrustedIssuer,
        _ => TlsFault::BadCertificate,
    }
}
