//! Joining by a code, alone and all at once.

use futures_util::future::join_all;
use party_gallery::{db::migrate, realtime::Kind};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    DEADLINE,
    own::OwnPostgres,
    poll::eventually,
    scene::{Reply, Somebody, Stage, id, sent},
};

const JOIN: &str = "/parties/join-by-code";
const COUNT: &str = "SELECT attendees_count::bigint FROM parties";

async fn keyed(stage: &Stage, key: &str, by: Option<&Somebody>, body: &Value) -> Reply {
    sent(stage.request(Method::POST, JOIN, by).header("Idempotency-Key", key).json(body)).await
}

#[tokio::test]
async fn a_guest_joins_by_the_code_and_comes_back_as_the_same() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let party = stage.party(&host, json!({ "isPrivate": true })).await;
    let path = format!("/parties/{}", party["id"].as_str().unwrap());
    let code = party["accessCode"].as_str().unwrap();

    let typed = json!({ "accessCode": format!(" {} ", code.to_lowercase()) });
    let preview = stage.post("/parties/by-code", None, &typed).await;
    let shown = preview.body["data"]["party"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(shown, ["coverUrl", "host", "startsAt", "status", "title"]);

    let nameless = stage.post(JOIN, None, &typed).await;
    assert_eq!((nameless.status.as_u16(), &nameless.body["errors"][0]["path"]), (400, &json!("displayName")));
    let body = json!({ "accessCode": code, "displayName": " Bo " });
    let joined = stage.post(JOIN, None, &body).await;
    assert_eq!(joined.status, 201, "{}", joined.body);
    let data = &joined.body["data"];
    assert_eq!(data["guest"]["displayName"], "Bo");
    assert_eq!(data["guest"]["partyId"], party["id"]);
    assert_eq!((&data["party"]["attendeesCount"], &data["party"]["seq"]), (&json!(1), &json!(1)));
    assert_eq!(data["party"]["viewer"]["role"], "guest");
    assert!(data["party"].get("accessCode").is_none(), "{data}");
    assert!(data["refreshToken"].is_string());
    assert_eq!(data["expiresIn"], 900);
    let guest =
        Somebody { id: id(&data["guest"]["id"]), token: data["accessToken"].as_str().unwrap().to_owned() };
    assert_eq!(stage.get(&path, Some(&guest)).await.status, 200);

    let again = stage.post(JOIN, Some(&guest), &json!({ "accessCode": code })).await;
    assert_eq!(again.status, 200, "{}", again.body);
    assert_eq!(id(&again.body["data"]["guest"]["id"]), guest.id);
    assert_eq!(again.body["data"]["party"]["seq"], 1, "nobody joined");

    let attendees = stage.get(&format!("{path}/attendees"), Some(&guest)).await;
    let rows: Vec<_> = attendees.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["user"]["displayName"].clone(), row["role"].clone(), row["status"].clone()))
        .collect();
    let expected =
        [(json!("ada"), json!("host"), json!("GOING")), (json!("Bo"), json!("guest"), json!("GOING"))];
    assert_eq!(rows, expected);

    let elsewhere = stage.party(&host, json!({ "isPrivate": true })).await;
    let other = json!({ "accessCode": elsewhere["accessCode"], "displayName": "Bo" });
    let there = stage.post(JOIN, Some(&guest), &other).await;
    assert_eq!(there.status, 201, "elsewhere a guest is nobody");
    assert_ne!(id(&there.body["data"]["guest"]["id"]), guest.id);
}

#[tokio::test]
async fn a_user_joins_as_themselves_and_once() {
    let stage = Stage::open(&[]).await;
    let (host, user) = (stage.user("ada").await, stage.user("bob").await);
    let party = stage.party(&host, json!({ "isPrivate": true })).await;
    let path = format!("/parties/{}", party["id"].as_str().unwrap());
    let body = json!({ "accessCode": party["accessCode"] });
    assert_eq!(stage.get(&path, Some(&user)).await.status, 404);
    let first = keyed(&stage, "k", Some(&user), &body).await;
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(id(&first.body["data"]["attendee"]["id"]), user.id);
    let replayed = keyed(&stage, "k", Some(&user), &body).await;
    assert_eq!((replayed.status.as_u16(), &replayed.body), (201, &first.body));
    assert_eq!(replayed.header("idempotency-replayed"), "true");
    assert_eq!(stage.post(JOIN, Some(&user), &body).await.status, 200);
    assert_eq!(stage.post(JOIN, Some(&host), &body).await.status, 200);
    assert_eq!(stage.number(COUNT).await, 1);
    let seen = stage.get(&path, Some(&user)).await;
    assert_eq!(seen.body["data"]["party"]["viewer"]["role"], "attendee");

    stage.sql("UPDATE attendances SET state = 'left' WHERE role = 'attendee'; UPDATE parties SET attendees_count = 0").await;
    assert_eq!(stage.get(&path, Some(&user)).await.status, 404);
    let back = stage.post(JOIN, Some(&user), &body).await;
    assert_eq!((back.status.as_u16(), &back.body["data"]["party"]["seq"]), (201, &json!(2)));
    assert_eq!(stage.number(COUNT).await, 1);
    stage.sql("UPDATE attendances SET state = 'banned' WHERE role = 'attendee'").await;
    assert_eq!(stage.post(JOIN, Some(&user), &body).await.code(), "NOT_FOUND");
    assert_eq!(stage.post("/parties/by-code", Some(&user), &body).await.code(), "NOT_FOUND");
    stage.sql("UPDATE parties SET is_private = false").await;
    assert_eq!(stage.post(JOIN, Some(&user), &body).await.code(), "FORBIDDEN");
}

#[tokio::test]
async fn who_cannot_join_hears_why() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let body = json!({ "accessCode": "ABCD2345", "displayName": "Bo" });
    assert_eq!(stage.post(JOIN, None, &body).await.code(), "NOT_FOUND");
    assert_eq!(stage.post("/parties/by-code", None, &body).await.code(), "NOT_FOUND");
    assert_eq!(stage.post(JOIN, None, &json!({ "accessCode": 5, "displayName": "a\nb" })).await.status, 400);
    let party = stage.party(&host, json!({ "isPrivate": true, "status": "DRAFT" })).await;
    let body = json!({ "accessCode": party["accessCode"], "displayName": "Bo" });
    for (status, join, preview) in
        [("DRAFT", "NOT_FOUND", 404), ("ENDED", "INVALID_STATUS", 200), ("CANCELLED", "INVALID_STATUS", 200)]
    {
        stage.sql(&format!("UPDATE parties SET status = '{status}'")).await;
        assert_eq!(stage.post(JOIN, None, &body).await.code(), join, "{status}");
        assert_eq!(stage.post("/parties/by-code", None, &body).await.status, preview, "{status}");
    }
    let nobody = uuid::Uuid::now_v7();
    let erased = Somebody { id: nobody, token: stage.token(Kind::User, nobody) };
    let open = stage.party(&host, json!({ "isPrivate": true })).await;
    let join = json!({ "accessCode": open["accessCode"] });
    assert_eq!(stage.post(JOIN, Some(&erased), &join).await.status, 401, "an account that is gone");
    let make = json!({ "title": "Party", "startsAt": "2126-05-01T20:00:00Z" });
    assert_eq!(stage.post("/parties", Some(&erased), &make).await.status, 401, "an account that is gone");
    let stale = Somebody { id: host.id, token: "no.good.token".to_owned() };
    assert_eq!(stage.post(JOIN, Some(&stale), &body).await.status, 401, "never nobody by a bad token");
}

#[tokio::test]
async fn ten_seats_are_taken_by_ten_however_many_come_at_once() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let party = stage.party(&host, json!({ "isPrivate": true, "maxAttendees": 10 })).await;
    let replies = join_all((0..50).map(|n| {
        let body = json!({ "accessCode": party["accessCode"], "displayName": format!("Guest {n}") });
        let stage = &stage;
        async move { stage.post(JOIN, None, &body).await }
    }))
    .await;
    let seats = replies.iter().filter(|reply| reply.status == 201).count();
    let full = replies.iter().filter(|reply| reply.code() == "PARTY_FULL").count();
    assert_eq!((seats, full), (10, 40));
    assert_eq!(stage.number(COUNT).await, 10);
    assert_eq!(stage.number("SELECT count(*) FROM attendances WHERE role = 'guest'").await, 10);
    assert_eq!(stage.number("SELECT count(*) FROM guests").await, 10, "who found no seat left no trace");
}

#[tokio::test]
async fn forty_joins_at_once_are_logged_without_a_gap_and_listed_once() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let party = stage.party(&host, json!({ "isPrivate": true })).await;
    let joins = join_all((0..40).map(|n| {
        let body = json!({ "accessCode": party["accessCode"], "displayName": format!("Guest {n}") });
        let stage = &stage;
        async move { stage.post(JOIN, None, &body).await.body["data"]["party"]["seq"].as_i64().unwrap() }
    }));
    let reading = async {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        let path = format!("/parties/{}/attendees?limit=3", party["id"].as_str().unwrap());
        while seen.len() < 41 {
            let page = stage.get(&format!("{path}{cursor}"), Some(&host)).await;
            let rows = page.body["data"].as_array().unwrap();
            seen.extend(rows.iter().map(|row| id(&row["id"])));
            if let Some(next) = page.body["meta"]["nextCursor"].as_str() {
                cursor = format!("&cursor={next}");
            } else {
                // The list ends here for now: on from its last row
                let last = rows.last().cloned();
                cursor = match last {
                    Some(row) => format!("&cursor={}", after(&stage, &row).await),
                    None => cursor,
                };
            }
        }
        seen
    };
    let (mut numbers, seen) = tokio::join!(joins, reading);
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
    assert_eq!(stage.number("SELECT count(*) FROM events WHERE kind = 'party:attendee_joined'").await, 40);
    assert_eq!(stage.number("SELECT max(seq) - min(seq) FROM events").await, 39);
    let mut once = seen.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!((once.len(), seen.len()), (41, 41), "none twice, none skipped");
}

/// The cursor that a page with more rows would have given after this one.
async fn after(stage: &Stage, row: &Value) -> String {
    use base64::Engine as _;
    let id = row["id"].as_str().unwrap();
    let micros = format!(
        "SELECT (extract(epoch FROM joined_at) * 1000000)::bigint FROM attendances WHERE person_id = '{id}'"
    );
    let key = json!([stage.number(&micros).await, id]).to_string();
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(key)
}

#[tokio::test]
async fn a_nobody_with_a_long_key_is_the_same_guest_with_other_tokens() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let party = stage.party(&host, json!({ "isPrivate": true })).await;
    let body = json!({ "accessCode": party["accessCode"], "displayName": "Bo" });
    let key = "k".repeat(22);
    let replies = join_all((0..10).map(|_| keyed(&stage, &key, None, &body))).await;
    let (first, second) = (&replies[0].body["data"], &replies[1].body["data"]);
    assert!(replies.iter().all(|reply| reply.status == 201), "{replies:?}");
    assert!(replies.iter().all(|reply| reply.body["data"]["guest"] == first["guest"]));
    assert_ne!(first["refreshToken"], second["refreshToken"]);
    assert_eq!(stage.number(COUNT).await, 1);
    let mismatch =
        keyed(&stage, &key, None, &json!({ "accessCode": party["accessCode"], "displayName": "Cy" })).await;
    assert_eq!(mismatch.code(), "IDEMPOTENCY_MISMATCH");
    let kept = "SELECT max(length(answer))::bigint FROM idempotency_keys WHERE caller = 'anonymous'";
    assert!(stage.number(kept).await < 300, "no token fits in what is kept");

    let short = "k".repeat(21);
    keyed(&stage, &short, None, &body).await;
    keyed(&stage, &short, None, &body).await;
    assert_eq!(stage.number(COUNT).await, 3, "a key that can be guessed is none");

    stage.sql("UPDATE attendances SET state = 'banned' WHERE role = 'guest'").await;
    assert_eq!(keyed(&stage, &key, None, &body).await.status, 404, "no new tokens for who was sent away");
    let guest = Somebody {
        id: id(&first["guest"]["id"]),
        token: stage.token(Kind::Guest, id(&first["guest"]["id"])),
    };
    assert_eq!(stage.post(JOIN, Some(&guest), &body).await.code(), "NOT_FOUND");
}

#[tokio::test]
async fn who_guesses_codes_hears_of_none_any_more() {
    let stage = Stage::open(&[("RATE_UNKNOWN_CODES", "3/h")]).await;
    let host = stage.user("ada").await;
    let party = stage.party(&host, json!({ "isPrivate": true })).await;
    let good = json!({ "accessCode": party["accessCode"], "displayName": "Bo" });
    for path in [JOIN, "/parties/by-code", JOIN] {
        assert_eq!(
            stage.post(path, None, &good).await.status.as_u16() / 100,
            2,
            "what is known is not counted"
        );
        let unknown = json!({ "accessCode": "ABCD2345", "displayName": "Bo" });
        assert_eq!(stage.post(path, None, &unknown).await.status, 404);
    }
    for path in [JOIN, "/parties/by-code"] {
        let refused = stage.post(path, None, &good).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (429, "RATE_LIMITED"), "{path}");
        assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
    }
}

#[tokio::test]
async fn joins_of_one_address_have_a_limit() {
    let stage = Stage::open(&[("RATE_JOINS", "2/h")]).await;
    let host = stage.user("ada").await;
    let party = stage.party(&host, json!({ "isPrivate": true })).await;
    let body = json!({ "accessCode": party["accessCode"], "displayName": "Bo" });
    for status in [201, 201, 429] {
        assert_eq!(stage.post(JOIN, None, &body).await.status, status);
    }
    assert_eq!(stage.number(COUNT).await, 2);
}

/// Joins until it is told that it has, as a client does that knows its own key; gives the guest and the refusals.
async fn insist(stage: &Stage, body: &Value, key: &str) -> (uuid::Uuid, usize) {
    let mut refusals = 0;
    let guest = eventually(DEADLINE, "somebody has joined", async || {
        let reply = keyed(stage, key, None, body).await;
        match reply.status.as_u16() {
            201 => return Some(id(&reply.body["data"]["guest"]["id"])),
            503 => assert!(!reply.header("retry-after").is_empty()),
            504 => assert!(reply.header("retry-after").is_empty()),
            other => panic!("{other} {}", reply.body),
        }
        refusals += 1;
        None
    });
    let guest = guest.await;
    (guest, refusals)
}

#[tokio::test]
async fn joins_that_are_repeated_while_postgres_is_killed_seat_each_guest_once() {
    let mut postgres = OwnPostgres::start().await;
    let log = slog::Logger::root(slog::Discard, slog::o!());
    migrate::bring_up(&postgres.url().parse().unwrap(), DEADLINE, &log).await.unwrap();
    let stage = Stage::on(postgres.url().to_owned(), &[]).await;
    let host = stage.user("ada").await;
    let party = stage.party(&host, json!({ "isPrivate": true })).await;
    let body = json!({ "accessCode": party["accessCode"], "displayName": "Bo" });
    let joins = join_all((0..60).map(|n| {
        let (stage, body) = (&stage, &body);
        async move { insist(stage, body, &format!("the key of guest number {n:04}")).await }
    }));
    let killing = async {
        let joined = "SELECT count(*) FROM events";
        eventually(DEADLINE, "some have joined", async || stage.number(joined).await > 4).await;
        postgres.kill9();
        postgres.start_again().await;
    };
    let (joined, ()) = tokio::join!(joins, killing);
    let refusals: usize = joined.iter().map(|(_, refusals)| refusals).sum();
    assert!(refusals > 0, "it was killed after all had joined");
    let mut guests: Vec<_> = joined.into_iter().map(|(guest, _)| guest).collect();
    guests.sort_unstable();
    guests.dedup();
    assert_eq!(guests.len(), 60);
    for count in [
        COUNT,
        "SELECT count(*) FROM guests",
        "SELECT count(*) FROM attendances WHERE role = 'guest' AND state = 'in'",
        "SELECT count(*) FROM events",
        "SELECT max(seq) FROM events",
    ] {
        assert_eq!(stage.number(count).await, 60, "{count}");
    }
}
