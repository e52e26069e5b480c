//! `/ws` from outside: who may speak, what is answered, and what a shutdown does to open sockets.

use std::time::Duration;

use party_gallery::app::Exit;
use serde_json::json;
use tokio_tungstenite::tungstenite::Error;
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    app::{TestApp, Victim},
    own::{OwnPostgres, OwnRedis},
    poll::eventually,
    stage::Stage,
    ws::{Received, WsClient},
};

/// A pod, a token for it, and what it needs.
async fn pod() -> (TestApp, String, Uuid, OwnPostgres, OwnRedis) {
    pod_with(&[]).await
}

/// The same with further variables.
async fn pod_with(more: &[(&str, &str)]) -> (TestApp, String, Uuid, OwnPostgres, OwnRedis) {
    let (postgres, redis) = (OwnPostgres::start().await, OwnRedis::start().await);
    let secret = Uuid::new_v4().to_string();
    let variables = [&[("JWT_SECRET", secret.as_str())], more].concat();
    let app = TestApp::start(postgres.url(), redis.url(), &variables).await;
    eventually(DEADLINE, "it is ready", async || app.get("/health/ready").await.0 == 200).await;
    let user = Stage::shared(postgres.url(), &secret).user().await;
    let token = user.bearer.trim_start_matches("Bearer ").to_owned();
    (app, token, user.id, postgres, redis)
}

#[tokio::test]
async fn who_has_told_a_good_token_is_answered() {
    let (mut app, token, user, _postgres, _redis) = pod().await;
    let mut socket = WsClient::connect(app.address(), "/ws", &[]).await.unwrap();
    socket.send_json(&json!({ "id": 1, "event": "auth", "data": { "token": token } })).await;
    let Received::Json(answer) = socket.next(DEADLINE).await else { panic!("an answer is expected") };
    assert_eq!(answer, json!({ "ack": 1, "data": { "userId": user } }));

    let header = format!("Bearer {token}");
    let mut socket = WsClient::connect(app.address(), "/ws", &[("authorization", &header)]).await.unwrap();
    socket.send_json(&json!({ "id": 7, "event": "ping", "data": [1, "two"] })).await;
    let Received::Json(answer) = socket.next(DEADLINE).await else { panic!("an answer is expected") };
    assert_eq!(answer, json!({ "ack": 7, "data": [1, "two"] }));
    assert_eq!(app.stop().await, Exit::Clean);
}

/// Already while the balancers are still to learn of it: whoever comes now would be sent away a moment later.
#[tokio::test]
async fn a_pod_that_drains_opens_no_sockets() {
    let (mut app, token, _user, _postgres, _redis) = pod_with(&[("DRAIN_DELAY", "20s")]).await;
    let header = format!("Bearer {token}");
    let come = async || WsClient::connect(app.address(), "/ws", &[("authorization", &header)]).await;
    let mut inside = come().await.unwrap();
    app.signal().await;
    eventually(DEADLINE, "it drains", async || app.get("/health/ready").await.1["reasons"][0] == "draining")
        .await;
    let Some(Error::Http(refused)) = come().await.err() else { panic!("it was let in") };
    let connection = refused.headers()["connection"].to_str().unwrap();
    assert_eq!((refused.status().as_u16(), connection), (503, "close"));
    // Who is in stays until it is their turn
    inside.send_json(&json!({ "id": 1, "event": "ping" })).await;
    let Received::Json(answer) = inside.next(DEADLINE).await else { panic!("an answer is expected") };
    assert_eq!(answer, json!({ "ack": 1, "data": null }));
    app.signal().await;
    assert_eq!(app.ended().await, Exit::Forced);
}

#[tokio::test]
async fn a_bad_token_or_a_strange_page_opens_nothing() {
    let (mut app, token, ..) = pod().await;
    let header = format!("Bearer {token}");
    for (headers, status) in [
        (vec![("authorization", "Bearer nonsense")], 401),
        (vec![("authorization", header.as_str()), ("origin", "https://elsewhere.example")], 403),
    ] {
        let error = WsClient::connect(app.address(), "/ws", &headers).await.err().expect("refused");
        assert!(error.to_string().contains(&status.to_string()), "{error} for {headers:?}");
    }
    assert_eq!(app.stop().await, Exit::Clean);
}

#[tokio::test]
async fn a_drain_tells_every_socket_to_come_back_and_ends_clean() {
    let (mut app, token, _, _postgres, _redis) = pod().await;
    // Ten a caller: as many as one may have
    let header = format!("Bearer {token}");
    let mut sockets = Vec::new();
    for _ in 0..10 {
        sockets.push(WsClient::connect(app.address(), "/ws", &[("authorization", &header)]).await.unwrap());
    }
    let told = async {
        for socket in &mut sockets {
            let data = socket.expect_event("server:draining", DEADLINE).await;
            assert!(data.to_string().contains("reconnectAfterMs"), "{data}");
            assert_eq!(socket.expect_close(DEADLINE).await, 1012);
        }
    };
    let (exit, ()) = tokio::join!(app.stop(), told);
    assert_eq!(exit, Exit::Clean);
}

#[tokio::test]
async fn the_hub_may_panic_while_sockets_stay_open_and_the_sixth_time_ends_the_process_with_70() {
    let (mut app, token, _, _postgres, _redis) = pod().await;
    let header = format!("Bearer {token}");
    let mut socket = WsClient::connect(app.address(), "/ws", &[("authorization", &header)]).await.unwrap();
    for restarts in 1..=5_u64 {
        app.panic(Victim::Hub).await;
        eventually(DEADLINE, "the hub is restarted", async || {
            let (_, health) = app.get("/health").await;
            health["checks"]["realtime"]["restarts"] == restarts
                && health["checks"]["realtime"]["status"] == "healthy"
        })
        .await;
        socket.send_json(&json!({ "id": restarts, "event": "ping", "data": null })).await;
        assert!(matches!(socket.next(Duration::from_secs(2)).await, Received::Json(_)), "the socket is open");
    }
    app.panic(Victim::Hub).await;
    let exit = app.ended().await;
    assert_eq!((exit, exit.code()), (Exit::GaveUp, 70));
}
