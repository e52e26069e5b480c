//! Successful answers: the envelope, its caching, and whether the caller has it already.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{
        Method, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
};
use bytes::Bytes;
use serde::Serialize;

use super::{
    page::Meta,
    problem::{Code, Problem},
};
use crate::{
    service::{once::Answer, pages::Shown},
    view::sheet::digest,
};

/// JSON answers depend on who asks, and are asked again each time.
const VARY: &str = "Authorization, Accept-Encoding, Origin";
const CACHING: &str = "private, no-cache";
const STALE: HeaderName = HeaderName::from_static("x-stale");

#[derive(Serialize)]
struct Envelope<'a, T> {
    success: bool,
    data: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<&'a Meta>,
}

/// 200 with `data`.
///
/// # Errors
///
/// It cannot be written as JSON.
pub fn ok(data: &impl Serialize) -> Result<HttpResponse, Problem> {
    Ok(builder(StatusCode::OK).body(envelope(data, None)?))
}

/// 200 with `data` and an ETag, or 304 when the caller has it already.
///
/// # Errors
///
/// It cannot be written as JSON.
pub fn resource(request: &HttpRequest, data: &impl Serialize) -> Result<HttpResponse, Problem> {
    Ok(tagged(request, envelope(data, None)?))
}

/// 200 with a page and an ETag, or 304 when the caller has it already.
///
/// # Errors
///
/// It cannot be written as JSON.
pub fn list(request: &HttpRequest, data: &impl Serialize, meta: &Meta) -> Result<HttpResponse, Problem> {
    Ok(tagged(request, envelope(data, Some(meta))?))
}

/// 200 with a page of media and its ETag, or 304 when the caller has it already. One that may have changed since it was read
/// says so.
pub fn sheet(request: &HttpRequest, shown: &Shown) -> HttpResponse {
    let Shown { sheet, viewers, age } = shown;
    let viewers = viewers.as_deref();
    let body = || viewers.map_or_else(|| sheet.body().clone(), |viewers| sheet.with(viewers));
    let mut reply = unless_known(request, sheet.etag(viewers), body);
    if viewers.is_none() {
        reply.extensions_mut().insert(Arc::clone(sheet));
    }
    if let Some(age) = age {
        reply.headers_mut().insert(header::AGE, age.as_secs().into());
        reply.headers_mut().insert(STALE, HeaderValue::from_static("1"));
    }
    reply
}

/// What a use case answers, now or again.
///
/// # Errors
///
/// It cannot be written as JSON.
pub fn answer(answer: &Answer) -> Result<HttpResponse, Problem> {
    let mut reply = builder(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK));
    if let Some(location) = &answer.location {
        reply.insert_header((header::LOCATION, location.as_str()));
    }
    if answer.replayed {
        reply.insert_header(("Idempotency-Replayed", "true"));
    }
    Ok(reply.body(envelope(&answer.data, None)?))
}

/// 204.
pub fn no_content() -> HttpResponse {
    HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, CACHING)).finish()
}

/// Whether `If-None-Match` names `etag`: weakly, as the method is safe.
pub fn has_already(headers: &HeaderMap, etag: &str) -> bool {
    let weak = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    headers
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.trim() == "*" || value.split(',').any(|tag| weak(tag) == weak(etag)))
}

/// As [`resource`]; the ETag also tells the revision of what can be edited, which [`expected`] reads again.
///
/// # Errors
///
/// It cannot be written as JSON.
pub fn revised(request: &HttpRequest, data: &impl Serialize, revision: i32) -> Result<HttpResponse, Problem> {
    let body = envelope(data, None)?;
    let etag = format!("\"{revision}-{}\"", digest(&[&body]));
    Ok(unless_known(request, etag, || body))
}

/// The revisions that `If-Match` expects; `None` when any will do. Counters may have changed since: only the revision is
/// compared.
pub fn expected(headers: &HeaderMap) -> Option<Vec<i32>> {
    let values: Vec<_> = headers.get_all(header::IF_MATCH).collect();
    let texts = values.iter().map(|value| value.to_str().unwrap_or_default());
    let tags: Vec<_> = texts.flat_map(|text| text.split(',')).map(str::trim).collect();
    // Proxies that compress make strong ones weak, and the revision is none the less the same
    let revision = |tag: &str| tag.trim_start_matches("W/").trim_matches('"').split('-').next()?.parse().ok();
    let any = tags.is_empty() || tags.contains(&"*");
    (!any).then(|| tags.into_iter().filter_map(revision).collect())
}

fn tagged(request: &HttpRequest, body: Bytes) -> HttpResponse {
    let etag = format!("\"{}\"", digest(&[&body]));
    unless_known(request, etag, || body)
}

fn unless_known(request: &HttpRequest, etag: String, body: impl FnOnce() -> Bytes) -> HttpResponse {
    // What was changed is told even to who foresaw it
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_known = is_read && has_already(request.headers(), &etag);
    let mut reply = builder(if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    reply.insert_header((header::ETAG, etag));
    if is_known { reply.finish() } else { reply.body(body()) }
}

fn builder(status: StatusCode) -> HttpResponseBuilder {
    let mut reply = HttpResponse::build(status);
    reply.insert_header((header::CACHE_CONTROL, CACHING)).insert_header((header::VARY, VARY));
    reply.content_type("application/json");
    reply
}

fn envelope<T: Serialize>(data: &T, meta: Option<&Meta>) -> Result<Bytes, Problem> {
    serde_json::to_vec(&Envelope { success: true, data, meta })
        .map(Bytes::from)
        .map_err(|error| Problem::new(Code::Internal, "The answer could not be written").because(&error))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn an_etag_is_known_in_any_list_weak_or_not() {
        for (given, known) in [
            (r#""a""#, true),
            (r#"W/"a""#, true),
            (r#""b", W/"a""#, true),
            ("*", true),
            (r#""b""#, false),
            ("a", false),
            ("", false),
        ] {
            let request =
                TestRequest::default().insert_header((header::IF_NONE_MATCH, given)).to_http_request();
            assert_eq!(has_already(request.headers(), r#""a""#), known, "{given}");
        }
    }

    #[test]
    fn an_edit_expects_revisions_whatever_else_has_changed() {
        for (given, revisions) in [
            (&[r#""3-ab""#][..], Some(vec![3])),
            (&[r#"W/"3-ab""#], Some(vec![3])),
            (&[r#""3-ab", "4-cd""#], Some(vec![3, 4])),
            (&[r#""3-ab""#, r#""4-cd""#], Some(vec![3, 4])),
            (&[r#""other""#], Some(vec![])),
            (&["*"], None),
            (&[], None),
        ] {
            let mut request = TestRequest::default();
            for value in given {
                request = request.append_header((header::IF_MATCH, *value));
            }
            assert_eq!(expected(request.to_http_request().headers()), revisions, "{given:?}");
        }
    }

    #[test]
    fn the_same_answer_has_the_same_etag_and_is_not_sent_twice() {
        let first = resource(&TestRequest::default().to_http_request(), &1).unwrap();
        let etag = first.headers().get(header::ETAG).unwrap().clone();
        let again = TestRequest::default().insert_header((header::IF_NONE_MATCH, etag)).to_http_request();
        assert_eq!(resource(&again, &1).unwrap().status(), StatusCode::NOT_MODIFIED);
        assert_eq!(resource(&again, &2).unwrap().status(), StatusCode::OK);
    }
}
