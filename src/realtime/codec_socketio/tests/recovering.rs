//! What clients say and hear that want to be recovered.

use std::future::ready;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use party_gallery_actors::realtime::Join;
use serde_json::{json, value::to_raw_value};

use super::*;
use crate::{
    domain::{event::EventKind, presence::Status},
    realtime::{
        Admission, ChatAdmission, Heard, Place, Recalled, Recoveries, Return, Room, Seen, Utterance,
        codec_json::logged, topic,
    },
};

type Answer<T> = BoxFuture<'static, Result<T, Refusal>>;

const EPOCH: Uuid = Uuid::from_u128(9);
const HIDDEN: Refusal = Refusal::new("NOT_FOUND", "no such party");
const AWAY: Refusal = Refusal::new("UNAVAILABLE", "away");

/// Keeps everything but of party 6; parties 1 and 6 are the caller's, 2 is public, all others are nobody's.
#[derive(Default)]
struct Keeper {
    noted: Mutex<Vec<String>>,
}

fn party(id: u128) -> Uuid {
    Uuid::from_u128(id)
}

impl Keeper {
    fn note(&self, of: Uuid, what: String) -> Answer<()> {
        self.noted.lock().push(what);
        ready(if of == party(6) { Err(AWAY) } else { Ok(()) }).boxed()
    }
}

impl Recoveries for Keeper {
    fn begin(&self, _: Principal) -> BoxFuture<'static, Option<Return>> {
        ready(Some(Return { id: Uuid::from_u128(1), pid: "new".to_owned() })).boxed()
    }

    /// Names tell what was kept.
    fn recall(&self, _: Principal, pid: &str, offset: Option<&str>) -> Answer<Option<Recalled>> {
        let heard = |id, room, upto| Heard { party: party(id), room, after: 3, upto };
        let upto = if offset.is_some() { 7 } else { 5 };
        let rooms = match pid {
            "away" => return ready(Err(AWAY)).boxed(),
            "both" => vec![heard(1, Room::Chat, 5), heard(1, Room::Live, upto)],
            "hidden" => vec![heard(1, Room::Live, 5), heard(3, Room::Live, 5)],
            "no chat" => vec![heard(2, Room::Chat, 5)],
            "to come" => vec![heard(1, Room::Live, 41)],
            "none" => Vec::new(),
            _ => return ready(Ok(None)).boxed(),
        };
        ready(Ok(Some(Recalled { id: Uuid::from_u128(1), rooms }))).boxed()
    }

    fn enter(&self, _: Uuid, party: Uuid, room: Room, seq: i64) -> Answer<()> {
        self.note(party, format!("enter {room:?} {seq}"))
    }

    fn leave(&self, _: Uuid, party: Uuid, room: Room) -> Answer<()> {
        self.note(party, format!("leave {room:?}"))
    }

    fn offset(&self, _: Principal, _: Uuid, heard: &[Heard]) -> String {
        heard.iter().map(|heard| format!("{:?}-{}-{}.", heard.room, heard.after, heard.upto)).collect()
    }
}

struct House(Arc<Keeper>);

impl Rooms for House {
    fn recognize(&self, _: Principal) -> Answer<()> {
        ready(Ok(())).boxed()
    }
    fn watch(&self, _: Principal, of: Uuid) -> Answer<Admission> {
        let place = if of == party(2) { Place::Onlooker } else { Place::Attendee };
        let admission = Admission { seq: 40, epoch: EPOCH, place, face: None };
        ready(if [1, 2, 6].contains(&of.as_u128()) { Ok(admission) } else { Err(HIDDEN) }).boxed()
    }
    fn talk(&self, _: Principal, _: Uuid) -> Answer<ChatAdmission> {
        let messages = to_raw_value(&["hello"]).unwrap();
        ready(Ok(ChatAdmission { seq: 40, messages, face: None })).boxed()
    }
    fn recoveries(&self) -> Option<Arc<dyn Recoveries>> {
        Some(Arc::clone(&self.0) as Arc<dyn Recoveries>)
    }
    fn say(&self, _: Principal, _: Utterance) -> Answer<Box<RawValue>> {
        ready(Err(HIDDEN)).boxed()
    }
    fn be_seen(&self, _: Uuid, _: Status, _: Instant) {}
    fn check(&self, _: Uuid, _: Vec<Uuid>, _: Instant) -> Answer<Vec<Seen>> {
        ready(Ok(Vec::new())).boxed()
    }
    fn mark_read(&self, _: Principal, _: Vec<Uuid>) -> Answer<()> {
        ready(Ok(())).boxed()
    }
}

fn visitor() -> (Opening, Arc<Keeper>) {
    let keeper = Arc::<Keeper>::default();
    let rooms: Arc<dyn Rooms> = Arc::new(House(Arc::clone(&keeper)));
    (open(Arc::new(Tokens), Some(rooms), [127, 0, 0, 1].into(), "name".to_owned()), keeper)
}

/// What follows: what is sent, and where it enters.
fn follows(opening: &mut Opening, text: &str) -> Vec<String> {
    fn show(action: Action) -> Vec<String> {
        match action {
            Action::Run { work, .. } => work.now_or_never().unwrap().into_iter().flat_map(show).collect(),
            Action::Join(Join { room, since, heard_after, head, .. }) => {
                vec![format!("join {room} {since:?} {heard_after:?} {head}")]
            }
            Action::Leave(_, room) => vec![format!("leave {room}")],
            action => told(action),
        }
    }
    let received = Received::Text(Bytes::copy_from_slice(text.as_bytes()));
    opening.protocol.on_received(received, Instant::now()).into_iter().flat_map(show).collect()
}

fn event(opening: &Opening) -> String {
    let event = logged(EventKind::PartyUpdated, party(1), 8, &json!({ "partyId": party(1) }));
    let positions = [Position { room: 0, after: 3, upto: 8 }];
    shown(&opening.notices.render_logged(&event, topic(party(1)), &mut positions.into_iter()))
}

#[test]
fn who_asks_for_it_is_given_a_name_and_how_far_they_have_heard() {
    let (mut opening, _) = visitor();
    let asks = r#"0{"token":"user 1","recover":true}"#;
    assert_eq!(follows(&mut opening, asks), ["identify", r#"40{"sid":"name","pid":"new"}"#]);
    assert!(event(&opening).ends_with(r#""seq":8},"Live-3-8."]"#), "{}", event(&opening));
    for (asks_not, answer) in [
        (r#"0{"token":"user 1"}"#, r#"40{"sid":"name"}"#),
        (r#"0{"token":"user 1","recover":false,"pid":"both"}"#, r#"40{"sid":"name"}"#),
    ] {
        let (mut opening, _) = visitor();
        assert_eq!(follows(&mut opening, asks_not), ["identify", answer]);
        assert!(event(&opening).ends_with(r#""seq":8}]"#), "{}", event(&opening));
    }
    for wrong in [r#""recover":1"#, r#""recover":true,"pid":7"#, r#""recover":true,"offset":{}"#] {
        let (mut opening, _) = visitor();
        let answer = follows(&mut opening, &format!(r#"0{{"token":"user 1",{wrong}}}"#));
        assert!(answer[0].starts_with("44{") && answer[0].contains("VALIDATION_ERROR"), "{answer:?}");
    }
}

#[test]
fn who_comes_back_is_in_all_their_rooms_or_not_recovered() {
    let (new, closed) = (r#"40{"sid":"name","pid":"new"}"#, ["1013"].as_slice());
    let alone = ["identify", new];
    let both = r#"40{"sid":"name","pid":"both"}"#;
    let none = r#"40{"sid":"name","pid":"none"}"#;
    for (shows, answers) in [
        (
            r#""pid":"both""#,
            ["identify", both, "join 0 Some(5) Some(3) 40", "join 1 Some(5) Some(3) 40"].as_slice(),
        ),
        (
            r#""pid":"both","offset":"x""#,
            &["identify", both, "join 0 Some(7) Some(3) 40", "join 1 Some(5) Some(3) 40"],
        ),
        (r#""pid":"none""#, &["identify", none]),
        (r#""pid":"unknown""#, &alone),
        (r#""pid":"hidden""#, &alone),
        (r#""pid":"no chat""#, &alone),
        (r#""pid":"to come""#, &alone),
        (r#""offset":"x""#, &alone),
        (r#""pid":"away""#, closed),
    ] {
        let (mut opening, keeper) = visitor();
        let text = format!(r#"0{{{shows},"token":"user 1","recover":true}}"#);
        assert_eq!(follows(&mut opening, &text), answers, "{shows}");
        assert_eq!(keeper.noted.lock().len(), 0, "what is known need not be noted");
    }
}

#[test]
fn rooms_are_noted_before_anything_is_told_of_them() {
    let (mut opening, keeper) = visitor();
    follows(&mut opening, r#"0{"token":"user 1","recover":true}"#);
    let mut ask = |event: &str, more: &str, id: u128| {
        let answers = follows(&mut opening, &format!(r#"21["{event}",{{"partyId":"{}"{more}}}]"#, party(id)));
        (answers, std::mem::take(&mut *keeper.noted.lock()))
    };
    let not_now = r#"431[{"error":{"code":"UNAVAILABLE","message":"away"}}]"#;
    for (event, more, id, answers, noted) in [
        ("party:join_live", "", 1, vec!["join 0 None None 40"], vec!["enter Live 40"]),
        ("party:join_live", r#","since":7"#, 1, vec!["join 0 Some(7) None 40"], vec!["enter Live 7"]),
        ("party:join_live", "", 6, vec![not_now], vec!["enter Live 40"]),
        (
            "party:join_live",
            "",
            3,
            vec![r#"431[{"error":{"code":"NOT_FOUND","message":"no such party"}}]"#],
            vec![],
        ),
        ("chat:join", "", 1, vec!["join 1 Some(40) None 40"], vec!["enter Chat 40"]),
        ("chat:join", "", 6, vec![not_now], vec!["enter Chat 40"]),
        ("chat:leave", "", 1, vec!["leave 1", "431[null]"], vec!["leave Chat"]),
        ("party:leave_live", "", 6, vec![not_now], vec!["leave Live"]),
    ] {
        let (told, kept) = ask(event, more, id);
        assert_eq!(told, answers, "{event} {more} of {id}");
        assert_eq!(kept, noted, "{event} {more} of {id}");
    }
}
