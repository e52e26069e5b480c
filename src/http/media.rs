//! Media: pages of a gallery, one media, its edits, its deletion.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    body::{Object, Query},
    page::{Meta, Page},
    path::Id,
    problem::Problem,
    rate::ClientAddress,
    reply,
};
use crate::{
    domain::{
        caller::Caller,
        fields::{Fields, id, word, written_number},
        media::{MediaStatus, MediaType, Mood, Sort},
        tag,
    },
    service::{
        error::Error,
        gallery::{Filter, Gallery, GalleryPage, Seen},
        pages::Asked,
        views::Views,
    },
    view::{One, Sheet},
};

/// What is shown to who asks for nothing else.
const NEWEST: Filter = Filter {
    kind: None,
    mood: None,
    uploader_id: None,
    tag: None,
    status: None,
    since: None,
    sort: Sort::Newest,
};

/// `GET /parties/{id}/media`. Where the database cannot be asked, as it was before, if everybody may see it.
///
/// # Errors
///
/// A query that breaks a rule, or a refusal.
pub async fn list(
    request: HttpRequest,
    caller: Caller,
    party: Id,
    Query(mut query): Query,
    gallery: web::Data<Gallery>,
) -> Result<HttpResponse, Problem> {
    let page = Page::<(i64, i32)>::read(&mut query);
    let filter = filter(&mut query);
    let print = |limit| {
        move |found: &GalleryPage| {
            let meta = Meta::new(limit, found.next.as_ref()).at(found.seq);
            Sheet::write(found.items.iter().map(Seen::view), &meta)
        }
    };
    let (Page { limit, after }, filter) = match query.finish(page.zip(filter)) {
        Ok(asked) => asked,
        // Who may not know of the party is not told what is wrong with the query either
        Err(wrong) => {
            let newest = Asked { party: party.0, filter: NEWEST, limit: 1, after: None };
            gallery.show(caller, newest, print(1)).await?;
            return Err(Error::from(wrong).into());
        }
    };
    let shown = gallery.show(caller, Asked { party: party.0, filter, limit, after }, print(limit)).await?;
    Ok(reply::sheet(&request, &shown))
}

/// `GET /media/{id}`.
///
/// # Errors
///
/// A refusal.
pub async fn show(
    request: HttpRequest,
    caller: Caller,
    ClientAddress(address): ClientAddress,
    media: Id,
    gallery: web::Data<Gallery>,
    views: web::Data<Views>,
) -> Result<HttpResponse, Problem> {
    let seen = gallery.find(caller, media.0).await?;
    views.look(caller, address, &seen);
    reply::revised(&request, &One::Media(&seen.view()), seen.revision())
}

/// `PATCH /media/{id}`.
///
/// # Errors
///
/// A refusal, or a body that breaks a rule.
pub async fn edit(
    request: HttpRequest,
    caller: Caller,
    media: Id,
    body: Object,
    gallery: web::Data<Gallery>,
) -> Result<HttpResponse, Problem> {
    let expected = reply::expected(request.headers());
    let seen = gallery.edit(caller, media.0, body.into_fields(), expected.as_deref()).await?;
    reply::revised(&request, &One::Media(&seen.view()), seen.revision())
}

/// `DELETE /media/{id}`.
///
/// # Errors
///
/// A refusal.
pub async fn delete(caller: Caller, media: Id, gallery: web::Data<Gallery>) -> Result<HttpResponse, Problem> {
    gallery.delete(caller, media.0).await?;
    Ok(reply::no_content())
}

fn filter(query: &mut Fields) -> Option<Filter> {
    let kind = query.optional("type", word(MediaType::named));
    let mood = query.optional("mood", word(Mood::named));
    let uploader_id = query.optional("uploaderId", id);
    let tag = query.optional("tag", tag::read);
    let status = query.optional("status", word(MediaStatus::named));
    let since = query.optional("since", written_number(0, i64::MAX));
    let sort = query.optional("sort", word(sort));
    Some(Filter {
        kind: kind?,
        mood: mood?,
        uploader_id: uploader_id?,
        tag: tag?,
        status: status?,
        since: since?,
        sort: sort?.unwrap_or(Sort::Newest),
    })
}

fn sort(word: &str) -> Option<Sort> {
    match word {
        "newest" => Some(Sort::Newest),
        "oldest" => Some(Sort::Oldest),
        "top" => Some(Sort::Top),
        _ => None,
    }
}
