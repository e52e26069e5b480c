//! Who is there: people with sessions on any pod, and what they say of it.
//!
//! Each pod knows of all pods who has sessions there, and finds out by itself whom of its own people a change concerns: a
//! change costs one entry in Redis, however many hear of it. Redis keeps what a pod tells of its people for as long as
//! the pod refreshes it; while it is away, each pod goes on with what it knows.

mod book;

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use jiff::Timestamp;
use parking_lot::Mutex;
use uuid::Uuid;

use self::book::{Book, News, Now};
use super::error::Error;
use crate::{
    cache::{Pod, Roster, Telling},
    db::{Connection, Database, DatabaseError, presence},
    domain::{moment::Moment, presence::Status},
    realtime::{Gathering, Registry, Seen},
};

/// Of how many people something is told at once: the others wait for the next second.
const NEWS: usize = 100;
/// How many people at a party are told of one of them, on each pod; at a party with more nobody is.
const COMPANY: usize = 500;
/// Of how many it waits to be kept when they were seen last.
const SEEN: usize = 10_000;
/// How long other pods may take to write again what Redis has lost.
const REWRITTEN: Duration = Duration::from_secs(15);
/// How often the other pods are read whole, in case that a change was lost; and for how long without an answer all
/// changes are still there.
const READ_EVERY: Duration = Duration::from_secs(60);

/// Who is there.
pub struct Presences {
    database: Database,
    roster: Roster,
    own: Pod,
    sessions: Arc<Registry>,
    clock: fn() -> SystemTime,
    book: Mutex<Book>,
    line: Mutex<Line>,
}

/// How far this pod and the others have told each other.
#[derive(Debug, Default)]
struct Line {
    /// After which change to go on, once it is known.
    after: Option<String>,
    answered: Option<Instant>,
    /// Whether Redis may lack some of this pod.
    is_torn: bool,
    /// Until when a pod that is missing may have yet to write again what Redis has lost.
    forgiving_until: Option<Instant>,
    /// When the others were read last.
    read: Option<Instant>,
    /// Who was seen last when, to be kept.
    seen: Vec<(Uuid, i64)>,
}

impl Line {
    /// Everything up to the change `last` was heard, and so many `seen` are kept; `is_lost`: what this pod had written
    /// was not there.
    fn note(&mut self, last: &str, seen: usize, is_lost: bool, now: Instant) {
        self.seen.drain(..seen.min(self.seen.len()));
        self.after = Some(last.to_owned());
        self.answered = Some(now);
        self.is_torn = is_lost;
        if is_lost {
            self.forgiving_until = Some(now + REWRITTEN);
        }
    }
}

impl Presences {
    /// Those with sessions in `sessions`, which is the pod `own`, and those of other pods as `roster` tells.
    pub fn new(
        database: Database,
        (roster, own): (Roster, Pod),
        sessions: Arc<Registry>,
        clock: fn() -> SystemTime,
    ) -> Self {
        let line = Mutex::new(Line { is_torn: true, ..Line::default() });
        Self { database, roster, own, sessions, clock, book: Mutex::default(), line }
    }

    /// Somebody with a session here says how they want to be seen. The others are told within a second.
    pub fn say(&self, person: Uuid, status: Status, now: Instant) {
        self.book.lock().say(person, status, self.now(now));
    }

    /// Who of these people is there, in their order, as far as `caller` may know: the others are never.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] while nobody can tell whom they may know of.
    pub async fn check(&self, caller: Uuid, people: Vec<Uuid>, now: Instant) -> Result<Vec<Seen>, Error> {
        let known = async |connection: &mut Connection| presence::known(connection, caller, &people).await;
        let known: HashSet<Uuid> = self.database.run(known).await?.into_iter().collect();
        let (there, mut left): (HashMap<_, _>, HashMap<_, _>) = {
            let book = self.book.lock();
            let there = known.iter().filter_map(|id| Some((*id, book.status(*id, now)?))).collect();
            (there, known.iter().filter_map(|id| Some((*id, book.left(*id)?))).collect())
        };
        let forgotten = |id: &&Uuid| !there.contains_key(*id) && !left.contains_key(*id);
        let forgotten: Vec<Uuid> = known.iter().filter(forgotten).copied().collect();
        left.extend(self.roster.seen(&forgotten).await);
        let now = self.now(now).millis;
        let seen = people.iter().map(|id| match there.get(id) {
            Some(status) => seen(*id, Some(*status), Some(now)),
            None => seen(*id, None, left.get(id).copied()),
        });
        Ok(seen.collect())
    }

    /// Once a second: who has come and gone here, what other pods tell, and what is to be told here.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`]: what was not told is told the next time.
    pub async fn beat(&self, now: Instant) -> Result<(), DatabaseError> {
        let gathering = Gathering::of(&self.sessions);
        let here: HashSet<Uuid> = gathering.people().collect();
        let at = self.now(now);
        let gone = self.book.lock().meet(&here, at);
        {
            let seen = &mut self.line.lock().seen;
            seen.extend(gone.into_iter().map(|id| (id, at.millis)));
            // Redis is away for long: the latest are worth most
            seen.drain(..seen.len().saturating_sub(SEEN));
        }
        if self.exchange(at).await.is_none() {
            self.book.lock().pardon();
            self.line.lock().is_torn = true;
        }
        self.tell(&gathering, now).await
    }

    /// Tells the other pods, and hears what they tell. `None`: Redis does not answer.
    async fn exchange(&self, now: Now) -> Option<()> {
        let mut after = self.find_place(now.instant).await?;
        loop {
            let telling = self.telling();
            // Dropped or without an answer: all of it is told again
            let heard = self.roster.exchange(&telling, &after).await?;
            self.book.lock().note_sent(&telling.words);
            for (pod, words) in heard.words {
                if pod != self.own {
                    self.book.lock().hear(pod, words, now);
                }
            }
            let is_lost = !heard.is_kept && telling.whole.is_none();
            self.line.lock().note(&heard.last, telling.seen.len(), is_lost, now.instant);
            if !is_lost && !heard.has_more {
                return self.look_at(heard.pods, now).await;
            }
            after = heard.last;
        }
    }

    /// After which change to go on. Where that is not known, or may be too long ago, the other pods are read anew.
    async fn find_place(&self, now: Instant) -> Option<String> {
        let is_recent = |at: Instant| now.saturating_duration_since(at) < READ_EVERY;
        let known = {
            let line = self.line.lock();
            line.after.clone().filter(|_| line.answered.is_some_and(is_recent))
        };
        if let Some(known) = known {
            return Some(known);
        }
        let last = self.roster.last().await?;
        self.book.lock().doubt();
        Some(last)
    }

    fn telling(&self) -> Telling {
        let (line, book) = (self.line.lock(), self.book.lock());
        let whole = line.is_torn.then(|| book.all_here());
        Telling { whole, words: book.words(), seen: line.seen.iter().take(SEEN).copied().collect() }
    }

    /// Looks whether the other pods live, and reads those that are not known whole.
    async fn look_at(&self, mut pods: Vec<Pod>, now: Now) -> Option<()> {
        pods.extend(self.book.lock().pods());
        pods.sort_unstable();
        pods.dedup();
        pods.retain(|pod| *pod != self.own);
        let (is_first, is_forgiving) = {
            let mut line = self.line.lock();
            let is_first = line.read.is_none();
            if line.read.is_none_or(|at| now.instant.saturating_duration_since(at) >= READ_EVERY) {
                line.read = Some(now.instant);
                self.book.lock().doubt();
            }
            (is_first, line.forgiving_until.is_some_and(|until| now.instant < until))
        };
        if pods.is_empty() {
            return Some(());
        }
        let there = self.roster.are_there(&pods).await?;
        {
            let mut book = self.book.lock();
            if is_forgiving { book.pardon() } else { book.look(&there, now) }
        }
        for (pod, is_there) in there {
            let (is_known, is_whole) = {
                let book = self.book.lock();
                (book.pods().contains(&pod), book.is_whole(pod))
            };
            if !is_there && !is_known {
                self.roster.forget(pod).await;
            } else if !is_whole && let Some(people) = self.roster.read(pod).await? {
                self.book.lock().hear_all(pod, &people, is_first, now);
            }
        }
        Some(())
    }

    /// Tells those here whom it concerns of those of whom there is news.
    async fn tell(&self, gathering: &Gathering, now: Instant) -> Result<(), DatabaseError> {
        let (news, here) = {
            let mut book = self.book.lock();
            book.clear(now);
            (book.news(now, NEWS), book.here())
        };
        if news.is_empty() {
            return Ok(());
        }
        let concerned = if here.is_empty() { HashMap::new() } else { self.concerned(&news, &here).await? };
        let millis = self.now(now).millis;
        for News { person, status, left } in &news {
            let Some(concerned) = concerned.get(person) else { continue };
            let last_seen = if status.is_some() { Some(millis) } else { *left };
            let frame = seen(*person, *status, last_seen).update();
            for other in concerned.iter().filter(|other| *other != person) {
                gathering.tell(*other, &frame, now);
            }
        }
        self.book.lock().note_told(&news, now);
        Ok(())
    }

    /// Who of those here follows each of these people and is followed by them, or is at a LIVE party with them.
    async fn concerned(
        &self,
        news: &[News],
        here: &[Uuid],
    ) -> Result<HashMap<Uuid, HashSet<Uuid>>, DatabaseError> {
        let people: Vec<Uuid> = news.iter().map(|news| news.person).collect();
        let limit = i64::try_from(COMPANY + 1).unwrap_or(i64::MAX);
        let (friends, parties, company) = self
            .database
            .run(async |connection: &mut Connection| {
                let friends = presence::friends(connection, &people, here).await?;
                let parties = presence::parties(connection, &people).await?;
                let distinct: HashSet<Uuid> = parties.iter().map(|(_, party)| *party).collect();
                let distinct: Vec<Uuid> = distinct.into_iter().collect();
                let company = presence::company(connection, &distinct, here, limit).await?;
                Ok::<_, DatabaseError>((friends, parties, company))
            })
            .await?;
        let mut at: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
        for (party, person) in company {
            at.entry(party).or_default().push(person);
        }
        let mut concerned: HashMap<Uuid, HashSet<Uuid>> = HashMap::new();
        for (person, friend) in friends {
            concerned.entry(person).or_default().insert(friend);
        }
        for (person, party) in parties {
            if let Some(others) = at.get(&party).filter(|others| others.len() <= COMPANY) {
                concerned.entry(person).or_default().extend(others);
            }
        }
        Ok(concerned)
    }

    fn now(&self, instant: Instant) -> Now {
        let since = (self.clock)().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Now { instant, millis: i64::try_from(since.as_millis()).unwrap_or(i64::MAX) }
    }
}

/// What is told of somebody who is there as `status` says, or was last at these milliseconds since 1970.
fn seen(user_id: Uuid, status: Option<Status>, last: Option<i64>) -> Seen {
    let last_seen = last.and_then(|at| Timestamp::from_millisecond(at).ok()).map(Moment);
    Seen { user_id, is_online: status.is_some(), status: Status::name(status), last_seen }
}

impl fmt::Debug for Presences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presences").field("own", &self.own).finish_non_exhaustive()
    }
}
