//! The OpenAPI 3.1 document: what there is to ask, and all that can be answered.
//!
//! *Invariant:* it tells of every route of the table and of no other; a test holds both against the contract.

mod media;
mod operation;
mod parties;
mod people;
mod probes;
mod schema;
mod shapes;
mod talk;

use serde_json::{Map, Value, json};

use self::{operation::Described, schema::with};

/// Where operations are.
const ROOT: &str = "/api/v1";

/// What is said of all operations.
const ABOUT: &str = "Shared photo galleries for parties, on every screen in the room.\n\n\
    Every answer of JSON is `{\"success\":true,\"data\":…,\"meta\"?:…}`, every refusal an RFC 9457 problem with a `code`. \
    Whatever can be got can be asked for with HEAD. A token that is sent has to be good, also where none is needed. \
    503 means: not done, safe to repeat; 504: it may have been done.";

/// The document.
pub fn document() -> Value {
    let shapes = shapes::shapes();
    let mut paths = Map::new();
    for (tag, operations) in described() {
        for operation in operations {
            let path = paths.entry(format!("{ROOT}{}", operation.path)).or_insert_with(|| json!({}));
            *path = with(path.take(), operation.method, operation.render(tag, &shapes));
        }
    }
    paths.extend(probes::paths());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Party Gallery",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [{ "url": "/" }],
        "tags": described().map(|(tag, _)| json!({ "name": tag })),
        "paths": paths,
        "components": {
            "schemas": shapes,
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "An access token" },
            },
        },
    })
}

/// Operations by what they are about.
fn described() -> [(&'static str, Vec<Described>); 8] {
    [
        ("Accounts", people::accounts()),
        ("Users", people::users()),
        ("Parties", parties::parties()),
        ("Attendance", parties::attendance()),
        ("Media", media::media()),
        ("Chat", talk::chat()),
        ("Notifications", talk::notifications()),
        ("Service", talk::service()),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::http::routes::OPERATIONS;

    /// What the contract lists and a later release brings.
    const LATER: &[&str] = &[
        "DELETE /auth/me",
        "GET /auth/me/export",
        "GET /parties/{id}/archive.zip",
        "GET /parties/{id}/stats",
        "POST /media/confirm",
        "POST /media/upload-url",
        "OPTIONS /uploads",
        "POST /uploads",
        "HEAD /uploads/{id}",
        "PATCH /uploads/{id}",
        "DELETE /uploads/{id}",
        "GET /search/parties",
        "GET /search/users",
        "GET /recommendations/parties",
    ];

    /// Where pictures are served that the contract names no path for.
    const BESIDE: &[&str] = &["GET /users/{id}/avatar/{pictureId}", "GET /parties/{id}/cover/{pictureId}"];

    #[test]
    fn the_route_table_the_document_and_the_contract_tell_of_the_same() {
        let routes: BTreeSet<_> =
            OPERATIONS.iter().map(|it| format!("{} {}", it.method.to_uppercase(), it.template())).collect();
        assert_eq!(routes.len(), OPERATIONS.len(), "a route stands in the table twice");
        let told = described().into_iter().flat_map(|(_, operations)| operations);
        let told: BTreeSet<_> = told.map(|it| format!("{} {}", it.method.to_uppercase(), it.path)).collect();
        assert_eq!(routes, told, "the route table and the document");
        let listed = include_str!("../../../docs/contract/routes.txt").lines().map(str::to_owned);
        let listed: BTreeSet<_> = listed.filter(|line| !LATER.contains(&line.as_str())).collect();
        let routes: BTreeSet<_> =
            routes.into_iter().filter(|route| !BESIDE.contains(&route.as_str())).collect();
        assert_eq!(routes, listed, "the route table and the contract");
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_and_refers_to_what_is_there() {
        let document = document();
        let mut names = BTreeSet::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let name = operation["operationId"].as_str().unwrap();
                assert!(names.insert(name.to_owned()), "{name} of {method} {path} is there twice");
            }
        }
        let shapes = &document["components"]["schemas"];
        let text = document.to_string();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(shapes.get(name).is_some(), "there is no {name}");
        }
    }
}
