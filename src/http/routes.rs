//! The route table: every operation of the API, on one screen.

use actix_web::{
    HttpResponse, Resource,
    guard::{self, Guard},
    http::header,
    middleware::from_fn,
    web::{self, ServiceConfig},
};

use super::{
    admission, attendances, auth, chat, comments, compression, config, cors, devices, displays, docs,
    favorites, files, follows, invitations, joining, lifecycle, marks, media, messages, metrics, moderation,
    notifications, parties, pictures, probes,
    problem::{Code, Problem},
    rate, social_links, socketio, tags, upload, users, ws,
};

/// An operation of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// In lower case.
    pub method: &'static str,
    /// Below `/api/v1`, as the table writes it.
    pub path: &'static str,
}

impl Operation {
    /// The path as the contract writes it: without what a parameter may be.
    pub fn template(&self) -> String {
        let mut parts = self.path.split('{');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |path, part| {
            let (parameter, rest) = part.split_once('}').unwrap_or((part, ""));
            let name = parameter.split(':').next().unwrap_or_default();
            format!("{path}{{{name}}}{rest}")
        })
    }
}

/// The table, as routes and as data: neither has what the other has not. What is `long` lasts as long as bytes flow,
/// everything else 10 s at most.
macro_rules! operations {
    ($($path:literal { $($method:ident $module:ident::$handler:ident $($long:ident)?;)+ })+) => {
        /// Every operation of the API.
        pub const OPERATIONS: &[Operation] =
            &[$($(Operation { method: stringify!($method), path: $path },)+)+];

        fn operations(table: &mut ServiceConfig) {
            $(
                let resource = answering($path, &[$(stringify!($method)),+]);
                $(let resource = resource.route(route!($method $module::$handler $($long)?));)+
                table.service(resource);
            )+
        }
    };
}

macro_rules! route {
    // Whatever can be got can be asked for without its body
    (get $module:ident::$handler:ident $($long:ident)?) => {
        route!(@ web::route().guard(reads()), $module::$handler $($long)?)
    };
    ($method:ident $module:ident::$handler:ident $($long:ident)?) => {
        route!(@ web::$method(), $module::$handler $($long)?)
    };
    (@ $route:expr, $module:ident::$handler:ident) => { $route.to($module::$handler) };
    (@ $route:expr, $module:ident::$handler:ident long) => {
        $route.to($module::$handler).wrap(from_fn(admission::long))
    };
}

// A path that another one would take too stands before it
operations! {
    "/auth/login" {
        post auth::login;
    }
    "/auth/logout" {
        post auth::logout;
    }
    "/auth/me" {
        get auth::me;
    }
    "/auth/password" {
        put auth::change_password;
    }
    "/auth/refresh" {
        post auth::refresh;
    }
    "/auth/register" {
        post auth::register;
    }
    "/users/check-username/{username:.*}" {
        get users::check_username;
    }
    "/users/me/avatar" {
        put pictures::put_avatar long;
    }
    "/users/me/favorite-media" {
        get marks::favorites;
    }
    "/users/me/favorite-parties" {
        get favorites::list;
    }
    "/users/me/liked-media" {
        get marks::liked;
    }
    "/users/{id}" {
        get users::show;
        put users::edit;
        patch users::edit;
    }
    "/users/{id}/attending" {
        get users::attending;
    }
    "/users/{id}/avatar/{pictureId}" {
        get pictures::avatar long;
    }
    "/users/{id}/follow" {
        put follows::follow;
        delete follows::unfollow;
    }
    "/users/{id}/followers" {
        get follows::followers;
    }
    "/users/{id}/following" {
        get follows::following;
    }
    "/users/{id}/media" {
        get users::media;
    }
    "/users/{id}/parties" {
        get users::hosted;
    }
    "/users/{id}/social-links" {
        get social_links::show;
        put social_links::replace;
    }
    "/parties" {
        get parties::list;
        post parties::create;
    }
    "/parties/by-code" {
        post joining::by_code;
    }
    "/parties/join-by-code" {
        post joining::join_by_code;
    }
    "/parties/live" {
        get parties::live;
    }
    "/parties/{id}" {
        get parties::show;
        put parties::edit;
        patch parties::edit;
        delete lifecycle::delete;
    }
    "/parties/{id}/access-code" {
        post invitations::rotate_code;
    }
    "/parties/{id}/attendees" {
        get parties::attendees;
    }
    "/parties/{id}/attendees/{userOrGuestId}" {
        delete attendances::remove;
    }
    "/parties/{id}/attendees/{userOrGuestId}/ban" {
        post attendances::ban;
    }
    "/parties/{id}/bans/{userOrGuestId}" {
        delete attendances::pardon;
    }
    "/parties/{id}/cancel" {
        post lifecycle::cancel;
    }
    "/parties/{id}/chat/messages" {
        get chat::list;
        post chat::say;
    }
    "/parties/{id}/chat/messages/{messageId}" {
        patch messages::edit;
        delete messages::remove;
    }
    "/parties/{id}/chat/messages/{messageId}/reactions/{emoji}" {
        put messages::react;
        delete messages::take_back;
    }
    "/parties/{id}/chat/read" {
        put messages::mark_read;
    }
    "/parties/{id}/check-in" {
        post attendances::check_in;
    }
    "/parties/{id}/cohosts/{userId}" {
        put attendances::appoint;
        delete attendances::dismiss;
    }
    "/parties/{id}/cover" {
        put pictures::put_cover long;
    }
    "/parties/{id}/cover/{pictureId}" {
        get pictures::cover long;
    }
    "/parties/{id}/displays" {
        post displays::create;
    }
    "/parties/{id}/displays/{displayId}" {
        delete displays::revoke;
    }
    "/parties/{id}/end" {
        post lifecycle::end;
    }
    "/parties/{id}/favorite" {
        put favorites::add;
        delete favorites::remove;
    }
    "/parties/{id}/invite.png" {
        get invitations::png;
    }
    "/parties/{id}/invite.svg" {
        get invitations::svg;
    }
    "/parties/{id}/join" {
        post joining::join;
    }
    "/parties/{id}/leave" {
        post attendances::leave;
    }
    "/parties/{id}/media" {
        get media::list;
        post upload::upload long;
    }
    "/parties/{id}/publish" {
        post lifecycle::publish;
    }
    "/parties/{id}/rsvp" {
        put attendances::answer;
    }
    "/parties/{id}/start" {
        post lifecycle::start;
    }
    "/media/{id}" {
        get media::show;
        patch media::edit;
        delete media::delete;
    }
    "/media/{id}/comments" {
        get comments::list;
        post comments::add;
    }
    "/media/{id}/comments/{commentId}" {
        delete comments::delete;
    }
    "/media/{id}/favorite" {
        put marks::favorite;
        delete marks::unfavorite;
    }
    "/media/{id}/file" {
        get files::file long;
    }
    "/media/{id}/hide" {
        post moderation::hide;
    }
    "/media/{id}/like" {
        put marks::like;
        delete marks::unlike;
    }
    "/media/{id}/preview" {
        get files::preview long;
    }
    "/media/{id}/report" {
        post moderation::report;
    }
    "/media/{id}/thumb" {
        get files::thumb long;
    }
    "/media/{id}/unhide" {
        post moderation::unhide;
    }
    "/devices" {
        post devices::keep;
    }
    "/devices/{deviceId}" {
        delete devices::forget;
    }
    "/notifications" {
        get notifications::list;
    }
    "/notifications/read-all" {
        put notifications::read_all;
    }
    "/notifications/{id}/read" {
        put notifications::read;
    }
    "/tags" {
        get tags::list;
    }
    "/tags/popular" {
        get tags::popular;
    }
    "/config" {
        get config::show;
    }
}

/// Every route of the service.
pub fn routes(table: &mut ServiceConfig) {
    table
        // GET and HEAD of /health, /health/live, /health/ready, /livez, /readyz
        .configure(probes::configure)
        .service(web::resource("/metrics").route(web::get().to(metrics::metrics)))
        .service(web::resource("/ws").route(web::get().to(ws::ws)))
        .service(
            web::resource("/socket.io/").wrap(from_fn(cors::cors)).route(web::route().to(socketio::serve)),
        )
        // /openapi.json, and its reader at /docs
        .configure(docs::configure)
        .service(
            web::scope("/api/v1")
                .wrap(from_fn(rate::limit))
                .wrap(from_fn(admission::admit))
                .wrap(from_fn(compression::compress))
                .wrap(from_fn(cors::cors))
                .configure(operations),
        );
}

/// What is there for these methods, and tells every other one so.
fn answering(path: &str, methods: &[&str]) -> Resource {
    let mut allowed: Vec<_> = methods.iter().map(|method| method.to_uppercase()).collect();
    if methods.contains(&"get") {
        allowed.push("HEAD".to_owned());
    }
    let allowed = allowed.join(", ");
    let refuse = move || {
        let problem =
            Problem::new(Code::MethodNotAllowed, "Not for this method").telling(header::ALLOW, &allowed);
        async move { Err::<HttpResponse, _>(problem) }
    };
    web::resource(path.to_owned()).default_service(web::to(refuse))
}

fn reads() -> impl Guard {
    guard::Any(guard::Get()).or(guard::Head())
}
