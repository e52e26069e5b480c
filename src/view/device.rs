//! Devices as their users see them; a token is shown to nobody.

use serde::Serialize;
use uuid::Uuid;

use crate::domain::{device::Device, moment::Moment};

/// A device.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceView {
    id: Uuid,
    platform: &'static str,
    created_at: Moment,
}

impl From<&Device> for DeviceView {
    fn from(device: &Device) -> Self {
        Self { id: device.id, platform: device.platform.as_str(), created_at: device.created_at }
    }
}
