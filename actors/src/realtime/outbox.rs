//! What waits to be sent to one client: bounded, shared, and never waited for.
//!
//! *Invariant:* a close is the last thing that an outbox gives away, and after it is left nothing else gets in.

use std::{collections::VecDeque, task::Waker, time::Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{close::Close, config::Config, frame::Frame};

/// How many of a client's pings are answered when they come faster than it takes the answers.
const PONGS: usize = 16;

/// Room for how many frames an empty outbox keeps: a burst is not paid for until the session ends.
const IDLE_FRAMES: usize = 16;

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
        let mut queue = self.queue.lock();
        if queue.closing.is_some() {
            return Err(Full);
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
        wake(queue);
        result
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

    /// Asks the client for a sign of life, ahead of what waits.
    pub(super) fn ping(&self) {
        let mut queue = self.queue.lock();
        if queue.closing.is_none() {
            queue.ping = true;
            wake(queue);
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
            if queue.frames.capacity() > IDLE_FRAMES {
                queue.frames = VecDeque::new();
            }
        }
        if batch.is_empty() {
            queue.waker = Some(waker.clone());
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

    fn drop_frames(&mut self) {
        self.frames = VecDeque::new();
        self.bytes = 0;
        self.pongs.clear();
    }
}

/// Wakes the session, without holding the lock that it will want.
fn wake(mut queue: parking_lot::MutexGuard<'_, Queue>) {
    let waker = queue.waker.take();
    drop(queue);
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        task::Wake,
        time::Duration,
    };

    use futures_util::FutureExt;
    use proptest::prelude::*;

    use super::*;

    #[derive(Default)]
    struct Bell(AtomicUsize);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn outbox(bytes: usize, frames: usize) -> Outbox {
        Outbox::new(&Config { outbox_bytes: bytes, outbox_frames: frames, ..Config::default() })
    }

    fn frame(size: usize) -> Frame {
        Frame::binary(vec![0; size])
    }

    #[test]
    fn a_full_outbox_keeps_nothing_but_a_close_with_4008() {
        let now = Instant::now();
        for (frames, size) in [(4, 1), (2, 50)] {
            let outbox = outbox(100, 4);
            for _ in 0..frames {
                assert_eq!(outbox.push(frame(size), now), Ok(()));
            }
            outbox.ping();
            outbox.pong(Bytes::new());
            assert_eq!(outbox.push(frame(size), now), Err(Full));
            assert_eq!(outbox.push(frame(0), now), Err(Full));
            outbox.close(Close::RESTARTING, now + Duration::from_secs(1));
            let batch = outbox.take(usize::MAX, Waker::noop());
            assert_eq!((batch.ping, batch.pongs.len(), batch.frames.len()), (false, 0, 0));
            assert_eq!(batch.close, Some(Close::TOO_SLOW));
            assert_eq!(outbox.closing(), Some(now));
            assert!(outbox.has_overflowed());
        }
    }

    #[test]
    fn a_close_goes_out_behind_all_that_waited_and_nothing_after_it() {
        let now = Instant::now();
        let outbox = outbox(100, 4);
        for size in [10, 20, 30] {
            outbox.push(frame(size), now).unwrap();
        }
        outbox.close(Close::RESTARTING, now);
        assert_eq!(outbox.push(frame(1), now), Err(Full));
        outbox.pong(Bytes::new());
        let first = outbox.take(25, Waker::noop());
        assert_eq!((first.frames, first.close), (vec![frame(10), frame(20)], None));
        let last = outbox.take(25, Waker::noop());
        assert_eq!((last.frames, last.close), (vec![frame(30)], Some(Close::RESTARTING)));
        assert!(outbox.take(25, Waker::noop()).is_empty());
        assert!(!outbox.has_overflowed());
    }

    #[test]
    fn pings_do_not_wait_and_pongs_do_not_pile_up() {
        let outbox = outbox(100, 4);
        outbox.push(frame(10), Instant::now()).unwrap();
        for nth in 0..20 {
            outbox.pong(vec![nth].into());
        }
        outbox.ping();
        assert!(outbox.is_ping_waiting());
        let batch = outbox.take(0, Waker::noop());
        assert_eq!((batch.ping, batch.frames.len()), (true, 0));
        let latest: Vec<_> = (4..20).map(|nth| Bytes::from(vec![nth])).collect();
        assert_eq!(batch.pongs, latest);
        assert!(!outbox.is_ping_waiting());
    }

    #[test]
    fn who_waits_for_room_hears_of_it_whatever_the_frames_weigh() {
        for size in [0, 1] {
            let outbox = outbox(100, 4);
            (0..4).for_each(|_| outbox.push(frame(size), Instant::now()).unwrap());
            let mut waiting = Box::pin(outbox.drained());
            assert_eq!(waiting.as_mut().now_or_never(), None);
            outbox.take(usize::MAX, Waker::noop());
            assert_eq!(waiting.now_or_never(), Some(true), "frames of {size} bytes");
        }
    }

    #[test]
    fn whoever_leaves_something_wakes_a_session_that_found_nothing() {
        let now = Instant::now();
        let outbox = outbox(100, 4);
        let bell = Arc::new(Bell::default());
        let waker = Waker::from(Arc::clone(&bell));
        let leave: [&dyn Fn(); 4] = [
            &|| outbox.push(frame(1), now).unwrap(),
            &|| outbox.ping(),
            &|| outbox.pong(Bytes::new()),
            &|| outbox.close(Close::RESTARTING, now),
        ];
        for (nth, leave) in leave.iter().enumerate() {
            assert!(outbox.take(100, &waker).is_empty());
            leave();
            assert_eq!(bell.0.load(Ordering::Relaxed), nth + 1);
            assert!(!outbox.take(100, &waker).is_empty());
        }
    }

    proptest! {
        /// Whatever is left and taken, what waits stays within the limits and comes out once, in order.
        #[test]
        fn what_waits_is_bounded_and_in_order(steps in prop::collection::vec((any::<bool>(), 0_usize..60), 1..200)) {
            let now = Instant::now();
            let outbox = outbox(200, 8);
            let (mut left, mut taken) = (0_u32, 0_u32);
            for (leaves, size) in steps {
                if leaves {
                    let mut bytes = left.to_be_bytes().to_vec();
                    bytes.resize(4 + size, 0);
                    if outbox.push(Frame::binary(bytes), now).is_err() {
                        break;
                    }
                    left += 1;
                } else {
                    for frame in outbox.take(size, Waker::noop()).frames {
                        prop_assert_eq!(&frame.bytes()[..4], &taken.to_be_bytes()[..]);
                        taken += 1;
                    }
                }
                let (frames, bytes) = outbox.depth();
                prop_assert!(frames <= 8 && bytes <= 200);
                prop_assert_eq!(frames, (left - taken) as usize);
            }
        }
    }
}
