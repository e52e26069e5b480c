//! `/parties/{id}/chat/messages/{messageId}` and below: one message, after it was said; and `/parties/{id}/chat/read`.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload, web};
use uuid::Uuid;

use super::{body::Object, path::Id, problem::Problem, reply};
use crate::{
    domain::caller::Caller,
    service::{chat::Chat, error::Error, reactions::Reaction},
    view::One,
};

/// The `{messageId}` of a route. What is no id names nothing: a message that nobody has.
#[derive(Clone, Copy, Debug)]
pub struct MessageId(Uuid);

impl FromRequest for MessageId {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // Who may not know of the party is told so first
        let id = request.match_info().get("messageId").and_then(|text| text.parse().ok());
        ready(Ok(Self(id.unwrap_or_default())))
    }
}

/// `PATCH`: 200 with `{message}`.
///
/// # Errors
///
/// Not for this caller, not now, too late, no longer what the caller saw, or bad words.
pub async fn edit(
    request: HttpRequest,
    caller: Caller,
    Id(party): Id,
    MessageId(message): MessageId,
    body: Object,
    chat: web::Data<Chat>,
) -> Result<HttpResponse, Problem> {
    let expected = reply::expected(request.headers());
    let said = chat.edit(caller, party, message, body.into_fields(), expected.as_deref()).await?;
    reply::revised(&request, &One::Message(&said.view()), said.message.revision())
}

/// `DELETE`: 204.
///
/// # Errors
///
/// Not for this caller.
pub async fn remove(
    caller: Caller,
    Id(party): Id,
    MessageId(message): MessageId,
    chat: web::Data<Chat>,
) -> Result<HttpResponse, Problem> {
    chat.remove(caller, party, message).await?;
    Ok(reply::no_content())
}

/// `PUT …/reactions/{emoji}`: 204.
///
/// # Errors
///
/// Not for this caller, not now, no emoji, or one too many.
pub async fn react(
    request: HttpRequest,
    caller: Caller,
    Id(party): Id,
    MessageId(message): MessageId,
    chat: web::Data<Chat>,
) -> Result<HttpResponse, Problem> {
    chat.react(caller, party, message, emoji(&request)?, Reaction::Set).await?;
    Ok(reply::no_content())
}

/// `DELETE …/reactions/{emoji}`: 204.
///
/// # Errors
///
/// Not for this caller, not now, or no emoji.
pub async fn take_back(
    request: HttpRequest,
    caller: Caller,
    Id(party): Id,
    MessageId(message): MessageId,
    chat: web::Data<Chat>,
) -> Result<HttpResponse, Problem> {
    chat.react(caller, party, message, emoji(&request)?, Reaction::Unset).await?;
    Ok(reply::no_content())
}

/// `PUT /parties/{id}/chat/read`: 204.
///
/// # Errors
///
/// Not for this caller, or no message of the party.
pub async fn mark_read(
    caller: Caller,
    Id(party): Id,
    body: Object,
    chat: web::Data<Chat>,
) -> Result<HttpResponse, Problem> {
    chat.mark_read(caller, party, body.into_fields()).await?;
    Ok(reply::no_content())
}

fn emoji(request: &HttpRequest) -> Result<&str, Error> {
    request.match_info().get("emoji").ok_or(Error::NotFound)
}
