//! The thread that spawns the servers.
//!
//! The kernel's signal at the parent's death follows the *thread* that spawned the child, so an arbiter, which may be
//! replaced, must never spawn one. *Invariant:* the thread lives as long as any clone of its [`Launcher`], and each
//! [`Server`](super::Server) holds one.

use std::{
    io,
    process::{Child, Command},
    sync::mpsc::{SyncSender, TrySendError, sync_channel},
    thread,
};

use tokio::sync::oneshot;

use super::unix;

/// Spawned at once; the number of servers that somebody may want at the same moment.
const QUEUE: usize = 16;

struct Order {
    command: Command,
    spawned: oneshot::Sender<io::Result<Spawned>>,
}

/// A child that is killed and reaped, at the latest when this is dropped: also one that nobody waits for any more.
#[derive(Debug)]
pub(super) struct Spawned(pub(super) Child);

impl Drop for Spawned {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// Spawns children that lead their own session and are interrupted when this process ends. Clones share one thread.
#[derive(Debug, Clone)]
pub struct Launcher {
    orders: SyncSender<Order>,
}

impl Launcher {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// There is no thread to be had.
    pub fn start() -> io::Result<Self> {
        let (orders, received) = sync_channel::<Order>(QUEUE);
        thread::Builder::new().name("launcher".to_owned()).spawn(move || {
            for mut order in received {
                unix::detach(&mut order.command);
                // Who asked may have given up meanwhile
                let _ = order.spawned.send(order.command.spawn().map(Spawned));
            }
        })?;
        Ok(Self { orders })
    }

    /// Spawns `command`; as long as fork and exec take.
    pub(super) async fn spawn(&self, command: Command) -> io::Result<Spawned> {
        let (spawned, answer) = oneshot::channel();
        self.orders.try_send(Order { command, spawned }).map_err(|refused| match refused {
            TrySendError::Full(_) => io::ErrorKind::WouldBlock,
            TrySendError::Disconnected(_) => io::ErrorKind::BrokenPipe,
        })?;
        answer.await.map_err(io::Error::other)?
    }
}
