//! PostgreSQL and Redis killed and frozen under a pod: what its clients are told meanwhile, and how soon it is over.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use crate::support::{DEADLINE, client::Client, house::House, poll::eventually, stage::Somebody};

/// What the contract's limits are given on a busy machine.
const NOISE: Duration = Duration::from_millis(500);
const REFUSED: Duration = Duration::from_millis(100);
const FROZEN: Duration = Duration::from_millis(1_100);
const BACK: Duration = Duration::from_millis(200);
const BACK_AFTER_LONG: Duration = Duration::from_millis(600);

/// Somebody who asks for things that only the database knows.
struct Reader {
    pod: SocketAddr,
    client: Client,
    guest: Somebody,
    paths: [String; 3],
}

impl Reader {
    /// The status, and how long it took. A refusal has to say when to come back.
    async fn ask(&self, path: &str) -> (u16, Duration) {
        let began = Instant::now();
        let request = self.client.get(format!("http://{}/api/v1{path}", self.pod));
        let answer =
            request.header("authorization", &self.guest.bearer).timeout(DEADLINE).send().await.unwrap();
        let (status, took) = (answer.status().as_u16(), began.elapsed());
        let retry_after = answer.headers().contains_key("retry-after");
        let problem = answer.text().await.unwrap();
        assert!(
            status == 200 || (retry_after && problem.contains("UNAVAILABLE")),
            "{path}: {status} {problem}"
        );
        (status, took)
    }

    /// All are refused, and all of them soon; on a machine that has nothing else to do, within `limit`.
    async fn refused(&self, limit: Duration, times: usize) {
        let mut all = Vec::new();
        for path in self.paths.iter().cycle().take(times) {
            let (status, took) = self.ask(path).await;
            assert_eq!(status, 503, "{path}");
            all.push(took);
        }
        all.sort();
        assert!(all[times / 2] <= limit, "half of them took longer than {limit:?}: {all:?}");
        assert!(all[times - 1] <= limit + NOISE, "{all:?}");
    }

    /// When the first is answered again.
    async fn answered(&self) -> Instant {
        eventually(DEADLINE, "it comes back", async || self.ask(&self.paths[0]).await.0 == 200).await;
        Instant::now()
    }

    /// Nobody is refused any more.
    async fn well(&self) {
        for path in self.paths.iter().cycle().take(30) {
            assert_eq!(self.ask(path).await.0, 200, "{path}");
        }
    }
}

async fn reader() -> (House, crate::support::process::Process, Reader) {
    let house = House::start().await;
    let (process, pod) = house.pod(&[]).await;
    let stage = house.stage();
    let party = stage.party(&stage.user().await, "LIVE", true).await;
    let guest = stage.guest(party).await;
    let paths = ["/auth/me".to_owned(), "/parties".to_owned(), format!("/parties/{party}")];
    let reader = Reader { pod, client: Client::new(), guest, paths };
    reader.well().await;
    (house, process, reader)
}

/// Starts PostgreSQL and gives how long after that somebody was answered.
async fn returns(house: &mut House, reader: &Reader) -> Duration {
    let start = async {
        house.postgres.start_again().await;
        Instant::now()
    };
    let (accepts, answered) = tokio::join!(start, reader.answered());
    answered.saturating_duration_since(accepts)
}

#[tokio::test]
async fn who_asks_a_killed_database_is_told_at_once_and_served_as_soon_as_it_is_back() {
    let (mut house, _process, reader) = reader().await;
    for outage in [Duration::from_millis(500), Duration::from_millis(10_500)] {
        let limit = if outage < Duration::from_secs(10) { BACK } else { BACK_AFTER_LONG };
        house.postgres.kill9();
        let killed = Instant::now();
        reader.refused(REFUSED, 30).await;
        // How long it is away is what is looked at
        sleep(outage.saturating_sub(killed.elapsed())).await;
        reader.refused(REFUSED, 30).await;
        let took = returns(&mut house, &reader).await;
        assert!(took <= limit + NOISE, "back after {took:?}");
        reader.well().await;
    }
}

#[tokio::test]
async fn who_asks_a_frozen_database_is_told_in_time_and_served_as_soon_as_it_thaws() {
    let (mut house, _process, reader) = reader().await;
    for _ in 0..2 {
        house.postgres.freeze();
        let [one, other, third] = &reader.paths;
        let (one, other, third) = tokio::join!(reader.ask(one), reader.ask(other), reader.ask(third));
        for (status, took) in [one, other, third] {
            assert_eq!(status, 503);
            assert!(took <= FROZEN + NOISE, "told after {took:?}");
        }
        // Known by now
        reader.refused(REFUSED, 30).await;
        house.postgres.thaw();
        let thawed = Instant::now();
        let took = reader.answered().await - thawed;
        assert!(took <= BACK + NOISE, "back after {took:?}");
        reader.well().await;
    }
}
