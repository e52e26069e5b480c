//! Schemas (JSON Schema 2020-12), written short.

use serde_json::{Map, Value, json};

use crate::domain::limits as l;

/// An object of those fields.
pub(super) fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// An object with one more field, or with another value in it.
pub(super) fn with(object: Value, name: &str, field: Value) -> Value {
    let Value::Object(mut fields) = object else { return object };
    fields.insert(name.to_owned(), field);
    Value::Object(fields)
}

/// A shape of ours by its name.
pub(super) fn re(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// That, or null.
pub(super) fn nullable(schema: Value) -> Value {
    match schema.get("type").and_then(Value::as_str).map(str::to_owned) {
        Some(kind) if schema.get("enum").is_none() => with(schema, "type", json!([kind, "null"])),
        _ => object([("anyOf", Value::Array(vec![schema, json!({ "type": "null" })]))]),
    }
}

/// Any number of those.
pub(super) fn list(schema: Value) -> Value {
    object([("type", json!("array")), ("items", schema)])
}

/// At most so many of those.
pub(super) fn few(schema: Value, most: usize) -> Value {
    with(list(schema), "maxItems", json!(most))
}

/// Text of so many scalars.
pub(super) fn text(least: usize, most: usize, example: &str) -> Value {
    json!({ "type": "string", "minLength": least, "maxLength": most, "examples": [example] })
}

/// White space, which is taken away around what is sent.
const BLANK: &str = r"\t-\r \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000";
/// Control characters.
const CONTROL: &str = r"\u0000-\u001F\u007F-\u009F";
/// Control characters, and what turns the direction of the text after it.
const UNFIT: &str = r"\u0000-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069";
/// Control characters but tab and line feed.
const UNFIT_IN_PROSE: &str = r"\u0000-\u0008\u000B-\u001F\u007F-\u009F";

/// One line of so many scalars, as it is sent.
pub(super) fn line(least: usize, most: usize, example: &str) -> Value {
    let ends = format!("[^{BLANK}{UNFIT}]");
    let words = if least > 1 {
        format!("{ends}[^{UNFIT}]{{{},}}{ends}", least - 2)
    } else {
        format!("{ends}[^{UNFIT}]*")
    };
    let words = if least > 0 { words } else { format!("({words})?") };
    with(text(least, most, example), "pattern", json!(format!("^[{BLANK}]*{words}[{BLANK}]*$")))
}

/// So many scalars on several lines, as they are sent.
pub(super) fn prose(least: usize, most: usize, example: &str) -> Value {
    let first = if least > 0 { format!("[^{BLANK}{UNFIT_IN_PROSE}]") } else { String::new() };
    let pattern = format!("^[{BLANK}]*{first}[^{UNFIT_IN_PROSE}]*[{BLANK}]*$");
    with(text(least, most, example), "pattern", json!(pattern))
}

/// A password that is chosen.
pub(super) fn password(example: &str) -> Value {
    with(text(10, 128, example), "pattern", json!(format!("^[^{CONTROL}]*$")))
}

/// Printable ASCII characters.
pub(super) fn printable(least: usize, most: usize, example: &str) -> Value {
    with(text(least, most, example), "pattern", json!("^[ -~]*$"))
}

/// Tags as they are sent. How many there are is counted when those that come to the same are one.
pub(super) fn tags() -> Value {
    let description = format!("At most {} different ones", l::TAGS);
    with(nullable(list(text(1, l::TAG_LENGTH, "summer"))), "description", json!(description))
}

/// Text as the service answers it.
pub(super) fn word(example: &str) -> Value {
    json!({ "type": "string", "examples": [example] })
}

/// One of those words.
pub(super) fn one_of(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

pub(super) fn id() -> Value {
    json!({ "type": "string", "format": "uuid" })
}

pub(super) fn moment() -> Value {
    json!({ "type": "string", "format": "date-time", "description": "From 1970 to 9998" })
}

pub(super) fn link() -> Value {
    json!({ "type": "string", "format": "uri" })
}

pub(super) fn flag() -> Value {
    json!({ "type": "boolean" })
}

/// A whole number of `least` at least.
pub(super) fn count(least: i64) -> Value {
    json!({ "type": "integer", "minimum": least })
}

/// A whole number within.
pub(super) fn number(least: i64, most: i64) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most })
}

/// What is answered: every field is there, but those of `absent` may not be.
pub(super) fn shape(fields: Value, absent: &[&str]) -> Value {
    let names = fields.as_object().into_iter().flat_map(|fields| fields.keys());
    let required: Vec<_> = names.filter(|name| !absent.contains(&name.as_str())).cloned().collect();
    object([("type", json!("object")), ("required", json!(required)), ("properties", fields)])
}

/// What is sent: only those of `required` have to be there.
pub(super) fn body(required: &[&str], fields: Value) -> Value {
    object([("type", json!("object")), ("required", json!(required)), ("properties", fields)])
}

/// One under its noun.
pub(super) fn under(noun: &str, schema: Value) -> Value {
    shape(object([(noun, schema)]), &[])
}

/// One value that a schema takes; `named` holds what it refers to.
pub(super) fn example(schema: &Value, named: &Map<String, Value>) -> Value {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let name = name.rsplit('/').next().unwrap_or_default();
        return named.get(name).map_or(Value::Null, |schema| example(schema, named));
    }
    let first = |key: &str| schema.get(key).and_then(|values| values.get(0));
    if let Some(value) = first("examples").or_else(|| first("enum")).or_else(|| schema.get("const")) {
        return value.clone();
    }
    let is_choice = schema.get("properties").is_none();
    if let Some(schema) = first("anyOf").or_else(|| first("oneOf")).filter(|_| is_choice) {
        return example(schema, named);
    }
    let kind = schema.get("type");
    let kind = kind.and_then(|kind| kind.as_str().or_else(|| kind.get(0)?.as_str())).unwrap_or_default();
    match (kind, schema.get("format").and_then(Value::as_str)) {
        ("object", _) => {
            let fields = schema.get("properties").and_then(Value::as_object);
            let fields = fields.into_iter().flatten();
            Value::Object(fields.map(|(name, field)| (name.clone(), example(field, named))).collect())
        }
        ("array", _) => schema.get("items").map(|items| example(items, named)).into_iter().collect(),
        ("boolean", _) => json!(false),
        ("integer" | "number", _) => schema.get("minimum").cloned().unwrap_or(json!(0)),
        ("string", Some("uuid")) => json!("0190f3c2-7c1a-7d2e-8a4b-1c2d3e4f5a6b"),
        ("string", Some("date-time")) => json!("2026-05-01T20:00:00.000Z"),
        ("string", Some("uri")) => json!("https://party.example/link"),
        ("string", Some("email")) => json!("ada@example.org"),
        ("string", _) => json!("text"),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_goes_with_every_sort_of_schema() {
        assert_eq!(nullable(flag()), json!({ "type": ["boolean", "null"] }));
        let words = nullable(one_of(&["A"]));
        assert_eq!(words["anyOf"][1], json!({ "type": "null" }));
        assert_eq!(nullable(re("Party"))["anyOf"][0]["$ref"], "#/components/schemas/Party");
    }

    #[test]
    fn an_example_is_made_of_its_parts() {
        let mut named = Map::new();
        named.insert("Inner".to_owned(), shape(json!({ "n": count(1), "maybe": nullable(flag()) }), &[]));
        let outer = under("list", list(re("Inner")));
        assert_eq!(example(&outer, &named), json!({ "list": [{ "n": 1, "maybe": false }] }));
    }
}
