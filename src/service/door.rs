//! The way into a party: every use case below one goes through here, and nobody decides elsewhere who may do what.

use uuid::Uuid;

use super::error::{Conflict, Error};
use crate::{
    db::{
        Connection,
        entrances::Entrance,
        parties::{self, Found},
    },
    domain::{
        access::{Act, Denied, Openness, Standing},
        attendance::{Attendance, standing},
        caller::Caller,
        moment::Moment,
        party::{InvalidStatus, Party, Status, glows},
    },
};

/// What somebody who may do what they want finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Inside {
    /// The party.
    pub party: Party,
    /// Their place in it.
    pub standing: Standing,
    /// The same, as it is kept; `None`: they never were in it.
    pub attendance: Option<Attendance>,
    /// Whether it is one of their favourites.
    pub is_favorite: bool,
    /// When this was read, by the database's clock.
    pub read_at: Moment,
}

impl Inside {
    /// Whether the party's status lets them upload and talk.
    ///
    /// # Errors
    ///
    /// [`Conflict::InvalidStatus`].
    pub fn contributes(&self) -> Result<(), Error> {
        Ok(self.party.takes_contributions(self.standing, self.read_at)?)
    }

    /// Whether the party is more than only read.
    ///
    /// # Errors
    ///
    /// [`Conflict::InvalidStatus`] when it is cancelled.
    pub fn is_open(&self) -> Result<(), Error> {
        if self.party.status == Status::Cancelled { Err(InvalidStatus.into()) } else { Ok(()) }
    }
}

/// Lets `caller` in to do `act`, with one statement.
///
/// # Errors
///
/// In the contract's order: not there or not for them to know of, no token where one is needed, not allowed.
pub async fn enter(
    connection: &mut Connection,
    party: Uuid,
    caller: Caller,
    act: Act,
) -> Result<Inside, Error> {
    judge(parties::find(connection, party, caller.id()).await?, caller, act)
}

/// As [`enter`], and nobody else changes the party until this transaction ends. Who may not do `act` is told so without
/// a wait, and makes nobody else wait.
///
/// # Errors
///
/// As [`enter`].
pub async fn enter_alone(
    connection: &mut Connection,
    party: Uuid,
    caller: Caller,
    act: Act,
) -> Result<Inside, Error> {
    enter(connection, party, caller, act).await?;
    parties::lock(connection, party).await?;
    // Again: what was true before the wait need not be after it
    enter(connection, party, caller, act).await
}

/// Whether who was let in to upload or to talk still may, once this transaction holds the party's row: those who were in
/// front of it there may have put them out, or ended the party.
///
/// # Errors
///
/// As [`enter`]; then as [`Inside::contributes`].
pub async fn still_contributes(
    connection: &mut Connection,
    party: Uuid,
    caller: Caller,
) -> Result<Inside, Error> {
    let inside = enter(connection, party, caller, Act::Contribute).await?;
    inside.contributes()?;
    Ok(inside)
}

/// Whether `caller` may do `act` in what was found.
///
/// # Errors
///
/// As [`enter`].
pub fn judge(found: Option<Found>, caller: Caller, act: Act) -> Result<Inside, Error> {
    let Found { party, attendance, favorite_since, is_display, read_at } = found.ok_or(Error::NotFound)?;
    let place = (attendance, is_display && party.glows(read_at));
    let standing = admit(place, party.openness(), caller, act)?;
    Ok(Inside { party, standing, attendance, is_favorite: favorite_since.is_some(), read_at })
}

/// As [`judge`], of what was read for many callers at once. Gives their place.
///
/// # Errors
///
/// As [`enter`].
pub fn judge_entrance(found: Option<&Entrance>, caller: Caller, act: Act) -> Result<Standing, Error> {
    let Entrance { attendance, is_display, ended_at, openness, read_at, .. } =
        *found.ok_or(Error::NotFound)?;
    admit((attendance, is_display && glows(ended_at, read_at)), openness, caller, act)
}

/// Whether somebody with that place may do `act`: their attendance, and whether they are a screen, which stays as long
/// as there is something to add to what it shows.
fn admit(
    (attendance, is_display): (Option<Attendance>, bool),
    openness: Openness,
    caller: Caller,
    act: Act,
) -> Result<Standing, Error> {
    let standing = if is_display { Standing::Display } else { standing(attendance) };
    standing.may(act, openness, caller)?;
    Ok(standing)
}

/// What everybody is told who wants to change what another has made.
pub fn refused(caller: Caller) -> Error {
    if caller.is_known() { Denied::Forbidden.into() } else { Denied::Unauthenticated.into() }
}

/// The account that is needed for what belongs to one.
///
/// # Errors
///
/// No token, or one of somebody without an account.
pub fn user(caller: Caller) -> Result<Uuid, Error> {
    match caller {
        Caller::User(id) => Ok(id),
        Caller::Anonymous => Err(Error::Unauthenticated("an account is needed for this")),
        Caller::Guest(_) | Caller::Display(_) => Err(Error::Forbidden("an account is needed for this")),
    }
}

impl From<InvalidStatus> for Error {
    fn from(_: InvalidStatus) -> Self {
        Self::Conflict(Conflict::InvalidStatus)
    }
}
