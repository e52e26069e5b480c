//! A fixed number of threads for work that blocks or takes all of a processor: decoding pictures.
//!
//! *Invariant:* its threads end with the crew and not before: a panic is the work's failure.

use std::{
    io,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout,
};

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CrewError {
    /// Not begun: as much as it takes is waiting already.
    #[error("the crew has too much to do")]
    Overloaded,
    /// Not done in time. If it was begun it goes on, for nobody.
    #[error("the crew did not finish in time")]
    Timeout,
    /// The work panicked.
    #[error("the work panicked")]
    Panicked,
}

type Work = Box<dyn FnOnce() + Send>;

/// A fixed number of threads with a bounded queue. The threads end when the last clone is dropped and the queue is done.
#[derive(Clone, Debug)]
pub struct Crew {
    queue: SyncSender<Work>,
    room: Arc<Semaphore>,
}

impl Crew {
    /// Starts `threads` of them, called `name`; as many as `waiting` pieces of work wait for one that is free.
    ///
    /// # Errors
    ///
    /// No thread could be had.
    pub fn start(name: &str, threads: NonZeroUsize, waiting: usize) -> io::Result<Self> {
        let room = threads.get().saturating_add(waiting).min(Semaphore::MAX_PERMITS);
        let (queue, inbox) = sync_channel(room);
        let inbox = Arc::new(Mutex::new(inbox));
        for _ in 0..threads.get() {
            let inbox = Arc::clone(&inbox);
            thread::Builder::new().name(name.to_owned()).spawn(move || labour(&inbox))?;
        }
        Ok(Self { queue, room: Arc::new(Semaphore::new(room)) })
    }

    /// Does `work` on one of the threads, at most until `deadline` from now. What nobody waits for any more when its
    /// turn comes is not begun.
    ///
    /// # Errors
    ///
    /// [`CrewError`].
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
        deadline: Duration,
    ) -> Result<T, CrewError> {
        let Ok(place) = Arc::clone(&self.room).try_acquire_owned() else { return Err(CrewError::Overloaded) };
        let (give, result) = oneshot::channel();
        let work = Box::new(move || {
            let _place = place;
            if !give.is_closed() {
                // Who does not wait for it any more does not need it
                _ = give.send(catch_unwind(AssertUnwindSafe(work)).map_err(|_panic| CrewError::Panicked));
            }
        });
        // Who has a place finds room in the queue
        self.queue.try_send(work).map_err(|_full| CrewError::Overloaded)?;
        match timeout(deadline, result).await {
            Ok(Ok(result)) => result,
            Ok(Err(_dropped)) => Err(CrewError::Panicked),
            Err(_elapsed) => Err(CrewError::Timeout),
        }
    }
}

/// Does what comes, until nobody can send any more.
fn labour(inbox: &Mutex<Receiver<Work>>) {
    loop {
        // One thread waits at the queue, the others behind it
        let next = inbox.lock().recv();
        let Ok(work) = next else { return };
        // The work's own panics are caught inside; what is left are those of results that nobody took
        _ = catch_unwind(AssertUnwindSafe(work));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn crew(threads: usize, waiting: usize) -> Crew {
        Crew::start("crew", NonZeroUsize::new(threads).unwrap(), waiting).unwrap()
    }

    #[tokio::test]
    async fn work_is_done_on_as_many_threads_as_there_are() {
        let crew = crew(2, 20);
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let work = (0..20).map(|n| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            let work = move || {
                most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                thread::yield_now();
                now.fetch_sub(1, SeqCst);
                (n, thread::current().name() == Some("crew"))
            };
            crew.run(work, PATIENCE)
        });
        let done = futures_util::future::join_all(work).await;
        assert!(done.iter().enumerate().all(|(n, result)| *result == Ok((n, true))), "{done:?}");
        assert!(most.load(SeqCst) <= 2);
    }

    #[tokio::test]
    async fn a_panic_is_the_works_failure_and_the_thread_goes_on() {
        let crew = crew(1, 1);
        for _ in 0..3 {
            let failed = crew.run(|| panic!("a bug in a decoder"), PATIENCE).await;
            assert_eq!(failed, Err::<(), _>(CrewError::Panicked));
        }
        assert_eq!(crew.run(|| 1, PATIENCE).await, Ok(1));
    }

    #[tokio::test]
    async fn a_full_crew_refuses_and_late_work_is_not_begun() {
        let crew = crew(1, 1);
        let (open, opened) = sync_channel::<()>(1);
        let (reach, reached) = oneshot::channel();
        let block = move || {
            _ = reach.send(());
            _ = opened.recv_timeout(PATIENCE);
        };
        let begun = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&begun);
        let late = async {
            reached.await.unwrap();
            let late = crew.run(move || seen.fetch_add(1, SeqCst), Duration::from_millis(1)).await;
            assert_eq!(late, Err(CrewError::Timeout));
            assert_eq!(crew.run(|| (), PATIENCE).await, Err(CrewError::Overloaded));
            open.send(()).unwrap();
        };
        assert_eq!(tokio::join!(crew.run(block, PATIENCE), late).0, Ok(()));
        let again = async {
            while crew.run(|| (), PATIENCE).await == Err(CrewError::Overloaded) {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, again).await.unwrap();
        assert_eq!(begun.load(SeqCst), 0);
    }
}
