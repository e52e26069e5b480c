//! Why a photo ends FAILED.

use std::io;

use image::ImageError;

/// No photo can be made of these bytes, now or later.
#[derive(Debug, thiserror::Error)]
pub enum Undevelopable {
    /// The end is missing: half a picture is none.
    #[error("the file ends before the picture does")]
    Truncated,
    /// The container is broken; the words are for the log.
    #[error("the file is broken: {0}")]
    Malformed(&'static str),
    /// The container is well, the pixels are not.
    #[error("the pixels cannot be decoded")]
    Undecodable(#[source] ImageError),
    /// The decoder fell over these bytes.
    #[error("the decoder panicked")]
    Panicked,
    /// Over the limits of [`Extent`](super::Extent).
    #[error("the picture is too large")]
    TooLarge,
    /// A variety of its format that is not spoken here; the words are for the log.
    #[error("the picture needs what is not supported: {0}")]
    Unsupported(&'static str),
}

impl Undevelopable {
    /// The short reason that the uploader reads: `truncated`, `corrupt`, `too large` or `unsupported`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Malformed(_) | Self::Undecodable(_) | Self::Panicked => "corrupt",
            Self::TooLarge => "too large",
            Self::Unsupported(_) => "unsupported",
        }
    }
}

impl From<ImageError> for Undevelopable {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Limits(_) => Self::TooLarge,
            ImageError::Unsupported(_) => Self::Unsupported("the decoder does not know this variety"),
            ImageError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => Self::Truncated,
            other => Self::Undecodable(other),
        }
    }
}
