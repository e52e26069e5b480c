//! What runs without a request: the worker, the party clock, the sweep.

use std::{num::NonZeroUsize, sync::Arc};

use party_gallery_actors::{
    database::Database,
    health::wall_clock,
    kernel::Supervisor,
    ticker::{Nudge, Ticker},
    worker::{self, Config, Crew, Tally, Worker},
};

use super::{StartError, services::Services};
use crate::{
    blob::Store,
    config,
    db::jobs::Jobs,
    jobs::{
        Backlog, Workshop, clock, likes, pages, presence, rates,
        sweep::{self, Retention},
        views,
    },
    service::{
        announce::{Announce, Reach, Wake},
        darkroom::Darkroom,
        presence::Presences,
        tasks::Task,
    },
};

/// The children that work without a request, by name.
pub(super) const CHILDREN: [&str; 8] =
    [WORKER, "party-clock", "sweep", "views", "likes", "pages", "rates", "presence"];

/// The child that does what use cases leave behind.
const WORKER: &str = "worker";

/// Pictures that may wait for the one thread that decodes them: more than the worker has hands and the requests have turns,
/// since one that its job or request gave up keeps its place until its turn.
const WAITING: usize = 8;

/// Wakes the worker of this pod.
#[derive(Default)]
pub(super) struct Bell(worker::Wake);

impl Wake for Bell {
    fn wake(&self) {
        self.0.wake();
    }
}

/// What can be read of it, and asked of it.
pub(super) struct Work {
    /// What the worker has done.
    pub(super) tally: Tally,
    /// What is left to do, on all pods.
    pub(super) backlog: Backlog,
    /// Where pictures are developed whose request waits.
    pub(super) darkroom: Arc<dyn Darkroom>,
}

/// Starts all of it.
pub(super) async fn start(
    supervisor: &Supervisor,
    database: &Database,
    store: &Store,
    (announce, reach): (Arc<dyn Announce>, Arc<dyn Reach>),
    config: &config::Config,
    bell: &Arc<Bell>,
) -> Result<Work, StartError> {
    // One picture of the largest size takes a third of a gigabyte while it is decoded: one at a time
    let crew = Crew::start("developer", NonZeroUsize::MIN, WAITING)?;
    let darkroom = Arc::new(crew.clone());
    let wake = Arc::clone(bell) as Arc<dyn Wake>;
    let clock = Arc::new(clock::Clock::new(database.clone(), Arc::clone(&announce), wake));
    supervisor.add(Ticker::child(clock, clock::RHYTHM, &Nudge::default())).await?;
    let backlog = Backlog::default();
    let retention = Retention { events: config.event_retention, party_days: config.retention_days };
    let sweep = sweep::Sweep::new(database.clone(), store.clone(), retention, backlog.clone(), wall_clock);
    supervisor.add(Ticker::child(Arc::new(sweep), sweep::RHYTHM, &Nudge::default())).await?;
    let workshop =
        Workshop::new(database.clone(), store.clone(), crew, announce, Arc::<Bell>::clone(bell), reach);
    let queue = Jobs::new(database.clone(), Task::KINDS);
    let tally = Tally::default();
    let child =
        Worker::child(WORKER, Arc::new(queue), Arc::new(workshop), Config::default(), &bell.0, &tally);
    supervisor.add(child).await?;
    Ok(Work { tally, backlog, darkroom })
}

/// Starts what looks after things that use cases keep in memory.
pub(super) async fn tend(
    supervisor: &Supervisor,
    database: &Database,
    services: &Services,
    presences: Arc<Presences>,
) -> Result<(), StartError> {
    let counting = Arc::new(views::Counting::new(services.views()));
    supervisor.add(Ticker::child(counting, views::RHYTHM, &Nudge::default())).await?;
    let telling = Arc::new(likes::Telling::new(services.likes()));
    supervisor.add(Ticker::child(telling, likes::RHYTHM, &Nudge::default())).await?;
    let comparison = Arc::new(pages::Comparison::new(services.pages(), database.clone()));
    supervisor.add(Ticker::child(comparison, pages::RHYTHM, &Nudge::default())).await?;
    let settling = Arc::new(rates::Settling::new(services.rates()));
    supervisor.add(Ticker::child(settling, rates::RHYTHM, &Nudge::default())).await?;
    let beat = Arc::new(presence::Beat::new(presences));
    supervisor.add(Ticker::child(beat, presence::RHYTHM, &Nudge::default())).await?;
    Ok(())
}
