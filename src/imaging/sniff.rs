//! What the first bytes of an upload show, and whether it is taken.

use super::{Extent, Family, Format, Kind, gif, jpeg, png, webp};

/// How many bytes from the front are looked at: 64 KiB.
pub const HEAD: usize = 64 * 1024;

/// What the first bytes show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sniffed {
    /// The format, if it is one of the table's.
    pub kind: Option<Kind>,
    /// A photo's size, where the head shows it.
    pub extent: Option<Extent>,
}

/// Why an upload is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its name or declared type promises something else: 415.
    #[error("the file is not what it says")]
    NotWhatItSays,
    /// Nothing that this version can show: 415.
    #[error("files of this type are not taken")]
    Unsupported,
    /// More pixels than are taken: 413.
    #[error("the picture has too many pixels")]
    TooLarge,
}

/// Looks at the first [`HEAD`] bytes of a file, or at all of a shorter one.
pub fn sniff(head: &[u8]) -> Sniffed {
    let head = head.get(..HEAD).unwrap_or(head);
    let kind = kind(head);
    let extent = match kind.and_then(Kind::taken) {
        Some(Format::Jpeg) => jpeg::extent(head),
        Some(Format::Png) => png::extent(head),
        Some(Format::Gif) => gif::extent(head),
        Some(Format::WebP) => webp::extent(head),
        None => None,
    };
    Sniffed { kind, extent }
}

impl Sniffed {
    /// Takes the file as the photo that it is, whatever photo it says it is.
    ///
    /// `content_type` and `file_name` are the client's words; what they leave open is no lie.
    ///
    /// # Errors
    ///
    /// [`Refusal`].
    pub fn admit(&self, content_type: Option<&str>, file_name: Option<&str>) -> Result<Format, Refusal> {
        let said = [content_type.and_then(said_by_type), file_name.and_then(said_by_name)];
        let is = self.kind.map(Kind::family);
        if said.into_iter().flatten().any(|said| said != is) {
            return Err(Refusal::NotWhatItSays);
        }
        let format = self.kind.and_then(Kind::taken).ok_or(Refusal::Unsupported)?;
        match self.extent {
            Some(extent) if !extent.fits() => Err(Refusal::TooLarge),
            _ => Ok(format),
        }
    }
}

/// The family that a media type promises; `Some(None)` promises something that is no media.
fn said_by_type(content_type: &str) -> Option<Option<Family>> {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "" | "application/octet-stream" | "binary/octet-stream" => None,
        "application/ogg" => Some(Some(Family::Audio)),
        other => Some(match other.split('/').next() {
            Some("image") => Some(Family::Photo),
            Some("video") => Some(Family::Video),
            Some("audio") => Some(Family::Audio),
            _ => None,
        }),
    }
}

/// The family that a name's ending promises. An ending that nobody knows promises nothing.
fn said_by_name(file_name: &str) -> Option<Option<Family>> {
    let (_, extension) = file_name.rsplit_once('.')?;
    Some(match extension.trim().to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" | "jpe" | "jfif" | "png" | "apng" | "gif" | "webp" | "heic" | "heif" | "avif"
        | "bmp" | "tif" | "tiff" | "svg" => Some(Family::Photo),
        "mp4" | "m4v" | "mov" | "qt" | "webm" | "mkv" | "avi" | "3gp" => Some(Family::Video),
        "mp3" | "wav" | "ogg" | "oga" | "opus" | "m4a" | "aac" | "flac" => Some(Family::Audio),
        "txt" | "html" | "htm" | "pdf" | "zip" | "exe" | "json" | "xml" | "js" | "doc" | "docx" => None,
        _ => return None,
    })
}

fn kind(head: &[u8]) -> Option<Kind> {
    let at = |offset: usize, magic: &[u8]| head.get(offset..).is_some_and(|head| head.starts_with(magic));
    Some(match head {
        _ if at(0, b"\xff\xd8\xff") => Kind::Jpeg,
        _ if at(0, png::SIGNATURE) => Kind::Png,
        _ if gif::SIGNATURES.iter().any(|signature| at(0, signature)) => Kind::Gif,
        _ if at(0, b"RIFF") && at(8, b"WEBP") => Kind::WebP,
        _ if at(0, b"RIFF") && at(8, b"WAVE") => Kind::Wav,
        _ if at(0, b"OggS") => Kind::Ogg,
        _ if at(0, b"\x1a\x45\xdf\xa3") => {
            // EBML's header names its document type; Matroska is the same container
            head.get(..64).unwrap_or(head).windows(4).any(|window| window == b"webm").then_some(Kind::WebM)?
        }
        _ if at(4, b"ftyp") => brand(head.get(8..12)?)?,
        _ if at(4, b"moov") || at(4, b"wide") || at(4, b"mdat") => Kind::QuickTime,
        _ if at(0, b"ID3") => Kind::Mp3,
        // A frame's eleven bits of sync, then layer III
        [0xff, second, ..] if second & 0xe6 == 0xe2 => Kind::Mp3,
        _ => return None,
    })
}

/// The major brand of an ISO base media file.
fn brand(brand: &[u8]) -> Option<Kind> {
    Some(match brand {
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" | b"mif1" | b"msf1" => {
            Kind::Heic
        }
        b"qt  " => Kind::QuickTime,
        b"avif" | b"avis" | b"M4A " | b"M4B " | b"M4P " => return None,
        _ => Kind::Mp4,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADS: &[(&[u8], Kind)] = &[
        (b"\xff\xd8\xff\xe0", Kind::Jpeg),
        (b"\x89PNG\r\n\x1a\n", Kind::Png),
        (b"GIF87a", Kind::Gif),
        (b"GIF89a", Kind::Gif),
        (b"RIFF\0\0\0\0WEBPVP8 ", Kind::WebP),
        (b"RIFF\0\0\0\0WAVEfmt ", Kind::Wav),
        (b"OggS\0", Kind::Ogg),
        (b"\x1a\x45\xdf\xa3\x01\x42\x82\x84webm", Kind::WebM),
        (b"\0\0\0\x18ftypheic\0\0\0\0", Kind::Heic),
        (b"\0\0\0\x18ftypmif1\0\0\0\0heic", Kind::Heic),
        (b"\0\0\0\x18ftypisom", Kind::Mp4),
        (b"\0\0\0\x18ftypmp42", Kind::Mp4),
        (b"\0\0\0\x14ftypqt  ", Kind::QuickTime),
        (b"\0\0\0\x08wide\0\0\0\0mdat", Kind::QuickTime),
        (b"ID3\x04", Kind::Mp3),
        (b"\xff\xfb\x90\x64", Kind::Mp3),
    ];

    #[test]
    fn each_kind_is_told_by_its_first_bytes() {
        for (head, kind) in HEADS {
            assert_eq!(sniff(head).kind, Some(*kind), "{}", head.escape_ascii());
        }
    }

    #[test]
    fn what_is_none_of_them_is_none() {
        let none: &[&[u8]] = &[
            b"",
            b"\xff",
            b"\xff\xd8",
            b"hello, I am a photo",
            b"<svg xmlns=",
            b"%PDF-1.7",
            b"PK\x03\x04",
            b"BM\0\0",
            b"\xff\xf1\x50\x80",
            b"RIFF\0\0\0\0AVI ",
            b"\0\0\0\x18ftypavif",
            b"\x1a\x45\xdf\xa3\x01\x42\x82\x88matroska",
        ];
        for head in none {
            assert_eq!(sniff(head).kind, None, "{}", head.escape_ascii());
        }
    }

    #[test]
    fn only_photos_of_four_formats_are_taken() {
        let taken =
            |kind: &Kind| Sniffed { kind: Some(*kind), extent: None }.admit(Some(kind.content_type()), None);
        let answers: Vec<_> = HEADS.iter().map(|(_, kind)| (*kind, taken(kind))).collect();
        for (kind, answer) in answers {
            let expected = match kind {
                Kind::Jpeg => Ok(Format::Jpeg),
                Kind::Png => Ok(Format::Png),
                Kind::Gif => Ok(Format::Gif),
                Kind::WebP => Ok(Format::WebP),
                _ => Err(Refusal::Unsupported),
            };
            assert_eq!(answer, expected, "{kind:?}");
        }
    }

    #[test]
    fn a_file_is_what_it_says_or_is_refused() {
        const JPEG: &[u8] = b"\xff\xd8\xff\xe0";
        const TEXT: &[u8] = b"hello";
        const MP4: &[u8] = b"\0\0\0\x18ftypisom";
        use Refusal::{NotWhatItSays, Unsupported};
        for (head, content_type, file_name, answer) in [
            (JPEG, Some("image/jpeg"), Some("a.jpg"), Ok(Format::Jpeg)),
            (JPEG, None, None, Ok(Format::Jpeg)),
            (JPEG, Some("application/octet-stream"), Some("blob"), Ok(Format::Jpeg)),
            (JPEG, Some("IMAGE/JPEG; charset=x"), Some("A.JPEG"), Ok(Format::Jpeg)),
            // Another photo than it says: what it is counts, for senders rename more than they convert
            (JPEG, Some("image/png"), Some("a.webp"), Ok(Format::Jpeg)),
            (JPEG, None, Some("party.final"), Ok(Format::Jpeg)),
            (JPEG, Some("text/html"), None, Err(NotWhatItSays)),
            (JPEG, Some("video/mp4"), None, Err(NotWhatItSays)),
            (JPEG, Some("image/jpeg"), Some("a.mp4"), Err(NotWhatItSays)),
            (JPEG, Some("image/jpeg"), Some("a.html"), Err(NotWhatItSays)),
            (TEXT, Some("image/jpeg"), Some("a.jpg"), Err(NotWhatItSays)),
            (TEXT, Some("text/plain"), Some("a.jpg"), Err(NotWhatItSays)),
            (TEXT, Some("text/plain"), Some("a.txt"), Err(Unsupported)),
            (TEXT, None, None, Err(Unsupported)),
            (b"", Some("image/png"), None, Err(NotWhatItSays)),
            (MP4, Some("image/jpeg"), None, Err(NotWhatItSays)),
            (MP4, Some("video/mp4"), Some("a.mp4"), Err(Unsupported)),
        ] {
            assert_eq!(sniff(head).admit(content_type, file_name), answer, "{content_type:?} {file_name:?}");
        }
    }
}
