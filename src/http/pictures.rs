//! `/users/me/avatar`, `/parties/{id}/cover` and where those pictures are served.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    body::Query,
    files::{serve, signature},
    form::{self, Multipart},
    path::{Id, PictureOf},
    problem::Problem,
    reply,
};
use crate::{
    domain::caller::Caller,
    service::{incoming::Incoming, links::Links, pictures::Pictures},
    view::One,
};

/// `PUT /users/me/avatar`
///
/// # Errors
///
/// As the service; no form, or no file in it.
pub async fn put_avatar(
    request: HttpRequest,
    caller: Caller,
    form: Multipart,
    pictures: web::Data<Pictures>,
    links: web::Data<Links>,
) -> Result<HttpResponse, Problem> {
    // Before a byte is read: who may not costs nothing
    let user = pictures.admit_avatar(caller).await.map_err(|error| Problem::from(error).closing())?;
    let photo = photo(form, &pictures).await.map_err(Problem::closing)?;
    let seen = pictures.show_avatar(user, photo).await?;
    reply::revised(&request, &One::User(&seen.view(links.get_ref())), seen.revision())
}

/// `PUT /parties/{id}/cover`
///
/// # Errors
///
/// As the service; no form, or no file in it.
pub async fn put_cover(
    request: HttpRequest,
    caller: Caller,
    Id(party): Id,
    form: Multipart,
    pictures: web::Data<Pictures>,
) -> Result<HttpResponse, Problem> {
    pictures.admit_cover(caller, party).await.map_err(|error| Problem::from(error).closing())?;
    let photo = photo(form, &pictures).await.map_err(Problem::closing)?;
    let seen = pictures.show_cover(caller, party, photo).await?;
    reply::revised(&request, &One::Party(&seen.view()), seen.revision())
}

/// `GET` and `HEAD` of `/users/{id}/avatar/{pictureId}`
///
/// # Errors
///
/// As the service.
pub async fn avatar(
    request: HttpRequest,
    _caller: Caller,
    PictureOf { subject, picture }: PictureOf,
    pictures: web::Data<Pictures>,
) -> Result<HttpResponse, Problem> {
    serve(&request, &pictures.avatar(subject, picture).await?).await
}

/// `GET` and `HEAD` of `/parties/{id}/cover/{pictureId}`
///
/// # Errors
///
/// As the service.
pub async fn cover(
    request: HttpRequest,
    caller: Caller,
    PictureOf { subject, picture }: PictureOf,
    Query(mut query): Query,
    pictures: web::Data<Pictures>,
) -> Result<HttpResponse, Problem> {
    let signature = signature(&mut query);
    serve(&request, &pictures.cover(caller, subject, picture, signature.as_ref()).await?).await
}

/// The file of a form, all of which is here; what else is in the form is passed over.
async fn photo(mut form: Multipart, pictures: &Pictures) -> Result<Incoming, Problem> {
    let mut photo = None;
    for _ in 0..form::PARTS {
        let Some(part) = form::part(&mut form).await? else {
            let mut photo: Incoming = photo.ok_or_else(form::without_file)?;
            photo.look()?;
            return Ok(photo);
        };
        match part.name() {
            Some("file") if photo.is_some() => return Err(form::twice()),
            Some("file") => {
                let file = pictures.begin(form::said(&part)).await?;
                photo = Some(form::receive(part, file).await?);
            }
            _ => _ = form::text(part).await?,
        }
    }
    Err(form::too_long())
}
