//! A file that its caller may have.

use super::error::Error;
use crate::blob::{Key, Object, Store};

/// A file that its caller may have.
pub struct Served {
    pub(super) store: Store,
    pub(super) key: Key,
    /// Its media type.
    pub content_type: String,
    /// Another for each content.
    pub etag: String,
    /// How long who may keep it.
    pub caching: Caching,
    /// What it is called, without an ending.
    pub name: String,
}

/// Who may keep a file, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caching {
    /// Who asked, for a while.
    Private,
    /// Everybody, for a while.
    Public,
    /// Everybody, for good: its address never shows another.
    Forever,
}

impl Served {
    /// Opens it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when it is gone; [`Error::Unavailable`].
    pub async fn open(&self) -> Result<Object, Error> {
        self.store.open(&self.key).await?.ok_or(Error::NotFound)
    }
}
