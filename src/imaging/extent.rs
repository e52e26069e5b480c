//! How large a picture says it is, and how large it may be.

use super::Undevelopable;

/// Pixels of a photo: 50 megapixels.
pub const MAX_PIXELS: u64 = 50_000_000;
/// Bytes of its decoded pixels: 200 MB.
pub const MAX_DECODED: u64 = 200_000_000;

/// What a header promises, before anything is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Pixels from left to right, as stored.
    pub width: u32,
    /// Pixels from top to bottom, as stored.
    pub height: u32,
    /// Bytes that decoding needs.
    pub decoded: u64,
}

impl Extent {
    pub(super) fn new(width: u32, height: u32, bytes_per_pixel: u64) -> Self {
        let mut extent = Self { width, height, decoded: 0 };
        extent.decoded = extent.pixels().saturating_mul(bytes_per_pixel);
        extent
    }

    /// Width times height.
    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Whether it keeps to [`MAX_PIXELS`] and [`MAX_DECODED`].
    pub fn fits(&self) -> bool {
        self.pixels() <= MAX_PIXELS && self.decoded <= MAX_DECODED
    }

    /// Itself, if there is a picture and it may be decoded.
    pub(super) fn checked(self) -> Result<Self, Undevelopable> {
        match (self.pixels(), self.fits()) {
            (0, _) => Err(Undevelopable::Malformed("no pixels")),
            (_, true) => Ok(self),
            (_, false) => Err(Undevelopable::TooLarge),
        }
    }
}
