//! What the Health actor asks of a part of the house; policy implements it beside the part.

use futures_util::future::{BoxFuture, pending};

use crate::kernel::ChildReport;

/// What a part says of itself: well, or why not in words that are fit for the public: no host, no port, no user.
pub type Heard = Result<(), &'static str>;

/// A question to one part.
///
/// A probe that panics is unhealthy; it hurts neither the actor nor the other probes. One that blocks its thread
/// hurts both.
pub trait Probe: Send + Sync + 'static {
    /// The name of the check, as `/health` and `READY_REQUIRES` know it.
    fn name(&self) -> &'static str;

    /// Asks. Dropped when it takes too long, or when the part stirs meanwhile: then it is asked anew.
    fn check(&self) -> BoxFuture<'_, Heard>;

    /// Resolves when the part reports trouble, its end, or its return, so that it is asked at once and not on the
    /// next beat. Counts what happens from its first poll on, and is polled before the question is put.
    fn stirred(&self) -> BoxFuture<'_, ()> {
        Box::pin(pending())
    }

    /// The actor that owns the part, if one does: whether it is being restarted, and how often it was.
    fn owner(&self) -> Option<ChildReport> {
        None
    }
}
