//! What screens show of a photo.

use image::{DynamicImage, GrayImage, ImageBuffer, ImageFormat, Luma, Rgba, RgbaImage};

use super::made::*;
use crate::imaging::{Derivative, Developed, Format, develop, strip};

fn developed(format: Format, original: &[u8]) -> Developed {
    develop(&strip(format, original).unwrap()).unwrap()
}

fn seen(derivative: &Derivative) -> DynamicImage {
    let picture = image::load_from_memory(&derivative.bytes).unwrap();
    assert_eq!((picture.width(), picture.height()), (derivative.width, derivative.height));
    picture
}

#[test]
fn each_format_is_shown_in_two_sizes_and_a_blur() {
    for (format, original) in each(3000, 2000) {
        let shown = developed(format, &original);
        assert_eq!((shown.width, shown.height), (3000, 2000), "{format:?}");
        let sizes = [&shown.preview, &shown.thumb].map(|one| (one.width, one.height));
        assert_eq!(sizes, [(1600, 1067), (400, 267)], "{format:?}");
        for derivative in [&shown.preview, &shown.thumb] {
            assert_eq!(derivative.content_type(), "image/jpeg", "{format:?}");
            assert_eq!(corners_of(&seen(derivative)), [RED, GREEN, BLUE, WHITE], "{format:?}");
        }
        assert!((20..=40).contains(&shown.thumbhash.len()), "{}", shown.thumbhash);
    }
}

#[test]
fn every_turn_is_shown_upright() {
    let jpeg = encoded(corners(32, 16), ImageFormat::Jpeg);
    for (turn, upright) in [
        (1, [RED, GREEN, BLUE, WHITE]),
        (2, [GREEN, RED, WHITE, BLUE]),
        (3, [WHITE, BLUE, GREEN, RED]),
        (4, [BLUE, WHITE, RED, GREEN]),
        (5, [RED, BLUE, GREEN, WHITE]),
        (6, [BLUE, RED, WHITE, GREEN]),
        (7, [WHITE, GREEN, BLUE, RED]),
        (8, [GREEN, WHITE, RED, BLUE]),
    ] {
        let shown = developed(Format::Jpeg, &telling_jpeg(&jpeg, turn));
        let size = if turn > 4 { (16, 32) } else { (32, 16) };
        assert_eq!((shown.width, shown.height), size, "{turn}");
        assert_eq!((shown.preview.width, shown.preview.height), size, "{turn}");
        assert_eq!(corners_of(&seen(&shown.preview)), upright, "{turn}");
        assert_eq!(corners_of(&seen(&shown.thumb)), upright, "{turn}");
    }
}

#[test]
fn what_is_small_is_never_enlarged() {
    for (width, height, preview, thumb) in [
        (1, 1, (1, 1), (1, 1)),
        (399, 20, (399, 20), (399, 20)),
        (1600, 400, (1600, 400), (400, 100)),
        (8000, 1, (1600, 1), (400, 1)),
        (1, 8000, (1, 1600), (1, 400)),
        (4000, 3, (1600, 1), (400, 1)),
    ] {
        for (format, original) in each(width, height) {
            let shown = developed(format, &original);
            assert_eq!((shown.width, shown.height), (width, height));
            assert_eq!((shown.preview.width, shown.preview.height), preview, "{format:?} {width}×{height}");
            assert_eq!((shown.thumb.width, shown.thumb.height), thumb, "{format:?} {width}×{height}");
        }
    }
}

#[test]
fn rare_varieties_are_shown_as_well() {
    for (format, original) in [
        (Format::Jpeg, PROGRESSIVE),
        (Format::Jpeg, RESTARTS),
        (Format::Jpeg, CMYK),
        (Format::WebP, LOSSY_WEBP),
        (Format::WebP, ANIMATED_WEBP),
    ] {
        let shown = developed(format, original);
        assert_eq!((shown.width, shown.height), (32, 16));
        assert_eq!(corners_of(&seen(&shown.preview)), [RED, GREEN, BLUE, WHITE]);
    }
}

#[test]
fn sixteen_bits_become_eight() {
    let deep = ImageBuffer::from_fn(64, 64, |x, _| Luma([if x < 32 { u16::MAX } else { 300 }]));
    let shown = developed(Format::Png, &encoded(DynamicImage::ImageLuma16(deep), ImageFormat::Png));
    let preview = seen(&shown.preview);
    assert_eq!(preview.color(), image::ColorType::L8);
    assert_eq!(corners_of(&preview), [WHITE, [0; 3], WHITE, [0; 3]]);
}

#[test]
fn grey_stays_grey() {
    let grey = GrayImage::from_pixel(500, 500, Luma([128]));
    for format in [ImageFormat::Jpeg, ImageFormat::Png] {
        let original = encoded(grey.clone(), format);
        let format = if format == ImageFormat::Png { Format::Png } else { Format::Jpeg };
        assert_eq!(seen(&developed(format, &original).thumb).color(), image::ColorType::L8);
    }
}

#[test]
fn what_is_transparent_stays_so_and_what_only_could_be_does_not() {
    let mut picture = RgbaImage::from_pixel(900, 600, Rgba([200, 30, 30, 255]));
    for format in [(ImageFormat::Png, Format::Png), (ImageFormat::WebP, Format::WebP)] {
        let shown = developed(format.1, &encoded(picture.clone(), format.0));
        assert_eq!(shown.thumb.content_type(), "image/jpeg");
    }
    for x in 0..450 {
        for y in 0..600 {
            picture.put_pixel(x, y, Rgba([0, 0, 0, 0]));
        }
    }
    for format in [(ImageFormat::Png, Format::Png), (ImageFormat::WebP, Format::WebP)] {
        let shown = developed(format.1, &encoded(picture.clone(), format.0));
        assert_eq!(shown.thumb.content_type(), "image/png");
        let thumb = seen(&shown.thumb).into_rgba8();
        assert_eq!((thumb.get_pixel(0, 0).0[3], thumb.get_pixel(399, 0).0[3]), (0, 255));
    }
}

#[test]
fn alpha_that_a_lossless_webp_does_not_speak_of_means_nothing() {
    let hidden = encoded(RgbaImage::from_pixel(4_000, 600, Rgba([200, 30, 30, 0])), ImageFormat::WebP);
    assert_eq!(developed(Format::WebP, &hidden).thumb.content_type(), "image/png");
    let mut spoken = hidden;
    spoken[24] &= !0x10;
    for file in [telling_webp(&spoken, 4_000, 600, 1), spoken] {
        let shown = developed(Format::WebP, &file);
        assert_eq!(shown.thumb.content_type(), "image/jpeg");
        let colour = seen(&shown.thumb).into_rgb8().get_pixel(9, 9).0;
        assert!(colour.iter().zip([200, 30, 30]).all(|(a, b)| a.abs_diff(b) < 10), "{colour:?}");
    }
}

#[test]
fn the_profile_is_carried_over_where_it_speaks_of_the_same_channels() {
    use image::ImageDecoder;
    let carried = |space: &[u8; 4], picture: DynamicImage, as_png: bool| {
        let mut file = Vec::new();
        let mut encoder = image::codecs::png::PngEncoder::new(&mut file);
        image::ImageEncoder::set_icc_profile(&mut encoder, profile(space)).unwrap();
        picture.write_with_encoder(encoder).unwrap();
        let shown = developed(Format::Png, &file);
        let file = std::io::Cursor::new(shown.thumb.bytes);
        assert_eq!(shown.thumb.format == Format::Png, as_png);
        match as_png {
            true => image::codecs::png::PngDecoder::new(file).unwrap().icc_profile().unwrap(),
            false => image::codecs::jpeg::JpegDecoder::new(file).unwrap().icc_profile().unwrap(),
        }
    };
    let colours = || DynamicImage::from(corners(500, 500));
    assert_eq!(carried(b"RGB ", colours(), false), Some(profile(b"RGB ")));
    assert_eq!(carried(b"CMYK", colours(), false), None);
    assert_eq!(carried(b"GRAY", colours().to_luma8().into(), false), Some(profile(b"GRAY")));
    let clear = RgbaImage::from_pixel(4, 4, Rgba([0; 4]));
    assert_eq!(carried(b"RGB ", clear.into(), true), Some(profile(b"RGB ")));
}
