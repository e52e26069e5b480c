//! Sessions that can be recovered: their rooms are kept, and what their clients show when they come back is signed.
//!
//! *Invariant:* whose a session is stands in no row; who cannot show what was given to them has no session.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::{BoxFuture, FutureExt as _};
use slog::{Logger, error};
use uuid::Uuid;

use super::{error::Error, seal::Mark};
use crate::{
    db::{Connection, Database, recoveries},
    realtime::{Heard, Principal, Recalled, Recoveries, Refusal, Return, Room},
    telemetry::Chain,
};

/// What signatures are made for.
pub const PURPOSE: &str = "party-gallery recoveries v1";

/// The longest text that is looked at: a hundred rooms are less.
const LONGEST: usize = 8 * 1024;
const MARK: usize = 32;
const ID: usize = 16;
/// A party, a room, and between which numbers it was heard.
const HEARD: usize = 16 + 1 + 8 + 8;

/// How far somebody has heard, by room.
type Positions = BTreeMap<recoveries::Room, Heard>;

/// Sessions that can be recovered.
#[derive(Clone)]
pub struct Kept {
    database: Database,
    signer: Signer,
    log: Logger,
}

impl Kept {
    /// Kept in that database, and signed by `mark`, which is made for [`PURPOSE`].
    pub fn new(database: Database, mark: Mark, log: Logger) -> Self {
        Self { database, signer: Signer(Arc::new(mark)), log }
    }

    async fn look_up(&self, id: Uuid, heard: Positions) -> Result<Option<Recalled>, Error> {
        self.database
            .run(async |connection: &mut Connection| {
                let Some(rooms) = recoveries::recall(connection, id).await? else { return Ok(None) };
                let parties: Vec<Uuid> = rooms.iter().map(|((party, _), _)| *party).collect();
                let reach: HashMap<_, _> =
                    recoveries::reach(connection, &parties).await?.into_iter().collect();
                let resume = |(place, seq): &(recoveries::Room, i64)| {
                    let heard = resume(*place, *seq, heard.get(place))?;
                    reach.get(&heard.party)?.holds(heard.upto).then_some(heard)
                };
                let rooms: Option<Vec<_>> = rooms.iter().map(resume).collect();
                Ok(rooms.map(|rooms| Recalled { id, rooms }))
            })
            .await
    }

    /// What a socket is told of an error; what is nobody's fault but ours is logged.
    fn refuse(&self, refused: &Error) -> Refusal {
        match refused {
            Error::Unavailable { .. } => Refusal::new("UNAVAILABLE", "nothing was done; try again"),
            Error::OutcomeUnknown(_) => {
                Refusal::new("OUTCOME_UNKNOWN", "it may have been done; look before you repeat it")
            }
            refused => {
                error!(self.log, "Recovery failed"; "error" => %Chain(refused));
                Refusal::new("INTERNAL", "something went wrong on our side")
            }
        }
    }
}

/// Where to go on in a room that was entered after `seq`. What was heard before it was entered last does not count.
fn resume((party, number): recoveries::Room, seq: i64, heard: Option<&Heard>) -> Option<Heard> {
    let room = Room::numbered(number)?;
    let at_entry = Heard { party, room, after: seq, upto: seq };
    Some(heard.copied().filter(|heard| heard.upto >= seq).unwrap_or(at_entry))
}

impl Recoveries for Kept {
    fn begin(&self, caller: Principal) -> BoxFuture<'static, Option<Return>> {
        let kept = self.clone();
        async move {
            // Nobody can guess it, and nobody could use it
            let id = Uuid::from_u128(rand::random());
            let begun = kept
                .database
                .run(async |connection: &mut Connection| recoveries::begin(connection, id).await);
            begun.await.map_err(|error| kept.refuse(&error.into())).ok()?;
            Some(Return { id, pid: kept.signer.pid(caller, id) })
        }
        .boxed()
    }

    fn recall(
        &self,
        caller: Principal,
        pid: &str,
        offset: Option<&str>,
    ) -> BoxFuture<'static, Result<Option<Recalled>, Refusal>> {
        let shown = self.signer.read(caller, pid, offset);
        let kept = self.clone();
        async move {
            let Some((id, heard)) = shown else { return Ok(None) };
            kept.look_up(id, heard).await.map_err(|error| kept.refuse(&error))
        }
        .boxed()
    }

    fn enter(&self, id: Uuid, party: Uuid, room: Room, seq: i64) -> BoxFuture<'static, Result<(), Refusal>> {
        let kept = self.clone();
        async move {
            let noted = kept.database.run(async |connection: &mut Connection| {
                recoveries::enter(connection, id, (party, room.number()), seq).await
            });
            noted.await.map_err(|error| kept.refuse(&error.into()))
        }
        .boxed()
    }

    fn leave(&self, id: Uuid, party: Uuid, room: Room) -> BoxFuture<'static, Result<(), Refusal>> {
        let kept = self.clone();
        async move {
            let noted = kept.database.run(async |connection: &mut Connection| {
                recoveries::leave(connection, id, (party, room.number())).await
            });
            noted.await.map_err(|error| kept.refuse(&error.into()))
        }
        .boxed()
    }

    fn offset(&self, caller: Principal, id: Uuid, heard: &[Heard]) -> String {
        self.signer.offset(caller, id, heard)
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

/// Signs what clients are given for the caller that it is given to.
#[derive(Clone, Debug)]
struct Signer(Arc<Mark>);

impl Signer {
    fn pid(&self, caller: Principal, id: Uuid) -> String {
        self.sign("pid", caller, id.as_bytes())
    }

    fn offset(&self, caller: Principal, id: Uuid, heard: &[Heard]) -> String {
        let mut text = Vec::with_capacity(ID + heard.len() * HEARD);
        text.extend_from_slice(id.as_bytes());
        for Heard { party, room, after, upto } in heard {
            text.extend_from_slice(party.as_bytes());
            text.push(room.number());
            text.extend_from_slice(&after.to_be_bytes());
            text.extend_from_slice(&upto.to_be_bytes());
        }
        self.sign("offset", caller, &text)
    }

    /// The session that these were given to, and how far it has heard. `None`: one of them is not the caller's.
    fn read(&self, caller: Principal, pid: &str, offset: Option<&str>) -> Option<(Uuid, Positions)> {
        let id = Uuid::from_slice(&self.open("pid", caller, pid)?).ok()?;
        let Some(offset) = offset else { return Some((id, Positions::new())) };
        let text = self.open("offset", caller, offset)?;
        let (of, heard) = text.split_first_chunk::<ID>()?;
        if Uuid::from_bytes(*of) != id {
            // Clients keep the last that they heard, also of a session that could not be recovered: of this one they have
            // heard nothing yet
            return Some((id, Positions::new()));
        }
        let (heard, []) = heard.as_chunks::<HEARD>() else { return None };
        let heard: Option<Positions> = heard.iter().map(read_one).collect();
        Some((id, heard?))
    }

    fn sign(&self, kind: &str, caller: Principal, text: &[u8]) -> String {
        let mut signed = text.to_vec();
        signed.extend(self.0.of(&context(kind, caller, text)));
        URL_SAFE_NO_PAD.encode(signed)
    }

    fn open(&self, kind: &str, caller: Principal, signed: &str) -> Option<Vec<u8>> {
        let mut text = (signed.len() <= LONGEST).then(|| URL_SAFE_NO_PAD.decode(signed).ok()).flatten()?;
        let mark = text.split_off(text.len().checked_sub(MARK)?);
        self.0.is_of(&context(kind, caller, &text), &mark).then_some(text)
    }
}

fn read_one(bytes: &[u8; HEARD]) -> Option<(recoveries::Room, Heard)> {
    let (party, rest) = bytes.split_first_chunk::<16>()?;
    let ([number], rest) = rest.split_first_chunk::<1>()?;
    let (after, upto) = rest.split_first_chunk::<8>()?;
    let (party, after) = (Uuid::from_bytes(*party), i64::from_be_bytes(*after));
    let upto = i64::from_be_bytes(upto.try_into().ok()?);
    Some(((party, *number), Heard { party, room: Room::numbered(*number)?, after, upto }))
}

/// What is signed: nothing that is given to one caller, or for one purpose, is worth anything for another.
fn context(kind: &str, caller: Principal, text: &[u8]) -> Vec<u8> {
    let credential = caller.credential().subject;
    [kind.as_bytes(), &[0, credential.kind], &credential.id.to_be_bytes(), text].concat()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{config::JwtSecrets, realtime::Kind};

    fn signed_with(letter: &str) -> Signer {
        let secrets: JwtSecrets = letter.repeat(32).parse().unwrap();
        Signer(Mark::new(&secrets, PURPOSE).into())
    }

    fn caller(kind: Kind, id: u128) -> Principal {
        Principal { kind, id: Uuid::from_u128(id), sign_in: None, valid_for: Duration::from_secs(60) }
    }

    fn heard(party: u128, room: Room, upto: i64) -> Heard {
        Heard { party: Uuid::from_u128(party), room, after: 3, upto }
    }

    #[test]
    fn what_was_given_is_read_for_the_same_caller_alone() {
        let (signer, owner, id) = (signed_with("a"), caller(Kind::User, 1), Uuid::from_u128(9));
        let all = [heard(1, Room::Live, 7), heard(1, Room::Chat, 8), heard(2, Room::Live, i64::MAX)];
        let (pid, offset) = (signer.pid(owner, id), signer.offset(owner, id, &all));
        assert_eq!(signer.read(owner, &pid, None), Some((id, BTreeMap::new())));
        let (of, read) = signer.read(owner, &pid, Some(&offset)).unwrap();
        assert_eq!((of, read.into_values().collect::<Vec<_>>()), (id, all.to_vec()));
        for other in [caller(Kind::User, 2), caller(Kind::Guest, 1)] {
            assert_eq!(signer.read(other, &pid, None), None);
            assert_eq!(
                signer.read(other, &signer.pid(other, id), Some(&offset)),
                None,
                "only the offset is not"
            );
        }
        assert_eq!(signed_with("b").read(owner, &pid, None), None);
        for strange in
            ["", "x", "äöü", &pid, &"A".repeat(LONGEST + 4), &offset[1..], &offset[..offset.len() - 4]]
        {
            assert_eq!(signer.read(owner, &pid, Some(strange)), None, "{strange:.20}");
        }
        assert_eq!(signer.read(owner, &offset, None), None, "one is not the other");
    }

    #[test]
    fn what_was_heard_in_a_session_before_tells_nothing_of_this_one() {
        let (signer, owner) = (signed_with("a"), caller(Kind::User, 1));
        let (old, new) = (Uuid::from_u128(8), Uuid::from_u128(9));
        let offset = signer.offset(owner, old, &[heard(1, Room::Live, 7)]);
        let shown = signer.read(owner, &signer.pid(owner, new), Some(&offset));
        assert_eq!(shown, Some((new, BTreeMap::new())));
    }

    #[test]
    fn who_came_in_again_goes_on_from_there() {
        let (party, live) = (Uuid::from_u128(1), heard(1, Room::Live, 7));
        for (seq, known, after, upto) in
            [(5, Some(&live), 3, 7), (7, Some(&live), 3, 7), (8, Some(&live), 8, 8), (5, None, 5, 5)]
        {
            let resumed = resume((party, 0), seq, known).unwrap();
            assert_eq!((resumed.after, resumed.upto), (after, upto), "entered after {seq}");
        }
        assert_eq!(resume((party, 9), 1, None), None, "a room of a newer binary");
    }

    #[test]
    fn a_hundred_rooms_fit() {
        let all: Vec<_> = (0..100).map(|party| heard(party, Room::Live, 7)).collect();
        let offset = signed_with("a").offset(caller(Kind::User, 1), Uuid::from_u128(9), &all);
        assert!(offset.len() <= LONGEST, "{}", offset.len());
    }
}
