//! Bytes, whole or in part, to who may have them: `GET /media/{id}/file`, `/preview`, `/thumb`, and pictures.

use std::io;

use actix_web::{
    HttpRequest, HttpResponse,
    body::SizedStream,
    http::{
        Method, StatusCode,
        header::{self, HeaderMap},
    },
    web,
};
use bytes::Bytes;
use futures_util::stream;
use serde_json::Value;

use super::{
    body::Query,
    path::Id,
    problem::{Code, Problem},
    reply::has_already,
};
use crate::{
    domain::{caller::Caller, fields::Fields, media::Rendition},
    service::{
        gallery::Gallery,
        links::Signature,
        served::{Caching, Served},
    },
};

/// `GET` and `HEAD` of the clean file.
///
/// # Errors
///
/// A refusal.
pub async fn file(
    request: HttpRequest,
    caller: Caller,
    media: Id,
    query: Query,
    gallery: web::Data<Gallery>,
) -> Result<HttpResponse, Problem> {
    media_file(&request, caller, media, query, &gallery, Rendition::File).await
}

/// `GET` and `HEAD` of the one for a screen.
///
/// # Errors
///
/// A refusal.
pub async fn preview(
    request: HttpRequest,
    caller: Caller,
    media: Id,
    query: Query,
    gallery: web::Data<Gallery>,
) -> Result<HttpResponse, Problem> {
    media_file(&request, caller, media, query, &gallery, Rendition::Preview).await
}

/// `GET` and `HEAD` of the one for a tile.
///
/// # Errors
///
/// A refusal.
pub async fn thumb(
    request: HttpRequest,
    caller: Caller,
    media: Id,
    query: Query,
    gallery: web::Data<Gallery>,
) -> Result<HttpResponse, Problem> {
    media_file(&request, caller, media, query, &gallery, Rendition::Thumb).await
}

async fn media_file(
    request: &HttpRequest,
    caller: Caller,
    media: Id,
    Query(mut query): Query,
    gallery: &Gallery,
    rendition: Rendition,
) -> Result<HttpResponse, Problem> {
    let signature = signature(&mut query);
    serve(request, &gallery.file(caller, media.0, rendition, signature.as_ref()).await?).await
}

/// Serves a file, whole or in part.
///
/// # Errors
///
/// It is gone, or has no such part.
pub(super) async fn serve(request: &HttpRequest, served: &Served) -> Result<HttpResponse, Problem> {
    let mut reply = HttpResponse::Ok();
    let caching = match served.caching {
        Caching::Private => "private, max-age=300",
        Caching::Public => "public, max-age=300",
        Caching::Forever => "public, max-age=31536000, immutable",
    };
    reply
        .insert_header((header::ETAG, served.etag.as_str()))
        .insert_header((header::CACHE_CONTROL, caching))
        .insert_header((header::VARY, "Authorization, Origin"))
        .insert_header((header::ACCEPT_RANGES, "bytes"));
    if has_already(request.headers(), &served.etag) {
        return Ok(reply.status(StatusCode::NOT_MODIFIED).finish());
    }
    let object = served.open().await?;
    let size = object.size();
    let is_head = request.method() == Method::HEAD;
    // Parts are of what is got: a HEAD tells of the whole (RFC 9110, 14.2)
    let part = if is_head { Part::Whole } else { range(request.headers(), &served.etag, size) };
    let (status, range) = match part {
        Part::Whole => (StatusCode::OK, 0..size),
        Part::Some(range) => {
            let text = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            reply.insert_header((header::CONTENT_RANGE, text));
            (StatusCode::PARTIAL_CONTENT, range)
        }
        Part::None => {
            return Err(Problem::new(Code::RangeNotSatisfiable, "The file has no such part").of_size(size));
        }
    };
    let length = range.end - range.start;
    reply
        .status(status)
        .content_type(served.content_type.as_str())
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_DISPOSITION, disposition(served)))
        // What is served is data, also to a browser that is shown it as a page
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"))
        .no_chunking(length);
    if is_head {
        // The length is told, the bytes are not sent
        let nothing = stream::empty::<Result<Bytes, io::Error>>();
        return Ok(reply.body(SizedStream::new(length, nothing)));
    }
    Ok(reply.body(SizedStream::new(length, object.stream(range))))
}

/// A name that is ours: the guest's own may hold anything.
fn disposition(served: &Served) -> String {
    let ending = match served.content_type.as_str() {
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "image/gif" => "gif",
        "image/webp" => "webp",
        _ => "bin",
    };
    format!("inline; filename=\"{}.{ending}\"", served.name)
}

/// The signature of a signed URL; half of one is none.
pub(super) fn signature(query: &mut Fields) -> Option<Signature> {
    let mut text = |name| match query.take(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let (expires, mark) = (text("expires")?, text("signature")?);
    Some(Signature { expires: expires.parse().ok()?, mark })
}

/// What part of a file is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// All of it; also for what is no range that we know, as RFC 9110 has it.
    Whole,
    /// From the first to before the second byte; never empty.
    Some(std::ops::Range<u64>),
    /// No byte of it.
    None,
}

fn range(headers: &HeaderMap, etag: &str, size: u64) -> Part {
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    // A part of another version is no use
    if text(header::IF_RANGE).is_some_and(|known| known != etag) {
        return Part::Whole;
    }
    let Some(spec) = text(header::RANGE).and_then(|value| value.trim().strip_prefix("bytes=")) else {
        return Part::Whole;
    };
    // Several parts at once are nothing that a gallery needs
    let Some((first, last)) = spec.split_once('-').filter(|_| !spec.contains(',')) else {
        return Part::Whole;
    };
    let (first, last) = (first.trim(), last.trim());
    let range = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Ok(first), Err(_)) if last.is_empty() => first..size,
        (Err(_), Ok(suffix)) if first.is_empty() => size.saturating_sub(suffix)..size,
        _ => return Part::Whole,
    };
    if range.is_empty() { Part::None } else { Part::Some(range) }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn what_part_a_range_asks_for() {
        for (given, expected) in [
            ("bytes=0-", Part::Some(0..10)),
            ("bytes=0-0", Part::Some(0..1)),
            ("bytes=2-5", Part::Some(2..6)),
            ("bytes=5-100", Part::Some(5..10)),
            ("bytes=-3", Part::Some(7..10)),
            ("bytes=-100", Part::Some(0..10)),
            ("bytes=-0", Part::None),
            ("bytes=10-", Part::None),
            ("bytes=10-20", Part::None),
            ("bytes=5-2", Part::Whole),
            ("bytes=0-1,3-4", Part::Whole),
            ("bytes=x-", Part::Whole),
            ("bytes=-", Part::Whole),
            ("lines=0-1", Part::Whole),
            ("bytes=18446744073709551615-", Part::None),
            ("bytes=0-18446744073709551615", Part::Some(0..10)),
        ] {
            let request = TestRequest::default().insert_header((header::RANGE, given)).to_http_request();
            assert_eq!(range(request.headers(), "\"a\"", 10), expected, "{given}");
        }
        for (known, expected) in [("\"a\"", Part::Some(0..1)), ("\"b\"", Part::Whole)] {
            let request = TestRequest::default()
                .insert_header((header::RANGE, "bytes=0-0"))
                .insert_header((header::IF_RANGE, known))
                .to_http_request();
            assert_eq!(range(request.headers(), "\"a\"", 10), expected, "{known}");
        }
    }
}
