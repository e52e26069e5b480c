//! An error and its causes on one line.

use std::error::Error;
use std::fmt;

use slog::{Key, Record, Serializer, Value};

/// An error as a log value: `"error" => Chain(&error)` shows `what failed: why: and why that`.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = self.0.to_string();
        f.write_str(&told)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            next = cause.source();
            let why = cause.to_string();
            // Ours never repeat their source, but others' often do
            if !told.ends_with(&why) {
                write!(f, ": {why}")?;
                told = why;
            }
        }
        Ok(())
    }
}

impl Value for Chain<'_> {
    fn serialize(&self, _record: &Record<'_>, key: Key, serializer: &mut dyn Serializer) -> slog::Result {
        serializer.emit_arguments(key, &format_args!("{self}"))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("lease failed")]
    struct Lease(#[source] Connect);

    #[derive(Debug, thiserror::Error)]
    #[error("cannot connect: {0}")]
    struct Connect(#[source] io::Error);

    #[test]
    fn every_cause_is_told_once() {
        let error = Lease(Connect(io::Error::other("refused")));
        assert_eq!(Chain(&error).to_string(), "lease failed: cannot connect: refused");
        assert_eq!(Chain(&io::Error::other("alone")).to_string(), "alone");
    }
}
