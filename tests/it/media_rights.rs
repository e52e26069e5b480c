//! The table of rights below a media: every standing, every operation, in a private and a public party.

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::support::{
    house::UNHURRIED,
    servers::fresh_redis,
    stage::{Somebody, Stage, ask, stop},
};

/// What is done, who may in a private party, and who may in a public one. The columns are those of the cast.
/// Y yes, 4 hidden (404), 1 unauthenticated (401), 3 forbidden (403).
const OPERATIONS: [(Method, &str, &str, &str, &str); 13] = [
    // host cohost going maybe not_going left removed banned guest banned_guest foreign_guest display user nobody uploader
    (Method::GET, "", "READY", "YYYY4444Y44444Y", "YYYYYYYYYYYYYYY"),
    (Method::GET, "", "HIDDEN", "YY444444444444Y", "YY444444444444Y"),
    (Method::GET, "/file", "HIDDEN", "444444444444444", "444444444444444"),
    (Method::PUT, "/like", "READY", "YYYY4444Y44444Y", "YYYYYYY3Y333Y1Y"),
    (Method::DELETE, "/like", "READY", "YYYY4444Y44444Y", "YYYYYYY3Y333Y1Y"),
    (Method::PUT, "/favorite", "READY", "YYYY44443444443", "YYYYYYYY3333Y13"),
    (Method::GET, "/comments", "READY", "YYY34444Y44444Y", "YYY33333Y33331Y"),
    (Method::POST, "/comments", "READY", "YYY34444Y44444Y", "YYY33333Y33331Y"),
    (Method::DELETE, "/comments/{comment}", "READY", "YY334444344444Y", "YY333333333331Y"),
    (Method::PATCH, "", "READY", "33334444344444Y", "33333333333331Y"),
    (Method::POST, "/report", "READY", "YYY34444Y444443", "YYY33333Y333313"),
    (Method::POST, "/hide", "READY", "YY3344443444443", "YY3333333333313"),
    (Method::POST, "/unhide", "HIDDEN", "YY4444444444443", "YY4444444444443"),
];

async fn cast(stage: &Stage, party: Uuid, host: &Somebody) -> Vec<(&'static str, Option<Somebody>)> {
    let mut cast = vec![("host", Some(host.clone()))];
    for (name, role, state, rsvp) in [
        ("cohost", "cohost", "in", "GOING"),
        ("going", "attendee", "in", "GOING"),
        ("maybe", "attendee", "in", "MAYBE"),
        ("not_going", "attendee", "in", "NOT_GOING"),
        ("left", "attendee", "left", "GOING"),
        ("removed", "attendee", "removed", "GOING"),
        ("banned", "attendee", "banned", "GOING"),
    ] {
        let user = stage.user().await;
        stage.place(party, &user, role, state, rsvp).await;
        cast.push((name, Some(user)));
    }
    cast.push(("guest", Some(stage.guest(party).await)));
    let banned = stage.guest(party).await;
    stage.place(party, &banned, "guest", "banned", "GOING").await;
    cast.push(("banned guest", Some(banned)));
    let elsewhere = stage.party(host, "LIVE", true).await;
    cast.push(("guest of another party", Some(stage.guest(elsewhere).await)));
    cast.push(("unknown display", Some(stage.display())));
    cast.push(("stranger", Some(stage.user().await)));
    cast.push(("anonymous", None));
    cast
}

#[tokio::test]
async fn who_may_do_what_with_a_photo() {
    let stage = Stage::new().await;
    let app = stage.pod_with(&fresh_redis().await, &UNHURRIED).await;
    let host = stage.user().await;
    for is_private in [true, false] {
        let party = stage.party(&host, "LIVE", is_private).await;
        let uploader = stage.guest(party).await;
        let mut cast = cast(&stage, party, &host).await;
        cast.push(("uploader", Some(uploader.clone())));
        let media = stage.shown(party, &uploader).await;
        for (method, below, status, private, public) in &OPERATIONS {
            let expected = if is_private { private } else { public };
            assert_eq!(expected.len(), cast.len(), "{method} {below}");
            for ((name, by), expected) in cast.iter().zip(expected.chars()) {
                // As it is for each of them: decided, so that no report changes it, and with a comment of its uploader
                let set = "UPDATE media SET status = $2, is_decided = true WHERE id = $1";
                stage.execute(set, &[&media, &status]).await;
                let comment = Uuid::now_v7();
                let insert =
                    "INSERT INTO comments (id, media_id, author_id, content) VALUES ($1, $2, $3, 'x')";
                stage.execute(insert, &[&comment, &media, &uploader.id]).await;
                let below = below.replace("{comment}", &comment.to_string());
                let body = (*method != Method::GET).then(|| json!({ "content": "x" }));
                let path = format!("/api/v1/media/{media}{below}");
                let reply = ask(&app, by.as_ref(), method.clone(), &path, &[], body).await;
                let got = match reply.status {
                    200 | 201 | 204 => 'Y',
                    404 => '4',
                    403 => '3',
                    401 => '1',
                    other => panic!("{method} {below} by {name}: {other} {:?}", reply.body),
                };
                assert_eq!(
                    got, expected,
                    "{method} {below} of a {status} photo by {name}, private: {is_private}"
                );
            }
        }
    }
    stop(app).await;
}
