//! What people think of a message, in one sign.
//!
//! *Invariant:* who changes a message's reactions holds the message: its counts are exact, and so is their limit.

use serde_json::json;
use uuid::Uuid;

use super::{
    chat::Chat,
    door,
    error::{Conflict, Error},
};
use crate::{
    db::{Connection, events, messages, reactions},
    domain::{access::Act, caller::Caller, chat::EMOJIS, emoji::Emoji, event::EventKind},
};

/// Which way a reaction goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// It is there from now on.
    Set,
    /// It is there no more.
    Unset,
}

impl Chat {
    /// Reacts to a message with an emoji, or takes that back; again it changes nothing.
    ///
    /// # Errors
    ///
    /// As the rights say; what is no emoji; the party's status; [`Conflict::QuotaExceeded`] for one more emoji than a
    /// message has; [`Error::Unavailable`], [`Error::OutcomeUnknown`].
    pub async fn react(
        &self,
        caller: Caller,
        party: Uuid,
        message: Uuid,
        emoji: &str,
        reaction: Reaction,
    ) -> Result<(), Error> {
        let logged = self
            .database
            .transaction(async |connection: &mut Connection| {
                let inside = door::enter(connection, party, caller, Act::Contribute).await?;
                let person = caller.person().ok_or(Error::Forbidden("screens do not react"))?;
                if !messages::lock(connection, party, message).await? {
                    return Err(Error::NotFound);
                }
                let emoji = Emoji::read(emoji).map_err(|wrong| Error::field("emoji", &wrong))?;
                inside.contributes()?;
                let counts = reactions::counts(connection, &[message]).await?.remove(&message);
                let counts = counts.unwrap_or_default();
                let before = counts.get(emoji.as_str()).copied().unwrap_or_default();
                let (is_new, count) = match reaction {
                    Reaction::Set if before == 0 && counts.len() >= EMOJIS => {
                        return Err(Error::Conflict(Conflict::QuotaExceeded));
                    }
                    Reaction::Set => (reactions::add(connection, message, person, &emoji).await?, before + 1),
                    Reaction::Unset => {
                        (reactions::remove(connection, message, person, &emoji).await?, before - 1)
                    }
                };
                if !is_new {
                    return Ok(None);
                }
                let facts = json!({ "emoji": emoji.as_str(), "count": count });
                let kind = EventKind::Reaction;
                let seq = events::append(connection, party, kind, Some(message), &facts).await?;
                door::still_contributes(connection, party, caller).await?;
                Ok(Some(seq))
            })
            .await?;
        if let Some(seq) = logged {
            self.announce.announce(party, seq);
        }
        Ok(())
    }
}
