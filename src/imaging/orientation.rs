//! The one thing of a photo's EXIF that is kept: which side is up.

use image::metadata::Orientation;

use super::reader::Reader;

const TAG: u16 = 0x0112;
const SHORT: u16 = 3;
const PREFIX: &[u8] = b"Exif\0\0";

/// The orientation that an EXIF block gives, with or without its `Exif` prefix; upright where it gives none.
pub(super) fn read(exif: &[u8]) -> Orientation {
    let tiff = exif.strip_prefix(PREFIX).unwrap_or(exif);
    find(tiff).and_then(|value| Orientation::from_exif(value.try_into().ok()?)).unwrap_or(UPRIGHT)
}

pub(super) const UPRIGHT: Orientation = Orientation::NoTransforms;

/// Whether width and height change places on the screen.
pub(super) fn swaps_sides(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

fn find(tiff: &[u8]) -> Option<u16> {
    let big = match tiff.first_chunk()? {
        b"MM\0*" => true,
        b"II*\0" => false,
        _ => return None,
    };
    let word = |reader: &mut Reader<'_>| if big { reader.be16() } else { reader.le16() };
    let long = |reader: &mut Reader<'_>| if big { reader.be32() } else { reader.le32() };
    let mut header = Reader::new(tiff);
    header.take(4)?;
    let directory = usize::try_from(long(&mut header)?).ok()?;
    let mut entries = Reader::new(tiff.get(directory..)?);
    for _ in 0..word(&mut entries)? {
        let mut entry = Reader::new(entries.take(12)?);
        let (tag, form) = (word(&mut entry)?, word(&mut entry)?);
        let count = long(&mut entry)?;
        if (tag, form, count) == (TAG, SHORT, 1) {
            return word(&mut entry);
        }
    }
    None
}

/// An EXIF block, without prefix, that says this and nothing else; `None` where there is nothing to say.
pub(super) fn write(orientation: Orientation) -> Option<Vec<u8>> {
    if orientation == UPRIGHT {
        return None;
    }
    let mut tiff = b"MM\0*\0\0\0\x08\0\x01".to_vec();
    tiff.extend(TAG.to_be_bytes());
    tiff.extend(SHORT.to_be_bytes());
    tiff.extend([0, 0, 0, 1, 0, orientation.to_exif(), 0, 0]);
    tiff.extend([0; 4]);
    Some(tiff)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for value in 1..=8 {
            let orientation = Orientation::from_exif(value).unwrap();
            let written = write(orientation);
            assert_eq!(written.is_none(), value == 1);
            let written = written.unwrap_or_default();
            assert_eq!(read(&written), orientation);
            assert_eq!(read(&[PREFIX, &written].concat()), orientation);
        }
    }

    #[test]
    fn both_byte_orders_are_read_and_nonsense_is_upright() {
        let little = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        assert_eq!(read(little), Orientation::Rotate90);
        for nonsense in
            [&b""[..], b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff\x01\x12\0\x03"]
        {
            assert_eq!(read(nonsense), UPRIGHT);
        }
        assert_eq!(read(&little.map(|byte| if byte == 6 { 9 } else { byte })), UPRIGHT);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(exif in prop::collection::vec(any::<u8>(), 0..64)) {
            read(&[b"MM\0*", exif.as_slice()].concat());
            read(&exif);
        }
    }
}
