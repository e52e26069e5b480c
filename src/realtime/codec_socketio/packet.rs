//! The packets of Socket.IO: <https://github.com/socketio/socket.io-protocol>, version 5.

use std::fmt::Write as _;

use serde::Deserialize as _;
use serde_json::value::RawValue;

/// The namespace of packets that name none.
pub const ROOT: &str = "/";

/// The longest name of a namespace, in bytes.
const MAX_NAMESPACE: usize = 128;
/// How many attachments a packet may have.
const MAX_ATTACHMENTS: usize = 16;
/// How deep the JSON of a packet may be nested, an event's own array included.
const MAX_DEPTH: usize = 32;

/// What sort of packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Into a namespace; its data is an object, if there is any.
    Connect,
    /// Out of a namespace.
    Disconnect,
    /// An event's name and its arguments.
    Event,
    /// The arguments of an acknowledgement.
    Ack,
}

/// A packet that a client may send.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// What sort.
    pub kind: Kind,
    /// Of which namespace.
    pub namespace: &'a str,
    /// Under which number it is acknowledged, or acknowledges.
    pub id: Option<u64>,
    /// Valid JSON.
    pub data: Option<&'a RawValue>,
    /// How many binary messages follow and belong to it.
    pub attachments: usize,
}

/// Why a text is not a packet that a client may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not the protocol.
    Malformed,
    /// An event that is nested too deeply, under this number.
    TooDeep(Option<u64>),
}

impl<'a> Packet<'a> {
    /// Reads a text.
    ///
    /// # Errors
    ///
    /// [`Fault`].
    pub fn decode(text: &'a str) -> Result<Self, Fault> {
        Self::parse(text).ok_or(Fault::Malformed).and_then(|packet| {
            let depth = packet.data.map_or(0, |data| super::super::codec_json::depth(data.get().as_bytes()));
            if depth <= MAX_DEPTH {
                Ok(packet)
            } else if packet.kind == Kind::Event {
                Err(Fault::TooDeep(packet.id))
            } else {
                Err(Fault::Malformed)
            }
        })
    }

    fn parse(text: &'a str) -> Option<Self> {
        let (kind, rest) = text.split_at_checked(1)?;
        let (kind, is_binary) = match kind {
            "0" => (Kind::Connect, false),
            "1" => (Kind::Disconnect, false),
            "2" => (Kind::Event, false),
            "3" => (Kind::Ack, false),
            "5" => (Kind::Event, true),
            "6" => (Kind::Ack, true),
            _ => return None,
        };
        let (attachments, rest) = if is_binary {
            let (count, rest) = rest.split_once('-')?;
            (number(count)?, rest)
        } else {
            (0, rest)
        };
        let attachments = usize::try_from(attachments).ok().filter(|count| *count <= MAX_ATTACHMENTS)?;
        let (namespace, rest) = match rest.starts_with('/') {
            true => rest.split_once(',').unwrap_or((rest, "")),
            false => (ROOT, rest),
        };
        if namespace.len() > MAX_NAMESPACE {
            return None;
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (id, rest) = rest.split_at_checked(digits)?;
        let id = if id.is_empty() { None } else { Some(number(id)?) };
        let data: Option<&RawValue> =
            if rest.is_empty() { None } else { Some(serde_json::from_str(rest).ok()?) };
        let first = data.and_then(|data| data.get().bytes().next());
        let is_fit = match kind {
            Kind::Connect => id.is_none() && first.is_none_or(|first| first == b'{'),
            Kind::Disconnect => id.is_none() && first.is_none(),
            Kind::Event => first == Some(b'['),
            Kind::Ack => id.is_some() && first == Some(b'['),
        };
        is_fit.then_some(Self { kind, namespace, id, data, attachments })
    }

    /// The elements of its array, each valid JSON.
    pub fn arguments(&self) -> Vec<&'a RawValue> {
        let data = self.data.and_then(|data| {
            let mut reader = serde_json::Deserializer::from_str(data.get());
            Vec::deserialize(&mut reader).ok()
        });
        data.unwrap_or_default()
    }
}

/// A whole number that clients can count to.
fn number(digits: &str) -> Option<u64> {
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_plain)
}

/// What the server sends: a head, to which JSON is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// The session is in the namespace.
    Connected,
    /// The session is out of it.
    Disconnected,
    /// An event.
    Event,
    /// An acknowledgement.
    Ack(u64),
    /// The session is not let in.
    Refused,
}

/// The text of a packet of `namespace`, whose JSON is `data`, with that many attachments.
pub fn encode(head: Head, namespace: &str, data: &str, attachments: usize) -> String {
    let mut text = String::with_capacity(data.len() + namespace.len() + 24);
    text.push(match (head, attachments) {
        (Head::Connected, _) => '0',
        (Head::Disconnected, _) => '1',
        (Head::Event, 0) => '2',
        (Head::Ack(_), 0) => '3',
        (Head::Refused, _) => '4',
        (Head::Event, _) => '5',
        (Head::Ack(_), _) => '6',
    });
    if attachments > 0 {
        // Nothing that is written to memory fails
        _ = write!(text, "{attachments}-");
    }
    if namespace != ROOT {
        text.push_str(namespace);
        text.push(',');
    }
    if let Head::Ack(id) = head {
        _ = write!(text, "{id}");
    }
    text.push_str(data);
    text
}
