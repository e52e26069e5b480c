//! Does the jobs that use cases leave behind.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use party_gallery_actors::worker::{Cancel, Crew, Failure, Run};
use uuid::Uuid;

use super::{develop::Develop, notify::Notify};
use crate::{
    blob::{self, Role, Store},
    db::{Connection, Database, jobs::Job, pictures},
    domain::picture::Picture,
    service::{
        announce::{Announce, Reach, Wake},
        error::Error,
        gallery::key,
        pictures::key as key_of,
        tasks::Task,
    },
};

/// Knows how each task is done.
pub struct Workshop {
    develop: Develop,
    notify: Notify,
    database: Database,
    store: Store,
}

impl Workshop {
    /// Pictures are decoded by `crew`; `wake` tells of work that other work leaves behind, `reach` people of what is new.
    pub fn new(
        database: Database,
        store: Store,
        crew: Crew,
        announce: Arc<dyn Announce>,
        wake: Arc<dyn Wake>,
        reach: Arc<dyn Reach>,
    ) -> Self {
        let notify = Notify::new(database.clone(), Arc::clone(&wake), reach);
        let develop = Develop::new(database.clone(), store.clone(), crew, announce, wake);
        Self { develop, notify, database, store }
    }

    async fn erase(&self, party: Uuid, media: Uuid) -> Result<(), Failure> {
        for role in [Role::Original, Role::File, Role::Preview, Role::Thumb] {
            self.store.delete(&key(party, media, role)).await.map_err(|error| away(&error))?;
        }
        Ok(())
    }

    /// Once it is not shown it never is again: another one has another id.
    async fn erase_picture(&self, picture: Picture) -> Result<(), Failure> {
        let shown = self.database.run(async |connection: &mut Connection| {
            Ok::<_, Error>(pictures::shown(connection, picture).await?.is_some())
        });
        if shown.await.map_err(failure)? {
            return Ok(());
        }
        self.store.delete(&key_of(picture)).await.map_err(|error| away(&error))
    }
}

impl Run<Job> for Workshop {
    fn run<'a>(&'a self, job: &'a Job, cancel: Cancel) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            match Task::read(&job.kind, &job.payload) {
                Some(Task::Develop { media }) => self.develop.run(media, cancel).await,
                Some(Task::Erase { party, media }) => self.erase(party, media).await,
                Some(Task::ErasePicture { picture }) => self.erase_picture(picture).await,
                Some(Task::Notify { cause, after }) => self.notify.run(cause, after).await,
                None => Err(Failure::Permanent("nobody here knows how".into())),
            }
        })
    }

    fn give_up<'a>(&'a self, job: &'a Job, _reason: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            match Task::read(&job.kind, &job.payload) {
                Some(Task::Develop { media }) => self.develop.fail(media, "it could not be processed").await,
                Some(Task::Erase { .. } | Task::ErasePicture { .. } | Task::Notify { .. }) | None => Ok(()),
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
