//! The directory that one server lives in: its data, its log, its socket.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{self, Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout_at};

use super::{Error, account::Account, process, unix};

/// How much of a log an error quotes, in bytes.
const LAST_WORDS: u64 = 1_000;

/// The directory that one server lives in. *Invariant:* closed to all but its owner, and held by one run at a time.
#[derive(Debug)]
pub(super) struct Home {
    directory: PathBuf,
    account: Option<Account>,
    log: PathBuf,
    lock: File,
}

impl Home {
    /// Makes the directory if need be, and takes it.
    pub(super) fn take(directory: &Path) -> Result<Self, Error> {
        let on = |action: &str| Error::io(format!("{action} {}", directory.display()));
        let directory = path::absolute(directory).map_err(on("find"))?;
        if let Some(above) = directory.parent() {
            fs::create_dir_all(above).map_err(on("make"))?;
        }
        match DirBuilder::new().mode(0o700).create(&directory) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(on("make")(e)),
            _ => {}
        }
        let lock = File::open(&directory).map_err(on("open"))?;
        lock.try_lock().map_err(|e| match e {
            TryLockError::WouldBlock => Error::InUse { directory: directory.clone() },
            TryLockError::Error(e) => on("lock")(e),
        })?;
        let account = Account::to_become()?;
        if let Some(account) = &account {
            account.reaches(&directory)?;
            account.own(&directory)?;
        }
        fs::set_permissions(&directory, Permissions::from_mode(0o700)).map_err(on("close"))?;
        Ok(Self { log: directory.join("log"), directory, account, lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.directory
    }

    /// Where the socket `name` of a home at `directory` is, taken or not, if the kernel can take the path.
    pub(super) fn socket(directory: &Path, name: &str) -> Result<PathBuf, Error> {
        let path =
            path::absolute(directory).map_err(Error::io(format!("find {}", directory.display())))?.join(name);
        let (bytes, limit) = (path.as_os_str().len(), unix::SOCKET_PATH_LIMIT);
        if bytes > limit { Err(Error::SocketPathTooLong { path, bytes, limit }) } else { Ok(path) }
    }

    /// `program`, to be run in here as who lives here, its words going to the log, and knowing nothing of our
    /// environment: there are secrets in it, and variables that would change what it does.
    pub(super) fn command(&self, program: &Path) -> Result<Command, Error> {
        let opening = || Error::io(format!("open {}", self.log.display()));
        let mut options = OpenOptions::new();
        // No link is followed: as root we write here, and the account that owns the directory may do less
        options.create(true).append(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
        let log = options.open(&self.log).map_err(opening())?;
        // One run's words are enough
        log.set_len(0).map_err(opening())?;
        let mut command = Command::new(program);
        command
            .env_clear()
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(opening())?)
            .stderr(log);
        if let Some(account) = &self.account {
            account.run(&mut command);
        }
        Ok(command)
    }

    /// The end of the log, for an error message.
    pub(super) fn last_words(&self) -> String {
        let read = || {
            let mut log = File::open(&self.log)?;
            let length = log.metadata()?.len();
            log.seek(SeekFrom::Start(length.saturating_sub(LAST_WORDS)))?;
            let mut words = Vec::new();
            log.take(LAST_WORDS).read_to_end(&mut words)?;
            Ok::<_, io::Error>(String::from_utf8_lossy(&words).trim().to_owned())
        };
        read().unwrap_or_else(|e| format!("(its log cannot be read: {e})"))
    }

    /// Waits for the server of an earlier run to end (it is interrupted when its parent dies, and needs a moment), and
    /// removes the file with its number: PostgreSQL would mistake any process that has the number now for its own.
    pub(super) async fn outlast_predecessor(
        &self,
        pid_file: &Path,
        program: &str,
        until: Instant,
    ) -> Result<(), Error> {
        // Only where the kernel tells what a process is; elsewhere the servers' own judgement must do
        if !Path::new("/proc/self/stat").exists() {
            return Ok(());
        }
        let Some(pid) =
            fs::read_to_string(pid_file).ok().and_then(|text| text.lines().next()?.trim().parse().ok())
        else {
            return Ok(());
        };
        let gone = async {
            while is_alive(pid, program) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout_at(until, gone)
            .await
            .map_err(|_elapsed| Error::StillRunning { pid, directory: self.directory.clone() })?;
        match fs::remove_file(pid_file) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                Err(Error::io(format!("remove {}", pid_file.display()))(e))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Home {
    /// Closing the descriptor is not enough: a child that was just forked elsewhere has a copy of it until it execs.
    fn drop(&mut self) {
        let _ = self.lock.unlock();
    }
}

/// Whether `pid` is a running `program`: not gone, not a zombie, not something else that got the number.
fn is_alive(pid: i32, program: &str) -> bool {
    process::stat(pid).is_some_and(|(name, state)| name == program && !matches!(state, 'Z' | 'X'))
}
