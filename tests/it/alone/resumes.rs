//! Fifty screens that come back at once for 9,000 events each: complete, none too slow for it, and the log is read page
//! by page, a few at once.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::json;
use tokio::{runtime, time::sleep};

use crate::support::{
    DEADLINE,
    own::OwnPostgres,
    pod::{Pod as _, measured},
    poll::eventually,
    screen::{Screen, brief},
    servers::fresh_redis,
    stage::{Stage, stop},
};

const SCREENS: u64 = 50;
const MISSED: i64 = 9_000;
/// What they have already.
const SINCE: i64 = 100;
/// Events of a page of the log, and its reads at once for who comes back. One more is the tail's.
const PAGE: u64 = 256;
const READS: f64 = 8.0;

/// Looks how many reads go on at once, on a thread of its own: this one has much to read itself. Gives what ends it, and
/// tells the most.
fn watch(pod: SocketAddr) -> impl FnOnce() -> f64 {
    let is_over = Arc::new(AtomicBool::new(false));
    let ends = Arc::clone(&is_over);
    let watching = thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut most = 0.0_f64;
            while !is_over.load(Ordering::Relaxed) {
                most = most.max(measured(&pod, "realtime_log_reads_running").await);
                sleep(Duration::from_millis(10)).await;
            }
            most
        })
    });
    move || {
        ends.store(true, Ordering::Relaxed);
        watching.join().unwrap()
    }
}

#[tokio::test]
async fn fifty_who_missed_9_000_events_get_them_all_by_bounded_reads() {
    let mut postgres = OwnPostgres::start().await;
    let stage = Stage::at(postgres.url());
    let app = stage.pod(&fresh_redis().await).await;
    eventually(DEADLINE, "the schema is there", async || app.get("/health/ready").await.0 == 200).await;
    let party = stage.party(&stage.user().await, "LIVE", true).await;
    let last = SINCE + MISSED;
    stage.say_many(party, last, "something").await;
    let mut screens = Vec::new();
    for guest in stage.guests(party, usize::try_from(SCREENS).unwrap()).await {
        screens.push(Screen::of(&app, &guest).await);
    }
    let (began, before) = (Instant::now(), postgres.spent());

    let watch = watch(app.at());
    // Each has another number: those who have the same would read together
    join_all((SINCE..).zip(&mut screens).map(async |(since, screen)| {
        let resume = json!({ "partyId": party, "since": since });
        let (events, answer) = screen.ask("party:join_live", resume).await;
        let logged = events.iter().filter(|event| event["seq"].is_number());
        let numbers: Vec<_> = logged.map(|event| brief(event).0).collect();
        assert_eq!(numbers, (since + 1..=last).collect::<Vec<_>>(), "{answer}");
        let data = &answer["data"];
        assert_eq!((&data["seq"], &data["replayed"]), (&json!(last), &json!(last - since)));
    }))
    .await;
    let most = watch();
    let (took, spent) = (began.elapsed(), postgres.spent().saturating_sub(before));
    let reads = measured(&app, "realtime_log_reads_total").await;
    println!("{SCREENS} times {MISSED} events in {took:.1?}: {reads} reads, at most {most} at once seen");
    println!("PostgreSQL took {spent:.1?} of the processor for it");

    assert!((2.0..=READS + 1.0).contains(&most), "{most} at once");
    // Each page once for each screen, as full as pages are; and a few looks of the tail
    let pages: u64 = (0..SCREENS).map(|more| (MISSED.unsigned_abs() - more).div_ceil(PAGE)).sum();
    let looks = SCREENS + 20;
    assert!((pages as f64..=(pages + looks) as f64).contains(&reads), "{reads} reads for {pages} pages");
    assert_eq!(measured(&app, "realtime_evictions_total").await, 0.0);
    stop(app).await;
}
