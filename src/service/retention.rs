//! The erasure of parties, in parts that each fit into a transaction.
//!
//! *Invariant:* rows go first, and with those of media a job for their files is left behind: no file is forgotten, and
//! none is looked for that is gone.

use uuid::Uuid;

use super::{error::Error, tasks::Task};
use crate::{
    db::{Connection, DatabaseError, retention},
    domain::picture::{Picture, Subject},
};

/// Media that go at once, each with a job for its files: what people have done with them goes in the same statement.
const MEDIA: i64 = 10;
/// Other rows that go at once.
const TRACES: i64 = 1000;

/// Erases a part of a party whose erasure was asked for `days` ago or before. `false`: there is none.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn erase_due(connection: &mut Connection, days: u16) -> Result<bool, DatabaseError> {
    let Some(party) = retention::due(connection, days).await? else { return Ok(false) };
    erase_part(connection, party).await?;
    Ok(true)
}

/// Erases all of a party that is locked: of a draft, which has little.
///
/// # Errors
///
/// [`Error::Unavailable`].
pub(super) async fn erase(connection: &mut Connection, party: Uuid) -> Result<(), Error> {
    while !erase_part(connection, party).await? {}
    Ok(())
}

/// `true`: nothing is left.
async fn erase_part(connection: &mut Connection, party: Uuid) -> Result<bool, DatabaseError> {
    // First, for of a media there may be one for everybody who was there
    if retention::notifications(connection, party, TRACES).await? >= TRACES {
        return Ok(false);
    }
    let media = retention::media(connection, party, MEDIA).await?;
    if !media.is_empty() {
        let files: Vec<_> = media.into_iter().map(|media| Task::Erase { party, media }).collect();
        Task::leave_all(&files, connection).await?;
        return Ok(false);
    }
    if retention::traces(connection, party, TRACES).await? >= TRACES {
        return Ok(false);
    }
    if let Some(id) = retention::party(connection, party).await? {
        let cover = Picture { subject: Subject::Party(party), id };
        Task::leave_all(&[Task::ErasePicture { picture: cover }], connection).await?;
    }
    Ok(true)
}
