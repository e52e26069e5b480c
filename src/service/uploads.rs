//! Uploads: from the first byte to a row, an event and a job.
//!
//! *Invariant:* bytes are streamed into the store and durable there before a row tells of them; whoever stops half-way
//! leaves nothing that anybody sees.

use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;

use super::{
    door::{self, Inside},
    error::{Conflict, Error},
    gallery::{Gallery, key},
    incoming::{Complete, Incoming, Said},
    once::{Answer, Ticket, once},
    rates::Rates,
    seal::Seal,
    tasks::Task,
};
use crate::{
    blob::Role,
    db::{
        Connection, events,
        media::{self, Received},
    },
    domain::{
        access::Act,
        caller::Caller,
        event::EventKind,
        media::{Allotment, MediaType, Mood, Quota},
        text::Caption,
    },
    view::One,
};

/// The use cases of uploading.
#[derive(Clone)]
pub struct Uploads {
    gallery: Gallery,
    quota: Quota,
    rates: Rates,
    seal: Arc<Seal>,
}

/// What stands beside a file.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// Below it.
    pub caption: Option<Caption>,
    /// What it feels like.
    pub mood: Option<Mood>,
    /// Slugs.
    pub tags: Vec<String>,
}

impl Uploads {
    /// Into that gallery, as much and as often as these say; `seal` keeps what may be answered again.
    pub fn new(gallery: Gallery, quota: Quota, rates: Rates, seal: Arc<Seal>) -> Self {
        Self { gallery, quota, rates, seal }
    }

    /// Whether `caller` may upload to `party` now: asked before a byte is read.
    ///
    /// # Errors
    ///
    /// As the rights and the party's status say; [`Error::TooOften`].
    pub async fn admit(&self, caller: Caller, party: Uuid) -> Result<(), Error> {
        self.gallery
            .database
            .run(async |connection: &mut Connection| {
                door::enter(connection, party, caller, Act::Contribute).await?.contributes()
            })
            .await?;
        match caller.person() {
            Some(person) => self.rates.take(&[self.rates.uploads(person)]).await,
            None => Ok(()),
        }
    }

    /// Opens a place for a file of somebody who was admitted.
    ///
    /// # Errors
    ///
    /// [`Error::StorageFull`], [`Error::Unavailable`].
    pub async fn begin(&self, said: Said) -> Result<Incoming, Error> {
        Incoming::begin(&self.gallery.store, said).await
    }

    /// Enters a file of `caller` into `party`: a row, an event, a job. The same bytes of the same person are the media that they made first.
    ///
    /// # Errors
    ///
    /// As [`Uploads::admit`]; [`Conflict::QuotaExceeded`].
    pub async fn finish(
        &self,
        caller: Caller,
        party: Uuid,
        complete: Complete,
        words: &Words,
        ticket: Option<&Ticket>,
    ) -> Result<Answer, Error> {
        let person = caller.person().ok_or(Error::Unauthenticated("a token is needed for this"))?;
        let Complete { format, sealed } = complete;
        let (id, size, sha256) = (Uuid::now_v7(), sealed.size(), sealed.sha256());
        let original = key(party, id, Role::Original);
        // Whoever hangs up before the row leaves no bytes behind
        let mut provisional = self.gallery.store.provisionally(original);
        sealed.commit(&original).await.map_err(Error::from)?;
        let received = Received {
            id,
            party_id: party,
            uploader_id: person,
            kind: MediaType::Photo,
            mood: words.mood,
            caption: words.caption.as_ref().map(Caption::as_str),
            tags: &words.tags,
            content_type: format.kind().content_type(),
            size: i64::try_from(size).unwrap_or(i64::MAX),
            sha256: &sha256,
        };
        let mut logged = None;
        let entered = self
            .gallery
            .database
            .transaction(async |connection: &mut Connection| {
                let answer = once(connection, &self.seal, ticket, async |connection: &mut Connection| {
                    self.enter(connection, caller, &received, &mut logged).await
                })
                .await?;
                // From here on the commit may have been done
                provisional.keep();
                Ok(answer)
            })
            .await;
        match (&entered, logged) {
            (Ok(answer), Some(seq)) if !answer.replayed => {
                self.gallery.announce.announce(party, seq);
                self.gallery.wake.wake();
            }
            // It may be there, and its job with it
            (Err(Error::OutcomeUnknown(_)), _) => {}
            // Nothing tells of these bytes. Where this fails they stay, unseen
            _ => _ = self.gallery.store.delete(&original).await,
        }
        entered
    }

    async fn enter(
        &self,
        connection: &mut Connection,
        caller: Caller,
        received: &Received<'_>,
        logged: &mut Option<i64>,
    ) -> Result<Answer, Error> {
        let (party, person) = (received.party_id, received.uploader_id);
        let inside = door::enter(connection, party, caller, Act::Contribute).await?;
        inside.contributes()?;
        // From here on, one upload of this person at a time
        let usage = media::usage(connection, party, person).await?;
        if let Some(first) = media::same(connection, party, person, received.sha256).await? {
            return self.answer(connection, first, &inside, caller, false).await;
        }
        self.quota.admit(usage, received.size).map_err(used_up)?;
        media::insert(connection, received).await?;
        Task::Develop { media: received.id }.leave(connection).await?;
        let party_bytes = media::count(connection, party, 0, received.size).await?;
        let inside = door::still_contributes(connection, party, caller).await?;
        self.quota.holds(party_bytes).map_err(used_up)?;
        let kind = EventKind::NewMedia;
        let seq = events::append(connection, party, kind, Some(received.id), &json!({})).await?;
        media::number(connection, received.id, seq).await?;
        *logged = Some(seq);
        self.answer(connection, received.id, &inside, caller, true).await
    }

    async fn answer(
        &self,
        connection: &mut Connection,
        id: Uuid,
        inside: &Inside,
        caller: Caller,
        is_new: bool,
    ) -> Result<Answer, Error> {
        let media = media::find(connection, &[id]).await?.pop().ok_or(Error::NotFound)?;
        let seen = self.gallery.see_one(connection, media, inside, caller).await?;
        let view = seen.view();
        let data = One::Media(&view);
        if is_new { Answer::created(format!("/api/v1/media/{id}"), &data) } else { Answer::ok(&data) }
    }
}

fn used_up(_: Allotment) -> Error {
    Error::Conflict(Conflict::QuotaExceeded)
}
