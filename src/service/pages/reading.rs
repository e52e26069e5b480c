//! How a page comes about: from what was kept, from who reads it at this moment, or from the database.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use super::{Asked, Hot, Key, Shown, Source, State};
use crate::{
    db::{Connection, marks, parties},
    domain::{access::Act, caller::Caller, media::MediaStatus},
    service::{
        door::{self, Inside},
        error::Error,
        gallery::{Gallery, GalleryPage, viewer},
    },
    view::Sheet,
};

/// Writes what everybody is shown of a page.
pub trait Print: Fn(&GalleryPage) -> Result<Sheet, serde_json::Error> {}

impl<F: Fn(&GalleryPage) -> Result<Sheet, serde_json::Error>> Print for F {}

impl Gallery {
    /// A page of a party's media, as it is or was less than a second ago; where PostgreSQL cannot be asked, as it was less
    /// than a minute ago, if everybody may see it. `print` writes one that was read.
    ///
    /// # Errors
    ///
    /// As the rights say; [`Error::Unavailable`].
    pub async fn show(&self, caller: Caller, mut asked: Asked, print: impl Print) -> Result<Shown, Error> {
        // What is asked for in other words is the same page
        asked.filter.status = asked.filter.status.filter(|status| *status != MediaStatus::Ready);
        if !asked.is_for_all() {
            let page = self.page(caller, &asked).await?;
            return Ok(Shown { sheet: printed(&page, &print)?, viewers: page.viewers, age: None });
        }
        let key = Key { asked, caller };
        let shown = match self.pages.seek(&key.asked, Instant::now()) {
            Source::Kept(hot) => self.show_again(&key, &hot, &print).await,
            Source::Wait(landing) => {
                landing.wait().await;
                match self.pages.find(&key.asked, Instant::now()) {
                    Some(hot) => self.show_again(&key, &hot, &print).await,
                    None => self.read(&key, &print).await,
                }
            }
            Source::Read(lead) => {
                let shown = self.read(&key, &print).await;
                drop(lead);
                shown
            }
        };
        shown.or_else(|error| self.pages.instead(&key, error, Instant::now()))
    }

    /// What was kept, to whom may see it; read again if the party is not what it was then.
    async fn show_again(&self, key: &Key, hot: &Hot, print: &impl Print) -> Result<Shown, Error> {
        let caller = key.caller;
        let (inside, marks) = match caller.person() {
            // What everybody may see, this one may: nothing has to be asked
            None if hot.is_open() => return Ok(self.again(key, hot, None)),
            None => (self.enter(key).await?, None),
            Some(person) => {
                let party = key.asked.party;
                let (found, marks) = self
                    .database
                    .run(async |connection: &mut Connection| {
                        marks::find_with_party(connection, party, person, &hot.media).await
                    })
                    .await
                    .map_err(Error::from)?;
                (door::judge(found, caller, Act::SeeGallery)?, Some(marks))
            }
        };
        if State::of(&inside.party) != hot.state {
            return self.read(key, print).await;
        }
        let viewers = marks.map(|marks| {
            let of = hot.media.iter().zip(&hot.uploaders);
            let of = of.map(|(id, uploader)| (marks.get(id).copied().unwrap_or_default(), *uploader));
            of.filter_map(|(marks, uploader)| viewer(&inside, caller, uploader, marks)).collect()
        });
        Ok(self.again(key, hot, viewers))
    }

    fn again(&self, key: &Key, hot: &Hot, viewers: Option<Arc<[crate::view::media::MediaViewer]>>) -> Shown {
        self.pages.hits.fetch_add(1, Ordering::Relaxed);
        let shown = Shown { sheet: Arc::clone(&hot.sheet), viewers, age: None };
        self.pages.note(key.clone(), hot, &shown);
        shown
    }

    async fn enter(&self, key: &Key) -> Result<Inside, Error> {
        let (party, caller) = (key.asked.party, key.caller);
        let enter = async |connection: &mut Connection| parties::find(connection, party, caller.id()).await;
        door::judge(self.database.run(enter).await.map_err(Error::from)?, caller, Act::SeeGallery)
    }

    /// From the database; kept for others.
    async fn read(&self, key: &Key, print: &impl Print) -> Result<Shown, Error> {
        self.pages.misses.fetch_add(1, Ordering::Relaxed);
        let read_at = Instant::now();
        let page = self.page(key.caller, &key.asked).await?;
        let sheet = printed(&page, print)?;
        let shown = Shown { sheet: Arc::clone(&sheet), viewers: page.viewers.clone(), age: None };
        let state = State::of(&page.party);
        // What has happened between the look at the party and that at its media may have been that it turned private
        if state.seq == page.seq {
            let media = page.items.iter().map(|seen| seen.media());
            let (media, uploaders) = media.map(|media| (media.id, media.uploader.id)).unzip();
            let hot = Arc::new(Hot { sheet, state, media, uploaders, read_at });
            self.pages.keep(&key.asked, &hot);
            self.pages.note(key.clone(), &hot, &shown);
        }
        Ok(shown)
    }
}

fn printed(page: &GalleryPage, print: &impl Print) -> Result<Arc<Sheet>, Error> {
    print(page).map(Arc::new).map_err(|error| Error::Internal(error.into()))
}
