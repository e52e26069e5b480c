//! One WebSocket: the only file that knows actix-web-actors, which writes its frames and reads none of them.
//!
//! The session actor is the body of the response to its upgrade, so it runs only while its socket takes bytes. It
//! takes from its outbox one batch for each time that the socket asks: nothing piles up between the two.
//!
//! Once its connection has taken all that the response was given, whoever leaves something in the outbox writes it to the
//! connection past the actor, until that takes no more: see `outbox/short.rs`.
//!
//! *Invariant:* nothing waits for a session; all that must happen to one whose client reads nothing is done by the
//! sweeper. Sessions are never restarted: the client comes back.

use std::{
    cell::Cell,
    error::Error as StdError,
    net::IpAddr,
    pin::Pin,
    rc::Rc,
    sync::{Arc, Weak},
    task::{Context, Poll},
    time::Instant,
};

use actix::{Actor, ActorContext, ActorFuture, AsyncContext, StreamHandler};
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    body::{BodySize, BoxBody, MessageBody},
    web::Payload,
};
use actix_web_actors::ws::{
    self, CloseCode, CloseReason, HandshakeError, Message, ProtocolError, WebsocketContext,
};
use bytes::Bytes;
use futures_util::stream;
use slog::Logger;

use super::{
    close::Close,
    cut::{self, Cut},
    decoder::Incoming,
    dialogue::Dialogue,
    end::{End, Plain, Said},
    inbound::Inbound,
    outbox::Rest,
    protocol::{Identity, Notices, Protocol},
    registry::Registry,
    sessions::Refused,
};

/// What a session is opened with.
pub struct Opening {
    /// What its frames mean.
    pub protocol: Box<dyn Protocol>,
    /// The words of the sweeper.
    pub notices: Arc<dyn Notices>,
    /// Where the client is, for the limit on unauthenticated sessions.
    pub address: IpAddr,
    /// Who speaks, if the request has told.
    pub identity: Option<Identity>,
}

/// Why a request became no session.
#[derive(Debug, thiserror::Error)]
pub enum UpgradeError {
    /// It is not a WebSocket handshake.
    #[error("not a WebSocket handshake")]
    Handshake(#[source] HandshakeError),
    /// There is no room for it.
    #[error("no room for a session")]
    Refused(#[source] Refused),
    /// Its connection could not be cut: [`super::on_connect`] is not installed, or there are no descriptors left.
    #[error("the connection cannot be cut")]
    Uncuttable,
}

/// Makes a session out of a request: registers it and gives the response that is its socket.
///
/// # Errors
///
/// [`UpgradeError`]; nothing is registered then.
pub fn upgrade(
    request: &HttpRequest,
    payload: Payload,
    opening: Opening,
    registry: &Arc<Registry>,
    log: &Logger,
) -> Result<HttpResponse, UpgradeError> {
    let (response, cut) = shake_hands(request)?;
    let connection = Weak::clone(&cut);
    let Opening { protocol, notices, address, identity } = opening;
    let membership = registry
        .open(address, identity, (cut, false), notices, Instant::now())
        .map_err(UpgradeError::Refused)?;
    let dialogue = Dialogue::new(membership, protocol, log.clone());
    Ok(carry(response, payload, connection, Rc::new(Plain(dialogue)), registry.config().message_bytes))
}

/// The response that is a socket with `end` on our side.
pub(super) fn carry(
    mut response: HttpResponseBuilder,
    payload: Payload,
    connection: Weak<Cut>,
    end: Rc<dyn End>,
    max_message: usize,
) -> HttpResponse {
    let inbound = Inbound::new(payload, max_message, Arc::clone(end.entry()));
    let may_take = Rc::new(Cell::new(false));
    let session = Session { end: Rc::clone(&end), may_take: Rc::clone(&may_take) };
    // It would read leniently and late: it is given nothing to read
    let actor = WebsocketContext::with_factory(stream::pending(), |socket| {
        socket.add_stream(inbound);
        session
    });
    let response = response.streaming(actor);
    response.map_body(|_, body| BoxBody::new(Body { body, may_take, way: Track::default(), connection, end }))
}

/// Begins the response to a request for a socket, and finds how its connection is cut.
pub(super) fn shake_hands(request: &HttpRequest) -> Result<(HttpResponseBuilder, Weak<Cut>), UpgradeError> {
    let response = ws::handshake(request).map_err(UpgradeError::Handshake)?;
    let cut = cut::of(request).ok_or(UpgradeError::Uncuttable)?;
    Ok((response, cut))
}

/// The session actor.
struct Session {
    end: Rc<dyn End>,
    /// Whether the socket has asked for more since the last batch.
    may_take: Rc<Cell<bool>>,
}

type Socket = WebsocketContext<Session>;

impl Actor for Session {
    type Context = Socket;

    fn started(&mut self, socket: &mut Socket) {
        socket.spawn(Outflow);
    }
}

impl StreamHandler<Result<Incoming, Close>> for Session {
    fn handle(&mut self, incoming: Result<Incoming, Close>, socket: &mut Socket) {
        if self.end.entry().outbox.closing().is_none() {
            let said = self.end.hear(incoming, Instant::now());
            write(said, socket);
        }
    }
}

/// What actix-web-actors reads: nothing.
impl StreamHandler<Result<Message, ProtocolError>> for Session {
    fn handle(&mut self, _: Result<Message, ProtocolError>, _: &mut Socket) {}
}

/// Hands that to the socket.
fn write(said: Vec<Said>, socket: &mut Socket) {
    for said in said {
        match said {
            Said::Ping => socket.ping(&[]),
            Said::Pong(payload) => socket.write_raw(Message::Pong(payload)),
            Said::Binary(bytes) => socket.binary(bytes),
            Said::Text(text) => match text.clone().try_into() {
                Ok(text) => socket.write_raw(Message::Text(text)),
                Err(_not_utf8) => socket.binary(text),
            },
            Said::Close(close) => {
                let description = Some(close.reason).filter(|reason| !reason.is_empty()).map(str::to_owned);
                socket.close(Some(CloseReason { code: CloseCode::from(close.code), description }));
                socket.stop();
            }
        }
    }
}

/// Takes from the outbox when the socket asks, as long as the session lives.
struct Outflow;

impl ActorFuture<Session> for Outflow {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        session: &mut Session,
        socket: &mut Socket,
        task: &mut Context<'_>,
    ) -> Poll<()> {
        if session.end.carries() {
            session.end.entry().write(Instant::now());
        }
        if session.may_take.get() {
            let said = session.end.speak(task.waker());
            if !said.is_empty() {
                session.may_take.set(false);
                write(said, socket);
            }
        }
        Poll::Pending
    }
}

/// The session as the body of a response: notes when its socket asks for more, what it was given, and when it is gone.
struct Body {
    body: BoxBody,
    may_take: Rc<Cell<bool>>,
    way: Track,
    connection: Weak<Cut>,
    end: Rc<dyn End>,
}

/// What is known of the bytes that the response has been given.
#[derive(Clone, Copy, Debug, Default)]
enum Track {
    /// Nothing: it was never asked for any.
    #[default]
    New,
    /// The response's head is being written; the kernel had taken so many bytes before.
    Head(Option<u64>),
    /// They are all written once the kernel has taken so many. `None`: nobody knows.
    Upto(Option<u64>),
}

impl Body {
    /// Finds out whether all is written that the response was given. Gives what it has to be given first.
    fn follow(&mut self) -> Option<Bytes> {
        let entry = self.end.entry();
        if !self.end.carries() {
            return None;
        }
        if let Some(Rest { bytes, accepted }) = entry.outbox.take_rest() {
            self.way = Track::Upto(accepted);
            return Some(bytes).filter(|bytes| !bytes.is_empty());
        }
        if let Track::Upto(Some(upto)) = self.way
            && !entry.outbox.is_short()
            && self.accepted().is_some_and(|accepted| accepted >= upto)
        {
            entry.outbox.shorten();
        }
        None
    }

    /// How many bytes the kernel has taken of what was written to the connection.
    fn accepted(&self) -> Option<u64> {
        self.connection.upgrade()?.accepted()
    }

    fn give(&mut self, bytes: &Bytes) {
        if let Track::Upto(Some(upto)) = &mut self.way {
            *upto += bytes.len() as u64;
        }
        self.end.entry().note_out(Instant::now());
    }
}

impl MessageBody for Body {
    type Error = Box<dyn StdError>;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        match self.way {
            Track::New => {
                // The head goes alone, so that it is known when it is written
                self.way = Track::Head(self.accepted());
                task.waker().wake_by_ref();
                return Poll::Pending;
            }
            Track::Head(before) => {
                // A client that waits for its answers has room for a head: taken in part means taken
                let now = self.accepted().zip(before).filter(|(now, before)| now > before);
                self.way = Track::Upto(now.map(|(now, _)| now));
            }
            Track::Upto(_) => {}
        }
        if let Some(bytes) = self.follow() {
            self.give(&bytes);
            return Poll::Ready(Some(Ok(bytes)));
        }
        self.may_take.set(true);
        let polled = Pin::new(&mut self.body).poll_next(task);
        if let Poll::Ready(Some(Ok(bytes))) = &polled {
            self.give(bytes);
        }
        polled
    }
}
