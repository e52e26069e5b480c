//! One WebSocket: the only file that knows actix-web-actors, which writes its frames and reads none of them.
//!
//! The session actor is the body of the response to its upgrade, so it runs only while its socket takes bytes. It
//! takes from its outbox one batch for each time that the socket asks: nothing piles up between the two.
//!
//! *Invariant:* nothing waits for a session; all that must happen to one whose client reads nothing is done by the
//! sweeper. Sessions are never restarted: the client comes back.

use std::{
    cell::Cell,
    collections::VecDeque,
    error::Error as StdError,
    net::IpAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use actix::{
    Actor, ActorContext, ActorFuture, ActorFutureExt, AsyncContext, StreamHandler, fut::wrap_future,
};
use actix_web::{
    HttpRequest, HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    web::Payload,
};
use actix_web_actors::ws::{
    self, CloseCode, CloseReason, HandshakeError, Message, ProtocolError, WebsocketContext,
};
use bytes::Bytes;
use futures_util::stream;
use slog::{Logger, error};
use tokio::{sync::oneshot, time::timeout};

use super::{
    close::Close,
    cut,
    decoder::Incoming,
    inbound::Inbound,
    outbox::Batch,
    protocol::{Action, Identity, Notices, Protocol, Received},
    registry::{Membership, Registry},
    sessions::Refused,
};

/// How much longer than the clerk's deadline a session waits for its answer.
const CLERK_MARGIN: Duration = Duration::from_secs(1);

/// About how many bytes the socket is handed at once.
const BATCH_BYTES: usize = 16 * 1024;

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
    let mut response = ws::handshake(request).map_err(UpgradeError::Handshake)?;
    let cut = cut::of(request).ok_or(UpgradeError::Uncuttable)?;
    let Opening { protocol, notices, address, identity } = opening;
    let membership = registry
        .open(address, identity, cut, notices, Instant::now())
        .map(Rc::new)
        .map_err(UpgradeError::Refused)?;
    let inbound = Inbound::new(payload, registry.config().message_bytes, Arc::clone(&membership.entry));
    let may_take = Rc::new(Cell::new(false));
    let session = Session {
        membership: Rc::clone(&membership),
        protocol,
        is_running: false,
        waiting: VecDeque::new(),
        waiting_bytes: 0,
        may_take: Rc::clone(&may_take),
        log: log.clone(),
    };
    // It would read leniently and late: it is given nothing to read
    let actor = WebsocketContext::with_factory(stream::pending(), |socket| {
        socket.add_stream(inbound);
        session
    });
    let response = response.streaming(actor);
    Ok(response.map_body(|_, body| BoxBody::new(Body { body, may_take, membership })))
}

/// The session actor.
struct Session {
    membership: Rc<Membership>,
    protocol: Box<dyn Protocol>,
    /// Whether an answer takes time, and what came meanwhile.
    is_running: bool,
    waiting: VecDeque<(Received, Instant)>,
    waiting_bytes: usize,
    /// Whether the socket has asked for more since the last batch.
    may_take: Rc<Cell<bool>>,
    log: Logger,
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
        let now = Instant::now();
        let entry = &self.membership.entry;
        if entry.outbox.closing().is_some() {
            return;
        }
        match incoming {
            Ok(Incoming::Message(received)) => self.receive(received, now, socket),
            Ok(Incoming::Ping(payload)) => {
                entry.outbox.pong(payload);
                self.receive(Received::Other, now, socket);
            }
            Ok(Incoming::Goodbye) => {
                entry.note_goodbye();
                entry.outbox.close(Close::NORMAL, now);
            }
            Err(Close::TOO_BIG) => entry.outbox.close_at_once(Close::TOO_BIG, now),
            // What came before it was right and keeps its answer
            Err(close) => entry.outbox.close(close, now),
        }
    }
}

/// What actix-web-actors reads: nothing.
impl StreamHandler<Result<Message, ProtocolError>> for Session {
    fn handle(&mut self, _: Result<Message, ProtocolError>, _: &mut Socket) {}
}

impl Session {
    /// Serves what came, in its turn.
    fn receive(&mut self, received: Received, now: Instant, socket: &mut Socket) {
        if !self.is_running || received == Received::Other {
            self.serve(now, socket, |protocol| protocol.on_received(received, now));
        } else if self.has_room_for(&received) {
            self.waiting_bytes += received.len();
            self.waiting.push_back((received, now));
        } else {
            self.serve(now, socket, |protocol| protocol.on_crowded(received, now));
        }
    }

    /// Whether one more may wait for the answer that takes time.
    fn has_room_for(&self, received: &Received) -> bool {
        let config = self.membership.registry.config();
        self.waiting.len() < config.waiting_messages
            && self.waiting_bytes + received.len() <= config.waiting_bytes
    }

    /// Lets the protocol decide, and does what it says.
    fn serve(
        &mut self,
        now: Instant,
        socket: &mut Socket,
        decide: impl FnOnce(&mut dyn Protocol) -> Vec<Action>,
    ) {
        let protocol = &mut *self.protocol;
        let Ok(actions) = catch_unwind(AssertUnwindSafe(|| decide(protocol))) else {
            let entry = &self.membership.entry;
            error!(self.log, "Session failed"; "session" => ?entry.id);
            return entry.outbox.close_at_once(Close::INTERNAL, now);
        };
        self.perform(actions, now, socket);
    }

    fn perform(&mut self, actions: Vec<Action>, now: Instant, socket: &mut Socket) {
        let membership = Rc::clone(&self.membership);
        let (registry, entry) = (&membership.registry, &membership.entry);
        for action in actions {
            match action {
                // Full: it is being closed for that already
                Action::Send(frame) => _ = entry.outbox.push(frame, now),
                Action::Close(close) => entry.outbox.close(close, now),
                Action::Identify(identity) => {
                    if !registry.identify(entry, identity) {
                        entry.outbox.close(Close::TOO_MANY, now);
                    }
                }
                Action::Run { work, otherwise } => match registry.desk.leave(work) {
                    Some(answer) => self.await_answer(answer, otherwise, socket),
                    None => self.perform(otherwise, now, socket),
                },
                Action::Join(join) => registry.topics.join(entry, join, now),
                Action::Leave(topic, room) => registry.topics.leave(entry, topic, room, now),
                Action::Show(show) => {
                    let follows = registry.topics.show(entry, show, now);
                    self.perform(follows, now, socket);
                }
            }
        }
    }

    /// Does what the work gives, and then serves what came meanwhile, up to the next that takes time.
    fn await_answer(
        &mut self,
        answer: oneshot::Receiver<Vec<Action>>,
        otherwise: Vec<Action>,
        socket: &mut Socket,
    ) {
        self.is_running = true;
        // The clerk has the deadline; this one is for a clerk that does not come to it
        let deadline = self.membership.registry.config().answer_deadline + CLERK_MARGIN;
        let answered = async move {
            let answered = timeout(deadline, answer).await;
            answered.ok().and_then(Result::ok).unwrap_or(otherwise)
        };
        let then = wrap_future(answered).map(|actions, session: &mut Self, socket: &mut Socket| {
            session.is_running = false;
            session.perform(actions, Instant::now(), socket);
            while !session.is_running
                // What waits behind a close is not served any more, as what comes after it is not
                && session.membership.entry.outbox.closing().is_none()
                && let Some((received, at)) = session.waiting.pop_front()
            {
                session.waiting_bytes -= received.len();
                session.serve(at, socket, |protocol| protocol.on_received(received, at));
            }
        });
        socket.spawn(then);
    }

    /// Hands a batch to the socket.
    fn send(&self, batch: Batch, socket: &mut Socket) {
        self.membership.entry.note_delivered(batch.frames.len());
        if batch.ping {
            socket.ping(&[]);
        }
        for payload in batch.pongs {
            socket.write_raw(Message::Pong(payload));
        }
        for frame in batch.frames {
            match frame.bytes().clone().try_into() {
                Ok(text) if frame.is_text() => socket.write_raw(Message::Text(text)),
                _ => socket.binary(frame.bytes().clone()),
            }
        }
        if let Some(close) = batch.close {
            let description = Some(close.reason).filter(|reason| !reason.is_empty()).map(str::to_owned);
            socket.close(Some(CloseReason { code: CloseCode::from(close.code), description }));
            socket.stop();
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
        if session.may_take.get() {
            let batch = session.membership.entry.outbox.take(BATCH_BYTES, task.waker());
            if !batch.is_empty() {
                session.may_take.set(false);
                session.send(batch, socket);
            }
        }
        Poll::Pending
    }
}

/// The session as the body of a response: notes when its socket asks for more and when it is gone.
struct Body {
    body: BoxBody,
    may_take: Rc<Cell<bool>>,
    membership: Rc<Membership>,
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
        self.may_take.set(true);
        let polled = Pin::new(&mut self.body).poll_next(task);
        if let Poll::Ready(Some(Ok(_))) = polled {
            self.membership.entry.note_out(Instant::now());
        }
        polled
    }
}
