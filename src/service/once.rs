//! Requests that may come again and have their effect once: `Idempotency-Key`.
//!
//! *Invariant:* the key is claimed and its answer kept in the transaction of the effect, so that neither is there
//! without the other; what failed is not kept.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{error::Error, seal::Seal};
use crate::{
    db::{
        Connection,
        idempotency::{self, Known},
    },
    domain::fields::Wrong,
};

/// An answer that can be given again.
#[derive(Debug, Deserialize, Serialize)]
pub struct Answer {
    /// 200, 201, 202 or 204.
    pub status: u16,
    /// Where what was created is.
    pub location: Option<String>,
    /// The envelope's `data`, JSON.
    pub data: Box<RawValue>,
    /// Whether it was given before.
    #[serde(skip)]
    pub replayed: bool,
}

impl Answer {
    /// 200 with `data`.
    ///
    /// # Errors
    ///
    /// `data` cannot be written as JSON.
    pub fn ok(data: &impl Serialize) -> Result<Self, Error> {
        let data = serde_json::value::to_raw_value(data).map_err(Error::internal)?;
        Ok(Self { status: 200, location: None, data, replayed: false })
    }

    /// 201 with `data`; `location` is the path of what was created.
    ///
    /// # Errors
    ///
    /// `data` cannot be written as JSON.
    pub fn created(location: String, data: &impl Serialize) -> Result<Self, Error> {
        Ok(Self { status: 201, location: Some(location), ..Self::ok(data)? })
    }
}

/// A request that may come again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    caller: String,
    key: String,
    digest: [u8; 32],
}

impl Ticket {
    /// `caller` tells callers apart; `key` is theirs; `digest` is of the operation and the body.
    ///
    /// # Errors
    ///
    /// The key is not 1 to 128 printable ASCII characters.
    pub fn new(caller: String, key: &str, digest: [u8; 32]) -> Result<Self, Error> {
        let fits = (1..=128).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        if !fits {
            let wrong = Wrong::new("INVALID_KEY", "must be 1 to 128 printable ASCII characters");
            return Err(Error::field("Idempotency-Key", &wrong));
        }
        Ok(Self { caller, key: key.to_owned(), digest })
    }
}

/// Has `effect`, or gives the answer that it had the first time. Inside of a transaction.
///
/// # Errors
///
/// [`Error::KeyReused`], or what `effect` fails with.
pub async fn once(
    connection: &mut Connection,
    seal: &Seal,
    ticket: Option<&Ticket>,
    effect: impl AsyncFnOnce(&mut Connection) -> Result<Answer, Error>,
) -> Result<Answer, Error> {
    let Some(Ticket { caller, key, digest }) = ticket else { return effect(connection).await };
    let context = format!("{caller}\n{key}");
    match idempotency::claim(connection, caller, key, digest).await? {
        Known::Answered { digest: known, .. } if known != digest => Err(Error::KeyReused),
        Known::Answered { answer, .. } => {
            let plain = seal
                .open(context.as_bytes(), &answer)
                .ok_or_else(|| Error::internal("a first answer was sealed by a secret that is gone"))?;
            let answer: Answer = serde_json::from_slice(&plain).map_err(Error::internal)?;
            Ok(Answer { replayed: true, ..answer })
        }
        Known::New => {
            let answer = effect(connection).await?;
            let plain = serde_json::to_vec(&answer).map_err(Error::internal)?;
            let sealed = seal
                .seal(context.as_bytes(), &plain)
                .ok_or_else(|| Error::internal("the machine has no randomness"))?;
            idempotency::keep(connection, caller, key, &sealed).await?;
            Ok(answer)
        }
    }
}
