//! What one life of the hub does for topics and subjects: reads the log where there is something to read, asks whose
//! sessions are over, and tells the other pods.
//!
//! *Invariant:* it holds no truth: all cursors are in [`Topics`], so that it may end at any point and be begun again.

use std::{
    collections::HashSet,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{FutureExt, StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use slog::Logger;
use tokio::{
    task::yield_now,
    time::{MissedTickBehavior, interval},
};

use super::{
    channel::Channel,
    config::Config,
    end::BATCH_BYTES,
    entry::Entry,
    log::{Log, PAGE},
    mailbag::Mailbag,
    reader::Reader,
    revocation::{Credential, QUESTION, Revocation},
    stream::Progress,
    subjects::Subjects,
    topic::Topic,
    topics::Topics,
    wire::Word,
};

/// How many topics one question is about.
const HEADS: usize = 500;
/// How many sessions are written to at once.
const AT_ONCE: usize = 128;
/// How often it is looked after what time changes in rooms.
const BEAT: Duration = Duration::from_secs(1);

/// Who is asked for the truth.
#[derive(Clone)]
pub(super) struct Sources {
    pub(super) log: Arc<dyn Log>,
    pub(super) revocation: Arc<dyn Revocation>,
}

/// What one life of the hub does for topics and subjects.
pub(super) struct Tail {
    topics: Arc<Topics>,
    subjects: Arc<Subjects>,
    log: Arc<dyn Log>,
    revocation: Arc<dyn Revocation>,
    reader: Reader,
    reconcile_every: Duration,
    judge_every: Duration,
}

/// A piece of work that is through.
enum Done {
    Caught(Topic),
    Replayed(Topic, Arc<Entry>),
    Reconciled,
    Judged,
    Published,
}

impl Tail {
    pub(super) fn new(subjects: Arc<Subjects>, sources: Sources, config: &Config, logger: Logger) -> Self {
        let Sources { log, revocation } = sources;
        let topics = Arc::clone(&subjects.topics);
        let reader = Reader::new(Arc::clone(&log), Arc::clone(&topics.counters), config, logger);
        Self {
            topics,
            subjects,
            log,
            revocation,
            reader,
            reconcile_every: config.reconcile_every,
            judge_every: config.judge_every,
        }
    }

    /// Serves topics for as long as `is_current`.
    pub(super) async fn serve(self, is_current: impl Fn() -> bool) {
        let mut work: FuturesUnordered<LocalBoxFuture<'_, Done>> = FuturesUnordered::new();
        let (mut reading, mut replaying) = (HashSet::new(), HashSet::new());
        let (mut reconciling, mut publishing, mut is_due) = (false, false, false);
        let (mut judging, mut doubted) = (false, HashSet::new());
        let mut reconcile = interval(self.reconcile_every);
        let mut judge = interval(self.judge_every);
        let mut beat = interval(BEAT);
        reconcile.set_missed_tick_behavior(MissedTickBehavior::Delay);
        judge.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.topics.begin_life();
        while is_current() {
            for topic in self.topics.work.take_stirred() {
                if reading.insert(topic) {
                    work.push(self.catch_up(topic).boxed_local());
                }
            }
            for (topic, entry) in self.topics.work.take_readers() {
                if replaying.insert((topic, entry.id())) {
                    work.push(self.replay(topic, entry).boxed_local());
                }
            }
            is_due |= self.topics.work.take_doubt();
            if is_due && !reconciling {
                (is_due, reconciling) = (false, true);
                work.push(self.reconcile().boxed_local());
            }
            doubted.extend(self.subjects.take_doubted());
            if !doubted.is_empty() && !judging {
                judging = true;
                work.push(self.judge(mem::take(&mut doubted)).boxed_local());
            }
            if !publishing
                && let Some(batch) = Some(self.topics.outgoing.take()).filter(|batch| !batch.is_empty())
            {
                publishing = true;
                work.push(self.publish(batch).boxed_local());
            }
            tokio::select! {
                () = self.topics.work.stirs() => {}
                _ = reconcile.tick() => is_due = true,
                _ = judge.tick() => doubted.extend(self.subjects.credentials()),
                _ = beat.tick() => self.topics.beat(Instant::now()),
                Some(done) = work.next(), if !work.is_empty() => match done {
                    Done::Caught(topic) => {
                        reading.remove(&topic);
                        // It may have been stirred between its last look and now
                        if self.topics.behind(topic).is_some() && reading.insert(topic) {
                            work.push(self.catch_up(topic).boxed_local());
                        }
                    }
                    Done::Replayed(topic, entry) => {
                        replaying.remove(&(topic, entry.id()));
                        // It may have come in again
                        if entry.outbox().closing().is_none()
                            && self.topics.lacks(topic, entry.id()).is_some()
                            && replaying.insert((topic, entry.id()))
                        {
                            work.push(self.replay(topic, entry).boxed_local());
                        }
                    }
                    Done::Reconciled => reconciling = false,
                    Done::Judged => judging = false,
                    Done::Published => publishing = false,
                },
            }
        }
        // The bell may have rung for the next life
        self.topics.work.ring();
    }

    /// Reads the log of `topic` until its end, and tells all live members.
    async fn catch_up(&self, topic: Topic) -> Done {
        while let Some((after, goal)) = self.topics.behind(topic) {
            let Some(page) = self.reader.tail(topic, after).await else { continue };
            let (mut bag, mut bytes) = (Mailbag::default(), 0);
            for event in &page {
                self.topics.deliver(topic, after, event, &mut bag, Instant::now());
                bytes += event.frame.cost();
                if bytes >= BATCH_BYTES {
                    bytes = 0;
                    send(&mut bag).await;
                }
                // A topic with many members does not keep the others waiting
                yield_now().await;
            }
            send(&mut bag).await;
            if page.len() < PAGE {
                self.topics.reach(topic, after, goal);
            }
        }
        Done::Caught(topic)
    }

    /// Reads the log for one session as its outbox drains, until it is live.
    async fn replay(&self, topic: Topic, entry: Arc<Entry>) -> Done {
        while entry.outbox().drained().await
            && let Some(lack) = self.topics.lacks(topic, entry.id())
        {
            let Some(page) = self.reader.replay(topic, lack.after).await else { continue };
            if self.topics.advance(topic, entry.id(), lack, &page, Instant::now()) == Progress::Done {
                break;
            }
            yield_now().await;
        }
        Done::Replayed(topic, entry)
    }

    /// Compares all topics with the log.
    async fn reconcile(&self) -> Done {
        let before = self.topics.cursors();
        let topics: Vec<Topic> = before.keys().copied().collect();
        for topics in topics.chunks(HEADS) {
            let Some(heads) = self.reader.ask(self.log.heads(topics)).await else { break };
            self.topics.reconcile(topics, &heads, &before, Instant::now());
        }
        Done::Reconciled
    }

    /// Closes what is over of the sessions that are somebody's by these.
    async fn judge(&self, credentials: HashSet<Credential>) -> Done {
        let credentials: Vec<Credential> = credentials.into_iter().collect();
        for some in credentials.chunks(QUESTION) {
            let Some(over) = self.reader.ask(self.revocation.revoked(some)).await else { break };
            for (credential, close) in over {
                self.subjects.end(credential, close, Instant::now());
            }
        }
        Done::Judged
    }

    /// Tells the other pods.
    async fn publish(&self, batch: Vec<(Channel, Word)>) -> Done {
        self.topics.publish(batch).await;
        Done::Published
    }
}

/// Sends what is in the bag: what came together goes to each in one write.
async fn send(bag: &mut Mailbag) {
    while !bag.is_empty() {
        drop(bag.split(AT_ONCE));
        yield_now().await;
    }
}
