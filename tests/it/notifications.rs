//! What users are told: everybody whom it concerns, once, whatever dies; and read by them alone.

use futures_util::future::join_all;
use party_gallery::{domain::notification::Cause, realtime::Kind};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    chaos_proxy::{ChaosProxy, Upstream},
    database::{MIGRATED, connected, fresh},
    gathering::Party,
    own::OwnRedis,
    pictures,
    poll::eventually,
    process::Process,
    scene::{Reply, Somebody, Stage, id, sent},
    stage::stop,
};

const FOLLOWERS: i64 = 2500;

/// Leaves the work of telling behind.
async fn tell(stage: &Stage, cause: Value) {
    let payload = json!({ "cause": cause });
    stage.sql(&format!("INSERT INTO jobs (kind, payload) VALUES ('notify', '{payload}')")).await;
}

/// Has everybody told whom the causes concern. Gives them for each cause, sorted.
async fn told(stage: &Stage, causes: &[Value]) -> Vec<Vec<Uuid>> {
    for cause in causes {
        tell(stage, cause.clone()).await;
    }
    eventually(DEADLINE, "no job is left", async || stage.number("SELECT count(*) FROM jobs").await == 0)
        .await;
    let mut told = Vec::new();
    for cause in causes {
        let key = serde_json::from_value::<Cause>(cause.clone()).unwrap().key();
        told.push(
            connected(stage.database(), async |client| {
                let people = "SELECT person_id FROM notifications WHERE cause = $1 ORDER BY person_id";
                let rows = client.query(people, &[&key]).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            })
            .await,
        );
    }
    stage.sql("DELETE FROM notifications").await;
    told
}

async fn place(stage: &Stage, party: Uuid, who: Uuid, role: &str, state: &str, rsvp: &str) {
    stage
        .sql(&format!(
            "INSERT INTO attendances (party_id, person_id, role, state, rsvp)
             VALUES ('{party}', '{who}', '{role}', '{state}', '{rsvp}')"
        ))
        .await;
}

async fn photo(stage: &Stage, party: Uuid, uploader: Uuid) -> Uuid {
    let id = Uuid::now_v7();
    stage
        .sql(&format!(
            "INSERT INTO media (id, party_id, uploader_id, type, status, content_type, size, sha256)
             VALUES ('{id}', '{party}', '{uploader}', 'PHOTO', 'READY', 'image/jpeg', 1, uuid_send('{id}'))"
        ))
        .await;
    id
}

async fn follow(stage: &Stage, follower: Uuid, followed: Uuid) {
    stage
        .sql(&format!("INSERT INTO follows (follower_id, followed_id) VALUES ('{follower}', '{followed}')"))
        .await;
}

fn sorted(people: &[&Somebody]) -> Vec<Uuid> {
    let mut ids: Vec<_> = people.iter().map(|person| person.id).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn each_cause_is_told_to_those_whom_it_concerns() {
    let stage = Stage::open(&[]).await;
    let user = async |name: &str| stage.user(name).await;
    let (host, cohost, going, maybe) =
        (user("host").await, user("cohost").await, user("going").await, user("maybe").await);
    let (left, banned, deaf, fan) =
        (user("left").await, user("banned").await, user("deaf").await, user("fan").await);
    let party = stage.party(&host, json!({})).await;
    let party = id(&party["id"]);
    for (who, role, state, rsvp) in [
        (&cohost, "cohost", "in", "GOING"),
        (&going, "attendee", "in", "GOING"),
        (&maybe, "attendee", "in", "MAYBE"),
        (&left, "attendee", "left", "GOING"),
        (&banned, "attendee", "banned", "GOING"),
        (&deaf, "attendee", "in", "GOING"),
    ] {
        place(&stage, party, who.id, role, state, rsvp).await;
    }
    stage
        .sql(&format!(
            "INSERT INTO people (id, is_guest, display_name) VALUES ('{guest}', true, 'Guest');
             INSERT INTO guests (person_id, party_id) VALUES ('{guest}', '{party}');
             INSERT INTO attendances (party_id, person_id, role) VALUES ('{party}', '{guest}', 'guest');
             UPDATE accounts SET notifications_enabled = false WHERE person_id = '{deaf}'",
            guest = Uuid::now_v7(),
            deaf = deaf.id,
        ))
        .await;
    for follower in [&fan, &going, &banned, &deaf] {
        follow(&stage, follower.id, host.id).await;
    }
    let media = photo(&stage, party, going.id).await;
    let gone = photo(&stage, party, left.id).await;
    let comment = Uuid::now_v7();
    stage
        .sql(&format!(
            "INSERT INTO media_likes (media_id, person_id) VALUES
                 ('{media}', '{fan}'), ('{media}', '{going}'), ('{gone}', '{fan}');
             INSERT INTO comments (id, media_id, author_id, content) VALUES ('{comment}', '{media}', '{host}', 'Hi')",
            fan = fan.id,
            going = going.id,
            host = host.id,
        ))
        .await;

    let nobody = Uuid::now_v7();
    let table = [
        (json!({ "type": "FOLLOW", "follower": fan.id, "followed": host.id }), vec![&host]),
        (json!({ "type": "FOLLOW", "follower": host.id, "followed": fan.id }), vec![]),
        (json!({ "type": "LIKE", "media": media, "person": fan.id }), vec![&going]),
        // Their own, one that was taken back, one of somebody who left
        (json!({ "type": "LIKE", "media": media, "person": going.id }), vec![]),
        (json!({ "type": "LIKE", "media": media, "person": host.id }), vec![]),
        (json!({ "type": "LIKE", "media": gone, "person": fan.id }), vec![]),
        (json!({ "type": "COMMENT", "media": media, "comment": comment, "person": host.id }), vec![&going]),
        (json!({ "type": "NEW_RSVP", "party": party, "person": maybe.id }), vec![&host, &cohost]),
        (json!({ "type": "NEW_RSVP", "party": party, "person": cohost.id }), vec![&host]),
        (json!({ "type": "NEW_RSVP", "party": party, "person": left.id }), vec![]),
        (json!({ "type": "NEW_PARTY", "party": party }), vec![&fan, &going]),
        (json!({ "type": "PARTY_INVITE", "party": party, "person": cohost.id }), vec![&cohost]),
        (json!({ "type": "PARTY_INVITE", "party": party, "person": going.id }), vec![]),
        // The clock did it, the host, the cohost, somebody who is gone
        (json!({ "type": "PARTY_START", "party": party, "actor": null }), vec![&host, &cohost, &going]),
        (json!({ "type": "PARTY_END", "party": party, "actor": cohost.id }), vec![&host, &going]),
        (json!({ "type": "PARTY_CANCELLED", "party": party, "actor": host.id }), vec![&cohost, &going]),
        (json!({ "type": "PARTY_REMINDER", "party": party }), vec![&host, &cohost, &going]),
        (json!({ "type": "NEW_MEDIA", "party": party, "media": media, "minute": 1 }), vec![&host, &cohost]),
        // What is gone
        (json!({ "type": "PARTY_START", "party": nobody, "actor": null }), vec![]),
        (json!({ "type": "LIKE", "media": nobody, "person": fan.id }), vec![]),
        (json!({ "type": "NEW_MEDIA", "party": party, "media": nobody, "minute": 2 }), vec![]),
    ];
    let causes: Vec<_> = table.iter().map(|(cause, _)| cause.clone()).collect();
    for ((cause, people), told) in table.iter().zip(told(&stage, &causes).await) {
        assert_eq!(told, sorted(people), "{cause}");
    }
    stage.sql("UPDATE parties SET is_private = true").await;
    let private = [json!({ "type": "NEW_PARTY", "party": party })];
    assert_eq!(told(&stage, &private).await, [sorted(&[])]);
}

#[tokio::test]
async fn who_begins_and_ends_a_party_is_not_told_of_it_and_its_host_is() {
    let stage = Stage::open(&[]).await;
    let (host, cohost) = (stage.user("host").await, stage.user("cohost").await);
    let told = async |who: &Somebody, kind: &str| {
        let told = format!(
            "SELECT count(*) FROM notifications WHERE person_id = '{}' AND type = '{kind}'
             AND actor_id IS NOT DISTINCT FROM (SELECT id FROM people WHERE username = 'cohost')",
            who.id
        );
        stage.number(&told).await
    };
    let party = stage.party(&host, json!({})).await;
    let party = id(&party["id"]);
    place(&stage, party, cohost.id, "cohost", "in", "GOING").await;
    for (step, kind) in [("start", "PARTY_START"), ("end", "PARTY_END")] {
        let path = format!("/parties/{party}/{step}");
        assert_eq!(stage.post(&path, Some(&cohost), &json!({})).await.status, 200);
        eventually(DEADLINE, "its host is told", async || told(&host, kind).await == 1).await;
        assert_eq!(told(&cohost, kind).await, 0);
    }
    let other = stage.party(&host, json!({})).await;
    stage.sql(&format!("UPDATE parties SET starts_at = now() WHERE id = '{}'", id(&other["id"]))).await;
    let by_itself = "SELECT count(*) FROM notifications WHERE type = 'PARTY_START' AND actor_id IS NULL";
    eventually(DEADLINE, "its host is told of the clock", async || stage.number(by_itself).await == 1).await;
}

#[tokio::test]
async fn why_a_party_is_cancelled_is_told_to_those_who_may_know_of_it() {
    let stage = Stage::open(&[]).await;
    let (host, user) = (stage.user("host").await, stage.user("user").await);
    for (reason, is_private, told) in [
        (json!({ "reason": " It  rains\nall day " }), true, "Ball is cancelled: It  rains\nall day"),
        (json!({}), true, "Ball is cancelled"),
        (json!({ "reason": "snow" }), false, "Ball is cancelled: snow"),
    ] {
        let party = stage.party(&host, json!({ "title": "Ball", "isPrivate": is_private })).await;
        let party = id(&party["id"]);
        place(&stage, party, user.id, "attendee", "in", "GOING").await;
        assert_eq!(stage.post(&format!("/parties/{party}/cancel"), Some(&host), &reason).await.status, 200);
        let newest = async || stage.get("/notifications?limit=1", Some(&user)).await.body["data"][0].clone();
        let is_told = async || newest().await["data"]["partyId"] == json!(party);
        eventually(DEADLINE, "who comes is told", is_told).await;
        assert_eq!(newest().await["body"], told);
        stage.sql(&format!("UPDATE attendances SET state = 'left' WHERE person_id = '{}'", user.id)).await;
        let hidden = if is_private { "A party is cancelled" } else { told };
        assert_eq!(newest().await["body"], hidden, "after they left");
    }
}

#[tokio::test]
async fn a_like_tells_once_ever_also_when_what_was_told_is_forgotten() {
    let stage = Stage::open(&[]).await;
    let (host, fan) = (stage.user("host").await, stage.user("fan").await);
    let party = stage.party(&host, json!({})).await;
    let media = photo(&stage, id(&party["id"]), host.id).await;
    let likes = "INSERT INTO media_likes (media_id, person_id) VALUES";
    stage.sql(&format!("{likes} ('{media}', '{}')", fan.id)).await;
    let cause = json!({ "type": "LIKE", "media": media, "person": fan.id });
    // Shown, and unread
    let seen = async || {
        let shown = stage.get("/notifications", Some(&host)).await.body;
        (shown["data"].as_array().unwrap().len(), shown["meta"]["unread"].as_u64().unwrap())
    };
    let jobless = async || stage.number("SELECT count(*) FROM jobs").await == 0;
    tell(&stage, cause.clone()).await;
    eventually(DEADLINE, "it is told", async || seen().await == (1, 1)).await;
    // Others are forgotten with their age, this one is seen no more
    stage
        .sql(&format!(
            "INSERT INTO notifications (id, person_id, type, cause) VALUES ('{}', '{}', 'SYSTEM', 'x');
             UPDATE notifications SET created_at = now() - interval '91 days'",
            Uuid::now_v7(),
            host.id
        ))
        .await;
    let others = "SELECT count(*) FROM notifications WHERE type = 'SYSTEM'";
    eventually(DEADLINE, "others are forgotten", async || stage.number(others).await == 0).await;
    tell(&stage, cause).await;
    eventually(DEADLINE, "no job is left", jobless).await;
    assert_eq!(seen().await, (0, 0), "once ever");
    // Of another photo it is the first
    let other = photo(&stage, id(&party["id"]), host.id).await;
    stage.sql(&format!("{likes} ('{other}', '{}')", fan.id)).await;
    tell(&stage, json!({ "type": "LIKE", "media": other, "person": fan.id })).await;
    eventually(DEADLINE, "it is told", async || seen().await == (1, 1)).await;
}

/// A host with followers, and a party to tell them of.
async fn famous(stage: &Stage) -> Uuid {
    let host = stage.user("host").await;
    let party = stage.party(&host, json!({})).await;
    stage
        .sql(&format!(
            "INSERT INTO people (id, is_guest, username, display_name)
             SELECT gen_random_uuid(), false, 'fan_' || n, 'Fan' FROM generate_series(1, {FOLLOWERS}) AS n;
             INSERT INTO accounts (person_id, email, password_hash)
             SELECT id, username || '@example.com', '' FROM people WHERE username LIKE 'fan_%';
             INSERT INTO follows (follower_id, followed_id)
             SELECT id, '{}' FROM people WHERE username LIKE 'fan_%'",
            host.id
        ))
        .await;
    id(&party["id"])
}

const TOLD: &str = "SELECT count(DISTINCT person_id) FROM notifications WHERE type = 'NEW_PARTY'";

#[tokio::test]
async fn two_workers_tell_2500_followers_each_once_and_not_again() {
    let stage = Stage::open(&[]).await;
    let _second = stage.another_pod().await;
    let party = famous(&stage).await;
    let cause = json!({ "type": "NEW_PARTY", "party": party });
    join_all((0..4).map(|_| tell(&stage, cause.clone()))).await;
    let no_job = async || stage.number("SELECT count(*) FROM jobs").await == 0;
    eventually(DEADLINE, "no job is left", no_job).await;
    let rows = "SELECT count(*) FROM notifications";
    assert_eq!((stage.number(rows).await, stage.number(TOLD).await), (FOLLOWERS, FOLLOWERS));
    let newest = "SELECT (extract(epoch FROM max(created_at)) * 1000000)::bigint FROM notifications";
    let before = stage.number(newest).await;
    tell(&stage, cause).await;
    eventually(DEADLINE, "no job is left", no_job).await;
    assert_eq!((stage.number(rows).await, stage.number(newest).await), (FOLLOWERS, before));
    let version_7 = "SELECT count(*) FROM notifications WHERE id::text LIKE '________-____-7%'";
    assert_eq!(stage.number(version_7).await, FOLLOWERS);
}

#[tokio::test]
async fn a_pod_that_is_killed_half_way_leaves_the_rest_to_others() {
    let (database, redis) = (fresh(&MIGRATED).await, OwnRedis::start().await);
    let stage = Stage::on(database.clone(), &[]).await;
    let party = famous(&stage).await;
    stop(stage.app).await;
    let line = ChaosProxy::start(Upstream::Unix(redis.socket().to_owned())).await;
    let dying = Process::serve(&database, &format!("redis://{}", line.address()), &[]);
    dying.wait_for("Ready").await;
    let number = async |query: &str| -> i64 {
        connected(&database, async |client| client.query_one(query, &[]).await.unwrap().get(0)).await
    };
    connected(&database, async |client| {
        // Somebody in the second batch cannot be told yet
        client
            .batch_execute(&format!(
                "BEGIN;
                 INSERT INTO notifications (id, person_id, type, cause)
                 SELECT gen_random_uuid(), follower_id, 'NEW_PARTY', 'NEW_PARTY:{party}'
                 FROM follows ORDER BY follower_id OFFSET 1500 LIMIT 1"
            ))
            .await
            .unwrap();
        let payload = json!({ "cause": { "type": "NEW_PARTY", "party": party } });
        connected(&database, async |other| {
            let leave = format!("INSERT INTO jobs (kind, payload) VALUES ('notify', '{payload}')");
            other.batch_execute(&leave).await.unwrap();
        })
        .await;
        let waiting = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        eventually(DEADLINE, "it is half-way", async || {
            number(TOLD).await == 1000 && number(waiting).await == 1
        })
        .await;
        dying.signal("KILL");
        client.batch_execute("ROLLBACK").await.unwrap();
    })
    .await;
    let stage = Stage::on(database, &[]).await;
    // The lease of the pod that died has run out by now
    stage.sql("UPDATE jobs SET run_at = now()").await;
    eventually(DEADLINE, "all are told", async || stage.number(TOLD).await == FOLLOWERS).await;
    assert_eq!(stage.number("SELECT count(*) FROM notifications").await, FOLLOWERS);
}

async fn put(stage: &Stage, by: Option<&Somebody>, path: &str) -> Reply {
    sent(stage.request(Method::PUT, path, by)).await
}

fn ids(page: &Reply) -> Vec<&str> {
    page.body["data"].as_array().unwrap().iter().map(|told| told["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn one_reads_what_one_was_told_newest_first_and_page_by_page() {
    let stage = Stage::open(&[]).await;
    let (ada, bob) = (stage.user("ada").await, stage.user("bob").await);
    let party = stage.party(&bob, json!({ "title": "Ball" })).await;
    let party = id(&party["id"]);
    // Nobody follows him yet who could be told of it now
    eventually(DEADLINE, "no job is left", async || stage.number("SELECT count(*) FROM jobs").await == 0)
        .await;
    follow(&stage, ada.id, bob.id).await;
    follow(&stage, bob.id, ada.id).await;
    for cause in [
        json!({ "type": "FOLLOW", "follower": bob.id, "followed": ada.id }),
        json!({ "type": "NEW_PARTY", "party": party }),
    ] {
        tell(&stage, cause).await;
        eventually(DEADLINE, "no job is left", async || stage.number("SELECT count(*) FROM jobs").await == 0)
            .await;
    }
    let page = stage.get("/notifications", Some(&ada)).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let meta = json!({ "limit": 20, "nextCursor": null, "hasMore": false, "unread": 2 });
    assert_eq!(page.body["meta"], meta);
    let newest = &page.body["data"][0];
    assert_eq!(
        *newest,
        json!({
            "id": newest["id"], "type": "NEW_PARTY", "title": "New party", "body": "bob invites to Ball",
            "data": { "partyId": party, "userId": bob.id }, "read": false, "createdAt": newest["createdAt"],
        })
    );
    assert_eq!(page.body["data"][1]["body"], "bob follows you");
    let [second, first] = ids(&page)[..] else { panic!("two") };
    stage.sql("UPDATE parties SET is_private = true").await;
    let hidden = stage.get("/notifications", Some(&ada)).await;
    assert_eq!(hidden.body["data"][0]["body"], "bob invites to a party");

    let one = stage.get("/notifications?limit=1", Some(&ada)).await;
    assert_eq!(ids(&one), [second]);
    let cursor = one.body["meta"]["nextCursor"].as_str().unwrap();
    let other = stage.get(&format!("/notifications?limit=1&cursor={cursor}"), Some(&ada)).await;
    assert_eq!((ids(&other), &other.body["meta"]["hasMore"]), (vec![first], &json!(false)));

    // Read once, twice, by somebody else, by its absence
    let read = format!("/notifications/{second}/read");
    assert_eq!(put(&stage, Some(&bob), &read).await.status, 404);
    for _ in 0..2 {
        assert_eq!(put(&stage, Some(&ada), &read).await.status, 204);
    }
    let nothing = format!("/notifications/{}/read", Uuid::now_v7());
    assert_eq!(put(&stage, Some(&ada), &nothing).await.status, 404);
    assert_eq!(put(&stage, Some(&ada), "/notifications/7/read").await.status, 404);
    let all = stage.get("/notifications?unread=false", Some(&ada)).await;
    assert_eq!((ids(&all).len(), &all.body["meta"]["unread"]), (2, &json!(1)));
    assert_eq!(all.body["data"][0]["read"], true);
    let unread = stage.get("/notifications?unread=true", Some(&ada)).await;
    assert_eq!(ids(&unread), [first]);
    for reply in join_all((0..8).map(|_| put(&stage, Some(&ada), "/notifications/read-all"))).await {
        assert_eq!(reply.status, 204);
    }
    let unread = stage.get("/notifications?unread=true", Some(&ada)).await;
    assert_eq!((ids(&unread).len(), &unread.body["meta"]["unread"]), (0, &json!(0)));
    for query in ["unread=1", "limit=0", "limit=101", "cursor=x"] {
        let reply = stage.get(&format!("/notifications?{query}"), Some(&ada)).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (400, "VALIDATION_ERROR"), "{query}");
    }
}

#[tokio::test]
async fn only_users_are_told_anything() {
    let stage = Stage::open(&[]).await;
    let user = stage.user("ada").await;
    let somebody = |kind| {
        let id = Uuid::now_v7();
        Some(Somebody { id, token: stage.token(kind, id) })
    };
    let callers = [
        (Some(user), 200, 404),
        (somebody(Kind::Guest), 403, 403),
        (somebody(Kind::Display), 403, 403),
        (None, 401, 401),
        (Some(Somebody { id: Uuid::nil(), token: "x".to_owned() }), 401, 401),
    ];
    for (caller, lists, reads) in &callers {
        let caller = caller.as_ref();
        assert_eq!(stage.get("/notifications", caller).await.status, *lists, "{caller:?}");
        let read = format!("/notifications/{}/read", Uuid::now_v7());
        assert_eq!(put(&stage, caller, &read).await.status, *reads, "{caller:?}");
        let expected = if *lists == 200 { 204 } else { *lists };
        assert_eq!(put(&stage, caller, "/notifications/read-all").await.status, expected, "{caller:?}");
    }
}

#[tokio::test]
async fn photos_that_can_be_seen_are_told_once_a_minute_and_what_is_old_is_forgotten() {
    let party = Party::new(true).await;
    let account = "INSERT INTO accounts (person_id, email, password_hash) VALUES ($1, 'h@example.com', '')";
    party.stage.execute(account, &[&party.host.id]).await;
    for n in 0..3 {
        let photo = pictures::salted_jpeg(64, 48, n);
        let reply = party.upload(Some(&party.guest), photo, "a.jpg").await;
        let photo = reply.body["data"]["media"]["id"].as_str().unwrap().to_owned();
        assert_eq!(party.developed(&photo).await["status"], "READY");
    }
    let path = "/api/v1/notifications";
    let told = eventually(DEADLINE, "the host is told", async || {
        let page = party.get(Some(&party.host), path).await;
        (party.stage.jobs().await == 0 && page.body["data"][0].is_object()).then_some(page.body)
    })
    .await;
    let (told, count) = (&told["data"][0], told["data"].as_array().unwrap().len());
    // The minute may have changed in between
    assert!((1..=2).contains(&count), "{told}");
    assert_eq!((&told["type"], &told["data"]["userId"]), (&json!("NEW_MEDIA"), &json!(party.guest.id)));
    assert_eq!(
        (&told["data"]["partyId"], &told["body"]),
        (&json!(party.id), &json!("There is a new photo in A party"))
    );
    let age = "UPDATE notifications SET created_at = now() - interval '91 days'";
    party.stage.execute(age, &[]).await;
    eventually(DEADLINE, "what is old is forgotten", async || {
        party.get(Some(&party.host), path).await.body["data"] == json!([])
    })
    .await;
    stop(party.app).await;
}
