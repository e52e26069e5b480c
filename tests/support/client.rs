//! The HTTP client of the tests: reqwest's, but that nobody reads an answer that was not looked at for what belongs to
//! others.

use std::ops::Deref;

use bytes::Bytes;
use reqwest::{
    Body, IntoUrl, Method,
    header::{HeaderMap, HeaderName, HeaderValue},
    multipart::Form,
};
use serde::{Serialize, de::DeserializeOwned};

use super::secrets::{self, Asked};

/// A client.
#[derive(Clone, Debug, Default)]
pub struct Client(reqwest::Client);

/// A request that is being made.
#[derive(Debug)]
pub struct RequestBuilder(reqwest::RequestBuilder);

/// An answer: its head is reqwest's, its body is looked at before it is given.
#[derive(Debug)]
pub struct Response {
    inner: reqwest::Response,
    asked: Asked,
}

/// Gets something in nobody's name.
pub async fn get(url: impl IntoUrl) -> reqwest::Result<Response> {
    Client::new().get(url).send().await
}

impl Client {
    /// One with connections of its own.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a request.
    pub fn request(&self, method: Method, url: impl IntoUrl) -> RequestBuilder {
        RequestBuilder(self.0.request(method, url))
    }

    /// Begins a GET.
    pub fn get(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::GET, url)
    }

    /// Begins a HEAD.
    pub fn head(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::HEAD, url)
    }

    /// Begins a POST.
    pub fn post(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    /// Begins a PUT.
    pub fn put(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::PUT, url)
    }

    /// Begins a PATCH.
    pub fn patch(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::PATCH, url)
    }

    /// Begins a DELETE.
    pub fn delete(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::DELETE, url)
    }
}

impl RequestBuilder {
    /// Adds a header.
    pub fn header<K, V>(self, name: K, value: V) -> Self
    where
        HeaderName: TryFrom<K>,
        HeaderValue: TryFrom<V>,
    {
        let name = HeaderName::try_from(name).unwrap_or_else(|_| panic!("no header's name"));
        let value = HeaderValue::try_from(value).unwrap_or_else(|_| panic!("no value of {name}"));
        self.with(name, value)
    }

    fn with(self, name: HeaderName, value: HeaderValue) -> Self {
        Self(self.0.header(name, value))
    }

    /// Adds headers.
    pub fn headers(self, headers: HeaderMap) -> Self {
        Self(self.0.headers(headers))
    }

    /// Says whose it is.
    pub fn bearer_auth(self, token: impl std::fmt::Display) -> Self {
        Self(self.0.bearer_auth(token))
    }

    /// Gives it a body of JSON.
    pub fn json(self, body: &(impl Serialize + ?Sized)) -> Self {
        Self(self.0.json(body))
    }

    /// Gives it a body.
    pub fn body(self, body: impl Into<Body>) -> Self {
        Self(self.0.body(body))
    }

    /// Gives it a form.
    pub fn multipart(self, form: Form) -> Self {
        Self(self.0.multipart(form))
    }

    /// Waits no longer than that.
    pub fn timeout(self, timeout: std::time::Duration) -> Self {
        Self(self.0.timeout(timeout))
    }

    /// Sends it.
    pub async fn send(self) -> reqwest::Result<Response> {
        let (client, request) = self.0.build_split();
        let request = request?;
        let asked = Asked::of(&request);
        let inner = client.execute(request).await?;
        secrets::look(&asked, &format!("{:?}", inner.headers()));
        Ok(Response { inner, asked })
    }
}

impl Response {
    /// The whole body.
    pub async fn bytes(self) -> reqwest::Result<Bytes> {
        let is_done = self.inner.status().is_success();
        let bytes = self.inner.bytes().await?;
        // What is no text is a picture
        if let Ok(text) = str::from_utf8(&bytes) {
            secrets::look(&self.asked, text);
            if is_done {
                secrets::learn(&self.asked, text);
            }
        }
        Ok(bytes)
    }

    /// The whole body as text.
    pub async fn text(self) -> reqwest::Result<String> {
        Ok(String::from_utf8_lossy(&self.bytes().await?).into_owned())
    }

    /// The whole body as JSON.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, Box<dyn std::error::Error + Send + Sync>> {
        Ok(serde_json::from_slice(&self.bytes().await?)?)
    }
}

impl Deref for Response {
    type Target = reqwest::Response;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}
