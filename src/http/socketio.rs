//! `/socket.io/`: Engine.IO over requests and sockets, with the service's own conversation in it.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use party_gallery_actors::realtime::{UpgradeError, engine};
use slog::warn;

use super::{
    access::client_address,
    problem::{Code, Problem},
    ws::{Sockets, is_welcome, refused},
};
use crate::realtime::open_socketio;

/// Opens a session, carries what one says, or lets a socket carry one.
///
/// # Errors
///
/// A strange origin, no room, a pod that drains. What is wrong in the protocol's terms is answered in its words.
pub async fn serve(
    request: HttpRequest,
    payload: web::Payload,
    sockets: web::Data<Sockets>,
) -> Result<HttpResponse, Problem> {
    if !is_welcome(&request, &sockets.origins) {
        return Err(Problem::new(Code::Forbidden, "Pages of this origin may not open sockets here"));
    }
    let Some(peer) = request.peer_addr() else {
        return Err(Problem::new(Code::Unavailable, "The connection is gone"));
    };
    let address = client_address(peer.ip(), request.headers(), &sockets.trusted_proxies);
    let open = || {
        let (authenticator, rooms) = (Arc::clone(&sockets.authenticator), sockets.rooms.clone());
        (draw(), open_socketio(authenticator, rooms, address, draw()))
    };
    let served = engine::serve(&request, payload, &sockets.registry, &sockets.log, open).await;
    served.map_err(|error| match error {
        UpgradeError::Refused(why) => refused(why),
        error => {
            warn!(sockets.log, "Socket was not opened"; "error" => %error);
            Problem::new(Code::Internal, "The socket could not be opened")
        }
    })
}

/// A name of 144 random bits.
fn draw() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 18]>())
}
