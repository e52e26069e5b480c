//! Makes what is logged fit for a log: no text longer than a line can bear, none that could pass for another line.

use slog::{BorrowedKV, Drain, KV, Key, OwnedKVList, Record, RecordStatic, Serializer, o};

/// Characters that one text may have, its message too.
const LIMIT: usize = 256;

/// The key under which the time of logging travels through the queue.
pub(super) const STAMP: Key = "timestamp";

/// Cuts a text at 256 characters and escapes what a terminal or a reader of lines would obey.
pub(super) fn clean(text: &str) -> String {
    let cost = |c: char| if obeyed(c) { c.escape_default().count() } else { 1 };
    let fits = text.chars().map(cost).sum::<usize>() <= LIMIT;
    let room = if fits { LIMIT } else { LIMIT - 1 };
    let mut cleaned = String::with_capacity(text.len().min(LIMIT));
    let mut used = 0;
    for c in text.chars() {
        used += cost(c);
        if used > room {
            cleaned.push('…');
            break;
        }
        if obeyed(c) { cleaned.extend(c.escape_default()) } else { cleaned.push(c) }
    }
    cleaned
}

/// Controls, line and paragraph separators, and what turns the direction of reading.
fn obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Hands on each record with every text cleaned, each key once, and the record's own keys before its logger's.
pub(super) struct Clean<D> {
    inner: D,
    reserved: &'static [(Key, Key)],
    stamped: bool,
}

impl<D> Clean<D> {
    /// For lines of JSON: keeps the stamp, and renames keys that would hide one which every line has.
    pub(super) fn for_json(inner: D) -> Self {
        let reserved = &[
            ("level", "level_"),
            ("message", "message_"),
            ("service", "service_"),
            ("version", "version_"),
            ("pod", "pod_"),
        ];
        Self { inner, reserved, stamped: true }
    }

    /// For text, whose lines begin with a time of their own.
    pub(super) fn for_text(inner: D) -> Self {
        Self { inner, reserved: &[], stamped: false }
    }
}

impl<D: Drain> Drain for Clean<D>
where
    D::Err: From<slog::Error>,
{
    type Ok = D::Ok;
    type Err = D::Err;

    fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<D::Ok, D::Err> {
        let mut fields = Fields { kept: Vec::new(), reserved: self.reserved, stamped: self.stamped };
        record.kv().serialize(record, &mut fields)?;
        // slog walks backwards
        fields.kept.reverse();
        values.serialize(record, &mut fields)?;
        if !record.tag().is_empty() {
            fields.keep("target", Field::Text(clean(record.tag())));
        }
        let message = clean(&record.msg().to_string());
        let parts = RecordStatic { location: record.location(), tag: record.tag(), level: record.level() };
        let cleaned = format_args!("{message}");
        self.inner.log(&Record::new(&parts, &cleaned, BorrowedKV(&fields)), &OwnedKVList::from(o!()))
    }
}

enum Field {
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
    Nothing,
}

struct Fields {
    kept: Vec<(Key, Field)>,
    reserved: &'static [(Key, Key)],
    stamped: bool,
}

impl Fields {
    /// What comes first is nearest to the call and wins.
    fn keep(&mut self, key: Key, field: Field) {
        let renamed =
            self.reserved.iter().find(|(reserved, _)| *reserved == key).map_or(key, |(_, other)| *other);
        let hidden = renamed == STAMP && !self.stamped;
        if !hidden && self.kept.iter().all(|(kept, _)| *kept != renamed) {
            self.kept.push((renamed, field));
        }
    }
}

macro_rules! keep {
    ($($emit:ident: $type:ty => $field:ident;)+) => {
        $(fn $emit(&mut self, key: Key, value: $type) -> slog::Result {
            self.keep(key, Field::$field(value.into()));
            Ok(())
        })+
    };
}

impl Serializer for Fields {
    keep! {
        emit_bool: bool => Bool;
        emit_i8: i8 => Signed;
        emit_i16: i16 => Signed;
        emit_i32: i32 => Signed;
        emit_i64: i64 => Signed;
        emit_u8: u8 => Unsigned;
        emit_u16: u16 => Unsigned;
        emit_u32: u32 => Unsigned;
        emit_u64: u64 => Unsigned;
        emit_f32: f32 => Float;
        emit_f64: f64 => Float;
    }

    fn emit_usize(&mut self, key: Key, value: usize) -> slog::Result {
        self.keep(key, Field::Unsigned(u64::try_from(value).unwrap_or(u64::MAX)));
        Ok(())
    }

    fn emit_isize(&mut self, key: Key, value: isize) -> slog::Result {
        self.keep(key, Field::Signed(i64::try_from(value).unwrap_or(i64::MAX)));
        Ok(())
    }

    fn emit_unit(&mut self, key: Key) -> slog::Result {
        self.emit_none(key)
    }

    fn emit_none(&mut self, key: Key) -> slog::Result {
        self.keep(key, Field::Nothing);
        Ok(())
    }

    fn emit_str(&mut self, key: Key, value: &str) -> slog::Result {
        self.keep(key, Field::Text(clean(value)));
        Ok(())
    }

    fn emit_arguments(&mut self, key: Key, value: &std::fmt::Arguments<'_>) -> slog::Result {
        self.emit_str(key, &value.to_string())
    }
}

impl KV for Fields {
    fn serialize(&self, _record: &Record<'_>, serializer: &mut dyn Serializer) -> slog::Result {
        self.kept.iter().try_for_each(|(key, field)| match field {
            Field::Bool(value) => serializer.emit_bool(key, *value),
            Field::Signed(value) => serializer.emit_i64(key, *value),
            Field::Unsigned(value) => serializer.emit_u64(key, *value),
            Field::Float(value) => serializer.emit_f64(key, *value),
            Field::Text(value) => serializer.emit_str(key, value),
            Field::Nothing => serializer.emit_none(key),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_at_256_characters() {
        let fitting = "é".repeat(256);
        assert_eq!(clean(&fitting), fitting);
        let cut = clean(&"é".repeat(257));
        assert_eq!(cut.chars().count(), 256);
        assert!(cut.ends_with("é…"));
        let escaped = clean(&"\u{1b}".repeat(100));
        assert!(escaped.chars().count() <= 256 && escaped.ends_with("\\u{1b}…"), "{escaped}");
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        for (text, cleaned) in [
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("\u{9b}x\u{7f}\0", "\\u{9b}x\\u{7f}\\u{0}"),
            ("a\u{2028}b\u{202e}c", "a\\u{2028}b\\u{202e}c"),
            ("naïve \"quotes\" 🎉 \\", "naïve \"quotes\" 🎉 \\"),
        ] {
            assert_eq!(clean(text), cleaned);
        }
    }
}
