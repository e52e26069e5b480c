//! 200 uploads, and PostgreSQL or Redis killed in the midst of them: nothing acknowledged is lost, and nothing else stays.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    fs::File,
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream};
use party_gallery_actors::health::wall_clock;
use serde_json::Value;
use tokio::time::sleep;
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    client::{self, Client, Response},
    database::connected,
    gathering::form,
    house::House,
    pictures,
    poll::eventually,
    stage::{Somebody, Stage},
};

const GUESTS: usize = 25;
const UPLOADS: usize = 200;
/// Fewer than a pod has connections: what is refused is refused for the outage.
const AT_ONCE: usize = 8;
/// The contract's for a request, and what a busy machine takes.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10 + 5);
/// For 200 pictures, on a busy machine.
const DEVELOPED_WITHIN: Duration = Duration::from_secs(120);

/// Many guests who upload, each photo until it is acknowledged.
struct Rush {
    pod: SocketAddr,
    client: Client,
    party: Uuid,
    guests: Vec<Somebody>,
    photo: Vec<u8>,
    acknowledged: Cell<usize>,
    refused: RefCell<BTreeMap<u16, usize>>,
}

impl Rush {
    async fn at(pod: SocketAddr, stage: &Stage) -> Self {
        let host = stage.user().await;
        let party = stage.party(&host, "LIVE", true).await;
        let mut guests = Vec::new();
        for _ in 0..GUESTS {
            guests.push(stage.guest(party).await);
        }
        let (client, photo) = (Client::new(), pictures::noise(320, 240));
        Self { pod, client, party, guests, photo, acknowledged: Cell::default(), refused: RefCell::default() }
    }

    /// Status, whether it says when to come back, and body of one attempt.
    async fn attempt(&self, number: usize) -> (u16, bool, Value) {
        let photo = pictures::commented(&self.photo, &format!("number {number}"));
        let url = format!("http://{}/api/v1/parties/{}/media", self.pod, self.party);
        let request = self.client.post(url).multipart(form(photo, "IMG.JPG")).timeout(ANSWERED_WITHIN);
        let bearer = &self.guests[number % GUESTS].bearer;
        let answer = request.header("authorization", bearer).send().await.unwrap();
        let (status, retry_after) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
        (status, retry_after, answer.json().await.unwrap())
    }

    /// Uploads a photo until it is acknowledged, and gives its id.
    async fn bring(&self, number: usize) -> String {
        let (until, mut may_be_there) = (Instant::now() + 3 * DEADLINE, false);
        let media = loop {
            let (status, retry_after, body) = self.attempt(number).await;
            match (status, body["code"].as_str(), retry_after) {
                (201, ..) => break body,
                // The first time, nobody saw how it ended
                (200, ..) if may_be_there => break body,
                (503, Some("UNAVAILABLE"), true) => {}
                (504, Some("OUTCOME_UNKNOWN"), false) => may_be_there = true,
                _ => panic!("{number}: {status} {retry_after} {body}"),
            }
            *self.refused.borrow_mut().entry(status).or_default() += 1;
            assert!(Instant::now() < until, "{number} is not acknowledged");
            // Sooner than a polite client would
            sleep(Duration::from_millis(100)).await;
        };
        self.acknowledged.set(self.acknowledged.get() + 1);
        media["data"]["media"]["id"].as_str().unwrap().to_owned()
    }

    fn refusals(&self) -> usize {
        self.refused.borrow().values().sum()
    }

    /// All of the photos, and their ids in no order.
    async fn all(&self) -> Vec<String> {
        stream::iter(0..UPLOADS).map(|number| self.bring(number)).buffer_unordered(AT_ONCE).collect().await
    }

    async fn acknowledged(&self, at_least: usize) {
        eventually(3 * DEADLINE, "uploads go on", async || self.acknowledged.get() >= at_least).await;
    }

    /// Everything that was acknowledged is there and to be seen, once, and nothing else is.
    async fn is_whole(&self, house: &House, ids: &[String]) {
        let distinct: BTreeSet<_> = ids.iter().collect();
        assert_eq!((ids.len(), distinct.len()), (UPLOADS, UPLOADS));
        let url = house.postgres.url();
        let number = async |sql: &str| -> i64 {
            connected(url, async |client| client.query_one(sql, &[]).await.unwrap().get(0)).await
        };
        let all = i64::try_from(UPLOADS).unwrap();
        eventually(DEVELOPED_WITHIN, "all are READY", async || {
            number("SELECT count(*) FROM media WHERE status = 'READY'").await == all
        })
        .await;
        eventually(DEADLINE, "no job is left", async || number("SELECT count(*) FROM jobs").await == 0).await;
        assert_eq!(number("SELECT count(*) FROM media").await, all);
        assert_eq!(number("SELECT media_count::bigint FROM parties").await, all);
        let counted = number("SELECT media_bytes FROM parties").await;
        assert_eq!(counted, number("SELECT sum(size)::bigint FROM media").await);

        let events = house.stage().events(self.party).await;
        let numbers: Vec<_> = events.iter().map(|(seq, _)| *seq).collect();
        assert_eq!(numbers, (1..=2 * all).collect::<Vec<_>>());
        for kind in ["party:new_media", "party:media_ready"] {
            let of = "SELECT count(DISTINCT subject_id) FROM events WHERE kind = ";
            assert_eq!(number(&format!("{of}'{kind}'")).await, all);
        }
        assert_eq!(number("SELECT seq FROM parties").await, 2 * all);

        let mut first = None;
        for id in ids {
            let media = self.get(&format!("/media/{id}")).await.json::<Value>().await.unwrap();
            let file = self.get(&format!("/media/{id}/file")).await.bytes().await.unwrap();
            assert_eq!(media["data"]["media"]["size"], file.len());
            // They differ by a comment, which is not served
            let first = first.get_or_insert_with(|| file.clone());
            assert_eq!(*first, file);
        }
        assert_eq!(pictures::shown(&first.unwrap()).1, (320, 240));

        age(&house.stored("original"));
        eventually(DEADLINE, "only what is shown is kept", async || house.stored("").len() == 3 * UPLOADS)
            .await;
    }

    async fn get(&self, path: &str) -> Response {
        let request = self.client.get(format!("http://{}/api/v1{path}", self.pod));
        let answer = request.header("authorization", &self.guests[0].bearer).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer
    }
}

/// Makes files two hours older.
fn age(files: &[std::path::PathBuf]) {
    for file in files {
        // It may go meanwhile
        if let Ok(file) = File::options().write(true).open(file) {
            file.set_modified(wall_clock() - Duration::from_secs(2 * 3_600)).unwrap();
        }
    }
}

#[tokio::test]
async fn a_postgres_that_is_killed_costs_time_and_no_photo() {
    let mut house = House::start().await;
    let (_process, pod) = house.pod(&[]).await;
    let rush = Rush::at(pod, &house.stage()).await;
    let outages = async {
        for outage in 1..=2 {
            rush.acknowledged(outage * UPLOADS / 4).await;
            let refused = rush.refusals();
            house.postgres.kill9();
            eventually(DEADLINE, "all who upload are refused", async || {
                rush.refusals() >= refused + 2 * AT_ONCE
            })
            .await;
            house.postgres.start_again().await;
        }
    };
    let (ids, ()) = tokio::join!(rush.all(), outages);
    rush.is_whole(&house, &ids).await;
}

#[tokio::test]
async fn a_redis_that_is_killed_costs_nobody_anything() {
    let mut house = House::start().await;
    let (_process, pod) = house.pod(&[]).await;
    let rush = Rush::at(pod, &house.stage()).await;
    let outages = async {
        for outage in 0..2 {
            rush.acknowledged((2 * outage + 1) * UPLOADS / 5).await;
            house.redis.kill9();
            rush.acknowledged((2 * outage + 2) * UPLOADS / 5).await;
            house.redis.start_again().await;
        }
    };
    let (ids, ()) = tokio::join!(rush.all(), outages);
    assert_eq!(rush.refusals(), 0, "{:?}", rush.refused.borrow());
    rush.is_whole(&house, &ids).await;
    eventually(DEADLINE, "all is well again", async || {
        let health =
            client::get(format!("http://{pod}/health")).await.unwrap().json::<Value>().await.unwrap();
        health["status"] == "healthy"
    })
    .await;
}

/// A deferred trigger sleeps inside the COMMIT, so that the kill falls into it.
const SLEEPS_AT_COMMIT: &str = "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(1.5); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER lingers AFTER INSERT ON media DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION linger();";

#[tokio::test]
async fn an_upload_whose_commit_was_lost_leaves_no_file_behind() {
    let mut house = House::start().await;
    let (_process, pod) = house.pod(&[]).await;
    let rush = Rush::at(pod, &house.stage()).await;
    let kept = rush.bring(0).await;
    eventually(DEADLINE, "it is developed", async || house.stored("").len() == 3).await;
    let url = house.postgres.url().to_owned();
    connected(&url, async |client| client.batch_execute(SLEEPS_AT_COMMIT).await.unwrap()).await;

    let killed = async {
        connected(&url, async |client| {
            let commits =
                "SELECT count(*) FROM pg_stat_activity WHERE query = 'COMMIT' AND wait_event = 'PgSleep'";
            eventually(DEADLINE, "the commit is under way", async || {
                client.query_one(commits, &[]).await.unwrap().get::<_, i64>(0) > 0
            })
            .await;
        })
        .await;
        house.postgres.kill9();
    };
    let ((status, retry_after, body), ()) = tokio::join!(rush.attempt(1), killed);
    assert_eq!((status, retry_after, &body["code"]), (504, false, &"OUTCOME_UNKNOWN".into()), "{body}");
    house.postgres.start_again().await;
    let left = house.stored("original");
    assert_eq!(left.len(), 1, "it might have been committed: {left:?}");
    // Beside one that still waits to be developed
    let waiting = house.stage().photo(rush.party, &rush.guests[0], "PROCESSING").await;
    let name = left[0].file_name().unwrap().to_str().unwrap();
    let awaited = left[0].with_file_name(format!("{}.original.{waiting}.1", rush.party));
    assert_eq!(name.split('.').count(), awaited.file_name().unwrap().to_str().unwrap().split('.').count());
    std::fs::copy(&left[0], &awaited).unwrap();
    age(&house.stored("original"));
    eventually(DEADLINE, "it is swept", async || !left[0].exists()).await;
    assert_eq!(house.stored("original"), [awaited]);
    assert_eq!(rush.get(&format!("/media/{kept}/file")).await.status(), 200);
    assert_eq!(house.stored("").len(), 3 + 1);
}
