//! Whatever answers at an address: a pod in this process, or one in a process of its own.

use std::net::SocketAddr;

use super::app::TestApp;

/// A pod, as its clients know it.
pub trait Pod {
    /// Where it listens.
    fn at(&self) -> SocketAddr;
}

impl Pod for SocketAddr {
    fn at(&self) -> SocketAddr {
        *self
    }
}

impl Pod for TestApp {
    fn at(&self) -> SocketAddr {
        self.address()
    }
}
