//! What a pod logged, for assertions; printed when the test fails.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use slog::{Drain, KV, Level, Logger, Never, OwnedKVList, Record, Serializer};

use super::poll::eventually;

/// One line of a log.
#[derive(Debug, Clone)]
pub struct Line {
    /// How loud.
    pub level: Level,
    /// What happened.
    pub message: String,
    /// With whom: the record's own values and its logger's.
    pub values: BTreeMap<String, String>,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.level.as_short_str(), self.message)?;
        self.values.iter().try_for_each(|(key, value)| write!(f, ", {key}: {value}"))
    }
}

/// What was logged. Dropped by a test that fails, it prints all of it.
pub struct Logs(Recorder);

#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<Line>>>);

impl Logs {
    /// A record, and the logger that fills it.
    pub fn record() -> (Self, Logger) {
        let recorder = Recorder::default();
        (Self(recorder.clone()), Logger::root(recorder, slog::o!()))
    }

    /// Every line so far.
    pub fn lines(&self) -> Vec<Line> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The first line that says `message`, as soon as there is one.
    pub async fn wait_for(&self, message: &str, deadline: Duration) -> Line {
        let what = format!("the log says {message:?}");
        eventually(deadline, &what, async || self.lines().into_iter().find(|line| line.message == message))
            .await
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        if thread::panicking() {
            for line in self.lines() {
                println!("{line}");
            }
        }
    }
}

impl Drain for Recorder {
    type Ok = ();
    type Err = Never;

    fn log(&self, record: &Record<'_>, logger: &OwnedKVList) -> Result<(), Never> {
        let mut values = Values::default();
        // Neither can fail: the serializer does not. The record's own come last, and win
        let _ = logger.serialize(record, &mut values);
        let _ = record.kv().serialize(record, &mut values);
        let line = Line { level: record.level(), message: record.msg().to_string(), values: values.0 };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        Ok(())
    }
}

#[derive(Default)]
struct Values(BTreeMap<String, String>);

impl Serializer for Values {
    fn emit_arguments(&mut self, key: slog::Key, value: &fmt::Arguments<'_>) -> slog::Result {
        self.0.insert(key.to_string(), value.to_string());
        Ok(())
    }
}
