//! `/metrics`: what Prometheus scrapes, shown to whom verbose health is shown.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use slog::{Logger, error};

use super::{
    access::Access,
    problem::{Code, Problem},
};
use crate::telemetry::{Metrics, metrics::CONTENT_TYPE};

/// What the page needs.
#[derive(Clone)]
pub struct Scrape {
    /// What is shown.
    pub metrics: Metrics,
    /// To whom.
    pub access: Access,
    /// Where it is told that it could not be.
    pub log: Logger,
}

/// Everything that is measured; 403 to strangers.
///
/// # Errors
///
/// The caller may not see it, or it cannot be encoded.
pub async fn metrics(request: HttpRequest, scrape: web::Data<Scrape>) -> Result<HttpResponse, Problem> {
    let peer = request.peer_addr().map(|peer| peer.ip());
    if !scrape.access.allows(peer, request.headers()) {
        return Err(Problem::new(Code::Forbidden, "Metrics are for operators"));
    }
    let text = scrape.metrics.encode().map_err(|cause| {
        error!(scrape.log, "Metrics cannot be encoded"; "error" => %cause);
        Problem::new(Code::Internal, "Metrics are not available")
    })?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_TYPE, CONTENT_TYPE))
        .body(text))
}
