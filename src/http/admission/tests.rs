//! A pod's edge with few places and little time.

use std::{future::pending, net::SocketAddr};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, middleware::from_fn};
use reqwest::{Client, Method};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Notify,
};
use uuid::Uuid;

use super::*;
use crate::{
    config::Networks,
    http::trace::{CallerId, Trace, trace},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// What the pages of the test wait for.
#[derive(Default)]
struct Gate(Notify);

async fn waits(gate: web::Data<Gate>) -> HttpResponse {
    gate.0.notified().await;
    HttpResponse::Ok().json(true)
}

/// An answer whose head is there and whose body is not.
async fn streams(gate: web::Data<Gate>) -> HttpResponse {
    let body = stream::once(async move {
        gate.0.notified().await;
        Ok::<_, std::io::Error>(Bytes::from_static(b"true"))
    });
    HttpResponse::Ok().streaming(body)
}

async fn never() -> HttpResponse {
    pending().await
}

/// Reads a body to its end, or tells what kept it from that.
async fn reads(mut body: web::Payload) -> HttpResponse {
    let mut length = 0;
    while let Some(chunk) = body.next().await {
        match chunk {
            Ok(chunk) => length += chunk.len(),
            Err(PayloadError::Io(error)) => return HttpResponse::BadRequest().body(error.kind().to_string()),
            Err(error) => return HttpResponse::InternalServerError().body(error.to_string()),
        }
    }
    HttpResponse::Ok().body(length.to_string())
}

async fn known(request: HttpRequest) -> HttpResponse {
    request.extensions_mut().insert(CallerId(Uuid::nil()));
    HttpResponse::Ok().finish()
}

/// Runs `test` against a server with two places.
async fn with_server(
    deadline: Duration,
    idle: Duration,
    test: impl AsyncFnOnce(SocketAddr, &Gate, &Metrics),
) {
    let metrics = Metrics::new();
    let admission = Admission { deadline, idle, ..Admission::new(2, metrics.clone()) };
    let (admission, gate) = (web::Data::new(admission), web::Data::new(Gate::default()));
    let log = slog::Logger::root(slog::Discard, slog::o!());
    let (trusted_proxies, draining) = (Networks::default(), Arc::default());
    let edge = Trace { log, metrics: metrics.clone(), trusted_proxies, draining };
    let (edge, shown) = (web::Data::new(edge), gate.clone());
    let server = HttpServer::new(move || {
        let api = web::scope("/api")
            .wrap(from_fn(admit))
            .route("/waits", web::get().to(waits))
            .route("/streams", web::get().to(streams))
            .route("/never", web::get().to(never))
            .route("/never", web::post().to(never))
            .route("/known", web::get().to(known))
            .route("/brief", web::post().to(reads))
            .route("/long", web::post().to(reads).wrap(from_fn(long)))
            .route("/long", web::get().to(waits).wrap(from_fn(long)));
        App::new()
            .app_data(admission.clone())
            .app_data(gate.clone())
            .app_data(edge.clone())
            .wrap(from_fn(trace))
            .service(api)
    })
    .workers(1)
    .disable_signals()
    .bind("127.0.0.1:0")
    .unwrap();
    let address = server.addrs()[0];
    tokio::select! {
        ended = server.run() => panic!("the server ended: {ended:?}"),
        within = timeout(PATIENCE, test(address, &shown, &metrics)) => within.unwrap(),
    }
}

async fn ask(address: SocketAddr, method: Method, path: &str) -> reqwest::Response {
    Client::new().request(method, format!("http://{address}/api/{path}")).send().await.unwrap()
}

fn shed(metrics: &Metrics) -> u64 {
    metrics.shed().get()
}

#[actix_web::test]
async fn who_finds_no_place_is_told_at_once_and_counted() {
    with_server(DEADLINE, IDLE, async |address, gate, metrics| {
        let served = async || {
            let answer = ask(address, Method::GET, "waits").await;
            // Wakes the other one, if it waits
            gate.0.notify_one();
            answer.status()
        };
        let refused = async {
            // Until both places are taken the page answers, whatever it is
            let answer = loop {
                let answer = ask(address, Method::GET, "nothing").await;
                if answer.status() != 404 {
                    break answer;
                }
            };
            gate.0.notify_one();
            answer
        };
        let (first, second, refused) = tokio::join!(served(), served(), refused);
        assert_eq!((first.as_u16(), second.as_u16()), (200, 200));
        assert_eq!((refused.status().as_u16(), shed(metrics)), (503, 1));
        assert_eq!(refused.headers()["retry-after"], "1");
        assert_eq!(refused.json::<serde_json::Value>().await.unwrap()["code"], "UNAVAILABLE");
        assert_eq!(ask(address, Method::GET, "nothing").await.status(), 404, "there is room again");
    })
    .await;
}

#[actix_web::test]
async fn an_answer_keeps_its_place_until_its_last_byte() {
    with_server(DEADLINE, IDLE, async |address, gate, metrics| {
        let answers =
            [ask(address, Method::GET, "streams").await, ask(address, Method::GET, "streams").await];
        assert_eq!(ask(address, Method::GET, "nothing").await.status(), 503);
        for answer in answers {
            gate.0.notify_one();
            assert_eq!(answer.text().await.unwrap(), "true");
        }
        assert_eq!(ask(address, Method::GET, "nothing").await.status(), 404);
        assert_eq!(shed(metrics), 1);
    })
    .await;
}

#[actix_web::test]
async fn a_request_past_its_time_is_told_whether_a_repeat_is_safe() {
    with_server(Duration::from_millis(50), IDLE, async |address, _, _| {
        for (method, status, code, retry) in
            [(Method::GET, 503, "UNAVAILABLE", true), (Method::POST, 504, "OUTCOME_UNKNOWN", false)]
        {
            let answer = ask(address, method, "never").await;
            assert_eq!(answer.status(), status);
            assert_eq!(answer.headers().contains_key("retry-after"), retry);
            let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
            let problem: serde_json::Value = answer.json().await.unwrap();
            assert_eq!((problem["code"].as_str(), problem["requestId"].as_str()), (Some(code), Some(&*id)));
        }
        assert_eq!(ask(address, Method::GET, "known").await.status(), 200);
    })
    .await;
}

#[actix_web::test]
async fn a_long_request_may_take_longer_and_a_silent_one_may_not() {
    let (deadline, idle) = (Duration::from_millis(50), Duration::from_millis(400));
    with_server(deadline, idle, async |address, gate, _| {
        let slow = async {
            let answer = ask(address, Method::GET, "long").await;
            assert_eq!(answer.status(), 200);
        };
        let thaw = async {
            sleep(3 * deadline).await;
            gate.0.notify_one();
        };
        tokio::join!(slow, thaw);

        // A byte now and then, for longer than either limit
        for (page, status) in [("long", "200"), ("brief", "504")] {
            let mut upload = upload(address, page, 10).await;
            for _ in 0..9 {
                // The short one is answered before it has sent all
                if upload.write_all(b"x").await.is_err() {
                    break;
                }
                sleep(idle / 4).await;
            }
            _ = upload.write_all(b"x").await;
            assert_eq!(status_of(&mut upload).await, status, "{page}");
        }

        let mut silent = upload(address, "long", 10).await;
        assert_eq!(status_of(&mut silent).await, "400");
    })
    .await;
}

async fn upload(address: SocketAddr, page: &str, length: usize) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head = format!("POST /api/{page} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    socket
}

async fn status_of(socket: &mut TcpStream) -> String {
    let mut head = [0; 12];
    socket.read_exact(&mut head).await.unwrap();
    String::from_utf8_lossy(&head[9..]).into_owned()
}
