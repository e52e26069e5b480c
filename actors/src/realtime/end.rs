//! Our end of a WebSocket: what its frames bring, and what goes out.

use std::{sync::Arc, task::Waker, time::Instant};

use bytes::Bytes;

use super::{
    close::Close, decoder::Incoming, dialogue::Dialogue, entry::Entry, frame::Frame, outbox::Batch,
    protocol::Received,
};

/// About how many bytes a socket is handed at once.
pub(super) const BATCH_BYTES: usize = 16 * 1024;

/// What a socket is to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Valid UTF-8.
    Text(Bytes),
    Binary(Bytes),
    Ping,
    Pong(Bytes),
    /// Nothing follows.
    Close(Close),
}

impl From<&Frame> for Said {
    fn from(frame: &Frame) -> Self {
        match frame.is_text() {
            true => Self::Text(frame.payload()),
            false => Self::Binary(frame.payload()),
        }
    }
}

/// Our end of a WebSocket. It ends when this is dropped.
pub(super) trait End: 'static {
    /// The session that it is an end of.
    fn entry(&self) -> &Arc<Entry>;

    /// Whether what is left in the session's outbox is this end's to send.
    fn carries(&self) -> bool {
        true
    }

    /// Takes what came. Gives what is said at once.
    fn hear(&self, incoming: Result<Incoming, Close>, now: Instant) -> Vec<Said>;

    /// Gives what is to be said next; when there is nothing, `waker` is woken by the next thing to come.
    fn speak(&self, waker: &Waker) -> Vec<Said>;
}

/// The end of a session whose frames are messages as they are.
pub(super) struct Plain(pub(super) Arc<Dialogue>);

impl End for Plain {
    fn entry(&self) -> &Arc<Entry> {
        self.0.entry()
    }

    fn hear(&self, incoming: Result<Incoming, Close>, now: Instant) -> Vec<Said> {
        let entry = self.0.entry();
        match incoming {
            Ok(Incoming::Message(received)) => self.0.receive(received, now),
            Ok(Incoming::Ping(payload)) => {
                entry.outbox.pong(payload);
                self.0.receive(Received::Other, now);
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
        let batch = self.entry().outbox.take(BATCH_BYTES, waker);
        self.entry().note_delivered(batch.frames.len());
        let Batch { ping, pongs, frames, close } = batch;
        let frames = frames.iter().map(Said::from);
        let first = ping.then_some(Said::Ping).into_iter().chain(pongs.into_iter().map(Said::Pong));
        first.chain(frames).chain(close.map(Said::Close)).collect()
    }
}
