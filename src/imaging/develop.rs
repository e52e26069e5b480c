//! Makes of a clean photo what screens show: a preview, a thumbnail, and a blur to begin with.
//!
//! One decoded picture at a time: it is scaled down before it is turned, and gone before anything is encoded.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::{
    gif::GifDecoder,
    jpeg::{JpegDecoder, JpegEncoder},
    png::{PngDecoder, PngEncoder},
    webp::WebPDecoder,
};
use image::imageops::{FilterType, thumbnail};
use image::{DynamicImage, ImageDecoder, ImageEncoder, Limits};

use super::{Clean, Format, MAX_DECODED, Undevelopable, webp};

/// The long side of a preview, in pixels.
pub const PREVIEW_SIDE: u32 = 1600;
/// The long side of a thumbnail, in pixels.
pub const THUMB_SIDE: u32 = 400;

/// Bytes that a decoder may take beside the picture: its tables, its lines, a colour profile.
const WORKSPACE: u64 = 32_000_000;
/// A colour profile that is larger than most previews is not worth its bytes.
const MAX_PROFILE: usize = 1_000_000;
/// The longest side that a thumbhash is made of.
const HASHED_SIDE: u32 = 100;
const PREVIEW_QUALITY: u8 = 85;
const THUMB_QUALITY: u8 = 80;

/// What a photo is shown with.
#[derive(Clone, Debug)]
pub struct Developed {
    /// Pixels from left to right of the upright photo, at its full size.
    pub width: u32,
    /// Pixels from top to bottom of the upright photo, at its full size.
    pub height: u32,
    /// At most [`PREVIEW_SIDE`] on the long side.
    pub preview: Derivative,
    /// At most [`THUMB_SIDE`] on the long side.
    pub thumb: Derivative,
    /// The thumbhash, in base64.
    pub thumbhash: String,
}

/// A smaller, upright photo, never larger than the first: a JPEG, or a PNG where something is transparent.
#[derive(Clone, Debug)]
pub struct Derivative {
    /// JPEG or PNG.
    pub format: Format,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The file.
    pub bytes: Vec<u8>,
}

impl Derivative {
    /// Its media type: `image/jpeg` or `image/png`.
    pub fn content_type(&self) -> &'static str {
        self.format.kind().content_type()
    }
}

/// Decodes a clean photo, once, and makes everything that is shown of it. Of an animation, the first frame.
///
/// Blocks for as long as it takes, so not on an arbiter's thread, and one at a time in a pod. Measured with the
/// development profile, which optimises the decoders: a JPEG of 12 megapixels takes 1.3 s of one core and 135 MB at the
/// peak; of 50 megapixels 2 s and 220 MB, or 3 s and 270 MB when it is progressive. The slowest, a lossless WebP of
/// 50 megapixels, takes 7 s.
///
/// # Errors
///
/// What does not decode is [`Undevelopable`].
pub fn develop(clean: &Clean) -> Result<Developed, Undevelopable> {
    // Decoders are not ours, and guests' files are not anybody's
    catch_unwind(AssertUnwindSafe(|| develop_or_panic(clean))).unwrap_or(Err(Undevelopable::Panicked))
}

fn develop_or_panic(clean: &Clean) -> Result<Developed, Undevelopable> {
    let (width, height) = clean.shown_size();
    let opaque = if clean.format() == Format::WebP { webp::with_alpha(clean.bytes()) } else { None };
    let (decoded, profile) = decode(clean, opaque.as_deref().unwrap_or(clean.bytes()))?;
    let mut preview = shrink(decoded, PREVIEW_SIDE, opaque.is_some());
    preview.apply_orientation(clean.orientation());
    let thumb = scaled(&preview, THUMB_SIDE);
    let thumbhash = hash(&thumb);
    Ok(Developed {
        width,
        height,
        preview: encode(&preview, profile.as_deref(), PREVIEW_QUALITY)?,
        thumb: encode(&thumb, profile.as_deref(), THUMB_QUALITY)?,
        thumbhash,
    })
}

/// The pixels, as stored, and their colour profile.
fn decode(clean: &Clean, bytes: &[u8]) -> Result<(DynamicImage, Option<Vec<u8>>), Undevelopable> {
    let file = Cursor::new(bytes);
    match clean.format() {
        Format::Jpeg => read(clean, JpegDecoder::new(file)?),
        Format::Png => read(clean, PngDecoder::with_limits(file, limits(clean))?),
        Format::Gif => read(clean, GifDecoder::new(file)?),
        Format::WebP => read(clean, WebPDecoder::new(file)?),
    }
}

fn read(
    clean: &Clean,
    mut decoder: impl ImageDecoder,
) -> Result<(DynamicImage, Option<Vec<u8>>), Undevelopable> {
    let promised = clean.extent();
    if decoder.dimensions() != (promised.width, promised.height) {
        return Err(Undevelopable::Malformed("the decoder sees another size"));
    }
    if decoder.total_bytes() > MAX_DECODED {
        return Err(Undevelopable::TooLarge);
    }
    decoder.set_limits(limits(clean))?;
    // A broken profile costs the profile, not the photo
    let profile = decoder.icc_profile().unwrap_or_default().filter(|profile| profile.len() <= MAX_PROFILE);
    Ok((DynamicImage::from_decoder(decoder)?, profile))
}

fn limits(clean: &Clean) -> Limits {
    let extent = clean.extent();
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(extent.width);
    limits.max_image_height = Some(extent.height);
    limits.max_alloc = Some(MAX_DECODED.saturating_sub(extent.decoded).max(WORKSPACE));
    limits
}

/// Scales down and lets the large picture go; of one that is `opaque` whatever alpha it has as well.
fn shrink(large: DynamicImage, side: u32, opaque: bool) -> DynamicImage {
    // A box filter to twice the size costs one pass over the pixels; what it blurs, the good filter does not see
    let small = match fitted(large.width(), large.height(), side * 2) {
        Some((width, height)) => {
            let small = large.thumbnail_exact(width, height);
            // Before the good filter takes its own share
            drop(large);
            small
        }
        None => large,
    };
    let small = if opaque { DynamicImage::ImageRgb8(small.into_rgb8()) } else { small };
    plain(scaled(&small, side))
}

fn scaled(picture: &DynamicImage, side: u32) -> DynamicImage {
    match fitted(picture.width(), picture.height(), side) {
        Some((width, height)) => picture.resize_exact(width, height, FilterType::Lanczos3),
        None => picture.clone(),
    }
}

/// The size with this long side, or `None` where it is not longer already.
fn fitted(width: u32, height: u32, side: u32) -> Option<(u32, u32)> {
    let long = width.max(height);
    // Rounded, and at least one pixel
    let fit = |length: u32| {
        let exact = (u64::from(length) * u64::from(side) + u64::from(long) / 2) / u64::from(long.max(1));
        u32::try_from(exact).unwrap_or(side).max(1)
    };
    (long > side).then(|| (fit(width), fit(height)))
}

/// Eight bits; grey where it is grey, with alpha only where something shows through.
fn plain(picture: DynamicImage) -> DynamicImage {
    let colour = picture.color();
    match (colour.has_color(), colour.has_alpha()) {
        (false, false) => DynamicImage::ImageLuma8(picture.into_luma8()),
        (true, false) => DynamicImage::ImageRgb8(picture.into_rgb8()),
        (_, true) => {
            let rgba = picture.into_rgba8();
            if rgba.pixels().all(|pixel| pixel.0.last() == Some(&u8::MAX)) {
                DynamicImage::ImageRgb8(DynamicImage::ImageRgba8(rgba).into_rgb8())
            } else {
                DynamicImage::ImageRgba8(rgba)
            }
        }
    }
}

fn encode(picture: &DynamicImage, profile: Option<&[u8]>, quality: u8) -> Result<Derivative, Undevelopable> {
    let (width, height) = (picture.width(), picture.height());
    let profile = profile.filter(|profile| speaks_of(profile, picture)).map(<[u8]>::to_vec);
    let mut bytes = Vec::new();
    let format = if picture.color().has_alpha() {
        write(PngEncoder::new(&mut bytes), picture, profile)?;
        Format::Png
    } else {
        write(JpegEncoder::new_with_quality(&mut bytes, quality), picture, profile)?;
        Format::Jpeg
    };
    Ok(Derivative { format, width, height, bytes })
}

fn write(
    mut encoder: impl ImageEncoder,
    picture: &DynamicImage,
    profile: Option<Vec<u8>>,
) -> Result<(), Undevelopable> {
    if let Some(profile) = profile {
        // Both encoders know how; one that does not leaves the colours as they are
        _ = encoder.set_icc_profile(profile);
    }
    Ok(picture.write_with_encoder(encoder)?)
}

/// Whether a profile is about these channels: a CMYK photo is decoded to RGB, and its profile would spoil that.
fn speaks_of(profile: &[u8], picture: &DynamicImage) -> bool {
    let space: &[u8] = if picture.color().has_color() { b"RGB " } else { b"GRAY" };
    profile.get(16..20) == Some(space)
}

fn hash(thumb: &DynamicImage) -> String {
    let rgba = thumb.to_rgba8();
    let small = match fitted(rgba.width(), rgba.height(), HASHED_SIDE) {
        Some((width, height)) => thumbnail(&rgba, width, height),
        None => rgba,
    };
    let side = |side: u32| usize::try_from(side).unwrap_or_default();
    let hash = thumbhash::rgba_to_thumb_hash(side(small.width()), side(small.height()), small.as_raw());
    STANDARD.encode(hash)
}
