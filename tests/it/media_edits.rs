//! Caption, mood and tags of a media, edited by who brought it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    screen::{Screen, brief},
    servers::fresh_redis,
    stage::{Stage, ask, stop},
};

#[tokio::test]
async fn the_words_beside_a_photo_are_edited_by_who_brought_it_and_told() {
    let stage = Stage::new().await;
    let app = stage.pod(&fresh_redis().await).await;
    let (host, guest) = (stage.user().await, stage.user().await);
    let party = stage.party(&host, "LIVE", true).await;
    stage.place(party, &guest, "attendee", "in", "GOING").await;
    let media = stage.shown(party, &guest).await;
    let path = format!("/api/v1/media/{media}");
    let mut screen = Screen::of(&app, &host).await;
    screen.join(party).await;
    let edit = async |headers: &[(&str, &str)], body: Value| {
        ask(&app, Some(&guest), Method::PATCH, &path, headers, Some(body)).await
    };
    let first = ask(&app, Some(&guest), Method::GET, &path, &[], None).await;
    let old = first.headers["etag"].to_str().unwrap().to_owned();

    // A like is no edit: only what can be edited is compared
    assert_eq!(ask(&app, Some(&host), Method::PUT, &format!("{path}/like"), &[], None).await.status, 204);
    let liked = ask(&app, Some(&guest), Method::GET, &path, &[("if-none-match", &old)], None).await;
    assert_eq!(liked.status, 200, "it is another answer all the same");
    let words = json!({ "caption": " The cake ", "mood": "HYPE", "tags": ["Hip Hop", "cake"] });
    let edited = edit(&[("if-match", &old)], words.clone()).await;
    assert_eq!(edited.status, 200, "{edited:?}");
    let found = &edited.body["data"]["media"];
    assert!(found["urls"]["file"].is_string(), "{found}");
    assert_eq!(
        [&found["caption"], &found["mood"], &found["tags"], &found["seq"], &found["likesCount"]],
        [&json!("The cake"), &json!("HYPE"), &json!(["hip-hop", "cake"]), &json!(1), &json!(1)]
    );
    assert_eq!(found["viewer"], json!({ "isLiked": false, "isFavorite": false, "canDelete": true }));
    let new = edited.headers["etag"].to_str().unwrap().to_owned();
    let known = ask(&app, Some(&guest), Method::GET, &path, &[("if-none-match", &new)], None).await;
    assert_eq!(known.status, 304);
    let late = edit(&[("if-match", &old)], json!({ "mood": "WILD" })).await;
    assert_eq!((late.status, late.body["code"].as_str()), (412, Some("PRECONDITION_FAILED")));
    // What changes nothing is told nobody
    assert_eq!(edit(&[("if-match", &new)], words).await.status, 200);
    // Its looks may have been counted meanwhile: of the tag it is the revision that stays
    let (revision, _) = new.split_once('-').unwrap();
    let same = edit(&[("if-match", "*")], json!({})).await;
    assert!(same.headers["etag"].to_str().unwrap().starts_with(revision), "{:?}", same.headers);
    let cleared = edit(&[], json!({ "caption": null, "tags": null })).await;
    let found = &cleared.body["data"]["media"];
    assert_eq!(
        [&found["caption"], &found["mood"], &found["tags"]],
        [&json!(null), &json!("HYPE"), &json!([])]
    );

    let updated = screen.logged().await;
    assert_eq!(brief(&updated), (2, "party:media_updated".to_owned()));
    assert_eq!(
        (&updated["data"]["partyId"], &updated["data"]["media"]["id"]),
        (&json!(party), &json!(media))
    );
    assert!(
        updated["data"]["media"]["urls"]["file"].is_string() && updated["data"]["media"]["viewer"].is_null()
    );
    assert_eq!(brief(&screen.logged().await), (3, "party:media_updated".to_owned()));
    let bad = edit(&[], json!({ "caption": "x".repeat(501), "mood": "hype", "tags": ["?"] })).await;
    let paths: Vec<_> =
        bad.body["errors"].as_array().unwrap().iter().map(|error| error["path"].as_str().unwrap()).collect();
    assert_eq!((bad.status, paths), (400, vec!["caption", "mood", "tags"]));
    assert_eq!(stage.events(party).await.len(), 3);

    // It stays theirs after they left; what nobody sees is edited without a word
    stage.place(party, &guest, "attendee", "left", "GOING").await;
    for body in [json!({ "mood": null }), json!({})] {
        let edited = edit(&[], body).await;
        // They may not see it any more, in a private party
        assert_eq!((edited.status, &edited.body["data"]["media"]["urls"]), (200, &json!(null)), "{edited:?}");
    }
    assert_eq!(stage.events(party).await.len(), 4);
    for status in ["HIDDEN", "FAILED"] {
        stage.execute("UPDATE media SET status = $2 WHERE id = $1", &[&media, &status]).await;
        let edited = edit(&[], json!({ "caption": status })).await;
        assert_eq!((edited.status, &edited.body["data"]["media"]["caption"]), (200, &json!(status)));
    }
    assert_eq!(stage.events(party).await.len(), 4);
    stage.execute("UPDATE parties SET status = 'CANCELLED' WHERE id = $1", &[&party]).await;
    let read_only = edit(&[], json!({ "caption": "late" })).await;
    assert_eq!((read_only.status, read_only.body["code"].as_str()), (409, Some("INVALID_STATUS")));
    stop(app).await;
}
