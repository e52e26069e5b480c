//! Bodies of JSON and queries, as fields to read.

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue},
    web,
};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, future::LocalBoxFuture};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::problem::{Code, Problem};
use crate::{
    domain::{
        caller::Caller,
        fields::{Fields, Invalid, Wrong},
    },
    service::{error::Error, once::Ticket},
};

/// The most that a body of JSON may have, in bytes.
pub const JSON_LIMIT: usize = 256 * 1024;
/// The least characters of a key that tells unknown callers apart.
const UNGUESSED_KEY: usize = 22;

/// A body that is a JSON object.
#[derive(Debug)]
pub struct Object {
    object: Map<String, Value>,
    bytes: Bytes,
}

impl Object {
    /// Its fields, to be read one by one.
    pub fn into_fields(self) -> Fields {
        Fields::new(self.object)
    }

    /// What makes a repeat of this request harmless, where its caller asked for that and is known.
    ///
    /// # Errors
    ///
    /// A key that is none.
    pub fn ticket(&self, request: &HttpRequest, caller: Caller) -> Result<Option<Ticket>, Problem> {
        ticket(request, caller, &Sha256::digest(&self.bytes).into())
    }

    /// The same for a caller whom nobody knows: their key is their own if nobody can guess it.
    ///
    /// # Errors
    ///
    /// A key that is none.
    pub fn unknown_ticket(&self, request: &HttpRequest) -> Result<Option<Ticket>, Problem> {
        let key = request.headers().get("idempotency-key").filter(|key| key.len() >= UNGUESSED_KEY);
        key.map(|key| redeemable(request, "anonymous".to_owned(), key, &Sha256::digest(&self.bytes).into()))
            .transpose()
    }
}

/// The idempotency ticket of a request whose body has that digest; `None` without a key, and for unknown callers.
///
/// # Errors
///
/// A key that is none.
pub fn ticket(request: &HttpRequest, caller: Caller, body: &[u8; 32]) -> Result<Option<Ticket>, Problem> {
    let (Some(key), Some(person)) = (request.headers().get("idempotency-key"), caller.person()) else {
        return Ok(None);
    };
    redeemable(request, person.to_string(), key, body).map(Some)
}

fn redeemable(
    request: &HttpRequest,
    caller: String,
    key: &HeaderValue,
    body: &[u8; 32],
) -> Result<Ticket, Problem> {
    let operation = format!("{} {}\n", request.method(), request.path());
    let digest = Sha256::new().chain_update(operation).chain_update(body).finalize().into();
    Ok(Ticket::new(caller, key.to_str().unwrap_or_default(), digest)?)
}

impl FromRequest for Object {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = read(request, payload);
        Box::pin(async move {
            let bytes = read.await?;
            match serde_json::from_slice(&bytes) {
                Ok(Value::Object(object)) => Ok(Self { object, bytes }),
                // Some operations take a body and need none
                Err(_) if bytes.is_empty() => Ok(Self { object: Map::new(), bytes }),
                Ok(_) => Err(Problem::new(Code::MalformedBody, "The body must be a JSON object")),
                Err(_details) => Err(Problem::new(Code::MalformedBody, "The body is not JSON")),
            }
        })
    }
}

/// A body that is a JSON array, item by item.
#[derive(Debug)]
pub struct List(pub Vec<Value>);

impl FromRequest for List {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = read(request, payload);
        Box::pin(async move {
            match serde_json::from_slice(&read.await?) {
                Ok(Value::Array(items)) => Ok(Self(items)),
                Ok(_) => Err(Problem::new(Code::MalformedBody, "The body must be a JSON array")),
                Err(_details) => Err(Problem::new(Code::MalformedBody, "The body is not JSON")),
            }
        })
    }
}

/// The bytes of a body that says that it is JSON, or says nothing.
fn read(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<Bytes, Problem>> + use<> {
    let declared = declared_length(request);
    let is_json = is_json(request);
    let body = web::Payload::from_request(request, payload);
    async move {
        if !is_json {
            return Err(Problem::new(Code::UnsupportedMedia, "The body must be application/json"));
        }
        if declared.is_some_and(|length| length > JSON_LIMIT) {
            return Err(too_large());
        }
        let mut body = body.await.map_err(|_details| unreadable())?;
        let mut bytes = BytesMut::with_capacity(declared.unwrap_or_default());
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|_details| unreadable())?;
            if bytes.len() + piece.len() > JSON_LIMIT {
                return Err(too_large());
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes.freeze())
    }
}

fn declared_length(request: &HttpRequest) -> Option<usize> {
    request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether the body says that it is JSON, or says nothing.
fn is_json(request: &HttpRequest) -> bool {
    let Some(value) = request.headers().get(CONTENT_TYPE) else { return true };
    let Ok(value) = value.to_str() else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn too_large() -> Problem {
    Problem::new(Code::PayloadTooLarge, "A body of JSON has at most 256 KiB").closing()
}

fn unreadable() -> Problem {
    Problem::new(Code::MalformedBody, "The body could not be read")
}

/// A request's query; a name that comes twice is refused.
#[derive(Debug)]
pub struct Query(pub Fields);

impl FromRequest for Query {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(query(request.query_string()))
    }
}

fn query(text: &str) -> Result<Query, Problem> {
    let mut object = Map::new();
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        if object.insert(name.to_string(), Value::String(value.into_owned())).is_some() {
            let wrong = Wrong::new("REPEATED", "is given twice");
            return Err(Error::Invalid(Invalid::one(&name, &wrong)).into());
        }
    }
    Ok(Query(Fields::new(object)))
}
