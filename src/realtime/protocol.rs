//! What follows a client's frame: the session's state machine, in no particular framing.

use std::{fmt, sync::Arc, time::Instant};

use party_gallery_actors::realtime::Close;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    allowance::Allowance,
    principal::{AuthError, Authenticator, Principal},
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

/// A frame that asks nothing that can be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Its number, where that at least was understood.
    pub id: Option<u64>,
    /// What is wrong with it.
    pub refusal: Refusal,
}

/// Why a frame has no effect, as the client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// For programs: one of the codes of the API.
    pub code: &'static str,
    /// For people.
    pub message: &'static str,
}

impl Refusal {
    /// A refusal with `code`.
    pub const fn new(code: &'static str, message: &'static str) -> Self {
        Self { code, message }
    }

    const NOT_AUTHENTICATED: Self = Self::new("UNAUTHENTICATED", "authenticate first");
    const BAD_TOKEN: Self = Self::new("UNAUTHENTICATED", "the token is not valid");
    const EXPIRED: Self = Self::new("TOKEN_EXPIRED", "the token has expired");
    const NO_TOKEN: Self = Self::new("VALIDATION_ERROR", "data.token must be a string");
    const OTHER_CALLER: Self = Self::new("FORBIDDEN", "the session is somebody else's");
    const UNKNOWN: Self = Self::new("NOT_FOUND", "no such event");
    const TOO_FAST: Self = Self::new("RATE_LIMITED", "too many frames");
}

/// What is sent as the data of an answer or event.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
pub enum Data<'a> {
    /// The client's own.
    Echo(Option<&'a RawValue>),
    /// Who the client is.
    Caller(Principal),
}

/// What is to be done.
#[derive(Clone, Copy, Debug)]
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
}

/// One session as its client sees it.
pub struct Conversation {
    authenticator: Arc<dyn Authenticator>,
    caller: Option<Principal>,
    allowance: Allowance,
}

impl Conversation {
    /// A conversation with `caller`, or with somebody who has yet to say who they are.
    pub fn new(authenticator: Arc<dyn Authenticator>, caller: Option<Principal>) -> Self {
        Self { authenticator, caller, allowance: Allowance::default() }
    }

    /// Decides what follows a frame that came `now`.
    pub fn on_request<'a>(&mut self, request: Result<Request<'a>, Malformed>, now: Instant) -> Vec<Step<'a>> {
        let id = request.as_ref().map_or_else(|malformed| malformed.id, |request| request.id);
        let decided = if self.allowance.take_frame(now) {
            request.map_err(|malformed| malformed.refusal).and_then(|request| self.decide(request))
        } else {
            Err(Refusal::TOO_FAST)
        };
        decided.unwrap_or_else(|refusal| self.refuse(id, refusal, now))
    }

    /// Decides what follows a frame that asks nothing, but costs something.
    pub fn on_other(&mut self, now: Instant) -> Vec<Step<'static>> {
        if self.allowance.take_frame(now) { Vec::new() } else { self.refuse(None, Refusal::TOO_FAST, now) }
    }

    fn decide<'a>(&mut self, request: Request<'a>) -> Result<Vec<Step<'a>>, Refusal> {
        if request.event == "auth" {
            return self.authenticate(request);
        }
        if self.caller.is_none() {
            return Err(Refusal::NOT_AUTHENTICATED);
        }
        match request.event {
            "ping" => {
                let data = Data::Echo(request.data);
                Ok(vec![request.id.map_or(Step::Emit("ping", data), |id| Step::Answer(id, data))])
            }
            _ => Err(Refusal::UNKNOWN),
        }
    }

    fn authenticate<'a>(&mut self, request: Request<'a>) -> Result<Vec<Step<'a>>, Refusal> {
        #[derive(Deserialize)]
        struct Auth {
            token: String,
        }
        let auth: Auth =
            request.data.and_then(|data| serde_json::from_str(data.get()).ok()).ok_or(Refusal::NO_TOKEN)?;
        let principal = self.authenticator.verify(&auth.token).map_err(|error| match error {
            AuthError::Expired => Refusal::EXPIRED,
            AuthError::Invalid => Refusal::BAD_TOKEN,
        })?;
        if self.caller.is_some_and(|caller| !caller.is_same_caller(&principal)) {
            return Err(Refusal::OTHER_CALLER);
        }
        self.caller = Some(principal);
        let answer = request.id.map(|id| Step::Answer(id, Data::Caller(principal)));
        Ok([Some(Step::Identify(principal)), answer].into_iter().flatten().collect())
    }

    fn refuse<'a>(&mut self, id: Option<u64>, refusal: Refusal, now: Instant) -> Vec<Step<'a>> {
        let mut steps = vec![Step::Refuse(id, refusal)];
        if !self.allowance.bear_refused(now) {
            steps.push(Step::Close(Close::ABUSE));
        }
        steps
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation").field("caller", &self.caller).finish_non_exhaustive()
    }
}
