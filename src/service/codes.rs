//! Access codes: drawn, kept sealed, found by their mark.

use serde_json::json;
use uuid::Uuid;

use super::{
    error::Error,
    seal::{Mark, Seal},
};
use crate::{
    config::JwtSecrets,
    db::{
        Connection, DatabaseError, events,
        parties::{self, KeptCode},
        violated,
    },
    domain::{access_code::AccessCode, event::EventKind, party::Party},
};

/// Draws, shows and finds access codes.
#[derive(Debug)]
pub struct Codes {
    seal: Seal,
    mark: Mark,
}

impl Codes {
    /// Keys come from `secrets`.
    pub fn new(secrets: &JwtSecrets) -> Self {
        Self {
            seal: Seal::new(secrets, "party-gallery access code v1"),
            mark: Mark::new(secrets, "party-gallery access code mark v1"),
        }
    }

    /// A new code for a party, as it is kept.
    ///
    /// # Errors
    ///
    /// The machine has no randomness.
    pub(super) fn draw(&self, party: Uuid) -> Result<KeptCode, Error> {
        let code = AccessCode::draw(&mut rand::rng());
        let sealed = self.seal.seal(party.as_bytes(), code.as_str().as_bytes());
        let sealed = sealed.ok_or_else(|| Error::internal("the machine has no randomness"))?;
        Ok(KeptCode { hmac: self.mark.of(code.as_str().as_bytes()), sealed })
    }

    /// Gives a party that is locked another code: the old one is nobody's any more. Gives the number of the event.
    ///
    /// # Errors
    ///
    /// As [`Codes::draw`] and [`refused`].
    pub(super) async fn rotate(&self, connection: &mut Connection, party: Uuid) -> Result<i64, Error> {
        let code = self.draw(party)?;
        parties::replace_code(connection, party, &code).await.map_err(refused)?;
        Ok(events::append(connection, party, EventKind::PartyUpdated, None, &json!({})).await?)
    }

    /// The party's code, to be shown. `None`: it has none, or one that was sealed by a secret that is gone.
    pub(super) fn of(&self, party: &Party) -> Option<AccessCode> {
        let plain = self.seal.open(party.id.as_bytes(), party.code_sealed.as_ref()?)?;
        AccessCode::read(&String::from_utf8(plain).ok()?.into()).ok()
    }

    /// Whether `code` is the party's.
    pub(super) fn opens(&self, party: &Party, code: &AccessCode) -> bool {
        self.of(party).as_ref() == Some(code)
    }

    /// What to look for, to find the party of that code.
    pub(super) fn marks(&self, code: &AccessCode) -> Vec<Vec<u8>> {
        self.mark.all_of(code.as_str().as_bytes())
    }
}

/// What a refused statement that wrote a party means.
pub(super) fn refused(error: DatabaseError) -> Error {
    match violated(&error) {
        Some("parties_code_hmac_key") => Error::Unavailable {
            reason: "the same access code was drawn twice",
            retry_after: std::time::Duration::from_secs(1),
            source: Some(error.into()),
        },
        Some("parties_host_id_fkey") => Error::Unauthenticated("the account of this token is gone"),
        _ => error.into(),
    }
}
