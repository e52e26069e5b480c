//! The promise: every job ends once, whatever happens to workers, queue and jobs.

use proptest::{collection::vec, prelude::*};

use super::*;

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0_u64..90_000).prop_map(Act::Take),
        1 => Just(Act::Retry),
        1 => Just(Act::Permanent),
        1 => Just(Act::Lack),
        1 => Just(Act::Hang),
        1 => Just(Act::Panic),
    ]
}

/// What befalls the worker after so many milliseconds.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// Dies and leaves its tickets to the next life.
    Panic,
    /// Dies with everything it knew.
    Kill,
    Drain,
    Outage(u64),
    /// The outcome of what is ended next stays unknown.
    Swallow,
    /// Stands still.
    Freeze(u64),
}

fn fate() -> impl Strategy<Value = (u64, Fate)> {
    let fate = prop_oneof![
        Just(Fate::Panic),
        Just(Fate::Kill),
        Just(Fate::Drain),
        (0_u64..60_000).prop_map(Fate::Outage),
        Just(Fate::Swallow),
        (0_u64..60_000).prop_map(Fate::Freeze),
    ];
    (0_u64..40_000, fate)
}

async fn befall(house: &House, fates: &[(u64, Fate)]) {
    for (after, fate) in fates {
        let after = Duration::from_millis(*after);
        match fate {
            Fate::Drain => house.live(sleep(after)).await,
            fate => {
                let during = async {
                    sleep(after).await;
                    match fate {
                        Fate::Outage(lasts) => {
                            house.queue.go_away(true);
                            sleep(Duration::from_millis(*lasts)).await;
                            house.queue.go_away(false);
                        }
                        Fate::Swallow => house.queue.swallow_answers(1),
                        Fate::Freeze(lasts) => advance(Duration::from_millis(*lasts)).await,
                        _ => {}
                    }
                };
                tokio::select! {
                    () = house.live(pending()) => {}
                    () = during => {}
                }
                if matches!(fate, Fate::Kill) {
                    house.held.take_all();
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_job_ends_once_whatever_happens(
        jobs in vec(vec(act(), 1..4), 1..8),
        fates in vec(fate(), 0..8),
    ) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let scripts: Vec<Vec<Act>> = jobs
                .iter()
                // However it begins, it may come to an end: a dependency does not stay away for ever
                .map(|acts| acts.iter().copied().chain([Act::Take(0)]).collect())
                .collect();
            let scripts: Vec<&[Act]> = scripts.iter().map(Vec::as_slice).collect();
            let house = House::new(&scripts, config());
            befall(&house, &fates).await;
            let done = tokio::time::timeout(seconds(3600), house.live_until_done()).await;
            prop_assert!(done.is_ok(), "stuck: {:?}", house.queue.ends());
            for job in 0..scripts.len() {
                prop_assert_eq!(house.queue.endings(job), 1);
            }
            prop_assert!(house.hands.most_at_once() <= 3);
            prop_assert_eq!(house.tally.read().running, 0);
            Ok(())
        })?;
    }
}
