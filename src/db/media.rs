//! Media: rows, pages, counts.

use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use super::{
    Connection, DatabaseError,
    moment::moment,
    parties::{self, Found},
    person::person,
};
use crate::domain::media::{Files, Media, MediaStatus, MediaType, Mood, Sort, Usage};

/// What is kept of a media that was received.
#[derive(Clone, Debug)]
pub struct Received<'a> {
    /// UUIDv7.
    pub id: Uuid,
    /// Whose gallery it goes to.
    pub party_id: Uuid,
    /// Who brought it.
    pub uploader_id: Uuid,
    /// What sort.
    pub kind: MediaType,
    /// What it feels like.
    pub mood: Option<Mood>,
    /// What stands below it.
    pub caption: Option<&'a str>,
    /// Slugs.
    pub tags: &'a [String],
    /// As sniffed.
    pub content_type: &'a str,
    /// Bytes.
    pub size: i64,
    /// Of the bytes.
    pub sha256: &'a [u8],
}

/// What makes a media READY.
#[derive(Clone, Debug)]
pub struct Shown<'a> {
    /// Pixels, upright.
    pub width: i32,
    /// Pixels, upright.
    pub height: i32,
    /// Base64.
    pub thumbhash: &'a str,
    /// Bytes of the clean file.
    pub file_size: i64,
    /// Media type of the preview.
    pub preview_type: &'a str,
    /// Media type of the thumbnail.
    pub thumb_type: &'a str,
}

/// What was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// Whose gallery it was in.
    pub party_id: Uuid,
    /// What it was then.
    pub status: MediaStatus,
    /// Bytes that it counted for.
    pub size: i64,
}

/// Which media of a party are asked for.
#[derive(Clone, Debug)]
pub struct Selection<'a> {
    /// In this status.
    pub status: MediaStatus,
    /// Only of whom the caller may see in that status; `None`: of everybody.
    pub only_of: Option<Uuid>,
    /// Of this sort.
    pub kind: Option<MediaType>,
    /// With this mood.
    pub mood: Option<Mood>,
    /// Of this person.
    pub uploader_id: Option<Uuid>,
    /// With this tag.
    pub tag: Option<&'a str>,
    /// With a higher number.
    pub since: Option<i64>,
    /// In this order.
    pub sort: Sort,
    /// After the media with this number (and these likes, in the order of likes).
    pub after: Option<(i64, i32)>,
    /// At most so many.
    pub limit: i64,
}

impl Selection<'_> {
    /// Whether all in that status are asked for. A plan for any conditions expects to find next to nothing, and reads all
    /// of a party: what is asked for most has a statement without them.
    fn is_plain(&self) -> bool {
        let Self { only_of, kind, mood, uploader_id, tag, since, .. } = self;
        only_of.is_none()
            && kind.is_none()
            && mood.is_none()
            && uploader_id.is_none()
            && tag.is_none()
            && since.is_none()
    }
}

/// The media with these ids, in no order; those that are gone are left out.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn find(connection: &mut Connection, ids: &[Uuid]) -> Result<Vec<Media>, DatabaseError> {
    const FIND: &str = include_str!("queries/media/find.sql");
    Ok(connection.query(FIND, &[&ids]).await?.iter().filter_map(media).collect())
}

/// A page of a party's media, and the party's number at that moment.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn page(
    connection: &mut Connection,
    party: Uuid,
    selection: &Selection<'_>,
) -> Result<(Vec<Media>, i64), DatabaseError> {
    let read = async |statement, parameters: &[&(dyn ToSql + Sync)]| {
        connection.query(statement, parameters).await.map(|rows| paged(&rows))
    };
    with_statement(party, selection, read).await
}

/// As [`page`], and in the same round trip the party as `viewer` finds it: for what who may see the party may see.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn page_with_party(
    connection: &mut Connection,
    party: Uuid,
    viewer: Option<Uuid>,
    selection: &Selection<'_>,
) -> Result<(Option<Found>, Vec<Media>, i64), DatabaseError> {
    let read = async |statement, parameters: &[&(dyn ToSql + Sync)]| {
        let door: [&(dyn ToSql + Sync); 2] = [&viewer, &party];
        let (found, rows) = connection.query_both((parties::FIND, &door), (statement, parameters)).await?;
        let (media, seq) = paged(&rows);
        Ok((found.first().map(parties::found), media, seq))
    };
    with_statement(party, selection, read).await
}

/// Lets `read` have the statement for a selection, and what is asked of it.
async fn with_statement<T>(
    party: Uuid,
    s: &Selection<'_>,
    read: impl AsyncFnOnce(&'static str, &[&(dyn ToSql + Sync)]) -> T,
) -> T {
    macro_rules! sql {
        ($rest:literal) => {
            concat!(
                include_str!("queries/media/page_columns.sql"),
                include_str!(concat!("queries/media/", $rest, ".sql"))
            )
        };
    }
    let (status, kind, mood) = (s.status.as_str(), s.kind.map(MediaType::as_str), s.mood.map(Mood::as_str));
    let (after, likes) = s.after.unzip();
    let statement = match (s.sort, s.is_plain()) {
        (Sort::Newest, true) => sql!("plain_newest"),
        (Sort::Oldest, true) => sql!("plain_oldest"),
        (Sort::Top, true) => sql!("plain_top"),
        (Sort::Newest, false) => sql!("page_newest"),
        (Sort::Oldest, false) => sql!("page_oldest"),
        (Sort::Top, false) => sql!("page_top"),
    };
    let filters: [&(dyn ToSql + Sync); 6] = [&s.only_of, &kind, &mood, &s.uploader_id, &s.tag, &s.since];
    let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&party, &status];
    if !s.is_plain() {
        parameters.extend(filters);
    }
    parameters.extend([&s.limit as &(dyn ToSql + Sync), &after]);
    if s.sort == Sort::Top {
        parameters.push(&likes);
    }
    read(statement, &parameters).await
}

fn paged(rows: &[Row]) -> (Vec<Media>, i64) {
    let seq = rows.first().map(|row| row.get("party_seq")).unwrap_or_default();
    // A party without media is one row of nulls beside its number
    (rows.iter().filter_map(media).collect(), seq)
}

/// What a person has in a party; their next upload waits until this transaction ends.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn usage(connection: &mut Connection, party: Uuid, person: Uuid) -> Result<Usage, DatabaseError> {
    const TAKE_TURN: &str = include_str!("queries/media/take_turn.sql");
    const USAGE: &str = include_str!("queries/media/usage.sql");
    connection.execute(TAKE_TURN, &[&party, &person]).await?;
    // A statement of its own: one that waits for a lock still sees what was there before it waited
    let row = connection.query_opt(USAGE, &[&party, &person]).await?;
    let usage = row.map(|row| Usage { count: row.get("count"), bytes: row.get("bytes") });
    Ok(usage.unwrap_or(Usage { count: 0, bytes: 0 }))
}

/// Enters what was received, PROCESSING. `false`: the same person has brought the same bytes before.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn insert(connection: &mut Connection, media: &Received<'_>) -> Result<bool, DatabaseError> {
    const INSERT: &str = include_str!("queries/media/insert.sql");
    let inserted = connection
        .execute(
            INSERT,
            &[
                &media.id,
                &media.party_id,
                &media.uploader_id,
                &media.kind.as_str(),
                &media.mood.map(Mood::as_str),
                &media.caption,
                &media.tags,
                &media.content_type,
                &media.size,
                &media.sha256,
            ],
        )
        .await?;
    Ok(inserted > 0)
}

/// The media that the same person has made of the same bytes.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn same(
    connection: &mut Connection,
    party: Uuid,
    uploader: Uuid,
    sha256: &[u8],
) -> Result<Option<Uuid>, DatabaseError> {
    const SAME: &str = include_str!("queries/media/same.sql");
    Ok(connection.query_opt(SAME, &[&party, &uploader, &sha256]).await?.map(|row| row.get("id")))
}

/// Writes down the number of the event that tells of it.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn number(connection: &mut Connection, id: Uuid, seq: i64) -> Result<(), DatabaseError> {
    const NUMBERED: &str = include_str!("queries/media/numbered.sql");
    connection.execute(NUMBERED, &[&id, &seq]).await.map(drop)
}

/// Counts media and bytes of a party up or down; locks its row. Gives the bytes that it has then: who counts at the same
/// time has waited, and none is left out.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn count(
    connection: &mut Connection,
    party: Uuid,
    media: i32,
    bytes: i64,
) -> Result<i64, DatabaseError> {
    const COUNT: &str = include_str!("queries/media/count.sql");
    let row = connection.query_opt(COUNT, &[&party, &media, &bytes]).await?;
    Ok(row.map(|row| row.get("media_bytes")).unwrap_or_default())
}

/// Makes it READY. `false`: it does not wait any more.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn show(connection: &mut Connection, id: Uuid, shown: &Shown<'_>) -> Result<bool, DatabaseError> {
    const READY: &str = include_str!("queries/media/ready.sql");
    let updated = connection
        .execute(
            READY,
            &[
                &id,
                &shown.width,
                &shown.height,
                &shown.thumbhash,
                &shown.file_size,
                &shown.preview_type,
                &shown.thumb_type,
            ],
        )
        .await?;
    Ok(updated > 0)
}

/// Makes it FAILED. `false`: it does not wait any more.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn fail(connection: &mut Connection, id: Uuid, reason: &str) -> Result<bool, DatabaseError> {
    const FAILED: &str = include_str!("queries/media/failed.sql");
    Ok(connection.execute(FAILED, &[&id, &reason]).await? > 0)
}

/// Deletes the row and tells what is left to do.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn delete(connection: &mut Connection, id: Uuid) -> Result<Option<Deleted>, DatabaseError> {
    const DELETE: &str = include_str!("queries/media/delete.sql");
    let row = connection.query_opt(DELETE, &[&id]).await?;
    Ok(row.and_then(|row| {
        Some(Deleted {
            party_id: row.get("party_id"),
            status: MediaStatus::named(row.get("status"))?,
            size: row.get("size"),
        })
    }))
}

/// The media in a row; `None` for a row of nulls, or words of a newer binary.
pub(super) fn media(row: &Row) -> Option<Media> {
    let id = row.get::<_, Option<Uuid>>("id")?;
    let content_type: String = row.get("content_type");
    let files = || {
        let file = content_type.clone();
        Some(Files {
            file,
            preview: row.get::<_, Option<_>>("preview_type")?,
            thumb: row.get::<_, Option<_>>("thumb_type")?,
        })
    };
    Some(Media {
        id,
        party_id: row.get("party_id"),
        kind: MediaType::named(row.get("type"))?,
        status: MediaStatus::named(row.get("status"))?,
        mood: row.get::<_, Option<&str>>("mood").and_then(Mood::named),
        caption: row.get("caption"),
        tags: row.get("tags"),
        width: row.get("width"),
        height: row.get("height"),
        duration_ms: row.get("duration_ms"),
        size: row.get("size"),
        files: files(),
        content_type,
        thumbhash: row.get("thumbhash"),
        version: row.get("version"),
        likes_count: row.get("likes_count"),
        comments_count: row.get("comments_count"),
        views_count: row.get("views_count"),
        uploader: person(row),
        created_at: moment(row, "created_at"),
        seq: row.get("seq"),
        failure: row.get("failure"),
    })
}
