//! A second way to a session's connection: to end it when its peer takes nothing any more, and to write to it while the
//! first way is empty.
//!
//! *Invariant:* a [`Cut`] lives in its connection's own data and is held weakly elsewhere: it never keeps a
//! connection open, and that it is gone means that the connection is.

use std::{
    any::Any,
    io::{self, IoSlice, Write as _},
    net::{Shutdown, TcpStream},
    os::fd::AsFd,
    sync::{Arc, Weak},
};

use actix_web::dev::Extensions;

use super::kernel;

/// A duplicate of a connection's descriptor.
#[derive(Debug)]
pub struct Cut(TcpStream);

impl Cut {
    #[cfg(test)]
    pub(super) fn of(connection: TcpStream) -> Self {
        Self(connection)
    }

    /// Ends the connection in both directions, at once and from any thread. What the kernel has taken is still sent.
    pub fn cut(&self) {
        // It fails only when the peer was faster
        _ = self.0.shutdown(Shutdown::Both);
    }

    /// Writes as much of that as the connection takes at once. Gives how many bytes.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when it takes none; else it is over.
    pub(super) fn write(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        match pieces {
            [one] => (&self.0).write(one),
            some => (&self.0).write_vectored(some),
        }
    }

    /// How many bytes the kernel has ever taken of what was written to it. `None`: it does not tell.
    pub(super) fn accepted(&self) -> Option<u64> {
        kernel::accepted(self.0.as_fd())
    }

    /// Ends what the peer may send, so that the connection closes as soon as all is written.
    pub(super) fn end_reading(&self) {
        _ = self.0.shutdown(Shutdown::Read);
    }
}

/// Keeps a [`Cut`] with each connection: for `HttpServer::on_connect`.
pub fn on_connect(connection: &dyn Any, data: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<tokio::net::TcpStream>() else { return };
    // Out of descriptors: the connection serves requests, but no session is opened on what cannot be cut
    if let Ok(duplicate) = stream.as_fd().try_clone_to_owned() {
        data.insert(Arc::new(Cut(TcpStream::from(duplicate))));
    }
}

/// The connection's cut, as a session keeps it.
pub(super) fn of(request: &actix_web::HttpRequest) -> Option<Weak<Cut>> {
    request.conn_data::<Arc<Cut>>().map(Arc::downgrade)
}
