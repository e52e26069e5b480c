//! What a refused request is told: RFC 9457 problems. The one place that knows statuses.

use std::{fmt, time::Duration};

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use serde::Serialize;

/// The contract's words for what went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The request is not HTTP that we understand.
    MalformedBody,
    /// Nobody we know.
    Unauthenticated,
    /// Somebody whose token was good once.
    TokenExpired,
    /// More often than is allowed.
    RateLimited,
    /// Known, and not allowed.
    Forbidden,
    /// Nothing there, or nothing that the caller may know of.
    NotFound,
    /// There, but not for this method.
    MethodNotAllowed,
    /// More than is taken.
    PayloadTooLarge,
    /// Not the caller's fault.
    Internal,
    /// Not done, safe to repeat.
    Unavailable,
    /// A commit whose answer was not seen.
    OutcomeUnknown,
}

impl Code {
    fn row(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::MalformedBody => (StatusCode::BAD_REQUEST, "MALFORMED_BODY", "Malformed request"),
            Self::Unauthenticated => (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", "Not authenticated"),
            Self::TokenExpired => (StatusCode::UNAUTHORIZED, "TOKEN_EXPIRED", "Token expired"),
            Self::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", "Too many requests"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "FORBIDDEN", "Forbidden"),
            Self::NotFound => (StatusCode::NOT_FOUND, "NOT_FOUND", "Not found"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "Method not allowed")
            }
            Self::PayloadTooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", "Payload too large")
            }
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "Internal error"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", "Unavailable"),
            Self::OutcomeUnknown => (StatusCode::GATEWAY_TIMEOUT, "OUTCOME_UNKNOWN", "Outcome unknown"),
        }
    }

    /// The code for an answer of the framework's own.
    pub(super) fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::Unauthenticated,
            StatusCode::TOO_MANY_REQUESTS => Self::RateLimited,
            StatusCode::FORBIDDEN => Self::Forbidden,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::PayloadTooLarge,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            status if status.is_client_error() => Self::MalformedBody,
            _ => Self::Internal,
        }
    }
}

/// A refusal, in words that are fit for the caller.
#[derive(Clone, Debug)]
pub struct Problem {
    code: Code,
    detail: &'static str,
    retry_after: Option<Duration>,
    closes: bool,
}

impl Problem {
    /// A refusal with `code`; `detail` is for people and names nothing internal.
    pub fn new(code: Code, detail: &'static str) -> Self {
        Self { code, detail, retry_after: None, closes: false }
    }

    /// When to try again, told in whole seconds, one at least.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// The connection is closed after it, so that the client's next one goes elsewhere.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.closes = true;
        self
    }

    /// The answer to the request with that id.
    pub(super) fn render(&self, request_id: &str) -> HttpResponse {
        let (status, code, title) = self.code.row();
        let body = Body {
            kind: format!("urn:party-gallery:problem:{}", code.to_lowercase()),
            title,
            status: status.as_u16(),
            detail: self.detail,
            instance: format!("urn:uuid:{request_id}"),
            code,
            request_id,
            success: false,
            message: self.detail,
        };
        let mut answer = HttpResponse::build(status);
        answer.insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(delay) = self.retry_after {
            let seconds = delay.as_millis().div_ceil(1000).max(1);
            answer.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if self.closes {
            answer.force_close();
        }
        // Only strings and a number: it cannot fail
        let body = serde_json::to_vec(&body).unwrap_or_default();
        answer.content_type("application/problem+json").body(body)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'static str,
    instance: String,
    code: &'static str,
    request_id: &'a str,
    success: bool,
    message: &'static str,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.row().1)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.row().0
    }

    /// Only a stand-in: [`super::trace`] renders it, since it knows the request's id.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}
