//! A party that goes on, and its photos, as clients see them.

use std::path::{Path, PathBuf};

use reqwest::{
    Method,
    header::HeaderMap,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    DEADLINE,
    app::TestApp,
    client::{Client, Response},
    pod::Pod,
    poll::eventually,
    servers,
    stage::{Reply, Somebody, Stage, ask},
};

/// A pod, a host, a LIVE private party and a guest in it.
pub struct Party {
    /// Its database.
    pub stage: Stage,
    /// The pod that is asked.
    pub app: TestApp,
    /// Who made the party.
    pub host: Somebody,
    /// Who joined it.
    pub guest: Somebody,
    /// The party.
    pub id: Uuid,
    /// Where the pod keeps its files.
    pub storage: PathBuf,
}

impl Party {
    /// One whose party is private, or public.
    pub async fn new(is_private: bool) -> Self {
        Self::with(is_private, &[]).await
    }

    /// The same, and the pod has these variables.
    pub async fn with(is_private: bool, more: &[(&str, &str)]) -> Self {
        let stage = Stage::new().await;
        let storage = servers::directory(&format!("storage-{}", Uuid::new_v4().simple()));
        let url = format!("file://{}", storage.display());
        let more = [more, &[("STORAGE_URL", url.as_str())]].concat();
        let app = stage.pod_with(&servers::fresh_redis().await, &more).await;
        let host = stage.user().await;
        let id = stage.party(&host, "LIVE", is_private).await;
        let guest = stage.guest(id).await;
        Self { stage, app, host, guest, id, storage }
    }

    /// One more pod, on the same files.
    pub async fn another_pod(&self) -> TestApp {
        let url = format!("file://{}", self.storage.display());
        self.stage.pod_with(&servers::fresh_redis().await, &[("STORAGE_URL", url.as_str())]).await
    }

    /// Uploads a file in somebody's name.
    pub async fn upload(&self, caller: Option<&Somebody>, file: Vec<u8>, name: &str) -> Reply {
        upload(&self.app, caller, self.id, form(file, name), &[]).await
    }

    /// Asks for JSON in somebody's name.
    pub async fn get(&self, caller: Option<&Somebody>, path: &str) -> Reply {
        ask(&self.app, caller, Method::GET, path, &[], None).await
    }

    /// The media once it is what it becomes.
    pub async fn developed(&self, id: &str) -> Value {
        eventually(DEADLINE, "the media is READY or FAILED", async || {
            let media =
                self.get(Some(&self.host), &format!("/api/v1/media/{id}")).await.body["data"]["media"]
                    .clone();
            ["READY", "FAILED"].contains(&media["status"].as_str()?).then_some(media)
        })
        .await
    }

    /// The bytes behind a path, in somebody's name.
    pub async fn bytes(&self, caller: Option<&Somebody>, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = Client::new().get(self.app.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(caller) = caller {
            request = request.header("authorization", &caller.bearer);
        }
        request.send().await.unwrap()
    }

    /// The files of the store that are called so.
    pub fn stored(&self, name: &str) -> usize {
        fn below(directory: &Path) -> Vec<PathBuf> {
            let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
            entries
                .flat_map(
                    |entry| if entry.path().is_dir() { below(&entry.path()) } else { vec![entry.path()] },
                )
                .collect()
        }
        below(&self.storage).iter().filter(|path| path.to_string_lossy().contains(name)).count()
    }

    /// Numbers and kinds of what was logged of the party.
    pub async fn kinds(&self) -> Vec<(i64, String)> {
        self.stage.events(self.id).await
    }
}

/// A form with a file.
pub fn form(file: Vec<u8>, name: &str) -> Form {
    Form::new().part("file", Part::bytes(file).file_name(name.to_owned()))
}

/// Uploads a form to a party.
pub async fn upload(
    pod: &impl Pod,
    caller: Option<&Somebody>,
    party: Uuid,
    form: Form,
    headers: &[(&str, &str)],
) -> Reply {
    let url = format!("http://{}/api/v1/parties/{party}/media", pod.at());
    let mut request = Client::new().post(url).multipart(form);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(caller) = caller {
        request = request.header("authorization", &caller.bearer);
    }
    let answer = request.send().await.unwrap();
    let (status, headers): (u16, HeaderMap) = (answer.status().as_u16(), answer.headers().clone());
    let body = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(json!(null));
    Reply { status, body, headers }
}

/// The path and query of an absolute URL: tests' pods have other ports than their public URL.
pub fn path_of(url: &Value) -> String {
    let url = reqwest::Url::parse(url.as_str().expect("a URL")).unwrap();
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}
