//! What runs without a request: the worker, the party clock, the sweep.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use party_gallery_actors::{
    database::Database,
    health::wall_clock,
    kernel::Supervisor,
    ticker::{Nudge, Ticker},
    worker::{self, Config, Crew, Tally, Worker},
};

use super::StartError;
use crate::{
    blob::Store,
    db::jobs::Jobs,
    jobs::{Workshop, clock, sweep},
    service::{
        announce::{Announce, Wake},
        tasks::Task,
    },
};

/// The children that work without a request, by name.
pub(super) const CHILDREN: [&str; 3] = [WORKER, "party-clock", "sweep"];

/// The child that does what use cases leave behind.
const WORKER: &str = "worker";

/// Pictures that may wait for the one thread that decodes them: more than the worker has hands, since one that its job
/// gave up keeps its place until its turn.
const WAITING: usize = 4;

/// Wakes the worker of this pod.
#[derive(Default)]
pub(super) struct Bell(worker::Wake);

impl Wake for Bell {
    fn wake(&self) {
        self.0.wake();
    }
}

/// Starts all of it; what the worker counts can be read from what this gives.
pub(super) async fn start(
    supervisor: &Supervisor,
    database: &Database,
    store: &Store,
    announce: Arc<dyn Announce>,
    event_retention: Duration,
    bell: &Arc<Bell>,
) -> Result<Tally, StartError> {
    // One picture of the largest size takes a third of a gigabyte while it is decoded: one at a time
    let crew = Crew::start("developer", NonZeroUsize::MIN, WAITING)?;
    let clock = Arc::new(clock::Clock::new(database.clone(), Arc::clone(&announce)));
    supervisor.add(Ticker::child(clock, clock::RHYTHM, &Nudge::default())).await?;
    let sweep = Arc::new(sweep::Sweep::new(database.clone(), store.clone(), event_retention, wall_clock));
    supervisor.add(Ticker::child(sweep, sweep::RHYTHM, &Nudge::default())).await?;
    let workshop = Workshop::new(database.clone(), store.clone(), crew, announce, Arc::<Bell>::clone(bell));
    let queue = Jobs::new(database.clone(), Task::KINDS);
    let tally = Tally::default();
    let child =
        Worker::child(WORKER, Arc::new(queue), Arc::new(workshop), Config::default(), &bell.0, &tally);
    supervisor.add(child).await?;
    Ok(tally)
}
