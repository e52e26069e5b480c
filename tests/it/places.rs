//! Who may do what with places in a party: every standing, every operation on one's own place and on those of others.

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::support::{
    servers::fresh_redis,
    stage::{Somebody, Stage, ask, stop},
};

/// An operation below a party, and who may do it: on a private party, on a public one. The columns are those of [`cast`]; Y
/// may, 4, 3 and 1 are 404, 403 and 401.
const TABLE: [(Method, &str, &str, &str); 9] = [
    (Method::POST, "/join", "YYYY4444344444", "YYYYYYY33333Y1"),
    (Method::PUT, "/rsvp", "33YY4444344444", "33YYYYY33333Y1"),
    (Method::POST, "/check-in", "YYYY4444Y44444", "YYYY3333Y33331"),
    (Method::POST, "/leave", "3YYY4444Y44444", "3YYY3333Y33331"),
    (Method::PUT, "/cohosts/{}", "Y3334444344444", "Y3333333333331"),
    (Method::DELETE, "/cohosts/{}", "Y3334444344444", "Y3333333333331"),
    (Method::DELETE, "/attendees/{}", "YY334444344444", "YY333333333331"),
    (Method::POST, "/attendees/{}/ban", "YY334444344444", "YY333333333331"),
    (Method::DELETE, "/bans/{}", "YY334444344444", "YY333333333331"),
];

/// What somebody is before each operation: role, state and RSVP.
type Place = (&'static str, &'static str, &'static str);

async fn cast(
    stage: &Stage,
    party: Uuid,
    host: &Somebody,
) -> Vec<(&'static str, Option<Somebody>, Option<Place>)> {
    let mut cast = vec![("host", Some(host.clone()), Some(("host", "in", "GOING")))];
    for (name, place) in [
        ("cohost", ("cohost", "in", "GOING")),
        ("going", ("attendee", "in", "GOING")),
        ("maybe", ("attendee", "in", "MAYBE")),
        ("not going", ("attendee", "in", "NOT_GOING")),
        ("left", ("attendee", "left", "GOING")),
        ("removed", ("attendee", "removed", "GOING")),
        ("banned", ("attendee", "banned", "GOING")),
    ] {
        cast.push((name, Some(stage.user().await), Some(place)));
    }
    let elsewhere = stage.party(host, "LIVE", true).await;
    cast.push(("guest", Some(stage.guest(party).await), Some(("guest", "in", "GOING"))));
    cast.push(("banned guest", Some(stage.guest(party).await), Some(("guest", "banned", "GOING"))));
    cast.push(("guest of another party", Some(stage.guest(elsewhere).await), None));
    cast.push(("unknown display", Some(stage.display()), None));
    cast.push(("stranger", Some(stage.user().await), None));
    cast.push(("nobody", None, None));
    cast
}

#[tokio::test]
async fn who_may_do_what_with_places() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let target = stage.user().await;
    for is_private in [true, false] {
        let party = stage.party(&host, "LIVE", is_private).await;
        // Places are put straight into the table here, past the counter
        stage.execute("UPDATE parties SET attendees_count = 1000 WHERE id = $1", &[&party]).await;
        let cast = cast(&stage, party, &host).await;
        for (method, below, private, public) in &TABLE {
            let expected = if is_private { private } else { public };
            for ((name, caller, place), expected) in cast.iter().zip(expected.chars()) {
                stage.place(party, &target, "attendee", "in", "GOING").await;
                match (caller, place) {
                    (Some(caller), Some((role, state, rsvp))) => {
                        stage.place(party, caller, role, state, rsvp).await;
                    }
                    (Some(caller), None) => {
                        let forget = "DELETE FROM attendances WHERE party_id = $1 AND person_id = $2";
                        stage.execute(forget, &[&party, &caller.id]).await;
                    }
                    (None, _) => {}
                }
                let below = below.replace("{}", &target.id.to_string());
                let path = format!("/api/v1/parties/{party}{below}");
                let body = Some(json!({ "status": "NOT_GOING" }));
                let reply = ask(&app, caller.as_ref(), method.clone(), &path, &[], body).await;
                let got = match reply.status {
                    200 | 201 | 204 => 'Y',
                    404 => '4',
                    403 => '3',
                    401 => '1',
                    other => panic!("{method} {below} by {name}: {other} {:?}", reply.body),
                };
                assert_eq!(got, expected, "{method} {below} by {name}, private: {is_private}: {reply:?}");
            }
        }
    }
    stop(app).await;
}

#[tokio::test]
async fn who_cannot_be_named_is_not_there_and_a_draft_only_for_its_hosts() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let (party, draft) = (stage.party(&host, "LIVE", false).await, stage.party(&host, "DRAFT", false).await);
    let elsewhere = stage.party(&host, "LIVE", true).await;
    let (foreign, user) = (stage.guest(elsewhere).await, stage.user().await);
    let status = async |caller: &Somebody, method: &Method, party: Uuid, below: &str| {
        let path = format!("/api/v1/parties/{party}{below}");
        ask(&app, Some(caller), method.clone(), &path, &[], Some(json!({ "status": "GOING" }))).await.status
    };
    for nobody in [Uuid::now_v7().to_string(), foreign.id.to_string(), "no-id".to_owned()] {
        for (method, below) in [
            (Method::PUT, format!("/cohosts/{nobody}")),
            (Method::DELETE, format!("/attendees/{nobody}")),
            (Method::POST, format!("/attendees/{nobody}/ban")),
        ] {
            assert_eq!(status(&host, &method, party, &below).await, 404, "{method} {below}");
        }
    }
    assert_eq!(status(&host, &Method::DELETE, party, &format!("/attendees/{}", user.id)).await, 404);
    let guest = stage.guest(party).await;
    assert_eq!(
        status(&host, &Method::PUT, party, &format!("/cohosts/{}", guest.id)).await,
        404,
        "no account"
    );
    for (method, below) in [(Method::POST, "/join"), (Method::PUT, "/rsvp"), (Method::POST, "/leave")] {
        assert_eq!(status(&user, &method, draft, below).await, 404, "{below}");
        assert_eq!(status(&user, &method, Uuid::now_v7(), below).await, 404, "{below}");
    }
    stop(app).await;
}
