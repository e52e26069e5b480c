//! A pod that says back what it is told: sockets as the service has them, with an echo for a protocol.

use std::{
    error::Error,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, mpsc::sync_channel},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    rt::System,
    web::{self, Payload},
};
use party_gallery_actors::{
    kernel::Supervisor,
    realtime::{
        Action, Clerk, Config, Frame, Hub, Notices, Opening, Protocol, Received, Registry, on_connect,
        upgrade,
    },
};
use slog::{Discard, Logger, o};

/// What a pod is started with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Where it listens on the loopback; 0 is any.
    pub(crate) port: u16,
    /// The longest message, in bytes.
    pub(crate) message_bytes: usize,
    /// How often a client is pinged.
    pub(crate) ping_every: Duration,
    /// How long a client may leave a ping unanswered.
    pub(crate) answer_within: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let Config { ping_every, answer_within, .. } = Config::default();
        Self { port: 3000, message_bytes: 16 * 1024 * 1024, ping_every, answer_within }
    }
}

impl Options {
    /// The limits and times of the service, but for what a suite needs: long messages, and time for who has no token.
    fn config(&self) -> Config {
        const DAY: Duration = Duration::from_secs(86_400);
        Config {
            message_bytes: self.message_bytes,
            outbox_bytes: self.message_bytes.saturating_mul(2),
            unauthenticated_per_address: 10_000,
            authenticate_within: DAY,
            ping_every: self.ping_every,
            answer_within: self.answer_within,
            ..Config::default()
        }
    }
}

/// Says everything back as it came.
struct Echo;

impl Protocol for Echo {
    fn on_received(&mut self, received: Received, _: Instant) -> Vec<Action> {
        match received {
            Received::Text(text) => vec![Action::Send(Frame::text(String::from_utf8_lossy(&text)))],
            Received::Binary(bytes) => vec![Action::Send(Frame::binary(bytes))],
            Received::Other => Vec::new(),
        }
    }

    fn on_crowded(&mut self, received: Received, now: Instant) -> Vec<Action> {
        self.on_received(received, now)
    }
}

/// Suites know none of the service's words.
struct Silence;

impl Notices for Silence {
    fn expiring(&self) -> Option<Frame> {
        None
    }

    fn draining(&self, _: Duration) -> Option<Frame> {
        None
    }
}

async fn open(request: HttpRequest, payload: Payload, registry: web::Data<Registry>) -> HttpResponse {
    let Some(peer) = request.peer_addr() else { return HttpResponse::BadRequest().finish() };
    let opening =
        Opening { protocol: Box::new(Echo), notices: Arc::new(Silence), address: peer.ip(), identity: None };
    upgrade(&request, payload, opening, &registry.into_inner(), &silent())
        .unwrap_or_else(|_refused| HttpResponse::BadRequest().finish())
}

fn silent() -> Logger {
    Logger::root(Discard, o!())
}

/// A pod that says back what it is told.
pub(crate) struct Pod {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    supervisor: Supervisor,
    server: ServerHandle,
    thread: JoinHandle<io::Result<()>>,
}

impl Pod {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// When the port is taken, or a thread cannot be had.
    pub(crate) async fn start(options: Options) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let registry = Registry::new(options.config());
        let supervisor = Supervisor::start(silent())?;
        supervisor.add(Hub::child(Arc::clone(&registry))).await?;
        supervisor.add(Clerk::child(&registry)).await?;
        let data = web::Data::from(registry);
        let (sender, receiver) = sync_channel(1);
        let thread = thread::Builder::new().name("conformance".to_owned()).spawn(move || {
            System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    App::new().app_data(data.clone()).route("/", web::get().to(open))
                })
                .on_connect(on_connect)
                // A suite that is starved is not sent away
                .client_request_timeout(Duration::from_secs(60))
                // Suites wait half a second for the end of a connection that they have broken
                .client_disconnect_timeout(Duration::from_millis(300))
                .disable_signals()
                .h1_allow_half_closed(false)
                .bind((Ipv4Addr::LOCALHOST, options.port))?;
                let addresses = server.addrs();
                let server = server.run();
                // Nobody hears of it when nobody waits any more
                _ = sender.send((addresses, server.handle()));
                server.await
            })
        })?;
        let Ok((addresses, server)) = receiver.recv() else {
            thread.join().map_err(|_panic| "the server failed")??;
            return Err("the server ended".into());
        };
        let address = addresses.first().copied().ok_or("it listens nowhere")?;
        Ok(Self { address, supervisor, server, thread })
    }

    /// Stops it, and waits for its end.
    ///
    /// # Errors
    ///
    /// When the server has failed.
    pub(crate) async fn stop(self) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.server.stop(false).await;
        self.supervisor.stop_all().await;
        self.thread.join().map_err(|_panic| "the server failed")??;
        Ok(())
    }
}
