//! A house that answers as its mood is: at once, late, never, not as asked, or by failing.

use std::{
    collections::VecDeque,
    future::pending,
    panic::resume_unwind,
    task::{Poll, Waker},
    time::{Duration, Instant},
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, poll_fn},
};
use parking_lot::Mutex;
use party_gallery::{
    domain::presence::Status,
    realtime::{
        Admission, AuthError, Authenticator, ChatAdmission, Kind, Place, Principal, Refusal, Rooms, Seen,
        Utterance,
    },
};
use serde_json::{json, value::RawValue, value::to_raw_value};
use uuid::Uuid;

/// How an answer comes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mood {
    Yes,
    Refuses,
    /// When it has been asked that often.
    Late(u8),
    Never,
    Fails,
}

/// Tokens are `user <number>`, and some have expired.
pub(super) struct Tokens;

impl Authenticator for Tokens {
    fn verify(&self, token: &str) -> Result<Principal, AuthError> {
        let id = match token {
            "user 1" => 1,
            "user 2" => 2,
            "expired" => return Err(AuthError::Expired),
            _ => return Err(AuthError::Invalid),
        };
        Ok(Principal {
            kind: Kind::User,
            id: Uuid::from_u128(id),
            valid_for: Duration::from_secs(3600),
            sign_in: None,
        })
    }
}

/// A house with one party.
pub(super) struct House(Mutex<VecDeque<Mood>>);

impl House {
    pub(super) fn new(moods: &[Mood]) -> Self {
        Self(Mutex::new(moods.iter().copied().collect()))
    }

    fn answer<T: Send + 'static>(&self, good: T) -> BoxFuture<'static, Result<T, Refusal>> {
        let mood = {
            let mut moods = self.0.lock();
            moods.rotate_left(1);
            moods.back().copied().unwrap_or(Mood::Yes)
        };
        async move {
            match mood {
                Mood::Yes => Ok(good),
                Mood::Refuses => Err(Refusal::new("NOT_FOUND", "no such party")),
                Mood::Late(times) => {
                    wait(times).await;
                    Ok(good)
                }
                Mood::Never => pending().await,
                // As a panic does, but without a word
                Mood::Fails => resume_unwind(Box::new("failed")),
            }
        }
        .boxed()
    }
}

/// Is there when it is asked once more than `times`.
async fn wait(mut times: u8) {
    poll_fn(|_| {
        times = times.saturating_sub(1);
        if times == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

fn raw(value: &serde_json::Value) -> Box<RawValue> {
    to_raw_value(value).unwrap()
}

impl Rooms for House {
    fn recognize(&self, _: Principal) -> BoxFuture<'static, Result<(), Refusal>> {
        self.answer(())
    }

    fn watch(&self, caller: Principal, _: Uuid) -> BoxFuture<'static, Result<Admission, Refusal>> {
        let face = Some(raw(&json!({ "id": caller.id })));
        self.answer(Admission { seq: 40, epoch: Uuid::from_u128(7), place: Place::Attendee, face })
    }

    fn talk(&self, _: Principal, _: Uuid) -> BoxFuture<'static, Result<ChatAdmission, Refusal>> {
        self.answer(ChatAdmission { seq: 40, messages: raw(&json!([])), face: None })
    }

    fn say(&self, _: Principal, said: Utterance) -> BoxFuture<'static, Result<Box<RawValue>, Refusal>> {
        self.answer(raw(&json!({ "content": said.content })))
    }

    fn mark_read(&self, _: Principal, _: Vec<Uuid>) -> BoxFuture<'static, Result<(), Refusal>> {
        self.answer(())
    }

    fn be_seen(&self, _: Uuid, _: Status, _: Instant) {}

    fn check(
        &self,
        _: Uuid,
        people: Vec<Uuid>,
        _: Instant,
    ) -> BoxFuture<'static, Result<Vec<Seen>, Refusal>> {
        let unseen =
            |user_id| Seen { user_id, is_online: false, status: Status::name(None), last_seen: None };
        self.answer(people.into_iter().map(unseen).collect())
    }
}

/// Asks once whether it is there.
pub(super) fn ask<T>(future: &mut BoxFuture<'static, T>) -> Poll<T> {
    future.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop()))
}
