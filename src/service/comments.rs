//! What is said below a media: by those who take part, to those who take part.
//!
//! *Invariant:* a comment, the event that tells of it and the media's counter are written together, while the media's
//! row is held; its number is the event's.

use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;

use super::{
    door,
    error::Error,
    gallery::{Gallery, NOT_SHOWN, admit, enter, load},
    once::{Answer, Ticket, once},
    parties::cut,
    seal::Seal,
    tasks::Task,
};
use crate::{
    db::{Connection, DatabaseError, comments, events, held, violated},
    domain::{
        access::Act,
        caller::Caller,
        comment::Comment,
        event::EventKind,
        fields::Fields,
        media::{Media, MediaStatus},
        notification::Cause,
        text::CommentText,
    },
    view::{One, comment::CommentView},
};

/// The use cases of comments.
#[derive(Clone)]
pub struct Comments {
    gallery: Gallery,
    seal: Arc<Seal>,
}

/// A page of the comments of a media.
#[derive(Debug)]
pub struct CommentPage {
    /// The newest first.
    pub items: Vec<Comment>,
    /// The party's number when it was read.
    pub seq: i64,
    /// Before which number the next page begins.
    pub next: Option<i64>,
}

impl Comments {
    /// On the media of that gallery; `seal` keeps what may be answered again.
    pub fn new(gallery: Gallery, seal: Arc<Seal>) -> Self {
        Self { gallery, seal }
    }

    /// At most `limit` comments of a media before number `before`, the newest first.
    ///
    /// # Errors
    ///
    /// As the rights say; [`Error::Unavailable`].
    pub async fn page(
        &self,
        caller: Caller,
        media: Uuid,
        before: Option<i64>,
        limit: i64,
    ) -> Result<CommentPage, Error> {
        self.gallery
            .database
            .run(async |connection: &mut Connection| {
                let (found, seq) = comments::page(connection, media, before, limit + 1).await?;
                // Judged after the number was read: who is put out by an event up to there is not let in with it
                enter(connection, media, caller, Act::ReadChat).await?;
                let (items, next) = cut(found, limit, |comment| comment.seq);
                Ok(CommentPage { items, seq, next })
            })
            .await
    }

    /// Says something below a media: 201 with `{comment}`, once for each `ticket`.
    ///
    /// # Errors
    ///
    /// As the rights say, then what is wrong with the words, then the status of the party and of the media.
    pub async fn add(
        &self,
        caller: Caller,
        media: Uuid,
        words: Fields,
        ticket: Option<&Ticket>,
    ) -> Result<Answer, Error> {
        let mut logged = None;
        let answer = self
            .gallery
            .database
            .transaction(async |connection: &mut Connection| {
                let (media, inside) = enter(connection, media, caller, Act::Contribute).await?;
                let author = caller.person().ok_or(Error::Forbidden("screens do not talk"))?;
                once(connection, &self.seal, ticket, async |connection: &mut Connection| {
                    let content = read(words)?;
                    inside.contributes()?;
                    let comment = insert(connection, &media, author, &content).await?;
                    let facts = json!({ "mediaId": media.id });
                    let kind = EventKind::CommentAdded;
                    let seq =
                        events::append(connection, media.party_id, kind, Some(comment.id), &facts).await?;
                    door::still_contributes(connection, media.party_id, caller).await?;
                    comments::number(connection, comment.id, seq).await?;
                    logged = Some((media.party_id, seq));
                    let location = format!("/api/v1/media/{}/comments/{}", media.id, comment.id);
                    Answer::created(
                        location,
                        &One::Comment(&CommentView::new(&comment, &*self.gallery.links)),
                    )
                })
                .await
            })
            .await?;
        if let Some((party, seq)) = logged {
            self.gallery.announce.announce(party, seq);
            self.gallery.wake.wake();
        }
        Ok(answer)
    }

    /// Takes a comment back: its author, also after they left, and who runs the party.
    ///
    /// # Errors
    ///
    /// As the rights say.
    pub async fn delete(&self, caller: Caller, media: Uuid, id: Uuid) -> Result<(), Error> {
        let (party, seq) = self
            .gallery
            .database
            .transaction(async |connection: &mut Connection| {
                let media = load(connection, media).await?;
                let comment = comments::find(connection, &[id]).await?.pop();
                let comment = comment.filter(|comment| comment.media_id == media.id);
                let comment = comment.ok_or(Error::NotFound)?;
                let is_own = caller.person() == Some(comment.author.id);
                let act = if is_own { Act::EditOwn } else { Act::Steer };
                admit(connection, &media, caller, act).await?;
                held::lock(connection, media.id).await?.ok_or(Error::NotFound)?;
                if !comments::delete(connection, id).await? {
                    return Err(Error::NotFound);
                }
                comments::count(connection, media.id, -1).await?;
                let facts = json!({ "mediaId": media.id });
                let kind = EventKind::CommentRemoved;
                let seq = events::append(connection, media.party_id, kind, Some(id), &facts).await?;
                Ok((media.party_id, seq))
            })
            .await?;
        self.gallery.announce.announce(party, seq);
        Ok(())
    }
}

fn read(mut words: Fields) -> Result<CommentText, Error> {
    let content = words.required("content", CommentText::read);
    Ok(words.finish(content)?)
}

/// Enters a comment on a media that is shown, and leaves behind that who brought it is told; nobody is told of their own.
async fn insert(
    connection: &mut Connection,
    media: &Media,
    author: Uuid,
    content: &CommentText,
) -> Result<Comment, Error> {
    let held = held::lock(connection, media.id).await?.ok_or(Error::NotFound)?;
    if held.status != MediaStatus::Ready {
        return Err(NOT_SHOWN);
    }
    let id = Uuid::now_v7();
    comments::insert(connection, id, media.id, author, content.as_str()).await.map_err(gone)?;
    comments::count(connection, media.id, 1).await?;
    if !media.is_of(Some(author)) {
        Task::tell(Cause::Comment { media: media.id, comment: id, person: author }).leave(connection).await?;
    }
    let comment = comments::find(connection, &[id]).await?.pop();
    comment.ok_or_else(|| Error::internal("a comment was not kept"))
}

/// Who comments may be erased between the look at their token and the row.
fn gone(error: DatabaseError) -> Error {
    match violated(&error) {
        Some("comments_author_id_fkey") => Error::Unauthenticated("the account of this token is gone"),
        _ => error.into(),
    }
}
