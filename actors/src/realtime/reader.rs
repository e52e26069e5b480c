//! Reads of the log, and other questions to who knows: a few at once, each with its deadline.
//!
//! *Invariant:* sessions that lack the same read it together, and a page is given only to who asked for it before its
//! read began: nothing that was logged before they asked is missing in it.

use std::{cell::RefCell, collections::HashMap, panic::AssertUnwindSafe, rc::Rc, sync::Arc, time::Duration};

use futures_util::{
    FutureExt,
    future::{BoxFuture, LocalBoxFuture, Shared, WeakShared},
};
use slog::{Logger, debug, error, warn};
use tokio::{
    sync::{Mutex, Semaphore},
    time::{sleep, timeout},
};

use super::{
    config::Config,
    counts::{Counters, Reading, count},
    log::{Log, Logged, PAGE, Unreadable},
    topic::Topic,
};

/// How long to wait before a log that could not be read is read again.
const RETRY: Duration = Duration::from_millis(200);

/// A topic, and the number after which it is read.
type Place = (Topic, i64);
type Read = LocalBoxFuture<'static, Option<Rc<[Logged]>>>;

/// Reads the log, and asks other questions. Its copies are one.
#[derive(Clone)]
pub(super) struct Reader(Rc<Parts>);

struct Parts {
    log: Arc<dyn Log>,
    counters: Arc<Counters>,
    logger: Logger,
    read_within: Duration,
    /// Reads for the tails of topics, and for sessions that catch up: neither waits for the other.
    tails: Semaphore,
    replays: Semaphore,
    shared: RefCell<HashMap<Place, Latest>>,
}

/// The latest read of a place that sessions share; there is at most one more, which it waits for.
struct Latest {
    number: u64,
    read: Option<WeakShared<Read>>,
    has_begun: bool,
    turn: Rc<Mutex<()>>,
}

impl Reader {
    pub(super) fn new(log: Arc<dyn Log>, counters: Arc<Counters>, config: &Config, logger: Logger) -> Self {
        Self(Rc::new(Parts {
            log,
            counters,
            logger,
            read_within: config.read_within,
            tails: Semaphore::new(config.reads),
            replays: Semaphore::new(config.reads),
            shared: RefCell::default(),
        }))
    }

    /// One read for the tail of `topic`. `None`, after a while, when it failed.
    pub(super) async fn tail(&self, topic: Topic, after: i64) -> Option<Vec<Logged>> {
        self.0.page(&self.0.tails, (topic, after), || ()).await
    }

    /// One read for sessions that catch up, with all who come before it begins. `None`, after a while, when it failed.
    pub(super) async fn replay(&self, topic: Topic, after: i64) -> Option<Rc<[Logged]>> {
        self.share((topic, after)).await
    }

    fn share(&self, place: Place) -> Shared<Read> {
        let mut shared = self.0.shared.borrow_mut();
        let latest = shared.get(&place);
        let waiting = latest.filter(|latest| !latest.has_begun).and_then(|latest| latest.read.as_ref());
        if let Some(read) = waiting.and_then(WeakShared::upgrade) {
            return read;
        }
        let (number, turn) =
            latest.map_or_else(Default::default, |latest| (latest.number + 1, Rc::clone(&latest.turn)));
        let (parts, next) = (Rc::clone(&self.0), Rc::clone(&turn));
        let read = async move {
            // Who comes while it is under way is served by the next, all by one
            let _turn = next.lock().await;
            let page = parts.page(&parts.replays, place, || parts.begin(place, number)).await;
            parts.end(place, number);
            page.map(Rc::from)
        };
        let read = read.boxed_local().shared();
        shared.insert(place, Latest { number, read: read.downgrade(), has_begun: false, turn });
        read
    }

    /// Asks something of who knows. An event that cannot even be read must not take all topics along.
    pub(super) async fn ask<T>(&self, question: BoxFuture<'_, Result<T, Unreadable>>) -> Option<T> {
        self.0.ask(question).await
    }
}

impl Parts {
    /// One read, which `begins` when there is a slot for it.
    async fn page(
        &self,
        slots: &Semaphore,
        (topic, after): Place,
        begins: impl FnOnce(),
    ) -> Option<Vec<Logged>> {
        // Never closed; the slot is kept while a failed read waits, so that an outage is not stormed
        let _slot = slots.acquire().await.ok()?;
        begins();
        let reading = Reading::begin(&self.counters);
        let page = self.ask(self.log.page(topic, after, PAGE)).await;
        drop(reading);
        if page.is_none() {
            sleep(RETRY).await;
        }
        page
    }

    async fn ask<T>(&self, question: BoxFuture<'_, Result<T, Unreadable>>) -> Option<T> {
        match timeout(self.read_within, AssertUnwindSafe(question).catch_unwind()).await {
            Ok(Ok(Ok(answer))) => return Some(answer),
            Ok(Ok(Err(error))) => debug!(self.logger, "Log was not read"; "error" => %error.0),
            Ok(Err(_panic)) => error!(self.logger, "Log failed"),
            Err(_late) => warn!(self.logger, "Log did not answer in time"),
        }
        count(&self.counters.unreadable);
        None
    }

    /// Nobody shares that read any more who comes now.
    fn begin(&self, place: Place, number: u64) {
        let mut shared = self.shared.borrow_mut();
        if let Some(latest) = shared.get_mut(&place).filter(|latest| latest.number == number) {
            latest.has_begun = true;
        }
    }

    /// Forgets the place, unless somebody has come meanwhile.
    fn end(&self, place: Place, number: u64) {
        let mut shared = self.shared.borrow_mut();
        if shared.get(&place).is_some_and(|latest| latest.number == number) {
            shared.remove(&place);
        }
    }
}
