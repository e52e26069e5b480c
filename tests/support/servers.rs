//! One PostgreSQL and one Redis for all tests of this process, started by the first that asks; never the machine's.
//!
//! They end with the process. Their directory is left to the next run, which sweeps.

use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use party_gallery::local::{
    Error, Launcher, PostgresConfig, PostgresPrograms, RedisConfig, RedisProgram, Server,
};
use tokio::sync::OnceCell;

use super::{DEADLINE, poll::eventually};

const PREFIX: &str = "party-gallery-test-";
/// Each test of this process gets a Redis database of its own number.
const REDIS_DATABASES: u32 = 4_096;

static POSTGRES: OnceCell<Server> = OnceCell::const_new();
static REDIS: OnceCell<Server> = OnceCell::const_new();
static LAUNCHER: OnceCell<Launcher> = OnceCell::const_new();

/// The shared PostgreSQL. Tests want [`super::database::fresh`].
pub async fn postgres() -> &'static Server {
    POSTGRES.get_or_init(async || start_postgres(&directory("shared")).await).await
}

/// The URL of a database of the shared Redis that no other test uses. Publications cross databases.
pub async fn fresh_redis() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let redis = REDIS.get_or_init(async || start_redis(&directory("shared")).await).await;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    assert!(number < REDIS_DATABASES, "more tests than Redis databases");
    format!("{}?db={number}", redis.url())
}

/// Starts a PostgreSQL in `directory`, or starts it again on what is there.
pub async fn start_postgres(directory: &Path) -> Server {
    start_postgres_with(directory, Vec::new()).await
}

/// The same with further settings.
pub async fn start_postgres_with(directory: &Path, more: Vec<(&'static str, String)>) -> Server {
    let mut settings = vec![("max_connections", "400".to_owned()), ("shared_buffers", "64MB".to_owned())];
    settings.extend(more);
    let programs = PostgresPrograms::find(&path()).unwrap();
    let config = PostgresConfig { directory: directory.join("postgres"), programs, fsync: false, settings };
    // Children of one that was killed may not have noticed yet, and the next one does not start beside them
    eventually(DEADLINE, "PostgreSQL starts", async || match config.start(launcher().await, DEADLINE).await {
        Ok(server) => Some(server),
        Err(Error::Ended { log, .. }) if log.contains("still in use") => None,
        Err(error) => panic!("{error:?}"),
    })
    .await
}

/// Starts an empty Redis in `directory`.
pub async fn start_redis(directory: &Path) -> Server {
    start_redis_with(directory, Vec::new()).await
}

/// The same with further settings.
pub async fn start_redis_with(directory: &Path, more: Vec<(&'static str, String)>) -> Server {
    let mut settings = vec![("databases", REDIS_DATABASES.to_string())];
    settings.extend(more);
    let program = RedisProgram::find(&path()).unwrap();
    let config = RedisConfig { directory: directory.join("redis"), program, settings };
    config.start(launcher().await, DEADLINE).await.unwrap()
}

/// A directory of this process that the servers' account can enter; a short path, for sockets.
pub fn directory(name: &str) -> PathBuf {
    static SWEPT: std::sync::Once = std::sync::Once::new();
    SWEPT.call_once(sweep);
    let ours = env::temp_dir().join(format!("{PREFIX}{}", process::id()));
    let directory = ours.join(name);
    fs::create_dir_all(&directory).unwrap();
    for made in [&ours, &directory] {
        fs::set_permissions(made, fs::Permissions::from_mode(0o711)).unwrap();
    }
    directory
}

/// Removes what test processes that are gone have left.
fn sweep() {
    if !Path::new("/proc/self").exists() {
        return;
    }
    for entry in fs::read_dir(env::temp_dir()).unwrap().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse::<u32>().ok());
        if pid.is_some_and(|pid| pid == process::id() || !Path::new(&format!("/proc/{pid}")).exists()) {
            // Another run may sweep at the same time
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

async fn launcher() -> &'static Launcher {
    LAUNCHER.get_or_init(async || Launcher::start().unwrap()).await
}

/// Where the servers' programs are looked for.
#[expect(clippy::disallowed_methods, reason = "the tests' own configuration")]
pub fn path() -> OsString {
    env::var_os("PATH").unwrap_or_default()
}
