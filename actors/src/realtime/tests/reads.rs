//! Reads that sessions share.

use std::sync::{Arc, atomic::Ordering};

use futures_util::{FutureExt, future::join_all};
use slog::{Discard, Logger, o};

use super::client::{MemoryLog, TOPIC};
use crate::realtime::{counts::Counters, reader::Reader, *};

const ALL: Audience = Audience(1);

/// A reader of `log`, and what counts its reads.
fn reader(log: &Arc<MemoryLog>) -> (Reader, Arc<Counters>) {
    let (log, counters) = (Arc::clone(log) as Arc<dyn Log>, Arc::<Counters>::default());
    (Reader::new(log, Arc::clone(&counters), &Config::default(), Logger::root(Discard, o!())), counters)
}

#[tokio::test]
async fn who_lacks_the_same_reads_it_together_and_misses_nothing() {
    let log = Arc::new(MemoryLog::default());
    _ = log.append(TOPIC, ALL);
    let (reader, counters) = reader(&log);
    let mut first = Box::pin(reader.replay(TOPIC, 0));
    assert!(first.as_mut().now_or_never().is_none(), "it has begun");
    _ = log.append(TOPIC, ALL);
    let late = join_all((0..100).map(|_| reader.replay(TOPIC, 0)));
    let elsewhere = join_all((1..=2).map(|after| reader.replay(TOPIC, after)));
    let (first, late, elsewhere) = tokio::join!(first, late, elsewhere);
    assert_eq!(first.map(|page| page.len()), Some(1));
    assert!(late.iter().all(|page| page.as_ref().is_some_and(|page| page.len() == 2)));
    assert_eq!(elsewhere.iter().flatten().map(|page| page.len()).collect::<Vec<_>>(), [1, 0]);
    assert_eq!(counters.reads.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn a_read_that_failed_failed_for_all_and_the_next_need_not() {
    let log = Arc::new(MemoryLog::default());
    let (reader, counters) = reader(&log);
    for trouble in [&log.is_away, &log.is_broken] {
        trouble.store(true, Ordering::Relaxed);
        let pages = join_all((0..10).map(|_| reader.replay(TOPIC, 0))).await;
        assert!(pages.iter().all(Option::is_none));
        trouble.store(false, Ordering::Relaxed);
        assert!(reader.replay(TOPIC, 0).await.is_some());
    }
    // Each time the first alone, those who came meanwhile, and the last
    assert_eq!(counters.reads.load(Ordering::Relaxed), 6);
}

#[tokio::test]
async fn who_goes_away_takes_no_read_along() {
    let log = Arc::new(MemoryLog::default());
    let (reader, _counters) = reader(&log);
    let mut first = Box::pin(reader.replay(TOPIC, 0));
    let (mut gone, mut stays) = (Box::pin(reader.replay(TOPIC, 0)), Box::pin(reader.replay(TOPIC, 0)));
    for waiting in [&mut first, &mut gone, &mut stays] {
        assert!(waiting.as_mut().now_or_never().is_none());
    }
    drop((first, gone));
    assert!(stays.await.is_some());
    assert!(reader.replay(TOPIC, 0).await.is_some());
}
