//! The use cases, put together out of the parts that they need, and handed to the edge.

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};

use crate::{
    cache::{Buckets, Redis},
    config::{Config, JwtSecrets},
    db::Database,
    http::{self, cors::Cors},
    service::{accounts::Accounts, rates::Rates, sessions::Sessions, tokens::Tokens},
};

/// What the edge's handlers call.
#[derive(Clone)]
pub(super) struct Services {
    cors: Data<Cors>,
    tokens: Data<http::caller::Tokens>,
    rates: Data<Rates>,
    accounts: Data<Accounts>,
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
}

impl Services {
    /// Puts the use cases together.
    pub(super) fn new(config: &Config, parts: Parts) -> Self {
        let Parts { database, redis, tokens, secrets } = parts;
        let rates = Rates::new(Buckets::new(redis), config.rates.clone());
        let sessions = Sessions::new(Arc::clone(&tokens), &secrets);
        let accounts = Accounts::new(database, sessions, rates.clone());
        let mut origins = config.cors_origins.clone();
        origins.push(config.public_url.origin());
        Self {
            cors: Data::new(Cors::new(origins)),
            tokens: Data::new(http::caller::Tokens(tokens)),
            rates: Data::new(rates),
            accounts: Data::new(accounts),
        }
    }

    /// Lets handlers find them.
    pub(super) fn register(&self, config: &mut ServiceConfig) {
        config
            .app_data(self.cors.clone())
            .app_data(self.tokens.clone())
            .app_data(self.rates.clone())
            .app_data(self.accounts.clone());
    }
}
