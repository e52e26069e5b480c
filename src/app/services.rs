//! The use cases, put together out of the parts that they need, and handed to the edge.

use std::{path::PathBuf, sync::Arc, time::SystemTime};

use actix_web::web::{Data, ServiceConfig};
use party_gallery_actors::{database::Database, health::wall_clock};
use slog::{Logger, o};

use crate::{
    blob::Store,
    cache::{Buckets, Marks, Redis},
    config::{Config, JwtSecrets, Quotas},
    demo::{Demo, Show},
    domain::media::Quota,
    http::{self, cors::Cors, probes::Probes},
    realtime::Authenticator,
    service::{
        accounts::Accounts,
        announce::{Announce, Follow, Hints, Reach, Wake},
        attendances::Attendances,
        chat::Chat,
        codes::Codes,
        comments::Comments,
        darkroom::Darkroom,
        devices::Devices,
        displays::Displays,
        favorites::Favorites,
        follows::Follows,
        gallery::Gallery,
        joining::Joining,
        likes::{self, Likes},
        links::Links,
        notifications::Notifications,
        pages::Pages,
        parties::Parties,
        pictures::Pictures,
        presence::Presences,
        rates::Rates,
        recoveries::{self, Kept},
        screens::Screens,
        seal::{Mark, Seal},
        sessions::Sessions,
        tags::Tags,
        tokens::Tokens,
        uploads::Uploads,
        users::Users,
        views::{self, Views},
    },
};

/// What the use cases are made of.
pub(super) struct Parts<'a> {
    pub(super) config: &'a Config,
    pub(super) secrets: &'a JwtSecrets,
    pub(super) tokens: Arc<Tokens>,
    pub(super) database: &'a Database,
    pub(super) redis: &'a Redis,
    pub(super) store: &'a Store,
    pub(super) announce: Arc<dyn Announce>,
    pub(super) reach: Arc<dyn Reach>,
    pub(super) follow: Arc<dyn Follow>,
    pub(super) wake: Arc<dyn Wake>,
    pub(super) darkroom: Arc<dyn Darkroom>,
    pub(super) presences: Arc<Presences>,
    pub(super) log: &'a Logger,
}

/// What the edge's handlers call.
#[derive(Clone)]
pub(super) struct Services {
    cors: Data<Cors>,
    tokens: Data<http::caller::Tokens>,
    rates: Data<Rates>,
    accounts: Data<Accounts>,
    users: Data<Users>,
    follows: Data<Follows>,
    links: Data<Links>,
    parties: Data<Parties>,
    pictures: Data<Pictures>,
    joining: Data<Joining>,
    attendances: Data<Attendances>,
    gallery: Data<Gallery>,
    comments: Data<Comments>,
    uploads: Data<Uploads>,
    chat: Data<Chat>,
    views: Data<Views>,
    likes: Arc<Likes>,
    pages: Arc<Pages>,
    displays: Data<Displays>,
    favorites: Data<Favorites>,
    devices: Data<Devices>,
    notifications: Data<Notifications>,
    tags: Data<Tags>,
    screens: Screens,
}

const CLOCK: fn() -> SystemTime = wall_clock;

impl Services {
    /// Puts the use cases together.
    pub(super) fn new(parts: Parts<'_>) -> Self {
        let Parts {
            config,
            secrets,
            tokens,
            database,
            redis,
            store,
            announce,
            reach,
            follow,
            wake,
            darkroom,
            presences,
            log,
        } = parts;
        let answers = Arc::new(Seal::new(secrets, "party-gallery first answers v1"));
        let codes = Arc::new(Codes::new(secrets));
        let sessions = Sessions::new(Arc::clone(&tokens), secrets);
        let rates =
            Rates::new(Buckets::new(redis.clone(), log.new(o!("part" => "rates"))), config.rates.clone());
        let accounts = Accounts::new(database.clone(), sessions.clone(), rates.clone(), Arc::clone(&reach));
        let links = Arc::new(Links::new(secrets, config.public_url.clone(), CLOCK));
        let parties = Arc::new(Parties::new(
            database.clone(),
            Arc::clone(&codes),
            Arc::clone(&answers),
            Arc::clone(&announce),
            Arc::clone(&wake),
            Arc::clone(&links),
        ));
        let pictures = Pictures::new(Arc::clone(&parties), store.clone(), darkroom, rates.clone());
        let hints = Hints::new(Arc::clone(&announce), Arc::clone(&wake));
        let attendances =
            Attendances::new(database.clone(), Arc::clone(&codes), hints.clone(), Arc::clone(&reach));
        let joining = Joining::new(
            database.clone(),
            codes,
            (Arc::clone(&answers), Mark::new(secrets, "party-gallery guest address v1")),
            sessions,
            rates.clone(),
            hints,
            Arc::clone(&links),
        );
        let chat = Chat::new(
            database.clone(),
            Arc::clone(&links),
            Arc::clone(&answers),
            rates.clone(),
            Arc::clone(&announce),
        );
        let displays = Displays::new(
            database.clone(),
            Arc::clone(&tokens),
            Arc::clone(&answers),
            Arc::clone(&announce),
            Arc::clone(&reach),
        );
        let screens = Screens::new(
            database.clone(),
            Arc::clone(&links),
            chat.clone(),
            presences,
            Kept::new(
                database.clone(),
                Mark::new(secrets, recoveries::PURPOSE),
                log.new(o!("part" => "recoveries")),
            ),
            log.new(o!("part" => "screens")),
        );
        let follows = Follows::new(database.clone(), Arc::clone(&wake));
        let devices = Devices::new(database.clone(), Arc::clone(&answers));
        let turns = Marks::new(redis.clone(), likes::PREFIX, likes::ONCE_IN);
        let likes = Arc::new(Likes::new(database.clone(), turns, reach));
        let pages = Arc::new(Pages::new(follow));
        let gallery = Gallery::new(
            database.clone(),
            store.clone(),
            Arc::clone(&links),
            announce,
            wake,
            (Arc::clone(&likes), Arc::clone(&pages)),
        );
        let comments = Comments::new(gallery.clone(), Arc::clone(&answers));
        let marks = Marks::new(redis.clone(), views::PREFIX, views::ONCE_IN);
        let views = Views::new(database.clone(), marks, Mark::new(secrets, views::PURPOSE));
        let uploads = Uploads::new(gallery.clone(), quota(&config.quotas), rates.clone(), answers);
        let authenticator: Arc<dyn Authenticator> = tokens;
        let mut origins = config.cors_origins.clone();
        origins.push(config.public_url.origin());
        Self {
            cors: Data::new(Cors::new(origins)),
            tokens: Data::new(http::caller::Tokens(authenticator)),
            rates: Data::new(rates),
            accounts: Data::new(accounts),
            users: Data::new(Users::new(database.clone())),
            follows: Data::new(follows),
            links: Data::from(links),
            parties: Data::from(parties),
            pictures: Data::new(pictures),
            joining: Data::new(joining),
            attendances: Data::new(attendances),
            gallery: Data::new(gallery),
            comments: Data::new(comments),
            uploads: Data::new(uploads),
            chat: Data::new(chat),
            views: Data::new(views),
            likes,
            pages,
            displays: Data::new(displays),
            favorites: Data::new(Favorites::new(database.clone())),
            devices: Data::new(devices),
            notifications: Data::new(Notifications::new(database.clone())),
            tags: Data::new(Tags::new(database.clone())),
            screens,
        }
    }

    /// Looks at media, to be counted.
    pub(super) fn views(&self) -> Arc<Views> {
        self.views.clone().into_inner()
    }

    /// What requests take of their limits.
    pub(super) fn rates(&self) -> Rates {
        Rates::clone(&self.rates)
    }

    /// Counts of likes, to be told.
    pub(super) fn likes(&self) -> Arc<Likes> {
        Arc::clone(&self.likes)
    }

    /// Gallery pages that were read before.
    pub(super) fn pages(&self) -> Arc<Pages> {
        Arc::clone(&self.pages)
    }

    /// What sockets are told, and who may hear it.
    pub(super) fn screens(&self) -> Arc<Screens> {
        Arc::new(self.screens.clone())
    }

    /// A demo party by these use cases.
    pub(super) fn demo(
        &self,
        pages: Data<Probes>,
        config: &Config,
        (pictures, show): (PathBuf, Show),
        log: &Logger,
    ) -> Demo {
        Demo {
            accounts: self.accounts.clone().into_inner(),
            parties: self.parties.clone().into_inner(),
            uploads: self.uploads.clone().into_inner(),
            is_ready: Box::new(move || pages.unready().is_empty()),
            public_url: config.public_url.clone(),
            data_dir: config.data_dir.clone(),
            clock: CLOCK,
            pictures,
            show,
            log: log.clone(),
        }
    }

    /// Lets handlers find them.
    pub(super) fn register(&self, table: &mut ServiceConfig) {
        table
            .app_data(self.cors.clone())
            .app_data(self.tokens.clone())
            .app_data(self.rates.clone())
            .app_data(self.accounts.clone())
            .app_data(self.users.clone())
            .app_data(self.follows.clone())
            .app_data(self.links.clone())
            .app_data(self.parties.clone())
            .app_data(self.pictures.clone())
            .app_data(self.joining.clone())
            .app_data(self.attendances.clone())
            .app_data(self.gallery.clone())
            .app_data(self.comments.clone())
            .app_data(self.uploads.clone())
            .app_data(self.chat.clone())
            .app_data(self.views.clone())
            .app_data(self.displays.clone())
            .app_data(self.favorites.clone())
            .app_data(self.devices.clone())
            .app_data(self.notifications.clone())
            .app_data(self.tags.clone());
    }
}

fn quota(quotas: &Quotas) -> Quota {
    let bytes = |bytes| i64::try_from(bytes).unwrap_or(i64::MAX);
    Quota {
        person_media: i64::from(quotas.person_media.get()),
        person_bytes: bytes(quotas.person_bytes),
        party_bytes: bytes(quotas.party_bytes),
    }
}
