//! A session without a socket, fed with whatever a client may send, for as long as `FUZZ_SECONDS` says.

mod grammar;
mod play;
mod rooms;

use std::{
    env,
    time::{Duration, Instant},
};

use proptest::test_runner::{Config, TestRunner};

use play::{Tally, play};

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
    let config = Config { cases: ROUND, failure_persistence: None, ..Config::default() };
    let (tally, mut sessions) = (Tally::default(), 0);
    let until = Instant::now() + duration();
    while Instant::now() < until || (sessions < ENOUGH && !tally.is_thorough()) {
        let mut runner = TestRunner::new(config.clone());
        runner
            .run(&grammar::script(), |script| {
                play(&script, &tally);
                Ok(())
            })
            .unwrap_or_else(|failure| panic!("{failure}"));
        sessions += ROUND;
    }
    println!("{sessions} sessions: {tally:?}");
    assert!(tally.is_thorough(), "not all was reached: {tally:?}");
}
