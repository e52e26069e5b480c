//! Places in a party: answered, left, given and taken away.

use actix_web::{HttpResponse, web};

use super::{
    body::Object,
    path::{Id, Member},
    problem::Problem,
    reply,
};
use crate::{
    domain::caller::Caller,
    service::{attendances::Attendances, links::Links},
    view::{AttendeeView, One},
};

/// `PUT /parties/{id}/rsvp`
///
/// # Errors
///
/// As the service.
pub async fn answer(
    caller: Caller,
    Id(party): Id,
    attendances: web::Data<Attendances>,
    links: web::Data<Links>,
    body: Object,
) -> Result<HttpResponse, Problem> {
    let attendee = attendances.answer(caller, party, body.into_fields()).await?;
    reply::ok(&One::Attendee(&AttendeeView::new(&attendee, links.get_ref())))
}

/// `POST /parties/{id}/check-in`
///
/// # Errors
///
/// As the service.
pub async fn check_in(
    caller: Caller,
    Id(party): Id,
    attendances: web::Data<Attendances>,
    links: web::Data<Links>,
) -> Result<HttpResponse, Problem> {
    let attendee = attendances.check_in(caller, party).await?;
    reply::ok(&One::Attendee(&AttendeeView::new(&attendee, links.get_ref())))
}

/// `POST /parties/{id}/leave`
///
/// # Errors
///
/// As the service.
pub async fn leave(
    caller: Caller,
    Id(party): Id,
    attendances: web::Data<Attendances>,
) -> Result<HttpResponse, Problem> {
    attendances.leave(caller, party).await?;
    Ok(reply::no_content())
}

/// `PUT /parties/{id}/cohosts/{userId}`
///
/// # Errors
///
/// As the service.
pub async fn appoint(
    caller: Caller,
    Member { party, person }: Member,
    attendances: web::Data<Attendances>,
) -> Result<HttpResponse, Problem> {
    attendances.appoint(caller, party, person).await?;
    Ok(reply::no_content())
}

/// `DELETE /parties/{id}/cohosts/{userId}`
///
/// # Errors
///
/// As the service.
pub async fn dismiss(
    caller: Caller,
    Member { party, person }: Member,
    attendances: web::Data<Attendances>,
) -> Result<HttpResponse, Problem> {
    attendances.dismiss(caller, party, person).await?;
    Ok(reply::no_content())
}

/// `DELETE /parties/{id}/attendees/{userOrGuestId}`
///
/// # Errors
///
/// As the service.
pub async fn remove(
    caller: Caller,
    Member { party, person }: Member,
    attendances: web::Data<Attendances>,
) -> Result<HttpResponse, Problem> {
    attendances.remove(caller, party, person).await?;
    Ok(reply::no_content())
}

/// `POST /parties/{id}/attendees/{userOrGuestId}/ban`
///
/// # Errors
///
/// As the service.
pub async fn ban(
    caller: Caller,
    Member { party, person }: Member,
    attendances: web::Data<Attendances>,
    body: Object,
) -> Result<HttpResponse, Problem> {
    attendances.ban(caller, party, person, body.into_fields()).await?;
    Ok(reply::no_content())
}

/// `DELETE /parties/{id}/bans/{userOrGuestId}`
///
/// # Errors
///
/// As the service.
pub async fn pardon(
    caller: Caller,
    Member { party, person }: Member,
    attendances: web::Data<Attendances>,
) -> Result<HttpResponse, Problem> {
    attendances.pardon(caller, party, person).await?;
    Ok(reply::no_content())
}
