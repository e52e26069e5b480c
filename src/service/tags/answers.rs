//! Answers that are the same for everybody, kept for some seconds.
//!
//! *Invariant:* the same is asked by one at a time: the others wait for their answer. Who waited for one that did not come
//! is told to come again, and does not ask in turn.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

use crate::service::error::Error;

/// How old an answer may be.
pub(super) const FRESH_FOR: Duration = Duration::from_secs(5);
/// Questions whose answers are kept at most.
const QUESTIONS: usize = 256;

const UNANSWERED: Error = Error::Unavailable {
    reason: "the same was asked, and there was no answer",
    retry_after: Duration::from_secs(1),
    source: None,
};

/// What was asked of late, and the answers.
#[derive(Debug)]
pub(super) struct Answers<Q, A> {
    kept: parking_lot::Mutex<HashMap<Q, Arc<Place<A>>>>,
}

/// Where one answer is kept.
#[derive(Debug)]
struct Place<A> {
    answer: Mutex<Option<(Instant, A)>>,
    /// How often it was asked in vain.
    failures: AtomicU64,
}

impl<Q: Clone + Eq + Hash, A: Clone> Answers<Q, A> {
    /// None yet.
    pub(super) fn new() -> Self {
        Self { kept: parking_lot::Mutex::default() }
    }

    /// The answer that is kept, or what `ask` gives. It is asked at `now`.
    ///
    /// # Errors
    ///
    /// As `ask`; [`Error::Unavailable`] to who waited for another who got none.
    pub(super) async fn get(
        &self,
        question: &Q,
        now: Instant,
        ask: impl AsyncFnOnce() -> Result<A, Error>,
    ) -> Result<A, Error> {
        let place = self.place(question, now);
        let failures = place.failures.load(Ordering::Acquire);
        let mut kept = place.answer.lock().await;
        if let Some((at, answer)) = &*kept
            && is_fresh(*at, now)
        {
            return Ok(answer.clone());
        }
        if place.failures.load(Ordering::Acquire) != failures {
            return Err(UNANSWERED);
        }
        match ask().await {
            Ok(answer) => {
                *kept = Some((now, answer.clone()));
                Ok(answer)
            }
            Err(error) => {
                place.failures.fetch_add(1, Ordering::Release);
                Err(error)
            }
        }
    }

    fn place(&self, question: &Q, now: Instant) -> Arc<Place<A>> {
        let mut kept = self.kept.lock();
        if let Some(place) = kept.get(question) {
            return Arc::clone(place);
        }
        if kept.len() >= QUESTIONS {
            kept.retain(|_, place| place.is_needed(now));
        }
        if kept.len() >= QUESTIONS
            && let Some(any) = kept.keys().next().cloned()
        {
            kept.remove(&any);
        }
        let place = Arc::new(Place { answer: Mutex::new(None), failures: AtomicU64::new(0) });
        kept.insert(question.clone(), Arc::clone(&place));
        place
    }
}

impl<A> Place<A> {
    /// Whether its answer is fresh, or somebody asks for it.
    fn is_needed(&self, now: Instant) -> bool {
        let answer = self.answer.try_lock();
        answer.map_or(true, |answer| answer.as_ref().is_some_and(|(at, _)| is_fresh(*at, now)))
    }
}

fn is_fresh(at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(at) < FRESH_FOR
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn an_answer_is_given_for_some_seconds_and_then_asked_for_again() {
        let (answers, start) = (Answers::new(), Instant::now());
        for (question, seconds, given, answer) in
            [("a", 0, 1, 1), ("a", 4, 2, 1), ("b", 4, 3, 3), ("a", 5, 4, 4), ("a", 9, 5, 4), ("b", 9, 6, 6)]
        {
            let now = start + Duration::from_secs(seconds);
            assert_eq!(answers.get(&question, now, async || Ok(given)).await.ok(), Some(answer), "{given}");
        }
    }

    #[tokio::test]
    async fn of_many_who_ask_the_same_at_once_one_asks() {
        let (answers, asked, now) = (Answers::new(), AtomicU64::new(0), Instant::now());
        let ask = async || {
            yield_now().await;
            Ok(asked.fetch_add(1, Ordering::Relaxed))
        };
        let all = join_all((0..20).map(|_| answers.get(&"a", now, ask))).await;
        assert!(all.into_iter().all(|answer| answer.ok() == Some(0)));
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn who_waited_in_vain_asks_no_more_and_who_comes_later_does() {
        let (answers, asked, now) = (Answers::<_, ()>::new(), AtomicU64::new(0), Instant::now());
        let fail = async || {
            yield_now().await;
            asked.fetch_add(1, Ordering::Relaxed);
            Err(Error::NotFound)
        };
        let all = join_all((0..20).map(|_| answers.get(&"a", now, fail))).await;
        let own = all.iter().filter(|answer| matches!(answer, Err(Error::NotFound))).count();
        let others = all.iter().filter(|answer| matches!(answer, Err(Error::Unavailable { .. }))).count();
        assert_eq!((own, others, asked.load(Ordering::Relaxed)), (1, 19, 1));
        assert!(answers.get(&"a", now, async || Ok(())).await.is_ok());
    }

    #[tokio::test]
    async fn only_so_many_are_kept_and_those_that_are_too_old_go_first() {
        let (answers, start) = (Answers::new(), Instant::now());
        let later = start + FRESH_FOR;
        for n in 0..QUESTIONS + 10 {
            answers.get(&n, if n < 20 { start } else { later }, async || Ok(n)).await.unwrap();
            assert!(answers.kept.lock().len() <= QUESTIONS);
        }
        for n in 20..QUESTIONS + 10 {
            assert_eq!(answers.get(&n, later, async || Ok(0)).await.ok(), Some(n), "kept");
        }
    }
}
