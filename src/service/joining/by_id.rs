//! Joining a party that one names: a public one, or a private one whose code one holds.

use std::net::IpAddr;

use uuid::Uuid;

use super::{Joining, Logged};
use crate::{
    db::{
        Connection,
        parties::{self, Found},
    },
    domain::{
        access::Act,
        access_code::AccessCode,
        attendance::standing,
        caller::Caller,
        fields::{Fields, Invalid},
        party::admission::{Admission, Refusal},
    },
    service::{
        door,
        error::Error,
        once::{Answer, Ticket, once},
    },
};

/// What somebody says who wants to join: a code, none, or what cannot be one.
type Password = Result<Option<AccessCode>, Invalid>;

impl Joining {
    /// Lets a user in, once for each `ticket`. A private party asks for its code, but of those who are in; whoever tries
    /// with another one is told of nothing, and tries not too often.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] also for a private party without its code; users only; [`Error::Invalid`];
    /// [`Conflict::InvalidStatus`], [`Conflict::PartyFull`]; [`Error::TooOften`].
    ///
    /// [`Conflict::InvalidStatus`]: super::Conflict::InvalidStatus
    /// [`Conflict::PartyFull`]: super::Conflict::PartyFull
    pub async fn join_named(
        &self,
        caller: Caller,
        party: Uuid,
        mut fields: Fields,
        ticket: Option<&Ticket>,
        from: IpAddr,
    ) -> Result<Answer, Error> {
        let password = fields.optional("accessCode", AccessCode::read);
        let password = fields.finish(password);
        let attempt = self.counted(from, self.try_named(caller, party, &password, ticket));
        if matches!(password, Ok(Some(_))) {
            self.guarded(&self.joins, caller, from, attempt).await
        } else {
            let _turn = self.joins.turn().await?;
            attempt.await
        }
    }

    async fn try_named(
        &self,
        caller: Caller,
        party: Uuid,
        password: &Password,
        ticket: Option<&Ticket>,
    ) -> Result<Answer, Error> {
        let mut logged = None;
        let answer = self
            .database
            .transaction(async |connection| {
                let user = self.at_the_door(connection, party, caller, password).await?;
                once(connection, &self.answers, ticket, async |connection| {
                    self.join_named_alone(connection, party, user, password, &mut logged).await
                })
                .await
            })
            .await?;
        self.told(caller, logged);
        Ok(answer)
    }

    /// Who may not know of the party, or may not come, is told so without a wait, and makes nobody else wait.
    async fn at_the_door(
        &self,
        connection: &mut Connection,
        party: Uuid,
        caller: Caller,
        password: &Password,
    ) -> Result<Uuid, Error> {
        let Some(user) = caller.user() else {
            door::enter(connection, party, caller, Act::Answer).await?;
            return Err(Error::Forbidden("an account is needed for this"));
        };
        let found = parties::find(connection, party, Some(user)).await?.ok_or(Error::NotFound)?;
        if let Err(refusal @ (Refusal::Unknown | Refusal::Banned)) = self.judge(&found, password) {
            return Err(refusal.into());
        }
        match password {
            Ok(_) => Ok(user),
            Err(invalid) => Err(invalid.clone().into()),
        }
    }

    async fn join_named_alone(
        &self,
        connection: &mut Connection,
        party: Uuid,
        user: Uuid,
        password: &Password,
        logged: &mut Logged,
    ) -> Result<Answer, Error> {
        parties::lock(connection, party).await?;
        let found = parties::find(connection, party, Some(user)).await?.ok_or(Error::NotFound)?;
        let admission = self.judge(&found, password)?;
        self.let_user_in(connection, user, &found, admission, logged).await
    }

    fn judge(&self, found: &Found, password: &Password) -> Result<Admission, Refusal> {
        let Found { party, attendance, .. } = found;
        let holds_code = matches!(password, Ok(Some(code)) if self.codes.opens(party, code));
        party.opens_to(standing(*attendance), holds_code)
    }
}
