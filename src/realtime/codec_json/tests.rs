//! What clients say and hear in JSON.

mod visits;

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
        Ok(Principal { kind, id: Uuid::from_u128(id.parse().unwrap()), sign_in: None, valid_for: HOUR })
    }
}

fn session(token: Option<&str>) -> Box<dyn Protocol> {
    let caller = token.map(|token| Tokens.verify(token).unwrap());
    open(Arc::new(Tokens), None, caller, [127, 0, 0, 1].into(), Instant::now()).protocol
}

fn json_of(action: &Action) -> Value {
    match action {
        Action::Send(frame) => serde_json::from_slice(frame.bytes()).unwrap(),
        Action::Identify(identity) => json!({ "identify": Uuid::from_u128(identity.subject.id) }),
        Action::Close(close) => json!({ "close": close.code }),
        other => panic!("{other:?}"),
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
    let deep = |n: usize| format!(r#"{{"id":7,"event":"ping","data":{}{}}}"#, "[".repeat(n), "]".repeat(n));
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
        (r#"{"id":4,"event":5}"#.to_owned(), json!([{"ack":4,"error":malformed("event must be a string")}])),
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
    assert!(matches!(actions[1], Action::Close(Close::ABUSE)), "{actions:?}");
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
    prop::collection::vec((prop_oneof![Just("id"), Just("event"), Just("data"), Just("more")], value), 0..5)
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
