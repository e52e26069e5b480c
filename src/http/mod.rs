//! The edge: the route table.

pub mod access;
pub mod admission;
pub mod body;
pub mod caller;
pub mod config;
pub mod connection;
pub mod metrics;
pub mod page;
pub mod probes;
pub mod problem;
pub mod reply;
pub mod trace;
pub mod ws;

use actix_web::{
    middleware::from_fn,
    web::{self, ServiceConfig},
};

/// Every route of the service, on one screen.
pub fn routes(table: &mut ServiceConfig) {
    table
        // GET and HEAD of /health, /health/live, /health/ready, /livez, /readyz
        .configure(probes::configure)
        .service(web::resource("/metrics").route(web::get().to(metrics::metrics)))
        .service(web::resource("/ws").route(web::get().to(ws::ws)))
        // Within a place and 10 s, but for routes that are wrapped in admission::long
        .service(
            web::scope("/api/v1")
                .wrap(from_fn(admission::admit))
                .service(web::resource("/config").route(web::get().to(config::show))),
        );
}
