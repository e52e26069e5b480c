//! Clients that come back while PostgreSQL, which knows where they were, is away.

use serde_json::json;

use crate::support::{
    DEADLINE,
    own::OwnPostgres,
    poll::eventually,
    servers::fresh_redis,
    socketio::{
        SocketIo,
        Way::{Polling, Socket},
    },
    stage::{Stage, stop},
};

#[tokio::test]
async fn who_cannot_be_recovered_now_is_sent_away_and_is_recovered_later() {
    let mut postgres = OwnPostgres::start().await;
    let stage = Stage::at(postgres.url());
    let app = stage.pod(&fresh_redis().await).await;
    eventually(DEADLINE, "the schema is there", async || app.get("/health/ready").await.0 == 200).await;
    let party = stage.party(&stage.user().await, "LIVE", true).await;
    let guest = stage.guest(party).await;
    let mut auth = json!({ "token": guest.bearer.strip_prefix("Bearer "), "recover": true });
    let mut client = SocketIo::connect(&app, Socket, &auth).await;
    client.done("party:join_live", json!({ "partyId": party })).await;
    auth["pid"] = client.connected["pid"].clone();
    drop(client);
    stage.say_many(party, 2, "meanwhile").await;

    postgres.kill9();
    for way in [Polling, Socket] {
        SocketIo::sent_away(&app, way, &auth).await;
    }
    // Who begins is let in, as on `/ws`, with nothing to come back by
    let first = json!({ "token": auth["token"], "recover": true });
    assert_eq!(SocketIo::connect(&app, Socket, &first).await.pid(), None);
    postgres.start_again().await;
    eventually(DEADLINE, "the pod is ready", async || app.get("/health/ready").await.0 == 200).await;
    for way in [Polling, Socket] {
        let mut back = SocketIo::connect(&app, way, &auth).await;
        assert_eq!(back.pid(), auth["pid"].as_str());
        assert_eq!(back.logged(2).await.len(), 2);
    }
    stop(app).await;
}
