//! What comes of a client's bytes.

use proptest::prelude::*;
use tokio_tungstenite::tungstenite::protocol::frame::{
    Frame as Sent,
    coding::{Data, OpCode},
};

use super::*;

const MAX: usize = 65_536;
const MASK: [u8; 4] = [0x5a, 0x00, 0xff, 0x3c];

/// A masked frame, as a client sends it.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..126 => bytes.push(0x80 | u8::try_from(short).unwrap()),
        medium @ 126..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&u16::try_from(medium).unwrap().to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&MASK);
    bytes.extend(payload.iter().zip(MASK.into_iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// All that comes of `bytes` in pieces of `size`, up to the close that follows what is wrong.
fn decode(max: usize, bytes: &[u8], size: usize) -> Vec<Result<Incoming, Close>> {
    let mut decoder = Decoder::new(max);
    let mut all = Vec::new();
    for piece in bytes.chunks(size) {
        let mut piece = Bytes::copy_from_slice(piece);
        while let Some(next) = decoder.decode(&mut piece).transpose() {
            let is_over = next.is_err();
            all.push(next);
            if is_over {
                return all;
            }
        }
        assert!(piece.is_empty(), "what was not decoded is kept by the decoder");
        let kept = decoder.message.as_ref().map_or(0, |message| message.bytes.len());
        assert!(kept <= max && decoder.control.len() <= 125 && decoder.header.len() < 14);
    }
    all
}

fn text(text: &str) -> Result<Incoming, Close> {
    Ok(Incoming::Message(Received::Text(Bytes::copy_from_slice(text.as_bytes()))))
}

const OTHER: Result<Incoming, Close> = Ok(Incoming::Message(Received::Other));

#[test]
fn what_frames_bring() {
    let ping = Ok(Incoming::Ping(Bytes::from_static(b"p")));
    let binary = Ok(Incoming::Message(Received::Binary(Bytes::from_static(b"\xff"))));
    let close = |code: u16, reason: &[u8]| frame(0x88, &[&code.to_be_bytes(), reason].concat());
    let cases = [
        (vec![frame(0x81, "né".as_bytes()), frame(0x82, b"\xff")], vec![text("né"), binary]),
        (vec![frame(0x81, b""), frame(0x8a, b"x")], vec![text(""), OTHER]),
        // A scalar may be split between fragments, and control frames may come between
        (
            vec![frame(0x01, b"caf\xc3"), frame(0x89, b"p"), frame(0x00, b"\xa9"), frame(0x80, b"!")],
            vec![OTHER, ping, OTHER, text("café!")],
        ),
        (vec![frame(0x88, b"")], vec![Ok(Incoming::Goodbye)]),
        (vec![close(1000, "é".as_bytes())], vec![Ok(Incoming::Goodbye)]),
        (vec![close(1000, b"\xc3")], vec![Err(Close::INVALID)]),
        (vec![close(1005, b"")], vec![Err(Close::PROTOCOL)]),
        (vec![frame(0x88, b"x")], vec![Err(Close::PROTOCOL)]),
        // What is wrong does not take back what was right
        (vec![frame(0x81, b"a"), frame(0xc1, b"b")], vec![text("a"), Err(Close::PROTOCOL)]),
        (vec![frame(0x83, b"")], vec![Err(Close::PROTOCOL)]),
        (vec![frame(0x8b, b"")], vec![Err(Close::PROTOCOL)]),
        (vec![vec![0x81, 0x01]], vec![Err(Close::PROTOCOL)]),
        (vec![frame(0x80, b"")], vec![Err(Close::PROTOCOL)]),
        (vec![frame(0x01, b""), frame(0x81, b"")], vec![OTHER, Err(Close::PROTOCOL)]),
        (vec![frame(0x09, b"")], vec![Err(Close::PROTOCOL)]),
        (vec![frame(0x89, &[0; 126])], vec![Err(Close::PROTOCOL)]),
        (vec![frame(0x81, b"\xed\xa0\x80")], vec![Err(Close::INVALID)]),
        (vec![frame(0x01, b"\xc3"), frame(0x80, b"")], vec![OTHER, Err(Close::INVALID)]),
    ];
    for (frames, expected) in cases {
        let bytes = frames.concat();
        for size in [1, 2, 7, bytes.len()] {
            assert_eq!(decode(MAX, &bytes, size), expected, "{bytes:x?} in pieces of {size}");
        }
    }
}

#[test]
fn what_is_wrong_is_told_at_its_first_byte() {
    let bad_text = frame(0x01, b"fine\xf4\x90 and so on");
    for (bytes, needed, close) in [
        (frame(0x82, &vec![0; MAX + 1]), 14, Close::TOO_BIG),
        (bad_text, 6 + 6, Close::INVALID),
        (frame(0xf1, b"x"), 2, Close::PROTOCOL),
    ] {
        assert_eq!(decode(MAX, &bytes[..needed - 1], 1), []);
        assert_eq!(decode(MAX, &bytes[..needed], 1), [Err(close)]);
    }
}

#[test]
fn a_message_may_be_as_long_as_the_limit_and_no_longer() {
    let data = |first, length| frame(first, &vec![b'x'; length]);
    for (frames, admitted) in [
        (vec![data(0x81, MAX)], true),
        (vec![data(0x81, MAX + 1)], false),
        (vec![data(0x01, MAX), data(0x80, 0)], true),
        (vec![data(0x01, MAX), data(0x80, 1)], false),
        (vec![data(0x01, 40_000), data(0x89, 5), data(0x80, 40_000)], false),
        (vec![data(0x82, 40_000), data(0x82, 40_000)], true),
        (vec![data(0x89, MAX + 1)], false),
    ] {
        let last = decode(MAX, &frames.concat(), 1 << 20).pop().unwrap();
        assert_eq!(last == Err(Close::TOO_BIG), !admitted, "{last:?}");
    }
}

/// Frames that keep to the rules or not, as bytes.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        4 => prop::sample::select(vec![0x81_u8, 0x82, 0x01, 0x00, 0x80, 0x89, 0x8a, 0x88]),
        1 => any::<u8>(),
    ];
    let payload =
        prop_oneof!["\\PC{0,20}".prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..140)];
    let frame = (first, payload).prop_map(|(first, payload)| frame(first, &payload));
    prop::collection::vec(frame, 0..12).prop_map(|frames| frames.concat())
}

proptest! {
    /// In whatever pieces bytes come, the same comes of them; and none can panic a session.
    #[test]
    fn pieces_make_no_difference(
        bytes in prop_oneof![prop::collection::vec(any::<u8>(), 0..600), frames()],
        size in 1_usize..40,
    ) {
        let whole = decode(300, &bytes, usize::MAX);
        prop_assert_eq!(&whole, &decode(300, &bytes, size));
        prop_assert_eq!(&whole, &decode(300, &bytes, 1));
    }

    /// What another's client sends is understood.
    #[test]
    fn frames_of_another_hand_are_understood(
        parts in prop::collection::vec("\\PC{0,300}", 1..4),
        mask in any::<[u8; 4]>(),
        size in 1_usize..100,
    ) {
        let mut bytes = Vec::new();
        let last = parts.len() - 1;
        for (nth, part) in parts.iter().enumerate() {
            let opcode = if nth == 0 { Data::Text } else { Data::Continue };
            let mut frames = vec![Sent::message(part.clone(), OpCode::Data(opcode), nth == last)];
            if part.len() <= 125 {
                frames.push(Sent::pong(part.clone()));
            }
            for mut frame in frames {
                frame.header_mut().mask = Some(mask);
                frame.format(&mut bytes).unwrap();
            }
        }
        let all = decode(MAX, &bytes, size);
        let messages: Vec<_> = all.into_iter().filter(|incoming| *incoming != OTHER).collect();
        prop_assert_eq!(messages, [text(&parts.concat())]);
    }
}
