//! What is reported, hidden and shown again.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    app::TestApp,
    gathering::{Party, path_of},
    pictures,
    poll::eventually,
    screen::Screen,
    servers::fresh_redis,
    stage::{Reply, Somebody, Stage, ask, stop},
};

const HIDDEN: &str = "SELECT count(*) FROM media WHERE id = $1 AND status = 'HIDDEN'";

async fn post(app: &TestApp, who: &Somebody, media: Uuid, what: &str, body: Value) -> Reply {
    ask(app, Some(who), Method::POST, &format!("/api/v1/media/{media}/{what}"), &[], Some(body)).await
}

#[tokio::test]
async fn who_runs_the_party_hides_a_photo_from_everybody_else_and_shows_it_again() {
    let party = Party::new(true).await;
    let (app, host, guest) = (&party.app, &party.host, &party.guest);
    let other = party.stage.guest(party.id).await;
    let made = party.upload(Some(guest), pictures::jpeg(64, 64), "a.jpg").await;
    let id = made.body["data"]["media"]["id"].as_str().unwrap().to_owned();
    let before = party.developed(&id).await;
    let link = path_of(&before["urls"]["file"]);
    let (media, path): (Uuid, _) = (id.parse().unwrap(), format!("/api/v1/media/{id}"));
    let mut screen = Screen::of(app, &other).await;
    screen.join(party.id).await;
    let count = async || {
        let shown = party.get(Some(host), &format!("/api/v1/parties/{}", party.id)).await;
        shown.body["data"]["party"]["mediaCount"].as_i64().unwrap()
    };
    assert_eq!((count().await, party.bytes(None, &link, &[]).await.status().as_u16()), (1, 200));

    for _ in 0..2 {
        let hidden = post(app, host, media, "hide", json!({})).await;
        assert_eq!(hidden.status, 200, "{hidden:?}");
        let hidden = &hidden.body["data"]["media"];
        assert_eq!(
            (&hidden["status"], &hidden["urls"], &hidden["seq"]),
            (&json!("HIDDEN"), &json!(null), &before["seq"])
        );
    }
    assert_eq!(count().await, 0);
    for (who, expected) in [(Some(host), 200), (Some(guest), 200), (Some(&other), 404), (None, 404)] {
        assert_eq!(party.get(who, &path).await.status, expected, "{who:?}");
        for rendition in ["file", "preview", "thumb"] {
            let bytes = party.bytes(who, &format!("{path}/{rendition}"), &[]).await;
            assert_eq!(bytes.status(), 404, "nobody gets its bytes: {who:?} {rendition}");
        }
    }
    assert_eq!(party.bytes(None, &link, &[]).await.status(), 404);
    for (who, status, found) in [
        (&other, "READY", 0),
        (&other, "HIDDEN", 0),
        (guest, "HIDDEN", 1),
        (host, "HIDDEN", 1),
        (host, "READY", 0),
    ] {
        let page = party.get(Some(who), &format!("/api/v1/parties/{}/media?status={status}", party.id)).await;
        assert_eq!(page.body["data"].as_array().unwrap().len(), found, "{status}");
    }

    for _ in 0..2 {
        let shown = post(app, host, media, "unhide", json!({})).await;
        assert_eq!(shown.status, 200, "{shown:?}");
        let shown = &shown.body["data"]["media"];
        assert_eq!(
            (&shown["status"], &shown["seq"]),
            (&json!("READY"), &before["seq"]),
            "its number for good"
        );
        let fresh = path_of(&shown["urls"]["file"]);
        assert_eq!(party.bytes(None, &fresh, &[]).await.status(), 200);
        assert_eq!(party.bytes(None, &link, &[]).await.status(), 404, "what was dead stays dead");
    }
    assert_eq!(count().await, 1);
    let removed = screen.logged().await;
    let data = json!({ "partyId": party.id, "mediaId": id, "reason": "HIDDEN" });
    assert_eq!(
        (&removed["seq"], &removed["event"], &removed["data"]),
        (&json!(3), &json!("party:media_removed"), &data)
    );
    let ready = screen.logged().await;
    assert_eq!((&ready["seq"], &ready["event"]), (&json!(4), &json!("party:media_ready")));
    assert_eq!(ready["data"]["media"]["seq"], before["seq"]);
    assert!(ready["data"]["media"]["urls"]["file"].is_string());
    assert_eq!(party.kinds().await.len(), 4, "what changed nothing is not told");

    // Deleted while it is hidden, it was not counted any more
    assert_eq!(post(app, host, media, "hide", json!({})).await.status, 200);
    assert_eq!(ask(app, Some(guest), Method::DELETE, &path, &[], None).await.status, 204);
    assert_eq!(count().await, 0);
    for status in ["PENDING", "PROCESSING", "FAILED"] {
        let media = party.stage.photo(party.id, guest, status).await;
        for what in ["hide", "unhide", "report"] {
            assert_eq!(post(app, host, media, what, json!({})).await.status, 409, "{what} {status}");
        }
    }
    stop(party.app).await;
}

/// Somebody who reports: an account, or a guest from an address, if one is known, who joined so many minutes ago.
#[derive(Clone, Copy, Debug)]
enum Voice {
    Account,
    Guest(Option<u8>, i32),
}

async fn voice(stage: &Stage, party: Uuid, voice: Voice) -> Somebody {
    match voice {
        Voice::Account => {
            let user = stage.user().await;
            stage.place(party, &user, "attendee", "in", "GOING").await;
            user
        }
        Voice::Guest(address, minutes) => {
            let guest = stage.guest(party).await;
            let from = address.map(|address| vec![address]);
            stage
                .execute("UPDATE guests SET joined_from = $2 WHERE person_id = $1", &[&guest.id, &from])
                .await;
            let joined =
                "UPDATE attendances SET joined_at = now() - make_interval(mins => $2) WHERE person_id = $1";
            stage.execute(joined, &[&guest.id, &minutes]).await;
            guest
        }
    }
}

#[tokio::test]
async fn three_accounts_or_guests_from_three_addresses_hide_a_photo() {
    use Voice::{Account, Guest};
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    for (voices, hidden_after) in [
        (vec![Account, Account, Account], Some(3)),
        (vec![Guest(Some(1), 11), Guest(Some(2), 11), Guest(Some(3), 11)], Some(3)),
        (vec![Guest(Some(1), 11), Guest(Some(1), 11), Guest(Some(2), 11), Guest(Some(3), 11)], Some(4)),
        (vec![Guest(Some(1), 9), Guest(Some(2), 11), Guest(Some(3), 11), Guest(Some(4), 11)], Some(4)),
        (
            vec![Guest(None, 11), Guest(None, 11), Guest(None, 11), Guest(Some(1), 11), Guest(Some(2), 11)],
            None,
        ),
        (vec![Account, Account, Guest(Some(1), 11), Guest(Some(2), 11)], None),
        (vec![Guest(Some(1), 11), Account, Guest(Some(2), 11), Account, Account], Some(5)),
    ] {
        let party = stage.party(&host, "LIVE", true).await;
        let uploader = stage.guest(party).await;
        let media = stage.shown(party, &uploader).await;
        for (n, kind) in voices.iter().enumerate() {
            let who = voice(&stage, party, *kind).await;
            // Again is the same report, also where it was the last that was missing
            for _ in 0..2 {
                let reported = post(&app, &who, media, "report", json!({ "reason": "not me" })).await;
                assert_eq!(reported.status, 204, "{voices:?} {n}: {reported:?}");
            }
            let expected = hidden_after.is_some_and(|after| n + 1 >= after);
            assert_eq!(stage.number(HIDDEN, media).await == 1, expected, "{voices:?} after {n}");
        }
        let own = post(&app, &uploader, media, "report", json!({})).await;
        assert_eq!((own.status, own.body["code"].as_str()), (403, Some("FORBIDDEN")), "one's own");
    }
    stop(app).await;
}

#[tokio::test]
async fn a_host_s_decision_is_final_and_who_was_sent_away_has_no_voice() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let mut people = Vec::new();
    for _ in 0..3 {
        people.push(voice(&stage, party, Voice::Account).await);
    }
    for first in ["unhide", "hide"] {
        let media = stage.shown(party, &host).await;
        let cohost = stage.user().await;
        stage.place(party, &cohost, "cohost", "in", "GOING").await;
        assert_eq!(post(&app, &cohost, media, first, json!({})).await.status, 200);
        if first == "hide" {
            assert_eq!(post(&app, &cohost, media, "unhide", json!({})).await.status, 200);
        }
        for who in &people {
            assert_eq!(post(&app, who, media, "report", json!({})).await.status, 204);
        }
        assert_eq!(stage.number(HIDDEN, media).await, 0, "{first}");
    }
    let media = stage.shown(party, &host).await;
    for who in &people[..2] {
        assert_eq!(post(&app, who, media, "report", json!({})).await.status, 204);
    }
    for (state, hidden) in [("banned", 0), ("left", 1)] {
        stage.place(party, &people[0], "attendee", state, "GOING").await;
        let who =
            if state == "banned" { people[2].clone() } else { voice(&stage, party, Voice::Account).await };
        assert_eq!(post(&app, &who, media, "report", json!({})).await.status, 204);
        assert_eq!(stage.number(HIDDEN, media).await, hidden, "{state}");
    }
    for (body, code) in
        [(json!({ "reason": 7 }), "INVALID_TYPE"), (json!({ "reason": "x".repeat(501) }), "TOO_LONG")]
    {
        let media = stage.shown(party, &host).await;
        let bad = post(&app, &people[1], media, "report", body).await;
        assert_eq!((bad.status, &bad.body["errors"][0]["code"]), (400, &json!(code)));
        let long = json!({ "reason": "x".repeat(500) });
        assert_eq!(post(&app, &people[1], media, "report", long).await.status, 204);
        let path = format!("/api/v1/media/{media}/report");
        assert_eq!(ask(&app, Some(&people[2]), Method::POST, &path, &[], None).await.status, 204, "no body");
    }
    stop(app).await;
}

#[tokio::test]
async fn three_reports_at_once_at_two_pods_hide_a_photo_once() {
    let stage = Stage::new().await;
    let redis = fresh_redis().await;
    let pods = [stage.pod(&redis).await, stage.pod(&redis).await];
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let mut people = Vec::new();
    for _ in 0..6 {
        people.push(voice(&stage, party, Voice::Account).await);
    }
    let mut logged = 0;
    for round in 0..5 {
        let media = stage.shown(party, &host).await;
        let reports = people[..3 + round % 4].iter().enumerate().map(async |(n, who)| {
            eventually(DEADLINE, "it is reported", async || {
                let reply = post(&pods[n % 2], who, media, "report", json!({})).await;
                // Who comes after the third finds nothing any more
                assert!(matches!(reply.status, 204 | 404 | 503), "{reply:?}");
                reply.status != 503
            })
            .await;
        });
        join_all(reports).await;
        assert_eq!(stage.number(HIDDEN, media).await, 1, "{round}");
        logged += 2;
        let events = stage.events(party).await;
        assert_eq!(events.len(), logged, "shown and removed: {events:?}");
    }
    let counted = "SELECT media_count::bigint FROM parties WHERE id = $1";
    assert_eq!(stage.number(counted, party).await, 0);
    for pod in pods {
        stop(pod).await;
    }
}
