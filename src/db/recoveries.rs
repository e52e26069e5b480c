//! Sockets that can be recovered: in which rooms each is.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Connection, DatabaseError};

/// A room of a party, by the number that realtime knows it by.
pub type Room = (Uuid, u8);

/// Begins with a socket that is in no room.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn begin(connection: &mut Connection, id: Uuid) -> Result<(), DatabaseError> {
    const BEGIN: &str = include_str!("queries/recoveries/begin.sql");
    connection.execute(BEGIN, &[&id]).await.map(|_one| ())
}

/// The rooms of a socket, and after which number it came in there; it is kept for another week. `None`: it is not known,
/// not any more, or of another line of history.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn recall(
    connection: &mut Connection,
    id: Uuid,
) -> Result<Option<Vec<(Room, i64)>>, DatabaseError> {
    const RECALL: &str = include_str!("queries/recoveries/recall.sql");
    let Some(row) = connection.query_opt(RECALL, &[&id]).await? else { return Ok(None) };
    let Value::Object(rooms) = row.get("rooms") else { return Ok(None) };
    Ok(read(&rooms))
}

/// All of them, or nothing: a newer binary may know rooms that this one does not.
fn read(rooms: &Map<String, Value>) -> Option<Vec<(Room, i64)>> {
    let room = |(key, seq): (&String, &Value)| {
        let (party, room) = key.split_once('/')?;
        Some(((party.parse().ok()?, room.parse().ok()?), seq.as_i64()?))
    };
    rooms.iter().map(room).collect()
}

/// How far a log goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The party's last number.
    pub last: i64,
    /// The oldest number that is kept; the one to come when none is.
    pub first: i64,
}

impl Reach {
    /// Whether everything after `seq` can still be read.
    pub fn holds(self, seq: i64) -> bool {
        self.first.saturating_sub(1) <= seq && seq <= self.last
    }
}

/// How far the logs of these parties go; those that are gone are left out.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn reach(
    connection: &mut Connection,
    parties: &[Uuid],
) -> Result<Vec<(Uuid, Reach)>, DatabaseError> {
    const REACH: &str = include_str!("queries/recoveries/reach.sql");
    let rows = connection.query(REACH, &[&parties]).await?;
    let reach = rows.iter().map(|row| {
        let (last, first): (i64, Option<i64>) = (row.get("seq"), row.get("first"));
        (row.get("id"), Reach { last, first: first.unwrap_or(last.saturating_add(1)) })
    });
    Ok(reach.collect())
}

/// Notes a room that a socket comes into, perhaps again, after number `seq`. What is not known any more stays unknown.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn enter(connection: &mut Connection, id: Uuid, room: Room, seq: i64) -> Result<(), DatabaseError> {
    const ENTER: &str = include_str!("queries/recoveries/enter.sql");
    connection.execute(ENTER, &[&id, &key(room), &seq]).await.map(|_one| ())
}

/// Forgets a room that a socket leaves.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn leave(connection: &mut Connection, id: Uuid, room: Room) -> Result<(), DatabaseError> {
    const LEAVE: &str = include_str!("queries/recoveries/leave.sql");
    connection.execute(LEAVE, &[&id, &key(room)]).await.map(|_one| ())
}

fn key((party, room): Room) -> String {
    format!("{party}/{room}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rooms_are_read_as_they_were_noted_or_not_at_all() {
        let room = (Uuid::now_v7(), 1);
        let noted = |rooms: Value| read(rooms.as_object().unwrap());
        assert_eq!(noted(json!({ key(room): 7 })), Some(vec![(room, 7)]));
        assert_eq!(noted(json!({})), Some(Vec::new()));
        for strange in [json!({ "x/1": 7 }), json!({ key(room): "7" }), json!({ key(room): 7, "party": 1 })] {
            assert_eq!(noted(strange), None);
        }
    }

    #[test]
    fn what_of_a_log_can_still_be_read() {
        let log = Reach { last: 9, first: 4 };
        for (seq, holds) in [(2, false), (3, true), (9, true), (10, false)] {
            assert_eq!(log.holds(seq), holds, "after {seq}");
        }
        // All of it has expired
        assert!(!Reach { last: 9, first: 10 }.holds(8) && Reach { last: 9, first: 10 }.holds(9));
    }
}
