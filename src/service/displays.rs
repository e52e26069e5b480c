//! Screens of a party: their tokens are made and revoked.
//!
//! *Invariant:* a token is made for each answer and kept nowhere. Of a screen that was revoked it opens nothing: the door
//! looks each time.

use std::{sync::Arc, time::Duration};

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    announce::{Announce, Reach},
    door,
    door::user,
    error::{Conflict, Error},
    once::{Answer, Ticket, once},
    seal::Seal,
    tokens::Tokens,
};
use crate::{
    db::{Connection, Database, DatabaseError, displays, events, violated},
    domain::{access::Act, caller::Caller, event::EventKind, fields::Fields, text::DisplayName},
    realtime::Kind,
    view::display::{DisplayView, NewDisplay},
};

/// How long a screen's token is good; the door closes it earlier when it is revoked, and 7 days after its party's end.
const TOKEN: Duration = Duration::from_secs(30 * 86_400);
/// How long after it was made a screen may still have a good token: its first answer may come again for a day.
const LIFE: Duration = Duration::from_secs(31 * 86_400);
/// Living screens of one party.
const MOST: i64 = 20;

/// What can be done with screens.
pub struct Displays {
    database: Database,
    tokens: Arc<Tokens>,
    answers: Arc<Seal>,
    announce: Arc<dyn Announce>,
    reach: Arc<dyn Reach>,
}

impl Displays {
    /// Out of its parts; `answers` seals what may be answered again.
    pub fn new(
        database: Database,
        tokens: Arc<Tokens>,
        answers: Arc<Seal>,
        announce: Arc<dyn Announce>,
        reach: Arc<dyn Reach>,
    ) -> Self {
        Self { database, tokens, answers, announce, reach }
    }

    /// Makes a screen of the party's gallery, once for each `ticket`, and a token for it.
    ///
    /// # Errors
    ///
    /// Hosts and cohosts only; [`Error::Invalid`]; [`Conflict::QuotaExceeded`] above 20.
    pub async fn create(
        &self,
        caller: Caller,
        party: Uuid,
        mut fields: Fields,
        ticket: Option<&Ticket>,
    ) -> Result<Answer, Error> {
        let kept = self
            .database
            .transaction(async |connection| {
                // Before an answer is given again: it comes with a token
                door::enter(connection, party, caller, Act::Steer).await?;
                once(connection, &self.answers, ticket, async |connection| {
                    door::enter_alone(connection, party, caller, Act::Steer).await?;
                    let name = fields.optional("name", DisplayName::read);
                    let name = fields.finish(name)?;
                    if displays::living(connection, party, LIFE).await? >= MOST {
                        return Err(Error::Conflict(Conflict::QuotaExceeded));
                    }
                    let (id, host) = (Uuid::now_v7(), user(caller)?);
                    let name = name.as_ref().map(DisplayName::as_str);
                    let made = displays::insert(connection, id, party, host, name).await.map_err(gone)?;
                    let made = made.ok_or_else(|| Error::internal("a row was added and is not there"))?;
                    let location = format!("/api/v1/parties/{party}/displays/{id}");
                    Answer::created(location, &DisplayView::from(&made))
                })
                .await
            })
            .await?;
        self.equip(kept)
    }

    /// Revokes a screen: it is out of the rooms at once. Again, it is as revoked as before.
    ///
    /// # Errors
    ///
    /// Hosts and cohosts only; [`Error::NotFound`] for one that the party never had.
    pub async fn revoke(&self, caller: Caller, party: Uuid, id: Uuid) -> Result<(), Error> {
        let seq = self
            .database
            .transaction(async |connection: &mut Connection| {
                door::enter_alone(connection, party, caller, Act::Steer).await?;
                if !displays::is_living(connection, party, id).await?.ok_or(Error::NotFound)? {
                    return Ok(None);
                }
                displays::revoke(connection, party, id).await?;
                // Its screens hear of it in the log, as of everything
                let facts = json!({ "displayRevoked": true });
                let seq =
                    events::append(connection, party, EventKind::PartyUpdated, Some(id), &facts).await?;
                Ok::<_, Error>(Some(seq))
            })
            .await?;
        if let Some(seq) = seq {
            self.announce.announce(party, seq);
            self.reach.doubt(id);
        }
        Ok(())
    }

    /// Gives the screen of that answer a token.
    fn equip(&self, kept: Answer) -> Result<Answer, Error> {
        #[derive(Deserialize)]
        struct Made {
            id: Uuid,
        }
        let Made { id } = serde_json::from_str(kept.data.get()).map_err(Error::internal)?;
        let token = self.tokens.issue(Kind::Display, id, TOKEN).map_err(Error::internal)?;
        let data = Answer::ok(&NewDisplay { display: &kept.data, token: token.expose() })?.data;
        Ok(Answer { data, ..kept })
    }
}

impl std::fmt::Debug for Displays {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Displays").finish_non_exhaustive()
    }
}

fn gone(error: DatabaseError) -> Error {
    match violated(&error) {
        Some("displays_created_by_fkey") => Error::Unauthenticated("the account of this token is gone"),
        _ => error.into(),
    }
}
