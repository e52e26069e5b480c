//! Small files in `DATA_DIR` that are made once and then kept; for development and test only.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The text of `data_dir/name`, made by `make` at the first call; its owner alone may read it.
///
/// The file appears complete or not at all and is never replaced, so two processes that start together agree on one
/// text.
///
/// # Errors
///
/// The file can be neither read nor made.
pub fn keepsake(data_dir: &Path, name: &str, make: impl FnOnce() -> String) -> io::Result<String> {
    let path = data_dir.join(name);
    match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(data_dir)?;
            let draft = data_dir.join(format!("{name}.{:032x}", rand::random::<u128>()));
            keep(&make(), &draft, &path)?;
            fs::read_to_string(&path)
        }
        found => found,
    }
}

fn keep(text: &str, draft: &Path, path: &Path) -> io::Result<()> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| match fs::hard_link(draft, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        });
    fs::remove_file(draft).or_else(|error| if written.is_err() { Ok(()) } else { Err(error) })?;
    written
}
