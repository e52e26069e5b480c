//! The root logger, the panic hook and the metrics.
//!
//! *Invariant:* a logger is a value that its user is given. Only `main` installs what is global, the bridge for
//! the `log` crate and the panic hook, so two pods in one process log apart.

mod bridge;
mod chain;
mod clean;
mod log;
pub mod metrics;
mod panic;
mod queue;
#[cfg(test)]
mod tests;
mod text;

pub use self::bridge::install as install_bridge;
pub use self::chain::Chain;
pub use self::log::{Format, LogGuard, Settings, root};
pub use self::metrics::Metrics;
pub use self::panic::install_hook as install_panic_hook;
