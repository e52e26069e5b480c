//! A pod in a process of its own, on servers and files of its own, to be hurt as a whole machine can be.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use super::{
    chaos_proxy::{ChaosProxy, Upstream},
    fragile::Variables,
    own::{OwnPostgres, OwnRedis},
    process::{Process, SECRET},
    servers,
    stage::Stage,
};

/// Rates that are not what refuses.
pub const UNHURRIED: [(&str, &str); 4] = [
    ("RATE_UPLOADS", "100000/s"),
    ("RATE_CHAT", "100000/s"),
    ("RATE_REQUESTS", "100000/s"),
    ("RATE_REQUESTS_BY_ADDRESS", "100000/s"),
];

/// PostgreSQL, Redis, a directory for photos, and as many pods on them as are asked for.
pub struct House {
    /// What the pods stand on.
    pub postgres: OwnPostgres,
    /// What they are hinted by.
    pub redis: OwnRedis,
    /// The way to it, for the binary knows no path.
    line: ChaosProxy,
    /// Where photos are.
    pub storage: PathBuf,
}

impl House {
    /// An empty one.
    pub async fn start() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let (postgres, redis) = (OwnPostgres::start().await, OwnRedis::start().await);
        let line = ChaosProxy::start(Upstream::Unix(redis.socket().to_owned())).await;
        let storage = servers::directory(&format!("house-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        Self { postgres, redis, line, storage }
    }

    /// Starts a pod and waits until it is ready. Its rates refuse nothing; `more` are further variables.
    pub async fn pod(&self, more: &[(&str, &str)]) -> (Process, SocketAddr) {
        let (redis, storage) = (self.redis_url(), self.storage_url());
        let variables = [&UNHURRIED[..], &[("STORAGE_URL", storage.as_str())], more].concat();
        let pod = Process::serve(self.postgres.url(), &redis, &variables);
        pod.wait_for("Ready").await;
        let address = pod.address().await;
        (pod, address)
    }

    /// What a pod of its own like [`House::pod`]'s is started with, on that Redis.
    pub fn variables(&self, redis: &str) -> Variables {
        let own = [
            ("DATABASE_URL", self.postgres.url()),
            ("REDIS_URL", redis),
            ("STORAGE_URL", &self.storage_url()),
            ("JWT_SECRET", SECRET),
        ];
        UNHURRIED.into_iter().chain(own).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// The way to Redis that can be cut.
    pub fn redis_url(&self) -> String {
        format!("redis://{}", self.line.address())
    }

    /// The way of its pods to Redis.
    pub fn line(&self) -> &ChaosProxy {
        &self.line
    }

    /// The `STORAGE_URL` of its pods.
    pub fn storage_url(&self) -> String {
        format!("file://{}", self.storage.display())
    }

    /// The stage in its database, once a pod has brought the schema up.
    pub fn stage(&self) -> Stage {
        Stage::shared(self.postgres.url(), SECRET)
    }

    /// The files of the store in whose path `part` is.
    pub fn stored(&self, part: &str) -> Vec<PathBuf> {
        fn below(directory: &Path) -> Vec<PathBuf> {
            let entries =
                std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
            entries.flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
        }
        let mut files = below(&self.storage);
        files.retain(|path| path.to_string_lossy().contains(part));
        files
    }
}
