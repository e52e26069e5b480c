//! The service as the process that it is: its own binary, its environment, its words, its exit code.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use serde_json::Value;

use super::{DEADLINE, poll::eventually, servers};

/// Signs the tokens of every such process.
pub const SECRET: &str = "only the tests of this house know it";

/// A running binary. It is killed, if it still runs, when this is dropped.
pub struct Process {
    child: Child,
    lines: Arc<Mutex<Vec<Value>>>,
}

impl Process {
    /// Starts the service as staging does, so that it speaks JSON; `more` are further variables, and win.
    pub fn serve(database_url: &str, redis_url: &str, more: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_party-gallery"));
        command.env_clear().envs([
            ("APP_ENV", "staging"),
            ("HOST", "127.0.0.1"),
            ("PORT", "0"),
            ("DRAIN_DELAY", "0s"),
            ("DATABASE_URL", database_url),
            ("REDIS_URL", redis_url),
            ("PUBLIC_URL", "https://party.example"),
            ("JWT_SECRET", SECRET),
        ]);
        let data = servers::directory("process");
        command.env("DATA_DIR", &data).env("STORAGE_URL", format!("file://{}", data.display()));
        command.envs(more.iter().copied());
        Self::run(command)
    }

    /// Starts `command`, whose lines on stdout are kept.
    pub fn run(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (written, heard) = (child.stdout.take().unwrap(), Arc::clone(&lines));
        // It ends with the process's stdout
        thread::spawn(move || {
            for line in BufReader::new(written).lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                heard.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Self { child, lines }
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has said so far.
    pub fn lines(&self) -> Vec<Value> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The first line with that message, as soon as there is one.
    pub async fn wait_for(&self, message: &str) -> Value {
        let what = format!("the process says {message:?}");
        eventually(DEADLINE, &what, async || self.lines().into_iter().find(|line| line["message"] == message))
            .await
    }

    /// Where it listens.
    pub async fn address(&self) -> SocketAddr {
        self.wait_for("Started").await["address"].as_str().unwrap().parse().unwrap()
    }

    /// Sends it a signal: `TERM`, `KILL`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Its exit code, once it has one: `None` if a signal ended it.
    pub async fn ended(&mut self, deadline: Duration) -> Option<i32> {
        let status = eventually(deadline, "the process ends", async || self.child.try_wait().unwrap()).await;
        status.code()
    }

    /// What it holds of the machine's memory, in bytes.
    pub fn resident(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most that it has ever held of it, in bytes.
    pub fn peak(&self) -> u64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, field: &str) -> u64 {
        let status = fs::read_to_string(Path::new("/proc").join(self.id().to_string()).join("status"));
        let status = status.unwrap();
        let kilobytes = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        kilobytes.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
    }
}

/// The processor's time that a process and its children have taken so far.
pub fn spent(pid: u32) -> Duration {
    let pid = pid.to_string();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let ticks = processes.filter_map(|process| {
        let stat = fs::read_to_string(process.path().join("stat")).ok()?;
        // After the name, which may hold anything
        let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let is_its = process.file_name().to_str() == Some(&pid) || fields[1] == pid;
        // Its own, and what those of its children took that have ended
        is_its.then(|| fields[11..15].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum::<u64>())
    });
    // A tick is a hundredth of a second on every Linux
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            for line in self.lines() {
                println!("{line}");
            }
        }
    }
}
