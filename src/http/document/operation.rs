//! How an operation is described: what it takes, what it answers, and what it refuses with.
//!
//! *Invariant:* what follows from a sort of operation is said here, once: whoever takes a body of JSON refuses a bad one.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::schema::{example, id, list, number, object, re, shape, with, word};
use crate::http::problem::Code;

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Auth {
    /// Everybody; a token that is sent has to be good.
    Anyone,
    /// Whoever a token names.
    Known,
    /// Whoever has an account.
    User,
}

/// An operation and all that there is to say of it.
#[derive(Clone, Debug)]
pub(super) struct Described {
    pub(super) method: &'static str,
    /// Below `/api/v1`, as the route table writes it.
    pub(super) path: &'static str,
    summary: &'static str,
    auth: Auth,
    parameters: Vec<Value>,
    body: Option<(&'static str, Value)>,
    answers: BTreeMap<u16, Option<(&'static str, Value)>>,
    codes: Vec<Code>,
}

macro_rules! methods {
    ($($method:ident)+) => {
        $(
            pub(super) fn $method(path: &'static str, summary: &'static str) -> Described {
                Described::new(stringify!($method), path, summary)
            }
        )+
    };
}

methods! { get post put patch delete }

impl Described {
    fn new(method: &'static str, path: &'static str, summary: &'static str) -> Self {
        let mut codes = vec![
            Code::Unauthenticated,
            Code::TokenExpired,
            Code::RateLimited,
            Code::Internal,
            Code::Unavailable,
        ];
        if method != "get" {
            codes.push(Code::OutcomeUnknown);
        }
        let names = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
        let parameters = names.map(path_parameter).collect();
        if path.contains('{') {
            codes.push(Code::NotFound);
        }
        let (body, answers) = (None, BTreeMap::new());
        Self { method, path, summary, auth: Auth::Anyone, parameters, body, answers, codes }
    }

    /// For whoever a token names.
    pub(super) fn known(mut self) -> Self {
        self.auth = Auth::Known;
        self
    }

    /// For users only.
    pub(super) fn user(mut self) -> Self {
        self.auth = Auth::User;
        self.refuses(&[Code::Forbidden])
    }

    /// Takes a body of JSON.
    pub(super) fn takes(mut self, schema: Value) -> Self {
        self.body = Some(("application/json", schema));
        self.refuses(&[Code::Validation, Code::MalformedBody, Code::PayloadTooLarge, Code::UnsupportedMedia])
    }

    /// Takes a form with a file.
    pub(super) fn takes_form(mut self, schema: Value) -> Self {
        self.body = Some(("multipart/form-data", schema));
        self.refuses(&[
            Code::Validation,
            Code::MalformedBody,
            Code::PayloadTooLarge,
            Code::UnsupportedMedia,
            Code::StorageFull,
        ])
    }

    /// A parameter of the query.
    pub(super) fn asks(self, name: &'static str, schema: Value, description: &'static str) -> Self {
        let parameter = json!({ "name": name, "in": "query", "description": description });
        self.parameter(with(parameter, "schema", schema)).refuses(&[Code::Validation])
    }

    /// May come again under one key.
    pub(super) fn once(self) -> Self {
        let parameter = json!({
            "name": "Idempotency-Key",
            "in": "header",
            "description": "The same key and body within 24 h: the first answer again, with Idempotency-Replayed",
            "schema": { "type": "string", "pattern": "^[ -~]{1,128}$" },
        });
        self.parameter(parameter).refuses(&[Code::Validation, Code::IdempotencyMismatch])
    }

    /// Only while what can be edited is as the caller saw it.
    pub(super) fn if_unchanged(self) -> Self {
        let parameter = json!({
            "name": "If-Match",
            "in": "header",
            "description": "The ETag that the caller has seen",
            "schema": word("*"),
        });
        self.parameter(parameter).refuses(&[Code::PreconditionFailed])
    }

    fn parameter(mut self, parameter: Value) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Refuses with these, beside what follows from its sort.
    pub(super) fn refuses(mut self, codes: &[Code]) -> Self {
        self.codes.extend(codes);
        self
    }

    /// 200 with `data`; what was got may also not have changed.
    pub(super) fn answers(mut self, data: Value) -> Self {
        if self.method == "get" {
            self.answers.insert(304, None);
        }
        self.answer(200, envelope(data, false))
    }

    /// 200 with something else than JSON; what was got may also not have changed.
    pub(super) fn answers_with(mut self, content_type: &'static str) -> Self {
        let schema = json!({ "type": "string", "contentMediaType": content_type });
        self.answers.insert(200, Some((content_type, schema)));
        self
    }

    /// Not modified, or a part.
    pub(super) fn in_parts(mut self) -> Self {
        self.answers.insert(304, None);
        let whole = self.answers.get(&200).cloned().flatten();
        self.answers.insert(206, whole);
        self.refuses(&[Code::RangeNotSatisfiable])
    }

    /// 201 with `data`.
    pub(super) fn creates(self, data: Value) -> Self {
        self.answer(201, envelope(data, false))
    }

    /// 204.
    pub(super) fn says_nothing(mut self) -> Self {
        self.answers.insert(204, None);
        self
    }

    /// 200 with a page of those.
    pub(super) fn pages(mut self, items: Value) -> Self {
        self = self.asks("limit", number(1, 100), "At most so many; 20 where it is not said").asks(
            "cursor",
            word("WzcsImEiXQ"),
            "`meta.nextCursor` of the page before",
        );
        self.answers.insert(304, None);
        self.answer(200, envelope(list(items), true))
    }

    /// 200 with all of those.
    pub(super) fn lists(self, items: Value) -> Self {
        self.answers(list(items))
    }

    fn answer(mut self, status: u16, schema: Value) -> Self {
        self.answers.insert(status, Some(("application/json", schema)));
        self
    }

    /// As OpenAPI writes it; `named` are the shapes that it refers to.
    pub(super) fn render(&self, tag: &str, named: &Map<String, Value>) -> Value {
        let words: String = self.summary.split_whitespace().map(capital).collect();
        let operation = json!({
            "operationId": lower(&words),
            "tags": [tag],
            "summary": self.summary,
            "description": if self.auth == Auth::User { "For users only." } else { "" },
            "parameters": self.parameters,
            "security": match self.auth {
                Auth::Anyone => json!([{}, { "token": [] }]),
                Auth::Known | Auth::User => json!([{ "token": [] }]),
            },
            "responses": self.responses(named),
        });
        let Some((content_type, schema)) = &self.body else { return operation };
        let required = schema.get("required").and_then(Value::as_array);
        let is_required = required.is_none_or(|fields| !fields.is_empty());
        let content = json!({ *content_type: { "schema": schema, "example": example(schema, named) } });
        with(operation, "requestBody", json!({ "required": is_required, "content": content }))
    }

    fn responses(&self, named: &Map<String, Value>) -> Value {
        let mut responses = Map::new();
        for (status, content) in &self.answers {
            let mut response = json!({ "description": title(*status) });
            if let Some((content_type, schema)) = content {
                let shown = object([("schema", schema.clone())]);
                let is_json = *content_type == "application/json";
                let shown = if is_json { with(shown, "example", example(schema, named)) } else { shown };
                response = with(response, "content", object([(content_type, shown)]));
            }
            if *status == 201 {
                let location = word("/api/v1/parties/0190f3c2-7c1a-7d2e-8a4b-1c2d3e4f5a6b");
                response = with(response, "headers", json!({ "Location": { "schema": location } }));
            }
            responses.insert(status.to_string(), response);
        }
        let mut refusals: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
        for code in &self.codes {
            let codes = refusals.entry(code.status().as_u16()).or_default();
            if !codes.contains(&code.name()) {
                codes.push(code.name());
            }
        }
        for (status, codes) in refusals {
            let schema = json!({
                "allOf": [re("Problem")],
                "properties": { "status": { "const": status }, "code": { "enum": codes } },
            });
            let content = json!({ "application/problem+json": { "schema": schema } });
            let response = json!({ "description": codes.join(", "), "content": content });
            responses.insert(status.to_string(), response);
        }
        Value::Object(responses)
    }
}

fn path_parameter(name: &str) -> Value {
    let schema = match name {
        "username" => word("ada"),
        "emoji" => word("🎉"),
        _ => id(),
    };
    json!({ "name": name, "in": "path", "required": true, "schema": schema })
}

fn envelope(data: Value, is_page: bool) -> Value {
    let success = json!({ "type": "boolean", "const": true });
    let fields = object([("success", success), ("data", data)]);
    shape(if is_page { with(fields, "meta", re("Meta")) } else { fields }, &[])
}

fn title(status: u16) -> &'static str {
    match status {
        201 => "Created",
        204 => "Done",
        206 => "A part",
        304 => "The caller has it already",
        _ => "OK",
    }
}

fn capital(word: &str) -> String {
    let letters: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
    let mut letters = letters.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

fn lower(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_ascii_lowercase().to_string() + letters.as_str()).unwrap_or_default()
}
