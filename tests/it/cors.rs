//! Pages of other origins: who may call the API from a browser.

use reqwest::Method;

use crate::support::{
    DEADLINE,
    app::TestApp,
    client::{Client, Response},
    database::{MIGRATED, fresh},
    servers::fresh_redis,
};

const FRIEND: &str = "https://friend.example";

async fn ask(app: &TestApp, method: Method, path: &str, origin: &str, more: &[(&str, &str)]) -> Response {
    let request = Client::new().request(method, app.url(path)).timeout(DEADLINE).header("Origin", origin);
    more.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn pages_of_known_origins_may_call_and_others_may_not() {
    let more = [("CORS_ORIGIN", FRIEND), ("PUBLIC_URL", "https://own.example")];
    let app = TestApp::start(&fresh(&MIGRATED).await, &fresh_redis().await, &more).await;
    let asks =
        [("Access-Control-Request-Method", "PATCH"), ("Access-Control-Request-Headers", "authorization")];
    for (origin, is_known) in [
        (FRIEND, true),
        ("https://own.example", true),
        ("https://stranger.example", false),
        ("http://friend.example", false),
        ("https://friend.example.evil.example", false),
        ("null", false),
    ] {
        let expected = if is_known { origin } else { "" };
        let before = ask(&app, Method::OPTIONS, "/api/v1/parties/7", origin, &asks).await;
        assert_eq!(before.status(), if is_known { 204 } else { 403 }, "{origin}");
        assert_eq!(header(&before, "access-control-allow-origin"), expected);
        assert!(header(&before, "vary").contains("Origin"), "{origin}");
        if is_known {
            assert!(header(&before, "access-control-allow-methods").contains("PATCH"));
            assert!(header(&before, "access-control-allow-headers").contains("Authorization"));
        }
        for (path, status, more) in [
            ("/api/v1/config", 200, &[][..]),
            ("/api/v1/auth/me", 401, &[]),
            ("/api/v1/auth/me", 401, &[("Authorization", "Bearer bad")]),
            ("/api/v1/nowhere", 404, &[]),
        ] {
            let answer = ask(&app, Method::GET, path, origin, more).await;
            assert_eq!(answer.status(), status, "{origin} {path}");
            assert_eq!(header(&answer, "access-control-allow-origin"), expected, "{origin} {path}");
            assert!(header(&answer, "vary").contains("Origin"), "{origin} {path}");
            assert_eq!(header(&answer, "access-control-allow-credentials"), "");
        }
    }
    let bare = ask(&app, Method::OPTIONS, "/api/v1/config", FRIEND, &[]).await;
    assert_eq!(bare.status(), 405, "only a browser asks before a call");
}
