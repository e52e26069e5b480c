//! Favourites: marked, found again, hidden with what they are of.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::scene::{Somebody, Stage, sent};

async fn mark(stage: &Stage, method: Method, party: &Value, by: &Somebody) -> u16 {
    let path = format!("/parties/{}/favorite", party["id"].as_str().unwrap());
    sent(stage.request(method, &path, Some(by))).await.status.as_u16()
}

/// The favourites' ids, read in pages of that size.
async fn favorites(stage: &Stage, by: &Somebody, limit: usize) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let reply = stage.get(&format!("/users/me/favorite-parties?limit={limit}{cursor}"), Some(by)).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let page = reply.body["data"].as_array().unwrap();
        assert!(page.len() <= limit);
        assert!(page.iter().all(|party| party["viewer"]["isFavorite"] == true), "{}", reply.body);
        found.extend(page.iter().map(|party| party["id"].clone()));
        let Some(next) = reply.body["meta"]["nextCursor"].as_str() else { return found };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn favourites_are_found_again_the_newest_first_as_long_as_they_can_be_read() {
    let stage = Stage::open(&[]).await;
    let (host, fan) = (stage.user("ada").await, stage.user("bob").await);
    let mut parties = Vec::new();
    for _ in 0..5 {
        let party = stage.party(&host, json!({})).await;
        // Again, it stays where it is
        assert_eq!(mark(&stage, Method::PUT, &party, &fan).await, 204);
        assert_eq!(mark(&stage, Method::PUT, &parties.first().unwrap_or(&party).clone(), &fan).await, 204);
        parties.push(party);
    }
    let newest: Vec<_> = parties.iter().rev().map(|party| party["id"].clone()).collect();
    for limit in [1, 2, 5, 100] {
        assert_eq!(favorites(&stage, &fan, limit).await, newest, "in pages of {limit}");
    }
    assert!(favorites(&stage, &host, 20).await.is_empty(), "each has their own");

    // Two are hidden, one of them at the edge of a page
    for party in [&parties[4], &parties[2]] {
        let path = format!("/parties/{}", party["id"].as_str().unwrap());
        stage.patch(&path, Some(&host), &json!({ "isPrivate": true })).await;
        assert_eq!(mark(&stage, Method::DELETE, party, &fan).await, 404);
    }
    let seen = [&newest[1], &newest[3], &newest[4]].map(Value::clone);
    for limit in [1, 2, 3, 100] {
        assert_eq!(favorites(&stage, &fan, limit).await, seen, "in pages of {limit}");
    }
    for _ in 0..2 {
        assert_eq!(mark(&stage, Method::DELETE, &parties[1], &fan).await, 204);
    }
    assert_eq!(favorites(&stage, &fan, 20).await, [seen[0].clone(), seen[2].clone()]);
    for query in ["limit=0", "cursor=x"] {
        let reply = stage.get(&format!("/users/me/favorite-parties?{query}"), Some(&fan)).await;
        assert_eq!(reply.code(), "VALIDATION_ERROR");
    }
    assert_eq!(stage.get("/users/me/favorite-parties?limit=0", None).await.status, 401);
}

#[tokio::test]
async fn every_view_of_a_party_tells_whether_it_is_a_favourite() {
    let stage = Stage::open(&[]).await;
    let (host, fan) = (stage.user("ada").await, stage.user("bob").await);
    let party = stage.party(&host, json!({})).await;
    let path = format!("/parties/{}", party["id"].as_str().unwrap());
    stage.post(&format!("{path}/start"), Some(&host), &json!({})).await;
    mark(&stage, Method::PUT, &party, &fan).await;
    for (by, is_favorite) in [(&fan, true), (&host, false)] {
        let one = stage.get(&path, Some(by)).await.body["data"]["party"].clone();
        let list = stage.get("/parties", Some(by)).await.body["data"][0].clone();
        let live = stage.get("/parties/live", Some(by)).await.body["data"][0].clone();
        for view in [one, list, live] {
            assert_eq!(view["viewer"]["isFavorite"], is_favorite, "{view}");
        }
    }
    assert!(stage.get("/parties/live", None).await.body["data"][0].get("viewer").is_none());
}

#[tokio::test]
async fn what_is_on_now_is_listed_the_fullest_first() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let mut parties = Vec::new();
    for (n, (status, is_private)) in [
        ("LIVE", false),
        ("LIVE", false),
        ("LIVE", false),
        ("LIVE", true),
        ("PLANNED", false),
        ("LIVE", false),
    ]
    .into_iter()
    .enumerate()
    {
        let party = stage.party(&host, json!({ "isPrivate": is_private })).await;
        let party = party["id"].as_str().unwrap().to_owned();
        let attendees = [3, 7, 3, 9, 9, 0][n];
        stage
            .sql(&format!(
                "UPDATE parties SET status = '{status}', started_at = now(), attendees_count = {attendees}
                 WHERE id = '{party}'"
            ))
            .await;
        parties.push(party);
    }
    let expected = [1, 0, 2, 5].map(|n: usize| parties[n].as_str());
    for limit in [1, 2, 3, 20] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let reply = stage.get(&format!("/parties/live?limit={limit}{cursor}"), None).await;
            let page = reply.body["data"].as_array().unwrap();
            found.extend(page.iter().map(|party| party["id"].as_str().unwrap().to_owned()));
            let Some(next) = reply.body["meta"]["nextCursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(found, expected, "in pages of {limit}");
    }
    for query in ["limit=101", "cursor=x"] {
        assert_eq!(stage.get(&format!("/parties/live?{query}"), None).await.code(), "VALIDATION_ERROR");
    }
}
