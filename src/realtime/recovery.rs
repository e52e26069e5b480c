//! How a session is recovered whose client comes back on another connection: by a name that the client is given when it
//! comes in, and by how far it has heard, which comes with every logged event.
//!
//! *Invariant:* who is told that it was recovered is in all its rooms and hears all it missed there, or is told which not.
//! Its rooms are kept before it hears that it is in; whether it may be there is judged anew.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, OnceLock},
};

use futures_util::future::{BoxFuture, join_all};
use parking_lot::Mutex;
use party_gallery_actors::realtime::{Close, Joined, Position, Topic};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    principal::Principal,
    protocol::{Refused, Request, Step},
    refusal::Refusal,
    rooms::{Place, Room, Rooms, party},
    visit::greet,
};

/// What it takes to recover sessions cannot be looked up: who comes back later still can be.
const NOT_NOW: Close = Close::new(1013, "try again later");

/// Of how many rooms it is remembered how far a session has heard: as many as it may be in.
const ROOMS: usize = 100;

/// How far somebody has heard in a room: what is meant for them of the numbers `after < seq <= upto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The party.
    pub party: Uuid,
    /// Its room.
    pub room: Room,
    /// Nothing up to this number was meant for them.
    pub after: i64,
    /// Up to this number they have everything.
    pub upto: i64,
}

/// What a client is given to come back by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Return {
    /// Under what its rooms are kept.
    pub id: Uuid,
    /// What only the same caller can show: letters that need no escapes in JSON.
    pub pid: String,
}

/// A session that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recalled {
    /// Under what its rooms are kept.
    pub id: Uuid,
    /// Where it was, and after what it is to hear more; the logs still have all of that.
    pub rooms: Vec<Heard>,
}

/// Keeps what it takes to recover sessions, for all pods. Each answer is waited for at most `Config::answer_deadline`.
pub trait Recoveries: Send + Sync + 'static {
    /// Begins to keep a session of `caller`. `None`: it cannot be kept now, and is not recovered.
    fn begin(&self, caller: Principal) -> BoxFuture<'static, Option<Return>>;

    /// The session that `pid` was given to, which has heard up to `offset`, or has heard nothing yet. `None`: these are
    /// not the caller's, too old, or the logs go on without what it missed.
    ///
    /// # Errors
    ///
    /// `UNAVAILABLE`, `INTERNAL`.
    fn recall(
        &self,
        caller: Principal,
        pid: &str,
        offset: Option<&str>,
    ) -> BoxFuture<'static, Result<Option<Recalled>, Refusal>>;

    /// Notes that the session `id` comes into a room after number `seq`.
    ///
    /// # Errors
    ///
    /// `UNAVAILABLE`, `OUTCOME_UNKNOWN`, `INTERNAL`.
    fn enter(&self, id: Uuid, party: Uuid, room: Room, seq: i64) -> BoxFuture<'static, Result<(), Refusal>>;

    /// Notes that it leaves a room.
    ///
    /// # Errors
    ///
    /// As [`Recoveries::enter`].
    fn leave(&self, id: Uuid, party: Uuid, room: Room) -> BoxFuture<'static, Result<(), Refusal>>;

    /// What only `caller` can show, and what tells how far their session `id` has heard: letters that need no escapes in
    /// JSON.
    fn offset(&self, caller: Principal, id: Uuid, heard: &[Heard]) -> String;
}

/// How a client asks to be recovered.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Comeback {
    #[serde(default)]
    recover: bool,
    /// What it was given, if it comes back.
    pid: Option<String>,
    /// The last that it heard, if it heard anything.
    offset: Option<String>,
}

impl Comeback {
    /// What the request asks, if it asks for that.
    pub(super) fn parse(request: &Request<'_>) -> Result<Option<Self>, Refusal> {
        let comeback: Self = request.parse(Refusal::BAD_RECOVERY)?;
        Ok(comeback.recover.then_some(comeback))
    }
}

/// What is kept of one session so that it can be recovered; nothing unless it asks for that. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Track(Arc<OnceLock<Trail>>);

struct Trail {
    recoveries: Arc<dyn Recoveries>,
    caller: Principal,
    given: Return,
    heard: Mutex<BTreeMap<(Topic, u8), Heard>>,
}

impl Track {
    /// What the client is given to come back by.
    pub(super) fn pid(&self) -> Option<&str> {
        self.0.get().map(|trail| trail.given.pid.as_str())
    }

    /// Lets a session go on, or begins to keep a new one. Gives how it comes into its rooms again.
    ///
    /// # Errors
    ///
    /// It cannot be looked up whether it can go on.
    pub(super) async fn begin(
        &self,
        Comeback { pid, offset, .. }: Comeback,
        rooms: &dyn Rooms,
        caller: Principal,
        refused: &Refused,
    ) -> Result<Vec<Step<'static>>, Close> {
        let Some(recoveries) = rooms.recoveries() else { return Ok(Vec::new()) };
        if let Some(pid) = pid {
            let recalled = recoveries.recall(caller, &pid, offset.as_deref()).await;
            if let Some(Recalled { id, rooms: places }) = recalled.map_err(|_refusal| NOT_NOW)?
                && let Some(steps) = readmit(rooms, caller, &places, refused).await?
            {
                self.keep(recoveries, caller, Return { id, pid }, &places);
                return Ok(steps);
            }
        }
        if let Some(given) = recoveries.begin(caller).await {
            self.keep(recoveries, caller, given, &[]);
        }
        Ok(Vec::new())
    }

    fn keep(&self, recoveries: Arc<dyn Recoveries>, caller: Principal, given: Return, heard: &[Heard]) {
        let heard = heard.iter().map(|heard| ((topic(heard), heard.room.number()), *heard)).collect();
        // There is one CONNECT that is answered, and so one beginning
        _ = self.0.set(Trail { recoveries, caller, given, heard: Mutex::new(heard) });
    }

    /// Notes that the session comes into a room after number `seq`.
    pub(super) async fn enter(&self, party: Uuid, room: Room, seq: i64) -> Result<(), Refusal> {
        let Some(trail) = self.0.get() else { return Ok(()) };
        trail.recoveries.enter(trail.given.id, party, room, seq).await
    }

    /// Notes that it leaves a room, if anything is noted of it.
    pub(super) fn leave(&self, party: Uuid, room: Room) -> Option<BoxFuture<'static, Result<(), Refusal>>> {
        let trail = self.0.get()?;
        trail.heard.lock().remove(&(super::topic(party), room.number()));
        Some(trail.recoveries.leave(trail.given.id, party, room))
    }

    /// Notes how far the session has been served in the rooms of a topic. Gives what its client is told of that.
    pub(super) fn reach(
        &self,
        topic: Topic,
        positions: &mut dyn Iterator<Item = Position>,
    ) -> Option<String> {
        let trail = self.0.get()?;
        let mut heard = trail.heard.lock();
        for Position { room: number, after, upto } in positions {
            let Some(room) = Room::numbered(number) else { continue };
            heard.insert((topic, number), Heard { party: party(topic), room, after, upto });
        }
        // Rooms that it was put out of are not told here
        while heard.len() > ROOMS
            && let Some(other) = heard.keys().find(|(known, _)| *known != topic).copied()
        {
            heard.remove(&other);
        }
        let all: Vec<_> = heard.values().copied().collect();
        drop(heard);
        Some(trail.recoveries.offset(trail.caller, trail.given.id, &all))
    }
}

impl fmt::Debug for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Track").field("is_kept", &self.0.get().is_some()).finish()
    }
}

fn topic(heard: &Heard) -> Topic {
    super::topic(heard.party)
}

/// How `caller` comes into its rooms again. `None`: into one of them it may not.
async fn readmit(
    rooms: &dyn Rooms,
    caller: Principal,
    places: &[Heard],
    refused: &Refused,
) -> Result<Option<Vec<Step<'static>>>, Close> {
    let mut places = places.to_vec();
    // Who follows a party hears it in order, and then what else is said in its chat
    places.sort_by_key(|place| (place.room.number(), place.party));
    let admissions = join_all(places.iter().map(|place| rooms.watch(caller, place.party))).await;
    let mut steps = Vec::new();
    for (heard, admission) in places.iter().zip(admissions) {
        let admission = match admission {
            Ok(admission) => admission,
            Err(Refusal { code: "UNAVAILABLE" | "INTERNAL", .. }) => return Err(NOT_NOW),
            Err(_not_any_more) => return Ok(None),
        };
        let may_enter = heard.room == Room::Live || admission.place == Place::Attendee;
        if !may_enter || heard.upto > admission.seq {
            return Ok(None);
        }
        let later = Arc::clone(refused);
        steps.push(Step::Enter {
            party: heard.party,
            room: heard.room,
            place: admission.place,
            head: admission.seq,
            epoch: Some(admission.epoch),
            since: Some(heard.upto),
            heard_after: Some(heard.after.min(heard.upto)),
            face: admission.face,
            greeting: Box::new(move |joined: Joined| greet(None, joined, &later, |_, _, _| Vec::new())),
        });
    }
    Ok(Some(steps))
}
