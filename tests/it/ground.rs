//! The ground that the other tests stand on.

use std::{net::SocketAddr, time::Duration};

use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::{Client, Config, NoTls};
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};

use crate::support::{
    DEADLINE,
    chaos_proxy::{ChaosProxy, Upstream},
    database::{self, Template, connected},
    logs::Logs,
    own::{OwnPostgres, OwnRedis},
    poll::eventually,
    servers,
    ws::{ABNORMAL, Received, WsClient},
};

/// Long enough to see that nothing comes.
const SILENCE: Duration = Duration::from_millis(100);

static NOTES: Template = Template::new("ground_template", |url| {
    Box::pin(async move {
        connected(&url, async |client| client.batch_execute("CREATE TABLE note (word text)").await.unwrap())
            .await;
    })
});

async fn count(client: &Client) -> Result<i64, tokio_postgres::Error> {
    client.query_one("SELECT count(*) FROM note", &[]).await.map(|row| row.get(0))
}

#[tokio::test]
async fn each_test_has_a_database_of_its_own() {
    let (one, other) = (database::fresh(&NOTES).await, database::fresh(&NOTES).await);
    connected(&one, async |client| client.batch_execute("INSERT INTO note VALUES ('mine')").await.unwrap())
        .await;
    assert_eq!(connected(&one, async |client| count(client).await.unwrap()).await, 1);
    assert_eq!(connected(&other, async |client| count(client).await.unwrap()).await, 0);
}

#[tokio::test]
async fn databases_are_cloned_side_by_side() {
    let urls = futures_util::future::join_all((0..8).map(|_| database::fresh(&NOTES))).await;
    for url in urls {
        assert_eq!(connected(&url, async |client| count(client).await.unwrap()).await, 0);
    }
}

#[tokio::test]
async fn each_test_has_a_redis_database_of_its_own() {
    let (mut one, mut other) =
        (redis_at(&servers::fresh_redis().await), redis_at(&servers::fresh_redis().await));
    redis::cmd("SET").arg("key").arg("mine").exec(&mut one).unwrap();
    assert_eq!(redis::cmd("GET").arg("key").query::<Option<String>>(&mut other).unwrap(), None);
}

fn redis_at(url: &str) -> redis::Connection {
    redis::Client::open(url).unwrap().get_connection().unwrap()
}

#[tokio::test]
async fn a_killed_postgres_starts_again_with_what_was_committed() {
    let mut postgres = OwnPostgres::start().await;
    let make = "CREATE TABLE note AS SELECT 'kept' AS word";
    connected(postgres.url(), async |client| client.batch_execute(make).await.unwrap()).await;
    let (client, connection) = tokio_postgres::connect(postgres.url(), NoTls).await.unwrap();
    postgres.kill9();
    assert!(connection.await.is_err() || client.is_closed());
    assert!(tokio_postgres::connect(postgres.url(), NoTls).await.is_err());
    postgres.start_again().await;
    assert_eq!(connected(postgres.url(), async |client| count(client).await.unwrap()).await, 1);
}

#[tokio::test]
async fn a_frozen_postgres_answers_nobody_until_it_is_thawed() {
    let mut postgres = OwnPostgres::start().await;
    let url = postgres.url().to_owned();
    connected(&url, async |client| {
        client.batch_execute("SELECT 1").await.unwrap();
        postgres.freeze();
        let asked = client.batch_execute("SELECT 1");
        let connects = tokio_postgres::connect(&url, NoTls);
        tokio::pin!(asked);
        assert!(tokio::time::timeout(SILENCE, &mut asked).await.is_err(), "an open connection answers");
        assert!(tokio::time::timeout(SILENCE, connects).await.is_err(), "a new connection is served");
        postgres.thaw();
        asked.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_killed_redis_starts_again_empty() {
    let mut redis = OwnRedis::start().await;
    redis::cmd("SET").arg("key").arg("value").exec(&mut redis_at(redis.url())).unwrap();
    redis.kill9();
    assert!(redis::Client::open(redis.url()).unwrap().get_connection().is_err());
    redis.start_again().await;
    assert_eq!(redis::cmd("DBSIZE").query::<u64>(&mut redis_at(redis.url())).unwrap(), 0);
}

#[tokio::test]
async fn the_line_to_postgres_can_be_cut_refused_frozen_and_healed() {
    let url = database::fresh(&NOTES).await;
    let proxy = ChaosProxy::start(Upstream::Unix(servers::postgres().await.socket().to_owned())).await;
    let config = through(&proxy, &url);

    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::join!(async { drop(connection.await) }, async {
        assert_eq!(count(&client).await.unwrap(), 0);
        proxy.freeze().await;
        let asked = count(&client);
        tokio::pin!(asked);
        assert!(tokio::time::timeout(SILENCE, &mut asked).await.is_err(), "a byte passed");
        assert!(TcpStream::connect(proxy.address()).await.is_ok(), "a frozen line accepts");
        proxy.heal().await;
        assert_eq!(asked.await.unwrap(), 0);

        proxy.refuse().await;
        assert!(TcpStream::connect(proxy.address()).await.is_err(), "a refusing line accepts");
        assert_eq!(count(&client).await.unwrap(), 0, "what is open goes on");
        proxy.cut().await;
        count(&client).await.unwrap_err();
        proxy.heal().await;
    });
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::select! {
        answer = count(&client) => assert_eq!(answer.unwrap(), 0),
        ended = connection => panic!("the connection ended: {ended:?}"),
    }
}

/// The same database and user, by way of `proxy`.
fn through(proxy: &ChaosProxy, url: &str) -> Config {
    let (direct, mut proxied): (Config, _) = (url.parse().unwrap(), Config::new());
    proxied.host("127.0.0.1").port(proxy.address().port());
    proxied.user(direct.get_user().unwrap()).dbname(direct.get_dbname().unwrap());
    proxied
}

#[tokio::test]
async fn the_line_to_redis_is_the_same() {
    let redis = OwnRedis::start().await;
    let proxy = ChaosProxy::start(Upstream::Unix(redis.socket().to_owned())).await;
    let mut client = redis_at(&format!("redis://{}/", proxy.address()));
    redis::cmd("PING").exec(&mut client).unwrap();
    proxy.cut().await;
    redis::cmd("PING").exec(&mut client).unwrap_err();
    redis::cmd("PING").exec(&mut redis_at(&format!("redis://{}/", proxy.address()))).unwrap();
}

#[tokio::test]
async fn what_is_waited_for_is_found_when_it_comes() {
    let mut asked = 0;
    let answer = eventually(DEADLINE, "the third question is answered", async || {
        asked += 1;
        (asked == 3).then_some("yes")
    });
    assert_eq!(answer.await, "yes");
}

#[tokio::test]
#[should_panic(expected = "pigs fly")]
async fn what_does_not_come_is_named() {
    eventually(Duration::from_millis(20), "pigs fly", async || false).await;
}

#[tokio::test]
async fn log_lines_are_found_with_their_values() {
    let (logs, log) = Logs::record();
    let log = log.new(slog::o!("pod" => "a", "step" => "none"));
    slog::warn!(log, "Drain"; "step" => "sockets", "left" => 3);
    let line = logs.wait_for("Drain", DEADLINE).await;
    assert_eq!(line.level, slog::Level::Warning);
    assert_eq!((&*line.values["pod"], &*line.values["step"], &*line.values["left"]), ("a", "sockets", "3"));
}

/// Accepts one WebSocket and hands it to `serve`, while `visit` is a client of it.
async fn beside<T>(
    serve: impl AsyncFnOnce(tokio_tungstenite::WebSocketStream<TcpStream>),
    visit: impl AsyncFnOnce(SocketAddr) -> T,
) -> T {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = async {
        let (stream, _) = listener.accept().await.unwrap();
        serve(tokio_tungstenite::accept_async(stream).await.unwrap()).await;
    };
    tokio::join!(server, visit(address)).1
}

#[tokio::test]
async fn the_socket_client_hears_events_and_the_closing_code() {
    use futures_util::{SinkExt, StreamExt};
    let echo = async |mut socket: tokio_tungstenite::WebSocketStream<TcpStream>| {
        let heard = socket.next().await.unwrap().unwrap();
        socket.send(Message::Ping("still there?".into())).await.unwrap();
        socket.send(heard).await.unwrap();
        socket.close(Some(CloseFrame { code: 4008.into(), reason: "".into() })).await.unwrap();
        while socket.next().await.is_some() {}
    };
    beside(echo, async |address| {
        let mut client = WsClient::connect(address, "/ws", &[("Authorization", "Bearer x")]).await.unwrap();
        client.emit("ping", serde_json::json!(7)).await;
        assert_eq!(client.expect_event("ping", DEADLINE).await["data"], 7);
        assert_eq!(client.expect_close(DEADLINE).await, 4008);
    })
    .await;
}

#[tokio::test]
async fn a_socket_that_breaks_is_an_abnormal_end() {
    let broken = async |socket: tokio_tungstenite::WebSocketStream<TcpStream>| drop(socket);
    beside(broken, async |address| {
        let mut client = WsClient::connect(address, "/ws", &[]).await.unwrap();
        assert_eq!(client.next(DEADLINE).await, Received::Closed(ABNORMAL));
    })
    .await;
}

#[tokio::test]
async fn a_deaf_client_lets_its_server_fill_up() {
    use futures_util::SinkExt;
    let (full, filled) = tokio::sync::oneshot::channel();
    let pour = async |mut socket: tokio_tungstenite::WebSocketStream<TcpStream>| {
        let megabyte = Message::text("x".repeat(1_000_000));
        for _ in 0..100 {
            if tokio::time::timeout(SILENCE, socket.send(megabyte.clone())).await.is_err() {
                return full.send(()).unwrap();
            }
        }
        panic!("100 MB went to a client that does not read");
    };
    beside(pour, async |address| {
        let deaf = WsClient::connect_deaf(address, "/ws", &[]).await.unwrap();
        filled.await.unwrap();
        drop(deaf);
    })
    .await;
}
