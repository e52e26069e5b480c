//! Sessions that requests carry: a GET waits for what the session has to say, a POST brings what its client says.

use std::{future::poll_fn, sync::Arc, time::Instant};

use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use slog::Logger;
use tokio::time::timeout;

use super::{
    error::EngineError,
    line::Line,
    packet::NOOP,
    payload::{Fault, Limits, decode},
};
use crate::realtime::{Opening, Refused, Registry};

/// Opens a session under `sid`, which nobody can guess. Gives the body of the answer.
///
/// # Errors
///
/// [`Refused`]; nothing is registered then.
pub(super) fn handshake(
    sid: &str,
    opening: Opening,
    registry: &Arc<Registry>,
    log: &Logger,
) -> Result<String, Refused> {
    let line = Line::open_polled(sid, opening, registry, log, Instant::now())?;
    Ok(line.greeting(r#""websocket""#))
}

/// Waits for what the session has to say, for `Config::poll_within` at most. Gives the body of the answer. Dropped before
/// its end, it ends the session: what was under way is lost.
///
/// # Errors
///
/// `Unknown`, `Elsewhere`, `Overlap`.
pub(super) async fn poll(sid: &str, registry: &Registry) -> Result<String, EngineError> {
    let line = Line::find(registry, sid, Instant::now())?;
    line.begin_poll()?;
    let waiting = Guard(Some(line));
    let Some(line) = &waiting.0 else { return Err(EngineError::Unknown) };
    let answer = timeout(line.config().poll_within, poll_fn(|task| line.answer(task))).await;
    line.end_poll(Instant::now());
    waiting.disarm();
    Ok(answer.unwrap_or_else(|_late| NOOP.to_owned()))
}

/// Takes what the client says. Dropped before its end, it ends the session.
///
/// # Errors
///
/// `Unknown`, `Elsewhere`, `Overlap`, `Malformed`, `TooBig`.
pub(super) async fn post(sid: &str, payload: Payload, registry: &Registry) -> Result<(), EngineError> {
    let line = Line::find(registry, sid, Instant::now())?;
    line.begin_post()?;
    let coming = Guard(Some(Arc::clone(&line)));
    let config = line.config();
    let read = timeout(config.post_within, read(payload, config.payload_bytes)).await;
    let body = read.unwrap_or(Err(Fault::Malformed)).map_err(refusal)?;
    let limits = Limits { packets: config.payload_packets, bytes: config.message_bytes };
    let packets = decode(&body, limits).map_err(refusal)?;
    let now = Instant::now();
    for packet in packets {
        if !line.receive(packet, now) {
            return Err(EngineError::Malformed);
        }
    }
    line.end_post();
    coming.disarm();
    Ok(())
}

async fn read(mut payload: Payload, max: usize) -> Result<Bytes, Fault> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_gone| Fault::Malformed)?;
        if body.len() + chunk.len() > max {
            return Err(Fault::TooBig);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn refusal(fault: Fault) -> EngineError {
    match fault {
        Fault::Malformed => EngineError::Malformed,
        Fault::TooBig => EngineError::TooBig,
    }
}

/// Ends its session unless it is disarmed.
struct Guard(Option<Arc<Line>>);

impl Guard {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(line) = self.0.take() {
            line.end();
        }
    }
}
