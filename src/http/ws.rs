//! `GET /ws`: turns a request into a session, or tells why not.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{HOST, ORIGIN},
    web,
};
use party_gallery_actors::realtime::{Refused, Registry, UpgradeError, upgrade};
use slog::{Logger, warn};

use super::{
    access::client_address,
    caller::principal,
    problem::{Code, Problem},
};
use crate::{
    config::{Networks, Origin},
    realtime::{Authenticator, Rooms, open},
};

/// What sockets need.
#[derive(Clone)]
pub struct Sockets {
    /// Where sessions are kept.
    pub registry: Arc<Registry>,
    /// Who knows whose a token is.
    pub authenticator: Arc<dyn Authenticator>,
    /// Who lets sessions into the rooms of parties; without it there are none.
    pub rooms: Option<Arc<dyn Rooms>>,
    /// Pages from there may open sockets, beside those of the request's own host.
    pub origins: Vec<Origin>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Networks,
    /// Where sessions log.
    pub log: Logger,
}

/// Opens a session for who the `Authorization` header names, or for somebody who has to tell within 5 s.
///
/// # Errors
///
/// A bad token, a strange origin, a request that is no upgrade, or no room.
pub async fn ws(
    request: HttpRequest,
    payload: web::Payload,
    sockets: web::Data<Sockets>,
) -> Result<HttpResponse, Problem> {
    if !is_welcome(&request, &sockets.origins) {
        return Err(Problem::new(Code::Forbidden, "Pages of this origin may not open sockets here"));
    }
    let caller = principal(request.headers(), &*sockets.authenticator)?;
    if let Some((caller, rooms)) = caller.zip(sockets.rooms.as_ref())
        && rooms.recognize(caller).await.is_err()
    {
        return Err(Problem::new(Code::Unauthenticated, "The token is not valid any more"));
    }
    let Some(peer) = request.peer_addr() else {
        return Err(Problem::new(Code::Unavailable, "The connection is gone"));
    };
    let address = client_address(peer.ip(), request.headers(), &sockets.trusted_proxies);
    let opening =
        open(Arc::clone(&sockets.authenticator), sockets.rooms.clone(), caller, address, Instant::now());
    upgrade(&request, payload, opening, &sockets.registry, &sockets.log).map_err(|error| match error {
        UpgradeError::Handshake(_) => Problem::new(Code::MalformedBody, "A WebSocket upgrade is expected"),
        UpgradeError::Refused(why) => refused(why),
        error => {
            warn!(sockets.log, "Socket was not opened"; "error" => %error);
            Problem::new(Code::Internal, "The socket could not be opened")
        }
    })
}

/// Why there is no room.
pub(super) fn refused(why: Refused) -> Problem {
    match why {
        Refused::TooManyUnauthenticated => {
            Problem::new(Code::RateLimited, "Too many sockets of this address have not authenticated")
                .retry_after(Duration::from_secs(5))
        }
        Refused::Draining => Problem::new(Code::Unavailable, "This pod is going away")
            .retry_after(Duration::from_secs(1))
            .closing(),
        Refused::Full => Problem::new(Code::Unavailable, "This pod takes no more sockets")
            .retry_after(Duration::from_secs(5)),
    }
}

/// Browsers name the page's origin; what is no browser names none.
pub(super) fn is_welcome(request: &HttpRequest, origins: &[Origin]) -> bool {
    let Some(origin) = request.headers().get(ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let is_own =
        |host: &str| origin.split_once("://").is_some_and(|(_, named)| named.eq_ignore_ascii_case(host));
    host.is_some_and(is_own) || origins.iter().any(|known| known.as_str() == origin)
}
