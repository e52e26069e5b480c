//! A pod on a database of its own, with people in it who can call it.

use std::time::SystemTime;

use party_gallery::{
    config::JwtSecrets,
    realtime::Kind,
    service::tokens::{ACCESS_TOKEN, Tokens},
};
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    DEADLINE,
    app::TestApp,
    client::{Client, RequestBuilder},
    database::{MIGRATED, connected, fresh},
    poll::eventually,
    secrets,
    servers::fresh_redis,
};

/// Protects nothing: it is known to whoever reads this.
const SECRET: &str = "a secret of the tests which is none";

/// A pod, and what it takes to call it.
pub struct Stage {
    pub app: TestApp,
    database: String,
    redis: String,
    tokens: Tokens,
    client: Client,
}

/// Somebody who can call.
#[derive(Clone, Debug)]
pub struct Somebody {
    pub id: Uuid,
    pub token: String,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Stage {
    /// Starts one; `more` are further variables.
    pub async fn open(more: &[(&str, &str)]) -> Self {
        Self::on(fresh(&MIGRATED).await, more).await
    }

    /// Starts one on a database that was migrated.
    pub async fn on(database: String, more: &[(&str, &str)]) -> Self {
        Self::between(database, fresh_redis().await, more).await
    }

    /// Starts one that keeps its rates itself: a Redis that answers late on a busy machine would lend it other buckets
    /// half-way.
    pub async fn without_redis(more: &[(&str, &str)]) -> Self {
        let more = [more, &[("READY_REQUIRES", "database")]].concat();
        Self::between(fresh(&MIGRATED).await, "redis://127.0.0.1:1".to_owned(), &more).await
    }

    async fn between(database: String, redis: String, more: &[(&str, &str)]) -> Self {
        let app = pod(&database, &redis, more).await;
        let secrets: JwtSecrets = SECRET.parse().unwrap();
        Self { app, database, redis, tokens: Tokens::new(&secrets, now), client: Client::new() }
    }

    /// One more pod on the same servers.
    pub async fn another_pod(&self) -> TestApp {
        self.another_pod_with(&[]).await
    }

    /// One more pod on the same servers; `more` are further variables.
    pub async fn another_pod_with(&self, more: &[(&str, &str)]) -> TestApp {
        pod(&self.database, &self.redis, more).await
    }

    /// Where its database is.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Somebody with an account.
    pub async fn user(&self, name: &str) -> Somebody {
        let id = Uuid::now_v7();
        self.sql(&format!(
            "INSERT INTO people (id, is_guest, username, display_name) VALUES ('{id}', false, '{name}', '{name}');
             INSERT INTO accounts (person_id, email, password_hash) VALUES ('{id}', '{name}@example.com', '')"
        ))
        .await;
        secrets::belongs(&format!("{name}@example.com"), id);
        Somebody { id, token: self.token(Kind::User, id) }
    }

    /// A good token.
    pub fn token(&self, kind: Kind, id: Uuid) -> String {
        let token = self.tokens.issue(kind, id, ACCESS_TOKEN).unwrap().expose().clone();
        secrets::belongs(&token, id);
        token
    }

    /// Runs statements on its database.
    pub async fn sql(&self, statements: &str) {
        connected(&self.database, async |client| client.batch_execute(statements).await.unwrap()).await;
    }

    /// The only number that a query gives.
    pub async fn number(&self, query: &str) -> i64 {
        connected(&self.database, async |client| client.query_one(query, &[]).await.unwrap().get(0)).await
    }

    /// A request below `/api/v1`, by somebody or by nobody.
    pub fn request(&self, method: Method, path: &str, by: Option<&Somebody>) -> RequestBuilder {
        let request = self.client.request(method, self.app.url(&format!("/api/v1{path}")));
        match by {
            Some(somebody) => request.bearer_auth(&somebody.token),
            None => request,
        }
    }

    /// Gets something.
    pub async fn get(&self, path: &str, by: Option<&Somebody>) -> Reply {
        sent(self.request(Method::GET, path, by)).await
    }

    /// Posts something.
    pub async fn post(&self, path: &str, by: Option<&Somebody>, body: &Value) -> Reply {
        sent(self.request(Method::POST, path, by).json(body)).await
    }

    /// Patches something.
    pub async fn patch(&self, path: &str, by: Option<&Somebody>, body: &Value) -> Reply {
        sent(self.request(Method::PATCH, path, by).json(body)).await
    }

    /// A party that somebody makes, with more of its fields.
    pub async fn party(&self, host: &Somebody, more: Value) -> Value {
        let mut body = json!({ "title": "A party", "startsAt": "2126-05-01T20:00:00Z" });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let reply = self.post("/parties", Some(host), &body).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply.body["data"]["party"].clone()
    }

    /// A guest who joins by that code.
    pub async fn guest(&self, code: &Value, name: &str) -> Somebody {
        let body = json!({ "accessCode": code, "displayName": name });
        let reply = self.post("/parties/join-by-code", None, &body).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        let data = &reply.body["data"];
        Somebody { id: id(&data["guest"]["id"]), token: data["accessToken"].as_str().unwrap().to_owned() }
    }
}

impl Reply {
    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The problem's code.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// Sends it and reads the whole answer.
pub async fn sent(request: RequestBuilder) -> Reply {
    let reply = request.send().await.unwrap();
    let (status, headers) = (reply.status(), reply.headers().clone());
    let bytes = reply.bytes().await.unwrap();
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
    Reply { status, headers, body }
}

/// The id in a field.
pub fn id(value: &Value) -> Uuid {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no id: {value}"))
}

async fn pod(database: &str, redis: &str, more: &[(&str, &str)]) -> TestApp {
    let mut variables = vec![("JWT_SECRET", SECRET)];
    variables.extend_from_slice(more);
    let app = TestApp::start(database, redis, &variables).await;
    eventually(DEADLINE, "the pod is ready", async || app.get("/health/ready").await.0 == 200).await;
    app
}

#[expect(clippy::disallowed_methods, reason = "the pod judges the token by the real time as well")]
fn now() -> SystemTime {
    SystemTime::now()
}
