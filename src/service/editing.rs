//! What its uploader writes beside a media, edited.

use serde_json::json;
use uuid::Uuid;

use super::{
    door,
    error::Error,
    gallery::{Gallery, Seen, admit, load},
};
use crate::{
    db::{Connection, events, held},
    domain::{
        access::{Act, Standing},
        caller::Caller,
        event::EventKind,
        fields::Fields,
        labels::{Edit, Labels},
    },
};

impl Gallery {
    /// Edits caption, mood and tags by `fields`. With `expected`, only while its revision is one of them.
    ///
    /// # Errors
    ///
    /// Its uploader only, also after they left; [`Error::Precondition`], [`Error::Invalid`]; a conflict when the party is
    /// only read.
    pub async fn edit(
        &self,
        caller: Caller,
        id: Uuid,
        fields: Fields,
        expected: Option<&[i32]>,
    ) -> Result<Seen, Error> {
        let (seen, logged) = self
            .database
            .transaction(async |connection: &mut Connection| {
                let media = load(connection, id).await?;
                let is_own = media.is_of(caller.person());
                let act = if is_own { Act::EditOwn } else { Act::SeeGallery };
                let inside = admit(connection, &media, caller, act).await?;
                if !is_own {
                    return Err(door::refused(caller));
                }
                held::lock(connection, id).await?.ok_or(Error::NotFound)?;
                // Again: what was true before the wait need not be after it
                let media = load(connection, id).await?;
                let before = Labels::from(&media);
                if expected.is_some_and(|revisions| !revisions.contains(&before.revision())) {
                    return Err(Error::Precondition);
                }
                let after = Edit::read(fields)?.apply(before.clone());
                inside.is_open()?;
                if after == before {
                    return Ok((self.see_one(connection, media, &inside, caller).await?, None));
                }
                held::edit(connection, id, &after).await?;
                let media = load(connection, id).await?;
                let party = media.party_id;
                // Of what others do not see nothing is told
                let is_told = media.is_visible(Standing::Going, None);
                let seen = self.see_one(connection, media, &inside, caller).await?;
                if !is_told {
                    return Ok((seen, None));
                }
                let seq =
                    events::append(connection, party, EventKind::MediaUpdated, Some(id), &json!({})).await?;
                Ok((seen, Some((party, seq))))
            })
            .await?;
        if let Some((party, seq)) = logged {
            self.announce.announce(party, seq);
        }
        Ok(seen)
    }
}
