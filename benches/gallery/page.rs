//! A page as the bare handler reads and writes it: the statement of the service, and the shape of the contract.

use std::time::SystemTime;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use party_gallery::domain::moment::Moment;
use serde::Serialize;
use serde_json::json;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::ground;

/// What is asked of PostgreSQL for a page, here and in the service.
pub const SQL: &str = concat!(
    include_str!("../../src/db/queries/media/page_columns.sql"),
    include_str!("../../src/db/queries/media/plain_newest.sql")
);

/// Media on a page.
pub const SHOWN: usize = 50;
/// Media that are read for one: one more tells whether there is a next page.
pub const READ: i64 = 51;

/// The first page of a party.
pub fn first(party: u32) -> String {
    format!("/api/v1/parties/{}/media?limit={SHOWN}", ground::party(party))
}

/// The page of a party that comes after the media with that number.
pub fn after(party: u32, seq: i64) -> String {
    format!("{}&cursor={}", first(party), URL_SAFE_NO_PAD.encode(json!([seq, 0]).to_string()))
}

/// Which party's page is asked for, and after which number.
pub fn asked(path: &str, query: &str) -> (Uuid, Option<i64>) {
    let party = path.split('/').nth(4).unwrap().parse().unwrap();
    let cursor = query.split('&').find_map(|pair| pair.strip_prefix("cursor="));
    let after = cursor.map(|cursor| {
        let key = URL_SAFE_NO_PAD.decode(cursor).unwrap();
        serde_json::from_slice::<(i64, i32)>(&key).unwrap().0
    });
    (party, after)
}

#[derive(Serialize)]
struct Envelope<'a> {
    success: bool,
    data: Vec<Media<'a>>,
    meta: Meta,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    limit: usize,
    next_cursor: Option<String>,
    has_more: bool,
    seq: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Media<'a> {
    id: Uuid,
    party_id: Uuid,
    r#type: &'a str,
    status: &'a str,
    mood: Option<&'a str>,
    caption: Option<&'a str>,
    tags: Vec<&'a str>,
    width: Option<i32>,
    height: Option<i32>,
    duration: Option<f64>,
    size: i64,
    content_type: &'a str,
    thumbhash: Option<&'a str>,
    urls: Urls,
    likes_count: i32,
    comments_count: i32,
    views_count: i32,
    uploader: Uploader<'a>,
    created_at: Moment,
    seq: i64,
}

#[derive(Serialize)]
struct Urls {
    file: String,
    preview: String,
    thumb: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Uploader<'a> {
    id: Uuid,
    username: Option<&'a str>,
    display_name: &'a str,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    avatar_url: Option<String>,
    is_guest: bool,
}

/// The page of these rows.
pub fn write(rows: &[Row]) -> Vec<u8> {
    let shown = rows.get(..SHOWN).unwrap_or(rows);
    let key = |row: &Row| json!([row.get::<_, i64>("seq"), row.get::<_, i32>("likes_count")]).to_string();
    let next_cursor = (rows.len() > SHOWN).then(|| URL_SAFE_NO_PAD.encode(key(&shown[SHOWN - 1])));
    let meta =
        Meta { limit: SHOWN, has_more: next_cursor.is_some(), next_cursor, seq: rows[0].get("party_seq") };
    let data = shown.iter().map(media).collect();
    serde_json::to_vec(&Envelope { success: true, data, meta }).unwrap()
}

fn media(row: &Row) -> Media<'_> {
    let id: Uuid = row.get("id");
    let url = |of| format!("https://party.example/api/v1/media/{id}/{of}");
    let uploader: Uuid = row.get("person_id");
    let avatar = row.get::<_, Option<Uuid>>("avatar_id");
    Media {
        id,
        party_id: row.get("party_id"),
        r#type: row.get("type"),
        status: row.get("status"),
        mood: row.get("mood"),
        caption: row.get("caption"),
        tags: row.get("tags"),
        width: row.get("width"),
        height: row.get("height"),
        duration: row.get::<_, Option<i32>>("duration_ms").map(|ms| f64::from(ms) / 1000.0),
        size: row.get("size"),
        content_type: row.get("content_type"),
        thumbhash: row.get("thumbhash"),
        urls: Urls { file: url("file"), preview: url("preview"), thumb: url("thumb") },
        likes_count: row.get("likes_count"),
        comments_count: row.get("comments_count"),
        views_count: row.get("views_count"),
        uploader: Uploader {
            id: uploader,
            username: row.get("username"),
            display_name: row.get("display_name"),
            first_name: row.get("first_name"),
            last_name: row.get("last_name"),
            avatar_url: avatar
                .map(|face| format!("https://party.example/api/v1/users/{uploader}/avatar/{face}")),
            is_guest: row.get::<_, Option<&str>>("username").is_none(),
        },
        created_at: Moment(Timestamp::try_from(row.get::<_, SystemTime>("created_at")).unwrap()),
        seq: row.get("seq"),
    }
}
