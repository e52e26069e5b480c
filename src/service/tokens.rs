//! Access tokens: who may speak for whom, and until when.
//!
//! *Invariant:* the algorithm is pinned; the key is derived for this purpose alone; a token of one kind is none of
//! another, since their audiences differ.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::key;
use crate::{
    config::{JwtSecrets, Secret},
    realtime::{AuthError, Authenticator, Kind, Principal},
};

/// How long an access token is good.
pub const ACCESS_TOKEN: Duration = Duration::from_secs(15 * 60);

/// What the key is derived for.
const PURPOSE: &str = "party-gallery access token v1";
const TYPE: &str = "access";

/// Signs and verifies access tokens.
pub struct Tokens {
    signing: EncodingKey,
    verifying: Vec<DecodingKey>,
    clock: fn() -> SystemTime,
}

#[derive(Deserialize, Serialize)]
struct Claims {
    aud: String,
    typ: String,
    sub: Uuid,
    /// The sign-in that it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<Uuid>,
    iat: u64,
    exp: u64,
}

/// A token could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the token cannot be signed")]
pub struct SignError(#[from] jsonwebtoken::errors::Error);

impl Tokens {
    /// The first of `secrets` signs, all verify; `clock` tells what has expired.
    pub fn new(secrets: &JwtSecrets, clock: fn() -> SystemTime) -> Self {
        Self {
            signing: EncodingKey::from_secret(&key::derive(secrets.signing(), PURPOSE)),
            verifying: secrets
                .verifying()
                .map(|secret| DecodingKey::from_secret(&key::derive(secret, PURPOSE)))
                .collect(),
            clock,
        }
    }

    /// A token for that caller, good for `valid_for` from now, that comes from no sign-in.
    ///
    /// # Errors
    ///
    /// The signature could not be made.
    pub fn issue(&self, kind: Kind, id: Uuid, valid_for: Duration) -> Result<Secret<String>, SignError> {
        self.sign(kind, id, None, valid_for)
    }

    /// As [`Tokens::issue`], from `sign_in`: with that it ends.
    ///
    /// # Errors
    ///
    /// The signature could not be made.
    pub fn issue_from(
        &self,
        sign_in: Uuid,
        (kind, id): (Kind, Uuid),
        valid_for: Duration,
    ) -> Result<Secret<String>, SignError> {
        self.sign(kind, id, Some(sign_in), valid_for)
    }

    fn sign(
        &self,
        kind: Kind,
        id: Uuid,
        sign_in: Option<Uuid>,
        valid_for: Duration,
    ) -> Result<Secret<String>, SignError> {
        let now = seconds((self.clock)());
        let claims = Claims {
            aud: audience(kind).to_owned(),
            typ: TYPE.to_owned(),
            sub: id,
            sid: sign_in,
            iat: now,
            exp: now.saturating_add(valid_for.as_secs()),
        };
        Ok(Secret::new(encode(&Header::new(Algorithm::HS256), &claims, &self.signing)?))
    }
}

impl Authenticator for Tokens {
    fn verify(&self, token: &str) -> Result<Principal, AuthError> {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_audience(&KINDS.map(audience));
        rules.set_required_spec_claims(&["exp", "aud", "sub"]);
        // Judged below, by the clock that this was given
        rules.validate_exp = false;
        let claims = self
            .verifying
            .iter()
            .find_map(|key| decode::<Claims>(token, key, &rules).ok())
            .map(|token| token.claims)
            .filter(|claims| claims.typ == TYPE)
            .ok_or(AuthError::Invalid)?;
        let kind = KINDS.into_iter().find(|kind| audience(*kind) == claims.aud).ok_or(AuthError::Invalid)?;
        let left = claims.exp.saturating_sub(seconds((self.clock)()));
        if left == 0 {
            return Err(AuthError::Expired);
        }
        Ok(Principal { kind, id: claims.sub, sign_in: claims.sid, valid_for: Duration::from_secs(left) })
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

const KINDS: [Kind; 3] = [Kind::User, Kind::Guest, Kind::Display];

fn audience(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "party-gallery/user",
        Kind::Guest => "party-gallery/guest",
        Kind::Display => "party-gallery/display",
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    fn an_hour_later() -> SystemTime {
        noon() + Duration::from_secs(3600)
    }

    fn secrets(text: &str) -> JwtSecrets {
        text.parse().unwrap()
    }

    /// Two secrets that are made up here and protect nothing.
    fn old_and_new() -> (String, String) {
        ("o".repeat(32), "n".repeat(32))
    }

    #[test]
    fn a_token_names_its_caller_and_its_kind_until_it_expires() {
        let (old, _) = old_and_new();
        let tokens = Tokens::new(&secrets(&old), noon);
        let later = Tokens::new(&secrets(&old), an_hour_later);
        for kind in KINDS {
            let id = Uuid::now_v7();
            let token = tokens.issue(kind, id, ACCESS_TOKEN).unwrap();
            let expected = Principal { kind, id, sign_in: None, valid_for: ACCESS_TOKEN };
            assert_eq!(tokens.verify(token.expose()), Ok(expected));
            let from = Uuid::now_v7();
            let by_sign_in = tokens.issue_from(from, (kind, id), ACCESS_TOKEN).unwrap();
            let expected = Principal { sign_in: Some(from), ..expected };
            assert_eq!(tokens.verify(by_sign_in.expose()), Ok(expected));
            assert_eq!(later.verify(token.expose()), Err(AuthError::Expired));
        }
    }

    #[test]
    fn a_secret_can_be_replaced_without_signing_anybody_out() {
        let (old, new) = old_and_new();
        let before = Tokens::new(&secrets(&old), noon);
        let after = Tokens::new(&secrets(&format!("{new},{old}")), noon);
        let only_new = Tokens::new(&secrets(&new), noon);
        let token = before.issue(Kind::User, Uuid::now_v7(), ACCESS_TOKEN).unwrap();
        assert!(after.verify(token.expose()).is_ok());
        assert_eq!(only_new.verify(token.expose()), Err(AuthError::Invalid));
        let token = after.issue(Kind::User, Uuid::now_v7(), ACCESS_TOKEN).unwrap();
        assert!(only_new.verify(token.expose()).is_ok());
    }

    #[test]
    fn what_is_not_signed_by_us_as_an_access_token_is_refused() {
        let (old, _) = old_and_new();
        let tokens = Tokens::new(&secrets(&old), noon);
        let claims = |aud: &str, typ: &str| Claims {
            aud: aud.to_owned(),
            typ: typ.to_owned(),
            sub: Uuid::now_v7(),
            sid: None,
            iat: seconds(noon()),
            exp: seconds(an_hour_later()),
        };
        let sign = |algorithm, claims| encode(&Header::new(algorithm), &claims, &tokens.signing).unwrap();
        let raw_secret = EncodingKey::from_secret(old.as_bytes());
        let by_secret =
            encode(&Header::new(Algorithm::HS256), &claims(audience(Kind::User), TYPE), &raw_secret);
        for (token, why) in [
            (String::new(), "nothing"),
            ("a.b.c".to_owned(), "rubbish"),
            (sign(Algorithm::HS512, claims(audience(Kind::User), TYPE)), "another algorithm"),
            (sign(Algorithm::HS256, claims("somebody else", TYPE)), "another audience"),
            (sign(Algorithm::HS256, claims(audience(Kind::User), "refresh")), "another type"),
            (by_secret.unwrap(), "the secret itself instead of the derived key"),
        ] {
            assert_eq!(tokens.verify(&token), Err(AuthError::Invalid), "{why}");
        }
    }
}
