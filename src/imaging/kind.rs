//! The files that guests bring, in one table.

/// What is looked at by a camera or heard by a microphone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// A still picture, or a short loop of them.
    Photo,
    /// Moving pictures.
    Video,
    /// Sound.
    Audio,
}

/// A format that is told from its first bytes, whether it is taken or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the formats' own names")]
pub enum Kind {
    Jpeg,
    Png,
    Gif,
    WebP,
    Heic,
    Mp4,
    QuickTime,
    WebM,
    Mp3,
    Wav,
    Ogg,
}

/// A photo's format: what [`strip`](super::strip) and [`develop`](super::develop) work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the formats' own names")]
pub enum Format {
    Jpeg,
    Png,
    Gif,
    WebP,
}

struct Row {
    family: Family,
    content_type: &'static str,
    extension: &'static str,
    max_megabytes: u64,
    taken: Option<Format>,
}

impl Kind {
    /// The table. What has no format on the right is recognised and refused.
    const fn row(self) -> Row {
        use Family::{Audio, Photo, Video};
        match self {
            Self::Jpeg => row(Photo, "image/jpeg", "jpg", 25, Some(Format::Jpeg)),
            Self::Png => row(Photo, "image/png", "png", 25, Some(Format::Png)),
            Self::Gif => row(Photo, "image/gif", "gif", 25, Some(Format::Gif)),
            Self::WebP => row(Photo, "image/webp", "webp", 25, Some(Format::WebP)),
            Self::Heic => row(Photo, "image/heic", "heic", 25, None),
            Self::Mp4 => row(Video, "video/mp4", "mp4", 200, None),
            Self::QuickTime => row(Video, "video/quicktime", "mov", 200, None),
            Self::WebM => row(Video, "video/webm", "webm", 200, None),
            Self::Mp3 => row(Audio, "audio/mpeg", "mp3", 25, None),
            Self::Wav => row(Audio, "audio/wav", "wav", 25, None),
            Self::Ogg => row(Audio, "audio/ogg", "ogg", 25, None),
        }
    }

    /// Photo, video or audio.
    pub fn family(self) -> Family {
        self.row().family
    }

    /// The media type that it is served with.
    pub fn content_type(self) -> &'static str {
        self.row().content_type
    }

    /// The ending of a file's name, without the dot.
    pub fn extension(self) -> &'static str {
        self.row().extension
    }

    /// The most bytes that such a file may have.
    pub fn max_bytes(self) -> u64 {
        self.row().max_megabytes * 1_000_000
    }

    /// Its photo format, if this version takes it.
    pub fn taken(self) -> Option<Format> {
        self.row().taken
    }
}

impl Format {
    /// The same among all kinds.
    pub fn kind(self) -> Kind {
        match self {
            Self::Jpeg => Kind::Jpeg,
            Self::Png => Kind::Png,
            Self::Gif => Kind::Gif,
            Self::WebP => Kind::WebP,
        }
    }
}

const fn row(
    family: Family,
    content_type: &'static str,
    extension: &'static str,
    max_megabytes: u64,
    taken: Option<Format>,
) -> Row {
    Row { family, content_type, extension, max_megabytes, taken }
}
