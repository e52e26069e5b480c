//! The edge: the route table.

pub mod access;
pub mod auth;
pub mod body;
pub mod caller;
pub mod config;
pub mod cors;
pub mod metrics;
pub mod page;
pub mod probes;
pub mod problem;
pub mod rate;
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
        .service(
            web::scope("/api/v1")
                .wrap(from_fn(rate::limit))
                .wrap(from_fn(cors::cors))
                .service(web::resource("/config").route(web::get().to(config::show)))
                .service(web::resource("/auth/register").route(web::post().to(auth::register)))
                .service(web::resource("/auth/login").route(web::post().to(auth::login)))
                .service(web::resource("/auth/refresh").route(web::post().to(auth::refresh)))
                .service(web::resource("/auth/me").route(web::get().to(auth::me))),
        );
}
