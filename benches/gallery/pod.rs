//! The pod that is measured: straight on its servers, and nobody reads its log but the disk.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::{
    processor::Clock,
    support::{DEADLINE, house::UNHURRIED, own::OwnPostgres, poll::eventually, process::SECRET, servers},
};

/// A pod, its PostgreSQL and its Redis.
pub struct Pod {
    pub postgres: OwnPostgres,
    address: SocketAddr,
    // Before what they stand on
    pod: Killed,
    _redis: Killed,
}

/// A process that ends with this.
struct Killed(Child);

impl Pod {
    pub async fn start() -> Self {
        let postgres = OwnPostgres::start().await;
        let (redis, redis_url) = redis().await;
        let directory = servers::directory("measured");
        let (log, storage) = (directory.join("log"), format!("file://{}", directory.display()));
        let mut command = Command::new(env!("CARGO_BIN_EXE_party-gallery"));
        command.env_clear().envs(UNHURRIED).envs([
            ("APP_ENV", "production"),
            ("HOST", "127.0.0.1"),
            ("PORT", "0"),
            ("DATABASE_URL", postgres.url()),
            ("REDIS_URL", &redis_url),
            ("PUBLIC_URL", "https://party.example"),
            ("JWT_SECRET", SECRET),
            ("STORAGE_URL", &storage),
        ]);
        command.env("DATA_DIR", &directory).stdout(File::create(&log).unwrap());
        let pod = Killed(command.spawn().unwrap());
        let said = |message: &str| {
            let text = fs::read_to_string(&log).unwrap();
            let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            lines.find(|line| line["message"] == message)
        };
        let started = eventually(DEADLINE, "the pod starts", async || said("Started")).await;
        eventually(DEADLINE, "the pod is ready", async || said("Ready")).await;
        let address = started["address"].as_str().unwrap().parse().unwrap();
        Self { postgres, address, pod, _redis: redis }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn clock(&self) -> Clock {
        Clock::of_process(self.pod.0.id())
    }

    /// The number of its process, for who wants to look into it.
    pub fn id(&self) -> u32 {
        self.pod.0.id()
    }
}

/// On TCP, for the binary knows no path.
async fn redis() -> (Killed, String) {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()]);
    let redis = Killed(command.stdout(Stdio::null()).spawn().unwrap());
    let answers = async || TcpStream::connect(("127.0.0.1", port)).is_ok();
    eventually(DEADLINE, "Redis starts", answers).await;
    (redis, format!("redis://127.0.0.1:{port}"))
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
