//! How PostgreSQL reads for a gallery and for lists: by indexes alone and no further than a page goes, however its plans are made.

use serde_json::Value;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::support::database::{MIGRATED, connected, fresh};

/// Parties with 400 media each among many without, and enough of everything else for reading it whole to be worth nothing.
const FILL: &str = "
    INSERT INTO people (id, is_guest, username, display_name)
    SELECT md5('person ' || n)::uuid, false, 'user_' || n, 'User' FROM generate_series(1, 30000) n;
    INSERT INTO parties (id, host_id, title, status, starts_at, started_at, is_private, seq)
    SELECT md5('party ' || n)::uuid, md5('person ' || n)::uuid, 'A party', 'LIVE', now(), now(), false, 400
    FROM generate_series(1, 2000) n;
    INSERT INTO attendances (party_id, person_id, role)
    SELECT md5('party ' || p)::uuid, md5('person ' || p + n)::uuid, CASE n WHEN 0 THEN 'host' ELSE 'attendee' END
    FROM generate_series(1, 2000) p, generate_series(0, 4) n;
    INSERT INTO media (id, party_id, uploader_id, type, status, content_type, size, sha256, seq, likes_count, tags)
    SELECT md5(p || ' media ' || n)::uuid, md5('party ' || p)::uuid, md5('person ' || p + n)::uuid, 'PHOTO',
        CASE n % 20 WHEN 0 THEN 'HIDDEN' ELSE 'READY' END, 'image/jpeg', 1, sha256((p || ' ' || n)::bytea), n,
        n * 7 % 30, ARRAY['cake']
    FROM generate_series(1, 400) n, generate_series(1, 50) p;
    INSERT INTO media_likes (media_id, person_id)
    SELECT md5(p || ' media ' || n)::uuid, md5('person ' || p + l)::uuid
    FROM generate_series(1, 50) p, generate_series(1, 400) n, generate_series(1, 2) l;
    INSERT INTO media_favorites SELECT * FROM media_likes;
    INSERT INTO party_favorites (party_id, person_id) SELECT party_id, person_id FROM attendances;
    INSERT INTO displays (id, party_id, created_by)
    SELECT md5('display ' || n)::uuid, md5('party ' || n % 2000 + 1)::uuid, md5('person 1')::uuid
    FROM generate_series(1, 5000) n;
    ANALYZE";

const PARTY: &str = "md5('party 7')::uuid";
const PERSON: &str = "md5('person 9')::uuid";

macro_rules! sql {
    ($($file:literal),+) => { concat!($(include_str!(concat!("../../src/db/queries/", $file, ".sql"))),+) };
}

/// Each statement that a page of a gallery takes, what it may be asked with; pages by the name of the index in whose
/// order they are read.
fn statements() -> Vec<(&'static str, &'static str, Vec<String>)> {
    let plain = |pages: [&str; 2]| pages.map(|after| format!("{PARTY}, 'READY', 51, {after}")).to_vec();
    let some = |after: &str| {
        vec![format!("{PARTY}, 'READY', NULL, 'PHOTO', NULL, {PERSON}, 'cake', 3, 51, {after}")]
    };
    let ids: Vec<_> = (1..=50).map(|n| format!("md5('7 media {n}')::uuid")).collect();
    let ids = format!("ARRAY[{}]", ids.join(", "));
    vec![
        ("media_page", sql!("media/page_columns", "media/plain_newest"), plain(["NULL", "150"])),
        ("media_page", sql!("media/page_columns", "media/plain_oldest"), plain(["NULL", "50"])),
        ("media_top", sql!("media/page_columns", "media/plain_top"), plain(["NULL, NULL", "50, 25"])),
        ("some of the newest", sql!("media/page_columns", "media/page_newest"), some("NULL")),
        ("some of the oldest", sql!("media/page_columns", "media/page_oldest"), some("NULL")),
        ("some of the top", sql!("media/page_columns", "media/page_top"), some("NULL, NULL")),
        (
            "the door",
            sql!("parties/seen", "parties/find"),
            vec![format!("{PERSON}, {PARTY}"), format!("NULL, {PARTY}")],
        ),
        ("the number", sql!("parties/open"), vec![format!("ARRAY[{PARTY}]")]),
        ("marks", sql!("marks/find"), vec![format!("{PERSON}, {ids}")]),
    ]
}

/// More of what is listed, much of it one person's, one party's or one media's.
const FILL_LISTS: &str = "
    INSERT INTO attendances (party_id, person_id, role, joined_at)
    SELECT md5('party 7')::uuid, md5('person ' || n)::uuid, 'attendee', now() - n * interval '1 minute'
    FROM generate_series(100, 4000) n;
    INSERT INTO attendances (party_id, person_id, role, joined_at)
    SELECT md5('party ' || n)::uuid, md5('person 9')::uuid, 'attendee', now() - n * interval '1 minute'
    FROM generate_series(100, 2000) n;
    UPDATE parties SET host_id = md5('person 9')::uuid, starts_at = starts_at + random() * interval '1 day',
        created_at = created_at - random() * interval '1 day'
    WHERE id <> md5('party 7')::uuid AND random() < 0.9;
    UPDATE media SET uploader_id = md5('person 9')::uuid, created_at = created_at - random() * interval '1 day'
    WHERE random() < 0.9;
    INSERT INTO messages (id, party_id, sender_id, type, content, seq)
    SELECT gen_random_uuid(), md5('party ' || p)::uuid, md5('person 9')::uuid, 'TEXT', 'hi', n
    FROM generate_series(1, 20) p, generate_series(1, 500) n;
    INSERT INTO comments (id, media_id, author_id, content, seq)
    SELECT gen_random_uuid(), md5('7 media ' || m)::uuid, md5('person 9')::uuid, 'hi', n
    FROM generate_series(1, 20) m, generate_series(1, 500) n;
    INSERT INTO follows (follower_id, followed_id)
    SELECT md5('person ' || n)::uuid, md5('person ' || k)::uuid FROM generate_series(100, 2000) n, generate_series(8, 12) k;
    INSERT INTO follows (follower_id, followed_id)
    SELECT md5('person ' || k)::uuid, md5('person ' || n)::uuid FROM generate_series(100, 2000) n, generate_series(8, 12) k;
    INSERT INTO notifications (id, person_id, type, cause, created_at)
    SELECT gen_random_uuid(), md5('person ' || k)::uuid, 'SYSTEM', n, now() - n * interval '1 minute'
    FROM generate_series(1, 2000) n, generate_series(8, 12) k;
    INSERT INTO media_likes (media_id, person_id)
    SELECT md5(p || ' media ' || n)::uuid, md5('person ' || k)::uuid
    FROM generate_series(1, 10) p, generate_series(1, 400) n, generate_series(100, 105) k ON CONFLICT DO NOTHING;
    DELETE FROM media_favorites;
    INSERT INTO media_favorites SELECT * FROM media_likes;
    INSERT INTO party_favorites (party_id, person_id)
    SELECT md5('party ' || n)::uuid, md5('person ' || k)::uuid
    FROM generate_series(1, 2000) n, generate_series(100, 105) k ON CONFLICT DO NOTHING;
    ANALYZE";

/// Lists that are read in pages: by which index, up to or from which key of it, and what a later page asks.
fn lists() -> Vec<(&'static str, &'static str, &'static str, String)> {
    let after = "now(), md5('x')::uuid, 51";
    let person = |n: i32| format!("md5('person {n}')::uuid");
    let fan = person(103);
    vec![
        ("messages_page", "seq <", sql!("messages/page"), format!("{PARTY}, 150, 51")),
        ("comments_page", "seq <", sql!("comments/page"), "md5('7 media 3')::uuid, 150, 51".to_owned()),
        ("attendances_page", "joined_at, ", sql!("attendances/page"), format!("{PARTY}, {after}")),
        ("follows_followers", "followed_at, ", sql!("follows/followers"), format!("{PERSON}, {after}")),
        ("follows_following", "followed_at, ", sql!("follows/following"), format!("{PERSON}, {after}")),
        (
            "notifications_page",
            "created_at, ",
            sql!("notifications/shown", "notifications/page"),
            format!("{PERSON}, false, {after}"),
        ),
        (
            "media_likes_page",
            "created_at, ",
            sql!("marks/liked", "marks/page", "parties/visible", "marks/newest"),
            format!("{fan}, {after}"),
        ),
        (
            "media_favorites_page",
            "created_at, ",
            sql!("marks/favorites", "marks/page", "parties/visible", "marks/newest"),
            format!("{fan}, {after}"),
        ),
        (
            "party_favorites_page",
            "created_at, ",
            sql!("parties/seen", "favorites/page"),
            format!("{fan}, {after}"),
        ),
        (
            "media_of_person",
            "created_at, ",
            sql!("user_media/uploaded_of", "parties/visible", "user_media/uploaded"),
            format!("{fan}, {PERSON}, {after}"),
        ),
        (
            "parties_hosted",
            "created_at, ",
            sql!("parties/seen", "parties/visible", "user_parties/hosted"),
            format!("{fan}, {PERSON}, {after}"),
        ),
        (
            "attendances_came",
            "joined_at, ",
            sql!("user_parties/attending_of", "parties/seen", "parties/visible", "user_parties/attending"),
            format!("{fan}, {PERSON}, {after}"),
        ),
        (
            "parties_public",
            "starts_at, ",
            sql!("parties/seen", "parties/public", "parties/list"),
            format!("{fan}, NULL, NULL, NULL, false, false, NULL, NULL, NULL, NULL, false, {after}"),
        ),
    ]
}

/// What is asked of an index, wherever it is read.
fn conditions(plan: &Value, index: &str, found: &mut Vec<String>) {
    match plan {
        Value::Array(parts) => parts.iter().for_each(|part| conditions(part, index, found)),
        Value::Object(node) => {
            if node.get("Index Name").and_then(Value::as_str) == Some(index) {
                found.push(node.get("Index Cond").and_then(Value::as_str).unwrap_or_default().to_owned());
            }
            node.values().for_each(|part| conditions(part, index, found));
        }
        _ => {}
    }
}

#[tokio::test]
async fn a_page_of_a_list_is_read_from_where_the_one_before_it_ended() {
    connected(&fresh(&MIGRATED).await, async |client| {
        client.batch_execute(FILL).await.unwrap();
        client.batch_execute(FILL_LISTS).await.unwrap();
        for mode in ["force_custom_plan", "force_generic_plan"] {
            client.batch_execute(&format!("SET plan_cache_mode = {mode}")).await.unwrap();
            for (index, key, sql, call) in lists() {
                client.batch_execute(&format!("DEALLOCATE ALL; PREPARE asked AS {sql}")).await.unwrap();
                let plan = plan(client, &format!("EXECUTE asked({call})")).await;
                let mut found = Vec::new();
                conditions(&plan, index, &mut found);
                let is_ranged = found.iter().any(|condition| condition.contains(key));
                assert!(is_ranged, "{mode} {index} {found:?}: {plan:#}");
            }
        }
    })
    .await;
}

async fn plan(client: &Client, statement: &str) -> Value {
    let explained = client.simple_query(&format!("EXPLAIN (FORMAT JSON) {statement}")).await.unwrap();
    let text = explained.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    serde_json::from_str(text.unwrap()).unwrap()
}

/// How each table in a plan is read.
fn scans(plan: &Value, found: &mut Vec<String>) {
    match plan {
        Value::Array(parts) => parts.iter().for_each(|part| scans(part, found)),
        Value::Object(node) => {
            if let Some(table) = node.get("Relation Name").and_then(Value::as_str) {
                let how = node["Node Type"].as_str().unwrap();
                let index = node.get("Index Name").and_then(Value::as_str).unwrap_or_default();
                found.push(format!("{table}: {how} {index}"));
            }
            node.values().for_each(|part| scans(part, found));
        }
        _ => {}
    }
}

#[tokio::test]
async fn every_statement_of_a_gallery_reads_by_indexes_alone() {
    connected(&fresh(&MIGRATED).await, async |client| {
        client.batch_execute(FILL).await.unwrap();
        for mode in ["force_custom_plan", "force_generic_plan"] {
            client.batch_execute(&format!("SET plan_cache_mode = {mode}")).await.unwrap();
            for (name, sql, calls) in statements() {
                client.batch_execute(&format!("DEALLOCATE ALL; PREPARE asked AS {sql}")).await.unwrap();
                for call in calls {
                    let plan = plan(client, &format!("EXECUTE asked({call})")).await;
                    let mut found = Vec::new();
                    scans(&plan, &mut found);
                    assert!(!found.is_empty(), "{plan:#}");
                    // What is left of a party by a few conditions may also be found by a map of the pages that hold it
                    let by_index = ["Index Scan", "Index Only Scan", "Bitmap Heap Scan"];
                    let other = found.iter().find(|scan| !by_index.iter().any(|how| scan.contains(how)));
                    assert_eq!(other, None, "{mode} {name} ({call}): {plan:#}");
                    // In its order, and no further than it goes
                    let is_in_order = found.contains(&format!("media: Index Scan {name}"));
                    assert!(!name.starts_with("media") || is_in_order, "{mode} {name} ({call}): {plan:#}");
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_scan_of_a_whole_table_would_be_noticed() {
    connected(&fresh(&MIGRATED).await, async |client| {
        let mut found = Vec::new();
        scans(&plan(client, "SELECT * FROM media ORDER BY caption").await, &mut found);
        assert_eq!(found, ["media: Seq Scan "]);
    })
    .await;
}
