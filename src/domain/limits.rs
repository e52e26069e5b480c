//! The sizes and types that the contract takes.

/// Bytes of a megabyte, as the contract counts.
pub const MB: u64 = 1_000_000;
/// The most bytes of a photo.
pub const PHOTO_BYTES: u64 = 25 * MB;
/// The most pixels of a photo.
pub const PHOTO_PIXELS: u64 = 50_000_000;
/// The most bytes that a photo may take when it is decoded.
pub const PHOTO_DECODED_BYTES: u64 = 200 * MB;
/// The types of photos that are taken.
pub const PHOTO_TYPES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];
/// The least and most people that a party may be limited to.
pub const ATTENDEES: std::ops::RangeInclusive<i64> = 2..=100_000;
/// The longest that a party lasts, in hours.
pub const PARTY_HOURS: i64 = 72;
/// The most tags of a party or a media.
pub const TAGS: usize = 10;
/// The most scalars of a tag.
pub const TAG_LENGTH: usize = 50;
