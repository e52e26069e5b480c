//! Many packets in one body, as long-polling carries them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::packet::{CLOSE, PING, Packet};
use crate::realtime::{Close, Frame, Notices, Received, outbox::Batch};

/// Between two packets.
const SEPARATOR: char = '\u{1e}';
/// Ahead of what is binary, in base64.
const BINARY: u8 = b'b';

/// How many packets a client takes in one body: python-engineio no more than these.
const PACKETS_OUT: usize = 16;
/// A close with what goes out ahead of it, and the bytes that are more than enough for them.
const LAST_PACKETS: usize = 3;
const LAST_BYTES: usize = 1024;

/// Why a body is none of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Malformed,
    TooBig,
}

/// What a client may send in one body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) packets: usize,
    /// Of one message.
    pub(super) bytes: usize,
}

/// Takes a body apart: all of it or nothing.
pub(super) fn decode(body: &Bytes, limits: Limits) -> Result<Vec<Packet>, Fault> {
    let mut packets = Vec::new();
    for part in body.split(|byte| char::from(*byte) == SEPARATOR) {
        if packets.len() >= limits.packets {
            return Err(Fault::TooBig);
        }
        packets.push(packet(&body.slice_ref(part), limits.bytes)?);
    }
    Ok(packets)
}

fn packet(part: &Bytes, max_bytes: usize) -> Result<Packet, Fault> {
    let packet = match part.split_first() {
        Some((&BINARY, encoded)) => {
            // Three bytes in four; what is longer need not be read
            if encoded.len() / 4 * 3 > max_bytes.saturating_add(2) {
                return Err(Fault::TooBig);
            }
            let bytes = STANDARD.decode(encoded).map_err(|_details| Fault::Malformed)?;
            Packet::Message(Received::Binary(bytes.into()))
        }
        _ if std::str::from_utf8(part).is_err() => return Err(Fault::Malformed),
        _ => Packet::decode(part).ok_or(Fault::Malformed)?,
    };
    match &packet {
        Packet::Message(received) if received.len() > max_bytes => Err(Fault::TooBig),
        _ => Ok(packet),
    }
}

/// What one answer may still take.
pub(super) struct Room {
    packets: usize,
    bytes: usize,
    is_empty: bool,
}

impl Room {
    /// Room for about `max_bytes`, with a ping ahead and a close behind.
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            packets: PACKETS_OUT - LAST_PACKETS,
            bytes: max_bytes.saturating_sub(LAST_BYTES),
            is_empty: true,
        }
    }

    /// Whether there is room for `frame`; it is taken then. The first has room, whatever its size.
    pub(super) fn take(&mut self, frame: &Frame) -> bool {
        let size =
            1 + if frame.is_text() { frame.bytes().len() } else { 1 + frame.bytes().len().div_ceil(3) * 4 };
        if self.packets == 0 || (size > self.bytes && !self.is_empty) {
            return false;
        }
        self.packets -= 1;
        self.bytes = self.bytes.saturating_sub(size);
        self.is_empty = false;
        true
    }
}

/// The body for what an outbox has given.
pub(super) fn encode(batch: &Batch, notices: &dyn Notices) -> String {
    let mut body = String::with_capacity(batch.frames.iter().map(|frame| frame.bytes().len() + 8).sum());
    if batch.ping {
        append(&mut body, PING);
    }
    for frame in &batch.frames {
        append_frame(&mut body, frame);
    }
    if let Some(close) = batch.close {
        for frame in notices.farewell(close) {
            append_frame(&mut body, &frame);
        }
        append(&mut body, last(close));
    }
    body
}

/// How the end is told: who has said it themselves is only let go.
fn last(close: Close) -> &'static str {
    if close == Close::NORMAL { super::packet::NOOP } else { CLOSE }
}

fn append_frame(body: &mut String, frame: &Frame) {
    match std::str::from_utf8(frame.bytes()) {
        Ok(text) if frame.is_text() => append(body, text),
        _ => {
            append(body, "b");
            STANDARD.encode_string(frame.bytes(), body);
        }
    }
}

fn append(body: &mut String, packet: &str) {
    if !body.is_empty() {
        body.push(SEPARATOR);
    }
    body.push_str(packet);
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits { packets: 4, bytes: 10 };

    struct Farewell;

    impl Notices for Farewell {
        fn expiring(&self) -> Option<Frame> {
            None
        }
        fn draining(&self, _: Duration) -> Option<Frame> {
            None
        }
        fn farewell(&self, close: Close) -> Vec<Frame> {
            if close == Close::REMOVED { vec![Frame::text("4gone"), Frame::text("41")] } else { Vec::new() }
        }
    }

    fn text(text: &'static str) -> Packet {
        Packet::Message(Received::Text(Bytes::from_static(text.as_bytes())))
    }

    fn binary(bytes: &'static [u8]) -> Packet {
        Packet::Message(Received::Binary(Bytes::from_static(bytes)))
    }

    #[test]
    fn a_body_is_taken_apart() {
        for (body, packets) in [
            ("4hello", Ok(vec![text("hello")])),
            ("4a\x1e4b\x1e3", Ok(vec![text("a"), text("b"), Packet::Pong])),
            ("4hello\x1ebAQIDBA==", Ok(vec![text("hello"), binary(&[1, 2, 3, 4])])),
            ("b", Ok(vec![binary(b"")])),
            ("4123456789\u{df}", Err(Fault::TooBig)),
            ("412345678\u{df}", Ok(vec![text("12345678\u{df}")])),
            ("bMTIzNDU2Nzg5MDE=", Err(Fault::TooBig)),
            ("4\x1e4\x1e4\x1e4\x1e4", Err(Fault::TooBig)),
            ("", Err(Fault::Malformed)),
            ("\x1e", Err(Fault::Malformed)),
            ("4a\x1e", Err(Fault::Malformed)),
            ("abc", Err(Fault::Malformed)),
            ("bA", Err(Fault::Malformed)),
            ("b!!!!", Err(Fault::Malformed)),
            ("0{}", Err(Fault::Malformed)),
        ] {
            assert_eq!(decode(&Bytes::from_static(body.as_bytes()), LIMITS), packets, "{body:?}");
        }
        assert_eq!(decode(&Bytes::from_static(&[b'4', 0xff]), LIMITS), Err(Fault::Malformed));
    }

    #[test]
    fn three_hundred_thousand_packets_are_refused_in_milliseconds() {
        let body = Bytes::from("4\x1e".repeat(300_000));
        let start = Instant::now();
        assert_eq!(decode(&body, Limits { packets: 256, bytes: 1000 }), Err(Fault::TooBig));
        assert!(start.elapsed() < Duration::from_millis(50), "{:?}", start.elapsed());
    }

    #[test]
    fn an_answer_holds_at_most_sixteen_packets_and_so_many_bytes() {
        let mut room = Room::new(1_000_000);
        assert_eq!((0..100).filter(|_| room.take(&Frame::text("4"))).count(), 13);
        let mut room = Room::new(LAST_BYTES + 100);
        assert!(room.take(&Frame::text("4".repeat(60))));
        assert!(!room.take(&Frame::text("4".repeat(60))));
        assert!(!room.take(&Frame::binary(vec![0; 30])), "base64 and its mark");
        assert!(room.take(&Frame::binary(vec![0; 27])));
        assert!(Room::new(0).take(&Frame::text("4".repeat(60))), "the first has room");
    }

    #[test]
    fn what_an_outbox_gives_becomes_a_body() {
        let batch = |frames: &[Frame], close| Batch { frames: frames.to_vec(), close, ..Batch::default() };
        let ping = Batch { ping: true, ..batch(&[Frame::text("4a")], None) };
        for (batch, body) in [
            (ping, "2\x1e4a"),
            (batch(&[Frame::text("451-[]"), Frame::binary(vec![1, 2, 3, 4])], None), "451-[]\x1ebAQIDBA=="),
            (batch(&[Frame::text("4a")], Some(Close::RESTARTING)), "4a\x1e1"),
            (batch(&[], Some(Close::NORMAL)), "6"),
            (batch(&[Frame::text("4a")], Some(Close::REMOVED)), "4a\x1e4gone\x1e41\x1e1"),
        ] {
            assert_eq!(encode(&batch, &Farewell), body);
        }
    }

    proptest! {
        #[test]
        fn no_body_can_panic_a_session(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            _ = decode(&Bytes::from(bytes), LIMITS);
        }

        #[test]
        fn what_is_sent_is_read_as_it_was(messages in prop::collection::vec((any::<bool>(), "[^\x1e]{0,20}"), 1..10)) {
            let frames = messages.iter().map(|(is_text, said)| match is_text {
                true => Frame::text(["4", said.as_str()].concat()),
                false => Frame::binary(said.clone()),
            });
            let body = encode(&Batch { frames: frames.collect(), ..Batch::default() }, &Farewell);
            let read = decode(&body.into(), Limits { packets: 10, bytes: 1000 }).unwrap();
            let sent: Vec<_> = messages.into_iter().map(|(is_text, said)| Packet::Message(match is_text {
                true => Received::Text(said.into()),
                false => Received::Binary(said.into()),
            })).collect();
            prop_assert_eq!(read, sent);
        }
    }
}
