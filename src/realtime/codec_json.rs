//! The framing of `/ws`: one JSON object in one text frame.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use party_gallery_actors::realtime::{Action, Frame, Notices, Opening, Protocol, Received};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    principal::{Authenticator, Principal},
    protocol::{Conversation, Malformed, Refusal, Request, Step},
};

/// How deep a client's JSON may be nested, the frame's own object included.
const MAX_DEPTH: usize = 32;

const NOT_JSON: Refusal = Refusal::new("MALFORMED_BODY", "not a JSON object with id, event and data");
const BINARY: Refusal = Refusal::new("MALFORMED_BODY", "a text frame is expected");
const BAD_ID: Refusal = Refusal::new("MALFORMED_BODY", "id must be a whole number");
const BAD_EVENT: Refusal = Refusal::new("MALFORMED_BODY", "event must be a string");
const TOO_DEEP: Refusal = Refusal::new("MALFORMED_BODY", "nested too deeply");

/// What opens a session on `/ws`: `caller` is who the request's header names, verified `now`.
pub fn open(
    authenticator: Arc<dyn Authenticator>,
    caller: Option<Principal>,
    address: IpAddr,
    now: Instant,
) -> Opening {
    Opening {
        protocol: Box::new(JsonSession(Conversation::new(authenticator, caller))),
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
        steps.iter().map(|step| act(step, now)).collect()
    }

    fn on_crowded(&mut self, _: Received, now: Instant) -> Vec<Action> {
        let steps = self.0.on_request(Err(Malformed { id: None, refusal: BINARY }), now);
        steps.iter().map(|step| act(step, now)).collect()
    }
}

/// The sweeper's words in JSON.
#[derive(Clone, Copy, Debug)]
pub struct JsonNotices;

impl Notices for JsonNotices {
    fn expiring(&self) -> Option<Frame> {
        #[derive(Serialize)]
        struct Nothing {}
        Some(encode(&Event { event: "auth:expiring", data: Nothing {} }))
    }

    fn draining(&self, reconnect_after: Duration) -> Option<Frame> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Draining {
            reconnect_after_ms: u64,
        }
        let reconnect_after_ms = u64::try_from(reconnect_after.as_millis()).unwrap_or(u64::MAX);
        Some(encode(&Event { event: "server:draining", data: Draining { reconnect_after_ms } }))
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
fn depth(text: &[u8]) -> usize {
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
struct Event<D> {
    event: &'static str,
    data: D,
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

fn act(step: &Step<'_>, now: Instant) -> Action {
    match *step {
        Step::Identify(principal) => Action::Identify(principal.identity(now)),
        Step::Answer(ack, data) => Action::Send(encode(&Answer { ack, data })),
        Step::Emit(event, data) => Action::Send(encode(&Event { event, data })),
        Step::Refuse(Some(ack), error) => Action::Send(encode(&Refused { ack, error })),
        Step::Refuse(None, data) => Action::Send(encode(&Event { event: "error", data })),
        Step::Close(close) => Action::Close(close),
    }
}

fn encode(message: &impl Serialize) -> Frame {
    const FAILED: &str = r#"{"event":"error","data":{"code":"INTERNAL","message":"internal error"}}"#;
    Frame::text(serde_json::to_string(message).unwrap_or_else(|_| FAILED.to_owned()))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use party_gallery_actors::realtime::Close;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::realtime::{AuthError, Kind};

    const HOUR: Duration = Duration::from_secs(3600);

    /// Tokens are `<kind> <number>`.
    struct Tokens;

    impl Authenticator for Tokens {
        fn verify(&self, token: &str) -> Result<Principal, AuthError> {
            let (kind, id) = token.split_once(' ').ok_or(AuthError::Invalid)?;
            let kind = match kind {
                "user" => Kind::User,
                "guest" => Kind::Guest,
                "display" => Kind::Display,
                "expired" => return Err(AuthError::Expired),
                _ => return Err(AuthError::Invalid),
            };
            Ok(Principal { kind, id: Uuid::from_u128(id.parse().unwrap()), valid_for: HOUR })
        }
    }

    fn session(token: Option<&str>) -> Box<dyn Protocol> {
        let caller = token.map(|token| Tokens.verify(token).unwrap());
        open(Arc::new(Tokens), caller, [127, 0, 0, 1].into(), Instant::now()).protocol
    }

    fn json_of(action: &Action) -> Value {
        match action {
            Action::Send(frame) => serde_json::from_slice(frame.bytes()).unwrap(),
            Action::Identify(identity) => json!({ "identify": Uuid::from_u128(identity.subject.id) }),
            Action::Close(close) => json!({ "close": close.code }),
        }
    }

    fn say(session: &mut dyn Protocol, text: impl AsRef<str>, now: Instant) -> Value {
        let text = Bytes::copy_from_slice(text.as_ref().as_bytes());
        session.on_received(Received::Text(text), now).iter().map(json_of).collect()
    }

    fn id(n: u128) -> String {
        Uuid::from_u128(n).to_string()
    }

    #[test]
    fn what_follows_a_frame_of_a_user() {
        let bad = |code: &str, message: &str| json!({ "code": code, "message": message });
        let malformed = |message: &str| bad("MALFORMED_BODY", message);
        let not_json = malformed("not a JSON object with id, event and data");
        let deep =
            |n: usize| format!(r#"{{"id":7,"event":"ping","data":{}{}}}"#, "[".repeat(n), "]".repeat(n));
        let cases = [
            (
                r#"{"id":1,"event":"ping","data":{"a":[1, 2.50]}}"#.to_owned(),
                json!([{"ack":1,"data":{"a":[1,2.5]}}]),
            ),
            (r#"{"event":"ping","data":"x"}"#.to_owned(), json!([{"event":"ping","data":"x"}])),
            (r#"{"id":2,"event":"ping"}"#.to_owned(), json!([{"ack":2,"data":null}])),
            (r#"{"id":null,"event":"ping"}"#.to_owned(), json!([{"event":"ping","data":null}])),
            (
                r#"{"id":3,"event":"no:such"}"#.to_owned(),
                json!([{"ack":3,"error":bad("NOT_FOUND","no such event")}]),
            ),
            (
                r#"{"event":"no:such"}"#.to_owned(),
                json!([{"event":"error","data":bad("NOT_FOUND","no such event")}]),
            ),
            (r#"{"id":4}"#.to_owned(), json!([{"ack":4,"error":malformed("event must be a string")}])),
            (
                r#"{"id":4,"event":5}"#.to_owned(),
                json!([{"ack":4,"error":malformed("event must be a string")}]),
            ),
            (
                r#"{"id":-1,"event":"ping"}"#.to_owned(),
                json!([{"event":"error","data":malformed("id must be a whole number")}]),
            ),
            (
                r#"{"id":{},"event":"ping"}"#.to_owned(),
                json!([{"event":"error","data":malformed("id must be a whole number")}]),
            ),
            ("{".to_owned(), json!([{"event":"error","data":not_json}])),
            ("".to_owned(), json!([{"event":"error","data":not_json}])),
            ("[1]".to_owned(), json!([{"event":"error","data":not_json}])),
            (r#"{"id":1,"id":2,"event":"ping"}"#.to_owned(), json!([{"event":"error","data":not_json}])),
            (deep(32), json!([{"ack":7,"error":malformed("nested too deeply")}])),
            (deep(20_000), json!([{"ack":7,"error":malformed("nested too deeply")}])),
        ];
        for (text, expected) in cases {
            let answer = say(&mut *session(Some("user 1")), &text, Instant::now());
            assert_eq!(answer, expected, "{}", text.get(..80).unwrap_or(&text));
        }
        let answer = say(&mut *session(Some("user 1")), deep(31), Instant::now());
        assert_eq!(answer[0]["ack"], 7, "{answer}");
        assert!(answer[0].get("error").is_none(), "{answer}");
    }

    #[test]
    fn brackets_in_strings_are_not_nesting() {
        let text = format!(r#"{{"event":"ping","data":"{}\"{}"}}"#, "[".repeat(40), "{".repeat(40));
        assert_eq!(depth(text.as_bytes()), 1);
    }

    #[test]
    fn nothing_but_auth_is_served_before_auth() {
        let now = Instant::now();
        let mut session = session(None);
        let refused = json!({ "code": "UNAUTHENTICATED", "message": "authenticate first" });
        assert_eq!(say(&mut *session, r#"{"id":1,"event":"ping"}"#, now), json!([{"ack":1,"error":refused}]));
        for (token, code) in
            [("\"nobody\"", "UNAUTHENTICATED"), ("\"expired 1\"", "TOKEN_EXPIRED"), ("1", "VALIDATION_ERROR")]
        {
            let answer =
                say(&mut *session, format!(r#"{{"id":2,"event":"auth","data":{{"token":{token}}}}}"#), now);
            assert_eq!((&answer[0]["ack"], &answer[0]["error"]["code"]), (&json!(2), &json!(code)));
        }
        let answer = say(&mut *session, r#"{"id":3,"event":"auth","data":{"token":"user 5"}}"#, now);
        assert_eq!(answer, json!([{ "identify": id(5) },{"ack":3,"data":{"userId":id(5)}}]));
        assert_eq!(say(&mut *session, r#"{"id":4,"event":"ping"}"#, now), json!([{"ack":4,"data":null}]));
    }

    #[test]
    fn auth_tells_who_one_is() {
        for (kind, member) in [("user", "userId"), ("guest", "guestId"), ("display", "displayId")] {
            let text = format!(r#"{{"id":1,"event":"auth","data":{{"token":"{kind} 9"}}}}"#);
            let answer = say(&mut *session(None), text, Instant::now());
            assert_eq!(answer[1], json!({ "ack": 1, "data": { member: id(9) } }));
        }
    }

    #[test]
    fn a_fresh_token_must_be_the_same_callers() {
        let now = Instant::now();
        let mut session = session(Some("user 1"));
        let fresh =
            session.on_received(Received::Text(r#"{"event":"auth","data":{"token":"user 1"}}"#.into()), now);
        let [Action::Identify(identity)] = fresh.as_slice() else { panic!("{fresh:?}") };
        assert_eq!(identity.expires_at, now + HOUR);
        for token in ["user 2", "guest 1"] {
            let text = format!(r#"{{"id":1,"event":"auth","data":{{"token":"{token}"}}}}"#);
            let answer = say(&mut *session, text, now);
            assert_eq!(answer[0]["error"]["code"], "FORBIDDEN", "{answer}");
        }
    }

    #[test]
    fn more_than_50_refused_frames_close_with_4003() {
        let now = Instant::now();
        let mut session = session(Some("user 1"));
        for n in 0..50 {
            let actions = session
                .on_received(Received::Binary(Bytes::from_static(b"x")), now + Duration::from_millis(n * 30));
            assert_eq!(actions.len(), 1, "{n}: {actions:?}");
        }
        let actions =
            session.on_received(Received::Binary(Bytes::from_static(b"x")), now + Duration::from_secs(2));
        assert_eq!(actions.get(1), Some(&Action::Close(Close::ABUSE)), "{actions:?}");
    }

    #[test]
    fn the_51st_frame_of_a_second_is_refused_under_its_number() {
        let now = Instant::now();
        let mut session = session(Some("user 1"));
        for n in 0..50 {
            assert_eq!(
                say(&mut *session, format!(r#"{{"id":{n},"event":"ping"}}"#), now),
                json!([{"ack":n,"data":null}])
            );
        }
        let answer = say(&mut *session, r#"{"id":50,"event":"ping"}"#, now);
        assert_eq!(answer[0]["error"]["code"], "RATE_LIMITED", "{answer}");
        assert_eq!(session.on_received(Received::Other, now).len(), 1, "pings of the protocol count too");
        let later = now + Duration::from_secs(1);
        assert_eq!(say(&mut *session, r#"{"id":51,"event":"ping"}"#, later), json!([{"ack":51,"data":null}]));
    }

    #[test]
    fn the_sweepers_words() {
        let text = |frame: Option<Frame>| String::from_utf8(frame.unwrap().bytes().to_vec()).unwrap();
        assert_eq!(text(JsonNotices.expiring()), r#"{"event":"auth:expiring","data":{}}"#);
        let draining = text(JsonNotices.draining(Duration::from_millis(1234)));
        assert_eq!(draining, r#"{"event":"server:draining","data":{"reconnectAfterMs":1234}}"#);
    }

    /// Something like a frame, more or less.
    fn almost_a_frame() -> impl Strategy<Value = String> {
        let value = prop_oneof![
            Just("1".to_owned()),
            Just("null".to_owned()),
            Just("\"ping\"".to_owned()),
            Just("\"auth\"".to_owned()),
            Just(r#"{"token":"user 1"}"#.to_owned()),
            Just("[[{}]]".to_owned()),
            Just("1e999".to_owned()),
            Just(r#""\ud800""#.to_owned()),
            "\\PC{0,12}",
        ];
        prop::collection::vec(
            (prop_oneof![Just("id"), Just("event"), Just("data"), Just("more")], value),
            0..5,
        )
        .prop_map(|members| {
            let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        })
    }

    proptest! {
        /// No bytes can panic a session, and each frame is answered at most once.
        #[test]
        fn no_bytes_can_panic_a_session(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let now = Instant::now();
            for mut session in [session(None), session(Some("user 1"))] {
                let actions = session.on_received(Received::Text(bytes.clone().into()), now);
                prop_assert_eq!(actions.len(), 1);
                session.on_received(Received::Binary(bytes.clone().into()), now);
            }
        }

        #[test]
        fn no_frame_is_answered_twice(text in almost_a_frame()) {
            for mut session in [session(None), session(Some("user 1"))] {
                let actions = session.on_received(Received::Text(text.clone().into()), Instant::now());
                let sent: Vec<_> = actions.iter().filter(|action| matches!(action, Action::Send(_))).collect();
                prop_assert!(sent.len() <= 1, "{:?}", sent);
                for action in sent {
                    let Action::Send(frame) = action else { continue };
                    prop_assert!(serde_json::from_slice::<&RawValue>(frame.bytes()).is_ok());
                }
            }
        }
    }
}
