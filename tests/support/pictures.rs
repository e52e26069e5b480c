//! Photos as guests' phones make them, and as nobody should.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// The corner colours of a picture, clockwise from the top left, as its pixels are stored.
pub const CORNERS: [[u8; 3]; 4] = [[220, 30, 30], [30, 200, 30], [30, 30, 220], [220, 220, 30]];

/// Latitude and longitude in the EXIF of [`phone_jpeg`], as the bytes that must not come out again.
pub const PLACE: &[u8] = b"N\0\0\0";

/// A JPEG of that size whose quarters have the [`CORNERS`]' colours.
pub fn jpeg(width: u32, height: u32) -> Vec<u8> {
    encode(width, height, 0, ImageFormat::Jpeg)
}

/// As [`jpeg`]; another file for every `salt`.
pub fn salted_jpeg(width: u32, height: u32, salt: u32) -> Vec<u8> {
    encode(width, height, salt, ImageFormat::Jpeg)
}

/// A JPEG of that size that cannot be made small.
pub fn noise(width: u32, height: u32) -> Vec<u8> {
    let mut state = 1_u32;
    let picture = RgbImage::from_fn(width, height, |_, _| {
        Rgb([(); 3].map(|()| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        }))
    });
    let mut out = Cursor::new(Vec::new());
    DynamicImage::from(picture).write_to(&mut out, ImageFormat::Jpeg).unwrap();
    out.into_inner()
}

/// A JPEG like `jpeg`, but for a comment that tells it from others.
pub fn commented(jpeg: &[u8], comment: &str) -> Vec<u8> {
    let length = u16::try_from(comment.len() + 2).unwrap();
    [&jpeg[..2], &[0xff, 0xfe], &length.to_be_bytes(), comment.as_bytes(), &jpeg[2..]].concat()
}

/// Width and height of 50 megapixels, the most that is taken.
pub const HUGE: (u32, u32) = (8_660, 5_773);

/// A JPEG of that size with a colour for every `stripe` pixels, all lines alike: the less, the more bytes.
pub fn huge_jpeg(stripe: u32) -> Vec<u8> {
    const BLOCK: u32 = 8;
    let colours = |x: u32| [x * 53, x * 97, x * 193].map(|colour| colour.to_le_bytes()[0]);
    let line = RgbImage::from_fn(HUGE.0, BLOCK, |x, _| Rgb(colours(x / stripe)));
    let mut out = Cursor::new(Vec::new());
    DynamicImage::from(line).write_to(&mut out, ImageFormat::Jpeg).unwrap();
    let mut line = out.into_inner();
    // One line of blocks is encoded, and comes again and again between marks that begin anew
    let marker = |jpeg: &[u8], marker| jpeg.windows(2).position(|bytes| bytes == [0xff, marker]).unwrap();
    let frame = marker(&line, 0xc0);
    line[frame + 5..frame + 7].copy_from_slice(&u16::try_from(HUGE.1).unwrap().to_be_bytes());
    let (head, scan) = line.split_at(marker(&line, 0xda));
    let (scan_head, blocks) = scan.split_at(2 + usize::from(u16::from_be_bytes([scan[2], scan[3]])));
    let restart = u16::try_from(HUGE.0.div_ceil(BLOCK)).unwrap().to_be_bytes();
    let mut jpeg = [head, &[0xff, 0xdd, 0, 4], &restart, scan_head].concat();
    for (number, mark) in (1..=HUGE.1.div_ceil(BLOCK)).zip((0xd0..=0xd7).cycle()) {
        jpeg.extend(&blocks[..blocks.len() - 2]);
        jpeg.extend([0xff, if number == HUGE.1.div_ceil(BLOCK) { 0xd9 } else { mark }]);
    }
    jpeg
}

/// A lossless WebP of that size, all of it black, in 34 bytes.
pub fn huge_webp() -> Vec<u8> {
    let sides = (HUGE.0 - 1) | (HUGE.1 - 1) << 14;
    // No transform, no cache, and five codes of one symbol each, which takes no bit to name
    let picture = [&[0x2f][..], &sides.to_le_bytes(), &[0x88, 0x88, 0x08, 0, 0, 0, 0, 0, 0]].concat();
    let chunk = [b"WEBPVP8L", &u32::try_from(picture.len()).unwrap().to_le_bytes()[..], &picture].concat();
    [b"RIFF", &u32::try_from(chunk.len()).unwrap().to_le_bytes()[..], &chunk].concat()
}

/// A PNG of that size.
pub fn png(width: u32, height: u32) -> Vec<u8> {
    encode(width, height, 0, ImageFormat::Png)
}

/// A JPEG as a phone that was held upright makes it: its pixels lie on the side (`width` × `height` as stored), its
/// EXIF tells to turn them by 90°, where it was taken, and by whose phone.
pub fn phone_jpeg(width: u32, height: u32) -> Vec<u8> {
    let plain = jpeg(width, height);
    let exif = exif();
    let length = u16::try_from(exif.len() + 2).unwrap();
    let mut out = plain[..2].to_vec();
    out.extend([0xff, 0xe1]);
    out.extend(length.to_be_bytes());
    out.extend(exif);
    out.extend(&plain[2..]);
    out
}

/// What the makers of phones write: orientation 6, a model, and a GPS directory.
fn exif() -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
        let mut entry = Vec::new();
        entry.extend(tag.to_be_bytes());
        entry.extend(kind.to_be_bytes());
        entry.extend(count.to_be_bytes());
        entry.extend(value);
        entry
    };
    const HEADER: u32 = 8;
    const FIRST: u32 = 2 + 3 * 12 + 4;
    const GPS: u32 = 2 + 2 * 12 + 4;
    let (gps_at, model_at) = (HEADER + FIRST, HEADER + FIRST + GPS + 24);
    let mut tiff = b"MM\0*".to_vec();
    tiff.extend(HEADER.to_be_bytes());
    tiff.extend(3_u16.to_be_bytes());
    tiff.extend(entry(0x0110, 2, 10, model_at.to_be_bytes()));
    tiff.extend(entry(0x0112, 3, 1, [0, 6, 0, 0]));
    tiff.extend(entry(0x8825, 4, 1, gps_at.to_be_bytes()));
    tiff.extend(0_u32.to_be_bytes());
    tiff.extend(2_u16.to_be_bytes());
    tiff.extend(entry(1, 2, 2, *PLACE.first_chunk::<4>().unwrap()));
    tiff.extend(entry(2, 5, 3, (gps_at + GPS).to_be_bytes()));
    tiff.extend(0_u32.to_be_bytes());
    for part in [52_u32, 1, 31, 1, 12, 1] {
        tiff.extend(part.to_be_bytes());
    }
    tiff.extend(b"PhoneOfAnn");
    [b"Exif\0\0".to_vec(), tiff].concat()
}

/// A PNG of a few bytes that claims 30,000 × 30,000 pixels.
pub fn bomb() -> Vec<u8> {
    let mut png = png(1, 1);
    // The sides stand behind the signature and the first chunk's head; their checksum behind them
    png[16..20].copy_from_slice(&30_000_u32.to_be_bytes());
    png[20..24].copy_from_slice(&30_000_u32.to_be_bytes());
    let checksum = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&checksum.to_be_bytes());
    png
}

/// A whole PNG of 30,000 × 30,000 pixels, all of them black: less than a megabyte, and 112 or more when it is decoded.
pub fn whole_bomb() -> Vec<u8> {
    const SIDE: u32 = 30_000;
    // One bit a pixel, and a byte before each line
    let length = usize::try_from(SIDE * (1 + SIDE.div_ceil(8))).unwrap();
    // Deflate: one last block with the fixed codes; a zero, and for long the same again
    let mut bits = "110".to_owned() + "00110000";
    bits += &"1100010100000".repeat((length - 1) / 258);
    bits += &"00110000".repeat((length - 1) % 258);
    bits += "0000000";
    let mut zeros = vec![0x78, 0x01];
    zeros.extend(
        bits.as_bytes()
            .chunks(8)
            .map(|byte| byte.iter().enumerate().fold(0, |byte, (place, bit)| byte | ((bit - b'0') << place))),
    );
    zeros.extend((u32::try_from(length % 65_521).unwrap() << 16 | 1).to_be_bytes());
    let header = [&SIDE.to_be_bytes()[..], &SIDE.to_be_bytes(), &[1, 0, 0, 0, 0]].concat();
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, contents) in [(b"IHDR", header), (b"IDAT", zeros), (b"IEND", Vec::new())] {
        let named = [&name[..], &contents].concat();
        out.extend(u32::try_from(contents.len()).unwrap().to_be_bytes());
        out.extend(&named);
        out.extend(crc32(&named).to_be_bytes());
    }
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}

/// Whether `needle` is in `bytes`.
pub fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// The corner colours of an encoded picture as it is shown, clockwise from the top left, and its size.
pub fn shown(bytes: &[u8]) -> ([[u8; 3]; 4], (u32, u32)) {
    use image::ImageDecoder as _;
    let mut decoder =
        image::ImageReader::new(Cursor::new(bytes)).with_guessed_format().unwrap().into_decoder().unwrap();
    let orientation = decoder.orientation().unwrap();
    let mut picture = DynamicImage::from_decoder(decoder).unwrap();
    picture.apply_orientation(orientation);
    let picture = picture.to_rgb8();
    let (right, bottom) = (picture.width() - 1, picture.height() - 1);
    let corners = [(0, 0), (right, 0), (right, bottom), (0, bottom)].map(|(x, y)| picture.get_pixel(x, y).0);
    (corners, picture.dimensions())
}

/// Whether two colours are the same to the eye: JPEG changes them a little.
pub fn is_like(one: [u8; 3], other: [u8; 3]) -> bool {
    one.iter().zip(other).all(|(a, b)| a.abs_diff(b) < 40)
}

fn encode(width: u32, height: u32, salt: u32, format: ImageFormat) -> Vec<u8> {
    let mut picture = RgbImage::from_fn(width, height, |x, y| {
        let corner = match (x >= width.div_ceil(2), y >= height.div_ceil(2)) {
            (false, false) => 0,
            (true, false) => 1,
            (true, true) => 2,
            (false, true) => 3,
        };
        Rgb(CORNERS[corner])
    });
    // In the middle, where no corner is looked at
    for bit in 0..salt.checked_ilog2().map_or(0, |log| log + 1).min(width / 8) {
        if salt >> bit & 1 == 1 {
            for (dx, dy) in (0..8).flat_map(|dx| (0..8).map(move |dy| (dx, dy))) {
                let (x, y) = ((bit * 8 + dx).min(width - 1), (height / 2 + dy).min(height - 1));
                picture.put_pixel(x, y, Rgb([255, 255, 255]));
            }
        }
    }
    let mut out = Cursor::new(Vec::new());
    DynamicImage::from(picture).write_to(&mut out, format).unwrap();
    out.into_inner()
}
