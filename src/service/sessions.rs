//! Sign-ins: a short access token, and refresh tokens that follow one another.
//!
//! *Invariant:* of a refresh token only a hash is kept. Its successor is computed from it, so that the same one can be
//! given again although it is not kept either.

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    error::Error,
    seal::Mark,
    tokens::{ACCESS_TOKEN, Tokens},
};
use crate::{
    config::{JwtSecrets, Secret},
    db::{
        Connection, Database,
        sessions::{self, Found},
    },
    realtime::Kind,
};

/// How long a user's refresh token is good, and a guest's that was spent is remembered.
const USER: Duration = Duration::from_secs(30 * 86_400);
/// How long after its party's end a guest's is.
const GUEST_AFTER_END: Duration = Duration::from_secs(7 * 86_400);
/// How long a spent token gives its successor again: a lost answer is no theft.
const REPEAT: Duration = Duration::from_secs(60);

const TOKEN_BYTES: usize = 32;

/// What somebody who has signed in is given.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The bearer token.
    pub access_token: Secret<String>,
    /// What the next pair is asked for with; opaque.
    pub refresh_token: Secret<String>,
    /// How long the access token is good.
    pub expires_in: Duration,
}

/// Opens sign-ins and renews them.
#[derive(Clone)]
pub struct Sessions {
    tokens: Arc<Tokens>,
    heirs: Arc<Mark>,
}

/// What a refresh token is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It is spent now, for a successor.
    Renew,
    /// It was spent a moment ago: the same successor again.
    Repeat,
    /// It was spent before: somebody has a copy.
    Stolen,
    /// Nothing any more.
    Over,
}

impl Sessions {
    /// Access tokens come from `tokens`; `secrets` are what successors are computed with.
    pub fn new(tokens: Arc<Tokens>, secrets: &JwtSecrets) -> Self {
        Self { tokens, heirs: Arc::new(Mark::new(secrets, "party-gallery refresh token v1")) }
    }

    /// Signs `person` in, a user or a guest, whose row is there. Inside of a transaction.
    ///
    /// # Errors
    ///
    /// [`Error`], when the database or the signature fails.
    pub async fn open(&self, connection: &mut Connection, person: Uuid, kind: Kind) -> Result<Pair, Error> {
        let token = rand::random::<[u8; TOKEN_BYTES]>();
        let family = Uuid::now_v7();
        sessions::open(connection, family, person, &hash(&token), lifetime(kind)).await?;
        self.pair((kind, person), family, &token)
    }

    /// Spends `token` for the next pair; within a minute of that, the same refresh token again. The use of a token that
    /// was spent before ends its whole sign-in, for one of its two holders is a thief.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`] for a token that is worth nothing; [`Error`], when the database fails.
    pub async fn refresh(&self, database: &Database, token: &Token) -> Result<Pair, Error> {
        // Not by `?`: the end of a sign-in is committed with its refusal
        let renewed = database.transaction(async |connection| self.renew(connection, token).await).await?;
        let Some((found, kind, heir)) = renewed else { return Err(REFUSED) };
        self.pair((kind, found.person), found.family, &heir)
    }

    /// Whose `token` is, unless it is worth nothing. It is not spent.
    ///
    /// # Errors
    ///
    /// As [`Sessions::refresh`].
    pub async fn owner(&self, database: &Database, token: &Token) -> Result<Uuid, Error> {
        let owner = database.run(async |connection| sessions::owner(connection, &token.hash()).await).await;
        owner.map_err(Error::from)?.ok_or(REFUSED)
    }

    /// Ends the sign-in that `token` belongs to, and gives whose it was; one that is worth nothing ends nothing.
    ///
    /// # Errors
    ///
    /// [`Error`], when the database fails.
    pub async fn end(&self, database: &Database, token: &Token) -> Result<Option<Uuid>, Error> {
        let end = database.transaction(async |connection| sessions::end(connection, &token.hash()).await);
        Ok(end.await?)
    }

    async fn renew(
        &self,
        connection: &mut Connection,
        token: &Token,
    ) -> Result<Option<(Found, Kind, Vec<u8>)>, Error> {
        let Some(found) = sessions::find(connection, &token.hash()).await? else { return Ok(None) };
        let kind = if found.is_guest { Kind::Guest } else { Kind::User };
        let heir = match verdict(&found) {
            Verdict::Over => None,
            Verdict::Stolen => {
                sessions::revoke(connection, found.family).await?;
                None
            }
            Verdict::Renew => {
                let heir = self.heirs.of(&token.0);
                sessions::spend(connection, &token.hash(), &hash(&heir), lifetime(kind), USER).await?;
                Some(heir)
            }
            Verdict::Repeat => {
                // The secret may have been replaced since: the heir is the one that is kept
                let heirs = self.heirs.all_of(&token.0);
                let hashes: Vec<_> = heirs.iter().map(|heir| hash(heir)).collect();
                let kept = sessions::kept(connection, found.family, &hashes).await?;
                heirs
                    .into_iter()
                    .zip(hashes)
                    .find(|(_, hash)| Some(hash) == kept.as_ref())
                    .map(|(heir, _)| heir)
            }
        };
        Ok(heir.map(|heir| (found, kind, heir)))
    }

    fn pair(&self, whose: (Kind, Uuid), family: Uuid, token: &[u8]) -> Result<Pair, Error> {
        let access_token = self.tokens.issue_from(family, whose, ACCESS_TOKEN).map_err(Error::internal)?;
        let refresh_token = Secret::new(URL_SAFE_NO_PAD.encode(token));
        Ok(Pair { access_token, refresh_token, expires_in: ACCESS_TOKEN })
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

/// A refresh token as a client gives it back.
#[derive(Clone)]
pub struct Token([u8; TOKEN_BYTES]);

impl Token {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`]: no token of ours looks like it.
    pub fn read(text: &str) -> Result<Self, Error> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(REFUSED)
    }

    fn hash(&self) -> Vec<u8> {
        hash(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

/// Whatever is wrong with it: a thief learns nothing from the difference.
const REFUSED: Error = Error::Unauthenticated("the refresh token is not valid; sign in again");

/// 256 random bits need no salt and no slow hash.
fn hash(token: &[u8]) -> Vec<u8> {
    Sha256::digest(token).to_vec()
}

/// A guest's ends with the party, whenever that will be.
fn lifetime(kind: Kind) -> Option<Duration> {
    (kind != Kind::Guest).then_some(USER)
}

fn verdict(found: &Found) -> Verdict {
    let is_over =
        found.is_revoked || found.is_expired || found.ended_for.is_some_and(|since| since > GUEST_AFTER_END);
    match found.spent_for {
        _ if is_over => Verdict::Over,
        None => Verdict::Renew,
        Some(since) if since <= REPEAT => Verdict::Repeat,
        Some(_) => Verdict::Stolen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_refresh_token_is_worth() {
        let fresh = Found {
            family: Uuid::nil(),
            person: Uuid::nil(),
            is_guest: false,
            is_revoked: false,
            is_expired: false,
            spent_for: None,
            ended_for: None,
        };
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        for (found, expected) in [
            (fresh, Verdict::Renew),
            (Found { spent_for: seconds(0), ..fresh }, Verdict::Repeat),
            (Found { spent_for: seconds(60), ..fresh }, Verdict::Repeat),
            (Found { spent_for: seconds(61), ..fresh }, Verdict::Stolen),
            (Found { is_expired: true, ..fresh }, Verdict::Over),
            (Found { is_expired: true, spent_for: seconds(61), ..fresh }, Verdict::Over),
            (Found { is_revoked: true, spent_for: seconds(1), ..fresh }, Verdict::Over),
            (Found { ended_for: seconds(7 * 86_400), ..fresh }, Verdict::Renew),
            (Found { ended_for: seconds(7 * 86_400 + 1), ..fresh }, Verdict::Over),
        ] {
            assert_eq!(verdict(&found), expected, "{found:?}");
        }
    }

    #[test]
    fn only_what_may_be_ours_is_a_token() {
        for (text, is_one) in [
            (URL_SAFE_NO_PAD.encode([7; 32]), true),
            (URL_SAFE_NO_PAD.encode([7; 31]), false),
            (URL_SAFE_NO_PAD.encode([7; 33]), false),
            (String::new(), false),
            ("no token at all, for it has blanks in it     ".to_owned(), false),
        ] {
            assert_eq!(Token::read(&text).is_ok(), is_one, "{text}");
        }
    }
}
