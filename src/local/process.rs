//! One child of this process.

use std::{
    fs, io,
    process::{Child, Command, ExitStatus},
    time::Duration,
};

use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{Launcher, Signal, unix};

/// How often a child is asked whether it has ended: one system call, and well below what a restart takes.
const POLL: Duration = Duration::from_millis(10);

/// How a server ended that was told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// Its exit status.
    pub status: ExitStatus,
    /// Whether it missed its deadline and was killed.
    pub killed: bool,
}

/// One child of this process. *Invariant:* it is reaped, at the latest when this is dropped, and no signal is sent to
/// its number after that.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    stop_signal: Signal,
    /// The thread must outlive the child
    _launcher: Launcher,
}

impl Process {
    pub(super) async fn spawn(
        launcher: &Launcher,
        command: Command,
        stop_signal: Signal,
    ) -> io::Result<Self> {
        Ok(Self { child: launcher.spawn(command).await?, stop_signal, _launcher: launcher.clone() })
    }

    /// The process number, until it has been reaped.
    pub(super) fn pid(&mut self) -> io::Result<Option<i32>> {
        Ok(match self.child.try_wait()? {
            None => i32::try_from(self.child.id()).ok(),
            Some(_) => None,
        })
    }

    /// How it ended, if it has.
    pub(super) fn try_ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits until it has ended. Cancel safe.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        let mut polls = interval(POLL);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            polls.tick().await;
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
        }
    }

    /// Asks it to end, and kills it when it has not after `deadline`.
    pub(super) async fn stop(&mut self, deadline: Duration) -> io::Result<Stopped> {
        if let Some(pid) = self.pid()? {
            unix::send(pid, self.stop_signal)?;
        }
        match timeout(deadline, self.ended()).await {
            Ok(status) => Ok(Stopped { status: status?, killed: false }),
            Err(_elapsed) => {
                self.signal(Signal::Kill)?;
                Ok(Stopped { status: self.ended().await?, killed: true })
            }
        }
    }

    /// Signals the process and its children, which PostgreSQL puts in sessions of their own: no group holds them all.
    pub(super) fn signal(&mut self, signal: Signal) -> io::Result<()> {
        let Some(pid) = self.pid()? else { return Ok(()) };
        // Before, because the killed have no children any more; after, because a stopped one makes no new ones
        let mut family = children(pid);
        unix::send(pid, signal)?;
        family.extend(children(pid));
        family.sort_unstable();
        family.dedup();
        for child in family {
            // It may have ended by itself meanwhile
            let _ = unix::send(child, signal);
        }
        Ok(())
    }
}

impl Drop for Process {
    /// Who is dropped without having been stopped is killed: whoever comes next needs its directory.
    fn drop(&mut self) {
        let _ = self.signal(Signal::Kill);
        let _ = self.child.wait();
    }
}

/// The children of the one-threaded process `pid`, where the kernel tells (Linux).
fn children(pid: i32) -> Vec<i32> {
    fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|child| child.parse().ok())
        .collect()
}
