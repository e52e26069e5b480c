//! Files that nobody's camera made.

use image::ImageFormat;
use proptest::prelude::*;

use super::made::*;
use crate::imaging::{Developed, Format, HEAD, Refusal, Undevelopable, develop, sniff, strip};

const FORMATS: [Format; 4] = [Format::Jpeg, Format::Png, Format::Gif, Format::WebP];

fn through(format: Format, file: &[u8]) -> Result<Developed, Undevelopable> {
    strip(format, file).and_then(|clean| develop(&clean))
}

fn small() -> Vec<(Format, Vec<u8>)> {
    let [(_, jpeg), (_, png), (_, gif), (_, webp)] = each(16, 8);
    let rare = [
        (Format::Jpeg, PROGRESSIVE.to_vec()),
        (Format::Jpeg, RESTARTS.to_vec()),
        (Format::WebP, ANIMATED_WEBP.to_vec()),
    ];
    let telling = [
        (Format::Jpeg, telling_jpeg(&jpeg, 6)),
        (Format::Png, telling_png(&png, 6)),
        (Format::Gif, telling_gif(&gif)),
        (Format::WebP, telling_webp(&webp, 16, 8, 6)),
    ];
    rare.into_iter().chain(telling).collect()
}

#[test]
fn a_file_that_was_cut_anywhere_is_no_photo() {
    for (format, whole) in each(16, 8).into_iter().chain([(Format::Jpeg, PROGRESSIVE.to_vec())]) {
        through(format, &whole).unwrap();
        for end in 0..whole.len() {
            let cut = &whole[..end];
            sniff(cut);
            let error = through(format, cut).err().unwrap_or_else(|| panic!("{format:?} cut at {end}"));
            if end > 40 {
                assert_eq!(error.reason(), "truncated", "{format:?} cut at {end}: {error}");
            }
        }
    }
}

#[test]
fn a_jpeg_that_lost_its_second_half_is_not_shown_half_grey() {
    let jpeg = encoded(corners(640, 480), ImageFormat::Jpeg);
    let error = through(Format::Jpeg, &jpeg[..jpeg.len() / 2]).unwrap_err();
    assert!(matches!(error, Undevelopable::Truncated), "{error}");
}

/// A PNG that promises what no memory holds, in fewer than a hundred bytes.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let header = [&width.to_be_bytes(), &height.to_be_bytes(), [8, 2, 0, 0].as_slice(), &[0]].concat();
    let pixels = [0x78, 0x9c, 0x63, 0, 0, 0, 1, 0, 1];
    [
        b"\x89PNG\r\n\x1a\n".as_slice(),
        &png_chunk(b"IHDR", &header),
        &png_chunk(b"IDAT", &pixels),
        &png_chunk(b"IEND", &[]),
    ]
    .concat()
}

#[test]
fn a_bomb_is_refused_before_anything_is_decoded() {
    for (width, height) in [(30_000, 30_000), (u32::MAX, u32::MAX), (50_000_001, 1), (7_072, 7_072)] {
        let bomb = bomb(width, height);
        assert_eq!(sniff(&bomb).admit(Some("image/png"), None), Err(Refusal::TooLarge));
        assert!(matches!(strip(Format::Png, &bomb), Err(Undevelopable::TooLarge)));
    }
    let fits = bomb(7_000, 7_000);
    assert_eq!(sniff(&fits).admit(Some("image/png"), None), Ok(Format::Png));
    assert!(through(Format::Png, &fits).is_err());
}

#[test]
fn every_format_has_a_limit_in_its_head_and_in_its_whole() {
    let mut jpeg = encoded(corners(16, 8), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0xff);
    let mut gif = animation(16, 8);
    gif[6..10].fill(0xff);
    let mut webp = encoded(corners(16, 8), ImageFormat::WebP);
    webp[21..25].fill(0xff);
    let mut extended = ANIMATED_WEBP.to_vec();
    extended[24..30].fill(0xff);
    for (format, file) in
        [(Format::Jpeg, jpeg), (Format::Gif, gif), (Format::WebP, webp), (Format::WebP, extended)]
    {
        assert_eq!(sniff(&file).admit(None, None), Err(Refusal::TooLarge), "{format:?}");
        assert_eq!(strip(format, &file).unwrap_err().reason(), "too large", "{format:?}");
    }
}

#[test]
fn what_the_head_does_not_show_is_found_in_the_whole() {
    let mut jpeg = encoded(corners(16, 8), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0xff);
    let padding = [segment(0xfe, &[&[0; 60_000]]), segment(0xfe, &[&[0; 60_000]])].concat();
    jpeg.splice(2..2, padding);
    assert!(jpeg.len() > HEAD);
    assert_eq!(sniff(&jpeg).extent, None);
    assert_eq!(sniff(&jpeg).admit(None, None), Ok(Format::Jpeg));
    assert_eq!(strip(Format::Jpeg, &jpeg).unwrap_err().reason(), "too large");
}

#[test]
fn memory_that_a_progressive_picture_is_collected_in_counts() {
    // 49 megapixels without subsampling: 147 MB of pixels, 294 MB of coefficients
    let head = |marker: u8, luma: u8| {
        let frame = [8, 27, 88, 27, 88, 3, 1, luma, 0, 2, 0x11, 0, 3, 0x11, 0];
        [b"\xff\xd8".as_slice(), &segment(marker, &[&frame])].concat()
    };
    assert_eq!(sniff(&head(0xc0, 0x11)).admit(None, None), Ok(Format::Jpeg));
    assert_eq!(sniff(&head(0xc2, 0x22)).admit(None, None), Ok(Format::Jpeg));
    assert_eq!(sniff(&head(0xc2, 0x11)).admit(None, None), Err(Refusal::TooLarge));
}

#[test]
fn memory_that_a_webp_is_put_together_in_counts() {
    let sides = |width: u32, height: u32| {
        [&(width - 1).to_le_bytes()[..3], &(height - 1).to_le_bytes()[..3]].concat()
    };
    let animated = |width, height| {
        let mut file = ANIMATED_WEBP.to_vec();
        file.splice(24..30, sides(width, height));
        sniff(&file).admit(None, None)
    };
    assert_eq!(animated(4_000, 4_000), Ok(Format::WebP));
    assert_eq!(animated(5_000, 4_000), Err(Refusal::TooLarge));
    let with_alpha = |width, height| {
        let header = [vec![0x10, 0, 0, 0], sides(width, height)].concat();
        let alpha = riff_chunk(b"ALPH", &[0; 10]);
        riff(&[riff_chunk(b"VP8X", &header), alpha, LOSSY_WEBP[12..].to_vec()])
    };
    assert!(strip(Format::WebP, &with_alpha(4_000, 4_000)).is_ok());
    assert_eq!(strip(Format::WebP, &with_alpha(5_000, 4_000)).unwrap_err().reason(), "too large");
}

#[test]
fn scans_without_end_are_refused() {
    let scan = PROGRESSIVE.windows(2).rposition(|pair| pair == [0xff, 0xda]).unwrap();
    let end = PROGRESSIVE.len() - 2;
    let many = [&PROGRESSIVE[..end], &PROGRESSIVE[scan..end].repeat(100), &PROGRESSIVE[end..]].concat();
    assert_eq!(strip(Format::Jpeg, &many).unwrap_err().reason(), "unsupported");
}

#[test]
fn frames_beyond_their_canvas_are_refused() {
    let webp = encoded(corners(64, 64), ImageFormat::WebP);
    let beyond = telling_webp(&webp, 8, 8, 1);
    assert!(matches!(strip(Format::WebP, &beyond), Err(Undevelopable::Malformed(_))));
    let mut gif = animation(16, 8);
    let image = gif.iter().position(|byte| *byte == 0x2c).unwrap();
    gif[image + 5..image + 9].fill(0xff);
    assert!(matches!(strip(Format::Gif, &gif), Err(Undevelopable::TooLarge)));
}

#[test]
fn a_second_picture_behind_the_first_is_refused() {
    let webp = encoded(corners(16, 8), ImageFormat::WebP);
    let twice = [&webp[..], &webp[12..]].concat();
    assert!(strip(Format::WebP, &telling_webp(&webp, 16, 8, 1)).is_ok());
    assert!(matches!(strip(Format::WebP, &telling_webp(&twice, 16, 8, 1)), Err(Undevelopable::Malformed(_))));
    let [(_, jpeg), (_, png), ..] = each(16, 8);
    let twice = [&png[..33], &png[8..]].concat();
    assert!(matches!(strip(Format::Png, &twice), Err(Undevelopable::Malformed(_))));
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    let twice = [&jpeg[..frame], &jpeg[frame..frame + 19], &jpeg[frame..]].concat();
    assert!(matches!(strip(Format::Jpeg, &twice), Err(Undevelopable::Malformed("two frames"))));
}

#[test]
fn every_single_byte_may_be_wrong() {
    for (format, file) in small() {
        for at in 0..file.len().min(900) {
            for wrong in [0xff, file[at] ^ 0x81] {
                let mut mutated = file.clone();
                mutated[at] = wrong;
                sniff(&mutated);
                _ = through(format, &mutated);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_have_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300), which in 0_usize..4) {
        let format = FORMATS[which];
        let starts: [&[u8]; 4] = [b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x40\0\0\0WEBPVP8X\x0a\0\0\0"];
        for file in [bytes.clone(), [starts[which], &bytes].concat()] {
            sniff(&file);
            _ = through(format, &file);
        }
    }

    #[test]
    fn any_mixture_of_photos_has_an_answer(
        first in 0_usize..7, second in 0_usize..7, cut in 0.0..1.0_f64, join in 0.0..1.0_f64,
        wrong in prop::collection::vec((0.0..1.0_f64, any::<u8>()), 0..6),
    ) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share of a small length")]
        let at = |share: f64, length: usize| (share * length as f64) as usize;
        let files = small();
        let (format, one) = &files[first];
        let (_, other) = &files[second];
        let mut mixed = [&one[..at(cut, one.len())], &other[at(join, other.len())..]].concat();
        for (share, byte) in wrong {
            let at = at(share, mixed.len());
            if let Some(place) = mixed.get_mut(at) {
                *place = byte;
            }
        }
        sniff(&mixed);
        _ = through(*format, &mixed);
    }

    #[test]
    fn what_is_stripped_is_stripped_to_itself(which in 0_usize..7, at in 0.0..1.0_f64, byte in any::<u8>()) {
        let files = small();
        let (format, file) = &files[which];
        let mut file = file.clone();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share of a small length")]
        let at = (at * file.len() as f64) as usize;
        file[at] = byte;
        if let Ok(clean) = strip(*format, &file) {
            prop_assert_eq!(&strip(*format, clean.bytes()).unwrap(), &clean);
        }
    }
}
