//! The framing of `/ws`: one JSON object in one text frame.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use party_gallery_actors::realtime::{Action, Frame, Notices, Opening, Protocol, Received};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    acting::{Words, act_all},
    principal::{Authenticator, Principal},
    protocol::{Conversation, Data, Malformed, Request},
    refusal::Refusal,
    rooms::Rooms,
};
use crate::domain::event::EventKind;

/// How deep a client's JSON may be nested, the frame's own object included.
const MAX_DEPTH: usize = 32;

const NOT_JSON: Refusal = Refusal::new("MALFORMED_BODY", "not a JSON object with id, event and data");
const BINARY: Refusal = Refusal::new("MALFORMED_BODY", "a text frame is expected");
const BAD_ID: Refusal = Refusal::new("MALFORMED_BODY", "id must be a whole number");
const BAD_EVENT: Refusal = Refusal::new("MALFORMED_BODY", "event must be a string");
const TOO_DEEP: Refusal = Refusal::new("MALFORMED_BODY", "nested too deeply");

/// What opens a session on `/ws`: `caller` is who the request's header names, verified `now`. Without `rooms` there is
/// no party to enter.
pub fn open(
    authenticator: Arc<dyn Authenticator>,
    rooms: Option<Arc<dyn Rooms>>,
    caller: Option<Principal>,
    address: IpAddr,
    now: Instant,
) -> Opening {
    Opening {
        protocol: Box::new(JsonSession(Conversation::new(authenticator, rooms, caller))),
        notices: Arc::new(JsonNotices),
        address,
        identity: caller.map(|caller| caller.identity(now)),
    }
}

/// A conversation in JSON.
#[derive(Debug)]
pub struct JsonSession(Conversation);

impl Protocol for JsonSession {
    fn on_received(&mut self, received: Received, now: Instant) -> Vec<Action> {
        let steps = match &received {
            Received::Text(text) => self.0.on_request(decode(text), now),
            Received::Binary(_) => self.0.on_request(Err(Malformed { id: None, refusal: BINARY }), now),
            Received::Other => self.0.on_other(now),
        };
        act_all(steps, &JsonWords, now)
    }

    fn on_crowded(&mut self, received: Received, now: Instant) -> Vec<Action> {
        let request = match &received {
            Received::Text(text) => decode(text),
            Received::Binary(_) | Received::Other => Err(Malformed { id: None, refusal: BINARY }),
        };
        act_all(self.0.on_crowded(&request, now), &JsonWords, now)
    }
}

/// A logged event as `/ws` shows it.
pub fn logged(kind: EventKind, party: Uuid, seq: i64, data: &impl Serialize) -> Frame {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Logged<'a, D> {
        event: &'static str,
        data: &'a D,
        party_id: Uuid,
        seq: i64,
    }
    announce(&Logged { event: kind.name(), data, party_id: party, seq })
}

/// An event that is in no log, as `/ws` shows it.
pub fn emitted(event: &'static str, data: &impl Serialize) -> Frame {
    announce(&Event { event, data })
}

/// The sweeper's words in JSON.
#[derive(Clone, Copy, Debug)]
pub struct JsonNotices;

impl Notices for JsonNotices {
    fn expiring(&self) -> Option<Frame> {
        #[derive(Serialize)]
        struct Nothing {}
        Some(announce(&Event { event: "auth:expiring", data: Nothing {} }))
    }

    fn draining(&self, reconnect_after: Duration) -> Option<Frame> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Draining {
            reconnect_after_ms: u64,
        }
        let reconnect_after_ms = u64::try_from(reconnect_after.as_millis()).unwrap_or(u64::MAX);
        Some(announce(&Event { event: "server:draining", data: Draining { reconnect_after_ms } }))
    }
}

/// Reads a client's frame. The number is looked for first, so that what else is wrong is told under it.
fn decode(text: &[u8]) -> Result<Request<'_>, Malformed> {
    #[derive(Deserialize)]
    struct Loose<'a> {
        #[serde(borrow)]
        id: Option<&'a RawValue>,
        #[serde(borrow)]
        event: Option<&'a RawValue>,
        #[serde(borrow)]
        data: Option<&'a RawValue>,
    }
    let malformed = |id, refusal| Malformed { id, refusal };
    let loose: Loose<'_> = serde_json::from_slice(text).map_err(|_details| malformed(None, NOT_JSON))?;
    let id = loose
        .id
        .map(|id| serde_json::from_str::<u64>(id.get()))
        .transpose()
        .map_err(|_details| malformed(None, BAD_ID))?;
    if depth(text) > MAX_DEPTH {
        return Err(malformed(id, TOO_DEEP));
    }
    // A name with escapes is none of ours, and needs no copy to be refused
    let event = loose
        .event
        .and_then(|event| serde_json::from_str(event.get()).ok())
        .ok_or(malformed(id, BAD_EVENT))?;
    Ok(Request { id, event, data: loose.data })
}

/// How deep valid JSON is nested.
pub(super) fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[derive(Serialize)]
pub(super) struct Event<D> {
    pub(super) event: &'static str,
    pub(super) data: D,
}

#[derive(Serialize)]
struct Answer<D> {
    ack: u64,
    data: D,
}

#[derive(Serialize)]
struct Refused {
    ack: u64,
    error: Refusal,
}

/// What is for one session, in JSON.
#[derive(Clone, Copy)]
struct JsonWords;

impl Words for JsonWords {
    fn answer(&self, ack: u64, data: &Data<'_>) -> Vec<Frame> {
        vec![Frame::text(encode(&Answer { ack, data }))]
    }

    fn emit(&self, event: &'static str, data: &Data<'_>) -> Vec<Frame> {
        vec![Frame::text(encode(&Event { event, data }))]
    }

    fn refuse(&self, id: Option<u64>, error: Refusal) -> Vec<Frame> {
        vec![Frame::text(match id {
            Some(ack) => encode(&Refused { ack, error }),
            None => encode(&Event { event: "error", data: error }),
        })]
    }
}

/// An event for many: other codecs put it into their own words.
pub(super) fn announce(event: &impl Serialize) -> Frame {
    Frame::event(encode(event))
}

fn encode(message: &impl Serialize) -> String {
    const FAILED: &str = r#"{"event":"error","data":{"code":"INTERNAL","message":"internal error"}}"#;
    serde_json::to_string(message).unwrap_or_else(|_| FAILED.to_owned())
}

#[cfg(test)]
mod tests;
