//! Answers of text are sent compressed to who takes that.
//!
//! Whole bodies only, at once and with their length: the framework's own layer would make a stream of each, and send it
//! through a thread.

use std::{io::Write as _, sync::Arc};

use actix_web::{
    Error, HttpMessage as _,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, AcceptEncoding, ContentEncoding, Encoding, HeaderMap, HeaderValue},
    middleware::Next,
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};

use crate::view::Sheet;

/// Smaller ones go into one packet anyhow.
const LEAST: usize = 1024;
/// Pages of a gallery are half as long for half of the time that the best compression takes.
const LEVEL: Compression = Compression::fast();

/// The layer.
///
/// # Errors
///
/// Those of inner layers.
pub async fn compress<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let takes_gzip = takes_gzip(&request);
    let answer = next.call(request).await?;
    // A refusal is written anew further out
    let is_plain = answer.status().is_success() && !answer.headers().contains_key(header::CONTENT_ENCODING);
    if !takes_gzip || !is_plain || !is_text(answer.headers()) {
        return Ok(answer.map_into_boxed_body());
    }
    // One that is sent to many is packed once
    let sheet = answer.response().extensions().get::<Arc<Sheet>>().cloned();
    let mut is_packed = false;
    let mut answer = answer.map_body(|_, body| match body.try_into_bytes() {
        Ok(bytes) => {
            let packed = sheet.map_or_else(|| pack(&bytes), |sheet| sheet.packed(pack));
            is_packed = packed.is_some();
            BoxBody::new(packed.unwrap_or(bytes))
        }
        Err(body) => body.boxed(),
    });
    if is_packed {
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        weaken(headers);
    }
    Ok(answer)
}

fn takes_gzip(request: &ServiceRequest) -> bool {
    let Some(accepted) = request.get_header::<AcceptEncoding>() else { return false };
    // Who does not say which, `*` that is, has reasons of their own
    let gzip = Encoding::Known(ContentEncoding::Gzip);
    accepted.negotiate([gzip.clone(), Encoding::identity()].iter()).is_some_and(|chosen| chosen == gzip)
}

fn is_text(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|text| {
        let essence = text.split(';').next().unwrap_or_default().trim();
        essence.starts_with("text/") || essence.ends_with("json") || essence.ends_with("svg+xml")
    })
}

fn pack(bytes: &Bytes) -> Option<Bytes> {
    if bytes.len() < LEAST {
        return None;
    }
    let mut packed = GzEncoder::new(Vec::with_capacity(bytes.len() / 2), LEVEL);
    packed.write_all(bytes).ok()?;
    packed.finish().ok().map(Bytes::from)
}

/// Bytes that differ may not have the same strong tag.
fn weaken(headers: &mut HeaderMap) {
    let strong = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
    let weak = strong.filter(|tag| !tag.starts_with("W/")).map(|tag| format!("W/{tag}"));
    if let Some(weak) = weak.and_then(|tag| HeaderValue::try_from(tag).ok()) {
        headers.insert(header::ETAG, weak);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use actix_web::{
        App, HttpResponse,
        middleware::from_fn,
        test::{TestRequest, call_service, init_service, read_body},
        web,
    };
    use flate2::read::GzDecoder;

    use super::*;

    fn page(content_type: &'static str, length: usize) -> HttpResponse {
        let tag = (header::ETAG, "\"a\"");
        HttpResponse::Ok().content_type(content_type).insert_header(tag).body("x".repeat(length))
    }

    #[actix_web::test]
    async fn text_that_is_worth_it_goes_packed_to_who_takes_that() {
        let app = App::new()
            .wrap(from_fn(compress))
            .route("/long", web::get().to(async || page("application/json", 5000)))
            .route("/short", web::get().to(async || page("application/json", 1000)))
            .route("/photo", web::get().to(async || page("image/jpeg", 5000)));
        let app = init_service(app).await;
        for (path, accepted, packed) in [
            ("/long", Some("gzip, br"), true),
            ("/long", Some("gzip;q=0"), false),
            ("/long", Some("br"), false),
            ("/long", None, false),
            ("/short", Some("gzip"), false),
            ("/photo", Some("gzip"), false),
        ] {
            let mut request = TestRequest::with_uri(path);
            if let Some(accepted) = accepted {
                request = request.insert_header((header::ACCEPT_ENCODING, accepted));
            }
            let answer = call_service(&app, request.to_request()).await;
            let told = (answer.headers().get(header::CONTENT_ENCODING)).is_some_and(|it| it == "gzip");
            assert_eq!(told, packed, "{path} {accepted:?}");
            let tag = answer.headers().get(header::ETAG).unwrap().clone();
            assert_eq!(tag, if packed { "W/\"a\"" } else { "\"a\"" });
            if packed {
                let mut text = String::new();
                GzDecoder::new(&read_body(answer).await[..]).read_to_string(&mut text).unwrap();
                assert_eq!(text, "x".repeat(5000));
            }
        }
    }
}
