//! The service as `make run` starts it for somebody who has just cloned it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use super::{DEADLINE, client, poll::eventually, process::Process, servers};

/// Where the clone is.
pub const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");

/// A started service with a demo party and servers of its own.
pub struct Newcomer {
    process: Process,
    data: Data,
    /// `host:port`.
    pub address: String,
}

/// Removed at the end.
struct Data(PathBuf);

impl Drop for Data {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Newcomer {
    /// Starts it and waits until it is ready.
    pub async fn start(name: &str) -> Self {
        Self::start_in(Data(servers::directory(name))).await
    }

    async fn start_in(data: Data) -> Self {
        let process = Process::run(command(&data.0));
        let address = eventually(DEADLINE, "the service has started", async || {
            let lines = texts(&process);
            lines.iter().find_map(|line| word(line, "Started, address: "))
        });
        let address = address.await;
        let ready = format!("http://{address}/health/ready");
        eventually(DEADLINE, "the service is ready", async || {
            client::get(&ready).await.is_ok_and(|reply| reply.status() == 200)
        })
        .await;
        Self { process, data, address }
    }

    /// All that it has said.
    pub fn lines(&self) -> Vec<String> {
        texts(&self.process)
    }

    /// What it shows of the demo party, by name.
    pub async fn card(&self) -> BTreeMap<&'static str, String> {
        let names = ["Demo party", "Join code", "Join link", "Host"];
        eventually(DEADLINE, "the demo party is shown", async || {
            let lines = self.lines();
            let values = names.map(|name| lines.iter().find_map(|line| word(line.trim_start(), name)));
            let found: BTreeMap<_, _> = names.into_iter().zip(values).collect();
            found
                .values()
                .all(Option::is_some)
                .then(|| found.into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect())
        })
        .await
    }

    /// A file among its data.
    pub fn path(&self, name: &str) -> PathBuf {
        self.data.0.join(name)
    }

    /// Ends it as ^C does, and sees that it ends clean.
    pub async fn stop(mut self) {
        self.end().await;
    }

    /// Ends it and starts it again on the same data.
    pub async fn restart(mut self) -> Self {
        self.end().await;
        Self::start_in(self.data).await
    }

    async fn end(&mut self) {
        self.process.signal("INT");
        assert_eq!(self.process.ended(Duration::from_secs(60)).await, Some(0), "{:?}", self.lines());
    }
}

fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_party-gallery"));
    command.args(["serve", "--demo", "demo"]).current_dir(REPOSITORY).env_clear();
    command.env("PATH", servers::path()).env("DATA_DIR", data).env("PORT", "0");
    command
}

fn texts(process: &Process) -> Vec<String> {
    process.lines().iter().map(|line| line.as_str().unwrap_or_default().to_owned()).collect()
}

/// The word after `name` in a line.
fn word(line: &str, name: &str) -> Option<String> {
    let (_, rest) = line.split_once(name)?;
    Some(rest.split_whitespace().next()?.trim_end_matches(',').to_owned())
}
