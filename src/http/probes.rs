//! `/health`, `/health/live`, `/health/ready` and their short names: what orchestrators, balancers and people ask.
//!
//! *Invariant:* no I/O, no waiting, no call to an actor: everything is read from what is published already.

mod page;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
    },
    web,
};
use arc_swap::ArcSwapOption;
use bytes::Bytes;
use party_gallery_actors::{
    health::{Board, Clock, Facts, Overall, Snapshot, Verdict},
    kernel::{Supervisor, Tree},
};
use serde::Serialize;

use self::page::Shown;
use super::access::Access;

/// How long the supervisor may be silent before the process is given up for dead.
const SILENCE: Duration = Duration::from_secs(10);

/// What the pages need of the supervisor.
pub trait Supervision: Send + Sync + 'static {
    /// The actors as they are now.
    fn tree(&self) -> Tree;

    /// How long it has given no sign of life.
    fn silent_for(&self) -> Duration;
}

impl Supervision for Supervisor {
    fn tree(&self) -> Tree {
        Self::tree(self)
    }

    fn silent_for(&self) -> Duration {
        Self::silent_for(self)
    }
}

/// Where the pages read.
pub struct Sources {
    /// What the Health actor last heard.
    pub board: Board,
    /// Who keeps the actors alive.
    pub supervision: Arc<dyn Supervision>,
    /// The checks that readiness requires: `READY_REQUIRES`.
    pub required: Vec<&'static str>,
    /// The age from which the board says nothing any more.
    pub stale_after: Duration,
    /// Whether the database's schema is one that this program can serve.
    pub schema_fits: Arc<AtomicBool>,
    /// Whether the service is being shut down.
    pub draining: Arc<AtomicBool>,
    /// Who may see the verbose page.
    pub access: Access,
    /// What time it is.
    pub clock: Clock,
    /// When the process began.
    pub started: Instant,
}

/// The pages of one process; share it between the workers.
pub struct Probes {
    sources: Sources,
    page: ArcSwapOption<Page>,
}

/// An encoded `/health`, and what it is valid for. It holds its snapshot, so that no other one can take its place
/// in memory and be mistaken for it.
struct Page {
    snapshot: Arc<Snapshot>,
    second: u64,
    draining: bool,
    status: StatusCode,
    body: Bytes,
}

impl Probes {
    /// Pages that read there.
    pub fn new(sources: Sources) -> Self {
        Self { sources, page: ArcSwapOption::empty() }
    }

    /// Why traffic is not welcome now; empty when it is.
    pub fn unready(&self) -> Vec<&'static str> {
        let tree = self.sources.supervision.tree();
        self.judge(&self.sources.board.load(), &tree, self.is_draining(), Instant::now()).unready
    }

    fn is_draining(&self) -> bool {
        self.sources.draining.load(Ordering::Acquire)
    }

    fn judge(&self, snapshot: &Snapshot, tree: &Tree, draining: bool, now: Instant) -> Verdict {
        Verdict::of(&Facts {
            snapshot,
            tree,
            required: &self.sources.required,
            stale_after: self.sources.stale_after,
            schema_fits: self.sources.schema_fits.load(Ordering::Acquire),
            draining,
            now,
        })
    }

    /// `/health` for everybody: encoded once for each snapshot and second.
    fn page(&self) -> serde_json::Result<(StatusCode, Bytes)> {
        let snapshot = self.sources.board.load();
        let draining = self.is_draining();
        let second = self.sources.started.elapsed().as_secs();
        if let Some(page) = &*self.page.load()
            && Arc::ptr_eq(&page.snapshot, &snapshot)
            && page.second == second
            && page.draining == draining
        {
            return Ok((page.status, page.body.clone()));
        }
        let snapshot = Arc::clone(&snapshot);
        let (status, body) = self.encode(&snapshot, draining, false)?;
        let page = Page { snapshot, second, draining, status, body: body.clone() };
        self.page.store(Some(Arc::new(page)));
        Ok((status, body))
    }

    fn encode(
        &self,
        snapshot: &Snapshot,
        draining: bool,
        verbose: bool,
    ) -> serde_json::Result<(StatusCode, Bytes)> {
        let now = Instant::now();
        let tree = self.sources.supervision.tree();
        let verdict = self.judge(snapshot, &tree, draining, now);
        let status = match verdict.overall {
            Overall::Healthy | Overall::Degraded => StatusCode::OK,
            Overall::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
        };
        let body = Shown {
            snapshot,
            verdict: &verdict,
            at: (self.sources.clock)(),
            uptime: now.saturating_duration_since(self.sources.started),
            tree: verbose.then_some((tree.as_slice(), now)),
        }
        .encode()?;
        Ok((status, body.into()))
    }
}

impl fmt::Debug for Probes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probes").field("required", &self.sources.required).finish_non_exhaustive()
    }
}

/// Adds the pages to the route table. They read a `web::Data<Probes>`.
pub fn configure(routes: &mut web::ServiceConfig) {
    for path in ["/health/live", "/livez"] {
        let page = web::resource(path).route(web::get().to(live)).route(web::head().to(live));
        routes.service(page);
    }
    for path in ["/health/ready", "/readyz"] {
        let page = web::resource(path).route(web::get().to(ready)).route(web::head().to(ready));
        routes.service(page);
    }
    routes.service(web::resource("/health").route(web::get().to(health)).route(web::head().to(health)));
}

async fn health(request: HttpRequest, probes: web::Data<Probes>) -> actix_web::Result<HttpResponse> {
    let (status, body) = if wants_verbose(&request) && is_allowed(&request, &probes) {
        probes.encode(&probes.sources.board.load(), probes.is_draining(), true)?
    } else {
        probes.page()?
    };
    Ok(answer(status, body))
}

async fn live(probes: web::Data<Probes>) -> HttpResponse {
    if probes.sources.supervision.silent_for() > SILENCE {
        answer(StatusCode::SERVICE_UNAVAILABLE, Bytes::from_static(br#"{"status":"unresponsive"}"#))
    } else {
        answer(StatusCode::OK, Bytes::from_static(br#"{"status":"alive"}"#))
    }
}

async fn ready(probes: web::Data<Probes>) -> actix_web::Result<HttpResponse> {
    #[derive(Serialize)]
    struct NotReady<'a> {
        status: &'static str,
        reasons: &'a [&'static str],
    }

    let reasons = probes.unready();
    if reasons.is_empty() {
        return Ok(answer(StatusCode::OK, Bytes::from_static(br#"{"status":"ready"}"#)));
    }
    let body = serde_json::to_vec(&NotReady { status: "not ready", reasons: &reasons })?;
    Ok(answer(StatusCode::SERVICE_UNAVAILABLE, body.into()))
}

fn wants_verbose(request: &HttpRequest) -> bool {
    request.query_string().split('&').any(|pair| pair.split('=').next() == Some("verbose"))
}

/// Who may not see the verbose page gets the plain one: it is no secret that there are two.
fn is_allowed(request: &HttpRequest, probes: &Probes) -> bool {
    let peer = request.peer_addr().map(|peer| peer.ip());
    probes.sources.access.allows(peer, request.headers())
}

fn answer(status: StatusCode, body: Bytes) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("application/json")))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .body(body)
}
