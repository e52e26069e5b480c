//! What the Health actor asks: each part in its own words.

use std::time::Duration;

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, pending},
};
use party_gallery_actors::{
    database::Database,
    health::{Heard, Probe},
    kernel::{ChildReport, Handle},
    realtime::{Hub, LastSweep},
    redis::{Redis, RedisActor},
};

use crate::blob::Store;

/// Asks PostgreSQL on the Database actor's own connection.
pub(super) struct DatabaseCheck(pub(super) Database);

impl Probe for DatabaseCheck {
    fn name(&self) -> &'static str {
        "database"
    }

    fn check(&self) -> BoxFuture<'_, Heard> {
        self.0.check().boxed()
    }

    fn stirred(&self) -> BoxFuture<'_, ()> {
        let mut outage = self.0.outage();
        async move {
            if outage.changed().await.is_err() {
                pending::<()>().await;
            }
        }
        .boxed()
    }

    fn owner(&self) -> Option<ChildReport> {
        Some(self.0.report())
    }
}

/// Asks Redis on the Redis actor's own connection.
pub(super) struct RedisCheck {
    pub(super) redis: Redis,
    pub(super) owner: Handle<RedisActor>,
}

impl Probe for RedisCheck {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn check(&self) -> BoxFuture<'_, Heard> {
        async move { self.redis.check().await.map(|_latency| ()) }.boxed()
    }

    fn stirred(&self) -> BoxFuture<'_, ()> {
        let mut reports = self.redis.reports();
        async move {
            if reports.changed().await.is_err() {
                pending::<()>().await;
            }
        }
        .boxed()
    }

    fn owner(&self) -> Option<ChildReport> {
        Some(self.owner.report())
    }
}

/// How old the hub's last sweep may be.
const SWEEP_AGE: Duration = Duration::from_secs(2);

/// Asks the realtime hub whether it sweeps.
pub(super) struct RealtimeCheck(pub(super) Handle<Hub>);

impl Probe for RealtimeCheck {
    fn name(&self) -> &'static str {
        "realtime"
    }

    fn check(&self) -> BoxFuture<'_, Heard> {
        async move {
            match self.0.call(LastSweep, SWEEP_AGE).await {
                Ok(Some(age)) if age > SWEEP_AGE => Err("not sweeping"),
                Ok(_fresh) => Ok(()),
                Err(_unanswered) => Err("no answer"),
            }
        }
        .boxed()
    }

    fn stirred(&self) -> BoxFuture<'_, ()> {
        let mut status = self.0.watch();
        async move {
            if status.changed().await.is_err() {
                pending::<()>().await;
            }
        }
        .boxed()
    }

    fn owner(&self) -> Option<ChildReport> {
        Some(self.0.report())
    }
}

/// Asks the store to keep something for a moment. No actor owns it: there is nothing that can die.
pub(super) struct StorageCheck(pub(super) Store);

impl Probe for StorageCheck {
    fn name(&self) -> &'static str {
        "storage"
    }

    fn check(&self) -> BoxFuture<'_, Heard> {
        self.0.check().boxed()
    }
}
