//! The Redis actor: owns the command pool and the subscriber's connections, to one server or to a cluster.
//!
//! Whoever has commands to send or topics to hear holds a [`Redis`]; it outlives every life of the actor. The actor
//! keeps a connection of its own outside the pool, on a cluster one to each master: subscriptions live on it, and its
//! end tells that Redis went away before the next command would find out. A cluster of which a part is away is away.
//!
//! *Invariant:* a Redis that is away is an answer and never a failure of the actor; what a key or a topic means is
//! not known here.

mod actor;
mod client;
mod config;
mod connection;
mod error;
mod lines;
mod link;
mod pool;
mod slots;
mod subscriber;
#[cfg(test)]
#[cfg(feature = "chaos")]
mod tests;
mod topics;

use std::sync::Arc;

/// The driver, so that who writes commands depends on no other version of it.
pub use ::redis as driver;

pub use self::{
    actor::RedisActor,
    client::Redis,
    config::{BadUrl, Config, Place},
    connection::Connection,
    error::RedisError,
    pool::PoolReport,
    subscriber::Inbox,
};
use self::{link::Link, pool::Origin, subscriber::Ear};
use crate::kernel::{Child, Exhausted};

/// Makes the client and the child that serves it; `inbox` takes what arrives on subscribed topics.
///
/// Nothing is connected until the child is added to a supervisor; until then calls are refused.
///
/// # Errors
///
/// The URL is not one of Redis.
pub fn build(config: &Config, inbox: Option<Arc<dyn Inbox>>) -> Result<(Redis, Child<RedisActor>), BadUrl> {
    let hosts = config.hosts()?;
    let link = Arc::new(Link::new(config.command_deadline));
    let origin = Origin::new(&hosts, config)?;
    let ear = Ear::new(&hosts, inbox);
    let redis = Redis::new(Arc::clone(&link), &hosts);
    let child = Child::new("redis", move |life| {
        RedisActor::new(life, Arc::clone(&link), origin.clone(), ear.clone())
    })
    .on_exhausted(Exhausted::Degrade);
    Ok((redis, child))
}
