//! Tags in use, as far as everybody may see where.

use party_gallery::realtime::Kind;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    poll::eventually,
    scene::{Reply, Somebody, Stage, id},
};

fn tags(reply: &Reply) -> Vec<(&str, i64)> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let tags = reply.body["data"].as_array().unwrap();
    tags.iter().map(|used| (used["tag"].as_str().unwrap(), used["count"].as_i64().unwrap())).collect()
}

async fn stage() -> (Stage, Somebody) {
    let stage = Stage::open(&[]).await;
    let host = stage.user("ada").await;
    let mut made: Vec<Value> = Vec::new();
    for more in [
        json!({ "tags": ["Hip Hop", "House"] }),
        json!({ "tags": ["Hip Hop", "Köln"] }),
        json!({ "tags": ["hip hop", "secret"], "isPrivate": true }),
        json!({ "tags": ["draft"], "status": "DRAFT" }),
        json!({ "tags": ["hidden-hits"] }),
        json!({ "tags": ["ended", "house"] }),
        json!({}),
    ] {
        made.push(stage.party(&host, more).await);
    }
    for (party, status, tag) in [
        (&made[0], "READY", "hip-hop"),
        (&made[0], "READY", "hit"),
        (&made[1], "PROCESSING", "hid"),
        (&made[2], "READY", "hide"),
        (&made[5], "HIDDEN", "hip-hop"),
        (&made[6], "READY", "hit"),
    ] {
        let (media, party) = (Uuid::now_v7(), id(&party["id"]));
        stage
            .sql(&format!(
                "INSERT INTO media (id, party_id, uploader_id, type, status, content_type, size, sha256, tags)
                 VALUES ('{media}', '{party}', '{}', 'PHOTO', '{status}', 'image/jpeg', 1, uuid_send('{media}'), '{{{tag}}}')",
                host.id
            ))
            .await;
    }
    stage
        .sql(
            "UPDATE parties SET status = 'CANCELLED' WHERE tags = '{hidden-hits}';
             UPDATE parties SET status = 'ENDED' WHERE 'ended' = ANY (tags)",
        )
        .await;
    (stage, host)
}

#[tokio::test]
async fn tags_are_found_by_how_they_begin() {
    let (stage, host) = stage().await;
    for (query, expected) in [
        ("?q=hi", vec![("hip-hop", 3), ("hit", 2)]),
        ("?q=HI", vec![("hip-hop", 3), ("hit", 2)]),
        ("?q=hip%20h", vec![("hip-hop", 3)]),
        ("?q=k%C3%B6", vec![("köln", 1)]),
        ("?q=secret", vec![]),
        ("?q=dra", vec![]),
        ("?q=op", vec![]),
        ("", vec![("hip-hop", 3), ("hit", 2), ("house", 2), ("ended", 1), ("köln", 1)]),
        ("?q=%20&limit=2", vec![("hip-hop", 3), ("hit", 2)]),
    ] {
        assert_eq!(tags(&stage.get(&format!("/tags{query}"), None).await), expected, "{query}");
    }
    assert_eq!(tags(&stage.get("/tags?q=secret", Some(&host)).await), [], "to nobody");
    let (mut seen, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = stage.get(&format!("/tags{query}"), None).await;
        seen.extend(tags(&page).into_iter().map(|(tag, _)| tag.to_owned()));
        let Some(cursor) = page.body["meta"]["nextCursor"].as_str() else { break };
        query = format!("?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, ["hip-hop", "hit", "house", "ended", "köln"]);
    // The last is a cursor with a text that PostgreSQL cannot hold
    for (query, status) in [
        ("q=!", 400),
        (&format!("q={}", "x".repeat(51)), 400),
        ("limit=0", 400),
        ("cursor=x", 400),
        ("cursor=WzEsIlx1MDAwMCJd", 200),
    ] {
        for path in ["/tags", "/tags/popular"] {
            let status = if path.ends_with("popular") && query.starts_with('q') { 200 } else { status };
            assert_eq!(stage.get(&format!("{path}?{query}"), None).await.status, status, "{path} {query}");
        }
    }
}

#[tokio::test]
async fn what_nobody_may_see_takes_no_place_among_the_newest() {
    let (stage, host) = stage().await;
    let hidden = stage.party(&host, json!({ "isPrivate": true })).await;
    stage
        .sql(&format!(
            "INSERT INTO media (id, party_id, uploader_id, type, status, content_type, size, sha256, tags)
             SELECT gen_random_uuid(), '{}', '{}', 'PHOTO', 'READY', 'image/jpeg', 1, sha256(n::text::bytea), '{{x}}'
             FROM generate_series(1, 10001) n",
            id(&hidden["id"]),
            host.id
        ))
        .await;
    assert_eq!(tags(&stage.get("/tags?q=hit", None).await), [("hit", 2)]);
    assert_eq!(tags(&stage.get("/tags?q=x", None).await), []);
}

#[tokio::test]
async fn popular_are_those_of_public_parties_of_these_days() {
    let (stage, _) = stage().await;
    let popular = async || stage.get("/tags/popular", None).await;
    assert_eq!(tags(&popular().await), [("hip-hop", 2), ("house", 1), ("köln", 1)]);
    stage.sql("UPDATE parties SET created_at = now() - interval '31 days' WHERE 'house' = ANY (tags)").await;
    eventually(DEADLINE, "it is counted again", async || {
        tags(&popular().await) == [("hip-hop", 1), ("köln", 1)]
    })
    .await;
}

#[tokio::test]
async fn everybody_may_look_for_tags() {
    let stage = Stage::open(&[]).await;
    let somebody = |kind| Some(Somebody { id: Uuid::nil(), token: stage.token(kind, Uuid::now_v7()) });
    for (caller, status) in [
        (somebody(Kind::User), 200),
        (somebody(Kind::Guest), 200),
        (somebody(Kind::Display), 200),
        (None, 200),
        (Some(Somebody { id: Uuid::nil(), token: "x".to_owned() }), 401),
    ] {
        for path in ["/tags", "/tags/popular"] {
            assert_eq!(stage.get(path, caller.as_ref()).await.status, status, "{path} {caller:?}");
        }
    }
}
