//! What is said in a party: read by those who take part, and told to their screens.
//!
//! *Invariant:* a message and the event that tells of it are written together; its number is the event's.

use std::{collections::HashMap, sync::Arc};

use uuid::Uuid;

use super::{
    announce::Announce,
    door::{self, Inside},
    error::Error,
    links::Links,
    once::{Answer, Ticket, once},
    parties::cut,
    rates::Rates,
    seal::Seal,
};
use crate::{
    db::{
        Connection, Database, DatabaseError, media,
        messages::{self, NewMessage},
    },
    domain::{
        access::{Act, Standing},
        caller::Caller,
        chat::{Draft, Message, MessageType, may_show},
        fields::{Fields, Wrong},
        media::Media,
    },
    view::{
        One,
        media::{MediaView, Urls},
        message::MessageView,
    },
};

/// The use cases of a party's chat.
#[derive(Clone)]
pub struct Chat {
    pub(super) database: Database,
    pub(super) links: Arc<Links>,
    seal: Arc<Seal>,
    pub(super) rates: Rates,
    pub(super) announce: Arc<dyn Announce>,
}

/// A message as everybody who takes part sees it.
#[derive(Debug)]
pub struct Said {
    /// The message.
    pub message: Message,
    media: Option<(Media, Option<Urls>)>,
    links: Arc<Links>,
}

/// A page of a chat.
#[derive(Debug)]
pub struct ChatPage {
    /// The newest first.
    pub items: Vec<Said>,
    /// The party's number when it was read.
    pub seq: i64,
    /// Before which number the next page begins.
    pub next: Option<i64>,
}

impl Said {
    /// A message with what it shows out of `media`: what failed or is hidden is shown to nobody here.
    pub(super) fn new(
        message: Message,
        media: &HashMap<Uuid, Media>,
        links: &Arc<Links>,
        signed_for: Option<i32>,
    ) -> Self {
        let media = message.media_id.and_then(|id| media.get(&id));
        let media = media.filter(|media| media.is_visible(Standing::Going, None));
        let media = media.map(|media| (media.clone(), links.urls(media, signed_for)));
        Self { message, media, links: Arc::clone(links) }
    }

    /// The shape of the contract.
    pub fn view(&self) -> MessageView<'_> {
        let at = &*self.links;
        let media = self.media.as_ref().map(|(media, urls)| MediaView::new(media, urls.clone(), None, at));
        MessageView::new(&self.message, media, at)
    }
}

impl Chat {
    /// Puts it together.
    pub fn new(
        database: Database,
        links: Arc<Links>,
        seal: Arc<Seal>,
        rates: Rates,
        announce: Arc<dyn Announce>,
    ) -> Self {
        Self { database, links, seal, rates, announce }
    }

    /// At most `limit` messages before number `before`, the newest first.
    ///
    /// # Errors
    ///
    /// As the rights say; [`Error::Unavailable`].
    pub async fn page(
        &self,
        caller: Caller,
        party: Uuid,
        before: Option<i64>,
        limit: i64,
    ) -> Result<ChatPage, Error> {
        self.database
            .run(async |connection: &mut Connection| {
                // One more tells whether there is a next page
                let (found, seq) = messages::page(connection, party, before, limit + 1).await?;
                // Judged after the number was read: who is put out by an event up to there is not let in with it
                let inside = door::enter(connection, party, caller, Act::ReadChat).await?;
                let (found, next) = cut(found, limit, |last| last.seq);
                let items = show(connection, found, &self.links, inside.party.signed_for()).await?;
                Ok(ChatPage { items, seq, next })
            })
            .await
    }

    /// Says something: 201 with `{message}`, 200 with the same message when its sender has sent it before.
    ///
    /// # Errors
    ///
    /// [`Error::TooOften`]; as the rights say, then what is wrong with the words, then the party's status;
    /// [`Error::Unavailable`],
    /// [`Error::OutcomeUnknown`].
    pub async fn say(
        &self,
        caller: Caller,
        party: Uuid,
        words: Fields,
        ticket: Option<&Ticket>,
    ) -> Result<Answer, Error> {
        if let Some(person) = caller.person() {
            self.rates.take(&[self.rates.chat(person)]).await?;
        }
        let (mut words, mut twice) = (Words { fields: Some(words), draft: None }, false);
        let mut said = self.say_once(caller, party, &mut words, ticket, &mut twice).await;
        if twice {
            // The same was being said just then: it is there now
            said = self.say_once(caller, party, &mut words, ticket, &mut twice).await;
        }
        let (answer, logged) = said?;
        if let Some(seq) = logged {
            self.announce.announce(party, seq);
        }
        Ok(answer)
    }

    /// As [`Chat::say`]. Gives the number under which it was logged; `twice`: somebody else was saying the same.
    async fn say_once(
        &self,
        caller: Caller,
        party: Uuid,
        words: &mut Words,
        ticket: Option<&Ticket>,
        twice: &mut bool,
    ) -> Result<(Answer, Option<i64>), Error> {
        let mut logged = None;
        let answer = self
            .database
            .transaction(async |connection: &mut Connection| {
                let inside = door::enter(connection, party, caller, Act::Contribute).await?;
                let sender = caller.person().ok_or(Error::Forbidden("screens do not talk"))?;
                let (seal, logged) = (&self.seal, &mut logged);
                once(connection, seal, ticket, async |connection: &mut Connection| {
                    let draft = words.read()?;
                    if let Some(id) = sent(connection, party, sender, draft).await? {
                        // What was taken stays taken, whatever became of the party and of what it shows
                        return self.repeat(connection, id, &inside).await;
                    }
                    inside.contributes()?;
                    let message = enter(connection, party, (caller, sender), draft, twice).await?;
                    *logged = Some(message.seq);
                    let location = format!("/api/v1/parties/{party}/chat/messages/{}", message.id);
                    let signed_for = inside.party.signed_for();
                    let said = show(connection, vec![message], &self.links, signed_for).await?.pop();
                    let said = said.ok_or_else(|| Error::internal("a message was not kept"))?;
                    Answer::created(location, &One::Message(&said.view()))
                })
                .await
            })
            .await?;
        Ok((answer, logged))
    }

    /// The answer to who says something again.
    async fn repeat(&self, connection: &mut Connection, id: Uuid, inside: &Inside) -> Result<Answer, Error> {
        let found = messages::find(connection, &[id]).await?;
        let said = show(connection, found, &self.links, inside.party.signed_for()).await?.pop();
        let said = said.ok_or_else(|| Error::internal("a message was not kept"))?;
        Answer::ok(&One::Message(&said.view()))
    }
}

/// What somebody wants to say: read once they may.
struct Words {
    fields: Option<Fields>,
    draft: Option<Draft>,
}

impl Words {
    fn read(&mut self) -> Result<&Draft, Error> {
        if let Some(mut fields) = self.fields.take() {
            let draft = Draft::read(&mut fields);
            self.draft = Some(fields.finish(draft)?);
        }
        self.draft.as_ref().ok_or_else(|| Error::internal("bad words were read again"))
    }
}

/// The message that its sender has sent under that name before.
async fn sent(
    connection: &mut Connection,
    party: Uuid,
    sender: Uuid,
    draft: &Draft,
) -> Result<Option<Uuid>, DatabaseError> {
    match &draft.client_id {
        Some(client_id) => messages::same(connection, party, sender, client_id.as_str()).await,
        None => Ok(None),
    }
}

/// Enters a message, as its last statement.
async fn enter(
    connection: &mut Connection,
    party: Uuid,
    (caller, sender): (Caller, Uuid),
    draft: &Draft,
    twice: &mut bool,
) -> Result<Message, Error> {
    let mut kind = draft.kind;
    if let Some(media_id) = draft.media_id {
        let media = media::find(connection, &[media_id]).await?.pop();
        let media = media.filter(|media| may_show(sender, media, party));
        let media = media.ok_or_else(|| Error::field("mediaId", &NO_MEDIA))?;
        kind = kind.or(Some(MessageType::showing(media.kind)));
    }
    if let Some(reply_to_id) = draft.reply_to_id {
        let message = messages::find(connection, &[reply_to_id]).await?.pop();
        message
            .filter(|message| message.party_id == party)
            .ok_or_else(|| Error::field("replyToId", &NO_MESSAGE))?;
    }
    let kind = kind.unwrap_or(MessageType::Text);
    let message = NewMessage { id: Uuid::now_v7(), sender, kind, draft };
    let said = messages::say(connection, party, message).await;
    *twice = said.as_ref().is_err_and(messages::is_twice);
    match said? {
        Some((message, found)) => {
            // Those who were in front at the party's row may have put them out, or ended the party
            door::judge(found, caller, Act::Contribute)?.contributes()?;
            Ok(message)
        }
        None => Err(gone_meanwhile(connection, draft).await?),
    }
}

const NO_MEDIA: Wrong = Wrong::new("UNKNOWN_MEDIA", "is no media of this party that you may show");
pub(super) const NO_MESSAGE: Wrong = Wrong::new("UNKNOWN_MESSAGE", "is no message of this party");

/// What a message refers to may go between the look at it and the row; and so may its party.
async fn gone_meanwhile(connection: &mut Connection, draft: &Draft) -> Result<Error, DatabaseError> {
    if let Some(media) = draft.media_id
        && media::find(connection, &[media]).await?.is_empty()
    {
        return Ok(Error::field("mediaId", &NO_MEDIA));
    }
    if let Some(message) = draft.reply_to_id
        && messages::find(connection, &[message]).await?.is_empty()
    {
        return Ok(Error::field("replyToId", &NO_MESSAGE));
    }
    Ok(Error::NotFound)
}

/// Messages with what they show, by one statement.
pub(super) async fn show(
    connection: &mut Connection,
    found: Vec<Message>,
    links: &Arc<Links>,
    signed_for: Option<i32>,
) -> Result<Vec<Said>, DatabaseError> {
    let ids: Vec<Uuid> = found.iter().filter_map(|message| message.media_id).collect();
    let media = if ids.is_empty() { Vec::new() } else { media::find(connection, &ids).await? };
    let media = media.into_iter().map(|media| (media.id, media)).collect();
    Ok(found.into_iter().map(|message| Said::new(message, &media, links, signed_for)).collect())
}
