//! One key for each purpose out of one secret: what leaks of it tells nothing of the secret or of another purpose's.

use hkdf::Hkdf;
use sha2::Sha256;

use crate::config::Secret;

/// The key of `secret` for `purpose`, which names its version too.
pub(super) fn derive(secret: &Secret<String>, purpose: &str) -> [u8; 32] {
    let mut key = [0; 32];
    // 32 bytes are always to be had from SHA-256
    _ = Hkdf::<Sha256>::new(None, secret.expose().as_bytes()).expand(purpose.as_bytes(), &mut key);
    key
}
