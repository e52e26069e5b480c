//! Who has sessions on which pod: a hash for each pod, which is gone when nobody refreshes it, and a stream of changes.
//!
//! *Invariant:* a pod that dies leaves nothing; what Redis has lost, each pod writes again.

use std::{collections::HashMap, fmt, time::Duration};

use party_gallery_actors::redis::{Redis, driver};
use uuid::Uuid;

use crate::domain::presence::{Said, Status};

/// A pod's number.
pub type Pod = u64;
/// What a pod tells of somebody: there, and what they said last; or not there any more.
pub type Word = (Uuid, Option<Said>);

/// How long what a pod has written is believed: refreshed every second, and with what it takes to notice less than 30 s.
const BELIEVED: Duration = Duration::from_secs(24);
/// How long it is known when somebody was seen last.
const REMEMBERED: Duration = Duration::from_secs(7 * 86_400);
/// How many changes are kept, each with all of a second.
const NEWS: usize = 10_000;
/// How many of them are read at once.
const PAGE: usize = 1000;
/// How many fields one command writes.
const FIELDS: usize = 1000;

/// All keys have one tag, so that a cluster keeps them together.
const PODS: &str = "{presence}:pods";
const STREAM: &str = "{presence}:news";

/// Who has sessions on which pod, in Redis.
#[derive(Clone)]
pub struct Roster {
    redis: Redis,
    own: Pod,
}

/// What a pod has to tell.
#[derive(Debug, Default)]
pub struct Telling {
    /// Everybody, where nothing of it may be there.
    pub whole: Option<Vec<(Uuid, Said)>>,
    /// What has changed.
    pub words: Vec<Word>,
    /// Who was seen last when, in milliseconds since 1970.
    pub seen: Vec<(Uuid, i64)>,
}

/// What a pod is told.
#[derive(Debug)]
pub struct Heard {
    /// Whether everything that it has ever written was there.
    pub is_kept: bool,
    /// All pods, itself too, and some that are gone.
    pub pods: Vec<Pod>,
    /// What has changed since, in order.
    pub words: Vec<(Pod, Vec<Word>)>,
    /// After what to go on.
    pub last: String,
    /// Whether there is more.
    pub has_more: bool,
}

impl Roster {
    /// The one that the pod `own` writes into.
    pub fn new(redis: Redis, own: Pod) -> Self {
        Self { redis, own }
    }

    /// Writes what there is to tell, and reads what has changed after `after`. `None`: no answer.
    pub async fn exchange(&self, telling: &Telling, after: &str) -> Option<Heard> {
        let mut pipe = driver::pipe();
        // All or nothing: cut off before its last lines it would leave a key that never expires
        pipe.atomic();
        let key = key(self.own);
        if let Some(whole) = &telling.whole {
            // The field without a name keeps the key where nobody is here
            pipe.cmd("DEL").arg(&key).ignore().cmd("HSET").arg(&key).arg("").arg("").ignore();
            for people in whole.chunks(FIELDS) {
                pipe.cmd("HSET").arg(&key);
                for (id, said) in people {
                    pipe.arg(id.as_bytes()).arg(encode(*said).as_slice());
                }
                pipe.ignore();
            }
        }
        for (id, said) in &telling.words {
            match said {
                Some(said) => pipe.cmd("HSET").arg(&key).arg(id.as_bytes()).arg(encode(*said).as_slice()),
                None => pipe.cmd("HDEL").arg(&key).arg(id.as_bytes()),
            };
            pipe.ignore();
        }
        for (id, at) in &telling.seen {
            pipe.cmd("SET").arg(seen(*id)).arg(at).arg("EX").arg(REMEMBERED.as_secs()).ignore();
        }
        if !telling.words.is_empty() {
            let words: Vec<u8> = telling.words.iter().flat_map(word).collect();
            pipe.cmd("XADD").arg(STREAM).arg("MAXLEN").arg("~").arg(NEWS).arg("*");
            pipe.arg(self.own).arg(words).ignore();
            pipe.cmd("EXPIRE").arg(STREAM).arg(3600).ignore();
        }
        pipe.cmd("SADD").arg(PODS).arg(self.own).ignore().cmd("EXPIRE").arg(PODS).arg(3600).ignore();
        pipe.cmd("EXPIRE").arg(&key).arg(BELIEVED.as_secs());
        pipe.cmd("SMEMBERS").arg(PODS);
        pipe.cmd("XRANGE").arg(STREAM).arg(format!("({after}")).arg("+").arg("COUNT").arg(PAGE);
        type Entry = (String, Vec<Vec<u8>>);
        let answer = self.redis.run(async |connection| pipe.query_async(connection).await).await;
        let (is_kept, pods, news): (bool, Vec<Pod>, Vec<Entry>) = answer.ok()?;
        let last = news.last().map_or_else(|| after.to_owned(), |(id, _)| id.clone());
        let has_more = news.len() >= PAGE;
        let words = news.into_iter().filter_map(|(_, entry)| decode_entry(&entry)).collect();
        Some(Heard { is_kept, pods, words, last, has_more })
    }

    /// After what to go on for who has heard nothing yet. `None`: no answer.
    pub async fn last(&self) -> Option<String> {
        let mut newest = driver::cmd("XREVRANGE");
        newest.arg(STREAM).arg("+").arg("-").arg("COUNT").arg(1);
        let answer = self.redis.run(async |connection| newest.query_async(connection).await).await;
        let newest: Vec<(String, Vec<Vec<u8>>)> = answer.ok()?;
        Some(newest.into_iter().next().map_or_else(|| "0-0".to_owned(), |(id, _)| id))
    }

    /// Everybody on a pod; nobody knows of a pod whose key is not there. `None`: no answer.
    pub async fn read(&self, pod: Pod) -> Option<Option<HashMap<Uuid, Said>>> {
        let mut all = driver::cmd("HGETALL");
        all.arg(key(pod));
        let answer = self.redis.run(async |connection| all.query_async(connection).await).await;
        let fields: HashMap<Vec<u8>, Vec<u8>> = answer.ok()?;
        let person = |(id, said): (&Vec<u8>, &Vec<u8>)| Some((Uuid::from_slice(id).ok()?, decode(said)?));
        Some((!fields.is_empty()).then(|| fields.iter().filter_map(person).collect()))
    }

    /// Which of these pods' keys are there. `None`: no answer.
    pub async fn are_there(&self, pods: &[Pod]) -> Option<HashMap<Pod, bool>> {
        let mut pipe = driver::pipe();
        for pod in pods {
            pipe.cmd("EXISTS").arg(key(*pod));
        }
        let answer = self.redis.run(async |connection| pipe.query_async(connection).await).await;
        let there: Vec<bool> = answer.ok()?;
        Some(pods.iter().copied().zip(there).collect())
    }

    /// Forgets a pod that is gone. It may fail, and is done again.
    pub async fn forget(&self, pod: Pod) {
        let mut forget = driver::cmd("SREM");
        forget.arg(PODS).arg(pod);
        _ = self.redis.run(async |connection| forget.query_async::<()>(connection).await).await;
    }

    /// When each of these people was seen last, in milliseconds since 1970, as far as Redis knows.
    pub async fn seen(&self, people: &[Uuid]) -> HashMap<Uuid, i64> {
        if people.is_empty() {
            return HashMap::new();
        }
        let mut seen_at = driver::cmd("MGET");
        seen_at.arg(people.iter().map(|id| seen(*id)).collect::<Vec<_>>());
        let answer = self.redis.run(async |connection| seen_at.query_async(connection).await).await;
        let answer: Vec<Option<i64>> = answer.unwrap_or_default();
        people.iter().zip(answer).filter_map(|(id, at)| Some((*id, at?))).collect()
    }
}

impl fmt::Debug for Roster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roster").field("own", &self.own).finish_non_exhaustive()
    }
}

fn key(pod: Pod) -> String {
    format!("{{presence}}:pod:{pod}")
}

fn seen(person: Uuid) -> String {
    format!("{{presence}}:seen:{person}")
}

/// How many bytes tell what was said.
const SAID: usize = 9;

fn encode(Said { status, at }: Said) -> [u8; SAID] {
    let mut bytes = [0; SAID];
    let place = Status::ALL.iter().position(|known| *known == status);
    let (first, rest) = bytes.split_at_mut(1);
    first.copy_from_slice(&[place.and_then(|place| u8::try_from(place).ok()).unwrap_or_default()]);
    rest.copy_from_slice(&at.to_be_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<Said> {
    let ([status], at) = bytes.split_first_chunk::<1>()?;
    let status = *Status::ALL.get(usize::from(*status))?;
    Some(Said { status, at: i64::from_be_bytes(at.try_into().ok()?) })
}

/// Sixteen bytes of a person, and what was said: of who is not there, nothing that can be said.
fn word((id, said): &Word) -> Vec<u8> {
    let said = said.map_or([u8::MAX; SAID], encode);
    [id.as_bytes().as_slice(), &said].concat()
}

fn decode_entry(entry: &[Vec<u8>]) -> Option<(Pod, Vec<Word>)> {
    let [pod, words] = entry else { return None };
    let pod = str::from_utf8(pod).ok()?.parse().ok()?;
    let (words, []) = words.as_chunks::<{ 16 + SAID }>() else { return None };
    let word = |word: &[u8; 16 + SAID]| {
        let (id, said) = word.split_first_chunk::<16>()?;
        Some((Uuid::from_bytes(*id), decode(said)))
    };
    Some((pod, words.iter().filter_map(word).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_understood_as_it_was_said() {
        let said = |status| Some(Said { status, at: 1_700_000_000_123 });
        let words: Vec<Word> = [None, said(Status::Online), said(Status::Away), said(Status::Busy)]
            .into_iter()
            .map(|said| (Uuid::now_v7(), said))
            .collect();
        let bytes: Vec<u8> = words.iter().flat_map(word).collect();
        assert_eq!(decode_entry(&[b"7".to_vec(), bytes.clone()]), Some((7, words)));
        for strange in
            [vec![], vec![b"7".to_vec()], vec![b"x".to_vec(), bytes], vec![b"7".to_vec(), vec![1; 26]]]
        {
            assert_eq!(decode_entry(&strange), None);
        }
    }
}
