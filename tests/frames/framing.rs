//! Cases 1 to 5 and 10: frames, pings, reserved bits, opcodes, fragments.

use super::{
    cases::{Case, hold},
    client::{
        Got,
        opcode::{BINARY, CONTINUATION, PING, PONG, TEXT},
        part, whole,
    },
};

/// Not the protocol.
const WRONG: &[u16] = &[1002];
const HELLO: &[u8] = b"Hello, world!";

fn text(bytes: &[u8]) -> Got {
    Got::Text(bytes.to_vec())
}

fn pong(bytes: &[u8]) -> Got {
    Got::Pong(bytes.to_vec())
}

#[tokio::test]
async fn messages_of_every_size_are_said_back() {
    let mut cases = Vec::new();
    for (nth, size) in (1..).zip([0, 125, 126, 127, 128, 65_535, 65_536]) {
        let (stars, bytes) = (vec![b'*'; size], vec![0xfe; size]);
        let (name, binary) = (format!("1.1.{nth}"), Got::Binary(bytes.clone()));
        cases.push(Case::right(name, vec![whole(TEXT, &stars)], vec![text(&stars)]));
        cases.push(Case::right(format!("1.2.{nth}"), vec![whole(BINARY, &bytes)], vec![binary]));
    }
    let long: Vec<u8> = (0..=u8::MAX).cycle().take(16 * 1024 * 1024).collect();
    let heard = vec![Got::Binary(long.clone())];
    cases.push(Case::right("9.2.6: as long as may be", vec![whole(BINARY, &long)], heard));
    let more = [long.as_slice(), b"!"].concat();
    cases.push(Case::closed("one byte more", vec![whole(BINARY, &more)], Vec::new(), &[1009]));
    let stars = vec![b'*'; 65_536];
    let mut parts: Vec<_> = stars.chunks(1_300).map(|piece| part(CONTINUATION, piece)).collect();
    let last = stars.chunks(1_300).next_back().unwrap();
    *parts.first_mut().unwrap() = part(TEXT, &stars[..1_300]);
    *parts.last_mut().unwrap() = whole(CONTINUATION, last);
    cases.push(Case::right("10.1.1", parts, vec![text(&stars)]));
    hold(cases).await;
}

#[tokio::test]
async fn pings_are_answered_and_pongs_are_not() {
    let bytes = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff";
    let longest = [0xfe; 125];
    let ten: Vec<_> = (0..10).map(|nth| format!("payload-{nth}").into_bytes()).collect();
    hold(vec![
        Case::right("2.1", vec![whole(PING, b"")], vec![pong(b"")]),
        Case::right("2.2", vec![whole(PING, HELLO)], vec![pong(HELLO)]),
        Case::right("2.3", vec![whole(PING, bytes)], vec![pong(bytes)]),
        Case::right("2.4 and 2.6", vec![whole(PING, &longest)], vec![pong(&longest)]),
        Case::closed("2.5", vec![whole(PING, &[0xfe; 126])], Vec::new(), WRONG),
        Case::right("2.7", vec![whole(PONG, b"")], Vec::new()),
        Case::right("2.8", vec![whole(PONG, b"unsolicited")], Vec::new()),
        Case::right("2.9", vec![whole(PONG, b"unsolicited"), whole(PING, b"p")], vec![pong(b"p")]),
        Case::right(
            "2.10 and 2.11",
            ten.iter().map(|ping| whole(PING, ping)).collect(),
            ten.iter().map(|ping| pong(ping)).collect(),
        ),
    ])
    .await;
}

#[tokio::test]
async fn reserved_bits_and_opcodes_close_what_was_right_until_then() {
    let mut cases = Vec::new();
    for reserved in 1..=7_u8 {
        let bits = reserved << 4;
        let name = format!("3.{reserved}");
        cases.push(Case::closed(name.as_str(), vec![whole(bits | TEXT, HELLO)], Vec::new(), WRONG));
        cases.push(Case::closed(name.as_str(), vec![whole(bits | 8, b"")], Vec::new(), WRONG));
        let sent = vec![whole(TEXT, HELLO), whole(bits | TEXT, HELLO), whole(PING, b"")];
        cases.push(Case::closed(name, sent, vec![text(HELLO)], WRONG));
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        let name = format!("4.1 and 4.2: {opcode}");
        cases.push(Case::closed(name.as_str(), vec![whole(opcode, b"")], Vec::new(), WRONG));
        let sent = vec![whole(TEXT, HELLO), whole(opcode, b"reserved"), whole(PING, b"")];
        cases.push(Case::closed(name, sent, vec![text(HELLO)], WRONG));
    }
    // RFC 6455, 5.1: a client's frame that is not masked
    cases.push(Case::closed("unmasked", vec![vec![0x81, 1, b'x']], Vec::new(), WRONG));
    hold(cases).await;
}

#[tokio::test]
async fn fragments_become_one_message_and_come_in_their_turn() {
    let two = || vec![part(TEXT, b"fragment1"), whole(CONTINUATION, b"fragment2")];
    let pinged = vec![part(TEXT, b"fragment1"), whole(PING, b"ping"), whole(CONTINUATION, b"fragment2")];
    let both = || text(b"fragment1fragment2");
    let stray = |first: Vec<u8>| vec![first, whole(TEXT, HELLO)];
    let mixed = |first: fn(u8, &[u8]) -> Vec<u8>| {
        let once = || {
            [first(CONTINUATION, b"fragment1"), part(TEXT, b"fragment2"), whole(CONTINUATION, b"fragment3")]
        };
        [once(), once()].concat()
    };
    hold(vec![
        Case::closed("5.1", vec![part(PING, b"a"), whole(CONTINUATION, b"b")], Vec::new(), WRONG),
        Case::closed("5.2", vec![part(PONG, b"a"), whole(CONTINUATION, b"b")], Vec::new(), WRONG),
        Case::right("5.3 to 5.5", two(), vec![both()]),
        Case::right("5.6 to 5.8", pinged, vec![pong(b"ping"), both()]),
        Case::closed("5.9 to 5.11", stray(whole(CONTINUATION, b"stray")), Vec::new(), WRONG),
        Case::closed("5.12 to 5.14", stray(part(CONTINUATION, b"stray")), Vec::new(), WRONG),
        Case::closed(
            "5.15",
            [two(), vec![part(CONTINUATION, b"fragment3"), whole(TEXT, b"fragment4")]].concat(),
            vec![both()],
            WRONG,
        ),
        Case::closed("5.16", mixed(part), Vec::new(), WRONG),
        Case::closed("5.17", mixed(whole), Vec::new(), WRONG),
        Case::closed("5.18", vec![part(TEXT, b"fragment1"), whole(TEXT, b"fragment2")], Vec::new(), WRONG),
        Case::right(
            "5.19 and 5.20",
            vec![
                part(CONTINUATION, b"3"),
                part(CONTINUATION, b"4"),
                whole(PING, b"second"),
                whole(CONTINUATION, b"5"),
            ],
            vec![pong(b"second"), text(b"12345")],
        )
        .after(vec![part(TEXT, b"1"), part(CONTINUATION, b"2"), whole(PING, b"first")], pong(b"first")),
    ])
    .await;
}
