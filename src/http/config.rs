//! `GET /config`: the limits that a client should know before it tries.

use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::{body::JSON_LIMIT, problem::Problem, reply};
use crate::domain::limits as l;

/// What clients may rely on; the same for everybody.
///
/// # Errors
///
/// It cannot be written as JSON.
pub async fn show(request: HttpRequest) -> Result<HttpResponse, Problem> {
    reply::resource(
        &request,
        &json!({
            "version": env!("CARGO_PKG_VERSION"),
            "photo": { "types": l::PHOTO_TYPES, "maxBytes": l::PHOTO_BYTES, "maxPixels": l::PHOTO_PIXELS },
            "party": {
                "minAttendees": l::ATTENDEES.start(),
                "maxAttendees": l::ATTENDEES.end(),
                "maxHours": l::PARTY_HOURS,
            },
            "tags": { "max": l::TAGS, "maxLength": l::TAG_LENGTH },
            "json": { "maxBytes": JSON_LIMIT },
        }),
    )
}
