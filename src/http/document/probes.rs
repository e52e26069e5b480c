//! What stands outside of the API: health, metrics, and this document.

use serde_json::{Map, Value, json};

use super::schema::{count, list, moment, object, one_of, re, shape, with, word};

/// The paths.
pub(super) fn paths() -> Map<String, Value> {
    let live = |name| {
        let alive = shape(json!({ "status": one_of(&["alive"]) }), &[]);
        let silent = shape(json!({ "status": one_of(&["unresponsive"]) }), &[]);
        page(name, "Whether the process lives", json_answers(alive, silent))
    };
    let ready = |name| {
        let ready = shape(json!({ "status": one_of(&["ready"]) }), &[]);
        let not = shape(json!({ "status": one_of(&["not ready"]), "reasons": list(word("draining")) }), &[]);
        page(name, "Whether requests should come here", json_answers(ready, not))
    };
    let verbose = json!({
        "name": "verbose",
        "in": "query",
        "description": "With percentiles and the supervision tree, for operators",
        "schema": { "type": "string" },
    });
    let health = asked(page("health", "How the service is", json_answers(health(), health())), verbose);
    let metrics = answers("application/openmetrics-text", json!({ "type": "string" }));
    let metrics = page("metrics", "What Prometheus scrapes", with(metrics, "403", refused()));
    let document = answers("application/json", json!({ "type": "object" }));
    let reader = answers("text/html", json!({ "type": "string" }));
    let paths = [
        ("/health", health),
        ("/health/live", live("healthLive")),
        ("/health/ready", ready("healthReady")),
        ("/livez", live("livez")),
        ("/readyz", ready("readyz")),
        ("/metrics", metrics),
        ("/openapi.json", page("openapi", "This document", document)),
        ("/docs", page("docs", "This document for people", reader)),
    ];
    paths.into_iter().map(|(path, page)| (path.to_owned(), page)).collect()
}

fn page(name: &str, summary: &str, responses: Value) -> Value {
    let operation = json!({ "operationId": name, "tags": ["Service"], "summary": summary, "security": [{}] });
    object([("get", with(operation, "responses", responses))])
}

/// The page, which may be asked for in another way.
fn asked(page: Value, parameter: Value) -> Value {
    let operation = page.get("get").cloned().unwrap_or_default();
    with(page, "get", with(operation, "parameters", Value::Array(vec![parameter])))
}

fn content(content_type: &str, schema: Value) -> Value {
    object([(content_type, object([("schema", schema)]))])
}

fn answer(description: &str, content: Value) -> Value {
    object([("description", json!(description)), ("content", content)])
}

fn answers(content_type: &str, schema: Value) -> Value {
    let known = json!({ "description": "The caller has it already" });
    object([("200", answer("OK", content(content_type, schema))), ("304", known)])
}

fn json_answers(good: Value, bad: Value) -> Value {
    let json = |schema| content("application/json", schema);
    object([("200", answer("OK", json(good))), ("503", answer("Not now", json(bad)))])
}

fn refused() -> Value {
    answer("FORBIDDEN", content("application/problem+json", re("Problem")))
}

fn health() -> Value {
    let check = shape(
        json!({
            "status": one_of(&["healthy", "unhealthy", "restarting"]),
            "latency": { "type": "number", "minimum": 0, "description": "Milliseconds of the last probe" },
            "checkedAt": moment(),
            "restarts": count(0),
            "error": word("it cannot be reached"),
            "since": moment(),
        }),
        &["latency", "checkedAt", "error", "since"],
    );
    shape(
        json!({
            "status": one_of(&["healthy", "degraded", "unhealthy"]),
            "reasons": list(word("draining")),
            "timestamp": moment(),
            "uptime": { "type": "number", "minimum": 0, "description": "Seconds" },
            "version": word("0.1.0"),
            "memory": shape(json!({ "rss": count(0) }), &["rss"]),
            "checks": { "type": "object", "additionalProperties": check },
        }),
        &["reasons"],
    )
}
