//! The actor's own connection: it hears the topics, and its end tells that Redis is away.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ProtocolVersion, PushInfo, PushKind, RedisError, Value,
    aio::{MultiplexedConnection, SendError},
};
use tokio::sync::watch;

use super::{
    config::BadUrl,
    error::public_reason,
    link::{Link, STALL},
    topics::Changes,
};

/// How many topics go out in one command.
const CHUNK: usize = 256;

/// Takes what arrives on subscribed topics. Called on the actor's thread: it must neither wait nor fail.
pub trait Inbox: Send + Sync {
    /// A message on a topic that is or was wanted.
    fn message(&self, topic: &str, payload: Bytes);
    /// The topics were subscribed to anew: what was published meanwhile may be lost.
    fn gap(&self);
}

/// What the own connection is made from, for each outage anew.
#[derive(Clone)]
pub(super) struct Ear {
    client: Client,
    inbox: Option<Arc<dyn Inbox>>,
}

impl Ear {
    pub(super) fn new(server: &ConnectionInfo, inbox: Option<Arc<dyn Inbox>>) -> Result<Self, BadUrl> {
        let settings = server.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let server = server.clone().set_redis_settings(settings);
        let client = Client::open(server).map_err(|_quotes_the_url| BadUrl)?;
        Ok(Self { client, inbox })
    }

    /// Connects and asks for a first answer. What arrives is passed on only while `speaks`.
    pub(super) async fn connect(
        &self,
        speaks: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Result<Own, RedisError> {
        let (over, end) = watch::channel(false);
        let inbox = self.inbox.clone();
        // Called by the driver of the connection and dropped with it: both its word and its end reach `end`
        let hear = move |push: PushInfo| -> Result<(), SendError> {
            if push.kind == PushKind::Disconnection {
                over.send_replace(true);
            } else if let Some(inbox) = inbox.as_ref().filter(|_| speaks()) {
                deliver(inbox.as_ref(), push);
            }
            Ok(())
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(STALL))
            .set_response_timeout(Some(STALL))
            .set_push_sender(hear);
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        let mut own = Own { connection, end };
        ping(&mut own.connection).await?;
        Ok(own)
    }

    /// Tells that something may have been lost.
    pub(super) fn gap(&self) {
        if let Some(inbox) = &self.inbox {
            inbox.gap();
        }
    }
}

fn deliver(inbox: &dyn Inbox, push: PushInfo) {
    let PushInfo { kind: PushKind::Message, data } = push else { return };
    if let Ok([Value::BulkString(topic), Value::BulkString(payload)]) = <[Value; 2]>::try_from(data)
        && let Ok(topic) = str::from_utf8(&topic)
    {
        inbox.message(topic, Bytes::from(payload));
    }
}

/// The actor's own connection while it lives.
pub(super) struct Own {
    pub(super) connection: MultiplexedConnection,
    end: watch::Receiver<bool>,
}

impl Own {
    /// Subscribes and unsubscribes, and waits until Redis has confirmed.
    pub(super) async fn apply(&mut self, changes: &Changes) -> Result<(), RedisError> {
        for topics in changes.join.chunks(CHUNK) {
            self.connection.subscribe(names(topics)).await?;
        }
        for topics in changes.leave.chunks(CHUNK) {
            self.connection.unsubscribe(names(topics)).await?;
        }
        Ok(())
    }

    /// Looks after the connection until Redis is away. Gives why, fit for the public.
    pub(super) async fn tend(&mut self, link: &Link) -> &'static str {
        let mut end = self.end.clone();
        loop {
            let done = tokio::select! {
                biased;
                _ = end.wait_for(|over| *over) => return "connection closed",
                () = link.doubted() => ping(&mut self.connection).await,
                () = link.topics.changed() => {
                    let changes = link.topics.take_changes();
                    let done = self.apply(&changes).await;
                    if done.is_ok() {
                        link.topics.settle(changes.revision);
                    }
                    done
                }
            };
            if let Err(error) = done {
                return public_reason(&error);
            }
        }
    }
}

/// One question of life; the connection's own time-out bounds it.
pub(super) async fn ping(connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
    redis::cmd("PING").query_async(connection).await
}

/// How long [`ping`] takes at most.
pub(super) const PING_WITHIN: Duration = STALL;

fn names(topics: &[Arc<str>]) -> Vec<&str> {
    topics.iter().map(AsRef::as_ref).collect()
}
