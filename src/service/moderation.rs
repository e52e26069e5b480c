//! What is taken off the screens: by who runs the party, or because enough people reported it.
//!
//! *Invariant:* reports are counted while the media's row is held, so that the last of three sees the other two. After a
//! host has decided, no report counts.

use serde_json::json;
use uuid::Uuid;

use super::{
    door,
    error::Error,
    gallery::{Gallery, NOT_SHOWN, Seen, admit, enter, load},
};
use crate::{
    db::{Connection, DatabaseError, events, held, media, reports, violated},
    domain::{
        access::Act,
        caller::Caller,
        event::EventKind,
        fields::Fields,
        media::{Media, MediaStatus},
        text::Reason,
    },
};

impl Gallery {
    /// Reports a media, once for each person; enough reports hide it.
    ///
    /// # Errors
    ///
    /// As the rights say; nobody reports what is their own; a conflict when the media was never READY.
    pub async fn report(&self, caller: Caller, id: Uuid, words: Fields) -> Result<(), Error> {
        let logged = self
            .database
            .transaction(async |connection: &mut Connection| {
                let media = load(connection, id).await?;
                if is_done(connection, &media, caller).await? {
                    return Ok(None);
                }
                admit(connection, &media, caller, Act::Contribute).await?;
                let reporter = caller.person().ok_or(Error::Forbidden("screens report nothing"))?;
                if media.is_of(Some(reporter)) {
                    return Err(Error::Forbidden("this is your own: delete it"));
                }
                let reason = read(words)?;
                let held = held::lock(connection, id).await?.ok_or(Error::NotFound)?;
                if !matches!(held.status, MediaStatus::Ready | MediaStatus::Hidden) {
                    return Err(NOT_SHOWN);
                }
                let reason = reason.as_ref().map(Reason::as_str);
                reports::insert(connection, id, reporter, reason).await.map_err(gone)?;
                // Also who repeats theirs: what did not count yet may by now
                if held.is_decided || held.status == MediaStatus::Hidden {
                    return Ok(None);
                }
                if !reports::tally(connection, id).await?.hides() {
                    return Ok(None);
                }
                held::turn(connection, id, MediaStatus::Hidden, false).await?;
                let seq = tell(connection, &media, MediaStatus::Hidden).await?;
                Ok(Some((media.party_id, seq)))
            })
            .await?;
        if let Some((party, seq)) = logged {
            self.announce.announce(party, seq);
        }
        Ok(())
    }

    /// Takes a media off the screens, whatever people say of it.
    ///
    /// # Errors
    ///
    /// Hosts and cohosts only; a conflict when the media was never READY.
    pub async fn hide(&self, caller: Caller, id: Uuid) -> Result<Seen, Error> {
        self.decide(caller, id, MediaStatus::Hidden).await
    }

    /// Shows a media again, whatever people say of it. Links that were signed before it was hidden stay dead.
    ///
    /// # Errors
    ///
    /// As [`Gallery::hide`].
    pub async fn unhide(&self, caller: Caller, id: Uuid) -> Result<Seen, Error> {
        self.decide(caller, id, MediaStatus::Ready).await
    }

    async fn decide(&self, caller: Caller, id: Uuid, wanted: MediaStatus) -> Result<Seen, Error> {
        let (seen, logged) = self
            .database
            .transaction(async |connection: &mut Connection| {
                let (media, inside) = enter(connection, id, caller, Act::Steer).await?;
                let held = held::lock(connection, id).await?.ok_or(Error::NotFound)?;
                if !matches!(held.status, MediaStatus::Ready | MediaStatus::Hidden) {
                    return Err(NOT_SHOWN);
                }
                held::turn(connection, id, wanted, true).await?;
                let now = load(connection, id).await?;
                let seen = self.see_one(connection, now, &inside, caller).await?;
                if held.status == wanted {
                    return Ok((seen, None));
                }
                let seq = tell(connection, &media, wanted).await?;
                // Again: the party was waited for
                enter(connection, id, caller, Act::Steer).await?;
                Ok((seen, Some((media.party_id, seq))))
            })
            .await?;
        if let Some((party, seq)) = logged {
            self.announce.announce(party, seq);
        }
        Ok(seen)
    }
}

/// Whether the caller has reported what is hidden now, so that who repeats the report which hid it hears the same.
async fn is_done(connection: &mut Connection, media: &Media, caller: Caller) -> Result<bool, Error> {
    let Some(person) = caller.person().filter(|_| media.status == MediaStatus::Hidden) else {
        return Ok(false);
    };
    // Whoever never reported it knows of nothing that is hidden
    if !reports::exists(connection, media.id, person).await? {
        return Ok(false);
    }
    door::enter(connection, media.party_id, caller, Act::Contribute).await?;
    Ok(true)
}

/// Counts the media of the party and logs what has become of this one; its number stays what it was.
async fn tell(connection: &mut Connection, media: &Media, status: MediaStatus) -> Result<i64, Error> {
    let (kind, shown, facts) = match status {
        MediaStatus::Hidden => (EventKind::MediaRemoved, -1, json!({ "reason": "HIDDEN" })),
        _ => (EventKind::MediaReady, 1, json!({})),
    };
    media::count(connection, media.party_id, shown, 0).await?;
    Ok(events::append(connection, media.party_id, kind, Some(media.id), &facts).await?)
}

fn read(mut words: Fields) -> Result<Option<Reason>, Error> {
    let reason = words.optional("reason", Reason::read);
    let reason = words.finish(reason)?;
    Ok(reason.filter(|reason| !reason.as_str().is_empty()))
}

/// Who reports may be erased between the look at their token and the row.
fn gone(error: DatabaseError) -> Error {
    match violated(&error) {
        Some("reports_reporter_id_fkey") => Error::Unauthenticated("the account of this token is gone"),
        _ => error.into(),
    }
}
