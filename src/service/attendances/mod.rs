//! Places in a party: what people do with their own, and what its hosts do with those of others.
//!
//! *Invariant:* who changes a place holds the party's row until the commit, so that seats are counted by one at a time.

mod answers;
mod cohosts;
mod removals;

use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;

use super::{
    announce::{Hints, Reach},
    codes::Codes,
    error::Error,
    turnstile::Turnstile,
};
use crate::{
    db::{Connection, Database, DatabaseError, attendances, events, parties, people, violated},
    domain::{attendance::Attendance, event::EventKind, person::Person},
};

/// What can be done with places in a party.
pub struct Attendances {
    database: Database,
    codes: Arc<Codes>,
    turnstile: Turnstile,
    hints: Hints,
    reach: Arc<dyn Reach>,
}

impl Attendances {
    /// Out of its parts.
    pub fn new(database: Database, codes: Arc<Codes>, hints: Hints, reach: Arc<dyn Reach>) -> Self {
        Self { database, codes, turnstile: Turnstile::new(), hints, reach }
    }
}

impl std::fmt::Debug for Attendances {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attendances").finish_non_exhaustive()
    }
}

/// Gives somebody who was at `before` the place `after`, and logs that last. Gives the number of the event, if others are
/// told of it.
pub(super) async fn put(
    connection: &mut Connection,
    party: Uuid,
    person: Uuid,
    before: Option<Attendance>,
    after: Attendance,
) -> Result<Option<i64>, Error> {
    attendances::put(connection, party, person, after).await.map_err(gone)?;
    match after.news(before) {
        Some(news) => log(connection, party, person, news, after).await.map(Some),
        None => Ok(None),
    }
}

/// As [`put`], for somebody whom a host names: whoever was erased meanwhile is nobody.
async fn put_other(
    connection: &mut Connection,
    party: Uuid,
    person: Uuid,
    before: Option<Attendance>,
    after: Attendance,
) -> Result<Option<i64>, Error> {
    match put(connection, party, person, before, after).await {
        Err(Error::Unauthenticated(_)) => Err(Error::NotFound),
        outcome => outcome,
    }
}

async fn log(
    connection: &mut Connection,
    party: Uuid,
    person: Uuid,
    news: EventKind,
    place: Attendance,
) -> Result<i64, Error> {
    let facts = place.presence.reason().map_or(json!({}), |reason| json!({ "reason": reason }));
    Ok(events::append(connection, party, news, Some(person), &facts).await?)
}

/// What a refused place means: whoever was to have it was erased.
fn gone(error: DatabaseError) -> Error {
    match violated(&error) {
        Some("attendances_person_id_fkey") => Error::Unauthenticated("the account of this token is gone"),
        _ => error.into(),
    }
}

/// Somebody whom a host names: any user, or a guest of this party.
async fn find(
    connection: &mut Connection,
    party: Uuid,
    person: Uuid,
) -> Result<(Person, Option<Attendance>), Error> {
    let found = people::find(connection, person).await?.ok_or(Error::NotFound)?;
    let place = place(connection, party, person).await?;
    if found.is_guest() && place.is_none() {
        return Err(Error::NotFound);
    }
    Ok((found, place))
}

async fn place(
    connection: &mut Connection,
    party: Uuid,
    person: Uuid,
) -> Result<Option<Attendance>, DatabaseError> {
    let found = parties::find(connection, party, Some(person)).await?;
    Ok(found.and_then(|found| found.attendance))
}
