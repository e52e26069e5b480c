//! Lines for people: slog-term's format, coloured, on any writer.

use std::cell::RefCell;
use std::io;

use slog::{Level, OwnedKVList, Record};
use slog_term::{Decorator, RecordDecorator};

/// Paints with the escape sequences that every terminal knows; slog-term's own colours write to stdout only.
pub(super) struct Paint<W> {
    writer: RefCell<W>,
    coloured: bool,
}

impl<W> Paint<W> {
    pub(super) fn new(writer: W, coloured: bool) -> Self {
        Self { writer: RefCell::new(writer), coloured }
    }
}

impl<W: io::Write> Decorator for Paint<W> {
    fn with_record<F>(&self, record: &Record<'_>, _: &OwnedKVList, draw: F) -> io::Result<()>
    where
        F: FnOnce(&mut dyn RecordDecorator) -> io::Result<()>,
    {
        let mut writer = self.writer.try_borrow_mut().map_err(io::Error::other)?;
        draw(&mut Line { writer: &mut *writer, colour: self.coloured.then(|| colour(record.level())) })
    }
}

fn colour(level: Level) -> &'static str {
    match level {
        Level::Critical => "\x1b[1;35m",
        Level::Error => "\x1b[31m",
        Level::Warning => "\x1b[33m",
        Level::Info => "\x1b[32m",
        Level::Debug => "\x1b[36m",
        Level::Trace => "\x1b[2m",
    }
}

struct Line<'a, W> {
    writer: &'a mut W,
    colour: Option<&'static str>,
}

impl<W: io::Write> Line<'_, W> {
    fn paint(&mut self, sequence: &str) -> io::Result<()> {
        match self.colour {
            Some(_) => self.writer.write_all(sequence.as_bytes()),
            None => Ok(()),
        }
    }
}

impl<W: io::Write> io::Write for Line<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl<W: io::Write> RecordDecorator for Line<'_, W> {
    fn reset(&mut self) -> io::Result<()> {
        self.paint("\x1b[0m")
    }

    fn start_level(&mut self) -> io::Result<()> {
        self.paint(self.colour.unwrap_or_default())
    }

    fn start_msg(&mut self) -> io::Result<()> {
        self.paint("\x1b[1m")
    }

    fn start_key(&mut self) -> io::Result<()> {
        self.paint("\x1b[2m")
    }
}
