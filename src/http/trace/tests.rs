//! A log on paper, and pages that end in every way there is.

use std::{future::pending, io, sync::Mutex, time::Duration};

use actix_web::{
    App, HttpRequest, HttpServer,
    dev::Service as _,
    middleware::from_fn,
    test::{TestRequest, call_service, init_service},
};
use serde_json::Value;
use slog::Drain as _;

use super::*;

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl io::Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Paper {
    /// What the layer needs, to write on this.
    fn edge(&self, metrics: &Metrics) -> web::Data<Trace> {
        let log = Logger::root(Mutex::new(slog_json::Json::default(self.clone())).fuse(), slog::o!());
        let (metrics, draining) = (metrics.clone(), Arc::default());
        web::Data::new(Trace { log, metrics, trusted_proxies: Networks::default(), draining })
    }

    fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[actix_web::test]
async fn a_line_names_the_caller_once_somebody_found_out_who_it_is() {
    let paper = Paper::default();
    let page = async |request: HttpRequest| {
        request.extensions_mut().insert(CallerId(Uuid::nil()));
        HttpResponse::Ok().finish()
    };
    let app = App::new()
        .app_data(paper.edge(&Metrics::new()))
        .wrap(from_fn(trace))
        .route("/known/{id}", web::get().to(page))
        .route("/unknown", web::get().to(HttpResponse::Ok));
    let app = init_service(app).await;
    let known = format!("/known/{}", Uuid::max());
    for path in [&known, "/unknown"] {
        call_service(&app, TestRequest::with_uri(path).to_request()).await;
    }
    let lines = paper.lines();
    assert_eq!(lines[0]["userId"], Uuid::nil().to_string());
    assert_eq!((&lines[0]["route"], &lines[0]["path"]), (&"/known/{id}".into(), &known.into()));
    assert!(lines[1]["userId"].is_null(), "{}", lines[1]);
}

#[actix_web::test]
async fn who_hangs_up_before_the_answer_leaves_one_line_and_is_counted_once() {
    let (paper, metrics) = (Paper::default(), Metrics::new());
    let app = App::new()
        .app_data(paper.edge(&metrics))
        .wrap(from_fn(trace))
        .route("/waits/{id}", web::get().to(pending::<HttpResponse>))
        .route("/answers", web::get().to(HttpResponse::Ok));
    let app = init_service(app).await;
    let path = format!("/waits/{}", Uuid::max());
    let mut call = Box::pin(app.call(TestRequest::with_uri(&path).to_request()));
    assert!(call.as_mut().now_or_never().is_none());
    assert_eq!(paper.lines(), [] as [Value; 0], "it has no answer yet");
    drop(call);
    call_service(&app, TestRequest::with_uri("/answers").to_request()).await;
    let lines = paper.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!((&lines[0]["statusCode"], &lines[0]["path"]), (&499.into(), &path.into()));
    assert_eq!(lines[0]["level"], "INFO");
    assert_eq!(lines[1]["statusCode"], 200);
    let text = metrics.encode().unwrap();
    for told in [
        r#"http_requests_total{method="GET",route="/waits/{id}",status="499"} 1"#,
        r#"http_requests_total{method="GET",route="/answers",status="200"} 1"#,
        "http_requests_in_flight 0",
    ] {
        assert!(text.contains(&format!("party_gallery_{told}\n")), "{told}\n{text}");
    }
}

#[actix_web::test]
async fn a_handler_that_panics_is_a_problem_and_its_thread_lives_on() {
    async fn panics() -> HttpResponse {
        panic!("a fault of ours")
    }
    let paper = Paper::default();
    let edge = paper.edge(&Metrics::new());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(edge.clone())
            .wrap(from_fn(trace))
            .route("/panics", web::get().to(panics))
            .route("/answers", web::get().to(HttpResponse::Ok))
    })
    .workers(1)
    .disable_signals()
    .bind("127.0.0.1:0")
    .unwrap();
    let address = server.addrs()[0];
    let client = async {
        let client = reqwest::Client::new();
        for n in 0..3 {
            let request =
                client.get(format!("http://{address}/panics")).header("x-request-id", n.to_string());
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 500);
            assert_eq!(answer.headers()["x-request-id"], n.to_string());
            let problem: Value = answer.json().await.unwrap();
            assert_eq!(
                (&problem["code"], &problem["requestId"]),
                (&"INTERNAL".into(), &n.to_string().into())
            );
            assert!(!problem.to_string().contains("fault"), "{problem}");
            let answer = client.get(format!("http://{address}/answers")).send().await.unwrap();
            assert_eq!(answer.status(), 200);
        }
    };
    tokio::select! {
        ended = server.run() => panic!("the server ended: {ended:?}"),
        within = tokio::time::timeout(Duration::from_secs(20), client) => within.unwrap(),
    }
    let lines = paper.lines();
    let panics: Vec<_> = lines.iter().filter(|line| line["statusCode"] == 500).collect();
    assert_eq!((lines.len(), panics.len()), (6, 3), "{lines:?}");
    for line in panics {
        assert_eq!((&line["level"], &line["error"]), (&"WARN".into(), &"the handler panicked".into()));
    }
}
