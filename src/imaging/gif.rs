//! GIF: a screen, and blocks whose data comes in runs of at most 255 bytes.

use super::{Extent, Undevelopable, orientation, reader::Reader, strip::Walked};

/// The format's two versions.
pub(super) const SIGNATURES: [&[u8]; 2] = [b"GIF87a", b"GIF89a"];

const IMAGE: u8 = 0x2c;
const EXTENSION: u8 = 0x21;
const TRAILER: u8 = 0x3b;

const TEXT: u8 = 0x01;
const CONTROL: u8 = 0xf9;
const APPLICATION: u8 = 0xff;

/// Applications whose extension is about the picture: how often it loops, and its colours.
const KEPT: &[&[u8; 11]] = &[b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"];

/// The size of the screen.
pub(super) fn extent(head: &[u8]) -> Option<Extent> {
    screen(&mut Reader::new(head)).map(|screen| screen.extent)
}

/// Copies the screen, the images, and what the list allows of the rest.
pub(super) fn strip(original: &[u8]) -> Result<Walked, Undevelopable> {
    let mut reader = Reader::new(original);
    let screen = screen(&mut reader).ok_or(Undevelopable::Truncated)?;
    if !SIGNATURES.contains(&screen.signature) {
        return Err(Undevelopable::Malformed("no signature"));
    }
    let extent = screen.extent.checked()?;
    let mut bytes = Vec::with_capacity(original.len());
    bytes.extend(screen.whole);
    let (mut control, mut images) = (None, 0);
    loop {
        let before = reader.rest();
        match reader.byte().ok_or(Undevelopable::Truncated)? {
            TRAILER => break,
            IMAGE => {
                image(&mut reader).ok_or(Undevelopable::Truncated)?.checked()?;
                bytes.extend(control.take().unwrap_or_default());
                bytes.extend(passed(before, &reader));
                images += 1;
            }
            EXTENSION => {
                let label = reader.byte().ok_or(Undevelopable::Truncated)?;
                let application = first_run(&reader);
                runs(&mut reader).ok_or(Undevelopable::Truncated)?;
                match label {
                    // It belongs to the image that follows, and goes with a text that follows
                    CONTROL => control = Some(passed(before, &reader)),
                    TEXT => control = None,
                    APPLICATION if KEPT.iter().any(|kept| application == *kept) => {
                        bytes.extend(passed(before, &reader));
                    }
                    _ => {}
                }
            }
            // Some writers leave a terminator too many
            0 => {}
            _ => return Err(Undevelopable::Malformed("an unknown block")),
        }
    }
    if images == 0 {
        return Err(Undevelopable::Malformed("no image"));
    }
    bytes.push(TRAILER);
    Ok(Walked { extent, orientation: orientation::UPRIGHT, bytes })
}

/// What was read between `before` and now.
fn passed<'a>(before: &'a [u8], now: &Reader<'_>) -> &'a [u8] {
    before.get(..before.len() - now.rest().len()).unwrap_or_default()
}

struct Screen<'a> {
    signature: &'a [u8],
    extent: Extent,
    whole: &'a [u8],
}

fn screen<'a>(reader: &mut Reader<'a>) -> Option<Screen<'a>> {
    let before = reader.rest();
    let signature = reader.take(6)?;
    let (width, height) = (u32::from(reader.le16()?), u32::from(reader.le16()?));
    let flags = reader.byte()?;
    reader.take(2)?;
    let extent = Extent::new(width, height, 4);
    // A head may end within the colours
    let _colours = reader.take(colours(flags));
    Some(Screen { extent, signature, whole: passed(before, reader) })
}

/// Passes an image and gives its size.
fn image(reader: &mut Reader<'_>) -> Option<Extent> {
    reader.take(4)?;
    let (width, height) = (u32::from(reader.le16()?), u32::from(reader.le16()?));
    let flags = reader.byte()?;
    reader.take(colours(flags))?;
    let _code_size = reader.byte()?;
    runs(reader)?;
    Some(Extent::new(width, height, 4))
}

/// Bytes of the colour table that these flags announce.
fn colours(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// Passes runs up to the empty one.
fn runs(reader: &mut Reader<'_>) -> Option<()> {
    while let length @ 1.. = reader.byte()? {
        reader.take(length.into())?;
    }
    Some(())
}

fn first_run<'a>(reader: &Reader<'a>) -> &'a [u8] {
    let mut ahead = *reader;
    ahead.byte().and_then(|length| ahead.take(length.into())).unwrap_or_default()
}
