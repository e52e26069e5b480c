//! The edge: the route table.

pub mod access;
pub mod body;
pub mod caller;
pub mod chat;
pub mod config;
pub mod files;
pub mod media;
pub mod metrics;
pub mod page;
pub mod path;
pub mod probes;
pub mod problem;
pub mod reply;
pub mod trace;
pub mod upload;
pub mod ws;

use actix_web::web::{self, ServiceConfig};

/// Every route of the service, on one screen.
pub fn routes(table: &mut ServiceConfig) {
    table
        // GET and HEAD of /health, /health/live, /health/ready, /livez, /readyz
        .configure(probes::configure)
        .service(web::resource("/metrics").route(web::get().to(metrics::metrics)))
        .service(web::resource("/ws").route(web::get().to(ws::ws)))
        .service(
            web::scope("/api/v1")
                .service(web::resource("/config").route(web::get().to(config::show)))
                .service(
                    web::resource("/parties/{id}/chat/messages")
                        .route(web::get().to(chat::list))
                        .route(web::post().to(chat::say)),
                ),
        );
}
