//! Questions that come while another is being answered, answered together by the next.
//!
//! *Invariant:* nobody waits in order to be more: who finds nobody asking asks at once, alone. Whoever asks does so in
//! its own time, so that nothing has to be kept alive for it; if it goes away meanwhile, those whom it asked for ask
//! again.

use std::{collections::VecDeque, sync::Arc};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::oneshot;

/// How many questions are put at once.
const AT_ONCE: usize = 256;
/// How many may wait; each waits for at most two answers.
const WAITING: usize = 4096;
/// How often somebody asks whose question was dropped by who had it.
const ATTEMPTS: usize = 3;

/// A way to have questions answered, many at a time.
#[derive(Debug)]
pub(super) struct Batch<Q, A>(Arc<Mutex<Line<Q, A>>>);

#[derive(Debug)]
struct Line<Q, A> {
    is_asking: bool,
    waiting: VecDeque<(Q, oneshot::Sender<Turn<Q, A>>)>,
}

/// What somebody who waits hears.
#[derive(Debug)]
enum Turn<Q, A> {
    /// The answer; `None`: there is none now.
    Answered(Option<A>),
    /// To ask for all who wait: one's own question.
    Ask(Baton<Q, A>, Q),
}

/// Held by who asks. Whoever lets go of it, in whatever way, has given it to the next.
#[derive(Debug)]
struct Baton<Q, A>(Arc<Mutex<Line<Q, A>>>);

impl<Q, A> Clone for Batch<Q, A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<Q: Copy, A> Batch<Q, A> {
    /// One that nobody has asked anything.
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Line { is_asking: false, waiting: VecDeque::new() })))
    }

    /// The answer to `question`. `answer_all` is given up to 256 of them and gives as many answers, in their order, or
    /// `None` if there are none now, for all of them; it is not called if somebody else asks.
    pub(super) async fn ask(
        &self,
        question: Q,
        answer_all: impl Fn(Vec<Q>) -> BoxFuture<'static, Option<Vec<A>>>,
    ) -> Option<A> {
        for _ in 0..ATTEMPTS {
            let (baton, question) = match self.enter(question)?.await {
                Ok(Turn::Answered(answer)) => return answer,
                Ok(Turn::Ask(baton, question)) => (baton, question),
                Err(_dropped) => continue,
            };
            let (questions, askers) = baton.take(question);
            let answers = answer_all(questions).await;
            let mut answers = answers.into_iter().flatten();
            let own = answers.next();
            for asker in askers {
                // Who does not wait any more does not need it
                _ = asker.send(Turn::Answered(answers.next()));
            }
            return own;
        }
        None
    }

    /// Comes to the end of the line. `None`: it is too long.
    fn enter(&self, question: Q) -> Option<oneshot::Receiver<Turn<Q, A>>> {
        let (asker, turn) = oneshot::channel();
        let mut line = self.0.lock();
        if line.is_asking && line.waiting.len() >= WAITING {
            return None;
        }
        if line.is_asking {
            line.waiting.push_back((question, asker));
        } else {
            line.is_asking = true;
            drop(line);
            // It has not been given away yet
            _ = asker.send(Turn::Ask(Baton(Arc::clone(&self.0)), question));
        }
        Some(turn)
    }
}

impl<Q, A> Baton<Q, A> {
    /// `own` question and those that wait, and who waits for an answer to them.
    fn take(&self, own: Q) -> (Vec<Q>, Vec<oneshot::Sender<Turn<Q, A>>>) {
        let mut line = self.0.lock();
        let many = line.waiting.len().min(AT_ONCE - 1);
        let (mut questions, mut askers) = (vec![own], Vec::with_capacity(many));
        for (question, asker) in line.waiting.drain(..many).filter(|(_, asker)| !asker.is_closed()) {
            questions.push(question);
            askers.push(asker);
        }
        (questions, askers)
    }
}

impl<Q, A> Drop for Baton<Q, A> {
    fn drop(&mut self) {
        let next = {
            let mut line = self.0.lock();
            let next = loop {
                match line.waiting.pop_front() {
                    Some((_, asker)) if asker.is_closed() => {}
                    next => break next,
                }
            };
            line.is_asking = next.is_some();
            next
        };
        if let Some((question, asker)) = next {
            // Who has just gone drops it, which gives it to the next
            _ = asker.send(Turn::Ask(Self(Arc::clone(&self.0)), question));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::{FutureExt as _, future::join_all};
    use tokio::sync::Semaphore;

    use super::*;

    /// Doubles what it is asked, when it is let; none of it when a 13 is among it.
    #[derive(Clone)]
    struct Oracle {
        batch: Batch<u32, u32>,
        asked: Arc<Mutex<Vec<Vec<u32>>>>,
        gate: Arc<Semaphore>,
    }

    impl Oracle {
        fn closed() -> Self {
            Self { batch: Batch::new(), asked: Arc::default(), gate: Arc::new(Semaphore::new(0)) }
        }

        async fn ask(&self, question: u32) -> Option<u32> {
            let answer = |questions| self.clone().answer(questions).boxed();
            self.batch.ask(question, answer).await
        }

        async fn answer(self, questions: Vec<u32>) -> Option<Vec<u32>> {
            self.asked.lock().push(questions.clone());
            self.gate.acquire().await.ok()?.forget();
            questions.iter().map(|question| (*question != 13).then(|| question * 2)).collect()
        }

        fn asked(&self) -> Vec<Vec<u32>> {
            self.asked.lock().clone()
        }
    }

    #[tokio::test]
    async fn who_comes_while_somebody_asks_is_asked_for_by_the_next() {
        let oracle = Oracle::closed();
        let mut all = pin!(join_all((100..700).map(|question| oracle.ask(question))));
        assert!(all.as_mut().now_or_never().is_none());
        assert_eq!(oracle.asked(), [vec![100]], "the first waits for nobody");
        oracle.gate.add_permits(10);
        let answers = all.await;
        assert_eq!(answers, (100..700).map(|question| Some(question * 2)).collect::<Vec<_>>());
        let many: Vec<_> = oracle.asked().iter().map(Vec::len).collect();
        assert_eq!(many, [1, 256, 256, 87]);
    }

    #[tokio::test]
    async fn what_has_no_answer_has_none_for_all_who_asked_together_and_for_nobody_else() {
        let oracle = Oracle::closed();
        let (first, together) = (oracle.ask(1), join_all([2, 13, 3].map(|question| oracle.ask(question))));
        let (mut first, mut together) = (pin!(first), pin!(together));
        assert!(first.as_mut().now_or_never().is_none() && together.as_mut().now_or_never().is_none());
        oracle.gate.add_permits(10);
        assert_eq!(first.await, Some(2));
        assert_eq!(together.await, [None, None, None]);
        assert_eq!(oracle.ask(4).await, Some(8));
    }

    #[tokio::test]
    async fn whoever_goes_away_leaves_nobody_waiting() {
        let oracle = Oracle::closed();
        let mut asking = Box::pin(oracle.ask(1));
        assert!(asking.as_mut().now_or_never().is_none());
        let [mut next, mut gone, mut last] = [2, 3, 4].map(|question| Box::pin(oracle.ask(question)));
        for waiting in [&mut next, &mut gone, &mut last] {
            assert!(waiting.as_mut().now_or_never().is_none());
        }
        // One whose turn it is and who has not heard of it, one who waits, and one who asks for others
        drop(asking);
        drop((next, gone));
        assert!(last.as_mut().now_or_never().is_none());
        assert_eq!(oracle.asked(), [vec![1], vec![4]]);
        let mut other = Box::pin(oracle.ask(5));
        assert!(other.as_mut().now_or_never().is_none());
        drop(last);
        assert!(other.as_mut().now_or_never().is_none());
        let mut asked_for = Box::pin(oracle.ask(6));
        assert!(asked_for.as_mut().now_or_never().is_none());
        oracle.gate.add_permits(1);
        assert_eq!(other.await, Some(10));
        let mut another = Box::pin(oracle.ask(7));
        assert!(another.as_mut().now_or_never().is_none());
        assert!(asked_for.as_mut().now_or_never().is_none());
        drop(asked_for);
        oracle.gate.add_permits(1);
        assert_eq!(another.await, Some(14), "it was asked for, and asks again");
        assert_eq!(oracle.asked(), [vec![1], vec![4], vec![5], vec![6, 7], vec![7]]);
    }

    #[test]
    fn a_line_that_is_too_long_is_an_answer() {
        let oracle = Oracle::closed();
        let mut waiting: Vec<_> = (0..=4096).map(|question| Box::pin(oracle.ask(question))).collect();
        assert!(waiting.iter_mut().all(|asker| asker.as_mut().now_or_never().is_none()));
        assert_eq!(oracle.ask(0).now_or_never(), Some(None));
    }
}
