//! Registering, signing in, and who one is.

use std::{fmt, net::IpAddr, sync::Arc};

use uuid::Uuid;

use super::{
    announce::Reach,
    door::user,
    error::{Conflict, Error},
    passwords::Passwords,
    rates::Rates,
    sessions::{Pair, Sessions, Token},
};
use crate::{
    db::{
        Database, DatabaseError,
        accounts::{self, Credentials, NewAccount},
        sessions, violated,
    },
    domain::{
        account::{Account, Email, Guest, Password, Username},
        caller::Caller,
        fields::{Fields, Invalid, Wrong},
        person::Person,
        text::{Bio, Name},
    },
    realtime::Kind,
};

/// What somebody registers with.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Where they are written to, and what they sign in with.
    pub email: Email,
    /// What they sign in with.
    pub password: Password,
    /// Their unique name.
    pub username: Username,
    /// Their first name.
    pub first_name: Name,
    /// Their last name.
    pub last_name: Name,
    /// What they say of themselves.
    pub bio: Option<Bio>,
}

/// Who is asked for by who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Myself {
    /// Somebody with an account.
    User(Account),
    /// Somebody without.
    Guest(Guest),
}

/// The accounts of this service.
#[derive(Clone)]
pub struct Accounts {
    database: Database,
    sessions: Sessions,
    passwords: Passwords,
    rates: Rates,
    reach: Arc<dyn Reach>,
}

impl Accounts {
    /// Kept in `database`; sockets whose sign-in ends are reached by `reach`.
    pub fn new(database: Database, sessions: Sessions, rates: Rates, reach: Arc<dyn Reach>) -> Self {
        Self { database, sessions, passwords: Passwords::default(), rates, reach }
    }

    /// Makes an account and signs its user in.
    ///
    /// # Errors
    ///
    /// [`Conflict::UsernameTaken`], [`Conflict::EmailTaken`], [`Error::TooOften`]; [`Error::Unavailable`].
    pub async fn register(&self, new: Registration, from: IpAddr) -> Result<(Account, Pair), Error> {
        self.rates.take(&[self.rates.registrations(from)]).await?;
        self.reachable().await?;
        let password_hash = self.passwords.hash(new.password).await?;
        let (first_name, last_name) = (new.first_name.as_str(), new.last_name.as_str());
        let person = Person {
            id: Uuid::now_v7(),
            username: Some(new.username.as_str().to_owned()),
            display_name: format!("{first_name} {last_name}"),
            first_name: Some(first_name.to_owned()),
            last_name: Some(last_name.to_owned()),
            avatar_id: None,
        };
        let account = NewAccount {
            person: &person,
            bio: new.bio.as_ref().map(Bio::as_str),
            email: new.email.as_str(),
            password_hash: &password_hash,
        };
        self.database
            .transaction(async |connection| {
                let account = accounts::create(connection, account).await.map_err(taken)?;
                let pair = self.sessions.open(connection, person.id, Kind::User).await?;
                Ok((account, pair))
            })
            .await
    }

    /// Signs a user in. Whether nobody has that address or the password is wrong cannot be told from the answer, nor
    /// from how long it takes.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`], [`Error::TooOften`]; [`Error::Unavailable`].
    pub async fn login(
        &self,
        email: Email,
        password: Password,
        from: IpAddr,
    ) -> Result<(Account, Pair), Error> {
        // Taken before the password is looked at: any number of attempts at once is still so many guesses
        let failures = self.rates.failed_logins(email.as_str(), from);
        self.rates.take(&failures).await?;
        let outcome = self.sign_in(&email, password).await;
        if !matches!(outcome, Err(Error::Unauthenticated(_))) {
            self.rates.refund(&failures).await;
        }
        outcome
    }

    async fn sign_in(&self, email: &Email, password: Password) -> Result<(Account, Pair), Error> {
        let known = self
            .database
            .run(async |connection| accounts::credentials(connection, email.as_str()).await)
            .await
            .map_err(Error::from)?;
        let hash = known.as_ref().map(|known| known.password_hash.clone());
        let is_right = self.passwords.is_of(password, hash).await?;
        let Credentials { person, password_hash } = known.filter(|_| is_right).ok_or(WRONG)?;
        self.database
            .transaction(async |connection| {
                // Changed since, which has ended all sign-ins but this one
                if !accounts::still_has(connection, person, &password_hash).await? {
                    return Err(WRONG);
                }
                // Erased since
                let account = accounts::user(connection, person, None).await?.ok_or(WRONG)?;
                let pair = self.sessions.open(connection, person, Kind::User).await?;
                Ok((account, pair))
            })
            .await
    }

    /// Gives the next pair for a refresh token.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`], [`Error::TooOften`]; [`Error::Unavailable`].
    pub async fn refresh(&self, token: &Token) -> Result<Pair, Error> {
        let owner = self.sessions.owner(&self.database, token).await?;
        self.rates.take(&[self.rates.refreshes(owner)]).await?;
        let renewed = self.sessions.refresh(&self.database, token).await;
        if matches!(renewed, Err(Error::Unauthenticated(_))) {
            // A stolen one may have ended the sign-in
            self.reach.doubt(owner);
        }
        renewed
    }

    /// Ends the sign-in that `token` belongs to, if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn logout(&self, token: &Token) -> Result<(), Error> {
        if let Some(owner) = self.sessions.end(&self.database, token).await? {
            self.reach.doubt(owner);
        }
        Ok(())
    }

    /// Gives the caller another password, of `current` and `new` in `fields`, and ends all their sign-ins.
    ///
    /// # Errors
    ///
    /// Users only; [`Error::Invalid`] also for a wrong password, which counts as a failed login.
    pub async fn change_password(&self, caller: Caller, fields: Fields, from: IpAddr) -> Result<(), Error> {
        let user = user(caller)?;
        let Passes { current, new } = Passes::read(fields)?;
        let known = self.database.run(async |connection| accounts::email(connection, user).await).await;
        let (email, hash) = known.map_err(Error::from)?.ok_or(GONE)?;
        let failures = self.rates.failed_logins(&email, from);
        self.rates.take(&failures).await?;
        let outcome = self.replace_password(user, &hash, current, new).await;
        if !matches!(outcome, Ok(false)) {
            self.rates.refund(&failures).await;
        }
        if !outcome? {
            return Err(Error::field("current", &WRONG_PASSWORD));
        }
        self.reach.doubt(user);
        Ok(())
    }

    /// `false`: `current` is not the password.
    async fn replace_password(
        &self,
        user: Uuid,
        hash: &str,
        current: Password,
        new: Password,
    ) -> Result<bool, Error> {
        if !self.passwords.is_of(current, Some(hash.to_owned())).await? {
            return Ok(false);
        }
        let next = self.passwords.hash(new).await?;
        self.database
            .transaction(async |connection| {
                let is_changed = accounts::change_password(connection, user, hash, &next).await?;
                if is_changed {
                    // Who signed in with the old one has committed by now, or finds it changed
                    sessions::end_all(connection, user).await?;
                }
                Ok(is_changed)
            })
            .await
    }

    /// Who the caller is.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`] for nobody, and for who is erased; [`Error::Forbidden`] for a screen.
    pub async fn myself(&self, caller: Caller) -> Result<Myself, Error> {
        let myself = match caller {
            Caller::Anonymous => None,
            Caller::Display(_) => return Err(Error::Forbidden("a screen is nobody")),
            Caller::User(id) => {
                let user = self.database.run(async |connection| accounts::user(connection, id, None).await);
                user.await.map_err(Error::from)?.map(Myself::User)
            }
            Caller::Guest(id) => {
                let guest = self.database.run(async |connection| accounts::guest(connection, id).await);
                guest.await.map_err(Error::from)?.map(Myself::Guest)
            }
        };
        myself.ok_or(GONE)
    }

    /// Fails at once while the database is away, before anything costly is done for it.
    async fn reachable(&self) -> Result<(), Error> {
        self.database.run(async |_| Ok(())).await
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").finish_non_exhaustive()
    }
}

/// What somebody's password becomes.
struct Passes {
    current: Password,
    new: Password,
}

impl Passes {
    fn read(mut fields: Fields) -> Result<Self, Invalid> {
        let current = fields.required("current", Password::given);
        let new = fields.required("new", Password::read);
        let read = current.zip(new).map(|(current, new)| Self { current, new });
        fields.finish(read)
    }
}

const GONE: Error = Error::Unauthenticated("a token of somebody who is here is needed for this");
const WRONG_PASSWORD: Wrong = Wrong::new("WRONG_PASSWORD", "is not your password");
const WRONG: Error = Error::Unauthenticated("the e-mail address or the password is wrong");

fn taken(error: DatabaseError) -> Error {
    match violated(&error) {
        Some(accounts::USERNAME) => Error::Conflict(Conflict::UsernameTaken),
        Some(accounts::EMAIL) => Error::Conflict(Conflict::EmailTaken),
        _ => error.into(),
    }
}
