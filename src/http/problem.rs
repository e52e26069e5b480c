//! What a refused request is told: RFC 9457 problems. The one place that knows statuses.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};
use serde::Serialize;

use super::rate;
use crate::{
    domain::fields::FieldError,
    service::{self, error::Conflict, rates::Standing},
    telemetry::Chain,
};

/// The contract's words for what went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A field, a parameter or a header breaks a rule.
    Validation,
    /// The request is not what we can read.
    MalformedBody,
    /// Nobody we know.
    Unauthenticated,
    /// Somebody whose token was good once.
    TokenExpired,
    /// Known, and not allowed.
    Forbidden,
    /// Nothing there, or nothing that the caller may know of.
    NotFound,
    /// There, but not for this method.
    MethodNotAllowed,
    /// It does not go together with what is there.
    Conflict,
    /// The name is somebody's.
    UsernameTaken,
    /// The address has an account.
    EmailTaken,
    /// No seat is left.
    PartyFull,
    /// Not in this state.
    InvalidStatus,
    /// As much as one may have.
    QuotaExceeded,
    /// It was edited since the caller saw it.
    PreconditionFailed,
    /// More than is taken.
    PayloadTooLarge,
    /// Nothing that is taken.
    UnsupportedMedia,
    /// No such part of the file.
    RangeNotSatisfiable,
    /// The key belongs to another request.
    IdempotencyMismatch,
    /// More often than is allowed.
    RateLimited,
    /// Not the caller's fault.
    Internal,
    /// Not done, safe to repeat.
    Unavailable,
    /// A commit whose answer was not seen.
    OutcomeUnknown,
    /// No room for more.
    StorageFull,
}

impl Code {
    fn row(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::Validation => (S::BAD_REQUEST, "VALIDATION_ERROR", "Invalid request"),
            Self::MalformedBody => (S::BAD_REQUEST, "MALFORMED_BODY", "Malformed request"),
            Self::Unauthenticated => (S::UNAUTHORIZED, "UNAUTHENTICATED", "Not authenticated"),
            Self::TokenExpired => (S::UNAUTHORIZED, "TOKEN_EXPIRED", "Token expired"),
            Self::Forbidden => (S::FORBIDDEN, "FORBIDDEN", "Forbidden"),
            Self::NotFound => (S::NOT_FOUND, "NOT_FOUND", "Not found"),
            Self::MethodNotAllowed => (S::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "Method not allowed"),
            Self::Conflict => (S::CONFLICT, "CONFLICT", "Conflict"),
            Self::UsernameTaken => (S::CONFLICT, "USERNAME_TAKEN", "Username taken"),
            Self::EmailTaken => (S::CONFLICT, "EMAIL_TAKEN", "E-mail address taken"),
            Self::PartyFull => (S::CONFLICT, "PARTY_FULL", "Party full"),
            Self::InvalidStatus => (S::CONFLICT, "INVALID_STATUS", "Not in this status"),
            Self::QuotaExceeded => (S::CONFLICT, "QUOTA_EXCEEDED", "Quota exceeded"),
            Self::PreconditionFailed => (S::PRECONDITION_FAILED, "PRECONDITION_FAILED", "Edited meanwhile"),
            Self::PayloadTooLarge => (S::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", "Payload too large"),
            Self::UnsupportedMedia => (S::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA", "Unsupported media"),
            Self::RangeNotSatisfiable => {
                (S::RANGE_NOT_SATISFIABLE, "RANGE_NOT_SATISFIABLE", "Range not satisfiable")
            }
            Self::IdempotencyMismatch => {
                (S::UNPROCESSABLE_ENTITY, "IDEMPOTENCY_MISMATCH", "Idempotency key used before")
            }
            Self::RateLimited => (S::TOO_MANY_REQUESTS, "RATE_LIMITED", "Too many requests"),
            Self::Internal => (S::INTERNAL_SERVER_ERROR, "INTERNAL", "Internal error"),
            Self::Unavailable => (S::SERVICE_UNAVAILABLE, "UNAVAILABLE", "Unavailable"),
            Self::OutcomeUnknown => (S::GATEWAY_TIMEOUT, "OUTCOME_UNKNOWN", "Outcome unknown"),
            Self::StorageFull => (S::INSUFFICIENT_STORAGE, "STORAGE_FULL", "Storage full"),
        }
    }

    /// The contract's word.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The status that it comes with.
    pub fn status(self) -> StatusCode {
        self.row().0
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
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMedia,
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
    headers: Vec<(HeaderName, HeaderValue)>,
    errors: Box<[FieldError]>,
    standings: Vec<Standing>,
    cause: Option<Arc<str>>,
}

impl Problem {
    /// A refusal with `code`; `detail` is for people and names nothing internal.
    pub fn new(code: Code, detail: &'static str) -> Self {
        Self {
            code,
            detail,
            retry_after: None,
            closes: false,
            headers: Vec::new(),
            errors: Box::default(),
            standings: Vec::new(),
            cause: None,
        }
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

    /// How large the file is of which no such part exists.
    #[must_use]
    pub fn of_size(self, size: u64) -> Self {
        self.telling(header::CONTENT_RANGE, &format!("bytes */{size}"))
    }

    /// What an error of a layer or of the framework is told as.
    pub fn of(error: &actix_web::Error) -> Self {
        let status = error.as_response_error().status_code();
        let bare = || Self::new(Code::of(status), status.canonical_reason().unwrap_or_default());
        error.as_error::<Self>().cloned().unwrap_or_else(bare)
    }

    /// Headers that go with it.
    #[must_use]
    pub fn telling_all(mut self, headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>) -> Self {
        self.headers.extend(headers);
        self
    }

    /// A header that goes with it; `value` is printable ASCII.
    #[must_use]
    pub fn telling(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }

    /// What is wrong with each field.
    #[must_use]
    pub fn naming(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors.into();
        self
    }

    /// The limits that stand in the way.
    #[must_use]
    pub fn limited_by(mut self, standings: Vec<Standing>) -> Self {
        self.standings = standings;
        self
    }

    /// What the log is told, and the caller is not.
    #[must_use]
    pub fn because(mut self, cause: &(dyn Error + 'static)) -> Self {
        self.cause = Some(Chain(cause).to_string().into());
        self
    }

    /// Why, for the log.
    pub(super) fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
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
            errors: &self.errors,
        };
        let mut answer = HttpResponse::build(status);
        if status == StatusCode::UNAUTHORIZED {
            answer.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        answer.insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(delay) = self.retry_after {
            let seconds = delay.as_millis().div_ceil(1000).max(1);
            answer.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        for (name, value) in &self.headers {
            answer.insert_header((name.clone(), value.clone()));
        }
        for (name, value) in rate::fields(&self.standings) {
            answer.insert_header((name, value));
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
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

/// The one place where what a use case was refused for becomes what its caller is told.
impl From<service::error::Error> for Problem {
    fn from(error: service::error::Error) -> Self {
        use service::error::Error as E;
        match error {
            E::Invalid(invalid) => {
                Self::new(Code::Validation, "The request breaks a rule; see errors").naming(invalid.0)
            }
            E::Unauthenticated(detail) => Self::new(Code::Unauthenticated, detail),
            E::Forbidden(detail) => Self::new(Code::Forbidden, detail),
            E::NotFound => Self::new(Code::NotFound, "There is nothing here for you"),
            E::Conflict(conflict) => Self::conflict(conflict),
            E::Precondition => Self::new(Code::PreconditionFailed, "It was edited since you read it"),
            E::TooLarge(detail) => Self::new(Code::PayloadTooLarge, detail),
            E::Unsupported(detail) => Self::new(Code::UnsupportedMedia, detail),
            E::KeyReused => {
                Self::new(Code::IdempotencyMismatch, "The Idempotency-Key belongs to another request")
            }
            E::TooOften { retry_after, standings } => {
                Self::new(Code::RateLimited, "Too many requests; try again later")
                    .retry_after(retry_after)
                    .limited_by(standings)
            }
            E::Unavailable { retry_after, .. } => Self::new(Code::Unavailable, "Nothing was done; try again")
                .retry_after(retry_after)
                .because(&error),
            E::OutcomeUnknown(_) => {
                Self::new(Code::OutcomeUnknown, "It may have been done; look before you repeat it")
                    .because(&error)
            }
            E::StorageFull => Self::new(Code::StorageFull, "There is no room for more"),
            E::Internal(_) => Self::new(Code::Internal, "Something went wrong on our side").because(&error),
        }
    }
}

impl Problem {
    fn conflict(conflict: Conflict) -> Self {
        match conflict {
            Conflict::UsernameTaken => Self::new(Code::UsernameTaken, "The username is taken"),
            Conflict::EmailTaken => Self::new(Code::EmailTaken, "The e-mail address has an account"),
            Conflict::PartyFull => Self::new(Code::PartyFull, "No seat is left"),
            Conflict::InvalidStatus => {
                Self::new(Code::InvalidStatus, "The party's status does not allow this")
            }
            Conflict::QuotaExceeded => Self::new(Code::QuotaExceeded, "You have as much as you may have"),
            Conflict::Other(detail) => Self::new(Code::Conflict, detail),
        }
    }
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
