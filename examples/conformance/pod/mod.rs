//! A pod without a service: its sockets and its codecs, with an echo and a small application for a protocol.

mod application;
mod echo;
mod halls;

use std::{
    error::Error,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, mpsc::sync_channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    rt::System,
    web::{self, Payload},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use party_gallery_actors::{
    kernel::Supervisor,
    realtime::{Clerk, Config, Hub, Registry, engine, on_connect, upgrade},
};
use slog::{Discard, Logger, o};

use echo::Echo;
use halls::Halls;

/// What a pod is started with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Where it listens on the loopback; 0 is any.
    pub(crate) port: u16,
    /// The longest message on a bare WebSocket, in bytes.
    pub(crate) message_bytes: usize,
    /// The longest body and message of Engine.IO, in bytes.
    pub(crate) payload_bytes: usize,
    /// How often a client of Engine.IO is pinged.
    pub(crate) ping_every: Duration,
    /// How long it may leave a ping unanswered.
    pub(crate) answer_within: Duration,
    /// How long a client of Socket.IO may take until it is in a namespace.
    pub(crate) connect_within: Duration,
}

impl Default for Options {
    /// What suites expect.
    fn default() -> Self {
        Self {
            port: 3000,
            message_bytes: 16 * 1024 * 1024,
            payload_bytes: 1_000_000,
            ping_every: Duration::from_millis(300),
            answer_within: Duration::from_millis(200),
            connect_within: Duration::from_secs(1),
        }
    }
}

impl Options {
    /// The limits and times of the service, but for what a suite needs: long messages and many sessions of one address.
    fn bare(&self) -> Config {
        Config {
            message_bytes: self.message_bytes,
            outbox_bytes: self.message_bytes.saturating_mul(2),
            unauthenticated_per_address: Config::default().sessions,
            ..Config::default()
        }
    }

    /// As a bare socket's, but for the times; and bodies of many packets, for nobody counts them by the second.
    fn engine(&self) -> Config {
        Config {
            message_bytes: self.payload_bytes,
            payload_bytes: self.payload_bytes,
            payload_packets: 4_096,
            outbox_bytes: self.payload_bytes.saturating_mul(4),
            outbox_frames: 8_192,
            ping_every: self.ping_every,
            answer_within: self.answer_within,
            authenticate_within: self.connect_within,
            sweep_every: Duration::from_millis(10),
            ..self.bare()
        }
    }
}

async fn bare(request: HttpRequest, payload: Payload, half: web::Data<Bare>) -> HttpResponse {
    let Some(peer) = request.peer_addr() else { return HttpResponse::BadRequest().finish() };
    let opened = upgrade(&request, payload, Echo::Plain.open(peer.ip()), &half.0, &silent());
    opened.unwrap_or_else(|_refused| HttpResponse::BadRequest().finish())
}

async fn engine_io(request: HttpRequest, payload: Payload, half: web::Data<Engine>) -> HttpResponse {
    let Some(peer) = request.peer_addr() else { return HttpResponse::BadRequest().finish() };
    let open = || (draw(), Echo::Engine.open(peer.ip()));
    let served = engine::serve(&request, payload, &half.registry, &silent(), open).await;
    served.unwrap_or_else(|_refused| HttpResponse::ServiceUnavailable().finish())
}

async fn socket_io(request: HttpRequest, payload: Payload, half: web::Data<Engine>) -> HttpResponse {
    let Some(peer) = request.peer_addr() else { return HttpResponse::BadRequest().finish() };
    let max_bytes = half.registry.config().payload_bytes;
    let open = || (draw(), application::open(Arc::clone(&half.halls), peer.ip(), max_bytes));
    let served = engine::serve(&request, payload, &half.registry, &silent(), open).await;
    served.unwrap_or_else(|_refused| HttpResponse::ServiceUnavailable().finish())
}

/// A name that nobody can guess.
fn draw() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 18]>())
}

fn silent() -> Logger {
    Logger::root(Discard, o!())
}

/// The bare sockets.
struct Bare(Arc<Registry>);

/// The sessions of Engine.IO, which have limits and times of their own.
struct Engine {
    registry: Arc<Registry>,
    halls: Arc<Halls>,
}

/// A pod without a service.
pub(crate) struct Pod {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    supervisors: [Supervisor; 2],
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
        let (bare_half, engine_half) = (Registry::new(options.bare()), Registry::new(options.engine()));
        let supervisors = [watch(&bare_half).await?, watch(&engine_half).await?];
        let halls = Halls::new(&engine_half);
        let bare_half = web::Data::new(Bare(bare_half));
        let engine_half = web::Data::new(Engine { registry: engine_half, halls });
        let (sender, receiver) = sync_channel(1);
        let thread = thread::Builder::new().name("conformance".to_owned()).spawn(move || {
            System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    App::new()
                        .app_data(bare_half.clone())
                        .app_data(engine_half.clone())
                        .route("/", web::get().to(bare))
                        .route("/engine.io/", web::route().to(engine_io))
                        .route("/socket.io/", web::route().to(socket_io))
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
        Ok(Self { address, supervisors, server, thread })
    }

    /// Stops it, and waits for its end.
    ///
    /// # Errors
    ///
    /// When the server has failed.
    pub(crate) async fn stop(self) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.server.stop(false).await;
        for supervisor in self.supervisors {
            supervisor.stop_all().await;
        }
        self.thread.join().map_err(|_panic| "the server failed")??;
        Ok(())
    }
}

/// Starts who looks after the sessions of a registry.
async fn watch(registry: &Arc<Registry>) -> Result<Supervisor, Box<dyn Error + Send + Sync>> {
    let supervisor = Supervisor::start(silent())?;
    supervisor.add(Hub::child(Arc::clone(registry))).await?;
    supervisor.add(Clerk::child(registry)).await?;
    Ok(supervisor)
}
