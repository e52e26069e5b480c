//! The use cases, put together out of the parts that they need, and handed to the edge.

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use uuid::Uuid;

use crate::{
    cache::{Buckets, Redis},
    config::{Config, JwtSecrets},
    db::Database,
    http,
    service::{
        accounts::Accounts, announce::Announce, codes::Codes, joining::Joining, parties::Parties,
        rates::Rates, seal::Seal, sessions::Sessions, tokens::Tokens,
    },
};

/// What the edge's handlers call.
#[derive(Clone)]
pub(super) struct Services {
    tokens: Data<http::caller::Tokens>,
    rates: Data<Rates>,
    accounts: Data<Accounts>,
    parties: Data<Parties>,
    joining: Data<Joining>,
}

/// What the use cases need.
pub(super) struct Parts {
    /// The way to PostgreSQL.
    pub(super) database: Database,
    /// The way to Redis.
    pub(super) redis: Redis,
    /// Who signs and knows access tokens.
    pub(super) tokens: Arc<Tokens>,
    /// What keys are derived from.
    pub(super) secrets: JwtSecrets,
    /// Who tells the screens.
    pub(super) announce: Arc<dyn Announce>,
}

impl Services {
    /// Puts the use cases together.
    pub(super) fn new(config: &Config, parts: Parts) -> Self {
        let Parts { database, redis, tokens, secrets, announce } = parts;
        let rates = Rates::new(Buckets::new(redis), config.rates.clone());
        let sessions = Sessions::new(Arc::clone(&tokens), &secrets);
        let accounts = Accounts::new(database.clone(), sessions.clone(), rates.clone());
        let answers = Arc::new(Seal::new(&secrets, "party-gallery first answer v1"));
        let codes = Arc::new(Codes::new(&secrets));
        let parties = Parties::new(
            database.clone(),
            Arc::clone(&codes),
            Arc::clone(&answers),
            Arc::clone(&announce),
            config.public_url.clone(),
        );
        let joining = Joining::new(database, codes, answers, sessions, rates.clone(), announce);
        Self {
            tokens: Data::new(http::caller::Tokens(tokens)),
            rates: Data::new(rates),
            accounts: Data::new(accounts),
            parties: Data::new(parties),
            joining: Data::new(joining),
        }
    }

    /// Lets handlers find them.
    pub(super) fn register(&self, config: &mut ServiceConfig) {
        config
            .app_data(self.tokens.clone())
            .app_data(self.rates.clone())
            .app_data(self.accounts.clone())
            .app_data(self.parties.clone())
            .app_data(self.joining.clone());
    }
}

/// Tells nobody: screens find what is new in the log.
pub(super) struct Silent;

impl Announce for Silent {
    fn announce(&self, _party: Uuid, _seq: i64) {}
}
