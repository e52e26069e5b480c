//! What other crates say through the `log` crate joins our own lines.

use slog::{Drain, Level, LevelFilter, Logger, o};

/// Installs the bridge, for the rest of the process; only `main` may.
///
/// Whatever `LOG_LEVEL` is, other crates speak from warn up: at debug a driver tells every statement, values and
/// all. Their lines carry `target`, the module that speaks.
///
/// # Errors
///
/// When a `log` backend is installed already.
pub fn install(logger: &Logger) -> Result<(), log::SetLoggerError> {
    let loud = LevelFilter::new(logger.clone(), Level::Warning).fuse();
    // The guard's drop would put a logger in place that panics
    slog_scope::set_global_logger(Logger::root(loud, o!())).cancel_reset();
    slog_stdlog::init_with_level(log::Level::Warn)
}
