//! Accounts and users.

use serde_json::{Value, json};

use super::{
    operation::{Described, delete, get, patch, post, put},
    schema::{body, few, flag, line, nullable, password, prose, re, shape, tags, text, under, with, word},
    shapes::PLATFORMS,
};
use crate::http::problem::Code::{EmailTaken, Forbidden, UsernameTaken, Validation};

fn email() -> Value {
    json!({ "type": "string", "format": "email", "maxLength": 254, "examples": ["ada@example.org"] })
}

fn pair() -> Value {
    json!({
        "accessToken": word("an access token"),
        "refreshToken": word("a refresh token"),
        "expiresIn": { "type": "integer", "minimum": 1, "examples": [900] },
    })
}

fn signed_in() -> Value {
    shape(with(pair(), "user", re("User")), &[])
}

pub(super) fn accounts() -> Vec<Described> {
    vec![
        post("/auth/register", "Make an account")
            .takes(body(
                &["email", "password", "username", "firstName", "lastName"],
                json!({
                    "email": email(),
                    "password": password("a horse on the roof"),
                    "username": username(),
                    "firstName": line(1, 50, "Ada"),
                    "lastName": line(1, 50, "Lovelace"),
                    "bio": nullable(prose(0, 500, "Numbers, and dances.")),
                }),
            ))
            .creates(signed_in())
            .refuses(&[UsernameTaken, EmailTaken]),
        post("/auth/login", "Sign in")
            .takes(body(
                &["email", "password"],
                json!({ "email": email(), "password": text(0, 1024, "a horse on the roof") }),
            ))
            .answers(signed_in()),
        post("/auth/refresh", "Go on with a refresh token")
            .takes(body(&["refreshToken"], json!({ "refreshToken": word("a refresh token") })))
            .answers(shape(pair(), &[])),
        post("/auth/logout", "End a sign-in")
            .takes(body(&["refreshToken"], json!({ "refreshToken": word("a refresh token") })))
            .says_nothing(),
        put("/auth/password", "Change the password")
            .user()
            .takes(body(
                &["current", "new"],
                json!({
                    "current": text(0, 1024, "a horse on the roof"),
                    "new": password("two horses on the roof"),
                }),
            ))
            .says_nothing(),
        get("/auth/me", "Who one is")
            .known()
            .answers(json!({ "oneOf": [under("user", re("User")), under("guest", re("Guest"))] }))
            .refuses(&[Forbidden]),
    ]
}

fn username() -> Value {
    json!({
        "type": "string", "minLength": 3, "maxLength": 30, "pattern": "^[A-Za-z0-9_]+$", "examples": ["ada"],
    })
}

fn profile() -> Value {
    body(
        &[],
        json!({
            "firstName": nullable(line(1, 50, "Ada")),
            "lastName": nullable(line(1, 50, "Lovelace")),
            "bio": nullable(prose(0, 500, "Numbers, and dances.")),
            "interests": tags(),
            "notificationsEnabled": flag(),
        }),
    )
}

pub(super) fn users() -> Vec<Described> {
    vec![
        get("/users/check-username/{username}", "Whether a username can be had").answers(shape(
            json!({
                "available": flag(),
                "valid": flag(),
                "error": word("must have 3 characters at least"),
                "suggestion": word("ada_2"),
            }),
            &["error", "suggestion"],
        )),
        get("/users/{id}", "A user").answers(under("user", re("User"))),
        patch("/users/{id}", "Edit oneself")
            .user()
            .if_unchanged()
            .takes(profile())
            .answers(under("user", re("User"))),
        put("/users/{id}", "Edit oneself likewise")
            .user()
            .if_unchanged()
            .takes(profile())
            .answers(under("user", re("User"))),
        get("/users/{id}/social-links", "Where else a user is").lists(re("SocialLink")),
        put("/users/{id}/social-links", "Say where else one is")
            .user()
            .takes(few(re("SocialLink"), PLATFORMS.len()))
            .lists(re("SocialLink")),
        put("/users/{id}/follow", "Follow a user").user().says_nothing().refuses(&[Validation]),
        delete("/users/{id}/follow", "Follow a user no more").user().says_nothing().refuses(&[Validation]),
        get("/users/{id}/followers", "Who follows a user").pages(re("UserSummary")),
        get("/users/{id}/following", "Whom a user follows").pages(re("UserSummary")),
        get("/users/{id}/parties", "Parties of a user").pages(re("Party")),
        get("/users/{id}/media", "Media of a user").pages(re("Media")),
        get("/users/{id}/attending", "Where a user goes").known().pages(re("Party")).refuses(&[Forbidden]),
        get("/users/me/liked-media", "Media that one likes").user().pages(re("Media")),
        get("/users/me/favorite-media", "Media that are one's favourites").user().pages(re("Media")),
        get("/users/me/favorite-parties", "Parties that are one's favourites").user().pages(re("Party")),
        put("/users/me/avatar", "Show another picture of oneself")
            .user()
            .takes_form(picture())
            .answers(under("user", re("User"))),
        get("/users/{id}/avatar/{pictureId}", "The picture of a user").answers_with("image/*").in_parts(),
    ]
}

/// A form with a picture.
pub(super) fn picture() -> Value {
    body(
        &["file"],
        json!({ "file": { "type": "string", "contentMediaType": "image/*", "format": "binary" } }),
    )
}
