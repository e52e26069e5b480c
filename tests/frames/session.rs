//! A session without a socket, fed with whatever a client may send, for as long as `FUZZ_SECONDS` says.

mod grammar;
mod packets;
mod play;
mod rooms;
mod wire;

use std::{
    env,
    time::{Duration, Instant},
};

use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestRunner},
};

use grammar::Script;
use play::{Tally, play};
use wire::{Json, Packets, Wire};

/// How long it takes among all other tests.
const SECONDS: u64 = 3;
/// Sessions between two looks at the clock, and until everything must have been reached.
const ROUND: u32 = 32;
const ENOUGH: u32 = 20 * ROUND;

#[expect(clippy::disallowed_methods, reason = "the tests' own configuration")]
fn duration() -> Duration {
    let seconds = env::var("FUZZ_SECONDS").ok().map(|seconds| seconds.parse().unwrap());
    Duration::from_secs(seconds.unwrap_or(SECONDS))
}

/// The contract's guarantee 5: nothing panics, each frame is answered once, under its number if it had one, and who is
/// refused too often is closed.
#[test]
fn whatever_a_client_sends_is_answered_once() {
    println!("{}", fuzz(grammar::script, || Box::new(Json)));
}

/// The same in Socket.IO, where what is not a packet is the end.
#[test]
fn whatever_a_client_of_socketio_sends_is_answered_once_or_is_the_end() {
    println!("{}", fuzz(packets::script, || Box::new(Packets::default())));
}

/// Plays sessions until it is time. Gives what was played.
fn fuzz<S: Strategy<Value = Script>>(script: impl Fn() -> S, wire: impl Fn() -> Box<dyn Wire>) -> String {
    let config = Config { cases: ROUND, failure_persistence: None, ..Config::default() };
    let (tally, mut sessions, is_in_packets) = (Tally::default(), 0, wire().is_in_packets());
    let until = Instant::now() + duration();
    while Instant::now() < until || (sessions < ENOUGH && !tally.is_thorough(is_in_packets)) {
        let mut runner = TestRunner::new(config.clone());
        runner
            .run(&script(), |script| {
                play(&script, wire(), &tally);
                Ok(())
            })
            .unwrap_or_else(|failure| panic!("{failure}"));
        sessions += ROUND;
    }
    assert!(tally.is_thorough(is_in_packets), "not all was reached: {tally:?}");
    format!("{sessions} sessions: {tally:?}")
}
