//! What `If-Match` compares.

use sha2::{Digest as _, Sha256};

/// Another number for other texts, and the same for the same ones; never negative, since a tag's parts stand between
/// hyphens.
pub(super) fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> i32 {
    let mut digest = Sha256::new();
    // Each with its length, so that none runs into the next
    for text in texts {
        digest.update(format!("{}:{text}", text.len()));
    }
    let bytes = digest.finalize();
    let number = bytes.iter().take(4).fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    i32::try_from(number >> 1).unwrap_or_default()
}
