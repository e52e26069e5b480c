//! The actor that keeps one private server running.
//!
//! *Invariant:* it owns its server and ends with it, so that the kernel decides when there is another; where the server
//! is does not depend on whether it runs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix::{
    Actor, ActorContext as _, ActorFutureExt as _, AsyncContext as _, Context, Handler, Message,
    ResponseFuture, Supervised, WrapFuture as _,
};
use party_gallery_actors::kernel::{Child, Exhausted, Life};
use slog::{error, info, warn};
use tokio::sync::oneshot;

use super::{Error, Launcher, PostgresConfig, RedisConfig, Server, Stopped};

/// How long a start may take: the first one's initdb alone takes seconds on a slow disk.
const START_WITHIN: Duration = Duration::from_secs(60);

/// How long a server may take to close what is open before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Which server is kept, and how.
#[derive(Debug, Clone)]
pub enum Kept {
    /// A private PostgreSQL.
    Postgres(PostgresConfig),
    /// A private Redis.
    Redis(RedisConfig),
}

impl Kept {
    async fn start(&self, launcher: &Launcher) -> Result<Server, Error> {
        match self {
            Self::Postgres(config) => config.start(launcher, START_WITHIN).await,
            Self::Redis(config) => config.start(launcher, START_WITHIN).await,
        }
    }
}

/// What every life of a keeper is given.
#[derive(Debug)]
struct Post {
    kept: Kept,
    launcher: Launcher,
    draining: Arc<AtomicBool>,
}

/// Starts its server, and fails when the server does.
#[derive(Debug)]
pub struct Keeper {
    life: Life<Self>,
    post: Arc<Post>,
    /// How the one who is with the server is asked to stop it; `None` when there is none.
    asks: Option<oneshot::Sender<oneshot::Sender<Stopped>>>,
}

impl Keeper {
    /// A child that keeps that server running until the service is `draining`: from then on none is started.
    /// Exhausted, it goes on trying.
    pub fn child(
        name: &'static str,
        kept: Kept,
        launcher: &Launcher,
        draining: &Arc<AtomicBool>,
    ) -> Child<Self> {
        let (launcher, draining) = (launcher.clone(), Arc::clone(draining));
        let post = Arc::new(Post { kept, launcher, draining });
        Child::new(name, move |life| Self { life, post: Arc::clone(&post), asks: None })
            .on_exhausted(Exhausted::Degrade)
    }
}

impl Actor for Keeper {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        if self.post.draining.load(Ordering::Acquire) {
            return;
        }
        let (ask, asked) = oneshot::channel();
        self.asks = Some(ask);
        let kept = keep(self.life.clone(), Arc::clone(&self.post), asked);
        context.spawn(kept.into_actor(self).map(|end, _, context| match end {
            End::Lost => context.stop(),
            End::Over => {}
        }));
    }
}

impl Supervised for Keeper {
    fn restarting(&mut self, _: &mut Context<Self>) {
        *self = self.life.reborn();
    }
}

/// Asks the keeper to stop its server for good. `None`: there is none to be stopped.
#[derive(Debug)]
pub struct StopServer;

impl StopServer {
    /// How long the answer may take: the server's own time, and a moment to kill it.
    pub const WITHIN: Duration = Duration::from_secs(STOP_WITHIN.as_secs() + 2);
}

impl Message for StopServer {
    type Result = Option<Stopped>;
}

impl Handler<StopServer> for Keeper {
    type Result = ResponseFuture<Option<Stopped>>;

    fn handle(&mut self, _: StopServer, _: &mut Context<Self>) -> Self::Result {
        let (tell, told) = oneshot::channel();
        // Nobody there: it has ended, and so does the waiting below
        _ = self.asks.take().map(|ask| ask.send(tell));
        Box::pin(async move { told.await.ok() })
    }
}

/// How the time with a server ended.
enum End {
    /// It did not start, or ended by itself: there has to be another.
    Lost,
    /// There is no need for another.
    Over,
}

/// Starts the server and stays with it until it ends or is to be stopped.
async fn keep(
    life: Life<Keeper>,
    post: Arc<Post>,
    mut asked: oneshot::Receiver<oneshot::Sender<Stopped>>,
) -> End {
    let (log, name) = (life.log(), life.name());
    let started = tokio::select! {
        started = post.kept.start(&post.launcher) => started,
        // Dropped where it stands: it is killed, and nobody had anything from it yet
        _answer = &mut asked => return End::Over,
    };
    let mut server = match started {
        Ok(server) => server,
        Err(error) => {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            error!(log, "Private server did not start"; "server" => name, "error" => %error, "source" => source);
            return End::Lost;
        }
    };
    info!(log, "Private server started"; "server" => name, "socket" => %server.socket().display());
    tokio::select! {
        ended = server.ended() => {
            let status = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
            warn!(log, "Private server ended"; "server" => name, "status" => status);
            if post.draining.load(Ordering::Acquire) { End::Over } else { End::Lost }
        }
        answer = &mut asked => {
            match server.stop(STOP_WITHIN).await {
                Ok(stopped) => {
                    // Its directory is free when this is told
                    drop(server);
                    _ = answer.map(|answer| answer.send(stopped));
                }
                Err(error) => {
                    warn!(log, "Private server was not stopped"; "server" => name, "error" => %error);
                }
            }
            End::Over
        }
    }
}
