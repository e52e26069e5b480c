//! Who is sent away, for now or for good.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    scene::{Somebody, Stage, id, sent},
    screen::{Screen, brief},
    servers::fresh_redis,
    stage::{self, ask, stop},
};

const COUNT: &str = "SELECT attendees_count::bigint FROM parties";
const JOIN: &str = "/parties/join-by-code";

fn path(party: &Value, below: &str) -> String {
    format!("/parties/{}{below}", party["id"].as_str().unwrap())
}

async fn deleted(stage: &Stage, by: &Somebody, path: &str) -> u16 {
    sent(stage.request(Method::DELETE, path, Some(by))).await.status.as_u16()
}

#[tokio::test]
async fn who_is_removed_may_come_back_and_who_is_banned_may_not() {
    let stage = Stage::open(&[]).await;
    let (host, user) = (stage.user("ada").await, stage.user("bob").await);
    let party = stage.party(&host, json!({ "isPrivate": true })).await;
    let code = json!({ "accessCode": party["accessCode"] });
    let join = path(&party, "/join");
    stage.post(&join, Some(&user), &code).await;
    let attendee = path(&party, &format!("/attendees/{}", user.id));
    for seq in [2, 2] {
        assert_eq!(deleted(&stage, &host, &attendee).await, 204);
        assert_eq!(stage.number("SELECT seq FROM parties").await, seq, "once");
    }
    assert_eq!(stage.number(COUNT).await, 0);
    assert_eq!(stage.get(&path(&party, ""), Some(&user)).await.status, 404);
    assert_eq!(stage.post(&join, Some(&user), &json!({})).await.status, 404, "as a stranger");
    assert_eq!(stage.post(&join, Some(&user), &code).await.status, 201);

    let ban = format!("{attendee}/ban");
    for seq in [4, 4] {
        let banned = sent(stage.request(Method::POST, &ban, Some(&host))).await;
        assert_eq!((banned.status.as_u16(), &banned.body), (204, &Value::Null));
        assert_eq!(stage.number("SELECT seq FROM parties").await, seq, "once");
    }
    let reasons = "SELECT count(*) FROM events WHERE kind = 'party:attendee_left'
        AND facts ->> 'reason' = CASE seq WHEN 2 THEN 'REMOVED' ELSE 'BANNED' END";
    assert_eq!(stage.number(reasons).await, 2);
    assert_eq!(stage.number(COUNT).await, 0);
    let maybe = json!({ "status": "MAYBE" });
    for (is_private, code_of_refusal) in [(true, "NOT_FOUND"), (false, "FORBIDDEN")] {
        stage.sql(&format!("UPDATE parties SET is_private = {is_private}")).await;
        for (method, way, body) in [
            (Method::POST, JOIN, &code),
            (Method::POST, join.as_str(), &code),
            (Method::PUT, path(&party, "/rsvp").as_str(), &maybe),
        ] {
            let refused = sent(stage.request(method, way, Some(&user)).json(body)).await;
            assert_eq!(refused.code(), code_of_refusal, "{way}, private: {is_private}");
        }
    }
    assert_eq!(deleted(&stage, &host, &attendee).await, 204, "who is away stays banned");
    let pardon = path(&party, &format!("/bans/{}", user.id));
    assert_eq!(stage.post(&join, Some(&user), &code).await.code(), "FORBIDDEN");
    for _ in 0..2 {
        assert_eq!(deleted(&stage, &host, &pardon).await, 204);
    }
    assert_eq!(stage.post(&join, Some(&user), &code).await.status, 201);
    assert_eq!(stage.number(COUNT).await, 1);
    assert_eq!(deleted(&stage, &host, &pardon).await, 204);
    assert_eq!(stage.number(COUNT).await, 1, "who was not banned stays where they are");
}

#[tokio::test]
async fn cohosts_send_away_neither_the_host_nor_each_other() {
    let stage = Stage::open(&[]).await;
    let (host, ann, bob) = (stage.user("ada").await, stage.user("ann").await, stage.user("bob").await);
    let party = stage.party(&host, json!({})).await;
    for cohost in [&ann, &bob] {
        let put = stage.request(Method::PUT, &path(&party, &format!("/cohosts/{}", cohost.id)), Some(&host));
        assert_eq!(sent(put).await.status, 204);
    }
    for (by, whom, expected) in
        [(&ann, &host, 403), (&ann, &bob, 403), (&ann, &ann, 403), (&host, &host, 403)]
    {
        let attendee = path(&party, &format!("/attendees/{}", whom.id));
        assert_eq!(deleted(&stage, by, &attendee).await, expected);
        assert_eq!(stage.post(&format!("{attendee}/ban"), Some(by), &json!({})).await.status, expected);
    }
    let stranger = stage.user("cy").await;
    let ban = path(&party, &format!("/attendees/{}/ban", stranger.id));
    assert_eq!(stage.post(&ban, Some(&ann), &json!({})).await.status, 204, "also who never was in");
    assert_eq!(stage.post(&path(&party, "/join"), Some(&stranger), &json!({})).await.code(), "FORBIDDEN");
    assert_eq!(stage.number("SELECT seq FROM parties").await, 2, "nobody is told of who never was in");
    assert_eq!(deleted(&stage, &host, &path(&party, &format!("/attendees/{}", bob.id))).await, 204);
    let refused = stage.patch(&path(&party, ""), Some(&bob), &json!({ "title": "Mine now" })).await;
    assert_eq!(refused.status, 403);
    assert_eq!(
        stage.post(&path(&party, "/join"), Some(&bob), &json!({})).await.body["data"]["attendee"]["role"],
        "attendee"
    );
    assert_eq!(stage.number(COUNT).await, 2);
}

#[tokio::test]
async fn of_a_banned_guest_all_tokens_die_and_a_new_code_keeps_them_out() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let party = stage.party(&host, json!({ "isPrivate": true })).await;
    let body = json!({ "accessCode": party["accessCode"], "displayName": "Bo" });
    let key = "k".repeat(22);
    let join = || {
        let request = stage.request(Method::POST, JOIN, None).header("Idempotency-Key", key.as_str());
        sent(request.json(&body))
    };
    let (first, second) = (join().await, join().await);
    let data = &first.body["data"];
    let guest =
        Somebody { id: id(&data["guest"]["id"]), token: data["accessToken"].as_str().unwrap().to_owned() };
    let refreshed = async |reply: &crate::support::scene::Reply| {
        let token = json!({ "refreshToken": reply.body["data"]["refreshToken"] });
        stage.post("/auth/refresh", None, &token).await
    };
    let renewed = refreshed(&first).await;
    assert_eq!(renewed.status, 200);
    let ban = path(&party, &format!("/attendees/{}/ban", guest.id));
    for wrong in [json!({ "rotateCode": "yes" }), json!({ "rotateCode": 1 })] {
        assert_eq!(stage.post(&ban, Some(&host), &wrong).await.status, 400);
    }
    assert_eq!(stage.post(&ban, Some(&host), &json!({ "rotateCode": true })).await.status, 204);
    for reply in [&first, &second, &renewed] {
        assert_eq!(refreshed(reply).await.status, 401);
    }
    assert_eq!(stage.get(&path(&party, ""), Some(&guest)).await.status, 404);
    assert_eq!(join().await.status, 404, "no new tokens by an old key");
    assert_eq!(stage.post(JOIN, None, &body).await.status, 404, "nor by the old code");
    let seen = stage.get(&path(&party, ""), Some(&host)).await;
    let code = &seen.body["data"]["party"]["accessCode"];
    assert!(code.is_string() && *code != party["accessCode"], "{code}");
    stage.guest(code, "Cy").await;
    assert_eq!(stage.number(COUNT).await, 1);

    let public = stage.party(&host, json!({})).await;
    let stranger = stage.user("dan").await;
    let ban = path(&public, &format!("/attendees/{}/ban", stranger.id));
    assert_eq!(stage.post(&ban, Some(&host), &json!({ "rotateCode": true })).await.status, 204);
    let seen = stage.get(&path(&public, ""), Some(&host)).await;
    assert_eq!(seen.body["data"]["party"]["accessCode"], json!(null), "there is none to replace");
}

#[tokio::test]
async fn a_ban_that_gives_the_party_another_code_is_told_as_a_change_of_the_party() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let party = stage.party(&host, json!({ "isPrivate": true })).await;
    let guest = stage.guest(&party["accessCode"], "Bo").await;
    let ban = path(&party, &format!("/attendees/{}/ban", guest.id));
    for (body, updated, left, seq) in [
        (json!({ "rotateCode": true }), 1, 1, 3),
        // Who is banned already stays so, and the code is another one all the same
        (json!({ "rotateCode": true }), 2, 1, 4),
        (json!({}), 2, 1, 4),
    ] {
        assert_eq!(stage.post(&ban, Some(&host), &body).await.status, 204);
        for (kind, many) in [("party:updated", updated), ("party:attendee_left", left)] {
            let count = format!("SELECT count(*) FROM events WHERE kind = '{kind}'");
            assert_eq!(stage.number(&count).await, many, "{kind} after {body}");
        }
        assert_eq!(stage.number("SELECT seq FROM parties").await, seq);
    }
}

#[tokio::test]
async fn of_a_guest_it_is_kept_whether_they_came_from_the_same_address_and_not_from_which() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let (here, there) = (
        stage.party(&host, json!({ "isPrivate": true })).await,
        stage.party(&host, json!({ "isPrivate": true })).await,
    );
    for party in [&here, &here, &there] {
        stage.guest(&party["accessCode"], "Bo").await;
    }
    assert_eq!(stage.number("SELECT count(*) FROM guests WHERE length(joined_from) = 32").await, 3);
    let of_here = format!(
        "SELECT count(DISTINCT joined_from) FROM guests WHERE party_id = '{}'",
        here["id"].as_str().unwrap()
    );
    assert_eq!(stage.number(&of_here).await, 1);
    assert_eq!(stage.number("SELECT count(DISTINCT joined_from) FROM guests").await, 2, "of one party alone");
}

#[tokio::test]
async fn who_is_sent_away_is_out_of_the_rooms_on_every_pod() {
    let (stage, redis) = (stage::Stage::new().await, fresh_redis().await);
    let (here, there) = (stage.pod(&redis).await, stage.pod(&redis).await);
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let user = stage.user().await;
    stage.place(party, &user, "attendee", "in", "GOING").await;
    let (guest, banned) = (stage.guest(party).await, stage.guest(party).await);
    stage.execute("UPDATE parties SET attendees_count = 3 WHERE id = $1", &[&party]).await;
    let mut users = [Screen::of(&here, &user).await, Screen::of(&there, &user).await];
    let mut guests = [Screen::of(&there, &guest).await, Screen::of(&here, &banned).await];
    let mut hosts = Screen::of(&there, &host).await;
    for screen in users.iter_mut().chain(&mut guests).chain([&mut hosts]) {
        screen.join(party).await;
    }
    for (method, whom, more) in
        [(Method::DELETE, &user, ""), (Method::DELETE, &guest, ""), (Method::POST, &banned, "/ban")]
    {
        let path = format!("/api/v1/parties/{party}/attendees/{}{more}", whom.id);
        assert_eq!(ask(&here, Some(&host), method, &path, &[], None).await.status, 204);
    }
    for seq in 1..=3 {
        let event = hosts.logged().await;
        assert_eq!(brief(&event), (seq, "party:attendee_left".to_owned()));
        assert!(event["data"]["attendee"]["user"].is_object(), "{event}");
    }
    let [mut removed, mut gone] = guests;
    let numbers = |heard: Vec<(i64, String)>| heard.into_iter().map(|(seq, _)| seq).collect::<Vec<_>>();
    // A guest has no other party to listen to
    assert_eq!(numbers(removed.logged_until_closed().await), [1, 2]);
    // Their sockets end whether or not they have heard why
    assert!(numbers(gone.logged_until_closed().await).starts_with(&[1, 2]));
    for screen in &mut users {
        let heard = screen.settled().await;
        let heard: Vec<_> = heard.iter().filter(|event| event["seq"].is_number()).map(brief).collect();
        assert_eq!(
            heard,
            [(1, "party:attendee_left".to_owned())],
            "that they were sent away, and nothing after it"
        );
        assert_eq!(screen.refused("party:join_live", json!({ "partyId": party })).await, "NOT_FOUND");
    }
    stop(here).await;
    stop(there).await;
}
