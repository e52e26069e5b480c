//! Parties from outside: made, found, edited, begun and ended.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::scene::{Reply, Stage, id, sent};

fn party(reply: &Reply) -> &Value {
    assert_eq!(reply.status, 200, "{}", reply.body);
    &reply.body["data"]["party"]
}

fn paths(reply: &Reply) -> Vec<&str> {
    assert_eq!((reply.status.as_u16(), reply.code()), (400, "VALIDATION_ERROR"), "{}", reply.body);
    reply.body["errors"].as_array().unwrap().iter().map(|error| error["path"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_life_of_a_party() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let body = json!({
        "title": " Summer ", "startsAt": "2126-05-01T22:00:00+02:00", "endsAt": "2126-05-02T02:00:00Z",
        "status": "DRAFT", "isPrivate": true, "maxAttendees": 30, "tags": ["Hip Hop", "hip-hop"],
        "venue": { "name": "Club", "latitude": 50.9, "longitude": 6.9 }, "unknown": 1,
    });
    let made = stage.post("/parties", Some(&host), &body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let new = &made.body["data"]["party"];
    let path = format!("/parties/{}", new["id"].as_str().unwrap());
    assert_eq!(made.header("location"), format!("/api/v1{path}"));
    for (field, value) in [
        ("title", json!("Summer")),
        ("description", json!(null)),
        ("coverImageUrl", json!(null)),
        ("startsAt", json!("2126-05-01T20:00:00.000Z")),
        ("startedAt", json!(null)),
        ("status", json!("DRAFT")),
        ("isPrivate", json!(true)),
        ("maxAttendees", json!(30)),
        ("attendeesCount", json!(0)),
        ("mediaCount", json!(0)),
        ("tags", json!(["hip-hop"])),
        ("seq", json!(0)),
        ("viewer", json!({ "role": "host", "rsvp": "GOING", "isFavorite": false })),
    ] {
        assert_eq!(new[field], value, "{field}");
    }
    assert_eq!(new["host"]["username"], "ada");
    assert_eq!(new["venue"]["city"], json!(null));
    let code = new["accessCode"].as_str().unwrap();
    assert!(new["joinUrl"].as_str().unwrap().ends_with(&format!("/j#{code}")), "{new}");
    assert_eq!(party(&stage.get(&path, Some(&host)).await), new);

    for (step, status, number) in [
        ("end", "INVALID_STATUS", 0),
        ("publish", "PLANNED", 1),
        ("publish", "PLANNED", 1),
        ("start", "LIVE", 2),
        ("start", "LIVE", 2),
        ("publish", "INVALID_STATUS", 2),
        ("end", "ENDED", 3),
        ("end", "ENDED", 3),
        ("start", "INVALID_STATUS", 3),
    ] {
        let reply = stage.post(&format!("{path}/{step}"), Some(&host), &json!({})).await;
        if status == "INVALID_STATUS" {
            assert_eq!((reply.status.as_u16(), reply.code()), (409, status), "{step}");
        } else {
            let party = party(&reply);
            assert_eq!((&party["status"], &party["seq"]), (&json!(status), &json!(number)), "{step}");
        }
    }
    let reply = stage.get(&path, Some(&host)).await;
    let ended = party(&reply);
    assert!(ended["startedAt"].is_string() && ended["endedAt"].is_string(), "{ended}");
    assert_eq!(ended["startsAt"], "2126-05-01T20:00:00.000Z", "starting before does not move it");
    let logged =
        "SELECT count(*) FROM events WHERE kind = 'party:status_changed' AND facts ->> 'status' = 'LIVE'";
    assert_eq!(stage.number(logged).await, 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_party_is_named() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let wrong = json!({
        "title": "x", "startsAt": "tomorrow", "isPrivate": 1, "maxAttendees": 1, "status": "LIVE",
        "venue": { "latitude": 1 }, "tags": "a",
    });
    let reply = stage.post("/parties", Some(&host), &wrong).await;
    let mut named = paths(&reply);
    named.sort_unstable();
    let expected =
        ["isPrivate", "maxAttendees", "startsAt", "status", "tags", "title", "venue.longitude", "venue.name"];
    assert_eq!(named, expected);
    let late =
        json!({ "title": "Party", "startsAt": "2126-05-01T20:00:00Z", "endsAt": "2126-05-01T19:00:00Z" });
    assert_eq!(paths(&stage.post("/parties", Some(&host), &late).await), ["endsAt"]);

    let bare = json!({ "title": "Party", "startsAt": "2126-05-01T20:00:00Z" });
    assert_eq!(stage.post("/parties", None, &bare).await.status, 401);
    let private = stage.party(&host, json!({ "isPrivate": true })).await;
    let guest = stage.guest(&private["accessCode"], "Bo").await;
    assert_eq!(stage.post("/parties", Some(&guest), &bare).await.code(), "FORBIDDEN");
    let text = stage.request(Method::POST, "/parties", Some(&host)).body("{\"title\":");
    assert_eq!(sent(text).await.code(), "MALFORMED_BODY");
    assert_eq!(stage.get("/parties/no-id", Some(&host)).await.code(), "NOT_FOUND");
    for query in
        ["limit=0", "limit=101", "cursor=x", "status=live", "near=1", "live=1", "q=", "live=true&live=true"]
    {
        assert_eq!(stage.get(&format!("/parties?{query}"), None).await.code(), "VALIDATION_ERROR", "{query}");
    }
}

#[tokio::test]
async fn an_edit_replaces_what_it_names() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let made = stage.party(&host, json!({ "description": "words", "maxAttendees": 9, "tags": ["a"] })).await;
    let path = format!("/parties/{}", made["id"].as_str().unwrap());
    assert_eq!((&made["accessCode"], &made["joinUrl"]), (&json!(null), &json!(null)));

    let change = json!({ "title": "Other", "description": null, "tags": ["B", "c"], "status": "LIVE" });
    let reply = stage.patch(&path, Some(&host), &change).await;
    let edited = party(&reply);
    assert_eq!(edited["title"], "Other");
    assert_eq!(edited["description"], json!(null));
    assert_eq!(edited["tags"], json!(["b", "c"]));
    assert_eq!((&edited["maxAttendees"], &edited["status"]), (&json!(9), &json!("PLANNED")));
    assert_eq!(edited["seq"], 1);
    let again = sent(stage.request(Method::PUT, &path, Some(&host)).json(&change)).await;
    assert_eq!(party(&again)["seq"], 1, "an edit that changes nothing is none");

    let private = stage.patch(&path, Some(&host), &json!({ "isPrivate": true })).await;
    let code = party(&private)["accessCode"].clone();
    assert!(code.is_string());
    stage.patch(&path, Some(&host), &json!({ "isPrivate": false })).await;
    let private = stage.patch(&path, Some(&host), &json!({ "isPrivate": true })).await;
    assert_ne!(party(&private)["accessCode"], code, "new each time a party becomes private");
    assert_eq!(stage.post("/parties/by-code", None, &json!({ "accessCode": code })).await.status, 404);

    for name in ["Bo", "Cy", "Di"] {
        stage.guest(&party(&private)["accessCode"], name).await;
    }
    let reply = stage.patch(&path, Some(&host), &json!({ "maxAttendees": 2 })).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (409, "CONFLICT"));
    assert_eq!(
        party(&stage.patch(&path, Some(&host), &json!({ "maxAttendees": 3 })).await)["maxAttendees"],
        3
    );
    let wrong = json!({ "title": null, "endsAt": "2126-05-09T20:00:00Z" });
    assert_eq!(paths(&stage.patch(&path, Some(&host), &wrong).await), ["title"]);
    let wrong = json!({ "endsAt": "2126-05-09T20:00:00Z" });
    assert_eq!(paths(&stage.patch(&path, Some(&host), &wrong).await), ["endsAt"]);
}

#[tokio::test]
async fn an_etag_tells_what_changed_and_whether_an_edit_may_go_on() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let made = stage.party(&host, json!({ "isPrivate": true })).await;
    let path = format!("/parties/{}", made["id"].as_str().unwrap());
    let first = stage.get(&path, Some(&host)).await.header("etag").to_owned();
    let known = |etag: String| stage.request(Method::GET, &path, Some(&host)).header("If-None-Match", etag);
    assert_eq!(sent(known(first.clone())).await.status, 304);
    assert_eq!(stage.get(&path, Some(&host)).await.header("cache-control"), "private, no-cache");

    stage.guest(&made["accessCode"], "Bo").await;
    assert_eq!(sent(known(first.clone())).await.status, 200, "a counter moved");
    let edit = |etag: &str, title: &str| {
        let request = stage.request(Method::PATCH, &path, Some(&host)).header("If-Match", etag.to_owned());
        request.json(&json!({ "title": title }))
    };
    assert_eq!(sent(edit(&first, "First")).await.status, 200, "a counter is no edit");
    let late = sent(edit(&first, "Second")).await;
    assert_eq!((late.status.as_u16(), late.code()), (412, "PRECONDITION_FAILED"));
    let second = stage.get(&path, Some(&host)).await.header("etag").to_owned();
    assert_eq!(party(&sent(edit(&second, "Second")).await)["title"], "Second");
    assert_eq!(sent(edit("*", "Third")).await.status, 200);
    let stranger = stage.user("eve").await;
    let request = stage.request(Method::PATCH, &path, Some(&stranger)).header("If-Match", first);
    assert_eq!(sent(request.json(&json!({}))).await.status, 404, "who may comes before what was edited");
}

#[tokio::test]
async fn a_key_stands_for_one_create() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let body = json!({ "title": "Party", "startsAt": "2126-05-01T20:00:00Z", "isPrivate": true });
    let create = |key: &'static str, body: &Value| {
        sent(stage.request(Method::POST, "/parties", Some(&host)).header("Idempotency-Key", key).json(body))
    };
    // Of many at once tells `crowds`
    let (first, again) = (create("one", &body).await, create("one", &body).await);
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 201), "{first:?} {again:?}");
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
    assert_eq!((&first.body, first.header("location")), (&again.body, again.header("location")));
    assert_eq!(stage.number("SELECT count(*) FROM parties").await, 1);

    let other = create("one", &json!({ "title": "Other", "startsAt": "2126-05-01T20:00:00Z" })).await;
    assert_eq!((other.status.as_u16(), other.code()), (422, "IDEMPOTENCY_MISMATCH"));
    assert_eq!(create("two", &body).await.status, 201);
    assert_eq!(create("three", &json!({})).await.status, 400);
    assert_eq!(create("three", &body).await.status, 201, "what failed is not kept");
    assert_eq!(stage.number("SELECT count(*) FROM parties").await, 3);
    let code = first.body["data"]["party"]["accessCode"].as_str().unwrap();
    let readable =
        format!("SELECT count(*) FROM idempotency_keys WHERE position('{code}'::bytea IN answer) > 0");
    assert_eq!(stage.number(&readable).await, 0, "codes are kept sealed");
    assert_eq!(create(Box::leak("k".repeat(129).into_boxed_str()), &body).await.status, 400);
}

#[tokio::test]
async fn an_answer_keeps_the_order_of_the_contract_and_comes_again_byte_for_byte() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let body = json!({ "title": "Party", "startsAt": "2126-05-01T20:00:00Z", "isPrivate": true });
    let create = async || {
        let request = stage.request(Method::POST, "/parties", Some(&host)).header("Idempotency-Key", "one");
        request.json(&body).send().await.unwrap().text().await.unwrap()
    };
    let (first, again) = (create().await, create().await);
    assert_eq!(first, again);
    let fields = [
        r#"{"success":true,"data":{"party":{"id":"#,
        r#""title":"#,
        r#""host":"#,
        r#""createdAt":"#,
        r#""seq":"#,
        r#""accessCode":"#,
        r#""viewer":"#,
    ];
    let places: Vec<_> = fields.iter().map(|field| first.find(field)).collect();
    assert_eq!(places[0], Some(0), "{first}");
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{places:?} in {first}");
}

#[tokio::test]
async fn a_list_shows_what_one_may_know_of_and_looks_for() {
    let stage = Stage::open(&[]).await;
    let (host, other) = (stage.user("ada").await, stage.user("bob").await);
    let at =
        |latitude: f64, longitude: f64| json!({ "name": "V", "latitude": latitude, "longitude": longitude });
    let mut ids = Vec::new();
    for (by, more) in [
        (&host, json!({ "title": "Beach fun", "venue": at(0.0, 179.99), "tags": ["Sun"] })),
        (&host, json!({ "title": "Beard night", "description": "at the beach!", "venue": at(50.9, 6.9) })),
        (&other, json!({ "title": "Hidden beach", "isPrivate": true, "venue": at(50.9, 6.9) })),
        (&other, json!({ "title": "Draft beach", "status": "DRAFT", "venue": at(50.9, 6.9) })),
        (&other, json!({ "title": "Later", "startsAt": "2126-06-01T20:00:00Z" })),
    ] {
        ids.push(stage.party(by, more).await["id"].as_str().unwrap().to_owned());
    }
    stage.post(&format!("/parties/{}/start", ids[4]), Some(&other), &json!({})).await;

    for (query, by, shown) in [
        ("", None, &[4, 0, 1][..]),
        ("", Some(&other), &[4, 0, 1]),
        ("status=PLANNED", None, &[0, 1]),
        ("status=DRAFT", None, &[]),
        ("live=true", None, &[4]),
        ("live=false", None, &[4, 0, 1]),
        ("upcoming=true", None, &[0, 1]),
        ("hostId=me", Some(&other), &[4, 2, 3]),
        ("hostId=me&status=DRAFT", Some(&other), &[3]),
        ("tag=SUN", None, &[0]),
        ("q=beach", None, &[0, 1]),
        ("q=BEA%20night", None, &[1]),
        ("q=beachball", None, &[]),
        ("q=%26%7C!", None, &[]),
        ("near=50.9,6.9", None, &[1]),
        ("near=50.95,6.9&radiusKm=5", None, &[]),
        ("near=50.94,6.9&radiusKm=5", None, &[1]),
        ("near=0,-179.99&radiusKm=3", None, &[0]),
    ] {
        let reply = stage.get(&format!("/parties?{query}"), by).await;
        let found = reply.body["data"].as_array().unwrap_or_else(|| panic!("{query}: {}", reply.body));
        let found: Vec<_> = found.iter().map(|party| party["id"].as_str().unwrap()).collect();
        let shown: Vec<_> = shown.iter().map(|index: &usize| ids[*index].as_str()).collect();
        assert_eq!(found, shown, "{query}");
    }
    let of = stage.get(&format!("/parties?hostId={}", other.id), Some(&host)).await;
    assert_eq!(of.body["data"].as_array().unwrap().len(), 1);
    assert!(of.body["data"][0]["viewer"].is_object() && of.body["data"][0]["accessCode"].is_null());
    assert_eq!(stage.get("/parties?hostId=me", None).await.status, 401);
    let nobody = stage.get("/parties?live=true", None).await;
    assert!(nobody.body["data"][0].get("viewer").is_none(), "{}", nobody.body);
}

#[tokio::test]
async fn what_is_spelled_the_same_is_found_however_it_was_typed() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let more = json!({ "title": "cafe\u{301} ปาร์ตี้", "tags": ["Ko\u{308}ln", "ปาร์ตี้"] });
    let party = stage.party(&host, more).await;
    for (name, value) in [
        ("q", "café"),
        ("q", "cafe\u{301}"),
        ("q", "ปาร์ตี้"),
        ("tag", "Köln"),
        ("tag", "ko\u{308}ln"),
        ("tag", "ปาร์ตี้"),
    ] {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
        let found = stage.get(&format!("/parties?{query}"), None).await;
        assert_eq!(found.body["data"][0]["id"], party["id"], "{name}={value}");
    }
}

#[tokio::test]
async fn a_list_that_grows_is_read_once_and_whole() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let add = async |hour: usize| {
        let starts_at = format!("2126-05-01T{hour:02}:00:00.123456Z");
        id(&stage.party(&host, json!({ "startsAt": starts_at })).await["id"])
    };
    let mut before = Vec::new();
    for hour in [5, 7, 7, 7, 9, 11, 13] {
        before.push(add(hour).await);
    }
    let (mut seen, mut cursor, mut hours) = (Vec::new(), String::new(), [1, 6, 8, 10, 12].into_iter());
    loop {
        let page = stage.get(&format!("/parties?limit=2{cursor}"), None).await;
        seen.extend(page.body["data"].as_array().unwrap().iter().map(|party| id(&party["id"])));
        let meta = &page.body["meta"];
        assert_eq!((&meta["limit"], meta["hasMore"] == true), (&json!(2), meta["nextCursor"].is_string()));
        let Some(next) = meta["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
        if let Some(hour) = hours.next() {
            add(hour).await;
        }
    }
    let mut once = seen.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), seen.len(), "none twice");
    assert!(before.iter().all(|id| seen.contains(id)), "none skipped");
    let foreign = stage.get("/parties?cursor=WzEsMl0", None).await;
    assert_eq!(foreign.code(), "VALIDATION_ERROR", "a cursor of another list");
}
