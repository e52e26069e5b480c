//! Tells everybody whom something concerns, some at a time. Whoever was told of it before is not told again, so that it
//! may begin as often as it likes.

use std::sync::Arc;

use party_gallery_actors::worker::Failure;
use uuid::Uuid;

use super::workshop::failure;
use crate::{
    db::{Connection, Database, notifications},
    domain::notification::Cause,
    service::{announce::Wake, error::Error, tasks::Task},
};

/// Tells people.
pub(super) struct Notify {
    database: Database,
    wake: Arc<dyn Wake>,
}

impl Notify {
    pub(super) fn new(database: Database, wake: Arc<dyn Wake>) -> Self {
        Self { database, wake }
    }

    /// Tells some of them, those after `after`, and leaves a job behind for the others. Of what is gone nobody is told.
    pub(super) async fn run(&self, cause: Cause, after: Option<Uuid>) -> Result<(), Failure> {
        let told = self.database.transaction(async |connection: &mut Connection| {
            let last = notifications::tell(connection, &cause, after).await?;
            if last.is_some() {
                Task::Notify { cause, after: last }.leave(connection).await?;
            }
            Ok::<_, Error>(last.is_some())
        });
        if told.await.map_err(failure)? {
            self.wake.wake();
        }
        Ok(())
    }
}
