//! What waits to be sent to one client: bounded, shared, and never waited for.
//!
//! *Invariant:* a close is the last thing that an outbox gives away, and after it is left nothing else gets in.

use std::{collections::VecDeque, task::Waker, time::Instant};

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use super::{close::Close, config::Config, frame::Frame};

mod short;

pub(super) use short::Rest;

/// How many of a client's pings are answered when they come faster than it takes the answers.
const PONGS: usize = 16;

/// Room for how many frames an empty outbox keeps: a burst is not paid for until the session ends.
const IDLE_FRAMES: usize = 4;

/// The outbox takes nothing any more: it is full, or a close has been left in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the outbox takes no more frames")]
pub struct Full;

/// What waits to be sent to one client.
#[derive(Debug)]
pub struct Outbox {
    max_bytes: usize,
    max_frames: usize,
    queue: Mutex<Queue>,
    /// Rings when little waits any more, or when nothing will be taken any more.
    low: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Frame>,
    bytes: usize,
    ping: bool,
    pongs: VecDeque<Bytes>,
    close: Option<Close>,
    /// Since when there is a close; it stays after the close was taken.
    closing: Option<Instant>,
    overflowed: bool,
    waker: Option<Waker>,
    way: Way,
    /// Whether somebody is about to write what waits.
    is_listed: bool,
}

/// How what waits gets to the connection.
#[derive(Debug, Default)]
enum Way {
    /// Through the response that is the socket, which takes it when it is woken.
    #[default]
    Response,
    /// The same, and ahead of it the rest of a frame of which the connection has taken a part, at so many bytes in all.
    Rest(Bytes, Option<u64>),
    /// It is written by whoever leaves it: nothing is on the way through the response.
    Short,
}

/// What the socket takes at once.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) ping: bool,
    pub(super) pongs: VecDeque<Bytes>,
    pub(super) frames: Vec<Frame>,
    pub(super) close: Option<Close>,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        !self.ping && self.pongs.is_empty() && self.frames.is_empty() && self.close.is_none()
    }
}

impl Outbox {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            max_bytes: config.outbox_bytes,
            max_frames: config.outbox_frames,
            queue: Mutex::new(Queue::default()),
            low: Notify::new(),
        }
    }

    /// Leaves `frame` for the client, from any thread and without asking the session.
    ///
    /// Who does not fit any more is too slow: all that waits is dropped and only a close with 4008 is left.
    ///
    /// # Errors
    ///
    /// [`Full`], then and ever after.
    pub fn push(&self, frame: Frame, now: Instant) -> Result<(), Full> {
        self.push_all([frame], now)
    }

    /// As [`Outbox::push`], with nothing between these frames.
    ///
    /// # Errors
    ///
    /// [`Full`], then and ever after.
    pub fn push_all(
        &self,
        frames: impl IntoIterator<Item = Frame, IntoIter: ExactSizeIterator + Clone>,
        now: Instant,
    ) -> Result<(), Full> {
        let (result, queue) = self.put(frames, now);
        wake(queue);
        result
    }

    /// As [`Outbox::push`], for who writes it then or has it written: nobody else is called where that is possible. Gives
    /// whether nobody is about to do so yet.
    ///
    /// # Errors
    ///
    /// [`Full`], then and ever after.
    pub(super) fn leave(&self, frame: Frame, now: Instant) -> Result<bool, Full> {
        let (result, mut queue) = self.put([frame], now);
        if result.is_ok() && matches!(queue.way, Way::Short) {
            return Ok(!std::mem::replace(&mut queue.is_listed, true));
        }
        wake(queue);
        result.map(|()| false)
    }

    fn put(
        &self,
        frames: impl IntoIterator<Item = Frame, IntoIter: ExactSizeIterator + Clone>,
        now: Instant,
    ) -> (Result<(), Full>, MutexGuard<'_, Queue>) {
        let mut queue = self.queue.lock();
        if queue.closing.is_some() {
            return (Err(Full), queue);
        }
        let frames = frames.into_iter();
        let bytes = frames.clone().fold(queue.bytes, |bytes, frame| bytes.saturating_add(frame.cost()));
        let result = if bytes > self.max_bytes || queue.frames.len() + frames.len() > self.max_frames {
            queue.overflowed = true;
            queue.drop_frames();
            queue.leave(Close::TOO_SLOW, now);
            self.low.notify_waiters();
            Err(Full)
        } else {
            queue.bytes = bytes;
            queue.frames.extend(frames);
            Ok(())
        };
        (result, queue)
    }

    /// Leaves `close` behind all that waits. Only the first close counts.
    pub fn close(&self, close: Close, now: Instant) {
        let mut queue = self.queue.lock();
        if queue.closing.is_none() {
            queue.leave(close, now);
            self.low.notify_waiters();
            wake(queue);
        }
    }

    /// As [`Outbox::close`], with a last word ahead of it: whoever takes the one takes the other. One that does not fit is
    /// left out.
    pub(super) fn close_with(&self, last: Option<Frame>, close: Close, now: Instant) {
        let mut queue = self.queue.lock();
        if queue.closing.is_none() {
            if let Some(last) = last.filter(|last| {
                queue.frames.len() < self.max_frames
                    && queue.bytes.saturating_add(last.cost()) <= self.max_bytes
            }) {
                queue.bytes = queue.bytes.saturating_add(last.cost());
                queue.frames.push_back(last);
            }
            queue.leave(close, now);
            self.low.notify_waiters();
            wake(queue);
        }
    }

    /// Leaves `close` as the only thing to send. Only the first close counts.
    pub(super) fn close_at_once(&self, close: Close, now: Instant) {
        let mut queue = self.queue.lock();
        if queue.closing.is_none() {
            queue.drop_frames();
            queue.leave(close, now);
            self.low.notify_waiters();
            wake(queue);
        }
    }

    /// Asks the client for a sign of life, ahead of what waits. As [`Outbox::leave`].
    pub(super) fn ping(&self) {
        let mut queue = self.queue.lock();
        if queue.closing.is_none() {
            queue.ping = true;
            if !matches!(queue.way, Way::Short) {
                wake(queue);
            }
        }
    }

    /// Answers the client's ping, ahead of what waits. Only the latest are answered, as RFC 6455 allows: pings cannot
    /// fill the outbox.
    pub(super) fn pong(&self, payload: Bytes) {
        let mut queue = self.queue.lock();
        if queue.closing.is_none() {
            if queue.pongs.len() >= PONGS {
                queue.pongs.pop_front();
            }
            queue.pongs.push_back(payload);
            wake(queue);
        }
    }

    /// Since when the session is being closed.
    pub fn closing(&self) -> Option<Instant> {
        self.queue.lock().closing
    }

    /// Whether it was ever full.
    pub(super) fn has_overflowed(&self) -> bool {
        self.queue.lock().overflowed
    }

    /// Whether a ping waits to be taken.
    pub(super) fn is_ping_waiting(&self) -> bool {
        self.queue.lock().ping
    }

    /// Frames and bytes that wait.
    pub fn depth(&self) -> (usize, usize) {
        let queue = self.queue.lock();
        (queue.frames.len(), queue.bytes)
    }

    /// Whether half of it is free: what can wait elsewhere is not left in one that is fuller.
    pub(super) fn has_headroom(&self) -> bool {
        let queue = self.queue.lock();
        queue.bytes <= self.max_bytes / 2 && queue.frames.len() <= self.max_frames / 2
    }

    /// Waits until no more than a quarter of it waits. Gives whether it takes anything any more.
    pub(super) async fn drained(&self) -> bool {
        loop {
            // Before the look, so that nothing is missed between the two
            let rung = self.low.notified();
            match self.queue.lock() {
                queue if queue.closing.is_some() => return false,
                queue if self.is_low(&queue) => return true,
                _ => {}
            }
            rung.await;
        }
    }

    fn is_low(&self, queue: &Queue) -> bool {
        queue.bytes <= self.max_bytes / 4 && queue.frames.len() <= self.max_frames / 4
    }

    /// Takes what is to be sent next: about `limit` bytes, at least one frame if one waits. When there is nothing,
    /// `waker` is woken by the next thing to come.
    pub(super) fn take(&self, limit: usize, waker: &Waker) -> Batch {
        let mut bytes = 0;
        self.take_while(waker, |frame| {
            let may = bytes < limit;
            bytes += frame.cost();
            may
        })
    }

    /// Takes what is to be sent next, as long as `may` says so of the next frame. When there is nothing, `waker` is woken
    /// by the next thing to come.
    pub(super) fn take_while(&self, waker: &Waker, mut may: impl FnMut(&Frame) -> bool) -> Batch {
        let mut queue = self.queue.lock();
        if matches!(queue.way, Way::Rest(..)) {
            // That goes first
            waker.wake_by_ref();
            return Batch::default();
        }
        let mut batch = Batch {
            ping: std::mem::take(&mut queue.ping),
            pongs: std::mem::take(&mut queue.pongs),
            ..Batch::default()
        };
        let mut bytes = 0;
        while queue.frames.front().is_some_and(&mut may)
            && let Some(frame) = queue.frames.pop_front()
        {
            bytes += frame.cost();
            batch.frames.push(frame);
        }
        queue.bytes = queue.bytes.saturating_sub(bytes);
        if !batch.frames.is_empty() && self.is_low(&queue) {
            self.low.notify_waiters();
        }
        if queue.frames.is_empty() {
            batch.close = queue.close.take();
            queue.shrink();
        }
        if batch.is_empty() {
            queue.waker = Some(waker.clone());
        } else {
            queue.way = Way::Response;
        }
        batch
    }
}

impl Queue {
    fn leave(&mut self, close: Close, now: Instant) {
        self.ping = false;
        self.close = Some(close);
        self.closing = Some(now);
    }

    /// A burst is not paid for until the session ends.
    fn shrink(&mut self) {
        if self.frames.capacity() > IDLE_FRAMES {
            self.frames = VecDeque::new();
        }
    }

    fn drop_frames(&mut self) {
        self.frames = VecDeque::new();
        self.bytes = 0;
        self.pongs.clear();
    }
}

/// Wakes the session, without holding the lock that it will want.
fn wake(mut queue: MutexGuard<'_, Queue>) {
    let waker = queue.waker.take();
    drop(queue);
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests;
