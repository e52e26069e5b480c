//! Pages that are being read: whoever wants the same waits for it instead of reading it too.
//!
//! *Invariant:* there are at most as many as there are requests, for each belongs to the one that reads.

use std::{collections::HashMap, fmt, sync::Arc, time::Instant};

use parking_lot::Mutex;
use tokio::{
    sync::watch,
    time::{Duration, timeout},
};

use super::Asked;

/// How long somebody waits for a page that another reads: short beside what they have left if they must read it then.
const PATIENCE: Duration = Duration::from_millis(50);

/// Pages that are being read.
#[derive(Default)]
pub(super) struct Flights {
    flying: Mutex<HashMap<Asked, Flight>>,
}

struct Flight {
    began: Instant,
    landed: watch::Receiver<()>,
}

/// What to do about a page that is not there.
pub(super) enum Turn {
    /// Read it; others wait until this is dropped.
    Read(Lead),
    /// Wait for it.
    Wait(Landing),
}

/// A page that whoever has this reads.
pub(super) struct Lead {
    flights: Arc<Flights>,
    asked: Asked,
    began: Instant,
    /// Dropped after the page is in its place.
    _landing: watch::Sender<()>,
}

/// A page that another reads.
pub(super) struct Landing(watch::Receiver<()>);

impl Flights {
    /// Whoever comes first reads; who comes while that is being done, and `is_good` by when it began, waits.
    pub(super) fn board(
        self: &Arc<Self>,
        asked: &Asked,
        now: Instant,
        is_good: impl Fn(Instant) -> bool,
    ) -> Turn {
        let mut flying = self.flying.lock();
        if let Some(flight) = flying.get(asked).filter(|flight| is_good(flight.began)) {
            return Turn::Wait(Landing(flight.landed.clone()));
        }
        let (sender, landed) = watch::channel(());
        flying.insert(asked.clone(), Flight { began: now, landed });
        Turn::Read(Lead { flights: Arc::clone(self), asked: asked.clone(), began: now, _landing: sender })
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        let mut flying = self.flights.flying.lock();
        // One that began later may have its place
        if flying.get(&self.asked).is_some_and(|flight| flight.began == self.began) {
            flying.remove(&self.asked);
        }
    }
}

impl Landing {
    /// Waits until it is read, or could not be, or for as long as it is worth.
    pub(super) async fn wait(mut self) {
        // Nothing is ever sent: it ends with its sender
        _ = timeout(PATIENCE, self.0.changed()).await;
    }
}

impl fmt::Debug for Flights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flights").field("flying", &self.flying.lock().len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use uuid::Uuid;

    use super::*;
    use crate::{domain::media::Sort, service::gallery::Filter};

    fn asked(party: u128) -> Asked {
        let filter = Filter {
            kind: None,
            mood: None,
            uploader_id: None,
            tag: None,
            status: None,
            since: None,
            sort: Sort::Newest,
        };
        Asked { party: Uuid::from_u128(party), filter, limit: 20, after: None }
    }

    fn reads(turn: &Turn) -> bool {
        matches!(turn, Turn::Read(_))
    }

    #[tokio::test]
    async fn one_reads_and_the_others_wait_until_that_is_over_or_takes_too_long() {
        let (flights, now) = (Arc::<Flights>::default(), Instant::now());
        let board = |party, at| flights.board(&asked(party), at, |_| true);
        let first = board(1, now);
        assert!(reads(&first) && reads(&board(2, now)), "each page is one's own business");
        let Turn::Wait(landing) = board(1, now) else { panic!("it is being read") };
        landing.wait().await;
        assert!(now.elapsed() >= PATIENCE);
        let Turn::Wait(landing) = board(1, now) else { panic!("it is still being read") };
        drop(first);
        assert!(landing.wait().now_or_never().is_some(), "at once");
        assert_eq!(flights.flying.lock().len(), 0);
        assert!(reads(&board(1, now)));
    }

    #[test]
    fn who_comes_after_a_change_waits_for_nothing_that_began_before_it() {
        let (flights, now) = (Arc::<Flights>::default(), Instant::now());
        let later = now + PATIENCE;
        let old = flights.board(&asked(1), now, |_| true);
        let new = flights.board(&asked(1), later, |began| began > now);
        assert!(reads(&old) && reads(&new));
        // Its end takes nothing from the new one
        drop(old);
        assert!(!reads(&flights.board(&asked(1), later, |began| began > now)));
        drop(new);
        assert_eq!(flights.flying.lock().len(), 0);
    }
}
