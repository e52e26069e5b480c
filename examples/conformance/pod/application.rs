//! The small application that suites of Socket.IO expect, on the service's decoder and encoder.

use std::{collections::HashSet, net::IpAddr, sync::Arc, time::Instant};

use bytes::Bytes;
use party_gallery::realtime::{Decoder, Head, Packet, PacketKind, ROOT, encode};
use party_gallery_actors::realtime::{
    Action, Close, Frame, Identity, Opening, Protocol, Received, engine::message,
};
use serde_json::value::RawValue;

use super::{
    draw,
    echo::{Silence, somebody},
    halls::{Halls, Stay},
};

/// Emits nothing.
const QUIET: &str = "/quiet";
const NAMESPACES: [&str; 3] = [ROOT, "/custom", QUIET];

const NOT_A_PACKET: Close = Close::new(1002, "not a Socket.IO packet");

/// What opens a session whose packets may have attachments of `max_bytes`.
pub(super) fn open(halls: Arc<Halls>, address: IpAddr, max_bytes: usize) -> Opening {
    let identity = somebody(Instant::now());
    let application = Application {
        decoder: Decoder::new(max_bytes),
        identity,
        inside: HashSet::new(),
        stay: Stay::new(halls, identity.subject),
    };
    Opening { protocol: Box::new(application), notices: Arc::new(Silence), address, identity: None }
}

struct Application {
    decoder: Decoder,
    /// Whose session it is from the first CONNECT on.
    identity: Identity,
    /// The namespaces that its client is in.
    inside: HashSet<&'static str>,
    stay: Stay,
}

impl Protocol for Application {
    fn on_received(&mut self, received: Received, now: Instant) -> Vec<Action> {
        let Ok(whole) = self.decoder.take(received) else { return vec![Action::Close(NOT_A_PACKET)] };
        let Some(whole) = whole else { return Vec::new() };
        let served = whole.packet().ok().and_then(|packet| self.serve(&packet, &whole.attachments, now));
        served.unwrap_or_else(|| vec![Action::Close(NOT_A_PACKET)])
    }

    fn on_crowded(&mut self, received: Received, now: Instant) -> Vec<Action> {
        self.on_received(received, now)
    }
}

impl Application {
    /// What follows a packet. `None`: it is not in its turn.
    fn serve(&mut self, packet: &Packet<'_>, attachments: &[Bytes], now: Instant) -> Option<Vec<Action>> {
        let Some(namespace) = NAMESPACES.into_iter().find(|namespace| *namespace == packet.namespace) else {
            let invalid = text(Head::Refused, packet.namespace, r#"{"message":"Invalid namespace"}"#);
            return (packet.kind == PacketKind::Connect).then_some(vec![Action::Send(invalid)]);
        };
        let is_inside = self.inside.contains(namespace);
        match packet.kind {
            PacketKind::Connect if !is_inside => Some(self.connect(namespace, packet.data)),
            PacketKind::Disconnect if is_inside => {
                self.inside.remove(namespace);
                self.stay.leave_all(namespace);
                Some(Vec::new())
            }
            PacketKind::Event if is_inside => {
                let arguments = packet.arguments();
                let (name, arguments) = arguments.split_first()?;
                let event = Event { namespace, id: packet.id, arguments, attachments };
                self.hear(&serde_json::from_str::<String>(name.get()).ok()?, &event, now)
            }
            // Nothing is asked of clients that they would acknowledge
            PacketKind::Ack if is_inside => Some(Vec::new()),
            _ => None,
        }
    }

    fn connect(&mut self, namespace: &'static str, auth: Option<&RawValue>) -> Vec<Action> {
        self.inside.insert(namespace);
        let answer = format!(r#"{{"sid":"{}"}}"#, draw());
        let auth = format!(r#"["auth",{}]"#, auth.map_or("{}", RawValue::get));
        let auth = (namespace != QUIET).then(|| text(Head::Event, namespace, &auth));
        let said = [Some(text(Head::Connected, namespace, &answer)), auth];
        vec![Action::Identify(self.identity), Action::SendAll(said.into_iter().flatten().collect())]
    }

    fn hear(&mut self, name: &str, event: &Event<'_>, now: Instant) -> Option<Vec<Action>> {
        let said = match (name, event.id) {
            ("message", _) => event.emit("message-back", event.arguments),
            ("message-with-ack", Some(id)) => event.packet(Head::Ack(id), None, event.arguments),
            ("join" | "leave" | "pub", id) => {
                let (room, arguments) = event.arguments.split_first()?;
                let room = serde_json::from_str(room.get()).ok()?;
                match name {
                    "join" => {
                        if !self.stay.join(event.namespace, room) {
                            return Some(vec![Action::Close(Close::ABUSE)]);
                        }
                    }
                    "leave" => self.stay.leave(event.namespace, room),
                    _ => {
                        let told = event.emit("m", arguments.get(..1).unwrap_or_default());
                        self.stay.say(event.namespace, room, &told, now);
                    }
                }
                id.map(|id| text(Head::Ack(id), event.namespace, "[]")).into_iter().collect()
            }
            _ => Vec::new(),
        };
        Some(vec![Action::SendAll(said)])
    }
}

/// An event as it came.
struct Event<'a> {
    namespace: &'static str,
    id: Option<u64>,
    /// Without its name.
    arguments: &'a [&'a RawValue],
    attachments: &'a [Bytes],
}

impl Event<'_> {
    /// An event with these of its arguments; nothing where nothing is emitted.
    fn emit(&self, name: &str, arguments: &[&RawValue]) -> Vec<Frame> {
        if self.namespace == QUIET { Vec::new() } else { self.packet(Head::Event, Some(name), arguments) }
    }

    /// A packet with all that is binary in its arguments.
    fn packet(&self, head: Head, name: Option<&str>, arguments: &[&RawValue]) -> Vec<Frame> {
        let name = name.map(|name| format!("\"{name}\""));
        let elements: Vec<_> =
            name.as_deref().into_iter().chain(arguments.iter().map(|argument| argument.get())).collect();
        let data = format!("[{}]", elements.join(","));
        let header = message(&encode(head, self.namespace, &data, self.attachments.len()));
        let attached = self.attachments.iter().map(|bytes| Frame::binary(bytes.clone()));
        std::iter::once(header).chain(attached).collect()
    }
}

fn text(head: Head, namespace: &str, data: &str) -> Frame {
    message(&encode(head, namespace, data, 0))
}
