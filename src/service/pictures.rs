//! Pictures that stand for people and parties: faces and covers.
//!
//! *Invariant:* what is kept is what was developed: upright, small, without a word about who took it where. A picture that
//! nobody shows is erased by a job, which is there before its bytes are.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use uuid::Uuid;

use super::{
    darkroom::Darkroom,
    door::{self, user},
    error::Error,
    incoming::{Incoming, Said},
    links::Signature,
    parties::{self, Parties},
    rates::Rates,
    served::{Caching, Served},
    tasks::Task,
    turnstile::Turnstile,
    users::{self, look},
};
use crate::{
    blob::{Key, Name, Role, Store},
    db::{Connection, events, parties as found, pictures, users as kept},
    domain::{
        access::{Act, Openness},
        caller::Caller,
        event::EventKind,
        picture::{Picture, Subject},
    },
    imaging::Derivative,
};

/// How long after it was begun a picture that nobody shows is nobody's: no request takes that long.
const ORPHANED_AFTER: Duration = Duration::from_secs(60 * 60);

/// The use cases of faces and covers.
pub struct Pictures {
    parties: Arc<Parties>,
    store: Store,
    darkroom: Arc<dyn Darkroom>,
    rates: Rates,
    // A photo is in memory whole while it waits for the darkroom
    turnstile: Turnstile,
}

impl Pictures {
    /// Those of the users and parties that `parties` knows.
    pub fn new(parties: Arc<Parties>, store: Store, darkroom: Arc<dyn Darkroom>, rates: Rates) -> Self {
        Self { parties, store, darkroom, rates, turnstile: Turnstile::new() }
    }

    /// Whether `caller` may show another face: asked before a byte is read. Gives whose it is.
    ///
    /// # Errors
    ///
    /// Users only; [`Error::TooOften`].
    pub async fn admit_avatar(&self, caller: Caller) -> Result<Uuid, Error> {
        let user = user(caller)?;
        self.rates.take(&[self.rates.uploads(user)]).await?;
        Ok(user)
    }

    /// Whether `caller` may give `party` another cover: asked before a byte is read.
    ///
    /// # Errors
    ///
    /// Hosts and cohosts only; [`Error::TooOften`].
    pub async fn admit_cover(&self, caller: Caller, party: Uuid) -> Result<(), Error> {
        let entered = self.parties.database.run(async |connection: &mut Connection| {
            door::enter(connection, party, caller, Act::Steer).await.map(drop)
        });
        entered.await?;
        match caller.person() {
            Some(person) => self.rates.take(&[self.rates.uploads(person)]).await,
            None => Ok(()),
        }
    }

    /// Opens a place for the photo of somebody who was admitted.
    ///
    /// # Errors
    ///
    /// [`Error::StorageFull`], [`Error::Unavailable`].
    pub async fn begin(&self, said: Said) -> Result<Incoming, Error> {
        Incoming::begin(&self.store, said).await
    }

    /// Makes a photo the face of `user`, who is the caller. The one before it is gone soon.
    ///
    /// # Errors
    ///
    /// What [`Incoming::write`] refuses; a photo that cannot be developed; [`Error::Unavailable`].
    pub async fn show_avatar(&self, user: Uuid, photo: Incoming) -> Result<users::Seen, Error> {
        let caller = Caller::User(user);
        let subject = Subject::User(user);
        let (picture, made) = self.make(photo, subject).await?;
        let shown = self.parties.database.transaction(async |connection: &mut Connection| {
            kept::lock(connection, user).await?;
            let before = look(connection, caller, user).await.map_err(gone)?.avatar_id();
            pictures::show(connection, picture, made.content_type()).await?;
            forget(connection, subject, before).await?;
            look(connection, caller, user).await
        });
        self.settle(picture, shown.await).await
    }

    /// Makes a photo the cover of a party, and tells its screens. The one before it is gone soon.
    ///
    /// # Errors
    ///
    /// As [`Pictures::admit_cover`]; what [`Incoming::write`] refuses; a photo that cannot be developed;
    /// [`Error::Unavailable`].
    pub async fn show_cover(
        &self,
        caller: Caller,
        party: Uuid,
        photo: Incoming,
    ) -> Result<parties::Seen, Error> {
        let subject = Subject::Party(party);
        let (picture, made) = self.make(photo, subject).await?;
        let shown = self.parties.database.transaction(async |connection: &mut Connection| {
            let inside = door::enter_alone(connection, party, caller, Act::Steer).await?;
            pictures::show(connection, picture, made.content_type()).await?;
            forget(connection, subject, inside.party.cover.map(|cover| cover.id)).await?;
            events::append(connection, party, EventKind::PartyUpdated, None, &json!({})).await?;
            Ok((self.parties.look(connection, party, caller).await?, true))
        });
        Ok(self.parties.told(self.settle(picture, shown.await).await?))
    }

    /// Where the face of a user is, for everybody, if it is the one that they show.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub async fn avatar(&self, user: Uuid, id: Uuid) -> Result<Served, Error> {
        let picture = Picture { subject: Subject::User(user), id };
        let shown = self
            .parties
            .database
            .run(async |connection: &mut Connection| pictures::shown(connection, picture).await);
        let content_type = shown.await?.ok_or(Error::NotFound)?;
        Ok(self.serve(picture, content_type, Caching::Forever))
    }

    /// Where the cover of a party is, for who may read the party and for who has a signed link, if it is the one that it
    /// shows.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub async fn cover(
        &self,
        caller: Caller,
        party: Uuid,
        id: Uuid,
        signature: Option<&Signature>,
    ) -> Result<Served, Error> {
        let found = self
            .parties
            .database
            .run(async |connection: &mut Connection| found::find(connection, party, caller.id()).await);
        let found = found.await?.ok_or(Error::NotFound)?;
        let (links, party) = (&self.parties.links, found.party.clone());
        if !signature.is_some_and(|signature| links.opens_cover(&party, signature)) {
            door::judge(Some(found), caller, Act::Read)?;
        }
        let Openness { is_private, is_draft } = party.openness();
        let caching = if is_private || is_draft { Caching::Private } else { Caching::Public };
        let cover = party.cover.filter(|cover| cover.id == id).ok_or(Error::NotFound)?;
        let picture = Picture { subject: Subject::Party(party.id), id };
        Ok(self.serve(picture, cover.content_type, caching))
    }

    fn serve(&self, picture: Picture, content_type: String, caching: Caching) -> Served {
        let id = picture.id.simple();
        let (key, name, etag) = (key(picture), id.to_string(), format!("\"{id}\""));
        Served { store: self.store.clone(), key, content_type, etag, caching, name }
    }

    /// Develops a photo and stores what is kept of it.
    async fn make(&self, photo: Incoming, subject: Subject) -> Result<(Picture, Derivative), Error> {
        let turn = self.turnstile.turn().await?;
        let (format, photo) = photo.take().await?;
        let developed = self.darkroom.develop(format, photo).await?;
        drop(turn);
        let made = match subject {
            Subject::User(_) => developed.thumb,
            Subject::Party(_) => developed.preview,
        };
        let picture = Picture { subject, id: Uuid::now_v7() };
        let erase = Task::ErasePicture { picture };
        let promised = self.parties.database.transaction(async |connection: &mut Connection| {
            erase.leave_for_later(connection, ORPHANED_AFTER).await
        });
        promised.await.map_err(not_begun)?;
        self.store.put_bytes(&key(picture), &made.bytes).await?;
        Ok((picture, made))
    }

    /// After the transaction: of a picture that nobody came to show nothing is left.
    async fn settle<T>(&self, picture: Picture, shown: Result<T, Error>) -> Result<T, Error> {
        match &shown {
            Ok(_) => self.parties.wake.wake(),
            // It may be shown; if not, the job finds that out
            Err(Error::OutcomeUnknown(_)) => {}
            // Where this fails it is left to the job
            Err(_) => _ = self.store.delete(&key(picture)).await,
        }
        shown
    }
}

impl std::fmt::Debug for Pictures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pictures").finish_non_exhaustive()
    }
}

/// Where a picture is: a matter of its ids alone.
pub fn key(Picture { subject, id }: Picture) -> Key {
    let (owner, role) = match subject {
        Subject::User(user) => (user, Role::Avatar),
        Subject::Party(party) => (party, Role::Cover),
    };
    Key { owner, role, name: Name::Picture(id) }
}

/// Leaves the erasure of the picture behind that was shown before.
async fn forget(connection: &mut Connection, subject: Subject, before: Option<Uuid>) -> Result<(), Error> {
    match before {
        Some(id) => Task::ErasePicture { picture: Picture { subject, id } }.leave(connection).await,
        None => Ok(()),
    }
}

/// Whoever has a token and is not there any more.
fn gone(error: Error) -> Error {
    match error {
        Error::NotFound => Error::Unauthenticated("the account of this token is gone"),
        other => other,
    }
}

/// A job that may have been left behind finds nothing to do: the caller may come again.
fn not_begun(error: Error) -> Error {
    match error {
        Error::OutcomeUnknown(source) => Error::Unavailable {
            reason: "the database is away",
            retry_after: Duration::from_secs(1),
            source: Some(source),
        },
        other => other,
    }
}
