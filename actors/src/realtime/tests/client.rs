//! A session without a socket, a log in memory, and the frames between them.

use std::{
    collections::HashMap,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Waker,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use parking_lot::Mutex;
use tokio::time::sleep;

use crate::realtime::{registry::Membership, *};

pub(super) const GALLERY: u8 = 1;
pub(super) const CHAT: u8 = 2;
pub(super) const TOPIC: Topic = Topic(7);

/// Keeps what was appended.
#[derive(Default)]
pub(super) struct MemoryLog {
    topics: Mutex<HashMap<Topic, Vec<Logged>>>,
    pub(super) is_away: AtomicBool,
    pub(super) is_broken: AtomicBool,
    reads: AtomicUsize,
    /// The most reads that ever went on at once.
    pub(super) most_reads: AtomicUsize,
}

impl MemoryLog {
    pub(super) fn append(&self, topic: Topic, audience: Audience) -> i64 {
        self.append_with(topic, audience, None, 0)
    }

    pub(super) fn append_with(
        &self,
        topic: Topic,
        audience: Audience,
        removal: Option<Removal>,
        padding: usize,
    ) -> i64 {
        let mut topics = self.topics.lock();
        let events = topics.entry(topic).or_default();
        let seq = i64::try_from(events.len()).unwrap() + 1;
        let frame = Frame::text(format!("{seq}{}", " ".repeat(padding)));
        events.push(Logged { seq, audience, frame, removal });
        seq
    }

    pub(super) fn head(&self, topic: Topic) -> i64 {
        self.topics.lock().get(&topic).map_or(0, |events| i64::try_from(events.len()).unwrap())
    }

    pub(super) fn read(&self, topic: Topic, after: i64, limit: usize) -> Vec<Logged> {
        let after = usize::try_from(after).unwrap();
        let topics = self.topics.lock();
        topics.get(&topic).into_iter().flatten().skip(after).take(limit).cloned().collect()
    }

    /// The numbers after `after` that are for `audience`.
    pub(super) fn expected(&self, topic: Topic, after: i64, audience: Audience) -> Vec<i64> {
        let events = self.read(topic, after, usize::MAX);
        events.iter().filter(|event| event.audience.meets(audience)).map(|event| event.seq).collect()
    }

    fn state(&self) -> Result<(), Unreadable> {
        assert!(!self.is_broken.load(Ordering::Relaxed), "a log that fails");
        match self.is_away.load(Ordering::Relaxed) {
            true => Err(Unreadable("away".into())),
            false => Ok(()),
        }
    }
}

impl Log for MemoryLog {
    fn page(&self, topic: Topic, after: i64, limit: usize) -> BoxFuture<'_, Result<Vec<Logged>, Unreadable>> {
        async move {
            self.state()?;
            let reads = self.reads.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_reads.fetch_max(reads, Ordering::SeqCst);
            let page = self.read(topic, after, limit);
            sleep(Duration::from_millis(1)).await;
            self.reads.fetch_sub(1, Ordering::SeqCst);
            Ok(page)
        }
        .boxed()
    }

    fn heads<'a>(&'a self, topics: &'a [Topic]) -> BoxFuture<'a, Result<Heads, Unreadable>> {
        async move {
            self.state()?;
            let last = topics.iter().map(|topic| (*topic, self.head(*topic))).collect();
            Ok(Heads { epoch: 1, last })
        }
        .boxed()
    }
}

/// Says which credentials are over.
#[derive(Default)]
pub(super) struct Register {
    over: Mutex<HashMap<Credential, Close>>,
    pub(super) is_away: AtomicBool,
    /// How many credentials each question was about.
    pub(super) questions: Mutex<Vec<usize>>,
}

impl Register {
    pub(super) fn strike(&self, subject: u128, grant: Option<u128>, close: Close) {
        let subject = Subject { kind: 0, id: subject };
        self.over.lock().insert(Credential { subject, grant }, close);
    }
}

impl Revocation for Register {
    fn revoked<'a>(
        &'a self,
        credentials: &'a [Credential],
    ) -> BoxFuture<'a, Result<Vec<(Credential, Close)>, Unreadable>> {
        async move {
            if self.is_away.load(Ordering::Relaxed) {
                return Err(Unreadable("away".into()));
            }
            self.questions.lock().push(credentials.len());
            let over = self.over.lock();
            Ok(credentials.iter().filter_map(|known| Some((*known, *over.get(known)?))).collect())
        }
        .boxed()
    }
}

/// Tells of people as `+face count`, `-face count`, `=count`, `!face` and `.face`.
pub(super) struct Names;

impl Voice for Names {
    fn audience(&self, _: u8) -> Audience {
        Audience(1)
    }

    fn came(&self, _: Topic, _: u8, face: &Bytes, count: usize) -> Option<Frame> {
        Some(Frame::text(format!("+{} {count}", String::from_utf8_lossy(face))))
    }

    fn went(&self, _: Topic, _: u8, face: &Bytes, count: usize) -> Option<Frame> {
        Some(Frame::text(format!("-{} {count}", String::from_utf8_lossy(face))))
    }

    fn count(&self, _: Topic, _: u8, count: usize) -> Option<Frame> {
        Some(Frame::text(format!("={count}")))
    }

    fn shows(&self, _: Topic, _: u8, face: &Bytes, is_on: bool) -> Option<Frame> {
        let sign = if is_on { "!" } else { "." };
        Some(Frame::text(format!("{sign}{}", String::from_utf8_lossy(face))))
    }
}

struct Silence;

impl Notices for Silence {
    fn expiring(&self) -> Option<Frame> {
        None
    }

    fn draining(&self, _: Duration) -> Option<Frame> {
        Some(Frame::text("come back"))
    }
}

/// What a client was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Got {
    Event(i64),
    Welcome(Joined),
    Words(String),
}

/// A session without a socket.
pub(super) struct Client {
    pub(super) membership: Membership,
    pub(super) got: Vec<Got>,
    pub(super) close: Option<Close>,
    answers: Arc<Mutex<Vec<Joined>>>,
}

impl Client {
    pub(super) fn connect(registry: &Arc<Registry>, subject: u128) -> Self {
        Self::connect_by(registry, subject, None)
    }

    /// One that is `subject`'s by `grant`.
    pub(super) fn connect_by(registry: &Arc<Registry>, subject: u128, grant: Option<u128>) -> Self {
        let identity = Identity {
            subject: Subject { kind: 0, id: subject },
            grant,
            expires_at: Instant::now() + Duration::from_secs(3600),
        };
        let membership = registry
            .open(
                [127, 0, 0, 1].into(),
                Some(identity),
                (Weak::new(), false),
                Arc::new(Silence),
                Instant::now(),
            )
            .unwrap();
        Self { membership, got: Vec::new(), close: None, answers: Arc::default() }
    }

    pub(super) fn entry(&self) -> &Arc<Entry> {
        &self.membership.entry
    }

    pub(super) fn join(&self, join: Join) {
        self.membership.registry.topics.join(self.entry(), join, Instant::now());
    }

    /// Comes in under `room`, let in when the log's head was `head`.
    pub(super) fn enter(&self, topic: Topic, room: u8, audience: Audience, head: i64, since: Option<i64>) {
        self.join(Join { face: None, ..self.form(topic, room, audience, head, since) });
    }

    /// A join whose welcome is sent as a word and kept.
    pub(super) fn form(
        &self,
        topic: Topic,
        room: u8,
        audience: Audience,
        head: i64,
        since: Option<i64>,
    ) -> Join {
        let answers = Arc::clone(&self.answers);
        let welcome = Box::new(move |joined| {
            let mut answers = answers.lock();
            answers.push(joined);
            vec![Frame::text(format!("welcome {}", answers.len() - 1))]
        });
        let face = Some(Bytes::from(format!("{room}")));
        Join { topic, room, audience, head, epoch: None, since, heard_after: None, face, welcome }
    }

    /// Serves it what it is taken to have read for itself.
    pub(super) fn serve(&self, topic: Topic, page: &[Logged]) {
        let (topics, id) = (&self.membership.registry.topics, self.entry().id());
        let lack = topics.lacks(topic, id).expect("it lacks something");
        topics.advance(topic, id, lack, page, Instant::now());
    }

    /// Takes what waits, as its socket would; at most about `bytes`.
    pub(super) fn take(&mut self, bytes: usize) {
        let batch = self.entry().outbox().take(bytes, Waker::noop());
        for frame in batch.frames {
            let text = String::from_utf8(frame.bytes().to_vec()).unwrap();
            let got = match (text.trim().parse(), text.strip_prefix("welcome ")) {
                (Ok(seq), _) => Got::Event(seq),
                (_, Some(nth)) => Got::Welcome(self.answers.lock()[nth.parse::<usize>().unwrap()]),
                _ => Got::Words(text),
            };
            self.got.push(got);
        }
        self.close = self.close.or(batch.close);
    }

    pub(super) fn rooms(&self) -> Vec<(Topic, u8)> {
        self.entry().rooms.lock().iter().copied().collect()
    }

    pub(super) fn events(&self) -> Vec<i64> {
        let seq = |got: &Got| if let Got::Event(seq) = got { Some(*seq) } else { None };
        self.got.iter().filter_map(seq).collect()
    }

    pub(super) fn words(&self) -> Vec<String> {
        let word = |got: &Got| if let Got::Words(text) = got { Some(text.clone()) } else { None };
        self.got.iter().filter_map(word).collect()
    }

    pub(super) fn welcomes(&self) -> Vec<Joined> {
        let joined = |got: &Got| if let Got::Welcome(joined) = got { Some(*joined) } else { None };
        self.got.iter().filter_map(joined).collect()
    }
}
