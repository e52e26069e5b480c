//! Whatever answers at an address: a pod in this process, or one in a process of its own.

use std::net::SocketAddr;

use super::{app::TestApp, client};

/// A pod, as its clients know it.
pub trait Pod {
    /// Where it listens.
    fn at(&self) -> SocketAddr;
}

impl Pod for SocketAddr {
    fn at(&self) -> SocketAddr {
        *self
    }
}

impl Pod for TestApp {
    fn at(&self) -> SocketAddr {
        self.address()
    }
}

/// The value of a series in a pod's metrics.
pub async fn measured(pod: &impl Pod, series: &str) -> f64 {
    let scrape = client::get(format!("http://{}/metrics", pod.at())).await.unwrap().text().await.unwrap();
    let value = scrape.lines().find_map(|line| {
        line.strip_prefix("party_gallery_")?.strip_prefix(series)?.strip_prefix(' ')?.parse().ok()
    });
    value.unwrap_or_else(|| panic!("{series} is not in\n{scrape}"))
}
