//! PNG: a signature and chunks, each with a length, a type and a checksum.

use super::{Extent, Undevelopable, orientation, reader::Reader, strip::Walked};

pub(super) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Everything that changes pixels, colours or the animation. Whatever else there is goes.
const KEPT: &[&[u8; 4]] = &[
    b"PLTE", b"IDAT", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI",
    b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
];

/// The size that the header gives.
pub(super) fn extent(head: &[u8]) -> Option<Extent> {
    let mut reader = Reader::new(head.strip_prefix(SIGNATURE)?);
    reader.be32()?;
    if reader.array()? != *b"IHDR" {
        return None;
    }
    header(reader.take(13)?)
}

/// Copies the listed chunks, up to the end chunk.
pub(super) fn strip(original: &[u8]) -> Result<Walked, Undevelopable> {
    let body = original.strip_prefix(SIGNATURE).ok_or(Undevelopable::Malformed("no signature"))?;
    let mut reader = Reader::new(body);
    let first = chunk(&mut reader).ok_or(Undevelopable::Truncated)?;
    let extent = Some(&first)
        .filter(|chunk| chunk.name == *b"IHDR")
        .and_then(|chunk| header(chunk.contents))
        .ok_or(Undevelopable::Malformed("no header"))?
        .checked()?;
    let mut kept: Vec<u8> = Vec::with_capacity(original.len());
    let (mut turned, mut pixels) = (orientation::UPRIGHT, false);
    loop {
        let chunk = chunk(&mut reader).ok_or(Undevelopable::Truncated)?;
        match &chunk.name {
            b"IEND" => break,
            b"IHDR" => return Err(Undevelopable::Malformed("two headers")),
            b"eXIf" => turned = orientation::read(chunk.contents),
            name if KEPT.contains(&name) => {
                pixels |= name == b"IDAT";
                kept.extend(chunk.whole);
            }
            // Upper case: without it the pixels mean something else
            [b'A'..=b'Z', ..] => return Err(Undevelopable::Unsupported("an unknown critical chunk")),
            _ => {}
        }
    }
    if !pixels {
        return Err(Undevelopable::Malformed("no pixels"));
    }
    let mut bytes = [SIGNATURE, first.whole].concat();
    if let Some(exif) = orientation::write(turned) {
        write(&mut bytes, *b"eXIf", &exif);
    }
    bytes.extend(kept);
    write(&mut bytes, *b"IEND", &[]);
    Ok(Walked { extent, orientation: turned, bytes })
}

struct Chunk<'a> {
    name: [u8; 4],
    contents: &'a [u8],
    /// With length, name and checksum.
    whole: &'a [u8],
}

fn chunk<'a>(reader: &mut Reader<'a>) -> Option<Chunk<'a>> {
    let length = usize::try_from(Reader::new(reader.rest()).be32()?).ok()?;
    let whole = reader.take(length.checked_add(12)?)?;
    let mut inner = Reader::new(whole);
    inner.be32()?;
    Some(Chunk { name: inner.array()?, contents: inner.take(length)?, whole })
}

fn header(contents: &[u8]) -> Option<Extent> {
    let mut reader = Reader::new(contents);
    let (width, height) = (reader.be32()?, reader.be32()?);
    let (depth, colour) = (reader.byte()?, reader.byte()?);
    // What it is decoded to; a single transparent colour may add a channel, which the decoder's own size shows later
    let channels = match colour {
        0 | 4 => 2,
        2 => 3,
        _ => 4,
    };
    Some(Extent::new(width, height, channels * if depth == 16 { 2 } else { 1 }))
}

fn write(bytes: &mut Vec<u8>, name: [u8; 4], contents: &[u8]) {
    let length = u32::try_from(contents.len()).unwrap_or(u32::MAX);
    bytes.extend(length.to_be_bytes());
    bytes.extend(name);
    bytes.extend(contents);
    bytes.extend(checksum(&[&name, contents]).to_be_bytes());
}

/// CRC-32 over parts, bit by bit: these are a few bytes.
fn checksum(parts: &[&[u8]]) -> u32 {
    let mut register = u32::MAX;
    for byte in parts.iter().copied().flatten() {
        register ^= u32::from(*byte);
        for _ in 0..8 {
            register = if register & 1 == 1 { (register >> 1) ^ 0xedb8_8320 } else { register >> 1 };
        }
    }
    !register
}
