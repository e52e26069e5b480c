//! Marks on media: likes, which are counted, and favourites.
//!
//! *Invariant:* the counter of likes is changed in the transaction of its like, while the media's row is held.

use std::collections::HashMap;

use uuid::Uuid;

use super::{
    door,
    door::user,
    error::Error,
    gallery::{Gallery, NOT_SHOWN, Seen, enter, marks_of},
    parties::cut,
    tasks::Task,
};
use crate::{
    db::{Connection, DatabaseError, held, marks, parties, violated},
    domain::{
        access::Act,
        caller::Caller,
        mark::Mark,
        media::{Media, MediaStatus},
        moment::Exact,
        notification::Cause,
    },
};

impl Gallery {
    /// Sets a mark of the caller on a media; does nothing when it is set.
    ///
    /// # Errors
    ///
    /// As the rights say; a conflict when the media is not READY, or its party is only read.
    pub async fn mark(&self, caller: Caller, id: Uuid, mark: Mark) -> Result<(), Error> {
        let (counted_in, tells) = self
            .database
            .transaction(async |connection: &mut Connection| {
                let (media, inside) = enter(connection, id, caller, act(mark)).await?;
                let person = marker(caller, mark)?;
                // Who has done so before waits for nobody
                if is_set(connection, caller, id, mark).await? {
                    return Ok((None, false));
                }
                if mark == Mark::Like {
                    inside.is_open()?;
                }
                let held = held::lock(connection, id).await?.ok_or(Error::NotFound)?;
                if held.status != MediaStatus::Ready {
                    return Err(NOT_SHOWN);
                }
                let is_new = marks::set(connection, mark, id, person).await.map_err(gone)?;
                if !is_new || mark != Mark::Like {
                    return Ok((None, false));
                }
                marks::count(connection, id, 1).await?;
                Ok::<_, Error>((Some(media.party_id), tell(connection, &media, person).await?))
            })
            .await?;
        if let Some(party) = counted_in {
            self.recounted(party, id);
        }
        if tells {
            self.wake.wake();
        }
        Ok(())
    }

    /// Takes a mark of the caller off a media; does nothing when there is none.
    ///
    /// # Errors
    ///
    /// As the rights say.
    pub async fn unmark(&self, caller: Caller, id: Uuid, mark: Mark) -> Result<(), Error> {
        let counted_in = self
            .database
            .transaction(async |connection: &mut Connection| {
                let (media, _) = enter(connection, id, caller, act(mark)).await?;
                let person = marker(caller, mark)?;
                if !is_set(connection, caller, id, mark).await? {
                    return Ok(None);
                }
                held::lock(connection, id).await?.ok_or(Error::NotFound)?;
                let is_counted = marks::clear(connection, mark, id, person).await? && mark == Mark::Like;
                if is_counted {
                    marks::count(connection, id, -1).await?;
                }
                Ok::<_, Error>(is_counted.then_some(media.party_id))
            })
            .await?;
        if let Some(party) = counted_in {
            self.recounted(party, id);
        }
        Ok(())
    }

    /// Who has just liked sees the number that they have made.
    fn recounted(&self, party: Uuid, media: Uuid) {
        self.pages.changed(party);
        self.likes.changed(media);
    }

    /// A page of what a user has marked and may still see, the newest mark first, and where the next one begins.
    ///
    /// # Errors
    ///
    /// Users only; [`Error::Unavailable`].
    pub async fn marked(
        &self,
        caller: Caller,
        mark: Mark,
        after: Option<(Exact, Uuid)>,
        limit: i64,
    ) -> Result<(Vec<Seen>, Option<(Exact, Uuid)>), Error> {
        let person = user(caller)?;
        self.database
            .run(async |connection: &mut Connection| {
                let found = marks::page(connection, mark, person, after, limit + 1).await?;
                let (found, next) = cut(found, limit, |(media, marked_at)| (*marked_at, media.id));
                let ids: Vec<Uuid> = found.iter().map(|(media, _)| media.id).collect();
                let marks = marks_of(connection, caller, &ids).await?;
                let of: Vec<Uuid> = found.iter().map(|(media, _)| media.party_id).collect();
                let parties = parties::among(connection, &of, Some(person)).await?;
                let parties: HashMap<_, _> =
                    parties.into_iter().map(|found| (found.party.id, found)).collect();
                let seen = found.into_iter().filter_map(|(media, _)| {
                    let found = parties.get(&media.party_id).cloned();
                    // The statement knows the rights too, so that pages are full; here is where they are decided
                    let inside = door::judge(found, caller, Act::SeeGallery).ok()?;
                    let marks = marks.get(&media.id).copied().unwrap_or_default();
                    Some(self.seen(media, &inside, caller, marks))
                });
                Ok((seen.collect(), next))
            })
            .await
    }
}

fn act(mark: Mark) -> Act {
    match mark {
        Mark::Like => Act::Like,
        // Whoever may read it, if they have an account
        Mark::Favorite => Act::SeeGallery,
    }
}

/// Whose mark it is, after the party has let them in.
fn marker(caller: Caller, mark: Mark) -> Result<Uuid, Error> {
    match mark {
        Mark::Like => caller.person().ok_or(Error::Forbidden("screens like nothing")),
        Mark::Favorite => user(caller),
    }
}

async fn is_set(connection: &mut Connection, caller: Caller, media: Uuid, mark: Mark) -> Result<bool, Error> {
    let marks = marks_of(connection, caller, &[media]).await?.remove(&media).unwrap_or_default();
    Ok(match mark {
        Mark::Like => marks.is_liked,
        Mark::Favorite => marks.is_favorite,
    })
}

/// Leaves behind that who brought it is told; nobody is told of their own likes.
async fn tell(connection: &mut Connection, media: &Media, person: Uuid) -> Result<bool, Error> {
    if media.is_of(Some(person)) {
        return Ok(false);
    }
    Task::tell(Cause::Like { media: media.id, person }).leave(connection).await?;
    Ok(true)
}

/// Who marks may be erased between the look at their token and the row.
fn gone(error: DatabaseError) -> Error {
    match violated(&error) {
        Some("media_likes_person_id_fkey" | "media_favorites_person_id_fkey") => {
            Error::Unauthenticated("the account of this token is gone")
        }
        _ => error.into(),
    }
}
