//! Makes a photo fit to be shown: clean, upright, small enough for screens; then tells the room.

use std::{sync::Arc, time::Duration};

use party_gallery_actors::worker::{Cancel, Crew, CrewError, Failure};
use serde_json::json;
use uuid::Uuid;

use super::workshop::{away, failure};
use crate::{
    blob::{Role, Store},
    db::{
        Connection, Database, events,
        media::{self, Shown},
        notifications,
    },
    domain::{event::EventKind, limits::PHOTO_BYTES, media::Media, notification::Cause},
    imaging::{self, Developed, Format, Undevelopable},
    service::{
        announce::{Announce, Wake},
        error::Error,
        gallery::key,
        tasks::Task,
    },
};

/// The longest that a picture of the allowed size should take on a slow machine.
const DEVELOPED_WITHIN: Duration = Duration::from_secs(50);

/// Develops photos.
pub(super) struct Develop {
    database: Database,
    store: Store,
    crew: Crew,
    announce: Arc<dyn Announce>,
    wake: Arc<dyn Wake>,
}

/// What the crew has made.
struct Made {
    clean: Vec<u8>,
    developed: Developed,
}

impl Develop {
    pub(super) fn new(
        database: Database,
        store: Store,
        crew: Crew,
        announce: Arc<dyn Announce>,
        wake: Arc<dyn Wake>,
    ) -> Self {
        Self { database, store, crew, announce, wake }
    }

    /// Develops a media that waits for it, and takes the original away of one that does not wait any more: of this one now,
    /// or of one where an earlier attempt did not come that far.
    pub(super) async fn run(&self, id: Uuid, cancel: Cancel) -> Result<(), Failure> {
        // Of one that is gone the files are erased by a job of their own
        let Some(media) = self.find(id).await? else { return Ok(()) };
        if media.is_waiting() {
            self.develop(&media, cancel).await?;
        }
        self.forget_original(&media).await
    }

    /// Gives a media up that waits; who looks at it is told why.
    pub(super) async fn fail(&self, id: Uuid, reason: &str) -> Result<(), Failure> {
        let Some(media) = self.find(id).await? else { return Ok(()) };
        self.refuse(&media, reason).await?;
        self.forget_original(&media).await
    }

    async fn find(&self, id: Uuid) -> Result<Option<Media>, Failure> {
        let found = self.database.run(async |connection: &mut Connection| {
            Ok::<_, Error>(media::find(connection, &[id]).await?.pop())
        });
        found.await.map_err(failure)
    }

    /// Afterwards the media does not wait any more, unless this fails.
    async fn develop(&self, media: &Media, cancel: Cancel) -> Result<(), Failure> {
        let original = key(media.party_id, media.id, Role::Original);
        let Some(object) = self.store.open(&original).await.map_err(|error| away(&error))? else {
            return self.refuse(media, "its file is gone").await;
        };
        let bytes = object.read(PHOTO_BYTES).await.map_err(|error| away(&error))?;
        let Some(format) = format(&media.content_type) else {
            return self.refuse(media, "unsupported").await;
        };
        let work = move || {
            if cancel.is_cancelled() {
                return None;
            }
            Some(make(format, bytes))
        };
        match self.crew.run(work, DEVELOPED_WITHIN).await {
            Ok(Some(Ok(made))) => self.show(media, &made).await,
            Ok(Some(Err(undevelopable))) => self.refuse(media, undevelopable.reason()).await,
            Ok(None) => Err(Failure::Unavailable("nobody waits for it".into())),
            Err(error @ CrewError::Overloaded) => Err(Failure::Unavailable(error.to_string().into())),
            Err(error) => Err(Failure::Retry(error.to_string().into())),
        }
    }

    /// Makes a media FAILED that waits.
    async fn refuse(&self, media: &Media, reason: &str) -> Result<(), Failure> {
        let (party, id) = (media.party_id, media.id);
        let told = self.database.transaction(async |connection: &mut Connection| {
            if !media::fail(connection, id, reason).await? {
                return Ok(None);
            }
            media::count(connection, party, 0, -media.size).await?;
            let facts = json!({ "reason": "FAILED" });
            let seq = events::append(connection, party, EventKind::MediaRemoved, Some(id), &facts).await?;
            Ok::<_, Error>(Some(seq))
        });
        if let Some(seq) = told.await.map_err(failure)? {
            self.announce.announce(party, seq);
        }
        Ok(())
    }

    /// What the original tells, where it was taken and by whom, is kept no longer than it is needed.
    async fn forget_original(&self, media: &Media) -> Result<(), Failure> {
        let original = key(media.party_id, media.id, Role::Original);
        self.store.delete(&original).await.map_err(|error| away(&error))
    }

    /// Stores what was made and makes the media READY, once.
    async fn show(&self, media: &Media, made: &Made) -> Result<(), Failure> {
        let (party, id, developed) = (media.party_id, media.id, &made.developed);
        for (role, bytes) in [
            (Role::File, &made.clean),
            (Role::Preview, &developed.preview.bytes),
            (Role::Thumb, &developed.thumb.bytes),
        ] {
            self.store.put_bytes(&key(party, id, role), bytes).await.map_err(|error| away(&error))?;
        }
        let shown = Shown {
            width: i32::try_from(developed.width).unwrap_or(i32::MAX),
            height: i32::try_from(developed.height).unwrap_or(i32::MAX),
            thumbhash: &developed.thumbhash,
            file_size: i64::try_from(made.clean.len()).unwrap_or(i64::MAX),
            preview_type: developed.preview.content_type(),
            thumb_type: developed.thumb.content_type(),
        };
        let logged = self.database.transaction(async |connection: &mut Connection| {
            if media::show(connection, id, &shown).await? {
                let minute = notifications::minute(connection).await?;
                Task::tell(Cause::NewMedia { party, media: id, minute }).leave(connection).await?;
                // Last, with the event: others wait for the party's row from here on
                media::count(connection, party, 1, 0).await?;
                let seq =
                    events::append(connection, party, EventKind::MediaReady, Some(id), &json!({})).await?;
                media::number(connection, id, seq).await?;
                return Ok(Shows::Now(seq));
            }
            let is_there = !media::find(connection, &[id]).await?.is_empty();
            Ok::<_, Error>(if is_there { Shows::Already } else { Shows::Never })
        });
        match logged.await.map_err(failure)? {
            Shows::Now(seq) => {
                self.announce.announce(party, seq);
                self.wake.wake();
            }
            Shows::Already => {}
            // It was deleted meanwhile, and the job that was left then may have come before these files
            Shows::Never => {
                for role in [Role::File, Role::Preview, Role::Thumb] {
                    self.store.delete(&key(party, id, role)).await.map_err(|error| away(&error))?;
                }
            }
        }
        Ok(())
    }
}

/// Whether a media is shown once its files are there.
enum Shows {
    /// From now on, which the log tells under that number.
    Now(i64),
    /// Somebody else came first.
    Already,
    /// It is gone.
    Never,
}

/// Blocks for as long as it takes.
fn make(format: Format, original: Vec<u8>) -> Result<Made, Undevelopable> {
    let clean = imaging::strip(format, &original)?;
    drop(original);
    let developed = imaging::develop(&clean)?;
    Ok(Made { clean: clean.into_bytes(), developed })
}

fn format(content_type: &str) -> Option<Format> {
    [Format::Jpeg, Format::Png, Format::Gif, Format::WebP]
        .into_iter()
        .find(|format| format.kind().content_type() == content_type)
}
