//! Parties that are deleted: readable for a while, then gone with all that was theirs.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    database::connected,
    gathering::Party,
    pictures,
    poll::eventually,
    scene::{Stage, id, sent},
    screen::say,
    stage::{Somebody, ask, stop},
};

async fn delete(party: &Party, which: Uuid, by: &Somebody) -> u16 {
    ask(&party.app, Some(by), Method::DELETE, &format!("/api/v1/parties/{which}"), &[], None).await.status
}

async fn status(party: &Party, which: Uuid, by: &Somebody) -> Value {
    let path = format!("/api/v1/parties/{which}");
    party.get(Some(by), &path).await.body["data"]["party"]["status"].clone()
}

async fn number(party: &Party, query: &str) -> i64 {
    connected(party.stage.url(), async |client| client.query_one(query, &[]).await.unwrap().get(0)).await
}

#[tokio::test]
async fn a_deleted_party_is_cancelled_now_and_erased_after_its_time() {
    let party = Party::new(true).await;
    let second = party.another_pod().await;
    let host = &party.host;
    let made = party.upload(Some(&party.guest), pictures::jpeg(64, 64), "a.jpg").await;
    let media = made.body["data"]["media"]["id"].as_str().unwrap().to_owned();
    party.developed(&media).await;
    say(&party.app, &party.guest, party.id, "hello").await;
    // More than go at once
    party
        .stage
        .execute(
            "INSERT INTO media (id, party_id, uploader_id, type, status, content_type, size, sha256)
             SELECT gen_random_uuid(), $1, $2, 'PHOTO', 'FAILED', 'image/jpeg', 1, uuid_send(gen_random_uuid())
             FROM generate_series(1, 230)",
            &[&party.id, &party.guest.id],
        )
        .await;
    party
        .stage
        .execute("INSERT INTO party_favorites (party_id, person_id) VALUES ($1, $2)", &[&party.id, &host.id])
        .await;
    let (kept, ended) =
        (party.stage.party(host, "PLANNED", true).await, party.stage.party(host, "ENDED", true).await);
    for which in [party.id, kept, ended] {
        for _ in 0..2 {
            assert_eq!(delete(&party, which, host).await, 204);
        }
    }
    assert_eq!(status(&party, party.id, &party.guest).await, "CANCELLED");
    assert_eq!(status(&party, kept, host).await, "CANCELLED");
    assert_eq!(status(&party, ended, host).await, "ENDED", "what is over stays what it was");
    let logged = "SELECT count(*) FROM events WHERE kind = 'party:status_changed'";
    assert_eq!(number(&party, logged).await, 2, "once each");
    assert!(party.stored(&media) > 0);

    let ask_earlier = "UPDATE parties SET deleted_at = now() - make_interval(days => $2) WHERE id = $1";
    for (which, days) in [(party.id, 30), (kept, 29), (ended, 31)] {
        party.stage.execute(ask_earlier, &[&which, &days]).await;
    }
    let left = "SELECT count(*) FROM parties";
    eventually(DEADLINE, "two are erased", async || number(&party, left).await == 1).await;
    assert_eq!(status(&party, kept, host).await, "CANCELLED", "its time has not come");
    eventually(DEADLINE, "its files are gone", async || party.stored(&party.id.to_string()) == 0).await;
    for table in ["media", "messages", "guests", "party_favorites"] {
        assert_eq!(number(&party, &format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    let guests = "SELECT count(*) FROM people WHERE is_guest";
    assert_eq!(number(&party, guests).await, 0, "guests go with their party");
    let others = format!("SELECT count(*) FROM events WHERE party_id <> '{kept}'");
    assert_eq!(number(&party, &others).await, 0);
    let files = "SELECT count(*) FROM jobs WHERE kind = 'erase'";
    eventually(DEADLINE, "nothing is left to do", async || number(&party, files).await == 0).await;
    assert_eq!(status(&party, party.id, &party.guest).await, json!(null));
    stop(second).await;
    stop(party.app).await;
}

#[tokio::test]
async fn how_long_a_deleted_party_is_kept_can_be_chosen() {
    let party = Party::with(true, &[("RETENTION_DAYS", "0")]).await;
    assert_eq!(delete(&party, party.id, &party.host).await, 204);
    eventually(DEADLINE, "it is erased", async || number(&party, "SELECT count(*) FROM parties").await == 0)
        .await;
    assert_eq!(delete(&party, party.id, &party.host).await, 404);
    stop(party.app).await;
}

#[tokio::test]
async fn a_draft_is_gone_at_once() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let draft = stage.party(&host, json!({ "status": "DRAFT" })).await;
    let path = format!("/parties/{}", draft["id"].as_str().unwrap());
    stage.patch(&path, Some(&host), &json!({ "title": "Other" })).await;
    let delete = || sent(stage.request(Method::DELETE, &path, Some(&host)));
    assert_eq!(delete().await.status, 204);
    assert_eq!(delete().await.status, 404);
    assert_eq!(stage.get(&path, Some(&host)).await.status, 404);
    for table in ["parties", "attendances", "events"] {
        assert_eq!(stage.number(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    assert_eq!(id(&draft["host"]["id"]), host.id);
    assert_eq!(stage.number("SELECT count(*) FROM people").await, 1, "and its host stays");
}
