//! Where photos are developed while their request waits.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::error::{Cause, Error};
use crate::{
    domain::fields::Wrong,
    imaging::{Developed, Format, Undevelopable},
};

/// When who found the darkroom full may come back.
const RETRY: Duration = Duration::from_secs(2);
const CORRUPT: Wrong = Wrong::new("CORRUPT", "ends too early, or is broken");

/// Makes clean, upright pictures of photos, on threads that hold up nobody.
pub trait Darkroom: Send + Sync + 'static {
    /// Develops a photo, which is taken along; in bounded time.
    fn develop(&self, format: Format, photo: Vec<u8>) -> BoxFuture<'_, Result<Developed, Undeveloped>>;
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum Undeveloped {
    /// None can be made of these bytes.
    #[error(transparent)]
    Never(#[from] Undevelopable),
    /// Too many wait, or it took too long.
    #[error("the darkroom has too much to do")]
    Crowded(#[source] Cause),
    /// Not the photo's fault.
    #[error("the darkroom failed")]
    Failed(#[source] Cause),
}

impl From<Undeveloped> for Error {
    fn from(undeveloped: Undeveloped) -> Self {
        match undeveloped {
            Undeveloped::Never(Undevelopable::TooLarge) => Self::TooLarge("The picture has too many pixels"),
            Undeveloped::Never(Undevelopable::Unsupported(_)) => {
                Self::Unsupported("The picture is of a variety of its format that is not taken")
            }
            Undeveloped::Never(
                Undevelopable::Truncated
                | Undevelopable::Malformed(_)
                | Undevelopable::Undecodable(_)
                | Undevelopable::Panicked,
            ) => Self::field("file", &CORRUPT),
            Undeveloped::Crowded(source) => Self::Unavailable {
                reason: "too many pictures are being developed",
                retry_after: RETRY,
                source: Some(source),
            },
            Undeveloped::Failed(source) => Self::Internal(source),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_whose_fault_it_is_and_whether_to_come_again() {
        let never = |undevelopable| Error::from(Undeveloped::Never(undevelopable));
        assert!(matches!(never(Undevelopable::TooLarge), Error::TooLarge(_)));
        assert!(matches!(never(Undevelopable::Unsupported("lossless")), Error::Unsupported(_)));
        for broken in [Undevelopable::Truncated, Undevelopable::Malformed("odd"), Undevelopable::Panicked] {
            let Error::Invalid(invalid) = never(broken) else { panic!("400 is expected") };
            assert_eq!((invalid.0[0].path.as_str(), invalid.0[0].code), ("file", "CORRUPT"));
        }
        let crowded = Error::from(Undeveloped::Crowded("full".into()));
        assert!(matches!(crowded, Error::Unavailable { retry_after: RETRY, .. }));
        assert!(matches!(Error::from(Undeveloped::Failed("a bug".into())), Error::Internal(_)));
    }
}
