//! Events as screens are told them: the view of the moment, and what was removed meanwhile as removed.

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::support::{
    gathering::Party,
    pictures,
    screen::{Screen, brief},
    servers::fresh_redis,
    stage::{Stage, ask, stop},
};

#[tokio::test]
async fn what_was_removed_meanwhile_is_told_as_removed() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let nothing = json!({});
    let gone = Uuid::now_v7();
    let mut expected = Vec::new();
    for (status, ready, reason) in [
        ("PROCESSING", "party:media_ready", None),
        ("FAILED", "party:media_removed", Some("FAILED")),
        ("HIDDEN", "party:media_removed", Some("HIDDEN")),
    ] {
        let media = stage.photo(party, &host, status).await;
        for (kind, told) in [
            ("party:new_media", if reason.is_none() { "party:new_media" } else { ready }),
            ("party:media_ready", ready),
        ] {
            stage.log(party, kind, media, &nothing).await;
            expected.push((told, json!({ "id": media, "reason": reason })));
        }
    }
    stage.log(party, "party:media_ready", gone, &nothing).await;
    expected.push(("party:media_removed", json!({ "id": gone, "reason": "DELETED" })));
    stage.log(party, "party:media_removed", gone, &json!({ "reason": "FAILED" })).await;
    expected.push(("party:media_removed", json!({ "id": gone, "reason": "FAILED" })));
    stage.log(party, "chat:new_message", gone, &nothing).await;
    expected.push(("chat:message_removed", json!({ "id": gone, "reason": null })));
    stage.log(party, "party:attendee_joined", gone, &nothing).await;
    expected.push(("party:attendee_left", json!({ "id": gone, "reason": null })));
    stage.log(party, "party:cake_was_cut", gone, &nothing).await;
    stage.log(party, "party:attendee_joined", host.id, &nothing).await;
    expected.push(("party:attendee_joined", json!({ "id": host.id, "reason": null })));

    let mut screen = Screen::of(&app, &host).await;
    let (events, answer) = screen.ask("party:join_live", json!({ "partyId": party, "since": 0 })).await;
    let told: Vec<_> = events
        .iter()
        .filter(|event| event["seq"].is_number())
        .map(|event| {
            let data = &event["data"];
            let ids = [&data["mediaId"], &data["media"]["id"], &data["messageId"], &data["attendee"]["id"]];
            let id = ids.into_iter().find(|id| !id.is_null()).unwrap();
            (event["event"].as_str().unwrap(), json!({ "id": id, "reason": data["reason"] }))
        })
        .collect();
    assert_eq!(told, expected);
    assert_eq!(answer["data"]["seq"], 12, "what only a newer binary knows is passed over");
    let left = events.iter().find(|event| event["event"] == "party:attendee_left").unwrap();
    assert_eq!(left["data"], json!({ "partyId": party, "attendee": { "id": gone } }));
    let everything = format!("{events:?}");
    for secret in ["accessCode", "joinUrl", "viewer\"", "email"] {
        assert!(!everything.contains(secret), "{secret} in {everything}");
    }
    stop(app).await;
}

#[tokio::test]
async fn a_photo_is_told_when_it_comes_when_it_can_be_seen_and_when_it_goes() {
    let party = Party::new(true).await;
    let mut screen = Screen::of(&party.app, &party.host).await;
    screen.join(party.id).await;
    let taken = party.upload(Some(&party.guest), pictures::jpeg(640, 480), "a.jpg").await;
    assert_eq!(taken.status, 201, "{:?}", taken.body);
    let id = &taken.body["data"]["media"]["id"];

    let new = screen.logged().await;
    assert_eq!((brief(&new), &new["data"]["media"]["id"]), ((1, "party:new_media".to_owned()), id));
    assert_eq!(
        (&new["data"]["media"]["urls"], &new["data"]["media"]["status"]),
        (&json!(null), &json!("PROCESSING"))
    );
    let ready = screen.logged().await;
    let media = &ready["data"]["media"];
    assert_eq!((brief(&ready), &media["id"]), ((2, "party:media_ready".to_owned()), id));
    assert_eq!((&media["status"], &media["seq"]), (&json!("READY"), &json!(2)));
    assert!(media["urls"]["thumb"].is_string() && media["viewer"].is_null(), "{media}");

    let path = format!("/api/v1/media/{}", id.as_str().unwrap());
    let deleted = ask(&party.app, Some(&party.guest), Method::DELETE, &path, &[], None).await;
    assert_eq!(deleted.status, 204);
    let removed = screen.logged().await;
    let data = json!({ "partyId": party.id, "mediaId": id, "reason": "DELETED" });
    assert_eq!((brief(&removed), &removed["data"]), ((3, "party:media_removed".to_owned()), &data));
    let failed = party.upload(Some(&party.guest), truncated(), "b.jpg").await;
    assert_eq!(failed.status, 201, "{:?}", failed.body);
    assert_eq!(screen.logged_up_to(5).await.pop(), Some((5, "party:media_removed".to_owned())));
    stop(party.app).await;
}

/// What shows to be broken only when it is decoded.
fn truncated() -> Vec<u8> {
    let mut photo = pictures::noise(1200, 900);
    photo.truncate(photo.len() * 3 / 4);
    photo
}
