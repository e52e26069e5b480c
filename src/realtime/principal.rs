//! Who speaks in a session.

use std::time::{Duration, Instant};

use party_gallery_actors::realtime::{Credential, Identity, Subject};
use serde::{Serialize, Serializer, ser::SerializeMap};
use uuid::Uuid;

use crate::domain::caller::Caller;

/// What sort of caller a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Somebody with an account.
    User,
    /// Somebody who joined one party by its code.
    Guest,
    /// A screen that shows one gallery.
    Display,
}

/// Who speaks in a session, as its token tells. It is serialized as what `auth` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Principal {
    /// What sort of caller.
    pub kind: Kind,
    /// Which of them.
    pub id: Uuid,
    /// The sign-in that the token comes from; a screen's comes from none.
    pub sign_in: Option<Uuid>,
    /// How long the token is still good, counted from its verification.
    pub valid_for: Duration,
}

impl Principal {
    /// Who asks.
    pub fn caller(&self) -> Caller {
        match self.kind {
            Kind::User => Caller::User(self.id),
            Kind::Guest => Caller::Guest(self.id),
            Kind::Display => Caller::Display(self.id),
        }
    }

    /// Whether both are the same caller, whatever their tokens.
    pub fn is_same_caller(&self, other: &Self) -> bool {
        (self.kind, self.id) == (other.kind, other.id)
    }

    /// The identity of a session whose token was verified `now`.
    pub fn identity(&self, now: Instant) -> Identity {
        let Credential { subject, grant } = self.credential();
        // A token that outlives every clock never expires within this process either
        let expires_at = now.checked_add(self.valid_for).unwrap_or(now + Duration::from_secs(86_400));
        Identity { subject, grant, expires_at }
    }

    /// By what a session of theirs is theirs.
    pub fn credential(&self) -> Credential {
        let subject = subject(self.kind, self.id);
        Credential { subject, grant: self.sign_in.map(|id| id.as_u128()) }
    }
}

/// What the mechanism knows them as.
pub fn subject(kind: Kind, id: Uuid) -> Subject {
    let kind = match kind {
        Kind::User => 0,
        Kind::Guest => 1,
        Kind::Display => 2,
    };
    Subject { kind, id: id.as_u128() }
}

/// Who that is, if anybody of ours.
pub fn caller_of(subject: Subject) -> Option<Caller> {
    let id = Uuid::from_u128(subject.id);
    match subject.kind {
        0 => Some(Caller::User(id)),
        1 => Some(Caller::Guest(id)),
        2 => Some(Caller::Display(id)),
        _ => None,
    }
}

/// The person whose session it is: a user or a guest.
pub(super) fn person_of(subject: Subject) -> Option<Uuid> {
    (subject.kind < 2).then(|| Uuid::from_u128(subject.id))
}

impl Serialize for Principal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let member = match self.kind {
            Kind::User => "userId",
            Kind::Guest => "guestId",
            Kind::Display => "displayId",
        };
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(member, &self.id)?;
        map.end()
    }
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// It was good once.
    #[error("the token has expired")]
    Expired,
    /// It is not one of ours, or was taken back.
    #[error("the token is not valid")]
    Invalid,
}

/// Knows whose a token is.
pub trait Authenticator: Send + Sync + 'static {
    /// Whose `token` is; without I/O, since a session does not wait.
    ///
    /// # Errors
    ///
    /// [`AuthError`] when it is not accepted.
    fn verify(&self, token: &str) -> Result<Principal, AuthError>;
}
