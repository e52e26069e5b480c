//! Who is let in, and for how long: a bounded number of requests at once, each over in its time.
//!
//! *Invariant:* whoever finds no place is told at once and waits for none; a route that says nothing has the short time.

#[cfg(test)]
mod tests;

use std::{cell::Cell, future::pending, pin::Pin, rc::Rc, sync::Arc, task, time::Duration};

use actix_web::{
    Error, HttpMessage as _,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::PayloadError,
    middleware::Next,
    web,
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};

use super::problem::{Code, Problem};
use crate::telemetry::Metrics;

/// How long a request may take.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// How long a long one may go without a byte.
pub const IDLE: Duration = Duration::from_secs(30);

/// When who found no place may come back.
const RETRY: Duration = Duration::from_secs(1);

/// The places of one pod, shared by its workers, and the times.
#[derive(Clone)]
pub struct Admission {
    places: Arc<Semaphore>,
    all: usize,
    metrics: Metrics,
    deadline: Duration,
    idle: Duration,
}

impl Admission {
    /// That many requests at once, each within the contract's times.
    pub fn new(max_in_flight: usize, metrics: Metrics) -> Self {
        let all = max_in_flight.min(Semaphore::MAX_PERMITS);
        Self { places: Arc::new(Semaphore::new(all)), all, metrics, deadline: DEADLINE, idle: IDLE }
    }

    /// How many places are taken, and how many there are.
    pub fn places(&self) -> (usize, usize) {
        (self.all.saturating_sub(self.places.available_permits()), self.all)
    }
}

/// Whether the request's route is one of the long ones; those say so when they are reached.
#[derive(Clone, Default)]
struct Pace(Rc<Cell<bool>>);

impl Pace {
    /// Resolves when the request should be over: for a long one never.
    async fn overdue(&self, deadline: Duration) {
        sleep(deadline).await;
        if self.0.get() {
            pending::<()>().await;
        }
    }
}

/// The layer that lets in. A request past its time fails without itself: what it had is dropped with its handler.
///
/// # Errors
///
/// The deadline passed: 503 where nothing can have been done, 504 where it may have been.
pub async fn admit<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(admission) = request.app_data::<web::Data<Admission>>().cloned() else {
        return Ok(request.error_response(Problem::new(Code::Internal, "Nobody lets requests in")));
    };
    let Ok(place) = Arc::clone(&admission.places).try_acquire_owned() else {
        admission.metrics.shed().inc();
        let problem = Problem::new(Code::Unavailable, "Too many requests at once").retry_after(RETRY);
        return Ok(request.error_response(problem));
    };
    let pace = Pace::default();
    request.extensions_mut().insert(pace.clone());
    let is_safe = request.method().is_safe();
    let answer = tokio::select! {
        biased;
        answer = next.call(request) => answer?,
        () = pace.overdue(admission.deadline) => return Err(overdue(is_safe).into()),
    };
    Ok(answer.map_body(|_, body| match body.try_into_bytes() {
        // Whole already: nothing of us works on it any more
        Ok(bytes) => BoxBody::new(bytes),
        Err(body) => BoxBody::new(Placed { body: body.boxed(), _place: place }),
    }))
}

/// A layer for routes that last as long as bytes flow: uploads, downloads, polls. The bytes of an answer are watched
/// by the connection itself, see [`super::connection`].
///
/// # Errors
///
/// The handler's own.
pub async fn long<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let idle = request.app_data::<web::Data<Admission>>().map_or(IDLE, |admission| admission.idle);
    if let Some(pace) = request.extensions().get::<Pace>() {
        pace.0.set(true);
    }
    let bytes = request.extract::<web::Payload>().await?;
    let bytes = stream::unfold(Some(bytes), move |bytes| async move {
        let mut bytes = bytes?;
        match timeout(idle, bytes.next()).await {
            Ok(Some(Ok(chunk))) => Some((Ok(chunk), Some(bytes))),
            Ok(Some(Err(error))) => Some((Err(error), None)),
            Ok(None) => None,
            Err(elapsed) => Some((Err(PayloadError::Io(elapsed.into())), None)),
        }
    });
    // A form asks once more than there is to tell
    let bytes = bytes.fuse();
    request.set_payload(actix_web::dev::Payload::Stream { payload: Box::pin(bytes) });
    next.call(request).await
}

/// What a request past its time is told. Its handler may have stood right behind a commit.
fn overdue(is_safe: bool) -> Problem {
    let detail = "The request took too long";
    match is_safe {
        true => Problem::new(Code::Unavailable, detail).retry_after(RETRY),
        false => Problem::new(Code::OutcomeUnknown, detail),
    }
    .closing()
}

/// An answer that is still being made: it keeps its request's place until its last byte, or its connection's end.
struct Placed {
    body: BoxBody,
    _place: OwnedSemaphorePermit,
}

impl MessageBody for Placed {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> task::Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
