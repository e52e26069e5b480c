//! Photos and clips: what is kept of them, and who may see one in which state.

use uuid::Uuid;

use super::{access::Standing, moment::Moment, person::Person};

/// A closed vocabulary: each word's name on the wire and on disk.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $word:ident = $text:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $word),+ }

        impl $name {
            /// The word on the wire and on disk.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$word => $text),+ }
            }

            /// The value of that word.
            pub fn named(word: &str) -> Option<Self> {
                match word { $($text => Some(Self::$word),)+ _ => None }
            }
        }
    };
}

words! {
    /// What sort of media.
    MediaType {
        /// A picture.
        Photo = "PHOTO",
        /// A clip.
        Video = "VIDEO",
        /// A sound.
        Audio = "AUDIO",
    }
}

words! {
    /// Where a media is on its way.
    MediaStatus {
        /// Promised, not received.
        Pending = "PENDING",
        /// Received; being made fit to be shown.
        Processing = "PROCESSING",
        /// Shown.
        Ready = "READY",
        /// Never to be shown.
        Failed = "FAILED",
        /// Taken off the screens by a host or by reports.
        Hidden = "HIDDEN",
    }
}

words! {
    /// What a media feels like.
    Mood {
        /// Excitement.
        Hype = "HYPE",
        /// Calm.
        Chill = "CHILL",
        /// No rules.
        Wild = "WILD",
        /// Hearts.
        Romantic = "ROMANTIC",
        /// Nonsense.
        Crazy = "CRAZY",
        /// Bow ties.
        Elegant = "ELEGANT",
    }
}

/// The order of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sort {
    /// Highest number first.
    Newest,
    /// Lowest number first.
    Oldest,
    /// Most hearts first.
    Top,
}

/// One of a media's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rendition {
    /// As it was uploaded, without what its maker did not mean to show.
    File,
    /// Long side 1600.
    Preview,
    /// Long side 400.
    Thumb,
}

impl Rendition {
    /// All three.
    pub const ALL: [Self; 3] = [Self::File, Self::Preview, Self::Thumb];

    /// Its name in URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Preview => "preview",
            Self::Thumb => "thumb",
        }
    }
}

/// The media types of the files of a media that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// Of the clean one.
    pub file: String,
    /// Of the one for a screen.
    pub preview: String,
    /// Of the one for a tile.
    pub thumb: String,
}

impl Files {
    /// The media type of one of them.
    pub fn content_type(&self, rendition: Rendition) -> &str {
        match rendition {
            Rendition::File => &self.file,
            Rendition::Preview => &self.preview,
            Rendition::Thumb => &self.thumb,
        }
    }
}

/// A media as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Media {
    /// UUIDv7.
    pub id: Uuid,
    /// Whose gallery it is in.
    pub party_id: Uuid,
    /// What sort.
    pub kind: MediaType,
    /// Where it is on its way.
    pub status: MediaStatus,
    /// What it feels like.
    pub mood: Option<Mood>,
    /// What stands below it.
    pub caption: Option<String>,
    /// Slugs.
    pub tags: Vec<String>,
    /// Pixels, upright; once READY.
    pub width: Option<i32>,
    /// Pixels, upright; once READY.
    pub height: Option<i32>,
    /// Milliseconds, of what has a length.
    pub duration_ms: Option<i32>,
    /// Bytes of what is served, once READY; of what was received until then.
    pub size: i64,
    /// Of what was received, which is that of what is served.
    pub content_type: String,
    /// What a screen shows until the picture is there, base64.
    pub thumbhash: Option<String>,
    /// Raised by what must kill its signed URLs.
    pub version: i32,
    /// Once READY.
    pub files: Option<Files>,
    /// Hearts.
    pub likes_count: i32,
    /// Words.
    pub comments_count: i32,
    /// Looks.
    pub views_count: i32,
    /// Who brought it.
    pub uploader: Person,
    /// When.
    pub created_at: Moment,
    /// That of its `party:new_media` until READY, then for good that of its first `party:media_ready`.
    pub seq: i64,
    /// Why it FAILED.
    pub failure: Option<String>,
}

impl Media {
    /// Whether its files may be served and named.
    pub fn is_shown(&self) -> bool {
        self.status == MediaStatus::Ready
    }

    /// Whether it is still on its way to the screens.
    pub fn is_waiting(&self) -> bool {
        matches!(self.status, MediaStatus::Pending | MediaStatus::Processing)
    }

    /// Whether somebody who may read the party may see this media's row. What failed or is hidden is the business of
    /// who brought it and of the hosts.
    pub fn is_visible(&self, standing: Standing, person: Option<Uuid>) -> bool {
        match self.status {
            MediaStatus::Pending | MediaStatus::Processing | MediaStatus::Ready => true,
            MediaStatus::Failed | MediaStatus::Hidden => standing.is_hosting() || self.is_of(person),
        }
    }

    /// Whether that person brought it.
    pub fn is_of(&self, person: Option<Uuid>) -> bool {
        person == Some(self.uploader.id)
    }
}

/// How many media, and how many bytes, one person has in one party.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Media that did not fail.
    pub count: i64,
    /// Bytes that were received for them.
    pub bytes: i64,
}

/// Why a media may not be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allotment {
    /// As many as one person may bring.
    PersonMedia,
    /// As many bytes as one person may bring.
    PersonBytes,
    /// As many bytes as the party may hold.
    PartyBytes,
}

/// What people and parties may keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Media of one person in one party.
    pub person_media: i64,
    /// Bytes of one person in one party.
    pub person_bytes: i64,
    /// Bytes of one party.
    pub party_bytes: i64,
}

impl Quota {
    /// Whether a media of `bytes` fits beside what the person has.
    ///
    /// # Errors
    ///
    /// Which allotment is used up.
    pub fn admit(&self, person: Usage, bytes: i64) -> Result<(), Allotment> {
        if person.count >= self.person_media {
            return Err(Allotment::PersonMedia);
        }
        if person.bytes.saturating_add(bytes) > self.person_bytes {
            return Err(Allotment::PersonBytes);
        }
        Ok(())
    }

    /// Whether a party may have so many bytes.
    ///
    /// # Errors
    ///
    /// [`Allotment::PartyBytes`].
    pub fn holds(&self, party_bytes: i64) -> Result<(), Allotment> {
        if party_bytes > self.party_bytes { Err(Allotment::PartyBytes) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_exact_to_the_byte() {
        let quota = Quota { person_media: 2, person_bytes: 100, party_bytes: 1000 };
        for (count, bytes, more, expected) in [
            (0, 0, 100, Ok(())),
            (1, 99, 1, Ok(())),
            (2, 0, 1, Err(Allotment::PersonMedia)),
            (1, 99, 2, Err(Allotment::PersonBytes)),
            (0, i64::MAX, 2, Err(Allotment::PersonBytes)),
        ] {
            assert_eq!(quota.admit(Usage { count, bytes }, more), expected, "{count} {bytes} {more}");
        }
        assert_eq!([999, 1000, 1001].map(|bytes| quota.holds(bytes).is_ok()), [true, true, false]);
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for word in ["HYPE", "CHILL", "WILD", "ROMANTIC", "CRAZY", "ELEGANT"] {
            assert_eq!(Mood::named(word).map(Mood::as_str), Some(word));
        }
        assert_eq!(Mood::named("hype"), None);
        assert_eq!(MediaStatus::named("READY"), Some(MediaStatus::Ready));
    }
}
