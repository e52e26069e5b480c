//! What people are told: rows that name what they tell of, and everything that it takes to put them into words.

use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use super::{
    Connection, DatabaseError, attendances,
    moment::{moment, parameter},
};
use crate::domain::{
    access::Openness,
    attendance::Rsvp,
    media::MediaType,
    moment::Exact,
    notification::{Cause, Notification, Setting},
};

/// People who are told by one statement.
pub const BATCH: usize = 1000;
/// More than are concerned by what concerns one, or those who run a party.
const FEW: usize = 10;

/// What came of telling some people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// To whom it was new, and what each was told.
    pub new: Vec<(Uuid, Uuid)>,
    /// The last of them, when there may be more.
    pub last: Option<Uuid>,
}

/// Tells at most [`BATCH`] people whom `cause` concerns, in the order of their ids, those after `after`; each of them
/// once.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn tell(
    connection: &mut Connection,
    cause: &Cause,
    after: Option<Uuid>,
) -> Result<Told, DatabaseError> {
    macro_rules! told {
        ($concerned:literal) => {
            concat!(
                include_str!(concat!("queries/notifications/concerned_", $concerned, ".sql")),
                include_str!("queries/notifications/tell.sql")
            )
        };
    }
    let (kind, key, after) = (cause.kind(), cause.key(), after.unwrap_or_default());
    let (statement, most, subjects): (_, _, Vec<&(dyn ToSql + Sync)>) = match cause {
        Cause::Follow { follower, followed } => (told!("follow"), FEW, vec![follower, followed]),
        Cause::Like { media, person } => (told!("like"), FEW, vec![media, person]),
        Cause::Comment { comment, .. } => (told!("comment"), FEW, vec![comment]),
        Cause::NewRsvp { party, person } => (told!("rsvp"), FEW, vec![party, person]),
        Cause::NewParty { party } => (told!("new_party"), BATCH, vec![party]),
        Cause::PartyInvite { party, person } => (told!("invite"), FEW, vec![party, person]),
        Cause::PartyStart { party, actor }
        | Cause::PartyEnd { party, actor }
        | Cause::PartyCancelled { party, actor } => (told!("attendees"), BATCH, vec![party, actor]),
        Cause::PartyReminder { party } => (told!("attendees"), BATCH, vec![party, &None::<Uuid>]),
        Cause::NewMedia { media, .. } => (told!("new_media"), BATCH, vec![media]),
    };
    let ids: Vec<Uuid> = (0..most).map(|_| Uuid::now_v7()).collect();
    let parameters: Vec<&(dyn ToSql + Sync)> = vec![&kind, &key, &ids, &after];
    let mut told = Told::default();
    for row in connection.query(statement, &[parameters, subjects].concat()).await? {
        let person = row.get("person_id");
        match row.get("id") {
            Some(id) => told.new.push((person, id)),
            None => told.last = Some(person),
        }
    }
    Ok(told)
}

/// Minutes since 1970, by the database's clock.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn minute(connection: &mut Connection) -> Result<i64, DatabaseError> {
    const MINUTE: &str = include_str!("queries/notifications/minute.sql");
    Ok(connection.query_opt(MINUTE, &[]).await?.map(|row| row.get("minute")).unwrap_or_default())
}

/// At most `limit` of what a person was told before `before`, the newest first.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn page(
    connection: &mut Connection,
    person: Uuid,
    only_unread: bool,
    before: Option<(Exact, Uuid)>,
    limit: i64,
) -> Result<Vec<Notification>, DatabaseError> {
    const PAGE: &str = concat!(
        include_str!("queries/notifications/shown.sql"),
        include_str!("queries/notifications/page.sql")
    );
    let told_at = before.map(|(Exact(told_at), _)| parameter(told_at));
    let before = before.map(|(_, id)| id);
    let rows = connection.query(PAGE, &[&person, &only_unread, &told_at, &before, &limit]).await?;
    Ok(rows.iter().map(notification).collect())
}

/// What people were told, each with whom; those that are gone are left out.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn find(
    connection: &mut Connection,
    ids: &[Uuid],
) -> Result<Vec<(Uuid, Notification)>, DatabaseError> {
    const FIND: &str = concat!(
        include_str!("queries/notifications/shown.sql"),
        include_str!("queries/notifications/find.sql")
    );
    let rows = connection.query(FIND, &[&ids]).await?;
    Ok(rows.iter().map(|row| (row.get("person_id"), notification(row))).collect())
}

/// How much of what a person was told they have not read.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn unread(connection: &mut Connection, person: Uuid) -> Result<i64, DatabaseError> {
    const UNREAD: &str = include_str!("queries/notifications/unread.sql");
    Ok(connection.query_opt(UNREAD, &[&person]).await?.map(|row| row.get("unread")).unwrap_or_default())
}

/// Marks one as read. `false`: that person was told no such thing.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn read(connection: &mut Connection, id: Uuid, person: Uuid) -> Result<bool, DatabaseError> {
    const READ: &str = include_str!("queries/notifications/read.sql");
    Ok(connection.execute(READ, &[&id, &person]).await? > 0)
}

/// Marks those of these as read that a person was told.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn read_some(connection: &mut Connection, person: Uuid, ids: &[Uuid]) -> Result<(), DatabaseError> {
    const READ_SOME: &str = include_str!("queries/notifications/read_some.sql");
    connection.execute(READ_SOME, &[&person, &ids]).await.map(drop)
}

/// Marks all as read that a person was told.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn read_all(connection: &mut Connection, person: Uuid) -> Result<(), DatabaseError> {
    const READ_ALL: &str = include_str!("queries/notifications/read_all.sql");
    connection.execute(READ_ALL, &[&person]).await.map(drop)
}

fn notification(row: &Row) -> Notification {
    Notification {
        id: row.get("id"),
        kind: row.get("type"),
        actor_id: row.get("actor_id"),
        party_id: row.get("party_id"),
        media_id: row.get("media_id"),
        comment_id: row.get("comment_id"),
        created_at: moment(row, "created_at"),
        is_read: row.get("is_read"),
        actor: row.get("actor"),
        setting: setting(row),
        media: row.get::<_, Option<&str>>("media_type").and_then(MediaType::named),
        answer: row.get::<_, Option<&str>>("answer").and_then(Rsvp::named),
    }
}

/// The party that it tells of, if it tells of one.
fn setting(row: &Row) -> Option<Setting> {
    let is_draft = row.get::<_, Option<bool>>("is_draft")?;
    Some(Setting {
        openness: Openness { is_private: row.get("is_private"), is_draft },
        title: row.get("title"),
        cancel_reason: row.get("cancel_reason"),
        place: attendances::place(row),
    })
}
