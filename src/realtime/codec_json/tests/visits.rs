//! What clients hear in the rooms of parties.

use futures_util::{FutureExt, future::BoxFuture, future::ready};
use party_gallery_actors::realtime::{Audience, Join, Joined, Topic};
use serde_json::value::to_raw_value;

use super::*;
use crate::{
    domain::presence::Status,
    realtime::{Admission, ChatAdmission, Place, Seen, Utterance},
};

const EPOCH: Uuid = Uuid::from_u128(77);

/// Party 1 is the caller's, 2 is public, all others are nobody's; 1 has logged 40 events.
struct House;

type Answer<T> = BoxFuture<'static, Result<T, Refusal>>;

const HIDDEN: Refusal = Refusal::new("NOT_FOUND", "no such party");
const OVER: Refusal = Refusal::new("UNAUTHENTICATED", "banned");
const FORBIDDEN: Refusal = Refusal::new("FORBIDDEN", "for attendees");

impl Rooms for House {
    fn recognize(&self, caller: Principal) -> Answer<()> {
        ready(if caller.id.as_u128() == 13 { Err(OVER) } else { Ok(()) }).boxed()
    }

    fn mark_read(&self, caller: Principal, _: Vec<Uuid>) -> Answer<()> {
        ready(if caller.kind == Kind::User { Ok(()) } else { Err(FORBIDDEN) }).boxed()
    }

    fn watch(&self, caller: Principal, party: Uuid) -> Answer<Admission> {
        let face = to_raw_value(&json!({ "id": caller.id })).ok();
        let place = if party.as_u128() == 1 { Place::Attendee } else { Place::Onlooker };
        let admission = Admission { seq: 40, epoch: EPOCH, place, face };
        ready(if party.as_u128() <= 2 { Ok(admission) } else { Err(HIDDEN) }).boxed()
    }

    fn talk(&self, caller: Principal, party: Uuid) -> Answer<ChatAdmission> {
        let messages = to_raw_value(&["hello"]).unwrap();
        ready(match party.as_u128() {
            1 => {
                Ok(ChatAdmission { seq: 40, messages, face: to_raw_value(&json!({ "id": caller.id })).ok() })
            }
            2 => Err(FORBIDDEN),
            _ => Err(HIDDEN),
        })
        .boxed()
    }

    fn say(&self, _: Principal, said: Utterance) -> Answer<Box<RawValue>> {
        let message = json!({ "content": said.content, "type": said.kind, "replyToId": said.reply_to_id });
        ready(to_raw_value(&message).map_err(|_error| FORBIDDEN)).boxed()
    }

    fn be_seen(&self, caller: Uuid, status: Status, _: Instant) {
        assert_eq!((caller, status), (Uuid::from_u128(1), Status::Busy));
    }

    fn check(&self, _: Uuid, people: Vec<Uuid>, _: Instant) -> Answer<Vec<Seen>> {
        ready(Ok(people.into_iter().map(seen).collect())).boxed()
    }
}

fn seen(user_id: Uuid) -> Seen {
    Seen { user_id, is_online: true, status: "busy", last_seen: None }
}

fn visitor() -> Box<dyn Protocol> {
    let caller = Tokens.verify("user 1").ok();
    open(Arc::new(Tokens), Some(Arc::new(House)), caller, [127, 0, 0, 1].into(), Instant::now()).protocol
}

fn frame(event: &str, data: &Value) -> Received {
    Received::Text(json!({ "id": 1, "event": event, "data": data }).to_string().into())
}

/// What comes of a frame once all that takes time is through.
fn outcome(visitor: &mut dyn Protocol, received: Received) -> Vec<Action> {
    let actions = visitor.on_received(received, Instant::now());
    let through = |action| match action {
        Action::Run { work, .. } => work.now_or_never().expect("nothing waits here"),
        other => vec![other],
    };
    actions.into_iter().flat_map(through).collect()
}

fn join(event: &str, data: &Value) -> Join {
    let actions = outcome(&mut *visitor(), frame(event, data));
    match actions.into_iter().next() {
        Some(Action::Join(join)) => join,
        other => panic!("{other:?}"),
    }
}

fn told(event: &str, data: &Value) -> Vec<Value> {
    outcome(&mut *visitor(), frame(event, data)).iter().map(json_of).collect()
}

fn frames(join: Join, joined: Joined) -> Vec<Value> {
    (join.welcome)(joined).iter().map(|frame| serde_json::from_slice(frame.bytes()).unwrap()).collect()
}

const LIVE: Joined = Joined::Live { seq: 42, replayed: 2, present: 9 };

#[test]
fn who_follows_a_party_hears_what_is_theirs_and_an_answer_behind_what_they_missed() {
    for (party, audience) in [(1, Audience(15)), (2, Audience(1))] {
        let join = join("party:join_live", &json!({ "partyId": id(party), "since": 40, "epoch": EPOCH }));
        assert_eq!((join.topic, join.room, join.audience), (Topic(party), 0, audience));
        assert_eq!((join.head, join.since), (40, Some(40)));
        assert_eq!(join.face.as_deref(), Some(json!({ "id": id(1) }).to_string().as_bytes()));
        let data =
            json!({ "partyId": id(party), "seq": 42, "epoch": EPOCH, "viewerCount": 9, "replayed": 2 });
        assert_eq!(frames(join, LIVE), [json!({ "ack": 1, "data": data })]);
    }
    assert_eq!(join("party:join_live", &json!({ "partyId": id(1) })).since, None);
    assert_eq!(join("party:join_live", &json!({ "partyId": id(1), "since": 0 })).since, Some(0));
}

#[test]
fn who_joins_the_chat_is_given_what_was_said() {
    let join = join("chat:join", &json!({ "partyId": id(1) }));
    assert_eq!(
        (join.room, join.audience, join.since, join.face.is_some()),
        (1, Audience(20), Some(40), true)
    );
    let history = json!({ "partyId": id(1), "messages": ["hello"], "seq": 40 });
    assert_eq!(
        frames(join, LIVE),
        [
            json!({ "ack": 1, "data": { "messages": ["hello"], "seq": 40 } }),
            json!({ "event": "chat:history", "data": history }),
        ]
    );
}

#[test]
fn what_is_said_is_answered_with_its_message() {
    let said = json!({ "partyId": id(1), "content": "hi", "type": "TEXT", "replyToId": id(5), "more": 1 });
    let message = json!({ "content": "hi", "type": "TEXT", "replyToId": id(5) });
    assert_eq!(told("chat:message", &said), [json!({ "ack": 1, "data": { "message": message } })]);
}

#[test]
fn rooms_are_left_at_once() {
    for (event, room) in [("party:leave_live", 0), ("chat:leave", 1)] {
        let actions = outcome(&mut *visitor(), frame(event, &json!({ "partyId": id(1) })));
        assert!(matches!(actions[0], Action::Leave(Topic(1), left) if left == room), "{actions:?}");
        assert_eq!(json_of(&actions[1]), json!({ "ack": 1, "data": null }));
    }
}

#[test]
fn who_types_has_to_be_in_the_chat() {
    let mut visitor = visitor();
    let mut typing = |now| {
        let received = frame("chat:typing", &json!({ "partyId": id(1), "isTyping": true }));
        match visitor.on_received(received, now).pop() {
            Some(Action::Show(show)) => show,
            other => panic!("{other:?}"),
        }
    };
    let now = Instant::now();
    let show = typing(now);
    assert_eq!((show.topic, show.room, show.is_on), (Topic(1), 1, true));
    let told = (show.answer)(true);
    assert_eq!(told.iter().map(json_of).collect::<Vec<_>>(), [json!({ "ack": 1, "data": null })]);
    for n in 1..=50 {
        let told = (typing(now + Duration::from_millis(30 * n)).answer)(false);
        assert_eq!((told.len(), &json_of(&told[0])["error"]["code"]), (1, &json!("FORBIDDEN")));
    }
    let told = (typing(now + Duration::from_secs(2)).answer)(false);
    assert_eq!(json_of(&told[1])["close"], 4003, "one refused frame too many");
}

#[test]
fn people_are_there_and_say_how() {
    let done = json!({ "ack": 1, "data": null });
    assert_eq!(told("presence:status", &json!({ "status": "busy" })), [done]);
    for asked in [vec![], vec![id(3), id(2), id(3)], vec![id(1); 100]] {
        let there: Vec<_> = asked
            .iter()
            .map(|id| json!({ "userId": id, "isOnline": true, "status": "busy", "lastSeen": null }))
            .collect();
        assert_eq!(told("presence:check", &json!(asked)), [json!({ "ack": 1, "data": there })]);
    }
    let display = Tokens.verify("display 1").ok();
    let house = Some(Arc::new(House) as Arc<dyn Rooms>);
    let mut screen = open(Arc::new(Tokens), house, display, [127, 0, 0, 1].into(), Instant::now()).protocol;
    for (event, data) in [("presence:status", json!({ "status": "busy" })), ("presence:check", json!([]))] {
        let told = outcome(&mut *screen, frame(event, &data));
        assert_eq!(json_of(&told[0])["error"]["code"], "FORBIDDEN", "{event}");
    }
}

#[test]
fn what_may_not_be_is_refused_by_its_code() {
    for (event, data, code) in [
        ("party:join_live", json!({ "partyId": id(3) }), "NOT_FOUND"),
        ("party:join_live", json!({ "partyId": id(1), "since": 41 }), "RESYNC"),
        ("party:join_live", json!({ "partyId": id(1), "since": 1, "epoch": id(5) }), "RESYNC"),
        ("party:join_live", json!({ "partyId": id(1), "since": -1 }), "VALIDATION_ERROR"),
        ("party:join_live", json!({ "partyId": id(1), "since": "1" }), "VALIDATION_ERROR"),
        ("party:join_live", json!({ "partyId": id(1), "epoch": 1 }), "VALIDATION_ERROR"),
        ("party:join_live", json!({ "partyId": "x" }), "VALIDATION_ERROR"),
        ("party:join_live", json!(null), "VALIDATION_ERROR"),
        ("party:leave_live", json!({}), "VALIDATION_ERROR"),
        ("chat:join", json!({ "partyId": id(2) }), "FORBIDDEN"),
        ("chat:join", json!({ "partyId": id(3) }), "NOT_FOUND"),
        ("chat:join", json!({ "partyId": 1 }), "VALIDATION_ERROR"),
        ("chat:leave", json!([]), "VALIDATION_ERROR"),
        ("chat:message", json!({ "partyId": id(1) }), "VALIDATION_ERROR"),
        ("chat:message", json!({ "partyId": id(1), "content": 1 }), "VALIDATION_ERROR"),
        ("chat:typing", json!({ "partyId": id(1) }), "VALIDATION_ERROR"),
        ("chat:typing", json!({ "partyId": id(1), "isTyping": "yes" }), "VALIDATION_ERROR"),
        ("chat:typing", json!({ "isTyping": true }), "VALIDATION_ERROR"),
        ("presence:status", json!({ "status": "offline" }), "VALIDATION_ERROR"),
        ("presence:status", json!({ "status": "Busy" }), "VALIDATION_ERROR"),
        ("presence:status", json!("busy"), "VALIDATION_ERROR"),
        ("presence:check", json!({ "userId": id(1) }), "VALIDATION_ERROR"),
        ("presence:check", json!(["x"]), "VALIDATION_ERROR"),
        ("presence:check", json!(vec![id(1); 101]), "VALIDATION_ERROR"),
        ("chat:shout", json!({ "partyId": id(1) }), "NOT_FOUND"),
    ] {
        let answers = told(event, &data);
        assert_eq!((answers.len(), &answers[0]["error"]["code"]), (1, &json!(code)), "{event} {data}");
        assert_eq!(answers[0]["ack"], 1);
    }
}

#[test]
fn a_join_that_comes_to_nothing_is_refused_in_its_own_way() {
    for (joined, code) in [
        (Joined::TooMany, "QUOTA_EXCEEDED"),
        (Joined::Expired, "RESYNC"),
        (Joined::Left, "CONFLICT"),
        (Joined::Removed, "NOT_FOUND"),
    ] {
        for event in ["party:join_live", "chat:join"] {
            let answer = frames(join(event, &json!({ "partyId": id(1) })), joined);
            assert_eq!((answer.len(), &answer[0]["error"]["code"]), (1, &json!(code)), "{event} {joined:?}");
        }
    }
    // Without a number: the event `error`
    let text = json!({ "event": "party:join_live", "data": { "partyId": id(1) } }).to_string();
    let Some(Action::Join(join)) = outcome(&mut *visitor(), Received::Text(text.into())).pop() else {
        panic!()
    };
    let told = frames(join, Joined::Expired);
    assert_eq!((&told[0]["event"], &told[0]["data"]["code"]), (&json!("error"), &json!("RESYNC")));
}

#[test]
fn nobody_goes_anywhere_before_auth() {
    for event in
        ["party:join_live", "party:leave_live", "chat:join", "chat:leave", "chat:message", "chat:typing"]
    {
        let mut stranger =
            open(Arc::new(Tokens), Some(Arc::new(House)), None, [127, 0, 0, 1].into(), Instant::now())
                .protocol;
        let data = json!({ "partyId": id(1), "content": "hi", "isTyping": true });
        let told = outcome(&mut *stranger, frame(event, &data));
        assert_eq!(json_of(&told[0])["error"]["code"], "UNAUTHENTICATED", "{event}");
    }
}

#[test]
fn what_is_refused_late_counts_as_well() {
    let mut visitor = visitor();
    let now = Instant::now();
    for n in 0..=50 {
        let received = frame("party:join_live", &json!({ "partyId": id(3) }));
        let Some(Action::Run { work, .. }) =
            visitor.on_received(received, now + Duration::from_millis(30 * n)).pop()
        else {
            panic!("{n}")
        };
        let closes =
            work.now_or_never().unwrap().iter().any(|action| matches!(action, Action::Close(Close::ABUSE)));
        assert_eq!(closes, n == 50, "{n}");
    }
}

#[test]
fn work_that_fails_is_answered_by_whether_a_repeat_is_safe() {
    for (event, code) in [
        ("party:join_live", "UNAVAILABLE"),
        ("chat:join", "UNAVAILABLE"),
        ("chat:message", "OUTCOME_UNKNOWN"),
    ] {
        let received = frame(event, &json!({ "partyId": id(1), "content": "hi" }));
        let Some(Action::Run { otherwise, .. }) = visitor().on_received(received, Instant::now()).pop()
        else {
            panic!("{event}")
        };
        assert_eq!(json_of(&otherwise[0])["error"]["code"], code, "{event}");
    }
}

#[test]
fn what_comes_while_too_much_waits_is_refused_under_its_number() {
    let told = visitor().on_crowded(frame("ping", &json!(null)), Instant::now());
    assert_eq!(json_of(&told[0])["ack"], 1);
    assert_eq!(json_of(&told[0])["error"]["code"], "RATE_LIMITED");
}

#[test]
fn a_logged_event_carries_party_and_number_beside_its_data() {
    let frame = logged(EventKind::NewMedia, Uuid::from_u128(1), 5, &json!({ "partyId": id(1), "media": {} }));
    let text = format!(
        r#"{{"event":"party:new_media","data":{{"media":{{}},"partyId":"{0}"}},"partyId":"{0}","seq":5}}"#,
        id(1)
    );
    assert_eq!(str::from_utf8(frame.bytes()), Ok(text.as_str()));
}

#[test]
fn whose_token_is_worth_nothing_any_more_is_refused_and_may_try_another() {
    let rooms: Arc<dyn Rooms> = Arc::new(House);
    let mut session =
        open(Arc::new(Tokens), Some(rooms), None, [127, 0, 0, 1].into(), Instant::now()).protocol;
    let mut auth = |token: &str| -> Vec<Value> {
        let actions = outcome(&mut *session, frame("auth", &json!({ "token": token })));
        actions.iter().map(json_of).collect()
    };
    let refused = json!({ "ack": 1, "error": { "code": "UNAUTHENTICATED", "message": "banned" } });
    assert_eq!(auth("guest 13"), [refused]);
    assert_eq!(
        auth("guest 7"),
        [json!({ "identify": id(7) }), json!({ "ack": 1, "data": { "guestId": id(7) } })]
    );
    assert_eq!(
        auth("guest 13"),
        [json!({
            "ack": 1,
            "error": { "code": "FORBIDDEN", "message": "the session is somebody else's" },
        })]
    );
    assert_eq!(
        outcome(&mut *session, frame("notifications:mark_read", &json!([])))
            .iter()
            .map(json_of)
            .collect::<Vec<_>>(),
        [json!({ "ack": 1, "error": { "code": "FORBIDDEN", "message": "for attendees" } })],
    );
}

#[test]
fn at_most_a_hundred_ids_are_marked_as_read() {
    let ids = |n: u128| json!((0..n).map(id).collect::<Vec<_>>());
    let done = json!({ "ack": 1, "data": null });
    let bad = json!({ "ack": 1, "error": {
        "code": "VALIDATION_ERROR", "message": "data must be a list of at most 100 ids",
    } });
    for (data, expected) in [
        (ids(0), &done),
        (ids(100), &done),
        (ids(101), &bad),
        (json!([1]), &bad),
        (json!(id(1)), &bad),
        (json!({ "ids": [] }), &bad),
        (json!(null), &bad),
    ] {
        assert_eq!(told("notifications:mark_read", &data), std::slice::from_ref(expected), "{data}");
    }
}
