//! A party of real pictures, made for whoever starts the service to see it: by its own use cases, as a client would.
//!
//! *Invariant:* nothing waits for it, and it may fail without harm. The database alone tells whether there is one, so it
//! is found again whoever started what; until its pictures are in it is PLANNED, so a start that was cut short goes on
//! where it stopped.

mod card;
mod host;
mod pictures;

use std::{
    fmt, io,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use party_gallery_actors::{
    kernel::{Child, Exhausted},
    ticker::{Nudge, Rhythm, Task, TaskError, Ticker},
};
use serde_json::json;
use slog::{Logger, error, warn};
use uuid::Uuid;

pub use self::card::Card;
use self::{host::Host, pictures::Picture};
use crate::{
    config::PublicUrl,
    domain::{
        caller::Caller,
        fields::Fields,
        limits::PARTY_HOURS,
        moment::Moment,
        party::{
            Status, Step,
            filter::{Filter, HostFilter},
        },
    },
    service::{accounts::Accounts, error::Error as Refused, parties::Parties, uploads::Uploads},
    telemetry::Chain,
};

/// The child that makes it.
pub const CHILD: &str = "demo";

/// What the demo party is found again by, among what its host has.
const TAG: &str = "demo";
/// From the making of the party to its planned beginning: the pictures are in before, and then it is started.
const SOON: SignedDuration = SignedDuration::from_mins(5);
/// How long the service may take to be ready, and what it depends on to stay there.
const WITHIN: Duration = Duration::from_secs(180);
/// How soon it is looked again whether the service is ready.
const RHYTHM: Rhythm =
    Rhythm { every: Duration::from_millis(200), deadline: Duration::from_secs(60), jitter: 0.0 };

/// Why there is no demo party.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Who gives it.
    #[error("the host of the demo party, DATA_DIR/demo.env")]
    Host(#[source] io::Error),
    /// What is brought to it.
    #[error("the pictures of the demo party, {}", directory.display())]
    Pictures {
        /// Where they should be.
        directory: PathBuf,
        /// What the machine said.
        source: io::Error,
    },
    /// A use case was refused.
    #[error("the service refused it")]
    Refused(#[from] Refused),
    /// The party is there, and nobody can join it.
    #[error("its access code was sealed by another JWT_SECRET: end the party, or remove DATA_DIR/demo.env")]
    Sealed,
    /// The clock of this machine is beyond all calendars.
    #[error("the machine's clock")]
    Clock(#[from] jiff::Error),
}

impl Error {
    /// Whether it may be well a moment later.
    fn passes(&self) -> bool {
        use Refused::{OutcomeUnknown, TooOften, Unavailable};
        matches!(self, Self::Refused(Unavailable { .. } | OutcomeUnknown(_) | TooOften { .. }))
    }
}

/// Shows the card to whoever started the service.
pub type Show = Box<dyn Fn(&Card) + Send + Sync>;

/// What the demo is made of.
pub struct Demo {
    /// Where its host registers.
    pub accounts: Arc<Accounts>,
    /// Where its party is made.
    pub parties: Arc<Parties>,
    /// Where its pictures go.
    pub uploads: Arc<Uploads>,
    /// Whether the service is ready.
    pub is_ready: Box<dyn Fn() -> bool + Send + Sync>,
    /// Where the service is, for people.
    pub public_url: PublicUrl,
    /// Where the host's login is kept.
    pub data_dir: PathBuf,
    /// A directory of pictures.
    pub pictures: PathBuf,
    /// The machine's time.
    pub clock: fn() -> SystemTime,
    /// Who is told when it is there.
    pub show: Show,
    /// Who is told when it is not.
    pub log: Logger,
}

impl Demo {
    /// The child that makes the party once the service is ready, and then rests.
    pub fn child(self) -> Child<Ticker> {
        let making = Making { demo: self, since: Instant::now(), is_over: Mutex::new(false) };
        Ticker::child(Arc::new(making), RHYTHM, &Nudge::default()).on_exhausted(Exhausted::Degrade)
    }

    /// Finds the party, or makes it and brings the pictures.
    async fn make(&self) -> Result<Card, Error> {
        let host = Host::kept_in(&self.data_dir)?;
        let caller = host.sign_in(&self.accounts).await?;
        let party = match self.find(caller, Status::Live).await? {
            Some(party) => party,
            None => self.begin(caller).await?,
        };
        let seen = self.parties.find(caller, party).await?;
        let (code, link) =
            seen.invitation().and_then(|invitation| invitation.words()).ok_or(Error::Sealed)?;
        Ok(Card {
            url: self.public_url.link(""),
            party,
            code: code.to_owned(),
            link: link.to_owned(),
            host: host.email().to_owned(),
            login: self.data_dir.join(host::FILE),
        })
    }

    async fn find(&self, caller: Caller, status: Status) -> Result<Option<Uuid>, Refused> {
        let filter = Filter {
            host: Some(HostFilter::Me),
            status: Some(status),
            tag: Some(TAG.to_owned()),
            ..Filter::default()
        };
        let (found, _next) = self.parties.list(caller, &filter, None, 1).await?;
        Ok(found.first().map(|found| found.party.id))
    }

    /// Brings the pictures to a PLANNED party and starts it.
    async fn begin(&self, caller: Caller) -> Result<Uuid, Error> {
        let pictures = Picture::all_in(&self.pictures)?;
        let party = match self.find(caller, Status::Planned).await? {
            Some(party) => party,
            None => self.plan(caller).await?,
        };
        for picture in pictures {
            match picture.bring(&self.uploads, caller, party).await {
                Err(error @ Error::Refused(Refused::Unsupported(_) | Refused::TooLarge(_))) => {
                    let path = picture.path().display();
                    warn!(self.log, "Picture was not taken"; "path" => %path, "error" => %Chain(&error));
                }
                brought => brought?,
            }
        }
        self.parties.step(caller, party, Step::Start).await?;
        Ok(party)
    }

    async fn plan(&self, caller: Caller) -> Result<Uuid, Error> {
        let starts_at = Timestamp::try_from((self.clock)())?.checked_add(SOON)?;
        let ends_at = starts_at.checked_add(SignedDuration::from_hours(PARTY_HOURS))?;
        let plan = json!({
            "title": "Demo party",
            "description": "Pictures that anybody may use, so that there is something to see.",
            "startsAt": Moment(starts_at),
            "endsAt": Moment(ends_at),
            "isPrivate": true,
            "tags": [TAG],
        });
        let fields = plan.as_object().cloned().unwrap_or_default();
        self.parties.create(caller, Fields::new(fields), None).await?;
        Ok(self.find(caller, Status::Planned).await?.ok_or(Refused::NotFound)?)
    }
}

impl fmt::Debug for Demo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Demo").field("pictures", &self.pictures).finish_non_exhaustive()
    }
}

/// The making of it, over all lives of its actor.
struct Making {
    demo: Demo,
    since: Instant,
    is_over: Mutex<bool>,
}

impl Making {
    async fn go_on(&self) -> Result<(), TaskError> {
        let Self { demo, since, is_over } = self;
        if *is_over.lock() {
            return Ok(());
        }
        let is_late = since.elapsed() > WITHIN;
        if !(demo.is_ready)() {
            if is_late {
                *is_over.lock() = true;
                error!(demo.log, "No demo party"; "error" => "the service was not ready in time");
            }
            return Ok(());
        }
        match demo.make().await {
            Err(error) if error.passes() && !is_late => return Err(TaskError::Unavailable(error.into())),
            made => {
                // Before it is shown: a terminal that stands still is not shown it twice
                *is_over.lock() = true;
                match made {
                    Ok(card) => (demo.show)(&card),
                    Err(error) => error!(demo.log, "No demo party"; "error" => %Chain(&error)),
                }
            }
        }
        Ok(())
    }
}

impl Task for Making {
    fn name(&self) -> &'static str {
        CHILD
    }

    fn run(&self) -> BoxFuture<'_, Result<(), TaskError>> {
        self.go_on().boxed()
    }
}
