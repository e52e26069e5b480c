//! Many who come into rooms at once: looked up together, and each judged alone.

use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    database::connected,
    poll::eventually,
    screen::Screen,
    servers::fresh_redis,
    stage::{Stage, stop},
};

/// Keeps whoever asks for the line of history waiting for as long as `during` takes: that is everybody at a door.
async fn with_doors_held<T>(stage: &Stage, during: impl AsyncFnOnce() -> T) -> T {
    connected(stage.url(), async |client| {
        client.batch_execute("BEGIN; LOCK TABLE schema_meta IN ACCESS EXCLUSIVE MODE").await.unwrap();
        let done = during().await;
        client.batch_execute("COMMIT").await.unwrap();
        done
    })
    .await
}

/// Somebody's join of a party, and its outcome.
async fn join_live(screen: &mut Screen, party: Uuid) -> Value {
    screen.ask("party:join_live", json!({ "partyId": party })).await.1
}

fn outcome(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or("ok")
}

#[tokio::test]
async fn who_is_refused_among_many_is_refused_alone() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let (private, public) = (stage.party(&host, "LIVE", true).await, stage.party(&host, "LIVE", false).await);
    let draft = stage.party(&host, "DRAFT", false).await;
    let banned = stage.user().await;
    stage.place(private, &banned, "attendee", "banned", "GOING").await;
    let (guest, stranger) = (stage.guest(private).await, stage.user().await);
    let mut first = Screen::of(&app, &host).await;
    let (mut screens, mut expected) = (Vec::new(), Vec::new());
    for (who, party, outcome) in [
        (&host, private, "ok"),
        (&stranger, private, "NOT_FOUND"),
        (&guest, private, "ok"),
        (&banned, private, "NOT_FOUND"),
        (&stranger, public, "ok"),
        (&guest, draft, "NOT_FOUND"),
        (&host, draft, "ok"),
        (&host, Uuid::now_v7(), "NOT_FOUND"),
        (&banned, public, "ok"),
    ] {
        screens.push((Screen::of(&app, who).await, party));
        expected.push(outcome);
    }
    with_doors_held(&stage, async || {
        let waits = async || stage.waiting().await == 1;
        first.send("party:join_live", json!({ "partyId": private })).await;
        eventually(DEADLINE, "the first is being looked up", waits).await;
        for (screen, party) in &mut screens {
            screen.send("party:join_live", json!({ "partyId": party })).await;
        }
        assert!(waits().await, "the others wait for it, and not in PostgreSQL");
    })
    .await;
    assert_eq!(outcome(&first.answer().await), "ok");
    for ((screen, party), expected) in screens.iter_mut().zip(expected) {
        let answer = screen.answer().await;
        assert_eq!(outcome(&answer), expected, "{answer}");
        if expected == "ok" {
            assert_eq!(answer["data"]["partyId"], json!(party));
        }
    }
    stop(app).await;
}

#[tokio::test]
async fn when_nobody_can_be_looked_up_all_are_told_to_come_again() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let mut screens = Vec::new();
    for _ in 0..5 {
        screens.push(Screen::of(&app, &stage.guest(party).await).await);
    }
    let refused = with_doors_held(&stage, async || {
        join_all(screens.iter_mut().map(|screen| join_live(screen, party))).await
    });
    assert_eq!(refused.await.iter().map(outcome).collect::<Vec<_>>(), ["UNAVAILABLE"; 5]);
    for screen in &mut screens {
        eventually(DEADLINE, "they are let in again", async || {
            outcome(&join_live(screen, party).await) == "ok"
        })
        .await;
    }
    stop(app).await;
}

#[tokio::test]
async fn answers_of_a_session_keep_the_order_of_its_requests() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let mut parties = Vec::new();
    for _ in 0..4 {
        parties.push(stage.party(&host, "LIVE", true).await);
    }
    parties.insert(2, Uuid::now_v7());
    let mut screens = Vec::new();
    for _ in 0..4 {
        screens.push(Screen::of(&app, &host).await);
    }
    let answers = join_all(screens.iter_mut().map(async |screen| {
        for party in &parties {
            screen.send("party:join_live", json!({ "partyId": party })).await;
            screen.send("ping", json!(party)).await;
        }
        let mut answers = Vec::new();
        for _ in 0..2 * parties.len() {
            answers.push(screen.answer().await);
        }
        answers
    }));
    for answers in answers.await {
        let numbers: Vec<_> = answers.iter().map(|answer| answer["ack"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
        let outcomes: Vec<_> = answers.iter().step_by(2).map(outcome).collect();
        assert_eq!(outcomes, ["ok", "ok", "NOT_FOUND", "ok", "ok"]);
    }
    stop(app).await;
}
