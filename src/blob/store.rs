//! The store: a directory with what is being written and what was.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use uuid::Uuid;

use super::disk::{blocking, make_directory, remove_file, sync_directory, within};
use super::key::ORIGINALS;
use super::{Error, Key, Object, Provisional, Role, Staged, Unspoken};
use crate::config::StorageUrl;

/// What lies in staging for so long belongs to nobody: an upload is cut after 30 s without a byte.
const ABANDONED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a disk may take for one piece of work, and a reader or writer go without a byte: then it is away.
const PATIENCE: Duration = Duration::from_secs(30);
/// Files that one sweep looks at.
const SWEPT_AT_ONCE: usize = 10_000;
const SHARDS: usize = 256;

/// The way to the objects. Cheap to clone; all clones are one store.
///
/// Who has less time than a disk may take drops what it waits for.
#[derive(Clone)]
pub struct Store(pub(super) Arc<Shared>);

pub(super) struct Shared {
    root: PathBuf,
    patience: Duration,
    /// Directories that the disk knows: the shards, each by its byte, and that of the originals.
    durable: [AtomicBool; SHARDS + 1],
    /// Whether a probe has not come back yet.
    pub(super) probing: AtomicBool,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files that belonged to nobody.
    pub removed: usize,
    /// Whether there may be more than one sweep looks at.
    pub more: bool,
}

impl Store {
    /// A store at this place. Touches nothing: directories are made when they are needed, so that a pod starts while
    /// its storage is away.
    ///
    /// # Errors
    ///
    /// [`Unspoken`]: a bucket.
    pub fn new(url: &StorageUrl) -> Result<Self, Unspoken> {
        Self::waiting(url, PATIENCE)
    }

    pub(super) fn waiting(url: &StorageUrl, patience: Duration) -> Result<Self, Unspoken> {
        let root = match url {
            StorageUrl::Directory(root) => root.clone(),
            StorageUrl::S3(_) => return Err(Unspoken { scheme: "s3" }),
            StorageUrl::Gs(_) => return Err(Unspoken { scheme: "gs" }),
        };
        let durable = [const { AtomicBool::new(false) }; SHARDS + 1];
        Ok(Self(Arc::new(Shared { root, patience, durable, probing: AtomicBool::new(false) })))
    }

    /// Opens a place for an object of at most `limit` bytes. Nobody sees it before it is committed.
    ///
    /// # Errors
    ///
    /// [`Error::StorageFull`], [`Error::Unavailable`].
    pub async fn stage(&self, limit: u64) -> Result<Staged, Error> {
        Staged::open(self.clone(), limit).await
    }

    /// Stores bytes that are in memory already, in one go.
    ///
    /// # Errors
    ///
    /// [`Error::StorageFull`], [`Error::Unavailable`].
    pub async fn put_bytes(&self, key: &Key, bytes: &[u8]) -> Result<(), Error> {
        let mut staged = self.stage(u64::try_from(bytes.len()).unwrap_or(u64::MAX)).await?;
        staged.write(bytes).await?;
        staged.seal().await?.commit(key).await
    }

    /// What takes the object of that key away again, unless it is told to keep it; to be had before the object is there.
    pub fn provisionally(&self, key: Key) -> Provisional {
        Provisional::new(self.clone(), key)
    }

    /// Opens an object for reading, or `None` where there is none. It stays readable when it is deleted meanwhile.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn open(&self, key: &Key) -> Result<Option<Object>, Error> {
        let (path, patience) = (self.object(key), self.patience());
        let opened = blocking(move || {
            let file = fs::File::open(path)?;
            let size = file.metadata()?.len();
            Ok(Object::new(file, size, patience))
        });
        found(within(patience, opened).await)
    }

    /// The size of an object in bytes, or `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn head(&self, key: &Key) -> Result<Option<u64>, Error> {
        let path = self.object(key);
        found(within(self.patience(), blocking(move || Ok(fs::metadata(path)?.len()))).await)
    }

    /// Removes an object for good. One that is not there is removed.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn delete(&self, key: &Key) -> Result<(), Error> {
        let path = self.object(key);
        Ok(within(self.patience(), blocking(move || remove_file(&path))).await?)
    }

    /// Removes what writers that are gone have left in staging, some thousands at once. `now` is the wall clock's.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn sweep(&self, now: SystemTime) -> Result<Swept, Error> {
        let staging = self.staging();
        let swept = blocking(move || {
            let mut swept = Swept::default();
            for (seen, entry) in fs::read_dir(staging)?.enumerate() {
                if seen == SWEPT_AT_ONCE {
                    swept.more = true;
                    break;
                }
                let entry = entry?;
                let age =
                    entry.metadata().and_then(|data| data.modified()).map(|then| now.duration_since(then));
                // What is gone meanwhile, or is of the future, is somebody's
                if matches!(age, Ok(Ok(age)) if age > ABANDONED_AFTER)
                    && fs::remove_file(entry.path()).is_ok()
                {
                    swept.removed += 1;
                }
            }
            Ok(swept)
        });
        found(within(self.patience(), swept).await).map(Option::unwrap_or_default)
    }

    pub(super) fn patience(&self) -> Duration {
        self.0.patience
    }

    /// The keys of originals that were written more than `age` before `now`, the wall clock's: of some thousands at once.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn old_originals(&self, now: SystemTime, age: Duration) -> Result<Vec<Key>, Error> {
        let originals = self.0.root.join(ORIGINALS);
        let old = blocking(move || {
            let mut old = Vec::new();
            for entry in fs::read_dir(originals)?.take(SWEPT_AT_ONCE) {
                let entry = entry?;
                let key = entry.file_name().to_str().and_then(Key::of_original);
                // What is gone meanwhile, or is of the future, is not old
                let written = entry.metadata().and_then(|data| data.modified());
                let is_old =
                    written.is_ok_and(|then| now.duration_since(then).is_ok_and(|passed| passed > age));
                old.extend(key.filter(|_| is_old));
            }
            Ok(old)
        });
        found(within(self.patience(), old).await).map(Option::unwrap_or_default)
    }

    /// A new name among what is being written.
    pub(super) fn staging_file(&self) -> PathBuf {
        self.staging().join(Uuid::new_v4().to_string())
    }

    /// Gives a synced file its key. Blocks.
    pub(super) fn publish(&self, staged: &std::path::Path, key: &Key) -> io::Result<()> {
        let object = self.object(key);
        let shard = object.parent().unwrap_or(&self.0.root);
        let number = if key.role == Role::Original { SHARDS } else { usize::from(key.shard()) };
        let known = self.0.durable.get(number);
        if !known.is_some_and(|known| known.load(Ordering::Acquire)) {
            self.make_shard(shard)?;
            if let Some(known) = known {
                known.store(true, Ordering::Release);
            }
        }
        match fs::rename(staged, &object) {
            // It was there once: another disk is mounted now, or somebody has tidied up
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make_shard(shard)?;
                fs::rename(staged, &object)?;
            }
            renamed => renamed?,
        }
        sync_directory(shard)
    }

    fn make_shard(&self, shard: &std::path::Path) -> io::Result<()> {
        make_directory(shard)?;
        // Another writer may have made it a moment ago and not have synced it yet
        sync_directory(shard.parent().unwrap_or(&self.0.root))?;
        sync_directory(&self.0.root)
    }

    fn staging(&self) -> PathBuf {
        self.0.root.join("staging")
    }

    pub(super) fn object(&self, key: &Key) -> PathBuf {
        self.0.root.join(key.path())
    }
}

/// What is not there is no failure.
fn found<T>(result: io::Result<T>) -> Result<Option<T>, Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
