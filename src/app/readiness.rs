//! Tells when readiness begins and ends.

use std::{convert::Infallible, time::Duration};

use slog::{Logger, info, warn};
use tokio::time::interval;

use crate::http::probes::Probes;

/// How often it is looked at: a reading of what is published already.
const LOOK: Duration = Duration::from_millis(100);

/// Tells each change, for as long as it is polled.
pub(super) async fn tell(log: &Logger, pages: &Probes) -> Infallible {
    let mut looks = interval(LOOK);
    let mut was_ready = false;
    loop {
        looks.tick().await;
        let reasons = pages.unready();
        let is_ready = reasons.is_empty();
        if is_ready && !was_ready {
            info!(log, "Ready");
        } else if was_ready && !is_ready {
            warn!(log, "Not ready"; "reasons" => reasons.join(","));
        }
        was_ready = is_ready;
    }
}
