//! The actor: connects, looks after the connection, and connects again, for as long as it lives.

use std::{
    error::Error,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{Actor, ActorFutureExt, AsyncContext, Context, Supervised, fut::wrap_future};
use slog::{debug, info, warn};
use tokio::time::{sleep, timeout};

use super::{
    error::public_reason,
    link::{Link, Means},
    pool::Origin,
    subscriber::{Ear, End, Own},
};
use crate::kernel::Life;

/// Said of Redis while no life of the actor is there to reach it.
const UNTENDED: &str = "not connected";

/// How long a cluster that moves its slots is left alone before it is looked at: it rarely moves one.
const SETTLING: Duration = Duration::from_millis(100);

/// Owns the command pool and the subscriber's connections. It is spoken to through [`super::Redis`], which needs no
/// mailbox.
pub struct RedisActor {
    life: Life<Self>,
    tenure: Option<Tenure>,
}

/// What one life does from its start to its end.
struct Tenure {
    life: Life<RedisActor>,
    link: Arc<Link>,
    origin: Origin,
    ear: Ear,
}

impl RedisActor {
    pub(super) fn new(life: Life<Self>, link: Arc<Link>, origin: Origin, ear: Ear) -> Self {
        // What a former life reached Redis through may be on a thread that is gone
        link.cut(UNTENDED);
        let tenure = Tenure { life: life.clone(), link, origin, ear };
        Self { life, tenure: Some(tenure) }
    }
}

impl Actor for RedisActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        if let Some(tenure) = self.tenure.take() {
            ctx.spawn(wrap_future(tenure.serve()).map(|(), _actor, _ctx| ()));
        }
    }
}

impl Supervised for RedisActor {
    fn restarting(&mut self, _: &mut Context<Self>) {
        *self = self.life.reborn();
    }
}

impl Tenure {
    async fn serve(self) {
        let mut told = false;
        while self.life.is_current() {
            match self.connect().await {
                Ok(mut own) => {
                    told = false;
                    match own.tend(&self.link).await {
                        End::Away(reason) if self.life.is_current() => {
                            self.link.cut(reason);
                            warn!(self.life.log(), "Redis is away"; "reason" => reason);
                        }
                        End::Away(_) => {}
                        // Most of it is where it was: what there is serves until there is something new
                        End::Moved => {
                            debug!(self.life.log(), "Redis moves its slots");
                            sleep(SETTLING).await;
                        }
                    }
                }
                Err(error) if told => {
                    debug!(self.life.log(), "Redis is still away"; "error" => &error as &(dyn Error + 'static));
                }
                Err(error) => {
                    told = true;
                    if self.life.is_current() {
                        self.link.cut(public_reason(&error));
                    }
                    warn!(self.life.log(), "Redis cannot be reached"; "reason" => public_reason(&error),
                        "error" => &error as &(dyn Error + 'static));
                }
            }
            if let Some(outage) = self.link.breaker.outage() {
                // The next connection is told of all that is wanted: what changes meanwhile must not pile up
                self.link.topics.forget_changes();
                sleep(outage.next_trial(Instant::now())).await;
            }
        }
    }

    /// One trial: the own connections, a pool, and everything that is wanted subscribed to.
    async fn connect(&self) -> Result<Own, redis::RedisError> {
        let (own, pool) = timeout(self.origin.patience(), async {
            let life = self.life.clone();
            let own = self.ear.connect(move || life.is_current()).await?;
            let pool = self.origin.pool(&own.lines, &self.link, self.life.log()).await?;
            Ok::<_, redis::RedisError>((own, pool))
        })
        .await
        .unwrap_or_else(|elapsed| Err(io::Error::from(elapsed).into()))?;
        let wanted = self.link.topics.take_all();
        own.apply(&wanted).await?;
        if self.life.is_current() {
            self.link.topics.settle(wanted.revision);
            let ended = self.link.open(Means { pool, lines: own.lines.clone() });
            // Who hears of it asks and publishes at once
            if !wanted.join.is_empty() {
                self.ear.gap();
            }
            let outage = ended.map_or(0, |outage| outage.since.elapsed().as_millis());
            info!(self.life.log(), "Redis is there"; "outage" => u64::try_from(outage).unwrap_or(u64::MAX));
        }
        Ok(own)
    }
}

/// However a life ends, nobody waits for what it owned.
impl Drop for Tenure {
    fn drop(&mut self) {
        if self.life.is_current() {
            self.link.cut(UNTENDED);
        }
    }
}
