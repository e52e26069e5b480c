//! A real Redis of the test's own, on a Unix socket in a directory that goes with it.

use std::{
    fs::File,
    path::PathBuf,
    process::{Child, Command},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::{net::UnixStream, time::sleep};

pub(super) struct Server {
    home: TempDir,
    child: Option<Child>,
}

impl Server {
    /// One that does not run yet.
    pub(super) fn absent() -> Self {
        Self { home: tempfile::tempdir().unwrap(), child: None }
    }

    pub(super) async fn running() -> Self {
        let mut server = Self::absent();
        server.start().await;
        server
    }

    pub(super) fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.home.path().join("redis.sock")
    }

    /// Starts it and waits until it accepts. Gives when it did.
    pub(super) async fn start(&mut self) -> Instant {
        let log = File::create(self.home.path().join("redis.log")).unwrap();
        let child = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(self.socket())
            .current_dir(self.home.path())
            .stdout(log)
            .spawn()
            .expect("redis-server is needed to test what depends on it");
        self.child = Some(child);
        let deadline = Instant::now() + Duration::from_secs(10);
        while UnixStream::connect(self.socket()).await.is_err() {
            assert!(Instant::now() < deadline, "redis-server does not accept");
            sleep(Duration::from_millis(2)).await;
        }
        Instant::now()
    }

    /// SIGKILL.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGSTOP: it hangs without a word, its sockets open.
    pub(super) fn freeze(&self) {
        self.signal("-STOP");
    }

    /// SIGCONT.
    pub(super) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
