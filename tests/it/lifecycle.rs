//! How a party goes on, by its host and by itself, and of what people are told meanwhile.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    rights::Cast,
    support::{
        DEADLINE,
        client::Client,
        database::connected,
        poll::eventually,
        scene::{Somebody, Stage, id},
        secrets,
    },
};

/// The contract's, for what a party does by itself.
const WITHIN: Duration = Duration::from_secs(5);

/// Notes of what people are to be told, also what a worker has done by now.
async fn note_causes(stage: &Stage) {
    stage
        .sql(
            "CREATE TABLE noted (at bigserial, cause jsonb);
             CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN INSERT INTO noted (cause) VALUES (NEW.payload -> 'cause'); RETURN NULL; END $$;
             CREATE TRIGGER note AFTER INSERT ON jobs FOR EACH ROW WHEN (NEW.kind = 'notify') EXECUTE FUNCTION note();",
        )
        .await;
}

/// Of what people are told of that party, in order.
async fn causes(stage: &Stage, party: &Value) -> Vec<String> {
    connected(stage.database(), async |client| {
        let noted = "SELECT cause ->> 'type' FROM noted WHERE cause ->> 'party' = $1 ORDER BY at";
        let rows = client.query(noted, &[&party["id"].as_str().unwrap()]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    })
    .await
}

async fn do_with(stage: &Stage, by: &Somebody, party: &Value, what: &str, body: Value) -> (u16, Value) {
    let reply =
        stage.post(&format!("/parties/{}/{what}", party["id"].as_str().unwrap()), Some(by), &body).await;
    let said = if reply.status == 200 { &reply.body["data"]["party"] } else { &reply.body["code"] };
    (reply.status.as_u16(), said.clone())
}

#[tokio::test]
async fn a_party_that_is_not_over_can_be_cancelled_once() {
    let stage = Stage::open(&[]).await;
    note_causes(&stage).await;
    let host = stage.user("ada").await;
    for (steps, seq, told) in [
        (&[][..], 1, &["NEW_PARTY", "PARTY_CANCELLED"][..]),
        (&["start"], 2, &["NEW_PARTY", "PARTY_START", "PARTY_CANCELLED"]),
    ] {
        let party = stage.party(&host, json!({})).await;
        for step in steps {
            assert_eq!(do_with(&stage, &host, &party, step, json!({})).await.0, 200);
        }
        for reason in ["rain", "snow"] {
            let (status, cancelled) =
                do_with(&stage, &host, &party, "cancel", json!({ "reason": reason })).await;
            assert_eq!((status, &cancelled["status"]), (200, &json!("CANCELLED")));
            assert_eq!(cancelled["seq"], seq, "one event");
        }
        assert_eq!(causes(&stage, &party).await, told);
        assert_eq!(do_with(&stage, &host, &party, "start", json!({})).await, (409, json!("INVALID_STATUS")));
    }
    assert_eq!(stage.number("SELECT count(*) FROM parties WHERE cancel_reason = 'rain'").await, 2);

    let draft = stage.party(&host, json!({ "status": "DRAFT" })).await;
    let (status, wrong) =
        do_with(&stage, &host, &draft, "cancel", json!({ "reason": "x".repeat(501) })).await;
    assert_eq!((status, wrong), (400, json!("VALIDATION_ERROR")));
    assert_eq!(do_with(&stage, &host, &draft, "cancel", json!({})).await.0, 200);
    assert_eq!(causes(&stage, &draft).await, ["PARTY_CANCELLED"], "a draft was news to nobody");
    let ended = stage.party(&host, json!({ "isPrivate": true })).await;
    for step in ["start", "end"] {
        do_with(&stage, &host, &ended, step, json!({})).await;
    }
    assert_eq!(do_with(&stage, &host, &ended, "cancel", json!({})).await, (409, json!("INVALID_STATUS")));
    assert_eq!(causes(&stage, &ended).await, ["PARTY_START", "PARTY_END"]);
}

#[tokio::test]
async fn a_draft_that_is_cancelled_stays_unknown_to_others() {
    let stage = Stage::open(&[]).await;
    let (host, cohost, fan) = (stage.user("ada").await, stage.user("bob").await, stage.user("cy").await);
    for is_private in [false, true] {
        let more = json!({ "status": "DRAFT", "isPrivate": is_private, "tags": ["cake"] });
        let draft = stage.party(&host, more).await;
        let path = format!("/parties/{}", draft["id"].as_str().unwrap());
        let put = stage.request(Method::PUT, &format!("{path}/cohosts/{}", cohost.id), Some(&host));
        assert_eq!(put.send().await.unwrap().status(), 204);
        secrets::runs(id(&draft["id"]), cohost.id);
        let (status, cancelled) = do_with(&stage, &host, &draft, "cancel", json!({})).await;
        assert_eq!((status, &cancelled["status"]), (200, &json!("CANCELLED")));
        for (who, status) in [(Some(&host), 200), (Some(&cohost), 200), (Some(&fan), 404), (None, 404)] {
            for below in ["", "/media", "/attendees"] {
                let seen = stage.get(&format!("{path}{below}"), who).await;
                assert_eq!(seen.status, status, "{below} by {who:?}, private: {is_private}");
            }
        }
        let code = json!({ "accessCode": draft["accessCode"] });
        if is_private {
            assert_eq!(stage.post("/parties/by-code", Some(&fan), &code).await.code(), "NOT_FOUND");
        }
        assert_eq!(stage.post(&format!("{path}/join"), Some(&fan), &code).await.code(), "NOT_FOUND");
    }
    let known = stage.party(&host, json!({})).await;
    do_with(&stage, &host, &known, "cancel", json!({})).await;
    let published = stage.party(&host, json!({ "status": "DRAFT" })).await;
    for step in ["publish", "cancel"] {
        do_with(&stage, &host, &published, step, json!({})).await;
    }
    let listed = async |by: &Somebody| {
        let list = stage.get(&format!("/users/{}/parties", host.id), Some(by)).await;
        list.body["data"].as_array().unwrap().len()
    };
    assert_eq!((listed(&host).await, listed(&cohost).await, listed(&fan).await), (4, 4, 2));
}

#[tokio::test]
async fn of_many_cancels_at_two_pods_one_is_told() {
    let stage = Stage::open(&[]).await;
    note_causes(&stage).await;
    let second = stage.another_pod().await;
    let host = stage.user("ada").await;
    let party = stage.party(&host, json!({})).await;
    let path = format!("/api/v1/parties/{}/cancel", party["id"].as_str().unwrap());
    let client = Client::new();
    let cancels = join_all((0..20).map(async |n| {
        let pod = if n % 2 == 0 { &stage.app } else { &second };
        // What is told to come again does
        eventually(DEADLINE, "it is cancelled", async || {
            let request = client.post(pod.url(&path)).bearer_auth(&host.token).json(&json!({}));
            request.send().await.unwrap().status().is_success()
        })
        .await;
    }));
    cancels.await;
    assert_eq!(stage.number("SELECT count(*) FROM events").await, 1);
    assert_eq!(causes(&stage, &party).await, ["NEW_PARTY", "PARTY_CANCELLED"]);
}

#[tokio::test]
async fn a_public_party_is_news_once_it_can_be_known() {
    let stage = Stage::open(&[]).await;
    note_causes(&stage).await;
    let host = stage.user("ada").await;
    let draft = stage.party(&host, json!({ "status": "DRAFT" })).await;
    assert!(causes(&stage, &draft).await.is_empty());
    for _ in 0..2 {
        do_with(&stage, &host, &draft, "publish", json!({})).await;
        assert_eq!(causes(&stage, &draft).await, ["NEW_PARTY"]);
    }
    let private = stage.party(&host, json!({ "isPrivate": true })).await;
    let path = format!("/parties/{}", private["id"].as_str().unwrap());
    assert_eq!(stage.patch(&path, Some(&host), &json!({ "isPrivate": false })).await.status, 200);
    assert!(causes(&stage, &private).await.is_empty(), "it is not new");
}

#[tokio::test]
async fn three_pods_begin_and_end_each_party_in_time_and_tell_of_it_once() {
    const PARTIES: usize = 30;
    let stage = Stage::open(&[]).await;
    note_causes(&stage).await;
    let _others = [stage.another_pod().await, stage.another_pod().await];
    let host = stage.user("ada").await;
    for n in 0..PARTIES {
        stage.party(&host, json!({ "isPrivate": n % 2 == 0 })).await;
    }
    for (due, status) in [
        ("UPDATE parties SET starts_at = now()", "LIVE"),
        ("UPDATE parties SET ends_at = now() WHERE status = 'LIVE'", "ENDED"),
    ] {
        stage.sql(due).await;
        let since = Instant::now();
        let count = format!("SELECT count(*) FROM parties WHERE status = '{status}'");
        eventually(DEADLINE, status, async || stage.number(&count).await == 30).await;
        assert!(since.elapsed() < WITHIN, "{status}: {:?}", since.elapsed());
    }
    let each = "SELECT count(*) FROM (SELECT party_id FROM events WHERE kind = 'party:status_changed'
        GROUP BY party_id HAVING array_agg(facts ->> 'status' ORDER BY seq) = '{LIVE,ENDED}') AS whole";
    assert_eq!(stage.number(each).await, 30);
    assert_eq!(stage.number("SELECT count(*) FROM events").await, 60, "one event each");
    let told =
        "SELECT count(*) FROM (SELECT cause ->> 'party' FROM noted WHERE cause ->> 'type' <> 'NEW_PARTY'
        GROUP BY 1 HAVING array_agg(cause ->> 'type' ORDER BY at) = '{PARTY_START,PARTY_END}') AS whole";
    assert_eq!(stage.number(told).await, 30, "and people are told once each time");
}

#[tokio::test]
async fn who_comes_is_reminded_once_and_an_hour_before() {
    let stage = Stage::open(&[]).await;
    note_causes(&stage).await;
    let _others = [stage.another_pod().await, stage.another_pod().await];
    let host = stage.user("ada").await;
    let later = stage.party(&host, json!({ "isPrivate": true })).await;
    let due = stage.party(&host, json!({ "isPrivate": true })).await;
    let draft = stage.party(&host, json!({ "isPrivate": true, "status": "DRAFT" })).await;
    let moved = stage.party(&host, json!({ "isPrivate": true })).await;
    // Made or moved to so soon: nobody needs a reminder of what is new
    let soon = soon(&stage, "50 minutes").await;
    let made = stage.party(&host, json!({ "isPrivate": true, "startsAt": soon })).await;
    let path = format!("/parties/{}", moved["id"].as_str().unwrap());
    assert_eq!(stage.patch(&path, Some(&host), &json!({ "startsAt": soon })).await.status, 200);
    for (party, ahead) in [(&later, "61 minutes"), (&due, "59 minutes"), (&draft, "59 minutes")] {
        let set = "UPDATE parties SET starts_at = now() + interval";
        stage.sql(&format!("{set} '{ahead}' WHERE id = '{}'", id(&party["id"]))).await;
    }
    eventually(DEADLINE, "people are reminded", async || !causes(&stage, &due).await.is_empty()).await;
    do_with(&stage, &host, &draft, "publish", json!({})).await;
    // One more that is due after all others: when it is told of, they have had their turn
    let last = stage.party(&host, json!({ "isPrivate": true })).await;
    stage
        .sql(&format!(
            "UPDATE parties SET starts_at = now() + interval '59.5 minutes' WHERE id = '{}'",
            id(&last["id"])
        ))
        .await;
    eventually(DEADLINE, "the last is told of", async || !causes(&stage, &last).await.is_empty()).await;
    assert_eq!(causes(&stage, &due).await, ["PARTY_REMINDER"], "once");
    for (party, why) in
        [(&later, "not yet"), (&draft, "published so late"), (&made, "made so late"), (&moved, "moved")]
    {
        assert!(causes(&stage, party).await.is_empty(), "{why}");
    }
    // Moved away, it is to be told of again when its time comes
    let later = json!({ "startsAt": "2126-05-01T20:00:00Z" });
    assert_eq!(stage.patch(&path, Some(&host), &later).await.status, 200);
    let waits =
        format!("SELECT count(*) FROM parties WHERE id = '{}' AND reminded_at IS NULL", id(&moved["id"]));
    assert_eq!(stage.number(&waits).await, 1);
}

/// A moment of the database's future.
async fn soon(stage: &Stage, ahead: &str) -> String {
    connected(stage.database(), async |client| {
        let moment = format!(
            "SELECT to_char((now() + interval '{ahead}') AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        );
        client.query_one(&moment, &[]).await.unwrap().get(0)
    })
    .await
}

#[tokio::test]
async fn who_may_do_what_with_a_party_and_its_invitations() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("host").await;
    for (sort, more, owns, steers, marks) in [
        // host cohost going maybe not_going left removed banned guest banned_guest foreign_guest display stranger nobody
        ("private", json!({ "isPrivate": true }), "Y3334444344444", "YY334444344444", "YYYY4444344444"),
        ("public", json!({}), "Y3333333333331", "YY333333333331", "YYYYYYYY3333Y1"),
        ("draft", json!({ "status": "DRAFT" }), "Y3444444444444", "YY444444444444", "YY444444444444"),
    ] {
        let party = stage.party(&host, more).await;
        let Cast(cast) = Cast::of(&stage, &party, &host).await;
        let path = format!("/parties/{}", party["id"].as_str().unwrap());
        let made = stage.post(&format!("{path}/displays"), Some(&host), &json!({})).await;
        let display = format!("/displays/{}", made.body["data"]["display"]["id"].as_str().unwrap());
        for (method, below, expected) in [
            (Method::PUT, "/favorite", marks),
            (Method::DELETE, "/favorite", marks),
            (Method::GET, "/invite.svg", steers),
            (Method::GET, "/invite.png", steers),
            (Method::POST, "/access-code", steers),
            (Method::POST, "/displays", steers),
            (Method::DELETE, display.as_str(), steers),
            (Method::POST, "/cancel", owns),
            (Method::DELETE, "", owns),
        ] {
            // Its host comes last, after whom it may be another
            for ((name, by), expected) in cast.iter().rev().zip(expected.chars().rev()) {
                if below == "/cancel" && sort == "draft" && *name == "host" {
                    continue;
                }
                let mut request = stage.request(method.clone(), &format!("{path}{below}"), by.as_ref());
                if method == Method::POST {
                    request = request.json(&json!({}));
                }
                let got = match request.send().await.unwrap().status().as_u16() {
                    200 | 201 | 204 | 409 => 'Y',
                    404 => '4',
                    403 => '3',
                    401 => '1',
                    other => panic!("{method} {below}: {other}"),
                };
                assert_eq!(got, expected, "{method} {below} of a {sort} party by {name}");
            }
        }
    }
}
