//! A server that answers.

use std::{
    io,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout_at};

use super::{Error, Launcher, Signal, Stopped, home::Home, process::Process};

/// How often a starting server is asked whether it is ready.
const POLL: Duration = Duration::from_millis(5);

/// A program that was spawned in its home and has not answered yet.
#[derive(Debug)]
pub(super) struct Starting {
    process: Process,
    home: Home,
    program: &'static str,
    until: Instant,
}

impl Starting {
    /// Spawns `command` in `home`; it has until `until` to answer.
    pub(super) async fn spawn(
        (program, command): (&'static str, Command),
        stop_signal: Signal,
        home: Home,
        launcher: &Launcher,
        until: Instant,
    ) -> Result<Self, Error> {
        let process = Process::spawn(launcher, command, stop_signal)
            .await
            .map_err(Error::io(format!("run {program}")))?;
        Ok(Self { process, home, program, until })
    }

    /// Asks until there is an answer.
    pub(super) async fn answer<A>(&mut self, ask: impl AsyncFn() -> Option<A>) -> Result<A, Error> {
        let answered = async {
            loop {
                if let Some(answer) = ask().await {
                    return Ok(answer);
                }
                if let Some(status) = self.process.try_ended().map_err(Error::io("wait for a child"))? {
                    return Err(Error::Ended { program: self.program, status, log: self.home.last_words() });
                }
                sleep(POLL).await;
            }
        };
        timeout_at(self.until, answered)
            .await
            .map_err(|_elapsed| Error::NotReady { program: self.program, log: self.home.last_words() })?
    }

    /// It has answered.
    pub(super) fn into_server(self, socket: PathBuf, url: String) -> Server {
        Server { process: self.process, _home: self.home, url, socket }
    }
}

/// A server that has answered and is ours. Dropping it kills it, which costs no committed data; [`Server::stop`] is
/// kinder.
#[derive(Debug)]
pub struct Server {
    // In this order: the process ends before the lock on its directory does
    process: Process,
    _home: Home,
    url: String,
    socket: PathBuf,
}

impl Server {
    /// Where clients find it: what `tokio_postgres::Config` or `redis::Client::open` takes.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The Unix socket that it listens on.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Its process number; `None` when it has ended.
    pub fn pid(&mut self) -> io::Result<Option<i32>> {
        self.process.pid()
    }

    /// How it ended, if it has.
    pub fn try_ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.process.try_ended()
    }

    /// Waits until it has ended. Cancel safe.
    pub async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.process.ended().await
    }

    /// Asks it to end (what is open is rolled back and closed), and kills it when it has not after `deadline`.
    pub async fn stop(&mut self, deadline: Duration) -> io::Result<Stopped> {
        self.process.stop(deadline).await
    }

    /// Signals it and all its children: it may be killed as a crash would, and frozen and thawed as a bad machine would.
    /// Blocks for a moment.
    pub fn signal(&mut self, signal: Signal) -> io::Result<()> {
        self.process.signal(signal)
    }
}
