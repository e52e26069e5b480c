//! Where requests of Engine.IO come in: what their query asks for, and what they are told when it cannot be had.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, StatusCode, header},
    web::{Payload, Query},
};
use serde::Deserialize;
use slog::Logger;

use super::{
    error::EngineError,
    polling::{handshake, poll, post},
    socket::{connect, upgrade},
};
use crate::realtime::{Opening, Registry, UpgradeError};

/// What the query says.
#[derive(Deserialize)]
struct Asked {
    #[serde(rename = "EIO")]
    version: Option<String>,
    transport: Option<String>,
    sid: Option<String>,
}

/// Why a request is refused in the protocol's own words, which clients and suites look at.
type Complaint = (StatusCode, &'static str);

const NO_TRANSPORT: Complaint = (StatusCode::BAD_REQUEST, r#"{"code":0,"message":"Transport unknown"}"#);
const NO_SESSION: Complaint = (StatusCode::BAD_REQUEST, r#"{"code":1,"message":"Session ID unknown"}"#);
const BAD_METHOD: Complaint = (StatusCode::BAD_REQUEST, r#"{"code":2,"message":"Bad handshake method"}"#);
const BAD_REQUEST: Complaint = (StatusCode::BAD_REQUEST, r#"{"code":3,"message":"Bad request"}"#);
const TOO_BIG: Complaint = (StatusCode::PAYLOAD_TOO_LARGE, r#"{"code":3,"message":"Bad request"}"#);
const BAD_VERSION: Complaint =
    (StatusCode::BAD_REQUEST, r#"{"code":5,"message":"Unsupported protocol version"}"#);

/// Opens a session, carries what one says, or lets a socket carry one. `open` gives a new session and the id that its client
/// will show, which nobody can guess. What is wrong in the protocol's terms is answered in its words, with 400 or 413.
///
/// # Errors
///
/// `Refused`, `Uncuttable`.
pub async fn serve(
    request: &HttpRequest,
    payload: Payload,
    registry: &Arc<Registry>,
    log: &Logger,
    open: impl FnOnce() -> (String, Opening),
) -> Result<HttpResponse, UpgradeError> {
    let Ok(Query(Asked { version, transport, sid })) = Query::from_query(request.query_string()) else {
        return Ok(complain(BAD_REQUEST));
    };
    if version.as_deref() != Some("4") {
        return Ok(complain(BAD_VERSION));
    }
    let served = match (transport.as_deref(), sid, request.method()) {
        (Some("websocket"), Some(sid), _) => upgrade(request, payload, &sid, registry),
        (Some("websocket"), None, _) => {
            let (sid, opening) = open();
            connect(request, payload, &sid, opening, registry, log)
        }
        (Some("polling"), Some(sid), &Method::GET) => poll(&sid, registry).await.map(text),
        (Some("polling"), Some(sid), &Method::POST) => {
            post(&sid, payload, registry).await.map(|()| text("ok".to_owned()))
        }
        (Some("polling"), None, &Method::GET) => {
            let (sid, opening) = open();
            handshake(&sid, opening, registry, log).map(text).map_err(EngineError::Refused)
        }
        (Some("polling"), ..) => return Ok(complain(BAD_METHOD)),
        _ => return Ok(complain(NO_TRANSPORT)),
    };
    served.or_else(|error| match error {
        EngineError::Unknown => Ok(complain(NO_SESSION)),
        EngineError::TooBig => Ok(complain(TOO_BIG)),
        EngineError::Elsewhere
        | EngineError::Overlap
        | EngineError::Malformed
        | EngineError::Upgrade(UpgradeError::Handshake(_)) => Ok(complain(BAD_REQUEST)),
        EngineError::Refused(why) => Err(UpgradeError::Refused(why)),
        EngineError::Upgrade(error) => Err(error),
    })
}

fn text(body: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=UTF-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(body)
}

fn complain((status, body): Complaint) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(body)
}
