//! The workers: what runs without a request.

use std::{num::NonZeroUsize, sync::Arc};

use party_gallery_actors::{
    database::Database,
    kernel::Supervisor,
    worker::{self, Config, Crew, Tally, Worker},
};

use super::StartError;
use crate::{
    blob::Store,
    db::jobs::Jobs,
    jobs::Workshop,
    service::{
        announce::{Announce, Wake},
        tasks::Task,
    },
};

/// The child that does what use cases leave behind.
pub(super) const WORKER: &str = "worker";

/// Pictures that wait for the one thread that decodes them: as many as the worker has hands.
const WAITING: usize = 4;

/// Wakes the worker of this pod.
#[derive(Default)]
pub(super) struct Bell(worker::Wake);

impl Wake for Bell {
    fn wake(&self) {
        self.0.wake();
    }
}

/// Starts the worker; what it counts can be read from what this gives.
pub(super) async fn start(
    supervisor: &Supervisor,
    database: &Database,
    store: &Store,
    announce: Arc<dyn Announce>,
    bell: &Bell,
) -> Result<Tally, StartError> {
    // One picture of the largest size takes a third of a gigabyte while it is decoded: one at a time
    let crew = Crew::start("developer", NonZeroUsize::MIN, WAITING)?;
    let workshop = Workshop::new(database.clone(), store.clone(), crew, announce);
    let queue = Jobs::new(database.clone(), Task::KINDS);
    let tally = Tally::default();
    let child = Worker::child(WORKER, Arc::new(queue), Arc::new(workshop), Config::default(), &bell.0, &tally);
    supervisor.add(child).await?;
    Ok(tally)
}
