//! What tokens are signed with.

use std::io;
use std::path::Path;
use std::str::FromStr;

use super::keepsake::keepsake;
use super::list;
use super::problem::Expected;
use super::secret::Secret;

/// Shorter than its hash's output a secret would be the weakest part of the signature (RFC 7518, 3.2).
const LEAST_BYTES: usize = 32;

/// `JWT_SECRET`, a comma list: the first signs, all verify, so that a secret can be replaced without a logout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwtSecrets {
    first: Secret<String>,
    older: Vec<Secret<String>>,
}

impl JwtSecrets {
    /// The one that signs.
    pub fn signing(&self) -> &Secret<String> {
        &self.first
    }

    /// All that verify, the signing one first.
    pub fn verifying(&self) -> impl Iterator<Item = &Secret<String>> {
        std::iter::once(&self.first).chain(&self.older)
    }

    /// The secret kept in `DATA_DIR/jwt_secret`, made on the first call; for development and test only.
    ///
    /// # Errors
    ///
    /// When the file can be neither read nor made, or holds no usable secret.
    pub fn kept_in(data_dir: &Path) -> io::Result<Self> {
        keepsake(data_dir, "jwt_secret", draw)?.trim().parse().map_err(|expected: Expected| {
            io::Error::new(io::ErrorKind::InvalidData, format!("jwt_secret: expected {expected}"))
        })
    }
}

fn draw() -> String {
    rand::random::<[u8; 48]>().iter().map(|byte| format!("{byte:02x}")).chain(["\n".to_owned()]).collect()
}

impl FromStr for JwtSecrets {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Self, Expected> {
        let expected = || Expected::new("a comma list of secrets of at least 32 bytes each");
        let secret = |item: &str| {
            (item.len() >= LEAST_BYTES).then(|| Secret::new(item.to_owned())).ok_or_else(expected)
        };
        let mut secrets = list::read(text, secret)?.into_iter();
        let first = secrets.next().ok_or_else(expected)?;
        Ok(Self { first, older: secrets.collect() })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    #[test]
    fn the_first_signs_and_all_verify() {
        let secrets: JwtSecrets = format!("{A}, {B}").parse().unwrap();
        assert_eq!(secrets.signing().expose(), A);
        assert_eq!(secrets.verifying().map(Secret::expose).collect::<Vec<_>>(), [A, B]);
    }

    #[test]
    fn a_short_secret_is_refused_wherever_it_stands() {
        for text in [
            "",
            &A[1..],
            &format!("{A},short"),
            &format!("short,{A}"),
            &format!("{A},"),
            &format!("{A},,{B}"),
        ] {
            assert!(text.parse::<JwtSecrets>().is_err(), "{text}");
        }
        // Bytes count, not characters
        assert!("é".repeat(16).parse::<JwtSecrets>().is_ok());
    }

    #[test]
    fn a_made_secret_is_kept_private_and_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = dir.path().join("new/data");
        let made = JwtSecrets::kept_in(&data_dir).unwrap();
        assert_eq!(made.signing().expose().len(), 96);
        assert_eq!(JwtSecrets::kept_in(&data_dir).unwrap(), made);
        assert_eq!(fs::metadata(data_dir.join("jwt_secret")).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&data_dir).unwrap().count(), 1, "no draft is left");
        assert_ne!(JwtSecrets::kept_in(dir.path()).unwrap(), made, "chance differs");
    }

    #[test]
    fn a_link_to_nowhere_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(dir.path().join("gone"), dir.path().join("jwt_secret")).unwrap();
        assert_eq!(JwtSecrets::kept_in(dir.path()).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn processes_that_start_together_agree() {
        let dir = tempfile::tempdir().unwrap();
        let made: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| JwtSecrets::kept_in(dir.path()).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(made.iter().all(|secrets| *secrets == made[0]));
    }

    #[test]
    fn a_spoilt_file_is_an_error_and_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("jwt_secret"), "short").unwrap();
        let error = JwtSecrets::kept_in(dir.path()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(fs::read_to_string(dir.path().join("jwt_secret")).unwrap(), "short");
    }
}
