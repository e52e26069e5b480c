//! A photo that is coming in: streamed into the store, told by its first bytes.

use bytes::Bytes;

use super::error::Error;
use crate::{
    blob::{Sealed, Staged, Store},
    domain::limits::PHOTO_BYTES,
    imaging::{Format, HEAD, Refusal, sniff},
};

/// What a client says of its file.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Its media type.
    pub content_type: Option<String>,
    /// Its name.
    pub file_name: Option<String>,
}

/// A file that is coming in.
pub struct Incoming {
    said: Said,
    staged: Staged,
    /// The first bytes, until they tell what the file is.
    head: Vec<u8>,
    format: Option<Format>,
}

/// A file that is here, and whose bytes the disk has.
pub struct Complete {
    pub(super) format: Format,
    pub(super) sealed: Sealed,
}

impl Incoming {
    /// Opens a place for it.
    pub(super) async fn begin(store: &Store, said: Said) -> Result<Self, Error> {
        let staged = store.stage(PHOTO_BYTES).await.map_err(Error::from)?;
        Ok(Self { said, staged, head: Vec::new(), format: None })
    }

    /// Takes the next bytes. After an error, drop it.
    ///
    /// # Errors
    ///
    /// What the bytes show is not taken, or they are too many; [`Error::StorageFull`], [`Error::Unavailable`].
    pub async fn write(&mut self, bytes: &Bytes) -> Result<(), Error> {
        if self.format.is_none() {
            let missing = HEAD.saturating_sub(self.head.len()).min(bytes.len());
            self.head.extend_from_slice(bytes.get(..missing).unwrap_or(bytes));
            if self.head.len() >= HEAD {
                self.look()?;
            }
        }
        self.staged.write(bytes).await.map_err(Error::from)
    }

    /// All bytes are here.
    ///
    /// # Errors
    ///
    /// As [`Incoming::write`]; an empty file is not taken.
    pub async fn complete(mut self) -> Result<Complete, Error> {
        let format = self.look()?;
        let sealed = self.staged.seal().await.map_err(Error::from)?;
        Ok(Complete { format, sealed })
    }

    /// All bytes are here; whether what they are is taken.
    ///
    /// # Errors
    ///
    /// As [`Incoming::complete`].
    pub fn look(&mut self) -> Result<Format, Error> {
        if let Some(format) = self.format {
            return Ok(format);
        }
        let said = &self.said;
        let admitted = sniff(&self.head).admit(said.content_type.as_deref(), said.file_name.as_deref());
        let format = admitted.map_err(|refusal| match refusal {
            Refusal::NotWhatItSays => Error::Unsupported("The file is not what its name or type says"),
            Refusal::Unsupported => Error::Unsupported("Photos are taken: JPEG, PNG, GIF, WebP"),
            Refusal::TooLarge => Error::TooLarge("The picture has too many pixels"),
        })?;
        self.format = Some(format);
        self.head = Vec::new();
        Ok(format)
    }

    /// The photo, whole, for who keeps none of it.
    pub(super) async fn take(mut self) -> Result<(Format, Vec<u8>), Error> {
        let format = self.look()?;
        Ok((format, self.staged.take().await?))
    }
}

impl Complete {
    /// SHA-256 of the bytes.
    pub fn sha256(&self) -> [u8; 32] {
        self.sealed.sha256()
    }
}
