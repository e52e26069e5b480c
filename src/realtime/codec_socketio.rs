//! The framing of `/socket.io/`: Socket.IO, version 5, one session in the default namespace.

mod decoder;
mod event;
mod packet;
#[cfg(test)]
mod tests;

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use party_gallery_actors::realtime::{
    Action, Close, Frame, Notices, Opening, Position, Protocol, Received, Topic, engine::message,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use self::{
    decoder::{Decoder, Whole},
    packet::{Fault, Head, Kind as PacketKind, Packet, ROOT, encode},
};
use super::{
    acting::{Words, act_all},
    codec_json::JsonNotices,
    principal::Authenticator,
    protocol::{Conversation, Data, Malformed, Request, Step},
    recovery::Track,
    refusal::Refusal,
    rooms::Rooms,
};

const NOT_A_PACKET: Close = Close::new(1002, "not a Socket.IO packet");

const NO_NAMESPACE: Refusal = Refusal::new("NOT_FOUND", "Invalid namespace");
const NO_NAME: Refusal = Refusal::new("MALFORMED_BODY", "an event begins with its name");
const TOO_DEEP: Refusal = Refusal::new("MALFORMED_BODY", "nested too deeply");

/// Under what number a CONNECT is asked of the conversation.
const CONNECT: u64 = 0;

/// What opens a session on `/socket.io/`. `name`: what its client is told that the session is called; it opens nothing.
pub fn open(
    authenticator: Arc<dyn Authenticator>,
    rooms: Option<Arc<dyn Rooms>>,
    address: IpAddr,
    name: String,
) -> Opening {
    let (is_connected, track) = (Arc::<AtomicBool>::default(), Track::default());
    let conversation = Conversation::new(authenticator, rooms, None).recoverable(track.clone());
    let notices = SocketIoNotices { is_connected: Arc::clone(&is_connected), track: track.clone() };
    Opening {
        protocol: Box::new(SocketIoSession {
            conversation,
            decoder: Decoder::default(),
            is_connected,
            track,
            name: name.into(),
        }),
        notices: Arc::new(notices),
        address,
        identity: None,
    }
}

/// A conversation in Socket.IO.
#[derive(Debug)]
pub struct SocketIoSession {
    conversation: Conversation,
    decoder: Decoder,
    /// Whether its client is in the default namespace.
    is_connected: Arc<AtomicBool>,
    track: Track,
    name: Arc<str>,
}

impl Protocol for SocketIoSession {
    fn on_received(&mut self, received: Received, now: Instant) -> Vec<Action> {
        if received == Received::Other {
            return self.say(Vec::new(), |conversation| conversation.on_other(now), now);
        }
        match self.decoder.take(received) {
            Ok(None) => self.say(Vec::new(), |conversation| conversation.on_other(now), now),
            Ok(Some(whole)) => match whole.packet() {
                Ok(packet) => self.serve(packet, whole.attachments.clone(), now),
                Err(fault) => self.refuse(fault, now),
            },
            Err(fault) => self.refuse(fault, now),
        }
    }

    fn on_crowded(&mut self, received: Received, now: Instant) -> Vec<Action> {
        let text = if let Received::Text(text) = &received { std::str::from_utf8(text).ok() } else { None };
        match text.map(Packet::decode) {
            Some(Ok(packet)) if packet.attachments == 0 => {
                let request = Err(Malformed { id: packet.id, refusal: TOO_DEEP });
                self.say(Vec::new(), |conversation| conversation.on_crowded(&request, now), now)
            }
            Some(Err(Fault::TooDeep(id))) => self.refuse(Fault::TooDeep(id), now),
            // What is left out of something that belongs together leaves nothing that could be read
            _ => vec![Action::Close(Close::ABUSE)],
        }
    }
}

impl SocketIoSession {
    fn serve(&mut self, packet: Packet<'_>, attachments: Vec<Bytes>, now: Instant) -> Vec<Action> {
        let is_connected = self.is_connected.load(Ordering::Acquire);
        match packet.kind {
            PacketKind::Connect if packet.namespace != ROOT => {
                let words = Connecting { namespace: packet.namespace.into(), ..self.connecting() };
                let request = Err(Malformed { id: Some(CONNECT), refusal: NO_NAMESPACE });
                act_all(self.conversation.on_request(request, now), &words, now)
            }
            PacketKind::Connect if !is_connected => self.connect(&packet, now),
            PacketKind::Disconnect if is_connected && packet.namespace == ROOT => {
                self.is_connected.store(false, Ordering::Release);
                vec![Action::Close(Close::NORMAL)]
            }
            PacketKind::Event if is_connected && packet.namespace == ROOT => {
                let arguments = packet.arguments();
                let name = arguments.first().and_then(|name| serde_json::from_str(name.get()).ok());
                let request = match name {
                    Some(event) => Ok(Request { id: packet.id, event, data: arguments.get(1).copied() }),
                    None => Err(Malformed { id: packet.id, refusal: NO_NAME }),
                };
                self.say(attachments, |conversation| conversation.on_request(request, now), now)
            }
            // Nothing is asked of clients that they would acknowledge
            PacketKind::Ack if is_connected => {
                self.say(Vec::new(), |conversation| conversation.on_other(now), now)
            }
            _ => vec![Action::Close(NOT_A_PACKET)],
        }
    }

    fn connect(&mut self, packet: &Packet<'_>, now: Instant) -> Vec<Action> {
        #[derive(Deserialize)]
        struct Auth<'a> {
            #[serde(borrow)]
            token: &'a RawValue,
        }
        let is_auth = |data: &&RawValue| {
            let auth: Option<Auth<'_>> = serde_json::from_str(data.get()).ok();
            auth.is_some_and(|auth| auth.token.get().starts_with('"'))
        };
        let request = match packet.data.filter(is_auth) {
            data @ Some(_) => Ok(Request { id: Some(CONNECT), event: "auth", data }),
            None => Err(Malformed { id: Some(CONNECT), refusal: Refusal::NOT_AUTHENTICATED }),
        };
        let words = self.connecting();
        act_all(self.conversation.on_request(request, now), &words, now)
    }

    fn connecting(&self) -> Connecting {
        Connecting {
            namespace: ROOT.into(),
            name: Arc::clone(&self.name),
            is_connected: Arc::clone(&self.is_connected),
            track: self.track.clone(),
        }
    }

    fn refuse(&mut self, fault: Fault, now: Instant) -> Vec<Action> {
        match fault {
            Fault::TooDeep(id) if self.is_connected.load(Ordering::Acquire) => {
                let request = Err(Malformed { id, refusal: TOO_DEEP });
                self.say(Vec::new(), |conversation| conversation.on_request(request, now), now)
            }
            Fault::TooDeep(_) | Fault::Malformed => vec![Action::Close(NOT_A_PACKET)],
        }
    }

    fn say<'a>(
        &mut self,
        attachments: Vec<Bytes>,
        decide: impl FnOnce(&mut Conversation) -> Vec<Step<'a>>,
        now: Instant,
    ) -> Vec<Action> {
        act_all(decide(&mut self.conversation), &Talking { attachments: attachments.into() }, now)
    }
}

/// The words for who comes in.
#[derive(Clone)]
struct Connecting {
    namespace: Arc<str>,
    name: Arc<str>,
    is_connected: Arc<AtomicBool>,
    track: Track,
}

impl Words for Connecting {
    fn answer(&self, _: u64, _: &Data<'_>) -> Vec<Frame> {
        #[derive(Serialize)]
        struct Connected<'a> {
            sid: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            pid: Option<&'a str>,
        }
        self.is_connected.store(true, Ordering::Release);
        let connected = Connected { sid: &self.name, pid: self.track.pid() };
        vec![packet(Head::Connected, &self.namespace, &connected)]
    }

    fn emit(&self, event: &'static str, data: &Data<'_>) -> Vec<Frame> {
        vec![packet(Head::Event, &self.namespace, &(event, data))]
    }

    fn refuse(&self, id: Option<u64>, refusal: Refusal) -> Vec<Frame> {
        if id.is_none() {
            // Of a room that it was to find itself in again
            return vec![packet(Head::Event, ROOT, &("error", refusal))];
        }
        if refusal == NO_NAMESPACE {
            // In the protocol's own words, which suites look at
            return vec![packet(
                Head::Refused,
                &self.namespace,
                &Rejected { message: refusal.message, data: None },
            )];
        }
        vec![rejection(&self.namespace, refusal)]
    }
}

#[derive(Serialize)]
struct Rejected {
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Code>,
}

#[derive(Serialize)]
struct Code {
    code: &'static str,
}

/// A CONNECT_ERROR.
fn rejection(namespace: &str, Refusal { code, message }: Refusal) -> Frame {
    packet(Head::Refused, namespace, &Rejected { message, data: Some(Code { code }) })
}

/// The words for who is in.
#[derive(Clone)]
struct Talking {
    /// What came with the request: it goes back with an echo.
    attachments: Arc<[Bytes]>,
}

impl Talking {
    fn say(&self, head: Head, data: &Data<'_>, arguments: &impl Serialize) -> Vec<Frame> {
        let attachments: &[Bytes] = if matches!(data, Data::Echo(Some(_))) { &self.attachments } else { &[] };
        let text = encode(head, ROOT, &json(arguments), attachments.len());
        let attached = attachments.iter().map(|bytes| Frame::binary(bytes.clone()));
        std::iter::once(message(&text)).chain(attached).collect()
    }
}

impl Words for Talking {
    fn answer(&self, id: u64, data: &Data<'_>) -> Vec<Frame> {
        self.say(Head::Ack(id), data, &[data])
    }

    fn emit(&self, event: &'static str, data: &Data<'_>) -> Vec<Frame> {
        self.say(Head::Event, data, &(event, data))
    }

    fn refuse(&self, id: Option<u64>, error: Refusal) -> Vec<Frame> {
        #[derive(Serialize)]
        struct Refused {
            error: Refusal,
        }
        vec![match id {
            Some(id) => packet(Head::Ack(id), ROOT, &[Refused { error }]),
            None => packet(Head::Event, ROOT, &("error", error)),
        }]
    }
}

/// What others than its protocol tell a session on Socket.IO.
#[derive(Debug)]
pub struct SocketIoNotices {
    is_connected: Arc<AtomicBool>,
    track: Track,
}

impl SocketIoNotices {
    fn is_connected(&self) -> bool {
        self.is_connected.load(Ordering::Acquire)
    }
}

impl Notices for SocketIoNotices {
    fn expiring(&self) -> Option<Frame> {
        JsonNotices.expiring().filter(|_| self.is_connected()).map(|frame| self.render(&frame))
    }

    fn draining(&self, reconnect_after: Duration) -> Option<Frame> {
        let notice = JsonNotices.draining(reconnect_after).filter(|_| self.is_connected());
        notice.map(|frame| self.render(&frame))
    }

    fn render(&self, event: &Frame) -> Frame {
        event.recoded(|json| String::from("4") + &event::translate(json))
    }

    fn render_logged(
        &self,
        event: &Frame,
        topic: Topic,
        positions: &mut dyn Iterator<Item = Position>,
    ) -> Frame {
        let frame = self.render(event);
        match self.track.reach(topic, positions) {
            Some(offset) => with_offset(&frame, &offset),
            None => frame,
        }
    }

    /// Who may come back hears of the end from the transport; who may not is sent out of the namespace.
    fn farewell(&self, close: Close) -> Vec<Frame> {
        let refusal = match close {
            Close::TOO_MANY => {
                return vec![rejection(ROOT, Refusal::new("QUOTA_EXCEEDED", "too many sessions"))];
            }
            Close::UNAUTHENTICATED => {
                Refusal::new("UNAUTHENTICATED", "the session's token is worth nothing any more")
            }
            Close::ABUSE => Refusal::new("RATE_LIMITED", "too many refused frames"),
            Close::REMOVED => Refusal::new("FORBIDDEN", "removed"),
            _ => return Vec::new(),
        };
        if !self.is_connected() {
            return Vec::new();
        }
        let error = packet(Head::Event, ROOT, &("error", refusal));
        vec![error, message(&encode(Head::Disconnected, ROOT, "", 0))]
    }
}

/// The event with one more argument; an offset needs no escapes.
fn with_offset(event: &Frame, offset: &str) -> Frame {
    match std::str::from_utf8(event.bytes()).ok().and_then(|text| text.strip_suffix(']')) {
        Some(text) => Frame::text([text, ",\"", offset, "\"]"].concat()),
        None => event.clone(),
    }
}

fn packet(head: Head, namespace: &str, data: &impl Serialize) -> Frame {
    message(&encode(head, namespace, &json(data), 0))
}

fn json(data: &impl Serialize) -> String {
    const FAILED: &str = r#"["error",{"code":"INTERNAL","message":"internal error"}]"#;
    serde_json::to_string(data).unwrap_or_else(|_| FAILED.to_owned())
}
