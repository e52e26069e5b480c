//! The table of rights, through HTTP: every standing, every operation there is, on each sort of party.

use party_gallery::realtime::Kind;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    gathering::Party,
    scene::{Somebody, Stage, sent},
    secrets,
    stage::{ask, stop},
};

/// Operations on a party, each of which leaves it as it is for those after it.
const OPERATIONS: [(&str, Method, &str); 7] = [
    ("show", Method::GET, ""),
    ("attendees", Method::GET, "/attendees"),
    ("edit", Method::PATCH, ""),
    ("replace", Method::PUT, ""),
    ("publish", Method::POST, "/publish"),
    ("start", Method::POST, "/start"),
    ("end", Method::POST, "/end"),
];

/// Everybody who may come, in the order of the columns below.
pub(crate) struct Cast(pub(crate) Vec<(&'static str, Option<Somebody>)>);

impl Cast {
    pub(crate) async fn of(stage: &Stage, party: &Value, host: &Somebody) -> Self {
        let party = party["id"].as_str().unwrap();
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
            let user = stage.user(&format!("{name}_{}", &party[30..])).await;
            stage
                .sql(&format!(
                    "INSERT INTO attendances (party_id, person_id, role, state, rsvp)
                     VALUES ('{party}', '{}', '{role}', '{state}', '{rsvp}')",
                    user.id
                ))
                .await;
            if role == "cohost" {
                secrets::runs(party.parse().unwrap(), user.id);
            }
            cast.push((name, Some(user)));
        }
        let elsewhere = stage.party(host, json!({ "isPrivate": true })).await;
        let foreign = stage.guest(&elsewhere["accessCode"], "Foreign").await;
        let screen = Somebody { id: foreign.id, token: stage.token(Kind::Display, uuid::Uuid::now_v7()) };
        let guest = Self::guest_of(stage, party, "in").await;
        let banned_guest = Self::guest_of(stage, party, "banned").await;
        cast.push(("guest", Some(guest)));
        cast.push(("banned guest", Some(banned_guest)));
        cast.push(("guest of another party", Some(foreign)));
        cast.push(("unknown display", Some(screen)));
        cast.push(("stranger", Some(stage.user(&format!("stranger_{}", &party[30..])).await)));
        cast.push(("anonymous", None));
        Self(cast)
    }

    async fn guest_of(stage: &Stage, party: &str, state: &str) -> Somebody {
        let id = uuid::Uuid::now_v7();
        stage
            .sql(&format!(
                "INSERT INTO people (id, is_guest, display_name) VALUES ('{id}', true, 'Guest');
                 INSERT INTO guests (person_id, party_id) VALUES ('{id}', '{party}');
                 INSERT INTO attendances (party_id, person_id, role, state)
                 VALUES ('{party}', '{id}', 'guest', '{state}')"
            ))
            .await;
        Somebody { id, token: stage.token(Kind::Guest, id) }
    }
}

async fn outcome(stage: &Stage, path: &str, method: &Method, by: Option<&Somebody>) -> char {
    let mut request = stage.request(method.clone(), path, by);
    if *method != Method::GET {
        request = request.json(&json!({}));
    }
    let reply = sent(request).await;
    match reply.status.as_u16() {
        200 | 409 => 'Y',
        404 => '4',
        403 => '3',
        401 => '1',
        other => panic!("{method} {path}: {other} {}", reply.body),
    }
}

#[tokio::test]
async fn who_may_do_what_in_a_party() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("host").await;
    for (sort, more, reads, steers) in [
        // host cohost going maybe not_going left removed banned guest banned_guest foreign_guest display stranger nobody
        ("private", json!({ "isPrivate": true }), "YYYY4444Y44444", "YY334444344444"),
        ("public", json!({}), "YYYYYYYYYYYYYY", "YY333333333331"),
        ("draft", json!({ "status": "DRAFT" }), "YY444444444444", "YY444444444444"),
        (
            "private draft",
            json!({ "status": "DRAFT", "isPrivate": true }),
            "YY444444444444",
            "YY444444444444",
        ),
    ] {
        let party = stage.party(&host, more).await;
        let Cast(cast) = Cast::of(&stage, &party, &host).await;
        let path = format!("/parties/{}", party["id"].as_str().unwrap());
        for (operation, method, below) in &OPERATIONS {
            let expected = if *method == Method::GET { reads } else { steers };
            for ((name, by), expected) in cast.iter().zip(expected.chars()) {
                // The sort of party is what is asked about: it stays what it is
                if expected == 'Y'
                    && matches!(*operation, "publish" | "start" | "end")
                    && sort.contains("draft")
                {
                    continue;
                }
                let got = outcome(&stage, &format!("{path}{below}"), method, by.as_ref()).await;
                assert_eq!(got, expected, "{operation} of a {sort} party by {name}");
            }
        }
    }
}

#[tokio::test]
async fn who_may_not_change_a_party_does_not_wait_for_who_works_on_it() {
    let party = Party::new(true).await;
    let stranger = party.stage.user().await;
    let path = format!("/api/v1/parties/{}", party.id);
    let refused = async || {
        for (caller, expected) in [(Some(&stranger), 404), (None, 404), (Some(&party.guest), 403)] {
            for (method, below) in [(Method::PATCH, ""), (Method::POST, "/end")] {
                let path = format!("{path}{below}");
                let answer = ask(&party.app, caller, method, &path, &[], Some(json!({}))).await;
                assert_eq!(answer.status, expected, "{path}: {answer:?}");
            }
        }
    };
    party.stage.working_on(party.id, refused).await;
    stop(party.app).await;
}

#[tokio::test]
async fn a_bad_token_is_told_before_anything_else() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("host").await;
    let party = stage.party(&host, json!({ "isPrivate": true })).await;
    let bad = Somebody { id: host.id, token: "x".to_owned() };
    for path in [
        format!("/parties/{}", party["id"].as_str().unwrap()),
        "/parties/no-id".to_owned(),
        "/parties".to_owned(),
    ] {
        assert_eq!(stage.get(&path, Some(&bad)).await.status, 401, "{path}");
    }
}
