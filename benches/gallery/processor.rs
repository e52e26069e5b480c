//! Processor time, as the kernel counts it.

use std::{fs, path::Path};

use tokio_postgres::Client;

use crate::support::database::connected;

/// What a process has spent, or a PostgreSQL with all its children.
pub enum Clock {
    Process(u32),
    Servers(u32),
}

/// What `/proc/PID/stat` tells.
struct Stat {
    parent: u32,
    ticks: u64,
}

impl Clock {
    pub fn of_process(pid: u32) -> Self {
        Self::Process(pid)
    }

    /// Of the PostgreSQL at `url`, on this machine.
    pub async fn of_servers(url: &str) -> Self {
        let parent = connected(url, async |client: &Client| {
            let own: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
            stat(&own.to_string()).unwrap().parent
        });
        Self::Servers(parent.await)
    }

    /// In seconds, since it began.
    pub fn spent(&self) -> f64 {
        const TICKS_A_SECOND: f64 = 100.0;
        let ticks: u64 = match self {
            Self::Process(pid) => stat(&pid.to_string()).unwrap().ticks,
            Self::Servers(first) => {
                let entries = fs::read_dir("/proc").unwrap().flatten();
                let all = entries.filter_map(|entry| {
                    let name = entry.file_name().into_string().ok()?;
                    let pid: u32 = name.parse().ok()?;
                    stat(&name).filter(|stat| pid == *first || stat.parent == *first)
                });
                all.map(|stat| stat.ticks).sum()
            }
        };
        f64::from(u32::try_from(ticks).unwrap()) / TICKS_A_SECOND
    }
}

/// `None`: it has ended.
fn stat(pid: &str) -> Option<Stat> {
    let text = fs::read_to_string(Path::new("/proc").join(pid).join("stat")).ok()?;
    // The name before may hold anything
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    // Its own, in its own and in the kernel's code
    Some(Stat { parent: u32::try_from(number(1)?).ok()?, ticks: number(11)? + number(12)? })
}
