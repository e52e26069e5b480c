//! The store of a pod, with what an earlier one left half written swept away.

use std::time::Duration;

use party_gallery_actors::health::wall_clock;
use slog::{Logger, info, warn};

use crate::{
    blob::{Store, Unspoken},
    config::StorageUrl,
    telemetry::Chain,
};

/// For the sweep. A pod does not wait for a disk that hangs.
const SWEPT_WITHIN: Duration = Duration::from_secs(1);

/// Opens the store. It does not have to be there yet.
pub(super) async fn open(url: &StorageUrl, log: &Logger) -> Result<Store, Unspoken> {
    let store = Store::new(url)?;
    match tokio::time::timeout(SWEPT_WITHIN, store.sweep(wall_clock())).await {
        Ok(Ok(swept)) if swept.removed == 0 => {}
        Ok(Ok(swept)) => info!(log, "Storage swept"; "removed" => swept.removed, "more" => swept.more),
        Ok(Err(error)) => warn!(log, "Storage was not swept"; "error" => %Chain(&error)),
        Err(_elapsed) => warn!(log, "Storage was not swept"; "error" => "no answer"),
    }
    Ok(store)
}
