//! What an outbox keeps, gives away and lets in, by either way out.

use std::{
    io::{IoSlice, Read as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Wake,
    thread,
    time::Duration,
};

use futures_util::FutureExt;
use proptest::prelude::*;

use super::*;
use crate::realtime::cut::Cut;

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
    let leave: [&dyn Fn(); 4] =
        [&|| outbox.push(frame(1), now).unwrap(), &|| outbox.ping(), &|| outbox.pong(Bytes::new()), &|| {
            outbox.close(Close::RESTARTING, now)
        }];
    for (nth, leave) in leave.iter().enumerate() {
        assert!(outbox.take(100, &waker).is_empty());
        leave();
        assert_eq!(bell.0.load(Ordering::Relaxed), nth + 1);
        assert!(!outbox.take(100, &waker).is_empty());
    }
}

/// A connection of which one end is a [`Cut`] that takes what it can.
fn connected() -> (Cut, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    ours.set_nonblocking(true).unwrap();
    (Cut::of(ours), listener.accept().unwrap().0)
}

/// What the response is asked for next, written to the connection. Gives how much that was.
fn respond(outbox: &Outbox, connection: &Cut) -> usize {
    let mut bytes = outbox.take_rest().map_or_else(Vec::new, |rest| rest.bytes.to_vec());
    for frame in outbox.take(1_000, Waker::noop()).frames {
        bytes.extend_from_slice(frame.framed());
    }
    let mut written = 0;
    while written < bytes.len() {
        written += connection.write(&[IoSlice::new(&bytes[written..])]).unwrap_or(0);
        thread::yield_now();
    }
    written
}

#[test]
fn who_leaves_something_writes_all_that_waits_unless_the_response_is_at_it() {
    let (outbox, (connection, mut peer)) = (outbox(100, 8), connected());
    let (now, bell) = (Instant::now(), Arc::new(Bell::default()));
    let waker = Waker::from(Arc::clone(&bell));
    assert!(outbox.take(100, &waker).is_empty());
    assert_eq!(outbox.leave(frame(1), now), Ok(false));
    assert_eq!((bell.0.load(Ordering::Relaxed), outbox.write(&connection, b"")), (1, 0));
    outbox.shorten();
    assert_eq!(outbox.leave(frame(2), now), Ok(true));
    assert_eq!(outbox.leave(frame(3), now), Ok(false), "somebody is about to write it");
    outbox.ping();
    outbox.queue.lock().pongs.push_back(Bytes::from_static(b"p"));
    assert_eq!((outbox.write(&connection, b"PING"), outbox.depth()), (3, (0, 0)));
    let mut got = [0; 19];
    peer.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"PING\x8a\x01p\x82\x01\0\x82\x02\0\0\x82\x03\0\0\0");
    assert_eq!(bell.0.load(Ordering::Relaxed), 1, "nobody was called");
    assert_eq!(outbox.leave(frame(4), now), Ok(true));
    outbox.close(Close::RESTARTING, now);
    assert_eq!(
        (outbox.write(&connection, b""), outbox.depth().0),
        (0, 1),
        "a close goes through the response"
    );
}

#[test]
fn what_a_connection_takes_in_part_is_finished_by_the_response() {
    let outbox = Outbox::new(&Config { outbox_bytes: 64 << 20, outbox_frames: 1 << 20, ..Config::default() });
    let (connection, mut peer) = connected();
    let (now, bell) = (Instant::now(), Arc::new(Bell::default()));
    assert!(outbox.take(100, &Waker::from(Arc::clone(&bell))).is_empty());
    outbox.shorten();
    let mut sent = 0;
    while outbox.is_short() {
        for _ in 0..40 {
            outbox.leave(frame(sent), now).unwrap();
            sent += 1;
        }
        outbox.write(&connection, b"");
    }
    assert_eq!(bell.0.load(Ordering::Relaxed), 1);
    outbox.leave(frame(sent), now).unwrap();
    let expected: Vec<u8> = (0..=sent).flat_map(|size| frame(size).framed().to_vec()).collect();
    let size = expected.len();
    let reading = thread::spawn(move || {
        let mut bytes = vec![0; size];
        peer.read_exact(&mut bytes).unwrap();
        bytes
    });
    assert!(outbox.take(100, Waker::noop()).is_empty(), "the rest goes first");
    outbox.shorten();
    assert_eq!(outbox.write(&connection, b""), 0, "and the short way waits for it");
    while respond(&outbox, &connection) > 0 {}
    assert!(reading.join().unwrap() == expected);
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
