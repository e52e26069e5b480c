//! What every answer of the API has in common, whatever was asked.

use reqwest::{Method, header};
use serde_json::json;

use crate::support::scene::{Stage, sent};

#[tokio::test]
async fn another_method_is_told_which_there_are() {
    let stage = Stage::open(&[]).await;
    for (method, path, allowed) in [
        (Method::DELETE, "/config", "GET, HEAD"),
        (Method::GET, "/auth/login", "POST"),
        (Method::DELETE, "/parties", "GET, POST, HEAD"),
        (Method::POST, "/parties/0190f3c2-7c1a-7d2e-8a4b-1c2d3e4f5a6b/publish/", ""),
        (Method::OPTIONS, "/parties", "GET, POST, HEAD"),
    ] {
        let reply = sent(stage.request(method.clone(), path, None)).await;
        let expected = if allowed.is_empty() { (404, "NOT_FOUND") } else { (405, "METHOD_NOT_ALLOWED") };
        assert_eq!((reply.status.as_u16(), reply.code()), expected, "{method} {path}");
        assert_eq!(reply.header("allow"), allowed, "{method} {path}");
    }
}

#[tokio::test]
async fn whatever_can_be_got_can_be_asked_for_without_its_body() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("host").await;
    let party = stage.party(&host, json!({})).await;
    for path in ["/config", "/parties", &format!("/parties/{}", party["id"].as_str().unwrap())] {
        let got = stage.get(path, Some(&host)).await;
        let asked = stage.request(Method::HEAD, path, Some(&host)).send().await.unwrap();
        assert_eq!((asked.status(), asked.headers().get("etag")), (got.status, got.headers.get("etag")));
        assert_eq!(asked.bytes().await.unwrap().len(), 0, "{path}");
    }
}

#[tokio::test]
async fn every_answer_tells_browsers_that_it_is_no_page() {
    let stage = Stage::open(&[]).await;
    for (path, status) in [("/config", 200), ("/nothing", 404), ("/auth/me", 401), ("/parties?limit=0", 400)]
    {
        let reply = stage.get(path, None).await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(reply.header("referrer-policy"), "no-referrer", "{path}");
        assert!(reply.header("content-security-policy").contains("default-src 'none'"), "{path}");
    }
}

#[tokio::test]
async fn a_long_page_goes_packed_and_is_known_again() {
    let stage = Stage::open(&[]).await;
    let host = stage.user("host").await;
    for _ in 0..3 {
        stage.party(&host, json!({ "description": "word ".repeat(200) })).await;
    }
    let asked = |tag: &str| {
        let request = stage.request(Method::GET, "/parties", Some(&host)).header("accept-encoding", "gzip");
        if tag.is_empty() { request } else { request.header(header::IF_NONE_MATCH, tag) }
    };
    let first = asked("").send().await.unwrap();
    let header = |name: &str| first.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(header("content-encoding").as_deref(), Some("gzip"));
    let tag = header("etag").unwrap();
    assert!(tag.starts_with("W/\""), "{tag}");
    assert!(header("vary").unwrap().contains("Accept-Encoding"));
    let packed = first.bytes().await.unwrap().len();
    let whole = stage.get("/parties", Some(&host)).await.body.to_string().len();
    assert!(packed * 4 < whole, "{packed} of {whole} bytes");
    assert_eq!(asked(&tag).send().await.unwrap().status(), 304);
}
