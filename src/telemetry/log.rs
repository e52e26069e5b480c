//! Builds the root logger.

use std::io::{self, LineWriter};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use slog::{Drain, FnValue, Level, LevelFilter, Logger, PushFnValue, Record, o};
use slog_async::{AsyncCore, AsyncGuard};

use super::clean::Clean;
use super::metrics::Counter;
use super::queue::{CAPACITY, Queue, Writing, Written};
use super::text::Paint;

const SERVICE: &str = "party-gallery-api";

/// Longer than this nobody waits for lines when the guard goes out of scope.
const LAST_FLUSH: Duration = Duration::from_secs(1);

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line, for machines: staging and production.
    Json,
    /// For people: development and test.
    Text {
        /// Whether the writer's end understands colours.
        coloured: bool,
    },
}

/// What the root logger must know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How lines look.
    pub format: Format,
    /// The least level that is logged.
    pub level: Level,
    /// The name of this pod, on every line of JSON.
    pub pod: String,
}

/// Builds the root logger over a writer, on which a thread of its own writes.
///
/// Lines for which there is no room, or which cannot be written, are counted in `dropped`
/// ([`Metrics::log_lines_dropped`](super::Metrics::log_lines_dropped)). Hold the guard until the end: what is
/// logged after it is gone is dropped.
pub fn root(
    settings: Settings,
    writer: impl io::Write + Send + 'static,
    dropped: Counter,
) -> (Logger, LogGuard) {
    // One write a line, whatever the formatter does
    let writer = LineWriter::with_capacity(16 * 1024, writer);
    let (core, written, worker) = match settings.format {
        Format::Json => start(Clean::for_json(json(writer, settings.pod)), &dropped),
        Format::Text { coloured } => start(Clean::for_text(text(writer, coloured)), &dropped),
    };
    let queue = Arc::new(Queue::new(core, written, dropped));
    let logger = Logger::root(LevelFilter::new(Arc::clone(&queue), settings.level).fuse(), o!());
    (logger, LogGuard { queue, worker: Some(worker) })
}

fn start<D>(inner: D, dropped: &Counter) -> (AsyncCore, Arc<Written>, AsyncGuard)
where
    D: Drain + Send + 'static,
{
    let written = Arc::new(Written::default());
    let writing = Writing { inner, written: Arc::clone(&written), dropped: dropped.clone() };
    let (core, worker) =
        AsyncCore::custom(writing).chan_size(CAPACITY).thread_name("log".to_owned()).build_with_guard();
    (core, written, worker)
}

fn json<W: io::Write>(writer: W, pod: String) -> slog_json::Json<W> {
    slog_json::Json::new(writer)
        .add_key_value(o!("level" => FnValue(|record: &Record<'_>| level_name(record.level()))))
        .add_key_value(o!("message" => PushFnValue(|record: &Record<'_>, out| out.emit(record.msg()))))
        .add_key_value(o!("service" => SERVICE))
        .add_key_value(o!("version" => env!("CARGO_PKG_VERSION")))
        .add_key_value(o!("pod" => pod))
        .build()
}

fn text<W: io::Write>(writer: W, coloured: bool) -> slog_term::FullFormat<Paint<W>> {
    let timestamp = |out: &mut dyn io::Write| write!(out, "{}", now());
    slog_term::FullFormat::new(Paint::new(writer, coloured)).use_custom_timestamp(timestamp).build()
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Critical => "critical",
        Level::Error => "error",
        Level::Warning => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Trace => "trace",
    }
}

/// RFC 3339, UTC, milliseconds.
#[expect(
    clippy::disallowed_methods,
    reason = "a log line tells the wall clock's time and decides nothing by it"
)]
pub(super) fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}

/// Keeps the writing thread. Loggers never wait; who holds this may.
pub struct LogGuard {
    queue: Arc<Queue>,
    worker: Option<AsyncGuard>,
}

impl LogGuard {
    /// Waits until everything that was logged before is written; false when the deadline passes first.
    pub fn flush(&self, deadline: Duration) -> bool {
        self.queue.wait_written(deadline)
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        let worker = self.worker.take();
        if !self.flush(LAST_FLUSH) {
            // Its drop would wait for ever for a writer that is stuck
            mem::forget(worker);
        }
    }
}
