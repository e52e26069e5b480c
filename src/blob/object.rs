//! An object that is being read.

use std::io::{self, SeekFrom};
use std::ops::Range;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use futures_util::stream::try_unfold;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use super::Error;
use super::disk::within;

/// The most bytes that are in memory for a reader: 64 KiB.
pub const CHUNK: usize = 64 * 1024;

/// An open object.
pub struct Object {
    file: File,
    size: u64,
    patience: Duration,
}

impl Object {
    pub(super) fn new(file: std::fs::File, size: u64, patience: Duration) -> Self {
        Self { file: File::from_std(file), size, patience }
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The bytes of `range`, as far as there are any, in chunks of at most [`CHUNK`].
    ///
    /// # Errors
    ///
    /// The stream ends with [`Error::Unavailable`] when the disk fails in between.
    pub fn stream(self, range: Range<u64>) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
        let (end, patience) = (range.end.min(self.size), self.patience);
        let left = end.saturating_sub(range.start);
        try_unfold((self.file, Some(range.start), left), move |(mut file, seek, left)| async move {
            if left == 0 {
                return Ok(None);
            }
            if let Some(start) = seek {
                within(patience, file.seek(SeekFrom::Start(start))).await?;
            }
            let most = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            let mut chunk = BytesMut::zeroed(most);
            let read = within(patience, file.read(&mut chunk)).await?;
            if read == 0 {
                return Err(Error::Unavailable(io::ErrorKind::UnexpectedEof.into()));
            }
            chunk.truncate(read);
            let left = left.saturating_sub(u64::try_from(read).unwrap_or(left));
            Ok(Some((chunk.freeze(), (file, None, left))))
        })
    }

    /// All of it, for who has to have it whole.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] over `limit` bytes, before anything is read; [`Error::Unavailable`].
    pub async fn read(mut self, limit: u64) -> Result<Vec<u8>, Error> {
        if self.size > limit {
            return Err(Error::TooLarge { limit });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(self.size).unwrap_or_default());
        within(self.patience, (&mut self.file).take(self.size).read_to_end(&mut bytes)).await?;
        Ok(bytes)
    }
}
