//! Media of a user, as far as the caller may see them.

use std::collections::HashMap;

use uuid::Uuid;

use super::{
    door::{self, Inside},
    error::Error,
    gallery::{Gallery, Seen, marks_of},
    parties::cut,
    users::look,
};
pub use crate::db::user_media::Place;
use crate::{
    db::{media, parties, user_media},
    domain::{access::Act, caller::Caller, media::Media},
};

impl Gallery {
    /// A page of the READY media that a user has brought, the newest first, and where the next one begins.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], also for guests.
    pub async fn uploaded(
        &self,
        caller: Caller,
        of: Uuid,
        after: Option<Place>,
        limit: i64,
    ) -> Result<(Vec<Seen>, Option<Place>), Error> {
        self.database
            .run(async |connection| {
                look(connection, caller, of).await?;
                let viewer = caller.person();
                let found = user_media::uploaded(connection, of, viewer, after, limit + 1).await?;
                let (places, next) = cut(found, limit, |place| *place);
                let ids: Vec<_> = places.iter().map(|(_, id)| *id).collect();
                let mut media: HashMap<Uuid, Media> =
                    media::find(connection, &ids).await?.into_iter().map(|media| (media.id, media)).collect();
                let marks = marks_of(connection, caller, &ids).await?;
                let of: Vec<_> = media.values().map(|media| media.party_id).collect();
                let found = parties::among(connection, &of, viewer).await?;
                let inside = found.into_iter().filter_map(|found| {
                    let inside = door::judge(Some(found), caller, Act::SeeGallery).ok()?;
                    Some((inside.party.id, inside))
                });
                let inside: HashMap<Uuid, Inside> = inside.collect();
                // What was deleted or hidden in between is left out
                let seen = ids.iter().filter_map(|id| {
                    let media = media.remove(id).filter(Media::is_shown)?;
                    let inside = inside.get(&media.party_id)?;
                    Some(self.seen(media, inside, caller, marks.get(id).copied().unwrap_or_default()))
                });
                Ok((seen.collect(), next))
            })
            .await
    }
}
