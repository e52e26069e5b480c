//! Waiting for something to become true, instead of sleeping and hoping.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

const POLL: Duration = Duration::from_millis(5);

/// What a polled question answers.
pub trait Answer {
    /// What the waiting is for.
    type Value;
    /// The value, once it is there.
    fn settled(self) -> Option<Self::Value>;
}

impl Answer for bool {
    type Value = ();
    fn settled(self) -> Option<()> {
        self.then_some(())
    }
}

impl<T> Answer for Option<T> {
    type Value = T;
    fn settled(self) -> Option<T> {
        self
    }
}

/// Asks until the answer is `true` or `Some`. Past `deadline` the test fails and says that it was not so that `what`.
#[track_caller]
pub fn eventually<A: Answer>(
    deadline: Duration,
    what: &str,
    mut ask: impl AsyncFnMut() -> A,
) -> impl Future<Output = A::Value> {
    let asked_at = std::panic::Location::caller();
    async move {
        let until = Instant::now() + deadline;
        let settled = timeout_at(until, async {
            loop {
                if let Some(value) = ask().await.settled() {
                    return value;
                }
                sleep(POLL).await;
            }
        });
        settled.await.unwrap_or_else(|_elapsed| panic!("{asked_at}: not within {deadline:?}: {what}"))
    }
}
