//! The way to end a connection whose peer takes nothing any more.
//!
//! *Invariant:* a [`Cut`] lives in its connection's own data and is held weakly elsewhere: it never keeps a
//! connection open, and that it is gone means that the connection is.

use std::{
    any::Any,
    net::{Shutdown, TcpStream},
    os::fd::AsFd,
    sync::{Arc, Weak},
};

use actix_web::dev::Extensions;

/// A duplicate of a connection's descriptor.
#[derive(Debug)]
pub struct Cut(TcpStream);

impl Cut {
    /// Ends the connection in both directions, at once and from any thread. What the kernel has taken is still sent.
    pub fn cut(&self) {
        // It fails only when the peer was faster
        _ = self.0.shutdown(Shutdown::Both);
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
