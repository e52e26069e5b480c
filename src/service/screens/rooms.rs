//! Who is let into a party's rooms, and what is said there.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::{BoxFuture, FutureExt as _};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};
use slog::error;
use uuid::Uuid;

use super::{Door, Screens, place};
use crate::{
    db::{
        Connection,
        entrances::{self, Entrance},
        people,
    },
    domain::{access::Act, caller::Caller, fields::Fields, person::Person, presence::Status},
    realtime::{
        Admission, ChatAdmission, Credential, Place, Principal, Recoveries, Refusal, Revocation, Rooms, Seen,
        Utterance,
    },
    service::{
        chat::Said,
        door,
        error::{Conflict, Error},
    },
    telemetry::Chain,
    view::UserSummary,
};

/// Of whom is erased, banned or revoked, and of a sign-in that has ended.
const OVER: Refusal = Refusal::new("UNAUTHENTICATED", "the token is not valid any more");

const AWAY: Error =
    Error::Unavailable { reason: "the database is away", retry_after: Duration::from_secs(1), source: None };

/// How many messages somebody finds who comes into a chat.
const HISTORY: i64 = 50;
/// How many bytes of them at most: they are sent twice, and together fill half of what an outbox holds.
const HISTORY_BYTES: usize = 256 * 1024;

impl Rooms for Screens {
    fn recognize(&self, caller: Principal) -> BoxFuture<'static, Result<(), Refusal>> {
        let screens = self.clone();
        async move {
            let over =
                screens.known.ask(caller.credential(), |all| screens.clone().are_over(all).boxed()).await;
            // Not answered: the hub asks of all sessions again
            if over.unwrap_or_default() { Err(OVER) } else { Ok(()) }
        }
        .boxed()
    }

    fn recoveries(&self) -> Option<Arc<dyn Recoveries>> {
        Some(Arc::clone(&self.recoveries) as Arc<dyn Recoveries>)
    }

    fn mark_read(&self, caller: Principal, told: Vec<Uuid>) -> BoxFuture<'static, Result<(), Refusal>> {
        let screens = self.clone();
        async move {
            let read = screens.notifications.read_some(caller.caller(), &told).await;
            read.map_err(|error| screens.refuse(&error))
        }
        .boxed()
    }

    fn watch(&self, caller: Principal, party: Uuid) -> BoxFuture<'static, Result<Admission, Refusal>> {
        let screens = self.clone();
        async move {
            let admission = screens.admit(caller.caller(), party).await;
            admission.map_err(|error| screens.refuse(&error))
        }
        .boxed()
    }

    fn talk(&self, caller: Principal, party: Uuid) -> BoxFuture<'static, Result<ChatAdmission, Refusal>> {
        let screens = self.clone();
        async move {
            let admission = screens.admit_to_chat(caller.caller(), party).await;
            admission.map_err(|error| screens.refuse(&error))
        }
        .boxed()
    }

    fn say(&self, caller: Principal, said: Utterance) -> BoxFuture<'static, Result<Box<RawValue>, Refusal>> {
        let screens = self.clone();
        async move {
            let message = screens.pass_on(caller.caller(), said).await;
            message.map_err(|error| screens.refuse(&error))
        }
        .boxed()
    }

    fn be_seen(&self, caller: Uuid, status: Status, now: Instant) {
        self.presences.say(caller, status, now);
    }

    fn check(
        &self,
        caller: Uuid,
        people: Vec<Uuid>,
        now: Instant,
    ) -> BoxFuture<'static, Result<Vec<Seen>, Refusal>> {
        let screens = self.clone();
        async move { screens.see(caller, people, now).await }.boxed()
    }
}

impl Screens {
    async fn see(&self, caller: Uuid, people: Vec<Uuid>, now: Instant) -> Result<Vec<Seen>, Refusal> {
        let seen = self.presences.check(caller, people, now).await;
        seen.map_err(|error| self.refuse(&error))
    }

    async fn admit(&self, caller: Caller, party: Uuid) -> Result<Admission, Error> {
        // A screen knows of the gallery alone, and is let in for that
        let act = if matches!(caller, Caller::Display(_)) { Act::SeeGallery } else { Act::Read };
        let found = self.doors.ask((caller.id(), party), |all| self.clone().find_all(all).boxed()).await;
        let found = found.ok_or(AWAY)?;
        let standing = door::judge_entrance(found.as_ref(), caller, act)?;
        let Entrance { openness, seq, epoch, person, .. } = found.ok_or(Error::NotFound)?;
        let person = person.filter(|_| caller.person().is_some());
        // A screen may see the gallery of a private party, and is no onlooker of it
        let place = place(standing, openness).unwrap_or(Place::Member);
        Ok(Admission { seq, epoch, place, face: self.show(person.as_ref())? })
    }

    /// What these callers find at these doors. `None`: nothing can be looked up now.
    async fn find_all(self, all: Vec<Door>) -> Option<Vec<Option<Entrance>>> {
        let found =
            self.database.run(async |connection: &mut Connection| entrances::find(connection, &all).await);
        // Once for all of them: who waits hears that it was not to be had
        found.await.map_err(|error| self.refuse(&error.into())).ok()
    }

    /// Which of these are over. `None`: nothing can be looked up now.
    async fn are_over(self, all: Vec<Credential>) -> Option<Vec<bool>> {
        let over: HashSet<_> = self.revoked(&all).await.ok()?.into_iter().map(|(over, _)| over).collect();
        Some(all.iter().map(|credential| over.contains(credential)).collect())
    }

    async fn admit_to_chat(&self, caller: Caller, party: Uuid) -> Result<ChatAdmission, Error> {
        let page = self.chat.page(caller, party, None, HISTORY).await?;
        let messages: Vec<_> = page.items.iter().map(Said::view).collect();
        let face = self.database.run(async |connection: &mut Connection| self.face(connection, caller).await);
        Ok(ChatAdmission { seq: page.seq, messages: fitting(&messages)?, face: face.await? })
    }

    /// The caller's UserSummary; displays have none.
    async fn face(
        &self,
        connection: &mut Connection,
        caller: Caller,
    ) -> Result<Option<Box<RawValue>>, Error> {
        let Some(person) = caller.person() else { return Ok(None) };
        self.show(people::find(connection, person).await?.as_ref())
    }

    fn show(&self, person: Option<&Person>) -> Result<Option<Box<RawValue>>, Error> {
        person.map(|person| raw(&UserSummary::new(person, &*self.links))).transpose()
    }

    async fn pass_on(&self, caller: Caller, said: Utterance) -> Result<Box<RawValue>, Error> {
        #[derive(Deserialize)]
        struct One {
            message: Box<RawValue>,
        }
        let party = said.party_id;
        let answer = self.chat.say(caller, party, words(said), None).await?;
        let one: One = serde_json::from_str(answer.data.get()).map_err(Error::internal)?;
        Ok(one.message)
    }

    /// What a socket is told of an error; what is nobody's fault but ours is logged.
    fn refuse(&self, refused: &Error) -> Refusal {
        if let Error::Internal(_) = refused {
            error!(self.log, "Room failed"; "error" => %Chain(refused));
        }
        refusal(refused)
    }
}

/// What was said, as a body of REST.
fn words(said: Utterance) -> Fields {
    let Utterance { party_id: _, content, kind, media_id, reply_to_id, client_id } = said;
    let id = |id: Option<Uuid>| id.map(|id| id.to_string());
    let fields = [
        ("content", Some(content)),
        ("type", kind),
        ("mediaId", id(media_id)),
        ("replyToId", id(reply_to_id)),
        ("clientId", client_id),
    ];
    let fields = fields.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::String(text?))));
    Fields::new(fields.collect::<Map<_, _>>())
}

/// As many of these messages, the newest first, as one frame may hold.
fn fitting(messages: &[impl serde::Serialize]) -> Result<Box<RawValue>, Error> {
    let (mut fitting, mut bytes) = (Vec::new(), 0);
    for message in messages {
        let message = raw(message)?;
        bytes += message.get().len() + 1;
        if bytes > HISTORY_BYTES {
            break;
        }
        fitting.push(message);
    }
    raw(&fitting)
}

fn raw(data: &impl serde::Serialize) -> Result<Box<RawValue>, Error> {
    serde_json::value::to_raw_value(data).map_err(Error::internal)
}

fn refusal(error: &Error) -> Refusal {
    match error {
        Error::Invalid(_) => Refusal::new("VALIDATION_ERROR", "the message breaks a rule of the chat"),
        Error::Unauthenticated(why) => Refusal::new("UNAUTHENTICATED", why),
        Error::Forbidden(why) => Refusal::new("FORBIDDEN", why),
        Error::NotFound => Refusal::new("NOT_FOUND", "there is nothing here for you"),
        Error::Conflict(Conflict::InvalidStatus) => {
            Refusal::new("INVALID_STATUS", "the party's status does not allow this")
        }
        Error::TooOften { .. } => Refusal::new("RATE_LIMITED", "too often; try again later"),
        Error::Unavailable { .. } => Refusal::new("UNAVAILABLE", "nothing was done; try again"),
        Error::OutcomeUnknown(_) => {
            Refusal::new("OUTCOME_UNKNOWN", "it may have been done; look before you repeat it")
        }
        // Nothing that rooms do ends in one of these
        Error::Conflict(_)
        | Error::Precondition
        | Error::TooLarge(_)
        | Error::Unsupported(_)
        | Error::KeyReused
        | Error::StorageFull
        | Error::Internal(_) => Refusal::new("INTERNAL", "something went wrong on our side"),
    }
}
