//! Messages of a party's chat.

use std::collections::BTreeMap;

use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    Connection, DatabaseError,
    moment::{moment, optional_moment},
    parties::{self, Found},
    person::person,
    reactions, violated,
};
use crate::domain::{
    chat::{Draft, Message, MessageType},
    event::EventKind,
};

/// What is to be said, by whom.
#[derive(Clone, Copy, Debug)]
pub struct NewMessage<'a> {
    /// Its id.
    pub id: Uuid,
    /// Who says it.
    pub sender: Uuid,
    /// What kind it is of.
    pub kind: MessageType,
    /// What they say.
    pub draft: &'a Draft,
}

/// Says something in a party and logs it, in one round trip with a look at the party as the sender finds it after that.
/// `None`: something that it refers to is gone.
///
/// It locks the party's row until the commit: let it be the transaction's last statement.
///
/// # Errors
///
/// [`DatabaseError`]; [`is_twice`] tells of one that was said before.
pub async fn say(
    connection: &mut Connection,
    party: Uuid,
    NewMessage { id, sender, kind, draft }: NewMessage<'_>,
) -> Result<Option<(Message, Option<Found>)>, DatabaseError> {
    const SAY: &str = include_str!("queries/messages/say.sql");
    let client_id = draft.client_id.as_ref().map(|client_id| client_id.as_str());
    let (kind, content, event) = (kind.as_str(), draft.content.as_str(), EventKind::NewMessage.name());
    let (said, found) = connection
        .query_both(
            (
                SAY,
                &[
                    &id,
                    &party,
                    &sender,
                    &kind,
                    &content,
                    &draft.media_id,
                    &draft.reply_to_id,
                    &client_id,
                    &event,
                ],
            ),
            // It begins when the party's row is held: it sees what those in front have done
            (parties::FIND, &[&Some(sender), &party]),
        )
        .await?;
    let said = said.first().and_then(message);
    Ok(said.map(|said| (said, found.first().map(parties::found))))
}

/// Whether its sender has said it before, under the same `client_id`.
pub fn is_twice(error: &DatabaseError) -> bool {
    violated(error) == Some("messages_client")
}

/// The message that a sender has sent under that `client_id`.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn same(
    connection: &mut Connection,
    party: Uuid,
    sender: Uuid,
    client_id: &str,
) -> Result<Option<Uuid>, DatabaseError> {
    const SAME: &str = include_str!("queries/messages/same.sql");
    Ok(connection.query_opt(SAME, &[&party, &sender, &client_id]).await?.map(|row| row.get("id")))
}

/// The messages with these ids, in no order; those that are gone are left out.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn find(connection: &mut Connection, ids: &[Uuid]) -> Result<Vec<Message>, DatabaseError> {
    const FIND: &str = include_str!("queries/messages/find.sql");
    let (found, counted) = connection.query_both((FIND, &[&ids]), (reactions::COUNTS, &[&ids])).await?;
    let mut counts = reactions::counted(&counted);
    let mut found: Vec<_> = found.iter().filter_map(message).collect();
    for message in found.iter_mut().filter(|message| message.deleted_at.is_none()) {
        message.reactions = counts.remove(&message.id).unwrap_or_default();
    }
    Ok(found)
}

/// At most `limit` messages of a party before number `before`, the newest first, and the party's number at that moment.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn page(
    connection: &mut Connection,
    party: Uuid,
    before: Option<i64>,
    limit: i64,
) -> Result<(Vec<Message>, i64), DatabaseError> {
    const PAGE: &str = include_str!("queries/messages/page.sql");
    let rows = connection.query(PAGE, &[&party, &before, &limit]).await?;
    let seq = rows.first().map(|row| row.get("party_seq")).unwrap_or_default();
    // A party where nothing was said is one row of nulls beside its number
    let mut found: Vec<_> = rows.iter().filter_map(message).collect();
    add_reactions(connection, &mut found).await?;
    Ok((found, seq))
}

/// Keeps others from changing a message and its reactions until this transaction ends. `false`: it is not there, or not
/// any more.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn lock(connection: &mut Connection, party: Uuid, id: Uuid) -> Result<bool, DatabaseError> {
    const LOCK: &str = include_str!("queries/messages/lock.sql");
    Ok(connection.query_opt(LOCK, &[&id, &party]).await?.is_some())
}

/// Gives a message other words. `false`: it is not there any more.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn edit(connection: &mut Connection, id: Uuid, content: &str) -> Result<bool, DatabaseError> {
    const EDIT: &str = include_str!("queries/messages/edit.sql");
    Ok(connection.execute(EDIT, &[&id, &content]).await? > 0)
}

/// Takes a message back, with its words and its media. `false`: that was done before.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn remove(connection: &mut Connection, id: Uuid) -> Result<bool, DatabaseError> {
    const REMOVE: &str = include_str!("queries/messages/remove.sql");
    Ok(connection.execute(REMOVE, &[&id]).await? > 0)
}

/// Somebody has read a party's messages up to number `seq`, or further.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn mark_read(
    connection: &mut Connection,
    party: Uuid,
    person: Uuid,
    seq: i64,
) -> Result<(), DatabaseError> {
    const MARK_READ: &str = include_str!("queries/messages/mark_read.sql");
    connection.execute(MARK_READ, &[&party, &person, &seq]).await.map(drop)
}

async fn add_reactions(connection: &mut Connection, found: &mut [Message]) -> Result<(), DatabaseError> {
    let there = found.iter().filter(|message| message.deleted_at.is_none());
    let ids: Vec<_> = there.map(|message| message.id).collect();
    let mut counts = reactions::counts(connection, &ids).await?;
    for message in found {
        message.reactions = counts.remove(&message.id).unwrap_or_default();
    }
    Ok(())
}

/// The message in a row; `None` for a row of nulls, or a word of a newer binary.
fn message(row: &Row) -> Option<Message> {
    Some(Message {
        id: row.get::<_, Option<Uuid>>("id")?,
        party_id: row.get("party_id"),
        sender: person(row),
        kind: MessageType::named(row.get("type"))?,
        content: row.get("content"),
        media_id: row.get("media_id"),
        reply_to_id: row.get("reply_to_id"),
        reactions: BTreeMap::new(),
        created_at: moment(row, "created_at"),
        edited_at: optional_moment(row, "edited_at"),
        deleted_at: optional_moment(row, "deleted_at"),
        seq: row.get("seq"),
    })
}
