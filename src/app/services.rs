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
        announce::{Announce, Follow, Wake},
        chat::Chat,
        codes::Codes,
        gallery::Gallery,
        joining::Joining,
        links::Links,
        pages::Pages,
        parties::Parties,
        rates::Rates,
        screens::Screens,
        seal::{self, Seal},
        sessions::Sessions,
        tokens::Tokens,
        uploads::Uploads,
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
    pub(super) follow: Arc<dyn Follow>,
    pub(super) wake: Arc<dyn Wake>,
    pub(super) log: &'a Logger,
}

/// What the edge's handlers call.
#[derive(Clone)]
pub(super) struct Services {
    cors: Data<Cors>,
    tokens: Data<http::caller::Tokens>,
    rates: Data<Rates>,
    accounts: Data<Accounts>,
    parties: Data<Parties>,
    joining: Data<Joining>,
    gallery: Data<Gallery>,
    uploads: Data<Uploads>,
    chat: Data<Chat>,
    views: Data<Views>,
    pages: Data<Pages>,
    screens: Screens,
}

const CLOCK: fn() -> SystemTime = wall_clock;

impl Services {
    /// Puts the use cases together.
    pub(super) fn new(parts: Parts<'_>) -> Self {
        let Parts { config, secrets, tokens, database, redis, store, announce, follow, wake, log } = parts;
        let answers = Arc::new(Seal::new(secrets, "party-gallery first answers v1"));
        let codes = Arc::new(Codes::new(secrets));
        let sessions = Sessions::new(Arc::clone(&tokens), secrets);
        let rates =
            Rates::new(Buckets::new(redis.clone(), log.new(o!("part" => "rates"))), config.rates.clone());
        let accounts = Accounts::new(database.clone(), sessions.clone(), rates.clone());
        let parties = Parties::new(
            database.clone(),
            Arc::clone(&codes),
            Arc::clone(&answers),
            Arc::clone(&announce),
            config.public_url.clone(),
        );
        let joining = Joining::new(
            database.clone(),
            codes,
            Arc::clone(&answers),
            sessions,
            rates.clone(),
            Arc::clone(&announce),
        );
        let links = Arc::new(Links::new(secrets, config.public_url.clone(), CLOCK));
        let chat = Chat::new(
            database.clone(),
            Arc::clone(&links),
            Arc::clone(&answers),
            rates.clone(),
            Arc::clone(&announce),
        );
        let screens = Screens::new(
            database.clone(),
            Arc::clone(&links),
            chat.clone(),
            log.new(o!("part" => "screens")),
        );
        let gallery = Gallery::new(database.clone(), store.clone(), links, announce, wake);
        let marks = Marks::new(redis.clone(), views::PREFIX, views::ONCE_IN);
        let views = Views::new(database.clone(), marks, seal::Mark::new(secrets, views::PURPOSE));
        let uploads = Uploads::new(gallery.clone(), quota(&config.quotas), rates.clone(), answers);
        let authenticator: Arc<dyn Authenticator> = tokens;
        let mut origins = config.cors_origins.clone();
        origins.push(config.public_url.origin());
        Self {
            cors: Data::new(Cors::new(origins)),
            tokens: Data::new(http::caller::Tokens(authenticator)),
            rates: Data::new(rates),
            accounts: Data::new(accounts),
            parties: Data::new(parties),
            joining: Data::new(joining),
            gallery: Data::new(gallery),
            uploads: Data::new(uploads),
            chat: Data::new(chat),
            views: Data::new(views),
            pages: Data::new(Pages::new(follow)),
            screens,
        }
    }

    /// Looks at media, to be counted.
    pub(super) fn views(&self) -> Arc<Views> {
        self.views.clone().into_inner()
    }

    /// Gallery pages that were read before.
    pub(super) fn pages(&self) -> Arc<Pages> {
        self.pages.clone().into_inner()
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
            .app_data(self.parties.clone())
            .app_data(self.joining.clone())
            .app_data(self.gallery.clone())
            .app_data(self.uploads.clone())
            .app_data(self.chat.clone())
            .app_data(self.views.clone())
            .app_data(self.pages.clone());
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
