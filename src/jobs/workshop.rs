//! Does the jobs that use cases leave behind.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use party_gallery_actors::worker::{Cancel, Crew, Failure, Run};
use uuid::Uuid;

use super::{develop::Develop, notify::Notify};
use crate::{
    blob::{self, Role, Store},
    db::{Database, jobs::Job},
    service::{
        announce::{Announce, Wake},
        error::Error,
        gallery::key,
        tasks::Task,
    },
};

/// Knows how each task is done.
pub struct Workshop {
    develop: Develop,
    notify: Notify,
    store: Store,
}

impl Workshop {
    /// Pictures are decoded by `crew`; `wake` tells of work that other work leaves behind.
    pub fn new(
        database: Database,
        store: Store,
        crew: Crew,
        announce: Arc<dyn Announce>,
        wake: Arc<dyn Wake>,
    ) -> Self {
        let notify = Notify::new(database.clone(), Arc::clone(&wake));
        Self { develop: Develop::new(database, store.clone(), crew, announce, wake), notify, store }
    }

    async fn erase(&self, party: Uuid, media: Uuid) -> Result<(), Failure> {
        for role in [Role::Original, Role::File, Role::Preview, Role::Thumb] {
            self.store.delete(&key(party, media, role)).await.map_err(|error| away(&error))?;
        }
        Ok(())
    }
}

impl Run<Job> for Workshop {
    fn run<'a>(&'a self, job: &'a Job, cancel: Cancel) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            match Task::read(&job.kind, &job.payload) {
                Some(Task::Develop { media }) => self.develop.run(media, cancel).await,
                Some(Task::Erase { party, media }) => self.erase(party, media).await,
                Some(Task::Notify { cause, after }) => self.notify.run(cause, after).await,
                None => Err(Failure::Permanent("nobody here knows how".into())),
            }
        })
    }

    fn give_up<'a>(&'a self, job: &'a Job, _reason: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            match Task::read(&job.kind, &job.payload) {
                Some(Task::Develop { media }) => self.develop.fail(media, "it could not be processed").await,
                Some(Task::Erase { .. } | Task::Notify { .. }) | None => Ok(()),
            }
        })
    }
}

/// What a failure of the store means to a worker.
pub(super) fn away(error: &blob::Error) -> Failure {
    Failure::Unavailable(error.to_string().into())
}

/// What a refused use case means to a worker.
pub(super) fn failure(error: Error) -> Failure {
    match error {
        Error::Unavailable { .. } | Error::OutcomeUnknown(_) => {
            Failure::Unavailable(error.to_string().into())
        }
        other => Failure::Retry(other.to_string().into()),
    }
}
