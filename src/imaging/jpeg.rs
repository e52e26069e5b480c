//! JPEG: markers, segments, and scans of entropy-coded data between them.

use image::metadata::Orientation;

use super::{Extent, Undevelopable, orientation, reader::Reader, strip::Walked};

const SOF0: u8 = 0xc0;
const SOF2: u8 = 0xc2;
const DHT: u8 = 0xc4;
const DAC: u8 = 0xcc;
const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const DQT: u8 = 0xdb;
const DNL: u8 = 0xdc;
const DRI: u8 = 0xdd;
const APP0: u8 = 0xe0;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;
const APP14: u8 = 0xee;

/// What a scan costs is bounded by the pixels; how many there are is not. Encoders make about ten.
const MAX_SCANS: usize = 100;
/// `JFIF`, version, density, and a thumbnail of no pixels.
const JFIF_LENGTH: usize = 14;
/// `Adobe`, version, flags and the colour transform.
const ADOBE_LENGTH: usize = 12;

/// The size that the frame header gives, if the head reaches it.
pub(super) fn extent(head: &[u8]) -> Option<Extent> {
    let mut reader = Reader::new(head);
    loop {
        match next(&mut reader)? {
            Part::Segment(marker, contents) if is_frame(marker) => return frame(marker, contents),
            Part::Segment(SOS, _) | Part::Bare(EOI) => return None,
            _ => {}
        }
    }
}

/// Copies the list of what may stay, up to the end marker.
pub(super) fn strip(original: &[u8]) -> Result<Walked, Undevelopable> {
    let mut reader = Reader::new(original);
    if !matches!(next(&mut reader), Some(Part::Bare(SOI))) {
        return Err(Undevelopable::Malformed("no start marker"));
    }
    let (mut extent, mut turned, mut jfif) = (None, None, None);
    let mut kept = Vec::with_capacity(original.len());
    let mut scans = 0;
    loop {
        match next(&mut reader).ok_or(Undevelopable::Truncated)? {
            Part::Bare(EOI) => break,
            Part::Bare(SOI) => return Err(Undevelopable::Malformed("a start marker inside")),
            // Restarts and the like mean nothing between segments
            Part::Bare(_) => {}
            Part::Segment(marker, contents) if is_frame(marker) => {
                if extent.is_some() {
                    return Err(Undevelopable::Malformed("two frames"));
                }
                let promised = frame(marker, contents).ok_or(Undevelopable::Malformed("bad frame header"))?;
                if promised.height == 0 {
                    return Err(Undevelopable::Unsupported("a height after the scan"));
                }
                extent = Some(promised.checked()?);
                segment(&mut kept, marker, contents);
            }
            Part::Segment(SOS, header) => {
                scans += 1;
                match (extent, scans) {
                    (None, _) => return Err(Undevelopable::Malformed("a scan before its frame")),
                    (_, 0..=MAX_SCANS) => {}
                    _ => return Err(Undevelopable::Unsupported("more scans than any encoder makes")),
                }
                segment(&mut kept, SOS, header);
                kept.extend(entropy(&mut reader).ok_or(Undevelopable::Truncated)?);
            }
            Part::Segment(marker @ (DHT | DAC | DQT | DNL | DRI), contents) => {
                segment(&mut kept, marker, contents)
            }
            Part::Segment(APP0, contents) if contents.starts_with(b"JFIF\0") => {
                jfif = jfif.or_else(|| without_thumbnail(contents));
            }
            Part::Segment(APP1, contents) if contents.starts_with(b"Exif\0") && scans == 0 => {
                turned = turned.or_else(|| Some(orientation::read(contents)));
            }
            Part::Segment(APP2, contents) if contents.starts_with(b"ICC_PROFILE\0") => {
                segment(&mut kept, APP2, contents);
            }
            Part::Segment(APP14, contents) if contents.starts_with(b"Adobe") => {
                if let Some(contents) = contents.get(..ADOBE_LENGTH) {
                    segment(&mut kept, APP14, contents);
                }
            }
            Part::Segment(..) => {}
        }
    }
    let extent = extent.filter(|_| scans > 0).ok_or(Undevelopable::Malformed("no scan"))?;
    let orientation = turned.unwrap_or(orientation::UPRIGHT);
    Ok(Walked { extent, orientation, bytes: assemble(jfif, orientation, &kept) })
}

/// JFIF wants to be first, and EXIF right behind it is where everyone looks.
fn assemble(jfif: Option<[u8; JFIF_LENGTH]>, orientation: Orientation, kept: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(kept.len() + 64);
    bytes.extend([0xff, SOI]);
    if let Some(jfif) = jfif {
        segment(&mut bytes, APP0, &jfif);
    }
    if let Some(exif) = orientation::write(orientation) {
        segment(&mut bytes, APP1, &[b"Exif\0\0", exif.as_slice()].concat());
    }
    bytes.extend(kept);
    bytes.extend([0xff, EOI]);
    bytes
}

enum Part<'a> {
    /// A marker alone.
    Bare(u8),
    /// A marker and what its length encloses.
    Segment(u8, &'a [u8]),
}

/// The next marker, with its contents; skips fill bytes, and garbage as decoders do.
fn next<'a>(reader: &mut Reader<'a>) -> Option<Part<'a>> {
    let marker = loop {
        let garbage = reader.rest().iter().position(|byte| *byte == 0xff)?;
        reader.take(garbage)?;
        let fill = reader.rest().iter().position(|byte| *byte != 0xff)?;
        reader.take(fill)?;
        match reader.byte()? {
            0 => {}
            marker => break marker,
        }
    };
    if matches!(marker, 0x01 | 0xd0..=EOI) {
        return Some(Part::Bare(marker));
    }
    let length = usize::from(reader.be16()?).checked_sub(2)?;
    reader.take(length).map(|contents| Part::Segment(marker, contents))
}

/// Entropy-coded data, up to the marker that ends it: stuffed zeros and restarts are inside.
fn entropy<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let mut length = 0;
    let mut ahead = *reader;
    loop {
        let run = ahead.rest().iter().position(|byte| *byte == 0xff)?;
        ahead.take(run + 1)?;
        length += run;
        match ahead.rest().first()? {
            0 | 0xd0..=0xd7 => {
                ahead.take(1)?;
                length += 2;
            }
            // A fill byte: the next one is looked at again
            0xff => length += 1,
            _ => return reader.take(length),
        }
    }
}

fn segment(bytes: &mut Vec<u8>, marker: u8, contents: &[u8]) {
    // Contents come out of a segment or are a few bytes: never over the 16 bits of a length
    let length = u16::try_from(contents.len() + 2).unwrap_or(u16::MAX);
    bytes.extend([0xff, marker]);
    bytes.extend(length.to_be_bytes());
    bytes.extend(contents);
}

fn without_thumbnail(jfif: &[u8]) -> Option<[u8; JFIF_LENGTH]> {
    let mut jfif = *jfif.first_chunk::<JFIF_LENGTH>()?;
    let [.., across, down] = &mut jfif;
    (*across, *down) = (0, 0);
    Some(jfif)
}

fn is_frame(marker: u8) -> bool {
    matches!(marker, SOF0..=0xcf) && !matches!(marker, DHT | DAC | 0xc8)
}

fn frame(marker: u8, contents: &[u8]) -> Option<Extent> {
    let mut reader = Reader::new(contents);
    let _precision = reader.byte()?;
    let (height, width) = (u32::from(reader.be16()?), u32::from(reader.be16()?));
    let count = usize::from(reader.byte()?);
    let sampling: Vec<_> = reader.take(count * 3)?.chunks_exact(3).filter_map(|one| one.get(1)).collect();
    let channels = if count == 1 { 1 } else { 3 };
    let mut extent = Extent::new(width, height, channels);
    if marker == SOF2 {
        extent.decoded = extent.decoded.max(coefficients(extent.pixels(), &sampling));
    }
    Some(extent)
}

/// Bytes of the coefficients that a progressive picture is collected in: two for each sample, all until the last scan.
fn coefficients(pixels: u64, sampling: &[&u8]) -> u64 {
    let area = |sampling: u8| u64::from(sampling >> 4) * u64::from(sampling & 0xf);
    let most = |side: fn(u8) -> u8| sampling.iter().map(|one| u64::from(side(**one))).max().unwrap_or(1);
    let whole = (most(|one| one >> 4) * most(|one| one & 0xf)).max(1);
    let samples: u64 = sampling.iter().map(|one| pixels * area(**one) / whole).sum();
    samples * 2
}
