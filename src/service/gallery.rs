//! The gallery of a party: its media, one by one and in pages.

use std::{collections::HashMap, sync::Arc};

use serde_json::json;
use uuid::Uuid;

use super::{
    announce::{Announce, Wake},
    door::{self, Inside},
    error::{Conflict, Error},
    likes::Likes,
    links::{Links, Signature},
    pages::{Asked, Pages},
    served::{Caching, Served},
    tasks::Task,
};
use crate::{
    blob::{Key, Name, Role, Store},
    db::{
        Connection, Database, events, marks,
        media::{self, Selection},
        parties,
    },
    domain::{
        access::Act,
        caller::Caller,
        event::EventKind,
        labels::Labels,
        mark::Marks,
        media::{Media, MediaStatus, MediaType, Mood, Rendition, Sort},
        party::Party,
    },
    view::media::{MediaView, MediaViewer, Urls},
};

/// The use cases of a gallery.
#[derive(Clone)]
pub struct Gallery {
    pub(super) database: Database,
    pub(super) store: Store,
    pub(super) links: Arc<Links>,
    pub(super) announce: Arc<dyn Announce>,
    pub(super) wake: Arc<dyn Wake>,
    pub(super) likes: Arc<Likes>,
    pub(super) pages: Arc<Pages>,
}

/// A media as one caller sees it.
#[derive(Debug)]
pub struct Seen {
    media: Media,
    urls: Option<Urls>,
    viewer: Option<MediaViewer>,
    links: Arc<Links>,
}

impl Seen {
    /// What it is about.
    pub(super) fn media(&self) -> &Media {
        &self.media
    }

    /// Another when what can be edited is another.
    pub fn revision(&self) -> i32 {
        Labels::from(&self.media).revision()
    }

    /// The shape of the contract.
    pub fn view(&self) -> MediaView<'_> {
        MediaView::new(&self.media, self.urls.clone(), self.viewer, &*self.links)
    }
}

/// Which media are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Of this sort.
    pub kind: Option<MediaType>,
    /// With this mood.
    pub mood: Option<Mood>,
    /// Of this person.
    pub uploader_id: Option<Uuid>,
    /// With this tag.
    pub tag: Option<String>,
    /// In this status; READY where it is not said.
    pub status: Option<MediaStatus>,
    /// With a higher number.
    pub since: Option<i64>,
    /// In this order.
    pub sort: Sort,
}

/// A page of a gallery.
#[derive(Debug)]
pub struct GalleryPage {
    /// In their order, as everybody sees them.
    pub items: Vec<Seen>,
    /// What the caller is to each, if they are somebody.
    pub viewers: Option<Arc<[MediaViewer]>>,
    /// The party's number when it was read.
    pub seq: i64,
    /// The party when its caller was let in: just before, or at the same moment.
    pub party: Party,
    /// Where the next page begins: number, and hearts in the order of hearts.
    pub next: Option<(i64, i32)>,
}

impl Gallery {
    /// Puts it together.
    pub fn new(
        database: Database,
        store: Store,
        links: Arc<Links>,
        announce: Arc<dyn Announce>,
        wake: Arc<dyn Wake>,
        (likes, pages): (Arc<Likes>, Arc<Pages>),
    ) -> Self {
        Self { database, store, links, announce, wake, likes, pages }
    }

    /// A page of a party's media. Who runs the party sees every status, others what they brought themselves.
    ///
    /// # Errors
    ///
    /// As the rights say; [`Error::Unavailable`].
    pub(super) async fn page(&self, caller: Caller, asked: &Asked) -> Result<GalleryPage, Error> {
        let Asked { party, filter, limit, after } = asked;
        let mut selection = Selection {
            status: filter.status.unwrap_or(MediaStatus::Ready),
            only_of: None,
            kind: filter.kind,
            mood: filter.mood,
            uploader_id: filter.uploader_id,
            tag: filter.tag.as_deref(),
            since: filter.since,
            sort: filter.sort,
            after: *after,
            // One more tells whether there is a next page
            limit: limit + 1,
        };
        self.database
            .run(async |connection: &mut Connection| {
                let (inside, (mut found, seq)) = if selection.status == MediaStatus::Ready {
                    // Asked for together, and shown to nobody who is not let in
                    let (door, found, seq) =
                        media::page_with_party(connection, *party, caller.id(), &selection).await?;
                    (door::judge(door, caller, Act::SeeGallery)?, (found, seq))
                } else {
                    let inside = door::enter(connection, *party, caller, Act::SeeGallery).await?;
                    // Somebody who is nobody has brought nothing
                    let own = || caller.person().unwrap_or_default();
                    selection.only_of = (!inside.standing.is_hosting()).then(own);
                    (inside, media::page(connection, *party, &selection).await?)
                };
                let wanted = usize::try_from(*limit).unwrap_or_default();
                let has_more = found.len() > wanted;
                found.truncate(wanted);
                let next = found.last().filter(|_| has_more).map(|last| (last.seq, last.likes_count));
                let ids: Vec<Uuid> = found.iter().map(|media| media.id).collect();
                let marks = marks_of(connection, caller, &ids).await?;
                let viewers = caller.person().map(|_| {
                    let of = |media: &Media| marks.get(&media.id).copied().unwrap_or_default();
                    let viewers = found
                        .iter()
                        .filter_map(|media| viewer(&inside, caller, media.uploader.id, of(media)));
                    viewers.collect()
                });
                let nobody = Marks::default();
                let items = found
                    .into_iter()
                    .map(|media| self.seen(media, &inside, Caller::Anonymous, nobody))
                    .collect();
                Ok(GalleryPage { items, viewers, seq, party: inside.party, next })
            })
            .await
    }

    /// One media.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] also for what the caller may not know of.
    pub async fn find(&self, caller: Caller, id: Uuid) -> Result<Seen, Error> {
        self.database
            .run(async |connection: &mut Connection| {
                let (media, inside) = enter(connection, id, caller, Act::SeeGallery).await?;
                self.see_one(connection, media, &inside, caller).await
            })
            .await
    }

    /// Where a file of a media is, for who may read the party, and for who has a signed link.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] before the media is READY, to everybody.
    pub async fn file(
        &self,
        caller: Caller,
        id: Uuid,
        rendition: Rendition,
        signature: Option<&Signature>,
    ) -> Result<Served, Error> {
        self.database
            .run(async |connection: &mut Connection| {
                let media = load(connection, id).await?;
                let found = parties::find(connection, media.party_id, caller.id()).await?;
                let found = found.ok_or(Error::NotFound)?;
                let opens =
                    |signature| self.links.opens(&media, found.party.links_version, rendition, signature);
                let caching = if signature.is_some_and(opens) {
                    Caching::Private
                } else {
                    let inside = door::judge(Some(found), caller, Act::SeeGallery)?;
                    if inside.party.plan.is_private { Caching::Private } else { Caching::Public }
                };
                let files = media.files.as_ref().filter(|_| media.is_shown()).ok_or(Error::NotFound)?;
                let etag = format!("\"{}-{}-{}\"", id.simple(), media.version, rendition.as_str());
                let key = key(media.party_id, id, rendition.into());
                Ok(Served {
                    store: self.store.clone(),
                    key,
                    content_type: files.content_type(rendition).to_owned(),
                    etag,
                    caching,
                    name: format!("{}-{}", id.simple(), rendition.as_str()),
                })
            })
            .await
    }

    /// Deletes a media: its row now, its files soon.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] to who neither brought it nor runs the party.
    pub async fn delete(&self, caller: Caller, id: Uuid) -> Result<(), Error> {
        let (party, seq) = self
            .database
            .transaction(async |connection: &mut Connection| {
                let media = load(connection, id).await?;
                let act = if media.is_of(caller.person()) { Act::EditOwn } else { Act::Steer };
                admit(connection, &media, caller, act).await?;
                let deleted = media::delete(connection, id).await?.ok_or(Error::NotFound)?;
                Task::Erase { party: deleted.party_id, media: id }.leave(connection).await?;
                let was_shown = i32::from(deleted.status == MediaStatus::Ready);
                let counted = if deleted.status == MediaStatus::Failed { 0 } else { deleted.size };
                media::count(connection, deleted.party_id, -was_shown, -counted).await?;
                let facts = json!({ "reason": "DELETED" });
                let seq =
                    events::append(connection, deleted.party_id, EventKind::MediaRemoved, Some(id), &facts)
                        .await?;
                Ok::<_, Error>((deleted.party_id, seq))
            })
            .await?;
        self.announce.announce(party, seq);
        self.wake.wake();
        Ok(())
    }

    /// What a caller sees of media of one party, by one statement.
    pub(super) async fn see(
        &self,
        connection: &mut Connection,
        media: Vec<Media>,
        inside: &Inside,
        caller: Caller,
    ) -> Result<Vec<Seen>, Error> {
        let ids: Vec<Uuid> = media.iter().map(|media| media.id).collect();
        let marks = marks_of(connection, caller, &ids).await?;
        let of = |media: &Media| marks.get(&media.id).copied().unwrap_or_default();
        Ok(media
            .into_iter()
            .map(|media| (of(&media), media))
            .map(|(m, media)| self.seen(media, inside, caller, m))
            .collect())
    }

    /// What a caller sees of a media.
    pub(super) async fn see_one(
        &self,
        connection: &mut Connection,
        media: Media,
        inside: &Inside,
        caller: Caller,
    ) -> Result<Seen, Error> {
        self.see(connection, vec![media], inside, caller).await?.pop().ok_or(Error::NotFound)
    }

    /// What a caller sees of a media on which they have these marks.
    pub(super) fn seen(&self, media: Media, inside: &Inside, caller: Caller, marks: Marks) -> Seen {
        // What is theirs stays theirs to edit where they see nothing any more: no link leads back in
        let sees = inside.standing.may(Act::SeeGallery, inside.party.openness(), caller).is_ok();
        let urls = self.links.urls(&media, inside.party.signed_for()).filter(|_| sees);
        let viewer = viewer(inside, caller, media.uploader.id, marks);
        Seen { media, urls, viewer, links: Arc::clone(&self.links) }
    }
}

/// What a caller is to a media that `uploader` brought and on which they have these marks, if they are somebody.
pub(super) fn viewer(inside: &Inside, caller: Caller, uploader: Uuid, marks: Marks) -> Option<MediaViewer> {
    caller.person().map(|person| MediaViewer {
        is_liked: marks.is_liked,
        is_favorite: marks.is_favorite,
        can_delete: inside.standing.is_hosting() || uploader == person,
    })
}

/// The marks of a caller on these media; nobody has none.
pub(super) async fn marks_of(
    connection: &mut Connection,
    caller: Caller,
    media: &[Uuid],
) -> Result<HashMap<Uuid, Marks>, Error> {
    match caller.person() {
        Some(person) if !media.is_empty() => Ok(marks::find(connection, person, media).await?),
        _ => Ok(HashMap::new()),
    }
}

impl From<Rendition> for Role {
    fn from(rendition: Rendition) -> Self {
        match rendition {
            Rendition::File => Self::File,
            Rendition::Preview => Self::Preview,
            Rendition::Thumb => Self::Thumb,
        }
    }
}

/// Where a file of a media is: a matter of its ids alone. A media is made once; made again, it is the same.
pub fn key(party: Uuid, media: Uuid, role: Role) -> Key {
    Key { owner: party, role, name: Name::Media { id: media, version: 1 } }
}

/// A media, and the caller's place in its party, where they may do `act`.
///
/// # Errors
///
/// As [`admit`].
pub(super) async fn enter(
    connection: &mut Connection,
    id: Uuid,
    caller: Caller,
    act: Act,
) -> Result<(Media, Inside), Error> {
    let media = load(connection, id).await?;
    let inside = admit(connection, &media, caller, act).await?;
    Ok((media, inside))
}

/// Lets a caller in to do `act` with a media. Who may not even see it is told so first, unless it is about what is
/// their own.
///
/// # Errors
///
/// [`Error::NotFound`] also for what the caller may not know of; then as the rights say.
pub(super) async fn admit(
    connection: &mut Connection,
    media: &Media,
    caller: Caller,
    act: Act,
) -> Result<Inside, Error> {
    let found = parties::find(connection, media.party_id, caller.id()).await?;
    if act == Act::EditOwn {
        return door::judge(found, caller, act);
    }
    let Inside { standing, .. } = door::judge(found.clone(), caller, Act::SeeGallery)?;
    if !media.is_visible(standing, caller.person()) {
        return Err(Error::NotFound);
    }
    door::judge(found, caller, act).map_err(|denied| match denied {
        // A screen knows of no party, but of this media: it was let see it above
        Error::NotFound => door::refused(caller),
        other => other,
    })
}

/// A media as it is kept.
pub(super) async fn load(connection: &mut Connection, id: Uuid) -> Result<Media, Error> {
    media::find(connection, &[id]).await?.pop().ok_or(Error::NotFound)
}

/// What is told who wants to do something with a media that is not shown.
pub(super) const NOT_SHOWN: Error = Error::Conflict(Conflict::Other("The media is not READY"));
