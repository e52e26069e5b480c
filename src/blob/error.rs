//! What storage may answer.

use std::io;

/// Why an operation was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// More bytes than the caller allowed.
    #[error("the object is larger than {limit} bytes")]
    TooLarge {
        /// What the caller allowed.
        limit: u64,
    },
    /// No room, or no quota: later attempts may find some.
    #[error("the storage is full")]
    StorageFull(#[source] io::Error),
    /// The disk or the network behind it fails.
    #[error("the storage is unavailable")]
    Unavailable(#[source] io::Error),
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::StorageFull(error),
            _ => Self::Unavailable(error),
        }
    }
}

/// The configuration names a kind of storage that this version does not speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{scheme}: is not spoken yet; a directory, as file:///var/lib/party-gallery, is")]
pub struct Unspoken {
    /// The scheme of the URL.
    pub scheme: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_a_failing_one() {
        for (errno, full) in
            [(libc::ENOSPC, true), (libc::EDQUOT, true), (libc::EIO, false), (libc::EROFS, false)]
        {
            let error = Error::from(io::Error::from_raw_os_error(errno));
            assert_eq!(matches!(error, Error::StorageFull(_)), full, "{error:?}");
        }
    }
}
