//! Who follows whom.

use std::{fmt, sync::Arc};

use uuid::Uuid;

use super::{
    announce::Wake, door::user, error::Error, parties::cut, tasks::Task, turnstile::Turnstile, users,
};
pub use crate::db::follows::{Place, Side};
use crate::{
    db::{Database, follows},
    domain::{caller::Caller, fields::Wrong, notification::Cause, person::Person},
};

/// The use cases of following.
pub struct Follows {
    database: Database,
    wake: Arc<dyn Wake>,
    turnstile: Turnstile,
}

impl Follows {
    /// Kept in `database`; `wake` has those told who are followed.
    pub fn new(database: Database, wake: Arc<dyn Wake>) -> Self {
        Self { database, wake, turnstile: Turnstile::new() }
    }

    /// Lets the caller follow a user; does nothing when they do already.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], also for guests; users only; [`Error::Invalid`] for themselves.
    pub async fn follow(&self, caller: Caller, followed: Uuid) -> Result<(), Error> {
        if self.toggle(caller, followed, true).await? {
            self.wake.wake();
        }
        Ok(())
    }

    /// Ends that; does nothing when they do not.
    ///
    /// # Errors
    ///
    /// As [`Follows::follow`].
    pub async fn unfollow(&self, caller: Caller, followed: Uuid) -> Result<(), Error> {
        self.toggle(caller, followed, false).await.map(drop)
    }

    /// A page of those on that side of a user, and where the next one begins.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], also for guests.
    pub async fn page(
        &self,
        caller: Caller,
        of: Uuid,
        side: Side,
        after: Option<Place>,
        limit: i64,
    ) -> Result<(Vec<Person>, Option<Place>), Error> {
        self.database
            .run(async |connection| {
                users::look(connection, caller, of).await?;
                let found = follows::page(connection, of, side, after, limit + 1).await?;
                let (found, next) = cut(found, limit, |(_, place)| *place);
                Ok((found.into_iter().map(|(person, _)| person).collect(), next))
            })
            .await
    }

    /// Whether anything changed.
    async fn toggle(&self, caller: Caller, followed: Uuid, follows: bool) -> Result<bool, Error> {
        let _turn = self.turnstile.turn().await?;
        self.database
            .transaction(async |connection| {
                // Who may not is told so without a wait, and makes nobody else wait; nor does who asks for what is so
                let seen = users::look(connection, caller, followed).await?;
                let follower = user(caller)?;
                if follower == followed {
                    return Err(Error::field("id", &Wrong::new("SELF", "must be somebody else's")));
                }
                if seen.is_followed() == follows {
                    return Ok(false);
                }
                let there = follows::lock(connection, [follower, followed]).await?;
                if !there.contains(&followed) {
                    return Err(Error::NotFound);
                }
                if !there.contains(&follower) {
                    return Err(Error::Unauthenticated("a token of somebody who is here is needed for this"));
                }
                if !follows {
                    return Ok(follows::remove(connection, follower, followed).await?);
                }
                let is_new = follows::add(connection, follower, followed).await?;
                if is_new {
                    Task::tell(Cause::Follow { follower, followed }).leave(connection).await?;
                }
                Ok(is_new)
            })
            .await
    }
}

impl fmt::Debug for Follows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follows").finish_non_exhaustive()
    }
}
