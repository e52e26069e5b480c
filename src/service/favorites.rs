//! Parties that users like to find again.

use uuid::Uuid;

use super::{
    door::{self, user},
    error::Error,
    parties::Found,
};
use crate::{
    db::{Connection, Database, DatabaseError, favorites, violated},
    domain::{access::Act, caller::Caller, moment::Exact},
};

/// Pages that are read to fill one: favourites that one may not read any more are passed over.
const ROUNDS: usize = 5;

/// Where a page of favourites goes on: since when, and which.
pub type Place = (Exact, Uuid);

/// What can be done with favourites.
#[derive(Clone, Debug)]
pub struct Favorites {
    database: Database,
}

impl Favorites {
    /// Out of its part.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Makes the party a favourite of the caller, or none; again, it stays what it is.
    ///
    /// # Errors
    ///
    /// Users who may read it only.
    pub async fn set(&self, caller: Caller, party: Uuid, is_favorite: bool) -> Result<(), Error> {
        self.database
            .transaction(async |connection: &mut Connection| {
                door::enter(connection, party, caller, Act::Read).await?;
                let user = user(caller)?;
                let set = if is_favorite {
                    favorites::add(connection, party, user).await
                } else {
                    favorites::remove(connection, party, user).await
                };
                set.map_err(gone)
            })
            .await
    }

    /// A page of the caller's favourites that they may still read, the newest first, and where the next one begins.
    ///
    /// # Errors
    ///
    /// Users only.
    pub async fn list(
        &self,
        caller: Caller,
        mut after: Option<Place>,
        limit: i64,
    ) -> Result<(Vec<Found>, Option<Place>), Error> {
        let user = user(caller)?;
        let wanted = usize::try_from(limit).unwrap_or_default();
        self.database
            .run(async |connection: &mut Connection| {
                let mut shown: Vec<Found> = Vec::new();
                for _ in 0..ROUNDS {
                    let page = favorites::page(connection, user, after, limit + 1).await?;
                    let is_last = page.len() <= wanted;
                    for found in page {
                        let is_readable = door::judge(Some(found.clone()), caller, Act::Read).is_ok();
                        if is_readable && shown.len() == wanted {
                            let next = shown.last().and_then(place);
                            return Ok((shown, next));
                        }
                        after = place(&found);
                        if is_readable {
                            shown.push(found);
                        }
                    }
                    if is_last {
                        return Ok((shown, None));
                    }
                }
                Ok((shown, after))
            })
            .await
    }
}

fn place(found: &Found) -> Option<Place> {
    Some((Exact(found.favorite_since?), found.party.id))
}

fn gone(error: DatabaseError) -> Error {
    match violated(&error) {
        Some("party_favorites_person_id_fkey") => Error::Unauthenticated("the account of this token is gone"),
        Some("party_favorites_party_id_fkey") => Error::NotFound,
        _ => error.into(),
    }
}
