//! What follows a client's frame: the session's state machine, in no particular framing.

use std::{fmt, sync::Arc, time::Instant};

use futures_util::{FutureExt, future::BoxFuture};
use parking_lot::Mutex;
use party_gallery_actors::realtime::{Close, Joined};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    allowance::Allowance,
    presence::Seen,
    principal::{AuthError, Authenticator, Principal},
    recovery::{Comeback, Track},
    refusal::Refusal,
    rooms::{Place, Room, Rooms},
    visit::Visit,
};

/// What a client asks.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Under which number it is to be answered.
    pub id: Option<u64>,
    /// The event's name, as sent.
    pub event: &'a str,
    /// The event's data, valid JSON.
    pub data: Option<&'a RawValue>,
}

impl<'a> Request<'a> {
    /// Its data as `T`.
    pub(super) fn parse<T: Deserialize<'a>>(&self, otherwise: Refusal) -> Result<T, Refusal> {
        self.data.and_then(|data| serde_json::from_str(data.get()).ok()).ok_or(otherwise)
    }
}

/// A frame that asks nothing that can be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Its number, where that at least was understood.
    pub id: Option<u64>,
    /// What is wrong with it.
    pub refusal: Refusal,
}

/// What is sent as the data of an answer or event.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Data<'a> {
    /// The client's own, or nothing.
    Echo(Option<&'a RawValue>),
    /// Who the client is.
    Caller(Principal),
    /// The client follows a party.
    #[serde(rename_all = "camelCase")]
    Live {
        /// Which.
        party_id: Uuid,
        /// Up to which number it has everything.
        seq: i64,
        /// Of which line of history.
        epoch: Uuid,
        /// How many watch.
        viewer_count: usize,
        /// How many events it was sent.
        replayed: u64,
    },
    /// What was said last.
    #[serde(rename_all = "camelCase")]
    History {
        /// Where; an answer leaves it out.
        #[serde(skip_serializing_if = "Option::is_none")]
        party_id: Option<Uuid>,
        /// The last 50 messages.
        messages: Box<RawValue>,
        /// Up to which number they go.
        seq: i64,
    },
    /// Who is there.
    There(Vec<Seen>),
    /// What the client has said.
    Said {
        /// A Message.
        message: Box<RawValue>,
    },
}

/// What a join is answered with, once it is known how it ended.
pub type Greeting = Box<dyn FnOnce(Joined) -> Vec<Step<'static>> + Send>;

/// What is to be done.
pub enum Step<'a> {
    /// The session is this caller's, from now on or for longer.
    Identify(Principal),
    /// Answer the request with this number.
    Answer(u64, Data<'a>),
    /// Send an event.
    Emit(&'static str, Data<'a>),
    /// Refuse the request with this number; an event `error` where there is none. Never both.
    Refuse(Option<u64>, Refusal),
    /// Close the session.
    Close(Close),
    /// Do what comes of this; `otherwise` if nothing does.
    Await {
        /// What takes time.
        work: BoxFuture<'static, Vec<Step<'static>>>,
        /// What is done if it fails or takes too long.
        otherwise: Vec<Step<'static>>,
    },
    /// Enter a room of a party.
    Enter {
        /// The party.
        party: Uuid,
        /// Its room.
        room: Room,
        /// What the caller is to the party.
        place: Place,
        /// The party's last number when the caller was let in.
        head: i64,
        /// The log's line of history then, where it is known.
        epoch: Option<Uuid>,
        /// The last number that the client has, if it wants what came after.
        since: Option<i64>,
        /// After which number it has heard what is meant for it up to there, if it was in here before.
        heard_after: Option<i64>,
        /// The caller's UserSummary, if they are to be seen as a viewer.
        face: Option<Box<RawValue>>,
        /// What follows: answers, events and refusals. A close among it waits for the next refusal.
        greeting: Greeting,
    },
    /// Leave a room of a party.
    Leave(Uuid, Room),
    /// Show the others in a party's chat whether the client types.
    Type {
        /// The party.
        party: Uuid,
        /// Whether it does.
        is_typing: bool,
        /// What follows when it is done, or cannot be since the client is not in the chat: answers and refusals only.
        answer: Box<dyn FnOnce(bool) -> Vec<Step<'static>> + Send>,
    },
}

/// One session as its client sees it.
pub struct Conversation {
    authenticator: Arc<dyn Authenticator>,
    rooms: Option<Arc<dyn Rooms>>,
    /// As the allowance, shared with what takes time: who is recognised late, and what is refused late, counts too.
    caller: Arc<Mutex<Option<Principal>>>,
    allowance: Arc<Mutex<Allowance>>,
    track: Track,
    /// Whether its codec tells clients how to come back.
    is_recoverable: bool,
}

impl Conversation {
    /// A conversation with `caller`, or with somebody who has yet to say who they are. Without `rooms` there is no
    /// party to enter.
    pub fn new(
        authenticator: Arc<dyn Authenticator>,
        rooms: Option<Arc<dyn Rooms>>,
        caller: Option<Principal>,
    ) -> Self {
        Self {
            authenticator,
            rooms,
            caller: Arc::new(Mutex::new(caller)),
            allowance: Arc::default(),
            track: Track::default(),
            is_recoverable: false,
        }
    }

    /// The same, for a codec that tells clients by `track` how to come back.
    pub(super) fn recoverable(self, track: Track) -> Self {
        Self { track, is_recoverable: true, ..self }
    }

    /// Decides what follows a frame that came `now`.
    pub fn on_request<'a>(&mut self, request: Result<Request<'a>, Malformed>, now: Instant) -> Vec<Step<'a>> {
        let id = id_of(&request);
        let decided = if self.allowance.lock().take_frame(now) {
            request.map_err(|malformed| malformed.refusal).and_then(|request| self.decide(request, now))
        } else {
            Err(Refusal::TOO_FAST)
        };
        decided.unwrap_or_else(|refusal| refuse(&self.allowance, id, refusal, now))
    }

    /// Decides what follows a frame that came `now` while too many wait already.
    pub fn on_crowded(
        &mut self,
        request: &Result<Request<'_>, Malformed>,
        now: Instant,
    ) -> Vec<Step<'static>> {
        refuse(&self.allowance, id_of(request), Refusal::TOO_FAST, now)
    }

    /// Decides what follows a frame that asks nothing, but costs something.
    pub fn on_other(&mut self, now: Instant) -> Vec<Step<'static>> {
        let may = self.allowance.lock().take_frame(now);
        if may { Vec::new() } else { refuse(&self.allowance, None, Refusal::TOO_FAST, now) }
    }

    fn decide<'a>(&mut self, request: Request<'a>, now: Instant) -> Result<Vec<Step<'a>>, Refusal> {
        if request.event == "auth" {
            return self.authenticate(request, now);
        }
        let caller = (*self.caller.lock()).ok_or(Refusal::NOT_AUTHENTICATED)?;
        if request.event == "ping" {
            let data = Data::Echo(request.data);
            return Ok(vec![match request.id {
                Some(id) => Step::Answer(id, data),
                None => Step::Emit("ping", data),
            }]);
        }
        let rooms = self.rooms.as_ref().ok_or(Refusal::UNKNOWN)?;
        let known = (caller, &self.track);
        Visit::parse(&request)?.decide(request.id, &**rooms, known, self.refused(now), now)
    }

    fn refused(&self, now: Instant) -> Refused {
        let allowance = Arc::clone(&self.allowance);
        Arc::new(move |id, refusal| refuse(&allowance, id, refusal, now))
    }

    fn authenticate<'a>(&mut self, request: Request<'a>, now: Instant) -> Result<Vec<Step<'a>>, Refusal> {
        #[derive(Deserialize)]
        struct Auth {
            token: String,
        }
        let auth: Auth = request.parse(Refusal::NO_TOKEN)?;
        let principal = self.authenticator.verify(&auth.token).map_err(|error| match error {
            AuthError::Expired => Refusal::EXPIRED,
            AuthError::Invalid => Refusal::BAD_TOKEN,
        })?;
        if self.caller.lock().is_some_and(|caller| !caller.is_same_caller(&principal)) {
            return Err(Refusal::OTHER_CALLER);
        }
        let comeback = match self.is_recoverable && self.caller.lock().is_none() {
            true => Comeback::parse(&request)?,
            false => None,
        };
        let (id, caller) = (request.id, Arc::clone(&self.caller));
        let accept = move || {
            *caller.lock() = Some(principal);
            let answer = id.map(|id| Step::Answer(id, Data::Caller(principal)));
            [Some(Step::Identify(principal)), answer].into_iter().flatten().collect::<Vec<_>>()
        };
        // Without rooms there is nobody who could know more than the token
        let Some(rooms) = &self.rooms else { return Ok(accept()) };
        let (refused, track, rooms) = (self.refused(now), self.track.clone(), Arc::clone(rooms));
        let known = rooms.recognize(principal);
        let work = async move {
            if let Err(refusal) = known.await {
                return refused(id, refusal);
            }
            let recovered = match comeback {
                Some(comeback) => track.begin(comeback, &*rooms, principal, &refused).await,
                None => Ok(Vec::new()),
            };
            recovered.map_or_else(
                |close| vec![Step::Close(close)],
                |steps| accept().into_iter().chain(steps).collect(),
            )
        };
        let otherwise = vec![Step::Refuse(id, Refusal::NOT_NOW)];
        Ok(vec![Step::Await { work: work.boxed(), otherwise }])
    }
}

/// Refuses late what was not refused at once.
pub(super) type Refused = Arc<dyn Fn(Option<u64>, Refusal) -> Vec<Step<'static>> + Send + Sync>;

fn id_of(request: &Result<Request<'_>, Malformed>) -> Option<u64> {
    request.as_ref().map_or_else(|malformed| malformed.id, |request| request.id)
}

fn refuse<'a>(
    allowance: &Mutex<Allowance>,
    id: Option<u64>,
    refusal: Refusal,
    now: Instant,
) -> Vec<Step<'a>> {
    let mut steps = vec![Step::Refuse(id, refusal)];
    if !allowance.lock().bear_refused(now) {
        steps.push(Step::Close(Close::ABUSE));
    }
    steps
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation").field("caller", &*self.caller.lock()).finish_non_exhaustive()
    }
}
