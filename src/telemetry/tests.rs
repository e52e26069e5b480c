//! Logging from the call to what is written.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::Value;
use slog::{Level, Logger, crit, debug, error, info, o, trace, warn};

use super::metrics::Counter;
use super::*;

const SOON: Duration = Duration::from_secs(10);

/// A writer whose text tests read, and whose writes they can hold up.
#[derive(Clone, Default)]
struct Paper(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    text: String,
    held: bool,
    waiting: bool,
    broken: bool,
}

impl Paper {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.0.lock().unwrap());
        self.0.1.notify_all();
    }

    fn wait_until_held_up(&self) {
        let (_state, timeout) =
            self.0.1.wait_timeout_while(self.0.0.lock().unwrap(), SOON, |state| !state.waiting).unwrap();
        assert!(!timeout.timed_out(), "nothing was written");
    }

    fn text(&self) -> String {
        self.0.0.lock().unwrap().text.clone()
    }

    fn lines(&self) -> Vec<BTreeMap<String, Value>> {
        self.text().lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }
}

impl io::Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.0.lock().unwrap();
        while state.held {
            state.waiting = true;
            self.0.1.notify_all();
            state = self.0.1.wait(state).unwrap();
        }
        state.waiting = false;
        if state.broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        state.text += std::str::from_utf8(bytes).unwrap();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Log {
    logger: Logger,
    guard: LogGuard,
    paper: Paper,
    dropped: Counter,
}

impl Log {
    fn new(format: Format, level: Level) -> Self {
        let (paper, dropped) = (Paper::default(), Counter::default());
        let settings = Settings { format, level, pod: "pod-1".into() };
        let (logger, guard) = root(settings, paper.clone(), dropped.clone());
        Self { logger, guard, paper, dropped }
    }

    fn json() -> Self {
        Self::new(Format::Json, Level::Trace)
    }

    fn text() -> Self {
        Self::new(Format::Text { coloured: false }, Level::Trace)
    }

    fn flush(&self) -> &Paper {
        assert!(self.guard.flush(SOON), "not written in time");
        &self.paper
    }
}

#[test]
fn a_line_of_json_has_the_keys_that_every_line_has_and_its_own() {
    let log = Log::json();
    let request = log.logger.new(o!("requestId" => "r-1"));
    info!(request, "HTTP Request"; "statusCode" => 200_u16, "duration" => 1.5, "userId" => None::<&str>, "ok" => true);
    let lines = log.flush().lines();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    let mut expected = BTreeMap::from([
        ("level", Value::from("info")),
        ("message", "HTTP Request".into()),
        ("service", "party-gallery-api".into()),
        ("version", env!("CARGO_PKG_VERSION").into()),
        ("pod", "pod-1".into()),
        ("requestId", "r-1".into()),
        ("statusCode", 200.into()),
        ("duration", 1.5.into()),
        ("userId", Value::Null),
        ("ok", true.into()),
    ]);
    let timestamp = line["timestamp"].as_str().unwrap();
    expected.insert("timestamp", timestamp.into());
    assert_eq!(
        line.iter().map(|(key, value)| (key.as_str(), value.clone())).collect::<BTreeMap<_, _>>(),
        expected
    );
    timestamp.parse::<jiff::Timestamp>().unwrap();
    assert_eq!(timestamp.len(), "2025-01-01T00:00:00.000Z".len(), "{timestamp}");
    assert!(timestamp.ends_with('Z'));
}

#[test]
fn levels_have_the_names_of_the_contract_and_are_filtered() {
    let say_all = |log: &Log| {
        trace!(log.logger, "1");
        debug!(log.logger, "2");
        info!(log.logger, "3");
        warn!(log.logger, "4");
        error!(log.logger, "5");
        crit!(log.logger, "6");
        log.flush().lines().iter().map(|line| line["level"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(say_all(&Log::json()), ["trace", "debug", "info", "warn", "error", "critical"]);
    assert_eq!(say_all(&Log::new(Format::Json, Level::Warning)), ["warn", "error", "critical"]);
}

#[test]
fn no_key_comes_twice_and_none_hides_what_every_line_has() {
    let log = Log::json();
    let child = log.logger.new(o!("part" => "outer", "actor" => "hub"));
    info!(child, "Migration applied"; "part" => "inner", "version" => 7, "timestamp" => "never", "level" => "high");
    let text = log.flush().text();
    for key in ["part", "version", "version_", "timestamp", "level", "level_", "actor"] {
        assert_eq!(text.matches(&format!("\"{key}\":")).count(), 1, "{key} in {text}");
    }
    let line = &log.paper.lines()[0];
    assert_eq!(
        (&line["part"], &line["version_"], &line["level"]),
        (&"inner".into(), &7.into(), &"info".into())
    );
    assert_eq!(line["version"], env!("CARGO_PKG_VERSION"));
    assert_ne!(line["timestamp"], "never");
}

#[test]
fn a_value_cannot_make_a_second_line() {
    let forged = "x\n{\"level\":\"critical\"}\r\n\u{1b}[31m\u{85}\u{2028}";
    for log in [Log::json(), Log::text()] {
        let child = log.logger.new(o!("inherited" => forged));
        info!(child, "{}", forged; "own" => forged, "shown" => %forged, "debugged" => ?forged);
        let text = log.flush().text();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.ends_with('\n'));
        let hidden = |c: char| c.is_control() && c != '\n' || c == '\u{2028}';
        assert!(!text.contains(hidden), "{text}");
    }
}

#[test]
fn values_and_messages_are_cut_at_256_characters() {
    let log = Log::json();
    let long = "ü".repeat(1_000);
    info!(log.logger.new(o!("inherited" => long.clone())), "{}", long; "own" => &long, "shown" => %long);
    let line = &log.flush().lines()[0];
    for key in ["message", "inherited", "own", "shown"] {
        assert_eq!(line[key].as_str().unwrap().chars().count(), 256, "{key}");
    }
}

#[test]
fn text_is_for_people() {
    let log = Log::text();
    warn!(log.logger.new(o!("actor" => "hub")), "Actor restarted"; "after" => 1, "reason" => "panic");
    let text = log.flush().text();
    let (timestamp, rest) = text.split_once(' ').unwrap();
    timestamp.parse::<jiff::Timestamp>().unwrap();
    assert_eq!(rest, "WARN Actor restarted, after: 1, reason: panic, actor: hub\n");

    let coloured = Log::new(Format::Text { coloured: true }, Level::Info);
    error!(coloured.logger, "Red"; "key" => 1);
    assert!(coloured.flush().text().contains("\x1b[31mERRO\x1b[0m"), "{:?}", coloured.paper.text());
}

#[test]
fn an_error_carries_its_causes() {
    #[derive(Debug, thiserror::Error)]
    #[error("lease failed")]
    struct Lease(#[source] io::Error);

    let log = Log::json();
    error!(log.logger, "Query"; "error" => Chain(&Lease(io::Error::other("connection refused"))));
    assert_eq!(log.flush().lines()[0]["error"], "lease failed: connection refused");
}

#[test]
fn a_full_queue_drops_and_counts_and_tells_when_there_is_room() {
    let log = Log::json();
    log.paper.change(|state| state.held = true);
    info!(log.logger, "first");
    log.paper.wait_until_held_up();
    // One line is in the writer's hands, so the queue is empty; none of these calls may wait
    let overflow = 100;
    for number in 0..queue::CAPACITY + overflow {
        info!(log.logger, "line"; "number" => number);
    }
    assert_eq!(log.dropped.get(), overflow as u64);
    assert!(!log.guard.flush(Duration::ZERO), "a stuck writer is not flushed");

    log.paper.change(|state| state.held = false);
    log.flush();
    info!(log.logger, "after");
    let lines = log.flush().lines();
    let told: Vec<_> = lines.iter().filter(|line| line["message"] == "Log lines dropped").collect();
    let [told] = told.as_slice() else { panic!("told {} times", told.len()) };
    assert_eq!(
        (&told["count"], &told["level"], &told["pod"]),
        (&overflow.into(), &"warn".into(), &"pod-1".into())
    );
    assert_eq!(lines.len(), 1 + queue::CAPACITY + 2);
    assert_eq!(log.dropped.get(), overflow as u64, "nothing more is lost");
}

#[test]
fn a_line_that_cannot_be_written_is_counted() {
    let log = Log::json();
    log.paper.change(|state| state.broken = true);
    info!(log.logger, "lost");
    log.flush();
    assert_eq!(log.dropped.get(), 1);
}

#[test]
fn what_was_logged_is_written_before_the_guard_is_gone() {
    let Log { logger, guard, paper, dropped } = Log::json();
    for number in 0..500 {
        info!(logger, "line"; "number" => number);
    }
    drop(guard);
    assert_eq!(paper.lines().len(), 500);
    info!(logger, "too late");
    assert_eq!((paper.lines().len(), dropped.get()), (500, 1));
}

#[test]
fn a_stuck_writer_does_not_keep_the_process() {
    let Log { logger, guard, paper, .. } = Log::json();
    paper.change(|state| state.held = true);
    info!(logger, "stuck");
    // Returns, by its deadline; joining the writing thread would not
    drop(guard);
    assert_eq!(paper.text(), "");
    paper.change(|state| state.held = false);
}

#[test]
fn a_panic_is_a_line_with_its_place() {
    let log = Log::json();
    // The hook is the process's: the other tests' panics go where they went before
    let before = Arc::new(std::panic::take_hook());
    let (logger, others) = (log.logger.clone(), Arc::clone(&before));
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().name() == Some("doomed") {
            panic::report(&logger, info)
        } else {
            others(info)
        }
    }));
    let doomed = std::thread::Builder::new().name("doomed".into()).spawn(|| panic!("a reason\nof two lines"));
    assert!(doomed.unwrap().join().is_err());
    std::panic::set_hook(Box::new(move |info| before(info)));

    let lines = log.flush().lines();
    let [line, backtrace] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((&line["message"], &line["level"]), (&"Panic".into(), &"error".into()));
    assert_eq!((&line["reason"], &line["thread"]), (&"a reason\\nof two lines".into(), &"doomed".into()));
    assert!(line["location"].as_str().unwrap().starts_with("src/telemetry/tests.rs:"));
    assert_eq!((&backtrace["message"], &backtrace["level"]), (&"Panic backtrace".into(), &"debug".into()));
    assert!(
        backtrace["frames"].as_str().unwrap().contains("a_panic_is_a_line_with_its_place"),
        "{backtrace:?}"
    );
}

#[test]
fn other_crates_speak_from_warn_up_and_are_named() {
    let log = Log::json();
    // The only test that installs it: it is the process's
    install_bridge(&log.logger).unwrap();
    ::log::info!(target: "tokio_postgres::query", "SELECT secret");
    ::log::warn!(target: "tokio_postgres::query", "slow\nquery");
    let lines: Vec<_> =
        log.flush().lines().into_iter().filter(|line| line["target"] == "tokio_postgres::query").collect();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((&line["message"], &line["level"]), (&"slow\\nquery".into(), &"warn".into()));
    assert!(install_bridge(&log.logger).is_err(), "a second backend is refused");
}
