//! The wall clock, for what people read; durations are measured with `Instant`.

use std::time::SystemTime;

/// Tells what time it is.
pub type Clock = fn() -> SystemTime;

/// The machine's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the place where health's time comes from; tests pass another"
)]
pub fn wall_clock() -> SystemTime {
    SystemTime::now()
}
