//! Why an embedded server cannot run.

use std::{io, path::PathBuf, process::ExitStatus};

/// Why an embedded server cannot run. Each says what a developer can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server's programs are not on this machine.
    #[error(
        "{server} is not installed: found {programs} nowhere in {searched}. Install it (Debian, Ubuntu: \
         `apt-get install postgresql redis-server`; macOS: `brew install postgresql redis`), or set {variable}"
    )]
    Missing {
        /// `PostgreSQL` or `Redis`.
        server: &'static str,
        /// What was looked for.
        programs: String,
        /// Where it was looked for.
        searched: String,
        /// The variable that makes the embedded server unnecessary.
        variable: &'static str,
    },
    /// Another run holds the directory.
    #[error("{} is in use by another run of party-gallery: stop that one, or set DATA_DIR", directory.display())]
    InUse {
        /// The directory that is locked.
        directory: PathBuf,
    },
    /// The server of an earlier run does not end.
    #[error("process {pid} of an earlier run still works in {}: end it", directory.display())]
    StillRunning {
        /// The process that was left behind.
        pid: i32,
        /// Where it works.
        directory: PathBuf,
    },
    /// The kernel takes no socket path of that length.
    #[error("the socket path {} has {bytes} bytes and may have {limit}: set DATA_DIR to a shorter path", path.display())]
    SocketPathTooLong {
        /// The path as it would be.
        path: PathBuf,
        /// Its length.
        bytes: usize,
        /// The longest one that the kernel takes.
        limit: usize,
    },
    /// The servers refuse to run as root, and there is no account to run them as.
    #[error("running as root, which PostgreSQL refuses, and there is neither a user postgres nor nobody")]
    NoAccount,
    /// The account that the servers run as cannot enter a directory on the way to theirs.
    #[error(
        "the user {account}, as whom root runs the private servers, cannot enter {}: keep their data where it can, as \
         with DATA_DIR=/var/lib/party-gallery", directory.display()
    )]
    Unreachable {
        /// Who cannot enter.
        account: String,
        /// The first directory that is closed.
        directory: PathBuf,
    },
    /// The program ended instead of getting ready.
    #[error("{program} ended with {status} before it was ready; its last words: {log}")]
    Ended {
        /// The program's name.
        program: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// The program runs but does not answer.
    #[error("{program} was not ready in time; its last words: {log}")]
    NotReady {
        /// The program's name.
        program: &'static str,
        /// The end of its log.
        log: String,
    },
    /// PostgreSQL runs but refused to make the database.
    #[error("PostgreSQL refused to make the database")]
    Database(#[source] tokio_postgres::Error),
    /// The machine refused something.
    #[error("could not {action}")]
    Io {
        /// What was tried.
        action: String,
        /// What the machine said.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: names what was tried.
    pub(super) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }
}
