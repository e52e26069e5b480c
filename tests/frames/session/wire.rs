//! The two codecs: how a session is opened in each, and what its frames say.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Instant,
};

use party_gallery::realtime::{
    Authenticator as _, Close, Frame, Packet, PacketKind, Rooms, open, open_socketio,
};
use party_gallery_actors::realtime::Opening;
use serde_json::{Value, value::RawValue};

use super::rooms::Tokens;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// What a frame says.
#[derive(Debug)]
pub(super) struct Sent {
    /// The number that it answers.
    pub(super) ack: Option<u64>,
    pub(super) is_refusal: bool,
}

/// A codec, as a client of one session meets it.
pub(super) trait Wire {
    fn open(&self, is_known: bool, rooms: Arc<dyn Rooms>, now: Instant) -> Opening;

    /// What a frame says, which must be one of the codec's. `None`: what is binary, and was announced.
    fn read(&mut self, frame: &Frame) -> Option<Sent>;

    /// Whether the protocol may close so, besides for abuse.
    fn may_close(&self, close: Close) -> bool;

    fn is_in_packets(&self) -> bool;
}

/// A refusal has a code, and words.
fn look_at(error: &Value) {
    assert!(error["code"].is_string() && error["message"].is_string(), "{error}");
}

/// That of `/ws`.
pub(super) struct Json;

impl Wire for Json {
    fn open(&self, is_known: bool, rooms: Arc<dyn Rooms>, now: Instant) -> Opening {
        let caller = is_known.then(|| Tokens.verify("user 1").unwrap());
        open(Arc::new(Tokens), Some(rooms), caller, HERE, now)
    }

    fn read(&mut self, frame: &Frame) -> Option<Sent> {
        assert!(frame.is_text(), "{frame:?}");
        // What comes back of a client's own need not make sense
        let sent: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(frame.bytes()).expect("an object");
        let members: Vec<_> = sent.keys().map(String::as_str).collect();
        let is_refusal = match members.as_slice() {
            ["ack", "data"] => false,
            ["ack", "error"] => true,
            ["data", "event"] => sent["event"].get() == r#""error""#,
            other => panic!("no frame of ours: {other:?}"),
        };
        if is_refusal {
            let error = if members[0] == "ack" { &sent["error"] } else { &sent["data"] };
            look_at(&serde_json::from_str(error.get()).expect("JSON"));
        }
        let ack = sent.get("ack").map(|id| serde_json::from_str(id.get()).expect("a number"));
        Some(Sent { ack, is_refusal })
    }

    fn may_close(&self, _: Close) -> bool {
        false
    }

    fn is_in_packets(&self) -> bool {
        false
    }
}

/// Socket.IO's.
#[derive(Default)]
pub(super) struct Packets {
    /// How much that is binary has yet to follow.
    missing: usize,
}

impl Wire for Packets {
    fn open(&self, _: bool, rooms: Arc<dyn Rooms>, _: Instant) -> Opening {
        open_socketio(Arc::new(Tokens), Some(rooms), HERE, "name".to_owned())
    }

    fn read(&mut self, frame: &Frame) -> Option<Sent> {
        if !frame.is_text() {
            self.missing = self.missing.checked_sub(1).expect("it was announced");
            return None;
        }
        assert_eq!(self.missing, 0, "something else was to follow");
        let text = std::str::from_utf8(frame.bytes()).expect("text");
        let text = text.strip_prefix('4').expect("a message of Engine.IO");
        if let Some(refused) = text.strip_prefix('4') {
            let of_another = refused.strip_prefix('/').and_then(|rest| rest.split_once(','));
            let reason = of_another.map_or(refused, |(_namespace, reason)| reason);
            let reason: Value = serde_json::from_str(reason).expect("JSON");
            assert!(reason["message"].is_string(), "{reason}");
            return Some(Sent { ack: None, is_refusal: true });
        }
        let packet = Packet::decode(text).expect("a packet");
        self.missing = packet.attachments;
        let arguments = packet.arguments();
        let error = match packet.kind {
            PacketKind::Connect => {
                assert_eq!(packet.data.map(RawValue::get), Some(r#"{"sid":"name"}"#));
                None
            }
            PacketKind::Event => {
                assert_eq!(arguments.len(), 2, "{text}");
                (arguments[0].get() == r#""error""#).then(|| arguments[1].get().to_owned())
            }
            PacketKind::Ack => {
                assert_eq!(arguments.len(), 1, "{text}");
                let refused = arguments[0].get().strip_prefix(r#"{"error":"#);
                refused.and_then(|rest| rest.strip_suffix('}')).map(str::to_owned)
            }
            PacketKind::Disconnect => panic!("nothing that the protocol says"),
        };
        if let Some(error) = &error {
            look_at(&serde_json::from_str(error).expect("JSON"));
        }
        Some(Sent { ack: packet.id, is_refusal: error.is_some() })
    }

    fn may_close(&self, close: Close) -> bool {
        // A goodbye, or not the protocol
        close == Close::NORMAL || close.code == 1002
    }

    fn is_in_packets(&self) -> bool {
        true
    }
}
