//! Servers of one test alone, to be killed, frozen and started again.

use std::{
    fs,
    marker::PhantomData,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use party_gallery::local::{Server, Signal};
use tokio::runtime;

use super::{DEADLINE, database::connected, process::spent, servers};

/// A PostgreSQL of one test alone.
pub type OwnPostgres = Own<Postgres>;
/// A Redis of one test alone; it forgets everything when it ends.
pub type OwnRedis = Own<Redis>;

/// Which server it is.
pub trait Kind {
    /// Starts it in `directory`, on what it finds there.
    async fn start(directory: &Path) -> Server;
}

/// See [`OwnPostgres`].
pub struct Postgres;
/// See [`OwnRedis`].
pub struct Redis;

impl Kind for Postgres {
    async fn start(directory: &Path) -> Server {
        servers::start_postgres(directory).await
    }
}

impl Kind for Redis {
    async fn start(directory: &Path) -> Server {
        servers::start_redis(directory).await
    }
}

/// A server of one test alone. It ends, and its data are removed, when this is dropped.
pub struct Own<K> {
    directory: PathBuf,
    url: String,
    socket: PathBuf,
    server: Option<Server>,
    kind: PhantomData<K>,
}

impl<K: Kind> Own<K> {
    /// Starts a new one.
    pub async fn start() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let directory = servers::directory(&format!("own-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        let server = K::start(&directory).await;
        let (url, socket) = (server.url().to_owned(), server.socket().to_owned());
        Self { directory, url, socket, server: Some(server), kind: PhantomData }
    }

    /// Where it is, also while it is not.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its socket: what a [`super::chaos_proxy::ChaosProxy`] is put in front of.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The processor's time that it and its children have taken so far.
    pub fn spent(&mut self) -> Duration {
        let pid = self.running().pid().unwrap().expect("it runs");
        spent(pid.unsigned_abs())
    }

    /// It and all its children are killed, and are gone when this returns.
    pub fn kill9(&mut self) {
        drop(self.server.take());
    }

    /// It and all its children stand still: sockets stay open, connects are taken by the kernel, nothing answers.
    pub fn freeze(&mut self) {
        self.running().signal(Signal::Stop).unwrap();
    }

    /// It goes on.
    pub fn thaw(&mut self) {
        self.running().signal(Signal::Continue).unwrap();
    }

    /// It starts on the same data, at the same address.
    pub async fn start_again(&mut self) {
        assert!(self.server.is_none(), "it runs");
        self.server = Some(K::start(&self.directory).await);
    }

    fn running(&mut self) -> &mut Server {
        self.server.as_mut().expect("it was killed")
    }
}

impl Own<Postgres> {
    /// It ends, comes back as a standby that has everything, and takes over.
    pub async fn take_over(&mut self) {
        self.kill9();
        let signal = self.directory.join("postgres/pg/standby.signal");
        fs::write(&signal, "").unwrap();
        // It is opened for writing before it is removed
        fs::set_permissions(&signal, fs::Permissions::from_mode(0o666)).unwrap();
        self.start_again().await;
        connected(&self.url, async |client| {
            let promoted: bool = client.query_one("SELECT pg_promote()", &[]).await.unwrap().get(0);
            assert!(promoted);
        })
        .await;
    }
}

impl<K> Drop for Own<K> {
    /// A killed PostgreSQL leaves shared memory behind until it is started again, which nobody will do: it is stopped.
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // On a thread, for the test's own runtime is busy dropping this
            let stopper = thread::spawn(move || {
                let runtime = runtime::Builder::new_current_thread().enable_time().build().unwrap();
                let _ = server.signal(Signal::Continue);
                let _ = runtime.block_on(server.stop(DEADLINE));
            });
            let _ = stopper.join();
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}
