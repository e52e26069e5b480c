//! Clients that hang up before they are answered.

use std::time::Duration;

use socket2::SockRef;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::support::{DEADLINE, client, database::connected, house::House, poll::eventually};

/// How a client hangs up.
#[derive(Clone, Copy, Debug)]
enum End {
    /// As a closed tab does.
    Close,
    /// As one does whose machine has forgotten the connection.
    Reset,
}

#[tokio::test]
async fn who_hangs_up_while_the_database_thinks_is_told_of_once() {
    let house = House::start().await;
    let (process, pod) = house.pod(&[]).await;
    let scrape = async || client::get(format!("http://{pod}/metrics")).await.unwrap().text().await.unwrap();
    let lines = || {
        let lines = process.lines().into_iter();
        lines.filter(|line| line["route"] == "/api/v1/parties").collect::<Vec<_>>()
    };
    for (nth, end) in [End::Close, End::Reset].into_iter().enumerate() {
        connected(house.postgres.url(), async |client| {
            // Nobody reads a party until this ends, or until their statement has waited for 2 s
            client.batch_execute("BEGIN; LOCK TABLE parties").await.unwrap();
            let mut socket = TcpStream::connect(pod).await.unwrap();
            let head = format!("GET /api/v1/parties HTTP/1.1\r\nHost: x\r\nX-Request-Id: {nth}\r\n\r\n");
            socket.write_all(head.as_bytes()).await.unwrap();
            eventually(DEADLINE, "it has its place", async || {
                scrape().await.contains("party_gallery_http_places{state=\"taken\"} 1.0\n")
            })
            .await;
            if let End::Reset = end {
                SockRef::from(&socket).set_linger(Some(Duration::ZERO)).unwrap();
            }
            drop(socket);
            eventually(DEADLINE, "its line is there", async || lines().len() == nth + 1).await;
            client.batch_execute("COMMIT").await.unwrap();
        })
        .await;
        let line = lines().remove(nth);
        assert_eq!(
            (&line["statusCode"], &line["requestId"]),
            (&499.into(), &nth.to_string().into()),
            "{end:?}"
        );
        assert_eq!((&line["level"], &line["path"]), (&"info".into(), &"/api/v1/parties".into()));
    }
    let scrape = scrape().await;
    for told in [
        r#"http_requests_total{method="GET",route="/api/v1/parties",status="499"} 2"#,
        r#"http_places{state="taken"} 0.0"#,
    ] {
        assert!(scrape.contains(&format!("party_gallery_{told}\n")), "{told}\n{scrape}");
    }
    // Those who stay are served, with what the others have left behind
    assert_eq!(client::get(format!("http://{pod}/api/v1/parties")).await.unwrap().status(), 200);
    eventually(DEADLINE, "its line is there", async || lines().len() == 3).await;
}
