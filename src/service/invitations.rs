//! How others are asked to a party: its access code, and the link to it as a picture.

use uuid::Uuid;

use super::{
    door,
    error::{Conflict, Error},
    once::{Answer, Ticket, once},
    parties::Parties,
};
use crate::{
    domain::{access::Act, caller::Caller},
    imaging::Qr,
    view::One,
};

const NO_CODE: Error =
    Error::Conflict(Conflict::Other("The party has no access code; POST …/access-code gives it one"));

impl Parties {
    /// Gives the party another access code, once for each `ticket`. The old one is nobody's any more.
    ///
    /// # Errors
    ///
    /// Hosts and cohosts only.
    pub async fn rotate_code(
        &self,
        caller: Caller,
        id: Uuid,
        ticket: Option<&Ticket>,
    ) -> Result<Answer, Error> {
        let mut logged = None;
        let answer = self
            .database
            .transaction(async |connection| {
                // Before an answer is given again: it holds a code that is for hosts' eyes
                door::enter(connection, id, caller, Act::Steer).await?;
                once(connection, &self.answers, ticket, async |connection| {
                    door::enter_alone(connection, id, caller, Act::Steer).await?;
                    logged = Some(self.codes.rotate(connection, id).await?);
                    let seen = self.look(connection, id, caller).await?;
                    Answer::ok(&One::Party(&seen.view()))
                })
                .await
            })
            .await?;
        if let Some(seq) = logged {
            self.announce.announce(id, seq);
        }
        Ok(answer)
    }

    /// The link by which one joins the party, as a QR code.
    ///
    /// # Errors
    ///
    /// Hosts and cohosts only; [`Error::Conflict`] for a party without an access code.
    pub async fn invitation(&self, caller: Caller, id: Uuid) -> Result<Qr, Error> {
        self.database
            .run(async |connection| {
                door::enter(connection, id, caller, Act::Steer).await?;
                let seen = self.look(connection, id, caller).await?;
                let words = seen.invitation().and_then(|invitation| invitation.words());
                let (_, link) = words.ok_or(NO_CODE)?;
                Qr::of(link).ok_or_else(|| Error::internal("the public URL is too long for a QR code"))
            })
            .await
    }
}
