//! What clients say and hear in Socket.IO.

mod recovering;

use futures_util::FutureExt as _;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::realtime::{AuthError, Kind, Principal};

/// Tokens are `user <number>`.
struct Tokens;

impl Authenticator for Tokens {
    fn verify(&self, token: &str) -> Result<Principal, AuthError> {
        let id = token.strip_prefix("user ").and_then(|id| id.parse().ok()).ok_or(AuthError::Invalid)?;
        let valid_for = Duration::from_secs(3600);
        Ok(Principal { kind: Kind::User, id: Uuid::from_u128(id), sign_in: None, valid_for })
    }
}

fn stranger() -> Opening {
    open(Arc::new(Tokens), None, [127, 0, 0, 1].into(), "name".to_owned())
}

fn connected() -> Opening {
    let mut opening = stranger();
    assert_eq!(hear(&mut opening, r#"0{"token":"user 1"}"#), [r#"identify"#, r#"40{"sid":"name"}"#]);
    opening
}

fn receive(opening: &mut Opening, received: Received) -> Vec<String> {
    let actions = opening.protocol.on_received(received, Instant::now());
    actions.into_iter().flat_map(told).collect()
}

fn hear(opening: &mut Opening, text: &str) -> Vec<String> {
    receive(opening, Received::Text(Bytes::copy_from_slice(text.as_bytes())))
}

fn told(action: Action) -> Vec<String> {
    match action {
        Action::Send(frame) => vec![shown(&frame)],
        Action::SendAll(frames) => frames.iter().map(shown).collect(),
        Action::Identify(_) => vec!["identify".to_owned()],
        Action::Close(close) => vec![close.code.to_string()],
        Action::Run { work, .. } => work.now_or_never().unwrap().into_iter().flat_map(told).collect(),
        other => panic!("{other:?}"),
    }
}

fn shown(frame: &Frame) -> String {
    match frame.is_text() {
        true => String::from_utf8(frame.bytes().to_vec()).unwrap(),
        false => format!("{:?}", frame.bytes()),
    }
}

#[test]
fn who_comes_in_is_told_and_who_does_not_why() {
    for (text, answer) in [
        ("0", r#"44{"message":"authenticate first","data":{"code":"UNAUTHENTICATED"}}"#),
        ("0{}", r#"44{"message":"authenticate first","data":{"code":"UNAUTHENTICATED"}}"#),
        (r#"0{"token":7}"#, r#"44{"message":"authenticate first","data":{"code":"UNAUTHENTICATED"}}"#),
        (r#"0{"token":"x"}"#, r#"44{"message":"the token is not valid","data":{"code":"UNAUTHENTICATED"}}"#),
        ("0/random", r#"44/random,{"message":"Invalid namespace"}"#),
        (r#"0/random,{"token":"user 1"}"#, r#"44/random,{"message":"Invalid namespace"}"#),
        (r#"2["ping"]"#, "1002"),
        ("1", "1002"),
        ("0[]", "1002"),
        ("abc", "1002"),
    ] {
        assert_eq!(hear(&mut stranger(), text), [answer], "{text}");
    }
    let mut refused = stranger();
    hear(&mut refused, r#"0{"token":"x"}"#);
    assert_eq!(hear(&mut refused, r#"0{"token":"user 1"}"#).len(), 2, "who was refused may ask again");
    assert_eq!(hear(&mut refused, r#"0{"token":"user 1"}"#), ["1002"], "who is in may not");
}

#[test]
fn what_follows_a_packet_of_who_is_in() {
    let refused =
        |ack, code, message| format!(r#"43{ack}[{{"error":{{"code":"{code}","message":"{message}"}}}}]"#);
    let deep = |n: usize| format!(r#"27["ping",{}{}]"#, "[".repeat(n), "]".repeat(n));
    for (text, answer) in [
        (r#"21["ping",{"a":[1, 2]}]"#, r#"431[{"a":[1, 2]}]"#.to_owned()),
        (r#"2["ping","x"]"#, r#"42["ping","x"]"#.to_owned()),
        (r#"2["ping"]"#, r#"42["ping",null]"#.to_owned()),
        (r#"2/,3["ping",1,2,3]"#, "433[1]".to_owned()),
        (r#"24["no:such"]"#, refused(4, "NOT_FOUND", "no such event")),
        (r#"2["no:such"]"#, r#"42["error",{"code":"NOT_FOUND","message":"no such event"}]"#.to_owned()),
        ("25[]", refused(5, "MALFORMED_BODY", "an event begins with its name")),
        ("25[7]", refused(5, "MALFORMED_BODY", "an event begins with its name")),
        (&deep(31), format!("437[{}{}]", "[".repeat(31), "]".repeat(31))),
        (&deep(32), refused(7, "MALFORMED_BODY", "nested too deeply")),
        (&deep(100_000), refused(7, "MALFORMED_BODY", "nested too deeply")),
        ("1", "1000".to_owned()),
        ("2{}", "1002".to_owned()),
        ("2", "1002".to_owned()),
        ("4{}", "1002".to_owned()),
        (r#"2abc["ping"]"#, "1002".to_owned()),
        (r#"299999999999999999999999["ping"]"#, "1002".to_owned()),
        (r#"2/other,["ping"]"#, "1002".to_owned()),
        ("3[]", "1002".to_owned()),
        (r#"2["ping"] x"#, "1002".to_owned()),
        ("5[]", "1002".to_owned()),
        ("5-[]", "1002".to_owned()),
        (r#"5999-["ping"]"#, "1002".to_owned()),
        (r#"51-["ping"]"#, "1002".to_owned()),
        (r#"51-["ping",{"_placeholder":true,"num":1}]"#, "1002".to_owned()),
        (r#"52-["ping",{"_placeholder":true,"num":0}]"#, "1002".to_owned()),
    ] {
        assert_eq!(hear(&mut connected(), text), [answer], "{:?}", text.get(..60).unwrap_or(text));
    }
    assert_eq!(hear(&mut connected(), "31[]"), [""; 0], "nothing was asked");
    let long = format!("0/{}", "x".repeat(64 * 1024));
    assert_eq!(hear(&mut connected(), &long), ["1002"]);
}

#[test]
fn what_is_binary_is_put_together_and_goes_back_whole() {
    let binary = |bytes: &'static [u8]| Received::Binary(Bytes::from_static(bytes));
    let mut opening = connected();
    let header = r#"52-9["ping",[{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]]"#;
    assert_eq!(hear(&mut opening, header), [""; 0]);
    assert_eq!(receive(&mut opening, binary(&[1])), [""; 0]);
    let echo = r#"462-9[[{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]]"#;
    assert_eq!(receive(&mut opening, binary(&[2])), [echo, "[1]", "[2]"]);
    assert_eq!(receive(&mut opening, binary(&[3])), ["1002"], "nothing was to come");
    let mut opening = connected();
    hear(&mut opening, header);
    assert_eq!(hear(&mut opening, r#"2["ping"]"#), ["1002"], "something else was to come");
}

#[test]
fn who_may_not_come_back_is_sent_out_and_who_may_hears_it_from_the_transport() {
    let said =
        |opening: &Opening, close| opening.notices.farewell(close).iter().map(shown).collect::<Vec<_>>();
    let (stranger, connected) = (stranger(), connected());
    for close in [Close::RESTARTING, Close::TOO_SLOW, Close::AWAY, Close::NORMAL] {
        assert_eq!(said(&connected, close), [""; 0], "{close:?}");
    }
    for (close, code) in [
        (Close::UNAUTHENTICATED, "UNAUTHENTICATED"),
        (Close::ABUSE, "RATE_LIMITED"),
        (Close::REMOVED, "FORBIDDEN"),
    ] {
        let said_of = said(&connected, close);
        assert!(said_of[0].starts_with(&format!(r#"42["error",{{"code":"{code}","#)), "{said_of:?}");
        assert_eq!(said_of[1], "41");
        assert_eq!(said(&stranger, close), [""; 0], "who is not in cannot be sent out");
    }
    let full = r#"44{"message":"too many sessions","data":{"code":"QUOTA_EXCEEDED"}}"#;
    assert_eq!(said(&connected, Close::TOO_MANY), [full]);
}

#[test]
fn the_words_of_the_sweeper() {
    let opening = connected();
    assert_eq!(shown(&opening.notices.expiring().unwrap()), r#"42["auth:expiring",{}]"#);
    let draining = opening.notices.draining(Duration::from_millis(12)).unwrap();
    assert_eq!(shown(&draining), r#"42["server:draining",{"reconnectAfterMs":12}]"#);
    assert_eq!(stranger().notices.expiring(), None);
    assert_eq!(stranger().notices.draining(Duration::ZERO), None);
}

#[test]
fn who_is_refused_too_often_is_closed() {
    let mut opening = connected();
    let now = Instant::now();
    let refused = Received::Text(Bytes::from_static(b"2[7]"));
    let closes = (0..60).filter(|_| {
        let actions = opening.protocol.on_received(refused.clone(), now);
        actions.iter().any(|action| matches!(action, Action::Close(Close::ABUSE)))
    });
    assert!(closes.count() > 0);
}

proptest! {
    #[test]
    fn no_text_can_panic_a_session(text in "\\PC{0,60}", kind in 0_u8..8, is_in in any::<bool>()) {
        let mut opening = if is_in { connected() } else { stranger() };
        for text in [text.clone(), format!("{kind}{text}"), format!("{kind}1-[{text}]"), format!("{kind}[\"{text}\"]")] {
            opening.protocol.on_received(Received::Text(text.clone().into()), Instant::now());
            opening.protocol.on_received(Received::Binary(text.clone().into()), Instant::now());
            opening.protocol.on_crowded(Received::Text(text.into()), Instant::now());
        }
    }

    #[test]
    fn a_packet_is_read_as_it_was_written(
        id in prop::option::of(any::<u64>()),
        namespace in "(/|/[a-z]{1,20})",
        said in "[a-z\"\\\\€]{0,20}",
    ) {
        let data = json(&[said]);
        let (head, kind) = id.map_or((Head::Event, PacketKind::Event), |id| (Head::Ack(id), PacketKind::Ack));
        let text = encode(head, &namespace, &data, 0);
        let packet = Packet::decode(&text).unwrap();
        prop_assert_eq!((packet.kind, packet.namespace, packet.id), (kind, namespace.as_str(), id));
        prop_assert_eq!(packet.data.unwrap().get(), data);
    }
}
