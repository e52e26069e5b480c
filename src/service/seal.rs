//! Keeps what must come back readable, but not to whoever reads the disk: access codes, first answers.
//!
//! *Invariant:* each purpose has keys of its own, derived from the first secret; what another secret sealed is opened
//! by the others.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, RandomizedNonceKey},
    hmac,
};

use super::key;
use crate::config::JwtSecrets;

const NONCE: usize = 12;

/// Seals and opens for one purpose.
pub struct Seal {
    keys: Vec<RandomizedNonceKey>,
}

impl Seal {
    /// For `purpose`; the first secret seals, all open.
    pub fn new(secrets: &JwtSecrets, purpose: &str) -> Self {
        let keys = secrets
            .verifying()
            // 32 bytes are what the algorithm takes
            .filter_map(|secret| RandomizedNonceKey::new(&AES_256_GCM, &key::derive(secret, purpose)).ok());
        Self { keys: keys.collect() }
    }

    /// `plain`, sealed under `context`: it opens under no other. `None`: the machine has no randomness.
    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let mut sealed = plain.to_vec();
        let nonce = self.keys.first()?.seal_in_place_append_tag(Aad::from(context), &mut sealed).ok()?;
        let mut out = nonce.as_ref().to_vec();
        out.append(&mut sealed);
        Some(out)
    }

    /// What was sealed under `context`; `None` when it was not, or by a secret that is gone.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE)?;
        self.keys.iter().find_map(|key| {
            let nonce = aws_lc_rs::aead::Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut plain = sealed.to_vec();
            let plain = key.open_in_place(nonce, Aad::from(context), &mut plain).ok()?;
            Some(plain.to_vec())
        })
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").finish_non_exhaustive()
    }
}

/// Names what may not be kept readable, so that it can be found again; also signs what leaves the service.
pub struct Mark {
    keys: Vec<hmac::Key>,
}

impl Mark {
    /// For `purpose`; the first secret marks, all are known.
    pub fn new(secrets: &JwtSecrets, purpose: &str) -> Self {
        let keys = secrets
            .verifying()
            .map(|secret| hmac::Key::new(hmac::HMAC_SHA256, &key::derive(secret, purpose)));
        Self { keys: keys.collect() }
    }

    /// The mark of `text`: HMAC-SHA256, 32 bytes.
    pub fn of(&self, text: &[u8]) -> Vec<u8> {
        self.all_of(text).into_iter().next().unwrap_or_default()
    }

    /// Every mark that `text` may have been given, the newest first: what to look for.
    pub fn all_of(&self, text: &[u8]) -> Vec<Vec<u8>> {
        self.keys.iter().map(|key| hmac::sign(key, text).as_ref().to_vec()).collect()
    }

    /// Whether `mark` is one of `text`, in constant time.
    pub fn is_of(&self, text: &[u8], mark: &[u8]) -> bool {
        self.keys.iter().any(|key| hmac::verify(key, text, mark).is_ok())
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mark").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(letters: &str) -> JwtSecrets {
        let secrets: Vec<_> = letters.chars().map(|letter| letter.to_string().repeat(32)).collect();
        secrets.join(",").parse().unwrap()
    }

    #[test]
    fn what_is_sealed_opens_under_its_context_and_purpose_alone() {
        let seal = Seal::new(&secrets("a"), "one");
        let sealed = seal.seal(b"here", b"secret").unwrap();
        assert_ne!(sealed, seal.seal(b"here", b"secret").unwrap());
        assert_eq!(seal.open(b"here", &sealed).as_deref(), Some(&b"secret"[..]));
        assert_eq!(seal.open(b"there", &sealed), None);
        assert_eq!(Seal::new(&secrets("a"), "other").open(b"here", &sealed), None);
        assert_eq!(Seal::new(&secrets("ba"), "one").open(b"here", &sealed).as_deref(), Some(&b"secret"[..]));
        assert_eq!(Seal::new(&secrets("b"), "one").open(b"here", &sealed), None);
        for cut in 0..sealed.len() {
            assert_eq!(seal.open(b"here", &sealed[..cut]), None);
        }
    }

    #[test]
    fn a_mark_is_found_while_its_secret_is_known() {
        let old = Mark::new(&secrets("a"), "code").of(b"ABCD");
        let rotated = Mark::new(&secrets("ba"), "code");
        assert!(rotated.all_of(b"ABCD").contains(&old));
        assert!(rotated.is_of(b"ABCD", &old));
        assert!(!rotated.is_of(b"ABCE", &old));
        assert!(!Mark::new(&secrets("b"), "code").is_of(b"ABCD", &old));
        assert!(!Mark::new(&secrets("a"), "link").is_of(b"ABCD", &old));
    }
}
