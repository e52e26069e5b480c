//! The packets of Engine.IO: <https://github.com/socketio/engine.io-protocol>, version 4.

use bytes::Bytes;

use crate::realtime::{Frame, Received};

/// Packets that the server sends besides messages.
pub(super) const CLOSE: &str = "1";
pub(super) const PING: &str = "2";
/// The ping as a socket is written it: a text.
pub(in crate::realtime) const PING_FRAME: &[u8] = &[0x81, 1, b'2'];
pub(super) const PROBED: &str = "3probe";
pub(super) const NOOP: &str = "6";

/// What a client may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Packet {
    Close,
    /// On a socket that may become the session's.
    Probe,
    Pong,
    Message(Received),
    /// The socket is the session's from now on.
    Upgrade,
    Noop,
}

impl Packet {
    /// The packet that a text is, valid UTF-8. `None`: not one that a client may send.
    pub(super) fn decode(text: &Bytes) -> Option<Self> {
        match text.as_ref() {
            b"1" => Some(Self::Close),
            b"2probe" => Some(Self::Probe),
            b"3" => Some(Self::Pong),
            [b'4', ..] => Some(Self::Message(Received::Text(text.slice(1..)))),
            b"5" => Some(Self::Upgrade),
            b"6" => Some(Self::Noop),
            _ => None,
        }
    }
}

/// A text message as Engine.IO frames it. A binary one is a binary frame as it is.
pub fn message(text: &str) -> Frame {
    Frame::text(["4", text].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packets_that_a_client_may_send() {
        let said = |text: &'static str| Received::Text(Bytes::from_static(text.as_bytes()));
        for (text, packet) in [
            ("1", Some(Packet::Close)),
            ("2probe", Some(Packet::Probe)),
            ("3", Some(Packet::Pong)),
            ("4", Some(Packet::Message(said("")))),
            ("4hello", Some(Packet::Message(said("hello")))),
            ("42[\"€\"]", Some(Packet::Message(said("2[\"€\"]")))),
            ("5", Some(Packet::Upgrade)),
            ("6", Some(Packet::Noop)),
            ("", None),
            ("0{}", None),
            ("1x", None),
            ("2", None),
            ("3probe", None),
            ("7", None),
            ("abc", None),
            ("\u{1e}", None),
        ] {
            assert_eq!(Packet::decode(&Bytes::from_static(text.as_bytes())), packet, "{text:?}");
        }
    }
}
