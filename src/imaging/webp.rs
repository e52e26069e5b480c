//! WebP: a RIFF of chunks, each with a name, a length, and a byte of padding where that is odd.

use super::{Extent, Undevelopable, orientation, reader::Reader, strip::Walked};

const ICC_FLAG: u8 = 0x20;
const ALPHA_FLAG: u8 = 0x10;
const EXIF_FLAG: u8 = 0x08;
const ANIMATION_FLAG: u8 = 0x02;
/// In the fifth byte of a lossless picture: whether its alpha means anything.
const LOSSLESS_ALPHA: u8 = 0x10;

/// Bytes that a pixel of an animation takes: the frame, the canvas that it is laid on, and what is made of both.
const ANIMATED: u64 = 12;
/// Bytes that a pixel takes whose alpha lies beside its colours: both planes as they are decoded, and what is made of both.
const LOSSY_ALPHA: u64 = 11;

/// The size that the first chunk gives.
pub(super) fn extent(head: &[u8]) -> Option<Extent> {
    let mut reader = Reader::new(head);
    reader.take(12)?;
    let (name, _length, contents) = (reader.array()?, reader.le32()?, reader.rest());
    match &name {
        b"VP8X" => canvas(contents),
        _ => frame(name, contents),
    }
}

/// Copies pixels, animation and colours, and says in the header what is left.
pub(super) fn strip(original: &[u8]) -> Result<Walked, Undevelopable> {
    let mut reader = Reader::new(riff(original)?);
    let first = chunk(&mut reader).ok_or(Undevelopable::Truncated)?;
    if first.name != *b"VP8X" {
        // Without the extended header there is one picture and nothing about it
        let extent =
            frame(first.name, first.contents).ok_or(Undevelopable::Malformed("no picture"))?.checked()?;
        let mut body = Vec::with_capacity(original.len());
        write(&mut body, first.name, first.contents);
        return Ok(Walked { extent, orientation: orientation::UPRIGHT, bytes: enclose(&body) });
    }
    let mut extent = canvas(first.contents).ok_or(Undevelopable::Malformed("bad header"))?.checked()?;
    let mut turned = orientation::UPRIGHT;
    let (mut kept, mut has_profile) = (Vec::with_capacity(original.len()), false);
    let (mut stills, mut frames) = (0, 0);
    while !reader.rest().is_empty() {
        let chunk = chunk(&mut reader).ok_or(Undevelopable::Truncated)?;
        match &chunk.name {
            b"VP8X" => return Err(Undevelopable::Malformed("two headers")),
            b"VP8 " | b"VP8L" => {
                within(frame(chunk.name, chunk.contents), extent)?;
                write(&mut kept, chunk.name, chunk.contents);
                stills += 1;
            }
            b"ANMF" => {
                write(&mut kept, *b"ANMF", &animation_frame(chunk.contents, extent)?);
                frames += 1;
            }
            b"ALPH" => {
                extent = Extent::new(extent.width, extent.height, LOSSY_ALPHA).checked()?;
                write(&mut kept, chunk.name, chunk.contents);
            }
            b"ANIM" => write(&mut kept, chunk.name, chunk.contents),
            b"ICCP" => {
                has_profile = true;
                write(&mut kept, *b"ICCP", chunk.contents);
            }
            b"EXIF" => turned = orientation::read(chunk.contents),
            _ => {}
        }
    }
    if !matches!((stills, frames), (1, 0) | (0, 1..)) {
        return Err(Undevelopable::Malformed("neither one picture nor frames"));
    }
    let exif = orientation::write(turned);
    let mut header = first.contents.to_vec();
    if let Some(flags) = header.first_mut() {
        *flags &= ALPHA_FLAG | ANIMATION_FLAG;
        *flags |= if has_profile { ICC_FLAG } else { 0 };
        *flags |= if exif.is_some() { EXIF_FLAG } else { 0 };
    }
    header.truncate(10);
    let mut body = Vec::with_capacity(kept.len() + 64);
    write(&mut body, *b"VP8X", &header);
    body.extend(kept);
    if let Some(exif) = exif {
        write(&mut body, *b"EXIF", &exif);
    }
    Ok(Walked { extent, orientation: turned, bytes: enclose(&body) })
}

/// What the outer chunk encloses; what follows it is not looked at.
fn riff(original: &[u8]) -> Result<&[u8], Undevelopable> {
    let mut reader = Reader::new(original);
    let (Some(outer), Some(length), Some(form)) = (reader.array(), reader.le32(), reader.array()) else {
        return Err(Undevelopable::Truncated);
    };
    if outer != *b"RIFF" || form != *b"WEBP" {
        return Err(Undevelopable::Malformed("no signature"));
    }
    let length = usize::try_from(length).ok().and_then(|length| length.checked_sub(4));
    reader.take(length.ok_or(Undevelopable::Malformed("bad length"))?).ok_or(Undevelopable::Truncated)
}

struct Chunk<'a> {
    name: [u8; 4],
    contents: &'a [u8],
}

fn chunk<'a>(reader: &mut Reader<'a>) -> Option<Chunk<'a>> {
    let name = reader.array()?;
    let length = usize::try_from(reader.le32()?).ok()?;
    let contents = reader.take(length)?;
    if length % 2 == 1 {
        // Some writers leave it out at the very end
        let _padding = reader.byte();
    }
    Some(Chunk { name, contents })
}

/// The picture of one frame of an animation, without what else it may enclose.
fn animation_frame(contents: &[u8], canvas: Extent) -> Result<Vec<u8>, Undevelopable> {
    let mut reader = Reader::new(contents);
    let place = reader.take(16).ok_or(Undevelopable::Truncated)?;
    let mut kept = place.to_vec();
    let mut pictures = 0;
    while !reader.rest().is_empty() {
        let chunk = chunk(&mut reader).ok_or(Undevelopable::Truncated)?;
        match &chunk.name {
            b"VP8 " | b"VP8L" => {
                within(frame(chunk.name, chunk.contents), canvas)?;
                pictures += 1;
            }
            b"ALPH" => {}
            _ => continue,
        }
        write(&mut kept, chunk.name, chunk.contents);
    }
    if pictures == 1 { Ok(kept) } else { Err(Undevelopable::Malformed("a frame is one picture")) }
}

/// A picture that is larger than its canvas would be decoded before anyone noticed.
fn within(frame: Option<Extent>, canvas: Extent) -> Result<(), Undevelopable> {
    let frame = frame.ok_or(Undevelopable::Malformed("bad picture header"))?;
    if frame.width <= canvas.width && frame.height <= canvas.height {
        Ok(())
    } else {
        Err(Undevelopable::Malformed("a picture beyond its canvas"))
    }
}

fn canvas(contents: &[u8]) -> Option<Extent> {
    let mut reader = Reader::new(contents);
    let is_animated = reader.take(4)?.first()? & ANIMATION_FLAG != 0;
    let need = if is_animated { ANIMATED } else { 4 };
    Some(Extent::new(reader.le24()? + 1, reader.le24()? + 1, need))
}

/// A clean picture as its decoder takes it in place: a lossless one that shows no alpha is decoded with it all the same, and
/// then copied without, which takes almost twice the memory. `None`: it is taken in place as it is. What alpha there is in
/// what is decoded of this means nothing.
pub(super) fn with_alpha(clean: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader::new(clean.get(12..)?);
    let first = chunk(&mut reader)?;
    // Behind the names and lengths of the outer chunk and of this one
    let (at, flag) = match &first.name {
        b"VP8L" => (12 + 8 + 4, LOSSLESS_ALPHA),
        b"VP8X" if first.contents.first()? & ANIMATION_FLAG == 0 => {
            let mut still = || loop {
                match chunk(&mut reader)?.name {
                    name if matches!(&name, b"VP8 " | b"VP8L") => return Some(name),
                    _ => {}
                }
            };
            (still()? == *b"VP8L").then_some((12 + 8, ALPHA_FLAG))?
        }
        _ => return None,
    };
    (clean.get(at)? & flag == 0).then(|| {
        let mut picture = clean.to_vec();
        if let Some(byte) = picture.get_mut(at) {
            *byte |= flag;
        }
        picture
    })
}

/// The size that a bitstream gives for itself.
fn frame(name: [u8; 4], contents: &[u8]) -> Option<Extent> {
    let mut reader = Reader::new(contents);
    match &name {
        b"VP8 " => {
            reader.take(3)?;
            if reader.array()? != [0x9d, 0x01, 0x2a] {
                return None;
            }
            // The two upper bits ask for scaling
            let side = |reader: &mut Reader<'_>| reader.le16().map(|side| u32::from(side & 0x3fff));
            Some(Extent::new(side(&mut reader)?, side(&mut reader)?, 3))
        }
        b"VP8L" => {
            if reader.byte()? != 0x2f {
                return None;
            }
            let bits = reader.le32()?;
            Some(Extent::new((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1, 4))
        }
        _ => None,
    }
}

fn write(bytes: &mut Vec<u8>, name: [u8; 4], contents: &[u8]) {
    bytes.extend(name);
    bytes.extend(u32::try_from(contents.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(contents);
    if contents.len() % 2 == 1 {
        bytes.push(0);
    }
}

fn enclose(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    [b"RIFF", length.to_le_bytes().as_slice(), b"WEBP", body].concat()
}
