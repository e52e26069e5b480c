//! The devices of users that pushes go to.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    door::user,
    error::Error,
    once::{Answer, Ticket, once},
    seal::Seal,
};
use crate::{
    db::{Connection, Database, devices, users},
    domain::{
        caller::Caller,
        device::{Address, DEVICES},
        fields::Fields,
    },
    view::{DeviceView, One},
};

/// The use cases of devices.
#[derive(Clone)]
pub struct Devices {
    database: Database,
    answers: Arc<Seal>,
}

impl Devices {
    /// Puts it together; `answers` seals what may be answered again.
    pub fn new(database: Database, answers: Arc<Seal>) -> Self {
        Self { database, answers }
    }

    /// Makes a device the caller's: 201 with `{device}`, 200 when it is theirs already. Whose it was before, has it no
    /// more.
    ///
    /// # Errors
    ///
    /// Users only; what is wrong with the fields; [`Error::Unavailable`], [`Error::OutcomeUnknown`].
    pub async fn keep(
        &self,
        caller: Caller,
        mut fields: Fields,
        ticket: Option<&Ticket>,
    ) -> Result<Answer, Error> {
        let person = user(caller)?;
        let address = Address::read(&mut fields);
        let address = fields.finish(address)?;
        let hash = Sha256::digest(&address.token);
        self.database
            .transaction(async |connection: &mut Connection| {
                once(connection, &self.answers, ticket, async |connection: &mut Connection| {
                    if !users::lock(connection, person).await? {
                        return Err(Error::Unauthenticated("the account is gone"));
                    }
                    let id = Uuid::now_v7();
                    let device = devices::keep(connection, id, person, &address, &hash).await?;
                    let device = device.ok_or_else(|| Error::internal("a device was not kept"))?;
                    devices::trim(connection, person, DEVICES).await?;
                    let view = One::Device(&DeviceView::from(&device));
                    if device.id == id {
                        Answer::created(format!("/api/v1/devices/{id}"), &view)
                    } else {
                        Answer::ok(&view)
                    }
                })
                .await
            })
            .await
    }

    /// Nothing is pushed to that device any more.
    ///
    /// # Errors
    ///
    /// Users only; [`Error::NotFound`] for what is not theirs; [`Error::Unavailable`].
    pub async fn forget(&self, caller: Caller, id: Uuid) -> Result<(), Error> {
        let person = user(caller)?;
        let forgotten = self
            .database
            .transaction(async |connection: &mut Connection| devices::delete(connection, id, person).await);
        if forgotten.await? { Ok(()) } else { Err(Error::NotFound) }
    }
}

impl std::fmt::Debug for Devices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Devices").finish_non_exhaustive()
    }
}
