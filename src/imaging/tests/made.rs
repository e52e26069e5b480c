//! Photos for tests: four colours in four corners, and secrets in every place that a format has for them.

use std::io::Cursor;

use image::codecs::gif::{GifEncoder, Repeat};
use image::{DynamicImage, Frame, ImageFormat, Rgb, RgbImage};

use crate::imaging::Format;

/// What must not be in a served file.
pub(super) const SECRET: &[u8] = b"52.52N 13.40E at home";

/// What Pillow made of [`corners`] at 32 by 16: what the encoders of `image` cannot.
pub(super) const PROGRESSIVE: &[u8] = include_bytes!("photos/progressive.jpg");
pub(super) const RESTARTS: &[u8] = include_bytes!("photos/restarts.jpg");
pub(super) const CMYK: &[u8] = include_bytes!("photos/cmyk.jpg");
pub(super) const LOSSY_WEBP: &[u8] = include_bytes!("photos/lossy.webp");
pub(super) const ANIMATED_WEBP: &[u8] = include_bytes!("photos/animated.webp");

pub(super) const RED: [u8; 3] = [255, 0, 0];
pub(super) const GREEN: [u8; 3] = [0, 255, 0];
pub(super) const BLUE: [u8; 3] = [0, 0, 255];
pub(super) const WHITE: [u8; 3] = [255, 255, 255];

/// Red, green over blue, white.
pub(super) fn corners(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb(match (x * 2 >= width, y * 2 >= height) {
            (false, false) => RED,
            (true, false) => GREEN,
            (false, true) => BLUE,
            (true, true) => WHITE,
        })
    })
}

/// Top left, top right, bottom left, bottom right.
pub(super) fn corners_of(picture: &DynamicImage) -> [[u8; 3]; 4] {
    let rgb = picture.to_rgb8();
    let (x, y) = (rgb.width() - 1, rgb.height() - 1);
    let clear = |channel: u8| if channel > 127 { 255 } else { 0 };
    [(0, 0), (x, 0), (0, y), (x, y)].map(|(x, y)| rgb.get_pixel(x, y).0.map(clear))
}

pub(super) fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.into().write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// One of each format that is taken.
pub(super) fn each(width: u32, height: u32) -> [(Format, Vec<u8>); 4] {
    [
        (Format::Jpeg, encoded(corners(width, height), ImageFormat::Jpeg)),
        (Format::Png, encoded(corners(width, height), ImageFormat::Png)),
        (Format::Gif, animation(width, height)),
        (Format::WebP, encoded(corners(width, height), ImageFormat::WebP)),
    ]
}

/// Two frames, for ever.
pub(super) fn animation(width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = GifEncoder::new(&mut file);
    encoder.set_repeat(Repeat::Infinite).unwrap();
    for picture in [corners(width, height), image::imageops::rotate180(&corners(width, height))] {
        encoder.encode_frame(Frame::new(DynamicImage::from(picture).into_rgba8())).unwrap();
    }
    drop(encoder);
    file
}

/// TIFF with an orientation, a maker, and a GPS directory, each with the secret.
pub(super) fn exif(orientation: u8) -> Vec<u8> {
    let length = u8::try_from(SECRET.len()).unwrap();
    let mut tiff = b"II*\0\x08\0\0\0\x03\0".to_vec();
    tiff.extend([0x0f, 0x01, 2, 0, length, 0, 0, 0, 50, 0, 0, 0]);
    tiff.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
    tiff.extend([0x25, 0x88, 4, 0, 1, 0, 0, 0, 50 + length, 0, 0, 0]);
    tiff.extend([0; 4]);
    tiff.extend(SECRET);
    tiff.extend([1, 0, 2, 0, 2, 0, length, 0, 0, 0, 50, 0, 0, 0, 0, 0, 0, 0]);
    tiff
}

/// A colour profile's header for these channels: enough for who looks no further.
pub(super) fn profile(space: &[u8; 4]) -> Vec<u8> {
    let mut profile = vec![0; 128];
    profile[..4].copy_from_slice(&128_u32.to_be_bytes());
    profile[16..20].copy_from_slice(space);
    profile[36..40].copy_from_slice(b"acsp");
    profile
}

pub(super) fn segment(marker: u8, contents: &[&[u8]]) -> Vec<u8> {
    let contents = contents.concat();
    let length = u16::try_from(contents.len() + 2).unwrap().to_be_bytes();
    [&[0xff, marker], length.as_slice(), &contents].concat()
}

/// A JPEG with a profile, and with secrets before, within and behind it.
pub(super) fn telling_jpeg(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let scan = jpeg.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
    [
        &jpeg[..2],
        // A JFIF segment with a thumbnail of one pixel by eight
        &segment(0xe0, &[b"JFIF\0\x01\x02\0\0\x01\0\x01\x01\x08", SECRET, &[0; 3]]),
        &segment(0xe0, &[b"JFXX\0", SECRET]),
        &segment(0xe1, &[b"Exif\0\0", &exif(orientation)]),
        &segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", SECRET]),
        &segment(0xe2, &[b"ICC_PROFILE\0\x01\x01", &profile(b"RGB ")]),
        &segment(0xe2, &[b"MPF\0", SECRET]),
        &segment(0xed, &[b"Photoshop 3.0\0", SECRET]),
        &segment(0xee, &[b"Adobe\0\x64\0\0\0\0\x01", SECRET]),
        &segment(0xfe, &[SECRET]),
        // Fill bytes and garbage between segments
        b"\xff\xff\xff",
        &segment(0xe5, &[SECRET])[1..],
        SECRET,
        &jpeg[2..scan],
        &segment(0xfe, &[SECRET]),
        &jpeg[scan..],
        SECRET,
        jpeg,
    ]
    .concat()
}

pub(super) fn png_chunk(name: &[u8; 4], contents: &[u8]) -> Vec<u8> {
    let mut crc = u32::MAX;
    for byte in name.iter().chain(contents) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
        }
    }
    let length = u32::try_from(contents.len()).unwrap().to_be_bytes();
    [&length, name, contents, &(!crc).to_be_bytes()].concat()
}

/// Secrets in every chunk that may have them, an orientation behind the pixels, and something after the end.
pub(super) fn telling_png(png: &[u8], orientation: u8) -> Vec<u8> {
    let end = png.len() - 12;
    [
        &png[..33],
        &png_chunk(b"gAMA", &45_455_u32.to_be_bytes()),
        &png_chunk(b"tEXt", &[b"Comment\0", SECRET].concat()),
        &png_chunk(b"zTXt", &[b"Comment\0\0", SECRET].concat()),
        &png_chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0", SECRET].concat()),
        &png_chunk(b"tIME", &[7, 234, 1, 2, 3, 4, 5]),
        &png_chunk(b"prVt", SECRET),
        &png[33..end],
        &png_chunk(b"eXIf", &exif(orientation)),
        &png[end..],
        SECRET,
    ]
    .concat()
}

pub(super) fn riff_chunk(name: &[u8; 4], contents: &[u8]) -> Vec<u8> {
    let length = u32::try_from(contents.len()).unwrap().to_le_bytes();
    [name, length.as_slice(), contents, &vec![0; contents.len() % 2]].concat()
}

pub(super) fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    riff_chunk(b"RIFF", &[b"WEBP", chunks.concat().as_slice()].concat())
}

/// The extended form of a simple WebP, with a profile and secrets.
pub(super) fn telling_webp(webp: &[u8], width: u32, height: u32, orientation: u8) -> Vec<u8> {
    let mut header = vec![0x20 | 0x08 | 0x04, 0, 0, 0];
    header.extend(&(width - 1).to_le_bytes()[..3]);
    header.extend(&(height - 1).to_le_bytes()[..3]);
    let mut file = riff(&[
        riff_chunk(b"VP8X", &header),
        riff_chunk(b"ICCP", &profile(b"RGB ")),
        webp[12..].to_vec(),
        riff_chunk(b"EXIF", &exif(orientation)),
        riff_chunk(b"XMP ", SECRET),
        riff_chunk(b"ZZZZ", SECRET),
    ]);
    file.extend(SECRET);
    file
}

fn gif_extension(label: u8, runs: &[&[u8]]) -> Vec<u8> {
    let mut block = vec![0x21, label];
    for run in runs {
        block.push(u8::try_from(run.len()).unwrap());
        block.extend(*run);
    }
    block.push(0);
    block
}

/// Secrets in comments, texts and applications, and after the end.
pub(super) fn telling_gif(gif: &[u8]) -> Vec<u8> {
    let colours = if gif[10] & 0x80 == 0 { 0 } else { 3 << ((gif[10] & 7) + 1) };
    let (screen, rest) = gif.split_at(13 + colours);
    [
        screen,
        &gif_extension(0xfe, &[SECRET, SECRET]),
        &gif_extension(0xff, &[b"XMP DataXMP", SECRET]),
        &gif_extension(0xff, &[b"ICCRGBG1012", &profile(b"RGB ")]),
        &gif_extension(0xf9, &[&[0, 1, 0, 0]]),
        &gif_extension(0x01, &[&[0; 12], SECRET]),
        rest,
        SECRET,
    ]
    .concat()
}
