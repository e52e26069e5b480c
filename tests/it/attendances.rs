//! What people do with their own place in a party: join, answer, arrive, leave.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    DEADLINE,
    poll::eventually,
    scene::{Reply, Somebody, Stage, id, sent},
};

const COUNT: &str = "SELECT attendees_count::bigint FROM parties";

fn path(party: &Value, below: &str) -> String {
    format!("/parties/{}{below}", party["id"].as_str().unwrap())
}

async fn answer(stage: &Stage, party: &Value, by: &Somebody, status: &str) -> Reply {
    let request = stage.request(Method::PUT, &path(party, "/rsvp"), Some(by));
    sent(request.json(&json!({ "status": status }))).await
}

/// Kinds, and reasons where there are any, of what was logged.
async fn is_logged(stage: &Stage, seq: i64, kind: &str, reason: Option<&str>) -> bool {
    let reason =
        reason.map_or("facts = '{}'".to_owned(), |reason| format!("facts ->> 'reason' = '{reason}'"));
    let query =
        format!("SELECT count(*) FROM events WHERE seq = {seq} AND kind = 'party:{kind}' AND {reason}");
    stage.number(&query).await == 1
}

#[tokio::test]
async fn a_user_joins_a_public_party_by_its_id_and_once() {
    let stage = Stage::open(&[]).await;
    let (host, user) = (stage.user("ada").await, stage.user("bob").await);
    let party = stage.party(&host, json!({})).await;
    let join = path(&party, "/join");
    let keyed = || {
        let request = stage.request(Method::POST, &join, Some(&user)).header("Idempotency-Key", "k");
        sent(request.json(&json!({})))
    };
    let first = keyed().await;
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(first.header("location"), format!("/api/v1{}", path(&party, "")));
    let data = &first.body["data"];
    assert_eq!(id(&data["attendee"]["id"]), user.id);
    assert_eq!(
        (&data["attendee"]["role"], &data["attendee"]["status"]),
        (&json!("attendee"), &json!("GOING"))
    );
    assert_eq!((&data["party"]["attendeesCount"], &data["party"]["seq"]), (&json!(1), &json!(1)));
    let replayed = keyed().await;
    assert_eq!((replayed.status.as_u16(), &replayed.body), (201, &first.body));
    assert_eq!(replayed.header("idempotency-replayed"), "true");
    let again = sent(stage.request(Method::POST, &join, Some(&user))).await;
    assert_eq!((again.status.as_u16(), &again.body["data"]["attendee"]), (200, &data["attendee"]));
    let hosts = stage.post(&join, Some(&host), &json!({})).await;
    assert_eq!((hosts.status.as_u16(), &hosts.body["data"]["attendee"]["role"]), (200, &json!("host")));
    assert_eq!(stage.number(COUNT).await, 1);
    assert_eq!(stage.number("SELECT seq FROM parties").await, 1, "nobody else joined");
    for (body, status) in [(json!({ "accessCode": 5 }), 400), (json!({ "accessCode": "WRONG" }), 200)] {
        assert_eq!(stage.post(&join, Some(&user), &body).await.status, status, "{body}");
    }
    for status in ["ENDED", "CANCELLED"] {
        stage.sql(&format!("UPDATE parties SET status = '{status}'")).await;
        let late = stage.post(&join, Some(&stage.user(&status.to_lowercase()).await), &json!({})).await;
        assert_eq!((late.status.as_u16(), late.code()), (409, "INVALID_STATUS"));
        assert_eq!(stage.post(&join, Some(&user), &json!({})).await.status, 200, "who is in is in");
    }
}

#[tokio::test]
async fn a_private_party_asks_for_its_code() {
    let stage = Stage::open(&[("RATE_UNKNOWN_CODES", "4/h")]).await;
    let (host, user) = (stage.user("ada").await, stage.user("bob").await);
    let party = stage.party(&host, json!({ "isPrivate": true, "maxAttendees": 2 })).await;
    let other = stage.party(&host, json!({ "isPrivate": true })).await;
    let join = path(&party, "/join");
    let code = party["accessCode"].as_str().unwrap();
    for body in [json!({}), json!({ "accessCode": null }), json!({ "accessCode": 5 })] {
        let refused = stage.post(&join, Some(&user), &body).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (404, "NOT_FOUND"), "{body}");
    }
    for wrong in [json!("ABCD2345"), other["accessCode"].clone()] {
        let refused = stage.post(&join, Some(&user), &json!({ "accessCode": wrong })).await;
        assert_eq!(refused.status, 404);
    }
    let right = json!({ "accessCode": format!(" {} ", code.to_lowercase()) });
    let first = stage.post(&join, Some(&user), &right).await;
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(stage.post(&join, Some(&user), &json!({})).await.status, 200, "who is in needs no code");
    stage.guest(&party["accessCode"], "Bo").await;
    let third = stage.user("cy").await;
    let full = stage.post(&join, Some(&third), &right).await;
    assert_eq!((full.status.as_u16(), full.code()), (409, "PARTY_FULL"));
    assert_eq!(
        stage.post(&join, Some(&third), &json!({})).await.status,
        404,
        "without it they know of nothing"
    );
    // Of unknown parties too, or the difference would tell of one
    for party in ["/parties/01890000-0000-7000-8000-000000000000/join", join.as_str()] {
        let guess = stage.post(party, Some(&third), &json!({ "accessCode": "ABCD2346" })).await;
        assert_eq!(guess.status, 404);
    }
    let refused = stage.post(&join, Some(&third), &right).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (429, "RATE_LIMITED"));
    let by_code = stage.post("/parties/by-code", None, &right).await;
    assert_eq!(by_code.status, 429, "one limit over all three ways");
    let public = stage.party(&host, json!({})).await;
    let open = stage.post(&path(&public, "/join"), Some(&third), &json!({})).await;
    assert_eq!(open.status, 201, "where no code is asked for none is guessed");
}

#[tokio::test]
async fn only_who_comes_takes_a_seat() {
    let stage = Stage::open(&[]).await;
    let (host, ann, bob) = (stage.user("ada").await, stage.user("ann").await, stage.user("bob").await);
    let party = stage.party(&host, json!({ "maxAttendees": 2 })).await;
    let cy = stage.user("cy").await;
    for (by, status, seats, seq, news) in [
        (&ann, "MAYBE", 0, 1, "attendee_joined"),
        (&ann, "MAYBE", 0, 1, "attendee_joined"),
        (&ann, "GOING", 1, 2, "attendee_updated"),
        (&bob, "GOING", 2, 3, "attendee_joined"),
        (&cy, "NOT_GOING", 2, 4, "attendee_joined"),
        (&cy, "MAYBE", 2, 5, "attendee_updated"),
    ] {
        let reply = answer(&stage, &party, by, status).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let attendee = &reply.body["data"]["attendee"];
        assert_eq!((id(&attendee["id"]), &attendee["status"]), (by.id, &json!(status)));
        assert_eq!(stage.number(COUNT).await, seats, "{status}");
        assert_eq!(stage.number("SELECT seq FROM parties").await, seq, "{status}");
        assert!(is_logged(&stage, seq, news, None).await, "{status}");
    }
    let full = answer(&stage, &party, &cy, "GOING").await;
    assert_eq!((full.status.as_u16(), full.code()), (409, "PARTY_FULL"));
    assert_eq!(answer(&stage, &party, &bob, "GOING").await.status, 200, "who has a seat keeps it");
    let joined_at =
        answer(&stage, &party, &ann, "NOT_GOING").await.body["data"]["attendee"]["joinedAt"].clone();
    assert_eq!(answer(&stage, &party, &cy, "GOING").await.status, 200, "a seat was freed");
    let full = stage.post(&path(&party, "/join"), Some(&ann), &json!({})).await;
    assert_eq!(full.code(), "PARTY_FULL");
    answer(&stage, &party, &cy, "MAYBE").await;
    let back = stage.post(&path(&party, "/join"), Some(&ann), &json!({})).await;
    assert_eq!(back.status, 201);
    assert_eq!(
        back.body["data"]["attendee"]["joinedAt"], joined_at,
        "a list that is read shows nobody twice"
    );
    assert_eq!(stage.number(COUNT).await, 2);
    for (body, status) in
        [(json!({}), 400), (json!({ "status": "going" }), 400), (json!({ "status": 1 }), 400)]
    {
        let request = stage.request(Method::PUT, &path(&party, "/rsvp"), Some(&bob));
        assert_eq!(sent(request.json(&body)).await.status, status, "{body}");
    }
    stage.sql("UPDATE parties SET status = 'ENDED'").await;
    assert_eq!(answer(&stage, &party, &bob, "MAYBE").await.code(), "INVALID_STATUS");
    assert_eq!(answer(&stage, &party, &bob, "GOING").await.status, 200, "as it is");
}

#[tokio::test]
async fn who_arrives_is_noted_once() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let party = stage.party(&host, json!({ "isPrivate": true })).await;
    let guest = stage.guest(&party["accessCode"], "Bo").await;
    let here = path(&party, "/check-in");
    let first = sent(stage.request(Method::POST, &here, Some(&guest))).await;
    assert_eq!(first.status, 200, "{}", first.body);
    let attendee = &first.body["data"]["attendee"];
    assert!(attendee["checkedInAt"].is_string(), "{attendee}");
    assert!(is_logged(&stage, 2, "attendee_updated", None).await);
    let again = sent(stage.request(Method::POST, &here, Some(&guest))).await;
    assert_eq!((again.status.as_u16(), &again.body), (200, &first.body));
    assert_eq!(stage.number("SELECT seq FROM parties").await, 2);
    assert_eq!(stage.post(&here, Some(&host), &json!({})).await.status, 200);
    let late = stage.guest(&party["accessCode"], "Cy").await;
    stage.sql("UPDATE parties SET status = 'ENDED'").await;
    let refused = stage.post(&here, Some(&late), &json!({})).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (409, "INVALID_STATUS"));
}

#[tokio::test]
async fn who_leaves_frees_a_seat_and_is_a_stranger() {
    let stage = Stage::open(&[]).await;
    let (host, user) = (stage.user("ada").await, stage.user("bob").await);
    let party = stage.party(&host, json!({ "isPrivate": true, "maxAttendees": 2 })).await;
    let guest = stage.guest(&party["accessCode"], "Bo").await;
    let code = json!({ "accessCode": party["accessCode"] });
    stage.post(&path(&party, "/join"), Some(&user), &code).await;
    assert_eq!(stage.number(COUNT).await, 2);
    for (who, seq) in [(&guest, 3), (&user, 4)] {
        let left = sent(stage.request(Method::POST, &path(&party, "/leave"), Some(who))).await;
        assert_eq!((left.status.as_u16(), &left.body), (204, &Value::Null));
        assert!(is_logged(&stage, seq, "attendee_left", Some("LEFT")).await);
        assert_eq!(stage.get(&path(&party, ""), Some(who)).await.status, 404);
        assert_eq!(stage.post(&path(&party, "/leave"), Some(who), &json!({})).await.status, 404);
    }
    assert_eq!(stage.number(COUNT).await, 0);
    assert_eq!(stage.get("/auth/me", Some(&guest)).await.status, 200, "they are still who they are");
    let back = stage.post("/parties/join-by-code", Some(&guest), &code).await;
    assert_eq!((back.status.as_u16(), id(&back.body["data"]["guest"]["id"])), (201, guest.id));
    assert_eq!(stage.post(&path(&party, "/join"), Some(&user), &code).await.status, 201);
    assert_eq!(stage.number(COUNT).await, 2);
    assert_eq!(stage.post(&path(&party, "/leave"), Some(&host), &json!({})).await.code(), "FORBIDDEN");
}

#[tokio::test]
async fn hosts_are_to_be_told_of_users_who_come_and_of_nobody_else() {
    let stage = Stage::open(&[]).await;
    let (host, ann, bob) = (stage.user("ada").await, stage.user("ann").await, stage.user("bob").await);
    let party = stage.party(&host, json!({ "isPrivate": true })).await;
    stage.guest(&party["accessCode"], "Bo").await;
    let code = json!({ "accessCode": party["accessCode"] });
    stage.post("/parties/join-by-code", Some(&ann), &code).await;
    answer(&stage, &party, &ann, "MAYBE").await;
    stage.post(&path(&party, "/join"), Some(&bob), &code).await;
    // As work that is left or as what was made of it
    let told = "SELECT (SELECT count(*) FROM jobs WHERE payload -> 'cause' ->> 'type' = 'NEW_RSVP')
        + (SELECT count(*) FROM notifications WHERE type = 'NEW_RSVP')";
    eventually(DEADLINE, "two users have come", async || stage.number(told).await == 2).await;
}
