//! Where else a user is to be found.

use serde_json::Value;
use uuid::Uuid;

use super::{
    error::Error,
    users::{Users, look, own},
};
use crate::{
    db::social_links,
    domain::{
        caller::Caller,
        social_link::{self, SocialLink},
    },
};

impl Users {
    /// The links of a user.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], also for guests.
    pub async fn social_links(&self, caller: Caller, id: Uuid) -> Result<Vec<SocialLink>, Error> {
        self.database
            .run(async |connection| {
                look(connection, caller, id).await?;
                Ok(social_links::of(connection, id).await?)
            })
            .await
    }

    /// Replaces the links of a user by `links`.
    ///
    /// # Errors
    ///
    /// They themselves only; [`Error::Invalid`].
    pub async fn link(&self, caller: Caller, id: Uuid, links: &[Value]) -> Result<Vec<SocialLink>, Error> {
        self.database
            .transaction(async |connection| {
                own(connection, caller, id).await?;
                let links = social_link::read_all(links)?;
                social_links::replace(connection, id, &links).await?;
                Ok(links)
            })
            .await
    }
}
