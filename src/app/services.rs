//! The use cases, put together out of the parts that they need, and handed to the edge.

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use uuid::Uuid;

use crate::{
    config::{JwtSecrets, PublicUrl},
    db::Database,
    http::caller,
    service::{
        announce::Announce, codes::Codes, joining::Joining, parties::Parties, seal::Seal, sessions::Sessions,
        tokens::Tokens,
    },
};

/// What use cases are made of.
pub(super) struct Parts {
    pub(super) database: Database,
    pub(super) secrets: JwtSecrets,
    pub(super) tokens: Arc<Tokens>,
    pub(super) announce: Arc<dyn Announce>,
    pub(super) public_url: PublicUrl,
}

/// What the edge's handlers call.
#[derive(Clone)]
pub(super) struct Services {
    tokens: Data<caller::Tokens>,
    parties: Data<Parties>,
    joining: Data<Joining>,
}

impl Services {
    /// Puts the use cases together.
    pub(super) fn new(parts: Parts) -> Self {
        let Parts { database, secrets, tokens, announce, public_url } = parts;
        let answers = Arc::new(Seal::new(&secrets, "party-gallery first answer v1"));
        let codes = Arc::new(Codes::new(&secrets));
        let sessions = Sessions::new(Arc::clone(&tokens), &secrets);
        let parties = Parties::new(
            database.clone(),
            Arc::clone(&codes),
            Arc::clone(&answers),
            Arc::clone(&announce),
            public_url,
        );
        let joining = Joining::new(database, codes, answers, sessions, announce);
        Self {
            tokens: Data::new(caller::Tokens(tokens)),
            parties: Data::new(parties),
            joining: Data::new(joining),
        }
    }

    /// Lets handlers find them.
    pub(super) fn register(&self, config: &mut ServiceConfig) {
        config.app_data(self.tokens.clone()).app_data(self.parties.clone()).app_data(self.joining.clone());
    }
}

/// Tells nobody: screens find what is new in the log.
pub(super) struct Silent;

impl Announce for Silent {
    fn announce(&self, _party: Uuid, _seq: i64) {}
}
