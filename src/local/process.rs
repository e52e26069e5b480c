//! One child of this process.

use std::{
    fs, io,
    process::{Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{Launcher, Signal, launcher::Spawned, unix};

/// How often a child is asked whether it has ended: one system call, and well below what a restart takes.
const POLL: Duration = Duration::from_millis(10);

/// How long a process may take to stand still: one that waits for a disk does not hear of it before.
const STILL_WITHIN: Duration = Duration::from_secs(1);

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
    child: Spawned,
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
        Ok(match self.child.0.try_wait()? {
            None => i32::try_from(self.child.0.id()).ok(),
            Some(_) => None,
        })
    }

    /// How it ended, if it has.
    pub(super) fn try_ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.0.try_wait()
    }

    /// Waits until it has ended. Cancel safe.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        let mut polls = interval(POLL);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            polls.tick().await;
            if let Some(status) = self.child.0.try_wait()? {
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
    /// Blocks for a moment.
    pub(super) fn signal(&mut self, signal: Signal) -> io::Result<()> {
        let Some(pid) = self.pid()? else { return Ok(()) };
        if matches!(signal, Signal::Stop | Signal::Kill) {
            // One that runs may be forking a child that nobody sees yet, and the kernel tells its children inexactly
            unix::send(pid, Signal::Stop)?;
            wait_until_still(pid);
        }
        // Before their parent: what it has not reaped keeps its number
        for child in children(pid) {
            // It may have ended by itself meanwhile
            let _ = unix::send(child, signal);
        }
        unix::send(pid, signal)
    }
}

impl Drop for Process {
    /// Who is dropped without having been stopped is killed: whoever comes next needs its directory.
    fn drop(&mut self) {
        let _ = self.signal(Signal::Kill);
    }
}

/// Waits until the kernel has stopped `pid`, or it is gone; where the kernel does not tell, not at all.
#[expect(clippy::disallowed_methods, reason = "as long as a system call takes; who is dropped cannot await")]
fn wait_until_still(pid: i32) {
    let until = Instant::now() + STILL_WITHIN;
    while stat(pid).is_some_and(|(_, state)| !matches!(state, 'T' | 't' | 'Z' | 'X'))
        && Instant::now() < until
    {
        thread::sleep(Duration::from_millis(1));
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

/// The name of the program that `pid` runs and the kernel's letter for its state; `None` when it is gone, or where the
/// kernel does not tell.
pub(super) fn stat(pid: i32) -> Option<(String, char)> {
    // `4711 (name) S 1 …`, and the name may hold anything
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (name, rest) = stat.split_once('(')?.1.rsplit_once(") ")?;
    Some((name.to_owned(), rest.chars().next()?))
}
