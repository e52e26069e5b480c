//! Whether the store keeps what it is given.

use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::{fs, io};

use super::disk::{blocking, make_file};
use super::{Error, Store};

const WORDS: &[u8] = b"is anybody there?";

impl Store {
    /// Writes a small file, reads it back, and removes it.
    ///
    /// # Errors
    ///
    /// A reason that is fit for the public.
    pub async fn check(&self) -> Result<(), &'static str> {
        // A disk that hangs would take a thread for every probe
        if self.0.probing.swap(true, Ordering::AcqRel) {
            return Err("no answer");
        }
        let (store, path) = (self.clone(), self.staging_file());
        let heard = blocking(move || {
            let heard = echo(&path);
            store.0.probing.store(false, Ordering::Release);
            heard
        });
        match heard.await.map_err(Error::from) {
            Ok(true) => Ok(()),
            Ok(false) => Err("not readable"),
            Err(Error::StorageFull(_)) => Err("full"),
            Err(_) => Err("not writable"),
        }
    }
}

/// Whether what was written is what is read.
fn echo(path: &Path) -> io::Result<bool> {
    let mut file = make_file(path)?;
    let mut said = || {
        file.write_all(WORDS)?;
        file.sync_all()?;
        file.rewind()?;
        let mut heard = Vec::new();
        file.read_to_end(&mut heard)?;
        Ok(heard == WORDS)
    };
    let said = said();
    fs::remove_file(path)?;
    said
}
