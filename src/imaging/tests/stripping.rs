//! What goes and what stays.

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use std::io::Cursor;

use super::made::*;
use crate::imaging::{Clean, Format, Undevelopable, strip};

fn reader(file: &[u8]) -> impl ImageDecoder {
    ImageReader::new(Cursor::new(file)).with_guessed_format().unwrap().into_decoder().unwrap()
}

fn pixels(file: &[u8]) -> DynamicImage {
    DynamicImage::from_decoder(reader(file)).unwrap()
}

fn contains(file: &[u8], what: &[u8]) -> bool {
    file.windows(what.len()).any(|window| window == what)
}

/// Every format with secrets in every place, and with a turn where it has a word for that.
fn telling(turn: u8) -> Vec<(Format, Vec<u8>)> {
    let [(_, jpeg), (_, png), (_, gif), (_, webp)] = each(32, 16);
    vec![
        (Format::Jpeg, telling_jpeg(&jpeg, turn)),
        (Format::Jpeg, telling_jpeg(PROGRESSIVE, turn)),
        (Format::Jpeg, telling_jpeg(RESTARTS, turn)),
        (Format::Png, telling_png(&png, turn)),
        (Format::WebP, telling_webp(&webp, 32, 16, turn)),
        (Format::WebP, telling_webp(LOSSY_WEBP, 32, 16, turn)),
        (Format::Gif, telling_gif(&gif)),
    ]
}

#[test]
fn nothing_that_a_guest_did_not_show_is_left_and_every_pixel_is() {
    for (format, original) in telling(6) {
        let clean = strip(format, &original).unwrap();
        assert!(contains(&original, SECRET), "{format:?}: the test tells nothing");
        for gone in [SECRET, b"http://ns.adobe.com", b"XML:com.adobe", b"tIME", b"MPF\0", b"JFXX", b"XMP "] {
            assert!(!contains(clean.bytes(), gone), "{format:?}: {}", gone.escape_ascii());
        }
        assert!(clean.bytes().len() < original.len());
        assert_eq!(pixels(clean.bytes()), pixels(&original), "{format:?}");
    }
}

#[test]
fn the_orientation_stays_alone() {
    for turn in 1..=8 {
        for (format, original) in telling(turn).into_iter().filter(|(format, _)| *format != Format::Gif) {
            let clean = strip(format, &original).unwrap();
            let mut decoder = reader(clean.bytes());
            let seen = decoder.orientation().unwrap();
            assert_eq!(seen, Orientation::from_exif(turn).unwrap(), "{format:?}");
            let exif = decoder.exif_metadata().unwrap();
            assert_eq!(exif.map_or(0, |exif| exif.len()), if turn == 1 { 0 } else { 26 }, "{format:?}");
            assert_eq!(clean.shown_size(), if turn > 4 { (16, 32) } else { (32, 16) }, "{format:?}");
        }
    }
}

#[test]
fn the_profile_stays() {
    for (format, original) in telling(6).into_iter().filter(|(format, _)| *format != Format::Png) {
        let clean = strip(format, &original).unwrap();
        assert_eq!(reader(clean.bytes()).icc_profile().unwrap(), Some(profile(b"RGB ")), "{format:?}");
    }
    let mut png = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut png);
    image::ImageEncoder::set_icc_profile(&mut encoder, profile(b"RGB ")).unwrap();
    DynamicImage::from(corners(4, 4)).write_with_encoder(encoder).unwrap();
    let clean = strip(Format::Png, &telling_png(&png, 1)).unwrap();
    assert_eq!(reader(clean.bytes()).icc_profile().unwrap(), Some(profile(b"RGB ")));
    assert!(contains(clean.bytes(), b"gAMA"));
}

#[test]
fn a_webp_header_says_what_is_there() {
    let webp = encoded(corners(32, 16), ImageFormat::WebP);
    let flags = |turn| strip(Format::WebP, &telling_webp(&webp, 32, 16, turn)).unwrap().bytes()[20];
    assert_eq!((flags(1), flags(6)), (0x20, 0x28));
}

#[test]
fn animations_stay_animated() {
    let gif = animation(32, 16);
    let clean = strip(Format::Gif, &telling_gif(&gif)).unwrap();
    assert!(contains(clean.bytes(), b"NETSCAPE2.0\x03\x01\0\0"));
    assert_eq!(frames(clean.bytes()), frames(&gif));
    // The control block of the text went with it
    assert_eq!(clean.bytes().windows(3).filter(|window| window == b"\x21\xf9\x04").count(), 2);

    let clean = strip(Format::WebP, ANIMATED_WEBP).unwrap();
    assert_eq!(clean.bytes(), ANIMATED_WEBP);
}

fn frames(gif: &[u8]) -> Vec<image::RgbaImage> {
    use image::AnimationDecoder;
    let decoder = image::codecs::gif::GifDecoder::new(Cursor::new(gif)).unwrap();
    decoder.into_frames().map(|frame| frame.unwrap().into_buffer()).collect()
}

#[test]
fn what_is_clean_stays_as_it_is() {
    let again = |format, clean: &Clean| strip(format, clean.bytes()).unwrap();
    for (format, original) in telling(6).into_iter().chain(each(3, 5)) {
        let clean = strip(format, &original).unwrap();
        assert_eq!(again(format, &clean), clean, "{format:?}");
    }
    for (format, original) in each(7, 7) {
        assert_eq!(strip(format, &original).unwrap().bytes(), original, "{format:?}");
    }
}

#[test]
fn cmyk_keeps_its_adobe_segment() {
    let clean = strip(Format::Jpeg, CMYK).unwrap();
    assert!(contains(clean.bytes(), b"Adobe\0\x64"));
    assert_eq!(pixels(clean.bytes()), pixels(CMYK));
}

#[test]
fn a_photo_in_another_format_than_it_was_told_is_malformed() {
    for (told, _) in each(2, 2) {
        for (format, original) in each(8, 8) {
            let answer = strip(told, &original);
            assert_eq!(answer.is_ok(), told == format, "{told:?} for {format:?}");
            if let Err(error) = answer {
                assert!(matches!(error, Undevelopable::Malformed(_) | Undevelopable::Truncated), "{error}");
            }
        }
    }
}
