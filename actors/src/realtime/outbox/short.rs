//! The short way out of an outbox: whoever leaves something writes it to the connection itself, all that waits at once.
//!
//! The other way, through the response that is the socket, wakes a task for each session, which takes, copies and writes.
//! While that way is empty nobody needs it.
//!
//! *Invariant:* one way at a time. What goes through the response is on its way until the kernel has taken it; until then
//! nothing is written past it. What the connection does not take at once goes through the response, which can wait.

use std::io::{ErrorKind, IoSlice};

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{Outbox, Queue, Way, wake};
use crate::realtime::{
    cut::Cut,
    frame::{PONG, put_header},
};

/// How many frames are written at once.
const AT_ONCE: usize = 32;

/// What the response has to send ahead of what waits.
#[derive(Debug)]
pub(in crate::realtime) struct Rest {
    /// The rest of a frame.
    pub(in crate::realtime) bytes: Bytes,
    /// How many bytes the kernel had taken in all before it.
    pub(in crate::realtime) accepted: Option<u64>,
}

impl Outbox {
    /// Nothing is on the way through the response any more.
    pub(in crate::realtime) fn shorten(&self) {
        let mut queue = self.queue.lock();
        if queue.closing.is_none() && matches!(queue.way, Way::Response) {
            queue.way = Way::Short;
        }
    }

    /// Whether nothing is on the way through the response.
    pub(in crate::realtime) fn is_short(&self) -> bool {
        matches!(self.queue.lock().way, Way::Short)
    }

    /// Whether something waits that somebody has yet to write.
    pub(in crate::realtime) fn is_left(&self) -> bool {
        let queue = self.queue.lock();
        matches!(queue.way, Way::Short) && (queue.ping || !queue.pongs.is_empty() || !queue.frames.is_empty())
    }

    /// Takes what has to be sent ahead of what waits.
    pub(in crate::realtime) fn take_rest(&self) -> Option<Rest> {
        let mut queue = self.queue.lock();
        match std::mem::take(&mut queue.way) {
            Way::Rest(bytes, accepted) => Some(Rest { bytes, accepted }),
            way => {
                queue.way = way;
                None
            }
        }
    }

    /// Writes what waits to `connection`, if nothing is on the other way; `ping` is a whole frame. What is not taken at once
    /// is left to the other way, and so is a close. Gives how many frames were written.
    pub(in crate::realtime) fn write(&self, connection: &Cut, ping: &'static [u8]) -> usize {
        let mut queue = self.queue.lock();
        queue.is_listed = false;
        if !matches!(queue.way, Way::Short) || queue.closing.is_some() {
            return 0;
        }
        let mut control = queue.take_control(ping);
        let mut written = 0;
        while !(control.is_empty() && queue.frames.is_empty()) {
            let (taken, asked) = queue.write_once(connection, &control);
            if let Some(taken) = taken.checked_sub(control.len()) {
                control = Bytes::new();
                written += queue.forget(taken);
            } else {
                queue.way = Way::Rest(control.split_off(taken), None);
            }
            if taken < asked {
                queue.go_round(connection);
                self.ring_if_low(&queue, written);
                wake(queue);
                return written;
            }
        }
        queue.shrink();
        self.ring_if_low(&queue, written);
        written
    }

    fn ring_if_low(&self, queue: &Queue, written: usize) {
        if written > 0 && self.is_low(queue) {
            self.low.notify_waiters();
        }
    }
}

impl Queue {
    /// The ping and the pongs that are due, as they are written.
    fn take_control(&mut self, ping: &'static [u8]) -> Bytes {
        if !self.ping && self.pongs.is_empty() {
            return Bytes::new();
        }
        let mut control = BytesMut::new();
        if std::mem::take(&mut self.ping) {
            control.put_slice(ping);
        }
        for pong in std::mem::take(&mut self.pongs) {
            put_header(&mut control, PONG, pong.len());
            control.put_slice(&pong);
        }
        control.freeze()
    }

    /// One write. Gives how much was taken of how much.
    fn write_once(&self, connection: &Cut, control: &Bytes) -> (usize, usize) {
        let mut pieces = [IoSlice::new(&[]); AT_ONCE];
        let (mut count, mut asked) = (0, 0);
        let control = Some(control).filter(|control| !control.is_empty());
        let waiting = control.into_iter().chain(self.frames.iter().map(|frame| frame.framed()));
        for (piece, bytes) in pieces.iter_mut().zip(waiting) {
            *piece = IoSlice::new(bytes);
            (count, asked) = (count + 1, asked + bytes.len());
        }
        let taken = loop {
            match connection.write(pieces.get(..count).unwrap_or_default()) {
                Ok(taken) => break taken,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Whatever is wrong with it, the response finds out
                Err(_) => break 0,
            }
        };
        (taken, asked)
    }

    /// Forgets so many bytes of frames; of one that was taken in part the rest is to go out first. Gives how many frames
    /// that were.
    fn forget(&mut self, mut taken: usize) -> usize {
        let mut written = 0;
        while taken > 0
            && let Some(frame) = self.frames.pop_front()
        {
            self.bytes = self.bytes.saturating_sub(frame.cost());
            written += 1;
            let framed = frame.framed();
            if taken < framed.len() {
                self.way = Way::Rest(framed.slice(taken..), None);
            }
            taken = taken.saturating_sub(framed.len());
        }
        written
    }

    /// The connection takes no more: the response has to wait for it.
    fn go_round(&mut self, connection: &Cut) {
        let rest = match std::mem::take(&mut self.way) {
            Way::Rest(rest, _) => rest,
            Way::Short | Way::Response => Bytes::new(),
        };
        self.way = Way::Rest(rest, connection.accepted());
    }
}
