//! How the actor's own connections are made: they hear the topics, and their end tells that Redis is away.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::{select_ok, try_join_all};
use parking_lot::Mutex;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ProtocolVersion, PushInfo, PushKind,
    RedisError, Value,
    aio::{MultiplexedConnection, SendError},
};
use tokio::sync::watch;

use super::{
    config::Hosts,
    error::{is_moved, public_reason},
    lines::{Lines, state},
    link::{Link, STALL},
    slots::{Node, Slots, down},
    topics::{Changes, Topic},
};

/// How many nodes are asked at once where a cluster's slots are: all pods ask, and again and again.
const ASKED: usize = 3;

/// Takes what arrives on subscribed topics. Called on the actor's thread: it must neither wait nor fail.
pub trait Inbox: Send + Sync {
    /// A message on a topic that is or was wanted.
    fn message(&self, topic: &str, payload: Bytes);
    /// The topics were subscribed to anew: what was published meanwhile may be lost.
    fn gap(&self);
}

/// What the own connections are made from, for each outage anew.
#[derive(Clone)]
pub(super) struct Ear {
    hosts: Hosts,
    /// The nodes that a cluster had when it was last seen: it may have left all that it was given.
    nodes: Arc<Mutex<Vec<Node>>>,
    inbox: Option<Arc<dyn Inbox>>,
    /// Whose word counts: of two that hear the same, the latter.
    turn: Arc<AtomicU64>,
}

impl Ear {
    pub(super) fn new(hosts: &Hosts, inbox: Option<Arc<dyn Inbox>>) -> Self {
        Self { hosts: hosts.clone(), nodes: Arc::default(), inbox, turn: Arc::default() }
    }

    /// Connects and asks for a first answer. What arrives is passed on only while `speaks`.
    pub(super) async fn connect(
        &self,
        speaks: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Result<Own, RedisError> {
        let mine = self.turn.fetch_add(1, Ordering::AcqRel) + 1;
        let turn = Arc::clone(&self.turn);
        let speaks = move || turn.load(Ordering::Acquire) == mine && speaks();
        let (news, told) = watch::channel(None);
        let hearing = Arc::new(Hearing {
            inbox: self.inbox.clone(),
            speaks: Box::new(speaks),
            leaving: Mutex::default(),
            news,
        });
        let lines = match &self.hosts {
            Hosts::Server(server) => Lines::Server(hearing.connect(server.as_ref().clone()).await?),
            Hosts::Cluster(seeds) => {
                let slots = self.survey(seeds, mine).await?;
                let masters = slots.masters.iter().filter_map(|node| at(seeds, node));
                let lines = try_join_all(masters.map(|master| hearing.connect(master))).await?;
                Lines::Cluster(lines, Arc::new(slots))
            }
        };
        lines.ping().await?;
        Ok(Own { lines, hearing, told })
    }

    /// Asks some of the nodes that are known, others at each trial, which of them has which slot. The first that finds
    /// the cluster whole is believed: that it was wrong is found when its word is taken.
    async fn survey(&self, seeds: &[ConnectionInfo], trial: u64) -> Result<Slots, RedisError> {
        let known = self.nodes.lock().clone();
        let known: Vec<_> = known.iter().filter_map(|node| at(seeds, node)).collect();
        let seeds = seeds.iter().filter(|seed| known.iter().all(|node| node.addr() != seed.addr()));
        let mut nodes: Vec<_> = known.iter().chain(seeds).collect();
        let first = usize::try_from(trial).unwrap_or_default().wrapping_mul(ASKED) % nodes.len().max(1);
        nodes.rotate_left(first);
        let (slots, _) = select_ok(nodes.into_iter().take(ASKED).map(|node| Box::pin(ask(node)))).await?;
        self.nodes.lock().clone_from(&slots.nodes);
        Ok(slots)
    }

    /// Tells that something may have been lost.
    pub(super) fn gap(&self) {
        if let Some(inbox) = &self.inbox {
            inbox.gap();
        }
    }
}

/// A node as it is reached: as those that were given, but elsewhere.
pub(super) fn at(seeds: &[ConnectionInfo], (host, port): &Node) -> Option<ConnectionInfo> {
    let seed = seeds.first()?.clone();
    let mut address = seed.addr().clone();
    match &mut address {
        ConnectionAddr::Tcp(at, on) | ConnectionAddr::TcpTls { host: at, port: on, .. } => {
            at.clone_from(host);
            *on = *port;
        }
        _ => return None,
    }
    Some(seed.set_addr(address))
}

async fn ask(node: &ConnectionInfo) -> Result<Slots, RedisError> {
    let (ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. }) = node.addr() else {
        return Err(down());
    };
    let client = Client::open(node.clone())?;
    let mut connection = client.get_multiplexed_async_connection_with_config(&bounded()).await?;
    // One that is cut off from the others says what was true before
    state(&connection).await?;
    let answer = redis::cmd("CLUSTER").arg("SLOTS").query_async(&mut connection).await?;
    Slots::read(answer, host)
}

fn bounded() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(Some(STALL)).set_response_timeout(Some(STALL))
}

/// What the own connections have told of themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum News {
    /// One has ended.
    Over,
    /// A node has given slots away, and with them topics.
    Moved,
}

/// What all own connections report to.
struct Hearing {
    inbox: Option<Arc<dyn Inbox>>,
    speaks: Box<dyn Fn() -> bool + Send + Sync>,
    /// What the actor itself takes leave of; whatever else a node takes leave of has moved.
    leaving: Mutex<HashSet<Topic>>,
    news: watch::Sender<Option<News>>,
}

/// Goes with the driver of a connection, which may end without a word.
struct Listener(Arc<Hearing>);

impl Hearing {
    async fn connect(self: &Arc<Self>, node: ConnectionInfo) -> Result<MultiplexedConnection, RedisError> {
        let settings = node.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let client = Client::open(node.set_redis_settings(settings))?;
        let listener = Listener(Arc::clone(self));
        let config = bounded().set_push_sender(move |push| -> Result<(), SendError> {
            listener.hear(push);
            Ok(())
        });
        client.get_multiplexed_async_connection_with_config(&config).await
    }

    fn take(&self, push: PushInfo) {
        match push.kind {
            PushKind::Disconnection => _ = self.news.send_replace(Some(News::Over)),
            PushKind::SUnsubscribe if !self.is_leave(&push.data) => self.moved(),
            PushKind::Message | PushKind::SMessage if (self.speaks)() => self.deliver(push.data),
            _ => {}
        }
    }

    /// That it is over is the last word.
    fn moved(&self) {
        self.news.send_if_modified(|news| {
            let is_news = news.is_none();
            if is_news {
                *news = Some(News::Moved);
            }
            is_news
        });
    }

    /// Whether a node takes leave because it was told to.
    fn is_leave(&self, data: &[Value]) -> bool {
        let Some(Value::BulkString(topic)) = data.first() else { return false };
        str::from_utf8(topic).is_ok_and(|topic| self.leaving.lock().remove(topic))
    }

    fn deliver(&self, data: Vec<Value>) {
        if let Some(inbox) = &self.inbox
            && let Ok([Value::BulkString(topic), Value::BulkString(payload)]) = <[Value; 2]>::try_from(data)
            && let Ok(topic) = str::from_utf8(&topic)
        {
            inbox.message(topic, Bytes::from(payload));
        }
    }
}

impl Listener {
    fn hear(&self, push: PushInfo) {
        self.0.take(push);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.news.send_replace(Some(News::Over));
    }
}

/// Why the own connections are no longer looked after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Redis is away; why, fit for the public.
    Away(&'static str),
    /// The slots of a cluster are elsewhere: its connections have to be made anew.
    Moved,
}

/// The actor's own connections while they live.
pub(super) struct Own {
    pub(super) lines: Lines,
    hearing: Arc<Hearing>,
    told: watch::Receiver<Option<News>>,
}

impl Own {
    /// Subscribes and unsubscribes, and waits until Redis has confirmed.
    pub(super) async fn apply(&self, changes: &Changes) -> Result<(), RedisError> {
        if matches!(self.lines, Lines::Cluster(..)) {
            *self.hearing.leaving.lock() = changes.leave.iter().cloned().collect();
        }
        self.lines.apply(changes).await
    }

    /// Looks after the connections until Redis is away or has moved.
    pub(super) async fn tend(&mut self, link: &Link) -> End {
        let mut told = self.told.clone();
        loop {
            let done = tokio::select! {
                biased;
                _ = told.wait_for(Option::is_some) => Ok(()),
                () = link.doubted() => self.lines.ping().await,
                () = link.topics.changed() => {
                    let changes = link.topics.take_changes();
                    let done = self.apply(&changes).await;
                    if done.is_ok() {
                        link.topics.settle(changes.revision);
                    }
                    done
                }
            };
            // A node that gives slots away says so amid its answers, which then fit no question any more
            match (*self.told.borrow(), done) {
                (Some(News::Over), _) => return End::Away("connection closed"),
                (Some(News::Moved), _) => return End::Moved,
                (None, Err(error)) if is_moved(&error) => return End::Moved,
                (None, Err(error)) => return End::Away(public_reason(&error)),
                (None, Ok(())) => {}
            }
        }
    }
}

/// How long [`Lines::ping`] takes at most.
pub(super) const PING_WITHIN: Duration = STALL;
