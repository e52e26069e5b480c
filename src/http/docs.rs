//! `/openapi.json`, and `/docs` for people: the document, made when it is asked for first.

use std::sync::LazyLock;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    middleware::from_fn,
    web::{self, ServiceConfig},
};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::{compression::compress, document::document, reply::has_already};

const PAGE: &str = include_str!("docs/index.html");
const SCRIPT: &str = include_str!("docs/reader.js");
const STYLE: &str = include_str!("docs/reader.css");
/// The page runs its own script, and asks this service alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Constants that no compiler makes: hashing and rendering them takes as long as all the rest of a start, and 10 MB.
static PAGES: [(&str, LazyLock<Page>); 4] = [
    (
        "/openapi.json",
        LazyLock::new(|| Page::new("application/json", serde_json::to_vec(&document()).unwrap_or_default())),
    ),
    ("/docs", LazyLock::new(|| Page::new("text/html; charset=utf-8", PAGE))),
    ("/docs/reader.js", LazyLock::new(|| Page::new("text/javascript; charset=utf-8", SCRIPT))),
    ("/docs/reader.css", LazyLock::new(|| Page::new("text/css; charset=utf-8", STYLE))),
];

/// What never changes while the service runs.
#[derive(Debug)]
struct Page {
    content_type: &'static str,
    body: Bytes,
    etag: String,
}

impl Page {
    fn new(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let hash: String = Sha256::digest(&body).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self { content_type, body, etag: format!("\"{hash}\"") }
    }

    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let mut reply = HttpResponse::Ok();
        reply
            .content_type(self.content_type)
            .insert_header((header::ETAG, self.etag.as_str()))
            .insert_header((header::CACHE_CONTROL, "public, no-cache"))
            .insert_header((header::VARY, "Accept-Encoding"))
            // Generators and readers of any origin may have it
            .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
            .insert_header((header::CONTENT_SECURITY_POLICY, POLICY));
        if has_already(request.headers(), &self.etag) {
            return reply.status(StatusCode::NOT_MODIFIED).finish();
        }
        reply.body(self.body.clone())
    }
}

/// The pages; each of their files is asked for by its own path.
pub fn configure(table: &mut ServiceConfig) {
    for (path, page) in &PAGES {
        let answer = |request: HttpRequest| {
            let answer = page.answer(&request);
            async move { answer }
        };
        let page = web::resource(*path).wrap(from_fn(compress));
        table.service(page.route(web::get().to(answer)).route(web::head().to(answer)));
    }
}
