//! What a user hosts, attends and has brought: nobody sees more of it there than elsewhere.

use std::collections::BTreeSet;

use party_gallery::realtime::Kind;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    scene::{Reply, Somebody, Stage, id},
    secrets,
};

async fn place(stage: &Stage, party: Uuid, person: Uuid, role: &str, state: &str, rsvp: &str) {
    stage
        .sql(&format!(
            "INSERT INTO attendances (party_id, person_id, role, state, rsvp)
             VALUES ('{party}', '{person}', '{role}', '{state}', '{rsvp}')"
        ))
        .await;
    if role == "cohost" && state == "in" {
        secrets::runs(party, person);
    }
}

/// A photo in that status.
async fn photo(stage: &Stage, party: Uuid, by: Uuid, status: &str) -> Uuid {
    let id = Uuid::now_v7();
    stage
        .sql(&format!(
            "INSERT INTO media (id, party_id, uploader_id, type, status, content_type, size, sha256, file_size,
                 preview_type, thumb_type)
             VALUES ('{id}', '{party}', '{by}', 'PHOTO', '{status}', 'image/jpeg', 1, uuid_send('{id}'), 1,
                 'image/jpeg', 'image/jpeg')"
        ))
        .await;
    id
}

async fn befriend(stage: &Stage, one: Uuid, other: Uuid) {
    stage
        .sql(&format!(
            "INSERT INTO follows (follower_id, followed_id) VALUES ('{one}', '{other}'), ('{other}', '{one}')"
        ))
        .await;
}

fn ids(reply: &Reply) -> Vec<Uuid> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.body["data"].as_array().unwrap().iter().map(|item| id(&item["id"])).collect()
}

#[tokio::test]
async fn nobody_finds_more_than_they_may_see() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("host").await;
    let mut parties = Vec::new();
    for is_private in [true, false] {
        for status in ["DRAFT", "PLANNED", "LIVE", "ENDED", "CANCELLED"] {
            let party = id(&stage.party(&host, json!({ "isPrivate": is_private })).await["id"]);
            stage.sql(&format!("UPDATE parties SET status = '{status}' WHERE id = '{party}'")).await;
            for status in ["PENDING", "PROCESSING", "FAILED", "HIDDEN"] {
                photo(&stage, party, host.id, status).await;
            }
            parties.push((party, photo(&stage, party, host.id, "READY").await));
        }
    }
    let mut cast = vec![("host", Some(host.clone()))];
    for (name, role, state, rsvp) in [
        ("cohost", "cohost", "in", "GOING"),
        ("maybe_cohost", "cohost", "in", "NOT_GOING"),
        ("going", "attendee", "in", "GOING"),
        ("maybe", "attendee", "in", "MAYBE"),
        ("not_going", "attendee", "in", "NOT_GOING"),
        ("left", "attendee", "left", "GOING"),
        ("removed_cohost", "cohost", "removed", "GOING"),
        ("banned", "attendee", "banned", "GOING"),
    ] {
        let user = stage.user(name).await;
        for (party, _) in &parties {
            place(&stage, *party, user.id, role, state, rsvp).await;
        }
        cast.push((name, Some(user)));
    }
    for (name, state) in [("guest", "in"), ("banned guest", "banned")] {
        let guest = Uuid::now_v7();
        let (party, _) = parties[2];
        stage
            .sql(&format!(
                "INSERT INTO people (id, is_guest, display_name) VALUES ('{guest}', true, 'Guest');
                 INSERT INTO guests (person_id, party_id) VALUES ('{guest}', '{party}')"
            ))
            .await;
        place(&stage, party, guest, "guest", state, "GOING").await;
        cast.push((name, Some(Somebody { id: guest, token: stage.token(Kind::Guest, guest) })));
    }
    cast.push(("stranger", Some(stage.user("stranger").await)));
    cast.push(("nobody", None));

    for (name, by) in &cast {
        let by = by.as_ref();
        let (mut may_read, mut may_see) = (BTreeSet::new(), BTreeSet::new());
        for (party, photo) in &parties {
            if stage.get(&format!("/parties/{party}"), by).await.status == 200 {
                may_read.insert(*party);
            }
            if stage.get(&format!("/media/{photo}"), by).await.status == 200 {
                may_see.insert(*photo);
            }
        }
        let hosted = stage.get(&format!("/users/{}/parties", host.id), by).await;
        assert_eq!(ids(&hosted).into_iter().collect::<BTreeSet<_>>(), may_read, "{name}");
        let media = stage.get(&format!("/users/{}/media", host.id), by).await;
        assert_eq!(ids(&media).into_iter().collect::<BTreeSet<_>>(), may_see, "{name}");
        let mut answers = vec![hosted, media];
        if let Some(user) = by.filter(|_| !name.contains("guest")) {
            if user.id != host.id {
                befriend(&stage, user.id, host.id).await;
            }
            let attending = stage.get(&format!("/users/{}/attending", host.id), by).await;
            assert_eq!(ids(&attending).into_iter().collect::<BTreeSet<_>>(), may_read, "{name}");
            answers.push(attending);
        }
        for answer in answers {
            for secret in ["accessCode", "joinUrl", "email"] {
                assert!(!answer.body.to_string().contains(secret), "{name}: {secret}");
            }
            for item in answer.body["data"].as_array().unwrap() {
                assert_eq!(item["viewer"].is_object(), by.is_some(), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn where_somebody_goes_is_told_to_themselves_and_their_friends() {
    let stage = Stage::open(&[]).await;
    let (host, ada) = (stage.user("host").await, stage.user("ada").await);
    let mut parties = Vec::new();
    for (state, rsvp) in
        [("in", "GOING"), ("in", "MAYBE"), ("in", "NOT_GOING"), ("left", "GOING"), ("banned", "GOING")]
    {
        let party = id(&stage.party(&host, json!({})).await["id"]);
        place(&stage, party, ada.id, "attendee", state, rsvp).await;
        parties.push(party);
    }
    let secret = stage.party(&host, json!({ "isPrivate": true })).await;
    place(&stage, id(&secret["id"]), ada.id, "attendee", "in", "GOING").await;
    let guest = stage.guest(&secret["accessCode"], "Guest").await;

    let path = format!("/users/{}/attending", ada.id);
    let own = stage.get(&path, Some(&ada)).await;
    assert_eq!(ids(&own), [id(&secret["id"]), parties[1], parties[0]], "the latest first");
    assert_eq!(
        own.body["data"][1]["viewer"],
        json!({ "role": "attendee", "rsvp": "MAYBE", "isFavorite": false })
    );
    let (friend, fan, idol) = (stage.user("friend").await, stage.user("fan").await, stage.user("idol").await);
    befriend(&stage, friend.id, ada.id).await;
    stage
        .sql(&format!(
            "INSERT INTO follows (follower_id, followed_id) VALUES ('{}', '{ada}'), ('{ada}', '{}')",
            fan.id,
            idol.id,
            ada = ada.id
        ))
        .await;
    assert_eq!(ids(&stage.get(&path, Some(&friend)).await), [parties[1], parties[0]], "public ones");
    for (by, status) in
        [(Some(&fan), 403), (Some(&idol), 403), (Some(&host), 403), (Some(&guest), 403), (None, 401)]
    {
        for query in ["", "?limit=0"] {
            assert_eq!(stage.get(&format!("{path}{query}"), by).await.status, status, "{by:?}");
        }
        for list in ["attending", "parties", "media"] {
            for nobody in [guest.id, Uuid::now_v7()] {
                let path = format!("/users/{nobody}/{list}?limit=0");
                assert_eq!(stage.get(&path, by).await.status, 404, "{by:?} {list}");
            }
        }
    }
}

#[tokio::test]
async fn lists_of_a_user_come_in_pages_newest_first() {
    let stage = Stage::open(&[]).await;
    let (host, other) = (stage.user("host").await, stage.user("other").await);
    let (mut parties, mut media) = (Vec::new(), Vec::new());
    for number in 0..7 {
        let is_private = number % 2 == 0;
        let party = id(&stage.party(&host, json!({ "isPrivate": is_private })).await["id"]);
        parties.insert(0, party);
        media.insert(0, photo(&stage, party, host.id, "READY").await);
        photo(&stage, party, other.id, "READY").await;
    }
    let all = |ids: &[Uuid]| ids.to_vec();
    let public = |ids: &[Uuid]| ids.iter().copied().skip(1).step_by(2).collect::<Vec<_>>();
    for (list, expected) in [("parties", &parties), ("attending", &parties), ("media", &media)] {
        for (by, expected) in [(Some(&host), all(expected)), (Some(&other), public(expected))] {
            if list == "attending" && by.is_some_and(|by| by.id == other.id) {
                befriend(&stage, host.id, other.id).await;
            }
            let (mut found, mut cursor) = (Vec::new(), String::new());
            loop {
                let path = format!("/users/{}/{list}?limit=2{cursor}", host.id);
                let page = stage.get(&path, by).await;
                let items = ids(&page);
                assert!((1..=2).contains(&items.len()), "{list}");
                found.extend(items);
                let meta = &page.body["meta"];
                assert_eq!(meta["limit"], 2);
                let Some(next) = meta["nextCursor"].as_str() else { break };
                assert_eq!(meta["hasMore"], true);
                cursor = format!("&cursor={next}");
            }
            assert_eq!(found, expected, "{list}");
        }
        for bad in ["limit=0", "limit=101", "cursor=x"] {
            let reply = stage.get(&format!("/users/{}/{list}?{bad}", host.id), Some(&host)).await;
            assert_eq!((reply.status.as_u16(), reply.code()), (400, "VALIDATION_ERROR"), "{list} {bad}");
        }
    }
    let page = stage.get(&format!("/users/{}/media", host.id), Some(&host)).await;
    let newest: &Value = &page.body["data"][0];
    assert_eq!(newest["viewer"], json!({ "isLiked": false, "isFavorite": false, "canDelete": true }));
    assert!(newest["urls"]["file"].as_str().unwrap().contains("signature="), "of a private party: {newest}");
    assert_eq!(stage.get(&format!("/media/{}", media[0]), Some(&host)).await.body["data"]["media"], *newest);
    let shown = stage.get(&format!("/users/{}/media", host.id), None).await;
    assert!(!shown.body.to_string().contains("signature="));
    let etag = shown.header("etag").to_owned();
    let again = stage.request(reqwest::Method::GET, &format!("/users/{}/media", host.id), None);
    assert_eq!(crate::support::scene::sent(again.header("if-none-match", etag)).await.status, 304);
}
