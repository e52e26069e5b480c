//! What clients of Socket.IO send: packets that are right, packets that are nearly right, and noise.

use bytes::Bytes;
use party_gallery_actors::realtime::Received;
use proptest::{
    collection::vec,
    prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof},
    sample::{Index, select},
};

use super::grammar::{DATA, EVENTS, Id, Said, Script, Sent, brisk, gap, said, scripts, text_of};

const CONNECTS: &[&str] = &[
    "0",
    "0{}",
    r#"0{"token":"user 1"}"#,
    r#"0{"token":"user 2"}"#,
    r#"0{"token":"expired"}"#,
    r#"0{"token":7}"#,
    r#"0{"token":"user 1","recover":true}"#,
    "0/other",
    r#"0/other,{"token":"user 1"}"#,
    "0/{}",
];

/// Most come in first, as clients do.
pub(super) fn script() -> impl Strategy<Value = Script> {
    let first = prop_oneof![
        6 => Just(vec![in_turn(text_of(CONNECTS[2].to_owned()), Id::Known(None))]),
        1 => Just(Vec::new()),
        1 => vec(said(one_of(CONNECTS), brisk()), 1..4),
    ];
    let then = prop_oneof![
        4 => vec(message(), 1..60).prop_map(|messages| messages.concat()),
        // Nothing but refusals, fast enough to be too many
        1 => vec(said(refused(), brisk()), 40..120),
        // More than may wait for an answer
        1 => vec(said(visit(), Just(0)), 60..90),
        1 => vec(said(one_of(CONNECTS), brisk()), 40..120),
    ];
    scripts((first, then).prop_map(|(first, then)| [first, then].concat()))
}

fn in_turn(received: Received, id: Id) -> Said {
    Said { after: std::time::Duration::ZERO, received, id, depth: 0 }
}

fn message() -> BoxedStrategy<Vec<Said>> {
    let one = |sent: BoxedStrategy<Sent>| said(sent, gap()).prop_map(|said| vec![said]);
    prop_oneof![
        24 => one(event().boxed()),
        12 => one(visit().boxed()),
        12 => attached(),
        4 => one(nested().boxed()),
        2 => one(one_of(&["3[]", "30[]", "37[1,2]", "2[\"ping\"]", "2/,[\"ping\"]"]).boxed()),
        2 => one(one_of(CONNECTS).boxed()),
        1 => one(mutated().boxed()),
        1 => one(noise().boxed()),
        1 => one(Just((Received::Other, Id::Known(None), 0)).boxed()),
        1 => one(one_of(&["1", "1/other", "2", "5-[]", "51-[\"ping\"]"]).boxed()),
    ]
    .boxed()
}

/// One of these, of which nobody knows how it is answered.
fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = Sent> {
    select(texts).prop_map(|text| (text_of(text.to_owned()), Id::Unknown, 0))
}

fn number() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![3 => any::<u64>().prop_map(Some), 1 => Just(None)]
}

fn numbered(number: Option<u64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

fn event() -> impl Strategy<Value = Sent> {
    let data = prop_oneof![8 => select(DATA).prop_map(|data| format!(",{data}")), 1 => Just(String::new())];
    let namespace = prop_oneof![8 => Just(""), 1 => Just("/,")];
    (number(), select(EVENTS), data.clone(), data, namespace).prop_map(
        |(id, event, data, more, namespace)| {
            (text_of(format!("2{namespace}{}[\"{event}\"{data}{more}]", numbered(id))), Id::Known(id), 0)
        },
    )
}

/// What is refused, whatever the house says.
fn refused() -> impl Strategy<Value = Sent> {
    let body = select(vec!["[]", "[7]", "[null]", "[\"no:such\"]", "[{}]"]);
    (number(), body).prop_map(|(id, body)| (text_of(format!("2{}{body}", numbered(id))), Id::Known(id), 0))
}

/// A request that is right, for what takes time.
fn visit() -> impl Strategy<Value = Sent> {
    let event = select(vec!["party:join_live", "chat:join", "chat:message"]);
    (any::<u64>(), event).prop_map(|(id, event)| {
        let data = r#"{"partyId":"00000000-0000-0000-0000-000000000001","content":"hi"}"#;
        (text_of(format!("2{id}[\"{event}\",{data}]")), Id::Known(Some(id)), 3)
    })
}

fn nested() -> impl Strategy<Value = Sent> {
    let depth = prop_oneof![8 => 28_usize..38, 2 => 2_usize..200, 1 => Just(30_000_usize)];
    (any::<u64>(), depth).prop_map(|(id, depth)| {
        let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
        (text_of(format!("2{id}[\"ping\",{open}{close}]")), Id::Known(Some(id)), depth)
    })
}

/// A packet with attachments: all of them, sometimes one too few or too many, or in no place.
fn attached() -> impl Strategy<Value = Vec<Said>> {
    let place = |num: usize| format!(r#"{{"_placeholder":true,"num":{num}}}"#);
    let sizes = prop_oneof![12 => vec(0_usize..40, 1..5), 2 => vec(Just(60_000_usize), 4..6), 1 => vec(0_usize..4, 15..19)];
    let event = select(vec!["ping", "chat:message", "no:such"]);
    // How many more are announced than follow, and how many more have a place than are announced
    let off = prop_oneof![20 => Just((0, 0)), 1 => Just((1, 0)), 1 => Just((0, 1)), 1 => Just((0, -1))];
    (number(), event, sizes, off, gap()).prop_map(move |(id, event, sizes, (more, misplaced), millis)| {
        let announced = sizes.len() + more;
        let places: Vec<_> = (0..announced.saturating_add_signed(misplaced)).map(place).collect();
        let header = format!("5{announced}-{}[\"{event}\",[{}]]", numbered(id), places.join(","));
        let mut all = vec![in_turn(text_of(header), Id::Known(None))];
        all.extend(
            sizes.iter().map(|size| in_turn(Received::Binary(vec![7; *size].into()), Id::Known(None))),
        );
        all[0].after = std::time::Duration::from_millis(millis);
        if let Some(last) = all.last_mut() {
            last.id = if (more, misplaced) == (0, 0) { Id::Known(id) } else { Id::Unknown };
        }
        all
    })
}

/// An event that something has happened to.
fn mutated() -> impl Strategy<Value = Sent> {
    (event(), any::<Index>(), any::<u8>(), 0..4_u8).prop_map(|((received, ..), at, byte, how)| {
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

fn noise() -> impl Strategy<Value = Sent> {
    let unknown = |received| (received, Id::Unknown, 0);
    prop_oneof![
        vec(any::<u8>(), 0..120).prop_map(move |bytes| unknown(Received::Text(bytes.into()))),
        vec(any::<u8>(), 0..120).prop_map(move |bytes| unknown(Received::Binary(bytes.into()))),
        "[0-6]{0,2}(-|/[a-z]{0,9},?)?[0-9]{0,22}[\\[\\]{}\",:0-9a-z\\\\ ]{0,60}"
            .prop_map(move |text| unknown(text_of(text))),
        (0_usize..300).prop_map(move |length| {
            unknown(Received::Text(Bytes::from(format!("0/{}", "n".repeat(length)))))
        }),
    ]
}
