//! An object that is being written.

use std::io::SeekFrom;
use std::mem;
use std::path::PathBuf;

use aws_lc_rs::digest::{Context, SHA256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};

use super::disk::{blocking, make_file, remove_soon, within};
use super::{Error, Key, Store};

/// Takes bytes as they come, counted and hashed on the way. Dropped, it is gone.
pub struct Staged {
    store: Store,
    place: Place,
    file: File,
    hash: Context,
    size: u64,
    limit: u64,
}

/// An object that is complete and durable, but has no key yet. Dropped, it is gone.
pub struct Sealed {
    store: Store,
    place: Place,
    size: u64,
    sha256: [u8; 32],
}

impl Staged {
    pub(super) async fn open(store: Store, limit: u64) -> Result<Self, Error> {
        // Before the file is made: whoever stops waiting leaves nothing
        let place = Place(store.staging_file());
        let path = place.0.clone();
        let file = within(store.patience(), blocking(move || make_file(&path))).await?;
        Ok(Self { store, place, file: File::from_std(file), hash: Context::new(&SHA256), size: 0, limit })
    }

    /// Appends a chunk. After an error, drop it: what it holds is unknown.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] at the first byte over the limit; [`Error::StorageFull`], [`Error::Unavailable`].
    pub async fn write(&mut self, chunk: &[u8]) -> Result<(), Error> {
        let size = self.size.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if size > self.limit {
            return Err(Error::TooLarge { limit: self.limit });
        }
        within(self.store.patience(), self.file.write_all(chunk)).await?;
        self.hash.update(chunk);
        self.size = size;
        Ok(())
    }

    /// Bytes so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// All bytes so far, for who needs them whole and once; nothing of them is left behind.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn take(mut self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.size).unwrap_or_default());
        let read = async {
            self.file.flush().await?;
            self.file.seek(SeekFrom::Start(0)).await?;
            self.file.read_to_end(&mut bytes).await
        };
        within(self.store.patience(), read).await?;
        Ok(bytes)
    }

    /// Ends it, and waits until the disk has every byte.
    ///
    /// # Errors
    ///
    /// [`Error::StorageFull`], [`Error::Unavailable`].
    pub async fn seal(mut self) -> Result<Sealed, Error> {
        within(self.store.patience(), self.file.flush()).await?;
        within(self.store.patience(), self.file.sync_all()).await?;
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(self.hash.finish().as_ref());
        Ok(Sealed { store: self.store, place: self.place, size: self.size, sha256 })
    }
}

impl Sealed {
    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hash of its bytes.
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// Gives it its key, at once for all readers, in place of what had that key before. When this returns, the object
    /// survives the process and the power; whoever stops waiting does not know.
    ///
    /// # Errors
    ///
    /// [`Error::StorageFull`], [`Error::Unavailable`].
    pub async fn commit(self, key: &Key) -> Result<(), Error> {
        let (key, patience) = (*key, self.store.patience());
        // Moved, so that the place is not cleared under a rename that nobody waits for
        Ok(within(patience, blocking(move || self.store.publish(&self.place.0, &key))).await?)
    }
}

/// A file in staging: removed soon after its owner is dropped, unless it was renamed.
struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        // Not there any more, or left to the sweep
        remove_soon(mem::take(&mut self.0));
    }
}
