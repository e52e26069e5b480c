//! Parties of a user, as far as the caller may know of them.

use uuid::Uuid;

use super::{
    door::{self, Inside, user},
    error::Error,
    parties::cut,
    users::{Users, look},
};
pub use crate::db::user_parties::Place;
use crate::{
    db::{follows, parties::Found, user_parties},
    domain::{access::Act, caller::Caller},
};

/// Parties with the caller's place in each, and where the next page begins.
pub type Parties = (Vec<Inside>, Option<Place>);

impl Users {
    /// A page of the parties that a user hosts, the newest first.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], also for guests.
    pub async fn hosted(
        &self,
        caller: Caller,
        of: Uuid,
        after: Option<Place>,
        limit: i64,
    ) -> Result<Parties, Error> {
        self.database
            .run(async |connection| {
                look(connection, caller, of).await?;
                let found = user_parties::hosted(connection, of, caller.person(), after, limit + 1).await?;
                Ok(readable(found, caller, limit))
            })
            .await
    }

    /// A page of the parties that a user comes to or may come to, the latest that they joined first.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], also for guests; they themselves only, and users who follow them and whom they follow.
    pub async fn attending(
        &self,
        caller: Caller,
        of: Uuid,
        after: Option<Place>,
        limit: i64,
    ) -> Result<Parties, Error> {
        self.database
            .run(async |connection| {
                look(connection, caller, of).await?;
                let user = user(caller)?;
                if user != of && !follows::are_mutual(connection, user, of).await? {
                    return Err(Error::Forbidden("only for those who follow each other"));
                }
                let found = user_parties::attending(connection, of, Some(user), after, limit + 1).await?;
                Ok(readable(found, caller, limit))
            })
            .await
    }
}

/// `limit` of what was found, as far as the door lets the caller in.
fn readable(found: Vec<(Found, Place)>, caller: Caller, limit: i64) -> Parties {
    let (found, next) = cut(found, limit, |(_, place)| *place);
    let inside = found.into_iter().filter_map(|(found, _)| door::judge(Some(found), caller, Act::Read).ok());
    (inside.collect(), next)
}
