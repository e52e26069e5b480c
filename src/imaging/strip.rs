//! Takes out of a photo what its guest did not mean to show, and leaves every pixel as it was.
//!
//! What goes: EXIF, XMP, IPTC, comments, embedded thumbnails and second pictures, whatever follows the end. What stays:
//! pixels and all that decoding needs, the colour profile, and the orientation alone. Each format is walked by its own
//! file and keeps what is on a list, so that what nobody thought of goes.

use image::metadata::Orientation;

use super::{Extent, Format, Undevelopable, gif, jpeg, orientation, png, webp};

/// A photo as it is served: complete, within the limits, and without a word about who took it where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clean {
    format: Format,
    extent: Extent,
    orientation: Orientation,
    bytes: Vec<u8>,
}

/// What a format's own walk gives.
pub(super) struct Walked {
    pub(super) extent: Extent,
    pub(super) orientation: Orientation,
    pub(super) bytes: Vec<u8>,
}

/// Walks a whole photo and keeps what may be served.
///
/// Losslessly: the compressed pixels are copied, not made anew. Takes memory for one more copy of the file.
///
/// # Errors
///
/// What is incomplete, broken, or over the limits of [`Extent`] is [`Undevelopable`].
pub fn strip(format: Format, original: &[u8]) -> Result<Clean, Undevelopable> {
    let Walked { extent, orientation, bytes } = match format {
        Format::Jpeg => jpeg::strip(original),
        Format::Png => png::strip(original),
        Format::Gif => gif::strip(original),
        Format::WebP => webp::strip(original),
    }?;
    Ok(Clean { format, extent, orientation, bytes })
}

impl Clean {
    /// What it is; its kind knows the media type.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Width and height in pixels as a screen shows them, upright.
    pub fn shown_size(&self) -> (u32, u32) {
        let Extent { width, height, .. } = self.extent;
        if orientation::swaps_sides(self.orientation) { (height, width) } else { (width, height) }
    }

    /// The file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file, given away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn extent(&self) -> Extent {
        self.extent
    }

    pub(super) fn orientation(&self) -> Orientation {
        self.orientation
    }
}
