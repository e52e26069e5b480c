//! What clients send: frames that are right, frames that are nearly right, and noise.

use std::time::Duration;

use bytes::Bytes;
use party_gallery_actors::realtime::{Joined, Received};
use proptest::{
    collection::vec,
    prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof},
    sample::{Index, select},
};

use super::rooms::Mood;

/// One session.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// Whether the request told who asks.
    pub(super) is_known: bool,
    pub(super) said: Vec<Said>,
    /// How the house answers, in turn and over again.
    pub(super) moods: Vec<Mood>,
    /// How joins end, after how many steps; in turn and over again.
    pub(super) joined: Vec<(Joined, u8)>,
}

/// One frame.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) after: Duration,
    pub(super) received: Received,
    pub(super) id: Id,
    /// How deep it is nested, where that is known.
    pub(super) depth: usize,
}

/// The number under which a frame is to be answered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Id {
    Known(Option<u64>),
    /// Too broken to be told.
    Unknown,
}

pub(super) const EVENTS: &[&str] = &[
    "auth",
    "party:join_live",
    "party:leave_live",
    "chat:join",
    "chat:leave",
    "chat:message",
    "chat:typing",
    "presence:status",
    "presence:check",
    "notifications:mark_read",
    "ping",
    "Ping",
    "party:status_changed",
    "error",
    "",
    "constructor",
    "\\u0070ing",
    "chat:message\\u0000",
];

const IDS: &[&str] =
    &["-1", "1.0", "1e3", "\"7\"", "{}", "[1]", "true", "18446744073709551616", "-0.0", "1e999", "\"\""];

pub(super) const DATA: &[&str] = &[
    "null",
    "{}",
    "[]",
    "7",
    "\"text\"",
    r#"{"token":"user 1"}"#,
    r#"{"token":"user 2"}"#,
    r#"{"token":"expired"}"#,
    r#"{"token":7}"#,
    r#"{"partyId":"00000000-0000-0000-0000-000000000001"}"#,
    r#"{"partyId":"00000000-0000-0000-0000-000000000001","since":0}"#,
    r#"{"partyId":"00000000-0000-0000-0000-000000000001","since":41}"#,
    r#"{"partyId":"00000000-0000-0000-0000-000000000001","since":-1}"#,
    r#"{"partyId":"00000000-0000-0000-0000-000000000001","since":1.5}"#,
    r#"{"partyId":"00000000-0000-0000-0000-000000000001","since":9223372036854775808}"#,
    r#"{"partyId":"00000000-0000-0000-0000-000000000001","since":1,"epoch":"elsewhere"}"#,
    r#"{"partyId":"00000000-0000-0000-0000-000000000001","content":"hi \ud83d\ude00"}"#,
    r#"{"partyId":"00000000-0000-0000-0000-000000000001","content":"\ud800"}"#,
    r#"{"partyId":"00000000-0000-0000-0000-000000000001","content":"hi","clientId":"c","replyToId":"x"}"#,
    r#"{"partyId":"00000000-0000-0000-0000-000000000001","partyId":"x"}"#,
    r#"{"partyId":"not an id"}"#,
    r#"[{"partyId":1}]"#,
    "1e999",
    r#""\u0000""#,
];

pub(super) fn script() -> impl Strategy<Value = Script> {
    let said = prop_oneof![
        4 => vec(said(frame(), gap()), 1..90),
        // Nothing but refusals, fast enough to be too many
        1 => vec(said(noise(), brisk()), 40..120),
        // More than may wait for an answer
        1 => vec(said(visit(), Just(0)), 60..90),
    ];
    scripts(said)
}

/// Sessions in which that is said, in houses of all moods.
pub(super) fn scripts(said: impl Strategy<Value = Vec<Said>>) -> impl Strategy<Value = Script> {
    let mood = prop_oneof![
        6 => Just(Mood::Yes),
        3 => Just(Mood::Refuses),
        3 => (1_u8..12).prop_map(Mood::Late),
        1 => Just(Mood::Never),
        1 => Just(Mood::Fails),
    ];
    let joined = select(vec![
        Joined::Live { seq: 40, replayed: 3, present: 2 },
        Joined::Live { seq: i64::MAX, replayed: u64::MAX, present: usize::MAX },
        Joined::TooMany,
        Joined::Expired,
        Joined::Left,
        Joined::Removed,
    ]);
    (any::<bool>(), said, vec(mood, 1..8), vec((joined, 0_u8..6), 1..8))
        .prop_map(|(is_known, said, moods, joined)| Script { is_known, said, moods, joined })
}

pub(super) type Sent = (Received, Id, usize);

pub(super) fn said(
    sent: impl Strategy<Value = Sent>,
    gap: impl Strategy<Value = u64>,
) -> impl Strategy<Value = Said> {
    (gap, sent).prop_map(|(millis, (received, id, depth))| Said {
        after: Duration::from_millis(millis),
        received,
        id,
        depth,
    })
}

pub(super) fn gap() -> impl Strategy<Value = u64> {
    prop_oneof![4 => Just(0), 8 => 1_u64..40, 2 => 40_u64..2_000, 1 => 2_000_u64..12_000]
}

pub(super) fn brisk() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 1_u64..60]
}

fn frame() -> BoxedStrategy<Sent> {
    prop_oneof![
        12 => request(),
        6 => visit(),
        3 => mutated(),
        2 => nested(),
        1 => long(),
        2 => noise(),
        1 => Just((Received::Other, Id::Known(None), 0)),
    ]
    .boxed()
}

/// Bytes that mean nothing, or only by chance.
fn noise() -> impl Strategy<Value = Sent> {
    prop_oneof![
        vec(any::<u8>(), 0..120).prop_map(|bytes| (Received::Text(bytes.into()), Id::Unknown, 0)),
        vec(any::<u8>(), 0..120).prop_map(|bytes| (Received::Binary(bytes.into()), Id::Known(None), 0)),
        "[\\[\\]{}\",:0-9a-z\\\\ ]{0,60}".prop_map(|text| (text_of(text), Id::Unknown, 0)),
        select(vec!["", "null", "[]", "\"x\"", "{", "{}", "[1,2]", "{\"id\":}", "\u{feff}{}"])
            .prop_map(|text| (text_of(text.to_owned()), Id::Known(None), 0)),
    ]
}

pub(super) fn text_of(text: String) -> Received {
    Received::Text(Bytes::from(text))
}

/// A number that can be answered, or what is none; and under which number the frame is answered then.
fn id() -> impl Strategy<Value = (Option<String>, Option<u64>)> {
    prop_oneof![
        6 => any::<u64>().prop_map(|id| (Some(id.to_string()), Some(id))),
        2 => Just((None, None)),
        1 => Just((Some("null".to_owned()), None)),
        1 => select(IDS).prop_map(|id| (Some(id.to_owned()), None)),
    ]
}

/// A JSON object as a client sends it: members in any order, some missing, some unknown, one perhaps twice.
fn request() -> impl Strategy<Value = Sent> {
    let event = prop_oneof![
        24 => select(EVENTS).prop_map(|name| Some(format!("\"{name}\""))),
        1 => select(DATA).prop_map(|value| Some(value.to_owned())),
        1 => Just(None),
    ];
    let data = prop_oneof![8 => select(DATA).prop_map(|value| Some(value.to_owned())), 1 => Just(None)];
    let more = prop_oneof![4 => Just(None), 1 => select(DATA).prop_map(|value| Some(value.to_owned()))];
    let twice = prop_oneof![20 => Just(None), 1 => select(vec!["id", "event", "data"]).prop_map(Some)];
    let space = select(vec!["", " ", "\n\t "]);
    (id(), event, data, more, twice, space).prop_flat_map(
        |((id, number), event, data, more, twice, space)| {
            let mut members: Vec<_> = [("id", id), ("event", event), ("data", data), ("more", more)]
                .into_iter()
                .filter_map(|(name, value)| Some(format!("\"{name}\"{space}:{space}{}", value?)))
                .collect();
            // What is there twice means nothing
            let number = if let Some(name) = twice {
                members.extend([format!("\"{name}\":1"), format!("\"{name}\":2")]);
                None
            } else {
                number
            };
            Just(members).prop_shuffle().prop_map(move |members| {
                let text = format!("{space}{{{space}{}{space}}}", members.join(&format!("{space},{space}")));
                (text_of(text), Id::Known(number), 0)
            })
        },
    )
}

/// A request that is right, for what takes time.
fn visit() -> impl Strategy<Value = Sent> {
    let event = select(vec!["party:join_live", "chat:join", "chat:message"]);
    (any::<u64>(), event).prop_map(|(id, event)| {
        let data = r#"{"partyId":"00000000-0000-0000-0000-000000000001","content":"hi"}"#;
        (text_of(format!(r#"{{"id":{id},"event":"{event}","data":{data}}}"#)), Id::Known(Some(id)), 2)
    })
}

/// A request that something has happened to.
fn mutated() -> impl Strategy<Value = Sent> {
    (request(), any::<Index>(), any::<u8>(), 0..4_u8).prop_map(|((received, ..), at, byte, how)| {
        let mut bytes = if let Received::Text(bytes) = received { bytes.to_vec() } else { Vec::new() };
        let at = at.index(bytes.len());
        match how {
            0 => bytes[at] = byte,
            1 => bytes.truncate(at),
            2 => bytes.insert(at, byte),
            _ => _ = bytes.remove(at),
        }
        (Received::Text(bytes.into()), Id::Unknown, 0)
    })
}

fn nested() -> impl Strategy<Value = Sent> {
    let depth = prop_oneof![8 => 28_usize..38, 2 => 1_usize..200, 1 => Just(30_000_usize)];
    (any::<u64>(), depth, any::<bool>()).prop_map(|(id, depth, is_array)| {
        let (open, inner, close) = if is_array { ("[", "", "]") } else { ("{\"a\":", "1", "}") };
        let (open, close) = (open.repeat(depth - 1), close.repeat(depth - 1));
        let inner = if depth == 1 { "1" } else { inner };
        let text = format!(r#"{{"id":{id},"event":"ping","data":{open}{inner}{close}}}"#);
        (text_of(text), Id::Known(Some(id)), depth)
    })
}

fn long() -> impl Strategy<Value = Sent> {
    (any::<u64>(), 10_000_usize..60_000).prop_map(|(id, length)| {
        let text = format!(r#"{{"id":{id},"event":"ping","data":"{}"}}"#, "x".repeat(length));
        (text_of(text), Id::Known(Some(id)), 1)
    })
}
