//! What is said below a media: who may read and say it, and that it is counted and told.

use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    app::TestApp,
    house::UNHURRIED,
    poll::eventually,
    screen::{Screen, brief},
    servers::fresh_redis,
    stage::{Reply, Somebody, Stage, ask, stop},
};

const ROWS: &str = "SELECT count(*) FROM comments WHERE media_id = $1";
const COUNTED: &str = "SELECT comments_count::bigint FROM media WHERE id = $1";
const TOLD: &str = "SELECT count(*) FROM left_jobs
    WHERE kind = 'notify' AND payload #>> '{cause,type}' = 'COMMENT' AND (payload #>> '{cause,media}')::uuid = $1";

fn path(media: Uuid) -> String {
    format!("/api/v1/media/{media}/comments")
}

async fn say(app: &TestApp, who: &Somebody, media: Uuid, content: &str) -> Reply {
    ask(app, Some(who), Method::POST, &path(media), &[], Some(json!({ "content": content }))).await
}

async fn read(app: &TestApp, who: Option<&Somebody>, media: Uuid, query: &str) -> Reply {
    ask(app, who, Method::GET, &format!("{}{query}", path(media)), &[], None).await
}

async fn take_back(app: &TestApp, who: Option<&Somebody>, media: Uuid, comment: &Value) -> u16 {
    let path = format!("{}/{}", path(media), comment.as_str().unwrap());
    ask(app, who, Method::DELETE, &path, &[], None).await.status
}

fn contents(reply: &Reply) -> Vec<&str> {
    reply.body["data"].as_array().unwrap().iter().map(|said| said["content"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_is_said_below_a_photo_is_read_counted_and_told_to_who_takes_part() {
    let stage = Stage::new().await;
    stage.keep_jobs().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let (guest, maybe) = (stage.guest(party).await, stage.user().await);
    stage.place(party, &maybe, "attendee", "in", "MAYBE").await;
    let media = stage.shown(party, &guest).await;
    let mut screens = Vec::new();
    for who in [&host, &maybe] {
        let mut screen = Screen::of(&app, who).await;
        screen.join(party).await;
        screens.push(screen);
    }
    let empty = read(&app, Some(&guest), media, "").await;
    assert_eq!((empty.status, &empty.body["data"]), (200, &json!([])), "{empty:?}");
    assert_eq!(empty.body["meta"], json!({ "limit": 20, "nextCursor": null, "hasMore": false, "seq": 1 }));

    let made = say(&app, &host, media, " Nice\n🎂 ").await;
    assert_eq!(made.status, 201, "{made:?}");
    let comment = &made.body["data"]["comment"];
    let id = &comment["id"];
    assert_eq!(made.headers["location"], format!("{}/{}", path(media), id.as_str().unwrap()));
    let names: Vec<_> = comment.as_object().unwrap().keys().collect();
    assert_eq!(names, ["author", "content", "createdAt", "id", "mediaId"]);
    assert_eq!((&comment["content"], &comment["mediaId"]), (&json!("Nice\n🎂"), &json!(media)));
    assert_eq!(comment["author"]["id"], json!(host.id));
    assert_eq!(say(&app, &guest, media, "Mine").await.status, 201);
    assert_eq!(stage.number(TOLD, media).await, 1, "nobody is told of their own");

    let page = read(&app, Some(&guest), media, "").await;
    assert_eq!(contents(&page), ["Mine", "Nice\n🎂"]);
    assert_eq!((&page.body["data"][1], &page.body["meta"]["seq"]), (comment, &json!(3)));
    let etag = page.headers["etag"].to_str().unwrap();
    let known = ask(&app, Some(&guest), Method::GET, &path(media), &[("if-none-match", etag)], None).await;
    assert_eq!(known.status, 304);
    assert_eq!(take_back(&app, Some(&host), media, id).await, 204);
    assert_eq!(stage.number(COUNTED, media).await, 1);

    let added = screens[0].logged().await;
    let data = json!({ "partyId": party, "comment": comment });
    assert_eq!((brief(&added), &added["data"]), ((2, "party:comment_added".to_owned()), &data));
    assert_eq!(screens[0].logged().await["data"]["comment"]["content"], "Mine");
    let removed = screens[0].logged().await;
    let data = json!({ "partyId": party, "mediaId": media, "commentId": id });
    assert_eq!((brief(&removed), &removed["data"]), ((4, "party:comment_removed".to_owned()), &data));
    // Who only may come hears of none of it, and of what comes after
    stage.log(party, "party:updated", party, &json!({})).await;
    assert_eq!(brief(&screens[1].logged().await), (5, "party:updated".to_owned()));

    // To who comes later, what was taken back was never said, nor what is below something hidden
    let replay = async || {
        let mut late = Screen::of(&app, &host).await;
        let (events, _) = late.ask("party:join_live", json!({ "partyId": party, "since": 1 })).await;
        let logged = events.iter().filter(|event| event["seq"].is_number());
        logged.take(3).map(|event| event["event"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let [added, removed] = ["party:comment_added", "party:comment_removed"];
    assert_eq!(replay().await, [removed, added, removed]);
    stage.execute("UPDATE media SET status = 'HIDDEN' WHERE id = $1", &[&media]).await;
    assert_eq!(replay().await, [removed, removed, removed]);
    stop(app).await;
}

#[tokio::test]
async fn a_comment_is_taken_back_by_its_author_and_who_runs_the_party() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let (uploader, author, cohost) = (stage.guest(party).await, stage.user().await, stage.user().await);
    stage.place(party, &author, "attendee", "in", "GOING").await;
    stage.place(party, &cohost, "cohost", "in", "GOING").await;
    let stranger = stage.user().await;
    let (media, other) = (stage.shown(party, &uploader).await, stage.shown(party, &uploader).await);
    let new = async || say(&app, &author, media, "x").await.body["data"]["comment"]["id"].clone();
    let id = new().await;
    for (who, expected) in [
        (None, 404),
        (Some(&stranger), 404),
        (Some(&uploader), 403),
        (Some(&author), 204),
        (Some(&author), 404),
    ] {
        assert_eq!(take_back(&app, who, media, &id).await, expected, "{who:?}");
    }
    for who in [&host, &cohost] {
        let id = new().await;
        assert_eq!(take_back(&app, Some(who), other, &id).await, 404, "it is below another");
        assert_eq!(take_back(&app, Some(who), media, &id).await, 204);
        assert_eq!(take_back(&app, Some(who), media, &id).await, 404);
    }
    // Also after they left; not after they were banned
    for (state, expected) in [("left", 204), ("banned", 404)] {
        stage.place(party, &author, "attendee", "in", "GOING").await;
        let id = new().await;
        stage.place(party, &author, "attendee", state, "GOING").await;
        assert_eq!(take_back(&app, Some(&author), media, &id).await, expected, "{state}");
    }
    assert_eq!(take_back(&app, Some(&host), media, &json!("7")).await, 404);
    let reply = read(&app, Some(&host), media, &format!("/{}", Uuid::now_v7())).await;
    assert_eq!(reply.body["code"], "METHOD_NOT_ALLOWED");
    stop(app).await;
}

#[tokio::test]
async fn there_is_talk_while_the_party_takes_it_below_what_is_shown() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    for (status, ended_days_ago, host_may, guest_may) in [
        ("PLANNED", None, true, false),
        ("LIVE", None, true, true),
        ("ENDED", Some(6.99), true, true),
        ("ENDED", Some(7.01), false, false),
        ("CANCELLED", None, false, false),
    ] {
        let party = stage.party(&host, status, true).await;
        if let Some(days) = ended_days_ago {
            let ended = "UPDATE parties SET ended_at = now() - $2 * interval '1 day' WHERE id = $1";
            stage.execute(ended, &[&party, &days]).await;
        }
        let guest = stage.guest(party).await;
        let media = stage.shown(party, &host).await;
        for (who, may) in [(&host, host_may), (&guest, guest_may)] {
            let said = say(&app, who, media, "hi").await;
            let expected = if may { (201, json!(null)) } else { (409, json!("INVALID_STATUS")) };
            assert_eq!((said.status, said.body["code"].clone()), expected, "{status} {ended_days_ago:?}");
            assert_eq!(read(&app, Some(who), media, "").await.status, 200, "reading stays");
        }
    }
    let party = stage.party(&host, "LIVE", true).await;
    let guest = stage.guest(party).await;
    for (status, by_host, by_guest, reads) in
        [("PROCESSING", 409, 409, 200), ("HIDDEN", 409, 404, 404), ("FAILED", 409, 404, 404)]
    {
        let media = stage.photo(party, &host, status).await;
        assert_eq!(say(&app, &host, media, "x").await.status, by_host, "{status}");
        assert_eq!(say(&app, &guest, media, "x").await.status, by_guest, "{status}");
        assert_eq!(read(&app, Some(&guest), media, "").await.status, reads, "{status}");
        assert_eq!(stage.number(COUNTED, media).await, 0);
    }
    let media = stage.shown(party, &host).await;
    for (body, code) in [
        (json!({}), "REQUIRED"),
        (json!({ "content": " \n" }), "TOO_SHORT"),
        (json!({ "content": "x".repeat(501) }), "TOO_LONG"),
        (json!({ "content": "a\u{0}" }), "INVALID_CHARACTERS"),
        (json!({ "content": 7 }), "INVALID_TYPE"),
    ] {
        let reply = ask(&app, Some(&guest), Method::POST, &path(media), &[], Some(body.clone())).await;
        assert_eq!((reply.status, &reply.body["errors"][0]["code"]), (400, &json!(code)), "{body}");
    }
    assert_eq!(say(&app, &guest, media, &"🎉".repeat(500)).await.status, 201);
    for query in ["?limit=0", "?limit=101", "?cursor=x"] {
        assert_eq!(read(&app, Some(&guest), media, query).await.status, 400, "{query}");
        assert_eq!(read(&app, None, media, query).await.status, 404, "{query}");
    }
    stop(app).await;
}

#[tokio::test]
async fn sixty_comments_at_two_pods_are_counted_and_none_is_skipped_or_comes_twice() {
    let stage = Stage::new().await;
    let redis = fresh_redis().await;
    let pods = [stage.pod_with(&redis, &UNHURRIED).await, stage.pod_with(&redis, &UNHURRIED).await];
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let media = stage.shown(party, &host).await;
    let key = [("idempotency-key", "once")];
    let say_at = async |n: usize| {
        // Each tenth is the same one
        let (headers, content) = if n.is_multiple_of(10) { (&key[..], 0) } else { (&[][..], n) };
        let body = json!({ "content": content.to_string() });
        eventually(DEADLINE, "it is said", async || {
            let reply =
                ask(&pods[n % 2], Some(&host), Method::POST, &path(media), headers, Some(body.clone())).await;
            assert!(matches!(reply.status, 201 | 503), "{reply:?}");
            (reply.status == 201).then_some(reply.body["data"]["comment"]["id"].clone())
        })
        .await
    };
    let said: Vec<_> = stream::iter(0..60).map(say_at).buffer_unordered(60).collect().await;
    assert_eq!((stage.number(ROWS, media).await, stage.number(COUNTED, media).await), (55, 55));
    assert_eq!(stage.events(party).await.last().unwrap().0, 56, "numbers without a gap");

    let (mut seen, mut query) = (Vec::new(), "?limit=7".to_owned());
    loop {
        let page = read(&pods[0], Some(&host), media, &query).await;
        seen.extend(page.body["data"].as_array().unwrap().iter().map(|comment| comment["id"].clone()));
        assert_eq!(say(&pods[1], &host, media, "meanwhile").await.status, 201);
        match page.body["meta"]["nextCursor"].as_str() {
            Some(cursor) => query = format!("?limit=7&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 55);
    assert!(said.iter().all(|id| seen.iter().filter(|other| *other == id).count() == 1));
    // Each is taken back by two at once
    let take = async |n: usize| {
        eventually(DEADLINE, "it is taken back", async || {
            let status = take_back(&pods[n % 2], Some(&host), media, &seen[n / 2]).await;
            assert!(matches!(status, 204 | 404 | 503), "{status}");
            status != 503
        })
        .await;
    };
    stream::iter(0..110).for_each_concurrent(30, take).await;
    let left = stage.number(ROWS, media).await;
    assert_eq!(stage.number(COUNTED, media).await, left, "what was said meanwhile");
    assert_eq!(left, 8);
    for pod in pods {
        stop(pod).await;
    }
}
