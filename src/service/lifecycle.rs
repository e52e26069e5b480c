//! How a party goes on: published, begun, ended, cancelled, deleted.

use serde_json::json;
use uuid::Uuid;

use super::{
    door::{self, Inside},
    error::Error,
    parties::{Parties, Seen},
    retention::erase,
    tasks::Task,
};
use crate::{
    db::{Connection, events, parties, retention},
    domain::{
        access::Act,
        caller::Caller,
        event::EventKind,
        fields::Fields,
        party::{InvalidStatus, Party, Status, Step, news},
        text::Reason,
    },
};

impl Parties {
    /// Publishes, begins or ends the party; does nothing when it is there already.
    ///
    /// # Errors
    ///
    /// Hosts and cohosts only; [`Conflict::InvalidStatus`](super::error::Conflict::InvalidStatus).
    pub async fn step(&self, caller: Caller, id: Uuid, step: Step) -> Result<Seen, Error> {
        let seen = self
            .database
            .transaction(async |connection| {
                let Inside { party, .. } = door::enter_alone(connection, id, caller, Act::Steer).await?;
                let next = party.status.after(step)?;
                if next != party.status {
                    advance(connection, caller, &party, next).await?;
                }
                Ok::<_, Error>((self.look(connection, id, caller).await?, next != party.status))
            })
            .await?;
        Ok(self.told(seen))
    }

    /// Cancels the party, for the reason that `fields` may give; does nothing when it is cancelled already.
    ///
    /// # Errors
    ///
    /// Its host only; [`Error::Invalid`]; [`Conflict::InvalidStatus`](super::error::Conflict::InvalidStatus) of one that
    /// has ended.
    pub async fn cancel(&self, caller: Caller, id: Uuid, mut fields: Fields) -> Result<Seen, Error> {
        let seen = self
            .database
            .transaction(async |connection| {
                let Inside { party, .. } = door::enter_alone(connection, id, caller, Act::Own).await?;
                let reason = fields.optional("reason", Reason::read);
                let reason = fields.finish(reason)?.filter(|reason| !reason.as_str().is_empty());
                let next = party.status.after(Step::Cancel)?;
                if next != party.status {
                    if let Some(reason) = reason {
                        parties::give_reason(connection, id, reason.as_str()).await?;
                    }
                    advance(connection, caller, &party, next).await?;
                }
                Ok::<_, Error>((self.look(connection, id, caller).await?, next != party.status))
            })
            .await?;
        Ok(self.told(seen))
    }

    /// Deletes the party: a draft at once; all else is to be erased some days later, and cancelled now if it is not over.
    /// Again, it is as deleted as before.
    ///
    /// # Errors
    ///
    /// Its host only.
    pub async fn delete(&self, caller: Caller, id: Uuid) -> Result<(), Error> {
        let seq = self
            .database
            .transaction(async |connection| {
                let Inside { party, .. } = door::enter_alone(connection, id, caller, Act::Own).await?;
                if party.status == Status::Draft {
                    erase(connection, id).await?;
                    return Ok(None);
                }
                retention::request(connection, id).await?;
                match party.status.after(Step::Cancel) {
                    Ok(next) if next != party.status => {
                        advance(connection, caller, &party, next).await.map(Some)
                    }
                    Ok(_) | Err(InvalidStatus) => Ok(None),
                }
            })
            .await?;
        if let Some(seq) = seq {
            self.announce.announce(id, seq);
        }
        self.wake.wake();
        Ok(())
    }
}

/// Gives a party that is locked another status in the name of `caller`, leaves behind of what people are told, and logs it last. Gives the number
/// of the event.
async fn advance(
    connection: &mut Connection,
    caller: Caller,
    party: &Party,
    next: Status,
) -> Result<i64, Error> {
    parties::advance(connection, party.id, next).await?;
    for cause in news(party.id, party.plan.is_private, Some(party.status), next, caller.person()) {
        Task::tell(cause).leave(connection).await?;
    }
    let facts = json!({ "status": next });
    Ok(events::append(connection, party.id, EventKind::StatusChanged, None, &facts).await?)
}
