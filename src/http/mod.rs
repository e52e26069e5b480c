//! The edge: the route table.

pub mod access;
pub mod metrics;
pub mod probes;
pub mod problem;
pub mod trace;
pub mod ws;

use actix_web::web::{self, ServiceConfig};

/// Every route of the service, on one screen.
pub fn routes(config: &mut ServiceConfig) {
    config
        // GET and HEAD of /health, /health/live, /health/ready, /livez, /readyz
        .configure(probes::configure)
        .service(web::resource("/metrics").route(web::get().to(metrics::metrics)))
        .service(web::resource("/ws").route(web::get().to(ws::ws)));
}
