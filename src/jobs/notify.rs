//! Tells everybody whom something concerns, some at a time. Whoever was told of it before is not told again, so that it
//! may begin as often as it likes. What was new to somebody with sessions is sent there; it may be lost, for it is kept.

use std::sync::Arc;

use party_gallery_actors::worker::Failure;
use uuid::Uuid;

use super::workshop::failure;
use crate::{
    db::{Connection, Database, notifications},
    domain::notification::Cause,
    realtime::emitted,
    service::{
        announce::{Reach, Wake},
        error::Error,
        tasks::Task,
    },
    view::NotificationView,
};

/// Tells people.
pub(super) struct Notify {
    database: Database,
    wake: Arc<dyn Wake>,
    reach: Arc<dyn Reach>,
}

impl Notify {
    pub(super) fn new(database: Database, wake: Arc<dyn Wake>, reach: Arc<dyn Reach>) -> Self {
        Self { database, wake, reach }
    }

    /// Tells some of them, those after `after`, and leaves a job behind for the others. Of what is gone nobody is told.
    pub(super) async fn run(&self, cause: Cause, after: Option<Uuid>) -> Result<(), Failure> {
        let told = self.database.transaction(async |connection: &mut Connection| {
            let told = notifications::tell(connection, &cause, after).await?;
            if told.last.is_some() {
                Task::Notify { cause, after: told.last }.leave(connection).await?;
            }
            Ok::<_, Error>(told)
        });
        let told = told.await.map_err(failure)?;
        if told.last.is_some() {
            self.wake.wake();
        }
        self.send(told.new).await;
        Ok(())
    }

    /// Sends what was new to those who have sessions. Nobody else's is even read; what fails is not repeated.
    async fn send(&self, mut new: Vec<(Uuid, Uuid)>) {
        let present = self.reach.present(new.iter().map(|(person, _)| *person).collect()).await;
        new.retain(|(person, _)| present.contains(person));
        if new.is_empty() {
            return;
        }
        let ids: Vec<Uuid> = new.into_iter().map(|(_, id)| id).collect();
        let found = self
            .database
            .run(async |connection: &mut Connection| notifications::find(connection, &ids).await)
            .await;
        let found = found.unwrap_or_default().into_iter();
        let told =
            found.map(|(person, told)| (person, emitted("notification:new", &NotificationView::from(&told))));
        self.reach.tell(told.collect()).await;
    }
}
