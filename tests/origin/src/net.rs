//! Connections that can be told to crawl, and that end when the origin stops.

use std::future::Future;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};

/// Time between two bytes of a crawling connection.
const DRIP: Duration = Duration::from_secs(1);

/// A handle on a connection, for whoever answers its requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pace(Arc<AtomicBool>);

impl Pace {
    /// From now on the connection sends one byte a second.
    pub(crate) fn crawl(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn crawls(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Connected<IncomingStream<'_, OriginListener>> for Pace {
    fn connect_info(stream: IncomingStream<'_, OriginListener>) -> Self {
        stream.io().pace.clone()
    }
}

/// A listening socket; dropping the sender of `stop`, or sending true, ends its connections.
pub(crate) struct OriginListener {
    pub(crate) socket: TcpListener,
    pub(crate) stop: watch::Receiver<bool>,
}

impl Listener for OriginListener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            match self.socket.accept().await {
                Ok((stream, peer)) => {
                    // Without it small answers wait for the previous one's acknowledgement; not fatal.
                    let _ = stream.set_nodelay(true);
                    return (Connection::new(stream, self.stop.clone()), peer);
                }
                // Out of descriptors, most likely: wait for connections to end.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// A connection of the origin.
pub(crate) struct Connection {
    stream: TcpStream,
    pace: Pace,
    next_byte: Option<Pin<Box<Sleep>>>,
    stopped: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Connection {
    fn new(stream: TcpStream, mut stop: watch::Receiver<bool>) -> Self {
        let stopped = Box::pin(async move {
            // An error means that the origin is gone, which ends the connection just as well.
            let _ = stop.wait_for(|stop| *stop).await;
        });
        Self { stream, pace: Pace::default(), next_byte: None, stopped }
    }

    fn check_stopped(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.stopped.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }

    /// Sends the next byte when it is due.
    fn poll_drip(&mut self, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(timer) = self.next_byte.as_mut() {
            ready!(timer.as_mut().poll(context));
        }
        let sent = ready!(Pin::new(&mut self.stream).poll_write(context, data.get(..1).unwrap_or_default()));
        self.next_byte = Some(Box::pin(sleep_until(Instant::now() + DRIP)));
        Poll::Ready(sent)
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // A finished future must not be polled again; the error ends the connection at once, so it is not.
        self.check_stopped(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.pace.crawls() {
            return self.poll_drip(context, data);
        }
        Pin::new(&mut self.stream).poll_write(context, data)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.pace.crawls() {
            let first = data.iter().find(|slice| !slice.is_empty()).map_or(&[][..], |slice| slice);
            return self.poll_drip(context, first);
        }
        Pin::new(&mut self.stream).poll_write_vectored(context, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
