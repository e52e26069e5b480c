//! A panic is a log line, told once and on time.

use std::backtrace::Backtrace;
use std::panic::PanicHookInfo;
use std::thread;

use slog::{Drain as _, Logger, debug, error};

/// Replaces the hook that prints to stderr, so that a panic is told once; only `main` may.
pub fn install_hook(logger: Logger) {
    std::panic::set_hook(Box::new(move |info| report(&logger, info)));
}

pub(super) fn report(logger: &Logger, info: &PanicHookInfo<'_>) {
    let thread = thread::current();
    let location = info.location().map(ToString::to_string);
    error!(logger, "Panic";
        "reason" => info.payload_as_str().unwrap_or("not a text"),
        "thread" => thread.name().unwrap_or("unnamed"),
        "location" => location.as_deref().unwrap_or("unknown"),
    );
    // Taken only where it is shown: it walks the stack and reads symbols
    if logger.is_debug_enabled() {
        debug!(logger, "Panic backtrace"; "frames" => ours(&Backtrace::force_capture().to_string()));
    }
}

/// The innermost functions of this project on the stack, innermost first.
fn ours(backtrace: &str) -> String {
    let functions =
        backtrace.lines().filter_map(|line| line.trim_start().split_once(": ")).map(|(_, name)| name);
    let ours = functions.filter(|name| name.contains("party_gallery") && !name.contains("telemetry::panic"));
    ours.take(8).collect::<Vec<_>>().join(" < ")
}
