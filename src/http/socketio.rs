//! `/socket.io/`: Engine.IO over requests and sockets, as its clients ask for it.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, StatusCode, header},
    web,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use party_gallery_actors::realtime::{
    Opening, UpgradeError,
    engine::{self, EngineError},
};
use serde::{Deserialize, Serialize};
use slog::warn;

use super::{
    access::client_address,
    problem::{Code, Problem},
    ws::{Sockets, is_welcome, refused},
};
use crate::realtime::open_socketio;

/// What the query says.
#[derive(Deserialize)]
struct Asked {
    #[serde(rename = "EIO")]
    version: Option<String>,
    transport: Option<String>,
    sid: Option<String>,
}

/// Why a request is refused in the protocol's own words, which clients and suites look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Complaint {
    code: u8,
    message: &'static str,
}

const NO_TRANSPORT: Complaint = Complaint { code: 0, message: "Transport unknown" };
const NO_SESSION: Complaint = Complaint { code: 1, message: "Session ID unknown" };
const BAD_METHOD: Complaint = Complaint { code: 2, message: "Bad handshake method" };
const BAD_REQUEST: Complaint = Complaint { code: 3, message: "Bad request" };
const BAD_VERSION: Complaint = Complaint { code: 5, message: "Unsupported protocol version" };

/// Opens a session, carries what one says, or lets a socket carry one.
///
/// # Errors
///
/// A strange origin, no room, a pod that drains. What is wrong in the protocol's terms is answered in its words, with 400 or
/// 413.
pub async fn serve(
    request: HttpRequest,
    payload: web::Payload,
    sockets: web::Data<Sockets>,
) -> Result<HttpResponse, Problem> {
    if !is_welcome(&request, &sockets.origins) {
        return Err(Problem::new(Code::Forbidden, "Pages of this origin may not open sockets here"));
    }
    let Ok(web::Query(Asked { version, transport, sid })) = web::Query::from_query(request.query_string())
    else {
        return Ok(complain(StatusCode::BAD_REQUEST, BAD_REQUEST));
    };
    if version.as_deref() != Some("4") {
        return Ok(complain(StatusCode::BAD_REQUEST, BAD_VERSION));
    }
    let registry = &sockets.registry;
    let is_get = request.method() == Method::GET;
    let served = match (transport.as_deref(), sid) {
        (Some("websocket"), Some(sid)) => engine::upgrade(&request, payload, &sid, registry),
        (Some("websocket"), None) => {
            let (sid, opening) = (draw(), open(&request, &sockets)?);
            engine::connect(&request, payload, &sid, opening, registry, &sockets.log)
        }
        (Some("polling"), Some(sid)) if is_get => engine::poll(&sid, registry).await.map(text),
        (Some("polling"), Some(sid)) if request.method() == Method::POST => {
            engine::post(&sid, payload, registry).await.map(|()| text("ok".to_owned()))
        }
        (Some("polling"), None) if is_get => {
            let opening = open(&request, &sockets)?;
            let opened = engine::handshake(&draw(), opening, registry, &sockets.log);
            opened.map(text).map_err(EngineError::Refused)
        }
        (Some("polling"), _) => return Ok(complain(StatusCode::BAD_REQUEST, BAD_METHOD)),
        _ => return Ok(complain(StatusCode::BAD_REQUEST, NO_TRANSPORT)),
    };
    served.or_else(|error| match error {
        EngineError::Unknown => Ok(complain(StatusCode::BAD_REQUEST, NO_SESSION)),
        EngineError::TooBig => Ok(complain(StatusCode::PAYLOAD_TOO_LARGE, BAD_REQUEST)),
        EngineError::Elsewhere
        | EngineError::Overlap
        | EngineError::Malformed
        | EngineError::Upgrade(UpgradeError::Handshake(_)) => {
            Ok(complain(StatusCode::BAD_REQUEST, BAD_REQUEST))
        }
        EngineError::Refused(why) | EngineError::Upgrade(UpgradeError::Refused(why)) => Err(refused(why)),
        EngineError::Upgrade(error @ UpgradeError::Uncuttable) => {
            warn!(sockets.log, "Socket was not opened"; "error" => %error);
            Err(Problem::new(Code::Internal, "The socket could not be opened"))
        }
    })
}

fn open(request: &HttpRequest, sockets: &Sockets) -> Result<Opening, Problem> {
    let Some(peer) = request.peer_addr() else {
        return Err(Problem::new(Code::Unavailable, "The connection is gone"));
    };
    let address = client_address(peer.ip(), request.headers(), &sockets.trusted_proxies);
    Ok(open_socketio(Arc::clone(&sockets.authenticator), sockets.rooms.clone(), address, draw()))
}

/// A name of 144 random bits.
fn draw() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 18]>())
}

fn text(body: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=UTF-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(body)
}

fn complain(status: StatusCode, complaint: Complaint) -> HttpResponse {
    HttpResponse::build(status).insert_header((header::CACHE_CONTROL, "no-store")).json(complaint)
}
