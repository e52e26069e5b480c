//! The use cases, put together out of the parts that they need, and handed to the edge.

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};

use crate::{http::caller::Tokens, realtime::Authenticator};

/// What the edge's handlers call.
#[derive(Clone)]
pub(super) struct Services {
    tokens: Data<Tokens>,
}

impl Services {
    /// Puts the use cases together.
    pub(super) fn new(authenticator: Arc<dyn Authenticator>) -> Self {
        Self { tokens: Data::new(Tokens(authenticator)) }
    }

    /// Lets handlers find them.
    pub(super) fn register(&self, config: &mut ServiceConfig) {
        config.app_data(self.tokens.clone());
    }
}
