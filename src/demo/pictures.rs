//! The pictures that are brought to the demo party: files of a directory, in the order of their names.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use bytes::BytesMut;
use serde_json::Value;
use tokio::{fs::File, io::AsyncReadExt as _};
use uuid::Uuid;

use super::Error;
use crate::{
    domain::{caller::Caller, text::Caption},
    service::{
        incoming::Said,
        uploads::{Uploads, Words},
    },
};

/// The most pictures that are brought: fewer than one person may upload in a minute.
const MOST: usize = 40;
/// The most entries of the directory that are looked at.
const ENTRIES: usize = 10_000;
const CHUNK: usize = 64 * 1024;
const ENDINGS: [&str; 5] = ["jpg", "jpeg", "png", "gif", "webp"];

/// A picture on this machine.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Picture(PathBuf);

impl Picture {
    /// The first 40 pictures of `directory`.
    ///
    /// # Errors
    ///
    /// [`Error::Pictures`]: it cannot be read, or has none.
    pub(super) fn all_in(directory: &Path) -> Result<Vec<Self>, Error> {
        let refused = |source| Error::Pictures { directory: directory.to_owned(), source };
        let entries = fs::read_dir(directory).map_err(refused)?.take(ENTRIES);
        let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>();
        let mut pictures: Vec<_> = paths.map_err(refused)?.into_iter().map(Self).collect();
        pictures.retain(|picture| {
            let ending = picture.0.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
            ENDINGS.contains(&ending.to_ascii_lowercase().as_str())
        });
        pictures.sort();
        pictures.truncate(MOST);
        if pictures.is_empty() {
            return Err(refused(io::Error::new(io::ErrorKind::NotFound, "no JPEG, PNG, GIF or WebP in it")));
        }
        Ok(pictures)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Uploads it as `caller`, as any client would; once more is the same media.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Pictures`] when it cannot be read.
    pub(super) async fn bring(&self, uploads: &Uploads, caller: Caller, party: Uuid) -> Result<(), Error> {
        let unreadable = |source| Error::Pictures { directory: self.0.clone(), source };
        let mut file = File::open(&self.0).await.map_err(unreadable)?;
        uploads.admit(caller, party).await?;
        let name = self.0.file_name().map(|name| name.to_string_lossy().into_owned());
        let said = Said { content_type: None, file_name: name };
        let mut upload = uploads.begin(said).await?;
        loop {
            let mut chunk = BytesMut::with_capacity(CHUNK);
            if file.read_buf(&mut chunk).await.map_err(unreadable)? == 0 {
                break;
            }
            upload.write(&chunk.freeze()).await?;
        }
        let words = Words { caption: self.caption(), ..Words::default() };
        uploads.finish(caller, party, upload.complete().await?, &words, None).await?;
        Ok(())
    }

    /// What it is called, as a caption: `red-carpet.jpg` becomes "red carpet".
    fn caption(&self) -> Option<Caption> {
        let name = self.0.file_stem()?.to_string_lossy().replace(['-', '_'], " ");
        Caption::read(&Value::String(name)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_are_brought_in_the_order_of_their_names() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.JPG", "README.md", "a.webp", "noending"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let found = Picture::all_in(dir.path()).unwrap();
        assert_eq!(found, ["a.webp", "b.JPG"].map(|name| Picture(dir.path().join(name))));
    }

    #[test]
    fn a_directory_without_pictures_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Picture::all_in(dir.path()), Err(Error::Pictures { .. })));
        assert!(matches!(Picture::all_in(&dir.path().join("gone")), Err(Error::Pictures { .. })));
    }

    #[test]
    fn a_caption_is_made_of_the_name() {
        let caption = Picture("x/red-carpet_1.jpg".into()).caption().unwrap();
        assert_eq!(caption.as_str(), "red carpet 1");
    }
}
