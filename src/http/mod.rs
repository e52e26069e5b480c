//! The edge: the route table.

pub mod access;
pub mod admission;
pub mod auth;
pub mod body;
pub mod caller;
pub mod chat;
pub mod config;
pub mod connection;
pub mod cors;
pub mod devices;
pub mod files;
pub mod joining;
pub mod media;
pub mod messages;
pub mod metrics;
pub mod notifications;
pub mod page;
pub mod parties;
pub mod path;
pub mod probes;
pub mod problem;
pub mod rate;
pub mod reply;
pub mod tags;
pub mod trace;
pub mod upload;
pub mod ws;

use actix_web::{
    FromRequest, Handler, Responder,
    dev::HttpServiceFactory,
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
                .wrap(from_fn(rate::limit))
                .wrap(from_fn(admission::admit))
                .wrap(from_fn(cors::cors))
                .service(web::resource("/config").route(web::get().to(config::show)))
                .service(web::resource("/auth/register").route(web::post().to(auth::register)))
                .service(web::resource("/auth/login").route(web::post().to(auth::login)))
                .service(web::resource("/auth/refresh").route(web::post().to(auth::refresh)))
                .service(web::resource("/auth/me").route(web::get().to(auth::me)))
                .service(
                    web::resource("/parties")
                        .route(web::get().to(parties::list))
                        .route(web::post().to(parties::create)),
                )
                // Before {id}, which would take them too
                .service(web::resource("/parties/by-code").route(web::post().to(joining::by_code)))
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
                )
                .service(
                    web::resource("/parties/{id}/chat/messages/{messageId}")
                        .route(web::patch().to(messages::edit))
                        .route(web::delete().to(messages::remove)),
                )
                .service(
                    web::resource("/parties/{id}/chat/messages/{messageId}/reactions/{emoji}")
                        .route(web::put().to(messages::react))
                        .route(web::delete().to(messages::take_back)),
                )
                .service(web::resource("/parties/{id}/chat/read").route(web::put().to(messages::mark_read)))
                .service(
                    web::resource("/parties/{id}/media")
                        .route(web::get().to(media::list))
                        .route(web::post().to(upload::upload).wrap(from_fn(admission::long))),
                )
                .service(
                    web::resource("/media/{id}")
                        .route(web::get().to(media::show))
                        .route(web::delete().to(media::delete)),
                )
                .service(web::resource("/devices").route(web::post().to(devices::keep)))
                .service(web::resource("/devices/{id}").route(web::delete().to(devices::forget)))
                .service(web::resource("/tags").route(web::get().to(tags::list)))
                .service(web::resource("/tags/popular").route(web::get().to(tags::popular)))
                .service(web::resource("/notifications").route(web::get().to(notifications::list)))
                .service(
                    web::resource("/notifications/read-all").route(web::put().to(notifications::read_all)),
                )
                .service(web::resource("/notifications/{id}/read").route(web::put().to(notifications::read)))
                .service(file("/media/{id}/file", files::file))
                .service(file("/media/{id}/preview", files::preview))
                .service(file("/media/{id}/thumb", files::thumb)),
        );
}

/// What can be asked for with or without its bytes, for as long as they flow.
fn file<F, Args>(path: &str, handler: F) -> impl HttpServiceFactory + use<F, Args>
where
    F: Handler<Args> + Clone,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path.to_owned())
        .wrap(from_fn(admission::long))
        .route(web::get().to(handler.clone()))
        .route(web::head().to(handler))
}
