//! URLs of files: of media and of covers, plain on public parties and signed on private ones; of faces, always plain.
//!
//! *Invariant:* a signed URL is the same for all callers all day, so that pages, ETags and browser caches agree; it
//! names its media and party and a version of both, so that it opens nothing else, and nothing once one is raised.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::seal::Mark;
use crate::{
    config::{JwtSecrets, PublicUrl},
    domain::{
        media::{Media, Rendition},
        party::Party,
        person::Person,
        picture::Cover,
    },
    view::{addresses::Addresses, media::Urls},
};

const DAY: u64 = 86_400;
const PURPOSE: &str = "party-gallery media link v1";

/// Makes links, and knows its own.
#[derive(Debug)]
pub struct Links {
    mark: Mark,
    public_url: PublicUrl,
    clock: fn() -> SystemTime,
}

/// What a signed URL carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// When it ends: seconds since 1970.
    pub expires: u64,
    /// HMAC-SHA256 in base64url.
    pub mark: String,
}

impl Links {
    /// Links below `public_url`, signed with a key of `secrets`.
    pub fn new(secrets: &JwtSecrets, public_url: PublicUrl, clock: fn() -> SystemTime) -> Self {
        Self { mark: Mark::new(secrets, PURPOSE), public_url, clock }
    }

    /// The URLs of a media's files, signed for that version of its party if for any; `None` until they may be served.
    pub fn urls(&self, media: &Media, signed_for: Option<i32>) -> Option<Urls> {
        media.is_shown().then(|| {
            let [file, preview, thumb] =
                Rendition::ALL.map(|rendition| self.url(media, rendition, signed_for));
            Urls { file, preview: Some(preview), thumb: Some(thumb) }
        })
    }

    /// Whether a signature opens that file of that media now, whose party has that version.
    pub fn opens(
        &self,
        media: &Media,
        party_version: i32,
        rendition: Rendition,
        signature: &Signature,
    ) -> bool {
        self.is_signed(&signed(media, party_version, rendition, signature.expires), signature)
    }

    /// Whether a signature opens the cover that a party has now.
    pub fn opens_cover(&self, party: &Party, signature: &Signature) -> bool {
        let Some(cover) = &party.cover else { return false };
        let signed = signed_cover(party, cover, party.links_version, signature.expires);
        self.is_signed(&signed, signature)
    }

    /// The address of the service.
    pub fn public_url(&self) -> &PublicUrl {
        &self.public_url
    }

    fn is_signed(&self, signed: &str, signature: &Signature) -> bool {
        let Ok(mark) = URL_SAFE_NO_PAD.decode(&signature.mark) else { return false };
        signature.expires > self.now() && self.mark.is_of(signed.as_bytes(), &mark)
    }

    fn url(&self, media: &Media, rendition: Rendition, signed_for: Option<i32>) -> String {
        let path = self.public_url.link(&format!("/api/v1/media/{}/{}", media.id, rendition.as_str()));
        let Some(party_version) = signed_for else { return path };
        self.sign(&path, |expires| signed(media, party_version, rendition, expires))
    }

    fn sign(&self, path: &str, signed: impl FnOnce(u64) -> String) -> String {
        // The end of tomorrow: 24 to 48 hours from now
        let expires = (self.now() / DAY + 2) * DAY;
        let signed = signed(expires);
        let mark = URL_SAFE_NO_PAD.encode(self.mark.of(signed.as_bytes()));
        format!("{path}?expires={expires}&signature={mark}")
    }

    fn now(&self) -> u64 {
        (self.clock)().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
    }
}

impl Addresses for Links {
    fn avatar(&self, person: &Person) -> Option<String> {
        let picture = person.avatar_id?;
        Some(self.public_url.link(&format!("/api/v1/users/{}/avatar/{picture}", person.id)))
    }

    fn cover(&self, party: &Party) -> Option<String> {
        let cover = party.cover.as_ref()?;
        let path = self.public_url.link(&format!("/api/v1/parties/{}/cover/{}", party.id, cover.id));
        let Some(version) = party.cover_signed_for() else { return Some(path) };
        Some(self.sign(&path, |expires| signed_cover(party, cover, version, expires)))
    }
}

/// One line less than of a media: nothing that is signed is both.
fn signed_cover(party: &Party, cover: &Cover, version: i32, expires: u64) -> String {
    format!("{}\n{version}\n{}\ncover\n{expires}", party.id, cover.id)
}

fn signed(media: &Media, party_version: i32, rendition: Rendition, expires: u64) -> String {
    let Media { id, party_id, version, .. } = media;
    format!("{party_id}\n{party_version}\n{id}\n{version}\n{}\n{expires}", rendition.as_str())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{
        media::{Files, MediaStatus, MediaType},
        moment::Moment,
        party::Status,
        person::Person,
    };

    const NOON: u64 = 1_800_000_000 / DAY * DAY + DAY / 2;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn links(clock: fn() -> SystemTime) -> Links {
        Links::new(&"s".repeat(32).parse().unwrap(), "https://party.example".parse().unwrap(), clock)
    }

    fn media(status: MediaStatus) -> Media {
        let jpeg = || "image/jpeg".to_owned();
        Media {
            id: Uuid::from_u128(1),
            party_id: Uuid::from_u128(2),
            kind: MediaType::Photo,
            status,
            mood: None,
            caption: None,
            tags: Vec::new(),
            width: None,
            height: None,
            duration_ms: None,
            size: 1,
            content_type: "image/jpeg".to_owned(),
            thumbhash: None,
            version: 1,
            files: Some(Files { file: jpeg(), preview: jpeg(), thumb: jpeg() }),
            likes_count: 0,
            comments_count: 0,
            views_count: 0,
            uploader: Person {
                id: Uuid::from_u128(3),
                username: None,
                display_name: "Ann".to_owned(),
                first_name: None,
                last_name: None,
                avatar_id: None,
            },
            created_at: Moment(jiff::Timestamp::UNIX_EPOCH),
            seq: 1,
            failure: None,
        }
    }

    fn signature(url: &str) -> Signature {
        let url = url::Url::parse(url).unwrap();
        let value = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        Signature { expires: value("expires").parse().unwrap(), mark: value("signature") }
    }

    #[test]
    fn a_signed_url_opens_its_own_file_for_a_day_or_two_and_nothing_else() {
        let ready = media(MediaStatus::Ready);
        let urls = links(|| at(NOON)).urls(&ready, Some(1)).unwrap();
        let opens = signature(&urls.file);
        assert_eq!(opens.expires, NOON + DAY / 2 + DAY);
        let same_day = links(|| at(NOON + 3600)).urls(&ready, Some(1)).unwrap();
        assert_eq!(urls.file, same_day.file, "all day the same");
        assert!(links(|| at(NOON)).opens(&ready, 1, Rendition::File, &opens));
        assert!(links(|| at(NOON + DAY)).opens(&ready, 1, Rendition::File, &opens));
        assert!(!links(|| at(NOON + 2 * DAY)).opens(&ready, 1, Rendition::File, &opens));
        assert!(!links(|| at(NOON)).opens(&ready, 1, Rendition::Thumb, &opens));
        assert!(!links(|| at(NOON)).opens(&ready, 2, Rendition::File, &opens));
        let later = Signature { expires: opens.expires + DAY, ..opens.clone() };
        assert!(!links(|| at(NOON)).opens(&ready, 1, Rendition::File, &later));
        for other in [
            Media { id: Uuid::from_u128(9), ..ready.clone() },
            Media { party_id: Uuid::from_u128(9), ..ready.clone() },
            Media { version: 2, ..ready },
        ] {
            assert!(!links(|| at(NOON)).opens(&other, 1, Rendition::File, &opens));
        }
    }

    #[test]
    fn a_cover_is_signed_where_not_everybody_may_see_it_and_opens_as_long_as_it_is_shown() {
        let party = |is_private, status| {
            let mut party = crate::domain::party::tests::party(status);
            party.plan.is_private = is_private;
            party.cover = Some(Cover { id: Uuid::from_u128(5), content_type: "image/jpeg".to_owned() });
            party
        };
        let plain =
            format!("https://party.example/api/v1/parties/{}/cover/{}", Uuid::nil(), Uuid::from_u128(5));
        for (is_private, status, is_signed) in [
            (false, Status::Live, false),
            (true, Status::Live, true),
            (false, Status::Draft, true),
            (true, Status::Draft, true),
        ] {
            let url = links(|| at(NOON)).cover(&party(is_private, status)).unwrap();
            assert_eq!(
                (url == plain, url.starts_with(&plain)),
                (!is_signed, true),
                "{is_private} {status:?}"
            );
        }
        let private = party(true, Status::Live);
        let opens = signature(&links(|| at(NOON)).cover(&private).unwrap());
        assert_eq!(opens.expires, NOON + DAY / 2 + DAY);
        assert!(links(|| at(NOON)).opens_cover(&private, &opens));
        assert!(!links(|| at(NOON + 2 * DAY)).opens_cover(&private, &opens));
        let other = Some(Cover { id: Uuid::from_u128(6), content_type: "image/jpeg".to_owned() });
        for other in [
            Party { cover: other, ..private.clone() },
            Party { cover: None, ..private.clone() },
            Party { id: Uuid::from_u128(9), ..private.clone() },
            Party { links_version: 2, ..private.clone() },
        ] {
            assert!(!links(|| at(NOON)).opens_cover(&other, &opens), "{other:?}");
        }
        assert_eq!(links(|| at(NOON)).cover(&Party { cover: None, ..private }), None);
    }

    #[test]
    fn public_urls_are_plain_and_nothing_has_urls_before_it_is_ready() {
        let urls = links(|| at(NOON)).urls(&media(MediaStatus::Ready), None).unwrap();
        let id = Uuid::from_u128(1);
        assert_eq!(urls.thumb.unwrap(), format!("https://party.example/api/v1/media/{id}/thumb"));
        for status in
            [MediaStatus::Pending, MediaStatus::Processing, MediaStatus::Failed, MediaStatus::Hidden]
        {
            assert!(links(|| at(NOON)).urls(&media(status), Some(1)).is_none(), "{status:?}");
        }
    }
}
