//! The edge: the route table.

pub mod access;
pub mod body;
pub mod caller;
pub mod chat;
pub mod config;
pub mod joining;
pub mod metrics;
pub mod page;
pub mod parties;
pub mod probes;
pub mod problem;
pub mod reply;
pub mod trace;
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
                    web::resource("/parties")
                        .route(web::get().to(parties::list))
                        .route(web::post().to(parties::create)),
                )
                // Before {id}, which would take them too
                .service(web::resource("/parties/by-code").route(web::post().to(parties::by_code)))
                .service(web::resource("/parties/join-by-code").route(web::post().to(joining::join_by_code)))
                .service(
                    web::resource("/parties/{id}")
                        .route(web::get().to(parties::show))
                        .route(web::patch().to(parties::edit))
                        .route(web::put().to(parties::edit)),
                )
                .service(web::resource("/parties/{id}/publish").route(web::post().to(parties::publish)))
                .service(web::resource("/parties/{id}/start").route(web::post().to(parties::start)))
                .service(web::resource("/parties/{id}/end").route(web::post().to(parties::end)))
                .service(web::resource("/parties/{id}/attendees").route(web::get().to(parties::attendees)))
                .service(
                    web::resource("/parties/{id}/chat/messages")
                        .route(web::get().to(chat::list))
                        .route(web::post().to(chat::say)),
                ),
        );
}
