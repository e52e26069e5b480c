//! Sessions that a socket carries, from the beginning or after an upgrade.

use std::{
    cell::Cell,
    rc::Rc,
    sync::{Arc, Weak},
    task::Waker,
    time::Instant,
};

use actix_web::{HttpRequest, HttpResponse, web::Payload};
use bytes::Bytes;
use parking_lot::Mutex;
use slog::Logger;

use super::{
    error::EngineError,
    line::{Line, NOT_A_PACKET},
    packet::{PING, PROBED, Packet},
};
use crate::realtime::{
    Close, Entry, Frame, Opening, Received, Refused, Registry,
    decoder::Incoming,
    end::{BATCH_BYTES, End, Said},
    outbox::Batch,
    session::{carry, shake_hands},
};

/// Opens a session under `sid`, which nobody can guess, on a socket of its own.
///
/// # Errors
///
/// `Refused`, `Upgrade`; nothing is registered then.
pub(super) fn connect(
    request: &HttpRequest,
    payload: Payload,
    sid: &str,
    opening: Opening,
    registry: &Arc<Registry>,
    log: &Logger,
) -> Result<HttpResponse, EngineError> {
    let (response, cut) = shake_hands(request).map_err(EngineError::Upgrade)?;
    let now = Instant::now();
    let connection = Weak::clone(&cut);
    let line = Line::open(sid, opening, cut, true, registry, log, now).map_err(EngineError::Refused)?;
    // The first in its outbox: there is room
    _ = line.entry().outbox.push(Frame::text(line.greeting("")), now);
    let end = SocketEnd::new(line, Stage::Carries);
    Ok(carry(response, payload, connection, Rc::new(end), registry.config().message_bytes))
}

/// Lets a socket carry the session of that id, which requests carry so far, once its client says so on it. One that is too
/// much is closed at once.
///
/// # Errors
///
/// `Unknown`, `Refused`, `Upgrade`; the session goes on as it is.
pub(super) fn upgrade(
    request: &HttpRequest,
    payload: Payload,
    sid: &str,
    registry: &Registry,
) -> Result<HttpResponse, EngineError> {
    if registry.is_draining() {
        return Err(EngineError::Refused(Refused::Draining));
    }
    let now = Instant::now();
    let line = Line::find(registry, sid, now)?;
    let (response, cut) = shake_hands(request).map_err(EngineError::Upgrade)?;
    let connection = Weak::clone(&cut);
    let stage = if line.begin_probe(cut, now) { Stage::Probes } else { Stage::Over };
    let end = SocketEnd::new(line, stage);
    Ok(carry(response, payload, connection, Rc::new(end), registry.config().message_bytes))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It may carry the session soon.
    Probes,
    /// It carries the session.
    Carries,
    /// It is to be closed, and has never carried it.
    Over,
    /// And was told so.
    Closed,
}

/// Our end of a socket.
struct SocketEnd {
    line: Arc<Line>,
    stage: Cell<Stage>,
    /// Wakes the socket when it carries the session.
    waker: Mutex<Option<Waker>>,
}

impl SocketEnd {
    fn new(line: Arc<Line>, stage: Stage) -> Self {
        Self { line, stage: Cell::new(stage), waker: Mutex::default() }
    }

    fn turn(&self, stage: Stage) {
        self.stage.set(stage);
        if let Some(waker) = self.waker.lock().take() {
            waker.wake();
        }
    }

    /// What comes before the socket carries the session: one question, and then the word that it does.
    fn probe(&self, incoming: &Result<Incoming, Close>) -> Vec<Said> {
        let packet = match incoming {
            Ok(Incoming::Message(Received::Text(text))) => Packet::decode(text),
            _ => None,
        };
        match packet {
            Some(Packet::Probe) if self.line.answer_probe() => {
                return vec![Said::Text(Bytes::from_static(PROBED.as_bytes()))];
            }
            Some(Packet::Upgrade) if self.line.upgrade() => self.turn(Stage::Carries),
            _ => {
                self.line.end_probe();
                self.turn(Stage::Over);
            }
        }
        Vec::new()
    }
}

impl End for SocketEnd {
    fn entry(&self) -> &Arc<Entry> {
        self.line.entry()
    }

    fn carries(&self) -> bool {
        self.stage.get() == Stage::Carries
    }

    fn hear(&self, incoming: Result<Incoming, Close>, now: Instant) -> Vec<Said> {
        match self.stage.get() {
            Stage::Probes => return self.probe(&incoming),
            Stage::Over | Stage::Closed => return Vec::new(),
            Stage::Carries => {}
        }
        let entry = self.entry();
        match incoming {
            Ok(Incoming::Message(Received::Text(text))) => {
                let is_fit = Packet::decode(&text).is_some_and(|packet| self.line.receive(packet, now));
                if !is_fit {
                    entry.outbox.close(NOT_A_PACKET, now);
                }
            }
            Ok(Incoming::Message(received)) => self.line.dialogue.receive(received, now),
            Ok(Incoming::Ping(payload)) => {
                entry.outbox.pong(payload);
                self.line.dialogue.receive(Received::Other, now);
            }
            Ok(Incoming::Goodbye) => {
                entry.note_goodbye();
                entry.outbox.close(Close::NORMAL, now);
            }
            Err(Close::TOO_BIG) => entry.outbox.close_at_once(Close::TOO_BIG, now),
            // What came before it was right and keeps its answer
            Err(close) => entry.outbox.close(close, now),
        }
        Vec::new()
    }

    fn speak(&self, waker: &Waker) -> Vec<Said> {
        match self.stage.get() {
            Stage::Carries => {}
            Stage::Over => {
                self.stage.set(Stage::Closed);
                return vec![Said::Close(Close::NORMAL)];
            }
            Stage::Probes | Stage::Closed => {
                *self.waker.lock() = Some(waker.clone());
                return Vec::new();
            }
        }
        let batch = self.entry().outbox.take(BATCH_BYTES, waker);
        self.entry().note_delivered(batch.frames.len());
        let Batch { ping, pongs, frames, close } = batch;
        let ping = ping.then(|| Said::Text(Bytes::from_static(PING.as_bytes())));
        let mut said: Vec<_> = ping.into_iter().chain(pongs.into_iter().map(Said::Pong)).collect();
        said.extend(frames.iter().map(Said::from));
        if let Some(close) = close {
            said.extend(self.entry().notices.farewell(close).iter().map(Said::from));
            said.push(Said::Close(close));
        }
        said
    }
}

impl Drop for SocketEnd {
    fn drop(&mut self) {
        match self.stage.get() {
            Stage::Carries => self.line.end(),
            Stage::Probes => self.line.end_probe(),
            Stage::Over | Stage::Closed => {}
        }
    }
}
