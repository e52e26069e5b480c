//! Files and directories that only we may enter, and that are there after a power cut.
//!
//! Everything here blocks and is called by [`blocking`].

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::timeout;

/// Waits for a disk, but not for ever: one behind a network may never answer.
pub(super) async fn within<T>(
    patience: Duration,
    work: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    timeout(patience, work).await.unwrap_or_else(|elapsed| Err(elapsed.into()))
}

/// Runs what blocks on a thread that may.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// Removes a file, if it is there, for an owner that is being dropped: with its request, on a thread that has others.
pub(super) fn remove_soon(path: PathBuf) {
    let remove = move || _ = std::fs::remove_file(path);
    match Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(remove)),
        Err(_nobody_else_here) => remove(),
    }
}

/// Makes a directory and those above it, each 0700, each known to the disk.
pub(super) fn make_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    if let Some(above) = above {
        make_directory(above)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        // Another was faster
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        made => made?,
    }
    sync_directory(above.unwrap_or(Path::new(".")))
}

/// Waits until the disk knows what a directory contains.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes a file, 0600, that was not there before; its directory too, if need be.
pub(super) fn make_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create_new(true).read(true).write(true).mode(0o600);
    match (options.open(path), path.parent()) {
        (Err(error), Some(directory)) if error.kind() == io::ErrorKind::NotFound => {
            make_directory(directory)?;
            options.open(path)
        }
        (opened, _) => opened,
    }
}

/// Removes a file, and waits until the disk knows. One that is not there is removed.
pub(super) fn remove_file(path: &Path) -> io::Result<()> {
    match (std::fs::remove_file(path), path.parent()) {
        (Err(error), _) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        (Ok(()), Some(directory)) => sync_directory(directory),
        (removed, _) => removed,
    }
}
