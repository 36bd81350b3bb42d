//! A connection that cannot be held for nothing.
//!
//! actix limits the time for the header section of the first request only. A client that answers that well and then
//! sends the second one byte by byte, or never reads what it asked for, would keep the connection for ever. This stream
//! gives every phase between requests a deadline.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use actix_web::rt::time::{Instant, Sleep, sleep_until};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::config::HttpConfig;
use crate::metrics::GaugeGuard;

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// From an answer (or the start) to the end of the next header section.
    next_request: Duration,
    /// For taking some of an answer that waits.
    write: Duration,
}

impl Patience {
    pub(super) fn new(config: &HttpConfig) -> Self {
        Self {
            next_request: Duration::from_secs(config.keep_alive + config.header_timeout),
            write: Duration::from_secs(config.write_timeout),
        }
    }
}

/// What the stream and the middleware know of a connection together.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionState(Rc<State>);

#[derive(Debug)]
struct State {
    /// Requests that a handler is working on; it has time limits of its own.
    busy: Cell<u32>,
    /// When something was last sent, or a handler last ended.
    progress: Cell<Instant>,
}

impl ConnectionState {
    fn new() -> Self {
        Self(Rc::new(State { busy: Cell::new(0), progress: Cell::new(Instant::now()) }))
    }

    /// A request has arrived and is worked on until the guard is dropped.
    pub(crate) fn busy(&self) -> Busy {
        self.0.busy.set(self.0.busy.get() + 1);
        Busy(Rc::clone(&self.0))
    }
}

#[derive(Debug)]
pub(crate) struct Busy(Rc<State>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.set(self.0.busy.get() - 1);
        self.0.progress.set(Instant::now());
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    state: ConnectionState,
    patience: Patience,
    write_blocked_since: Option<Instant>,
    /// Fires at or before the deadline and is set anew only then: a request costs no timer.
    timer: Pin<Box<Sleep>>,
    _counted: GaugeGuard,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, patience: Patience, counted: GaugeGuard) -> Self {
        let timer = Box::pin(sleep_until(Instant::now() + patience.next_request.min(patience.write)));
        Self { stream, state: ConnectionState::new(), patience, write_blocked_since: None, timer, _counted: counted }
    }

    pub(super) fn state(&self) -> ConnectionState {
        self.state.clone()
    }

    fn deadline(&self) -> Option<Instant> {
        if let Some(since) = self.write_blocked_since {
            return Some(since + self.patience.write);
        }
        (self.state.0.busy.get() == 0).then(|| self.state.0.progress.get() + self.patience.next_request)
    }

    /// An error once the client has used up its time; else the timer wakes the task when to look again.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while self.timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            let next = match self.deadline() {
                Some(deadline) if deadline <= now => {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "the client took too long"));
                }
                Some(deadline) => deadline,
                None => now + self.patience.next_request,
            };
            // A write that blocks later must not wait for a timer that was set for reading.
            self.timer.as_mut().reset(next.min(now + self.patience.write));
        }
        Ok(())
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => match self.check(cx) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            },
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(cx, bytes) {
            Poll::Ready(result) => {
                self.write_blocked_since = None;
                self.state.0.progress.set(Instant::now());
                Poll::Ready(result)
            }
            Poll::Pending => {
                self.write_blocked_since.get_or_insert_with(Instant::now);
                match self.check(cx) {
                    Ok(()) => Poll::Pending,
                    Err(error) => Poll::Ready(Err(error)),
                }
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
