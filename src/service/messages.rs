//! One message of a chat, after it was said: edited, taken back, read.

use serde_json::json;
use uuid::Uuid;

use super::{
    chat::{Chat, NO_MESSAGE, Said, show},
    door::{self, Inside},
    error::Error,
};
use crate::{
    db::{Connection, events, messages},
    domain::{
        access::Act,
        caller::Caller,
        chat::{Message, edit},
        event::EventKind,
        fields::{Fields, id},
    },
};

impl Chat {
    /// Gives a message other words; its sender may, for a while. With `expected`, only while its revision is one of them.
    ///
    /// # Errors
    ///
    /// [`Error::TooOften`]; as the rights say, and [`Error::Forbidden`] when it is too late; [`Error::Precondition`]; then
    /// what is wrong with the words, then the party's status; [`Error::Unavailable`], [`Error::OutcomeUnknown`].
    pub async fn edit(
        &self,
        caller: Caller,
        party: Uuid,
        message: Uuid,
        mut words: Fields,
        expected: Option<&[i32]>,
    ) -> Result<Said, Error> {
        if let Some(person) = caller.person() {
            self.rates.take(&[self.rates.chat(person)]).await?;
        }
        let (said, logged) = self
            .database
            .transaction(async |connection: &mut Connection| {
                let (old, inside, is_own) = approach(connection, caller, party, message).await?;
                if !is_own {
                    return Err(Error::Forbidden("only its sender edits a message"));
                }
                if old.deleted_at.is_some() {
                    return Err(Error::NotFound);
                }
                if !old.takes_edits(inside.read_at) {
                    return Err(Error::Forbidden("a message is edited within 15 minutes"));
                }
                if !messages::lock(connection, party, message).await? {
                    return Err(Error::NotFound);
                }
                // Again: what was true before the wait need not be after it
                let old = messages::find(connection, &[message]).await?.pop().ok_or(Error::NotFound)?;
                if expected.is_some_and(|revisions| !revisions.contains(&old.revision())) {
                    return Err(Error::Precondition);
                }
                let content = edit(&mut words, &old);
                let content = words.finish(content)?;
                inside.contributes()?;
                let is_new = content.as_str() != old.content;
                if is_new && !messages::edit(connection, message, content.as_str()).await? {
                    return Err(Error::NotFound);
                }
                let found = messages::find(connection, &[message]).await?;
                let said = show(connection, found, &self.links, inside.party.signed_for()).await?.pop();
                let said = said.ok_or(Error::NotFound)?;
                if !is_new {
                    return Ok((said, None));
                }
                let kind = EventKind::MessageUpdated;
                let seq = events::append(connection, party, kind, Some(message), &json!({})).await?;
                Ok((said, Some(seq)))
            })
            .await?;
        if let Some(seq) = logged {
            self.announce.announce(party, seq);
        }
        Ok(said)
    }

    /// Takes a message back, once; that there was one stays.
    ///
    /// # Errors
    ///
    /// As the rights say: its sender may, and who runs the party; [`Error::Unavailable`], [`Error::OutcomeUnknown`].
    pub async fn remove(&self, caller: Caller, party: Uuid, message: Uuid) -> Result<(), Error> {
        let logged = self
            .database
            .transaction(async |connection: &mut Connection| {
                let (_, _, is_own) = approach(connection, caller, party, message).await?;
                if !is_own {
                    door::enter(connection, party, caller, Act::Steer).await?;
                }
                if !messages::remove(connection, message).await? {
                    return Ok(None);
                }
                let kind = EventKind::MessageRemoved;
                let seq = events::append(connection, party, kind, Some(message), &json!({})).await?;
                Ok::<_, Error>(Some(seq))
            })
            .await?;
        if let Some(seq) = logged {
            self.announce.announce(party, seq);
        }
        Ok(())
    }

    /// The caller has read a chat up to a message; who has read further stays there.
    ///
    /// # Errors
    ///
    /// As the rights say; a message that is none of this party's; [`Error::Unavailable`].
    pub async fn mark_read(&self, caller: Caller, party: Uuid, mut fields: Fields) -> Result<(), Error> {
        self.database
            .transaction(async |connection: &mut Connection| {
                door::enter(connection, party, caller, Act::ReadChat).await?;
                let person = caller.person().ok_or(Error::Forbidden("screens do not read"))?;
                let message = fields.required("messageId", id);
                let message = fields.finish(message)?;
                let message = messages::find(connection, &[message]).await?.pop();
                let message = message.filter(|message| message.party_id == party);
                let message = message.ok_or_else(|| Error::field("messageId", &NO_MESSAGE))?;
                Ok(messages::mark_read(connection, party, person, message.seq).await?)
            })
            .await
    }
}

/// A message, the caller's place in its party, and whether it is theirs: those who may read the chat get to it, and
/// whoever sent it.
async fn approach(
    connection: &mut Connection,
    caller: Caller,
    party: Uuid,
    message: Uuid,
) -> Result<(Message, Inside, bool), Error> {
    let found = messages::find(connection, &[message]).await?.pop();
    let found = found.filter(|message| message.party_id == party);
    let is_own = found.as_ref().is_some_and(|message| Some(message.sender.id) == caller.person());
    let act = if is_own { Act::EditOwn } else { Act::ReadChat };
    let inside = door::enter(connection, party, caller, act).await?;
    Ok((found.ok_or(Error::NotFound)?, inside, is_own))
}
