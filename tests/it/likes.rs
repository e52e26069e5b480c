//! Likes and favourites: set, taken off, counted, listed.

use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    app::TestApp,
    house::UNHURRIED,
    poll::eventually,
    servers::fresh_redis,
    stage::{Reply, Somebody, Stage, ask, stop},
};

const LIKES: &str = "SELECT count(*) FROM media_likes WHERE media_id = $1";
const COUNTED: &str = "SELECT likes_count::bigint FROM media WHERE id = $1";
const TOLD: &str = "SELECT count(*) FROM left_jobs
    WHERE kind = 'notify' AND payload #>> '{cause,type}' = 'LIKE' AND (payload #>> '{cause,media}')::uuid = $1";

async fn tap(app: &TestApp, who: &Somebody, method: Method, media: Uuid, what: &str) -> Reply {
    ask(app, Some(who), method, &format!("/api/v1/media/{media}/{what}"), &[], None).await
}

async fn get(app: &TestApp, who: Option<&Somebody>, path: &str) -> Value {
    let reply = ask(app, who, Method::GET, &format!("/api/v1{path}"), &[], None).await;
    assert_eq!(reply.status, 200, "{path}: {reply:?}");
    reply.body
}

fn ids(page: &Value) -> Vec<Uuid> {
    let items = page["data"].as_array().unwrap().iter();
    items.map(|media| media["id"].as_str().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn a_like_is_counted_once_shown_to_who_likes_and_told_to_who_brought_it() {
    let stage = Stage::new().await;
    stage.keep_jobs().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let (ann, ben) = (stage.guest(party).await, stage.guest(party).await);
    let media = stage.shown(party, &ann).await;
    let other = stage.shown(party, &ann).await;
    let show = async |who: &Somebody| {
        let body = get(&app, Some(who), &format!("/media/{media}")).await;
        let media = &body["data"]["media"];
        (media["likesCount"].as_i64().unwrap(), media["viewer"]["isLiked"].as_bool().unwrap())
    };
    for (who, method, expected) in [
        (&ben, Method::PUT, (1, true)),
        (&ben, Method::PUT, (1, true)),
        (&ann, Method::DELETE, (1, false)),
        (&ann, Method::PUT, (2, true)),
        (&ben, Method::DELETE, (1, false)),
        (&ben, Method::DELETE, (1, false)),
        (&ben, Method::PUT, (2, true)),
        (&host, Method::PUT, (3, true)),
    ] {
        let reply = tap(&app, who, method.clone(), media, "like").await;
        assert_eq!((reply.status, reply.body), (204, json!(null)), "{method}");
        assert_eq!(show(who).await, expected, "{method}");
    }
    // Each time that Ben and the host did, and never that Ann did herself; once ever is up to who tells
    assert_eq!(stage.number(TOLD, media).await, 3);

    let page = get(&app, Some(&ben), &format!("/parties/{party}/media?sort=top")).await;
    assert_eq!(ids(&page), [media, other], "by likes");
    let flags: Vec<_> = page["data"].as_array().unwrap().iter().map(|media| &media["viewer"]).collect();
    let viewer = |is_liked| json!({ "isLiked": is_liked, "isFavorite": false, "canDelete": false });
    assert_eq!(flags, [&viewer(true), &viewer(false)]);
    assert_eq!(stage.events(party).await.len(), 2, "likes take no number");
    stop(app).await;
}

#[tokio::test]
async fn only_what_is_shown_is_marked() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", false).await;
    let guest = stage.guest(party).await;
    for (status, by_host, by_guest) in [
        ("READY", 204, 204),
        ("PENDING", 409, 409),
        ("PROCESSING", 409, 409),
        ("HIDDEN", 409, 404),
        ("FAILED", 409, 404),
    ] {
        let media = stage.photo(party, &host, status).await;
        for (who, expected) in [(&host, by_host), (&guest, by_guest)] {
            let like = tap(&app, who, Method::PUT, media, "like").await;
            assert_eq!(like.status, expected, "{status}: {like:?}");
        }
        let favorite = tap(&app, &host, Method::PUT, media, "favorite").await;
        assert_eq!(favorite.status, by_host, "{status}");
        // To who may not see it, it is not there, whoever they are
        let nobody = ask(&app, None, Method::PUT, &format!("/api/v1/media/{media}/like"), &[], None).await;
        assert_eq!(nobody.status, if by_guest == 404 { 404 } else { 401 }, "{status}");
    }
    let media = stage.shown(party, &host).await;
    assert_eq!(tap(&app, &guest, Method::PUT, media, "like").await.status, 204);
    stage.execute("UPDATE parties SET status = 'CANCELLED' WHERE id = $1", &[&party]).await;
    let late = tap(&app, &host, Method::PUT, media, "like").await;
    assert_eq!((late.status, late.body["code"].as_str()), (409, Some("INVALID_STATUS")), "it is only read");
    assert_eq!(
        tap(&app, &guest, Method::DELETE, media, "like").await.status,
        204,
        "what is theirs, they take back"
    );
    for path in [Uuid::now_v7().to_string(), "7".to_owned()] {
        let path = format!("/api/v1/media/{path}/like");
        assert_eq!(ask(&app, Some(&host), Method::PUT, &path, &[], None).await.status, 404);
    }
    stop(app).await;
}

#[tokio::test]
async fn lists_show_what_is_marked_the_newest_mark_first_as_far_as_it_may_be_seen() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let (host, ann) = (stage.user().await, stage.user().await);
    let private = stage.party(&host, "LIVE", true).await;
    let public = stage.party(&host, "ENDED", false).await;
    stage.place(private, &ann, "attendee", "in", "MAYBE").await;
    let mut marked = Vec::new();
    for n in 0..7 {
        let media = stage.shown(if n % 2 == 0 { private } else { public }, &host).await;
        for what in ["like", "favorite"] {
            assert_eq!(tap(&app, &ann, Method::PUT, media, what).await.status, 204);
        }
        marked.insert(0, media);
    }
    for list in ["/users/me/liked-media", "/users/me/favorite-media"] {
        let (mut seen, mut query) = (Vec::new(), "?limit=3".to_owned());
        loop {
            let page = get(&app, Some(&ann), &format!("{list}{query}")).await;
            for media in page["data"].as_array().unwrap() {
                let viewer = json!({ "isLiked": true, "isFavorite": true, "canDelete": false });
                assert_eq!(media["viewer"], viewer);
                let is_signed = media["urls"]["file"].as_str().unwrap().contains("signature=");
                assert_eq!(is_signed, media["partyId"] == json!(private));
            }
            seen.extend(ids(&page));
            match page["meta"]["nextCursor"].as_str() {
                Some(cursor) => query = format!("?limit=3&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(seen, marked, "{list}");
    }
    // What is hidden is in no list, and what a party holds only as long as one may read it
    stage.execute("UPDATE media SET status = 'HIDDEN' WHERE id = $1", &[&marked[1]]).await;
    let visible = async |who: &Somebody| {
        let page = get(&app, Some(who), "/users/me/favorite-media").await;
        assert_eq!(page["meta"], json!({ "limit": 20, "nextCursor": null, "hasMore": false }));
        ids(&page)
    };
    let of = |wanted: &dyn Fn(usize) -> bool| -> Vec<Uuid> {
        (0..7).filter(|n| wanted(*n)).map(|n| marked[n]).collect()
    };
    assert_eq!(visible(&ann).await, of(&|n| n != 1));
    for (role, state, rsvp, may_read) in [
        ("attendee", "in", "NOT_GOING", false),
        ("cohost", "in", "NOT_GOING", true),
        ("attendee", "left", "GOING", false),
        ("attendee", "removed", "GOING", false),
        ("attendee", "banned", "GOING", false),
        ("attendee", "in", "GOING", true),
    ] {
        stage.place(private, &ann, role, state, rsvp).await;
        let expected = of(&|n| n != 1 && (may_read || n % 2 == 1));
        assert_eq!(visible(&ann).await, expected, "{role} {state} {rsvp}");
    }
    stage.execute("UPDATE parties SET status = 'DRAFT' WHERE id = $1", &[&private]).await;
    assert_eq!(visible(&ann).await, of(&|n| n != 1 && n % 2 == 1), "a draft");

    assert_eq!(tap(&app, &ann, Method::DELETE, marked[3], "favorite").await.status, 204);
    assert_eq!(visible(&ann).await, of(&|n| n == 5));
    assert_eq!(visible(&host).await, [] as [Uuid; 0]);
    let guest = stage.guest(private).await;
    for list in ["liked-media", "favorite-media"] {
        let path = format!("/api/v1/users/me/{list}");
        for (who, expected) in [(None, 401), (Some(&guest), 403), (Some(&stage.display()), 403)] {
            assert_eq!(ask(&app, who, Method::GET, &path, &[], None).await.status, expected, "{who:?}");
        }
        for query in ["?limit=0", "?limit=101", "?cursor=x", "?cursor=WzEsMl0"] {
            let reply = ask(&app, Some(&ann), Method::GET, &format!("{path}{query}"), &[], None).await;
            assert_eq!(
                (reply.status, reply.body["code"].as_str()),
                (400, Some("VALIDATION_ERROR")),
                "{query}"
            );
        }
    }
    stop(app).await;
}

#[tokio::test]
async fn two_hundred_taps_of_a_hundred_people_at_two_pods_are_counted_exactly() {
    let stage = Stage::new().await;
    let redis = fresh_redis().await;
    let pods = [stage.pod_with(&redis, &UNHURRIED).await, stage.pod_with(&redis, &UNHURRIED).await];
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let media = stage.shown(party, &host).await;
    let mut people = Vec::new();
    for _ in 0..100 {
        people.push(stage.guest(party).await);
    }
    // Each does two things at once: a third likes twice, a third likes and takes it back, a third takes back twice
    let tap_at = async |n: usize| {
        let (who, pod) = (&people[n % 100], &pods[n % 3 % 2]);
        let is_first = n < 100;
        let method = match n % 100 % 3 {
            0 => Method::PUT,
            1 if is_first => Method::PUT,
            _ => Method::DELETE,
        };
        // On a crowded machine some are told to come again, or not told what was done: a tap may be repeated
        eventually(DEADLINE, "it is done", async || {
            let reply = tap(pod, who, method.clone(), media, "like").await;
            assert!(matches!(reply.status, 204 | 408 | 503 | 504), "{reply:?}");
            reply.status == 204
        })
        .await;
    };
    stream::iter(0..200).for_each_concurrent(None, tap_at).await;
    let likes = stage.number(LIKES, media).await;
    assert_eq!(stage.number(COUNTED, media).await, likes);
    // Those of the first third, and of the second those whose like came last
    assert!((34..=67).contains(&likes), "{likes}");
    for n in (0..100).step_by(3) {
        let body = get(&pods[0], Some(&people[n]), &format!("/media/{media}")).await;
        assert_eq!(body["data"]["media"]["viewer"]["isLiked"], true);
        assert_eq!(body["data"]["media"]["likesCount"], likes);
    }
    for pod in pods {
        stop(pod).await;
    }
}
