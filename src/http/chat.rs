//! `/parties/{id}/chat/messages`: what is said, and saying something.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    body::{Object, Query},
    page::{Asked, Meta},
    path::Id,
    problem::Problem,
    reply,
};
use crate::{
    domain::caller::Caller,
    service::chat::{Chat, Said},
};

/// `GET`: the newest first.
///
/// # Errors
///
/// Not for this caller; a bad page.
pub async fn list(
    request: HttpRequest,
    caller: Caller,
    Id(party): Id,
    query: Query,
    chat: web::Data<Chat>,
) -> Result<HttpResponse, Problem> {
    let asked = Asked::read(query);
    let limit = asked.limit;
    let found = chat.page(caller, party, asked.after, limit).await?;
    asked.check()?;
    let messages: Vec<_> = found.items.iter().map(Said::view).collect();
    reply::list(&request, &messages, &Meta::new(limit, found.next.as_ref()).at(found.seq))
}

/// `POST`: 201 with `{message}`; 200 with the same one when its `clientId` is known.
///
/// # Errors
///
/// Not for this caller, not now, or bad words.
pub async fn say(
    request: HttpRequest,
    caller: Caller,
    Id(party): Id,
    body: Object,
    chat: web::Data<Chat>,
) -> Result<HttpResponse, Problem> {
    let ticket = body.ticket(&request, caller)?;
    let answer = chat.say(caller, party, body.into_fields(), ticket.as_ref()).await?;
    reply::answer(&answer)
}
