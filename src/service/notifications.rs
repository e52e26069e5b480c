//! What users are told: read by them alone.

use uuid::Uuid;

use super::{door::user, error::Error, parties::cut};
use crate::{
    db::{Connection, Database, notifications},
    domain::{caller::Caller, moment::Exact, notification::Notification},
};

/// The use cases of what users are told.
#[derive(Clone, Debug)]
pub struct Notifications {
    database: Database,
}

/// A page of what a user was told.
#[derive(Debug)]
pub struct NotificationsPage {
    /// The newest first.
    pub items: Vec<Notification>,
    /// How many they have not read, of all.
    pub unread: i64,
    /// Before which one the next page begins.
    pub next: Option<(Exact, Uuid)>,
}

impl Notifications {
    /// Puts it together.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// At most `limit` of what the caller was told before `before`.
    ///
    /// # Errors
    ///
    /// Users only; [`Error::Unavailable`].
    pub async fn page(
        &self,
        caller: Caller,
        only_unread: bool,
        before: Option<(Exact, Uuid)>,
        limit: i64,
    ) -> Result<NotificationsPage, Error> {
        let person = user(caller)?;
        self.database
            .run(async |connection: &mut Connection| {
                // One more tells whether there is a next page
                let found = notifications::page(connection, person, only_unread, before, limit + 1).await?;
                let unread = notifications::unread(connection, person).await?;
                let (items, next) = cut(found, limit, |last| (Exact(last.created_at), last.id));
                Ok(NotificationsPage { items, unread, next })
            })
            .await
    }

    /// The caller has read one.
    ///
    /// # Errors
    ///
    /// Users only; [`Error::NotFound`] for what they were not told; [`Error::Unavailable`].
    pub async fn read(&self, caller: Caller, id: Uuid) -> Result<(), Error> {
        let person = user(caller)?;
        let read = self.database.transaction(async |connection: &mut Connection| {
            notifications::read(connection, id, person).await
        });
        if read.await? { Ok(()) } else { Err(Error::NotFound) }
    }

    /// The caller has read these; what they were not told is passed over.
    ///
    /// # Errors
    ///
    /// Users only; [`Error::Unavailable`].
    pub async fn read_some(&self, caller: Caller, ids: &[Uuid]) -> Result<(), Error> {
        let person = user(caller)?;
        let read = self.database.transaction(async |connection: &mut Connection| {
            notifications::read_some(connection, person, ids).await
        });
        Ok(read.await?)
    }

    /// The caller has read all.
    ///
    /// # Errors
    ///
    /// Users only; [`Error::Unavailable`].
    pub async fn read_all(&self, caller: Caller) -> Result<(), Error> {
        let person = user(caller)?;
        let read = self.database.transaction(async |connection: &mut Connection| {
            notifications::read_all(connection, person).await
        });
        Ok(read.await?)
    }
}
