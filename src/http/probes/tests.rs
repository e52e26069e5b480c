//! Every status and shape of the pages, and the whole way from a probe to an answer.

use std::time::SystemTime;

use actix_web::{App, http::Method, test};
use futures_util::future::BoxFuture;
use party_gallery_actors::{
    health::{Check, CheckStatus, Health, Heard, Memory, Probe, Rhythm, Window, wall_clock},
    kernel::{ChildReport, State, Status},
};
use serde_json::{Value, json};
use slog::{Discard, Logger, o};
use tokio::{sync::Notify, time::interval};

use super::*;
use crate::config::{Networks, Secret};

/// A supervisor that says what it is told to say.
#[derive(Default)]
struct Told {
    tree: Tree,
    silent_for: Duration,
}

impl Supervision for Told {
    fn tree(&self) -> Tree {
        self.tree.clone()
    }

    fn silent_for(&self) -> Duration {
        self.silent_for
    }
}

fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_750_000_000)
}

fn healthy(name: &'static str) -> Check {
    let mut window = Window::default();
    window.push(Duration::from_micros(420));
    Check {
        status: CheckStatus::Healthy,
        error: None,
        latency: Some(Duration::from_micros(420)),
        checked_at: Some(noon()),
        window,
        ..Check::starting(name, Instant::now(), noon())
    }
}

fn ill(name: &'static str, status: CheckStatus, error: &'static str) -> Check {
    Check { status, error: Some(error), restarts: 2, latency: None, ..healthy(name) }
}

fn board(checks: Vec<Check>) -> Board {
    let memory = Memory { rss: Some(4_096), read: Instant::now() };
    Board::new(Snapshot { checks: checks.into_iter().map(Arc::new).collect(), memory })
}

fn sources(board: Board, told: Told) -> Sources {
    let token = Secret::new("the operator's token".to_owned());
    Sources {
        board,
        supervision: Arc::new(told),
        required: vec!["database"],
        stale_after: Duration::from_secs(17),
        schema_fits: Arc::new(AtomicBool::new(true)),
        draining: Arc::new(AtomicBool::new(false)),
        access: Access::new(Networks::default(), Networks::default(), Some(&token)),
        clock: noon,
        started: Instant::now(),
    }
}

fn all_well() -> Sources {
    sources(board(vec![healthy("database"), healthy("redis")]), Told::default())
}

/// Asks, and checks what every answer has.
async fn ask(probes: &web::Data<Probes>, request: test::TestRequest) -> (StatusCode, Value) {
    let app = test::init_service(App::new().app_data(probes.clone()).configure(configure)).await;
    let response = test::call_service(&app, request.to_request()).await;
    let status = response.status();
    assert_eq!(response.headers().get(CACHE_CONTROL).unwrap(), "no-store");
    assert_eq!(response.headers().get(CONTENT_TYPE).unwrap(), "application/json");
    (status, test::read_body_json(response).await)
}

async fn get(sources: Sources, path: &str) -> (StatusCode, Value) {
    ask(&web::Data::new(Probes::new(sources)), stranger(path)).await
}

fn stranger(path: &str) -> test::TestRequest {
    test::TestRequest::get().uri(path).peer_addr("203.0.113.9:4711".parse().unwrap())
}

fn local(path: &str) -> test::TestRequest {
    test::TestRequest::get().uri(path).peer_addr("127.0.0.1:4711".parse().unwrap())
}

#[actix_web::test]
async fn a_healthy_service_says_so_in_exactly_these_words() {
    let (status, mut page) = get(all_well(), "/health").await;
    assert_eq!(status, StatusCode::OK);
    let uptime = page.as_object_mut().unwrap().remove("uptime").unwrap().as_f64().unwrap();
    assert!((0.0..60.0).contains(&uptime), "{uptime}");
    let well = json!({"status": "healthy", "latency": 0.42, "checkedAt": "2025-06-15T15:06:40.000Z",
        "restarts": 0});
    assert_eq!(
        page,
        json!({"status": "healthy", "timestamp": "2025-06-15T15:06:40.000Z",
            "version": env!("CARGO_PKG_VERSION"), "memory": {"rss": 4096},
            "checks": {"database": well, "redis": well}})
    );
}

#[actix_web::test]
async fn checks_keep_the_order_of_the_probes() {
    let checks = ["database", "redis", "realtime", "storage"];
    let sources = sources(board(checks.map(healthy).into()), Told::default());
    let (_, body) = Probes::new(sources).page().unwrap();
    let text = std::str::from_utf8(&body).unwrap();
    let places: Vec<_> = checks.iter().map(|name| text.find(&format!("\"{name}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{text}");
}

#[actix_web::test]
async fn what_is_not_required_degrades_and_says_why_and_since_when() {
    let checks = vec![healthy("database"), ill("redis", CheckStatus::Unhealthy, "connection refused")];
    let (status, page) = get(sources(board(checks), Told::default()), "/health").await;
    assert_eq!((status, &page["status"]), (StatusCode::OK, &json!("degraded")));
    assert_eq!(page.get("reasons"), None);
    assert_eq!(
        page["checks"]["redis"],
        json!({"status": "unhealthy", "checkedAt": "2025-06-15T15:06:40.000Z", "error": "connection refused",
            "since": "2025-06-15T15:06:40.000Z", "restarts": 2})
    );
}

#[actix_web::test]
async fn what_is_required_and_restarting_makes_both_503() {
    let checks = || board(vec![ill("database", CheckStatus::Restarting, "restarting"), healthy("redis")]);
    let (status, page) = get(sources(checks(), Told::default()), "/health").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((&page["status"], &page["reasons"]), (&json!("unhealthy"), &json!(["database"])));
    assert_eq!(page["checks"]["database"]["status"], "restarting");
    let (status, page) = get(sources(checks(), Told::default()), "/health/ready").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(page, json!({"status": "not ready", "reasons": ["database"]}));
}

#[actix_web::test]
async fn before_the_first_answer_it_is_alive_and_not_ready() {
    let starting = || board(vec![Check::starting("database", Instant::now(), noon())]);
    let (status, page) = get(sources(starting(), Told::default()), "/health").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(page["checks"]["database"]["error"], "starting");
    assert_eq!(get(sources(starting(), Told::default()), "/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(get(sources(starting(), Told::default()), "/livez").await.0, StatusCode::OK);
}

#[actix_web::test]
async fn draining_is_503_for_health_and_ready_and_200_for_live() {
    let draining = || {
        let sources = all_well();
        sources.draining.store(true, Ordering::Release);
        sources
    };
    let (status, page) = get(draining(), "/health").await;
    assert_eq!((status, &page["reasons"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(["draining"])));
    for path in ["/health/ready", "/readyz"] {
        let expected = json!({"status": "not ready", "reasons": ["draining"]});
        assert_eq!(get(draining(), path).await, (StatusCode::SERVICE_UNAVAILABLE, expected), "{path}");
    }
    for path in ["/health/live", "/livez"] {
        assert_eq!(get(draining(), path).await, (StatusCode::OK, json!({"status": "alive"})), "{path}");
    }
}

#[actix_web::test]
async fn a_schema_that_does_not_fit_is_not_ready() {
    let sources = all_well();
    sources.schema_fits.store(false, Ordering::Release);
    let expected = json!({"status": "not ready", "reasons": ["schema"]});
    assert_eq!(get(sources, "/health/ready").await, (StatusCode::SERVICE_UNAVAILABLE, expected));
}

#[actix_web::test]
async fn ready_is_200_when_nothing_speaks_against_it() {
    for path in ["/health/ready", "/readyz"] {
        assert_eq!(get(all_well(), path).await, (StatusCode::OK, json!({"status": "ready"})), "{path}");
    }
}

#[actix_web::test]
async fn a_snapshot_that_nobody_renews_is_unhealthy() {
    let old = || Sources { stale_after: Duration::ZERO, ..all_well() };
    let (status, page) = get(old(), "/health").await;
    assert_eq!((status, &page["reasons"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(["health"])));
    assert_eq!(get(old(), "/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[actix_web::test]
async fn live_is_503_only_after_ten_seconds_of_the_supervisors_silence() {
    for (silent_for, status) in
        [(0, StatusCode::OK), (10, StatusCode::OK), (11, StatusCode::SERVICE_UNAVAILABLE)]
    {
        let told = Told { silent_for: Duration::from_secs(silent_for), ..Told::default() };
        let found = get(sources(board(vec![]), told), "/health/live").await;
        assert_eq!(found.0, status, "after {silent_for} s");
    }
}

#[actix_web::test]
async fn head_is_answered_as_get_and_nothing_else_is() {
    let probes = web::Data::new(Probes::new(all_well()));
    let app = test::init_service(App::new().app_data(probes).configure(configure)).await;
    for path in ["/health", "/health/live", "/health/ready", "/livez", "/readyz"] {
        for (method, status) in
            [(Method::HEAD, StatusCode::OK), (Method::POST, StatusCode::METHOD_NOT_ALLOWED)]
        {
            let request = test::TestRequest::with_uri(path).method(method.clone()).to_request();
            assert_eq!(test::call_service(&app, request).await.status(), status, "{method} {path}");
        }
    }
}

#[actix_web::test]
async fn operators_see_percentiles_and_the_supervision_tree() {
    let status = Status { state: State::Running, epoch: 3, generation: 1, exhausted: false };
    let failed = Instant::now().checked_sub(Duration::from_secs(5)).unwrap();
    let last_failure = Some(("panicked: a bug".into(), failed));
    let child = ChildReport { name: "redis", status, restarts: 2, last_failure, calls: 7, calls_limit: 64 };
    let told = Told { tree: vec![child], ..Told::default() };
    let probes = web::Data::new(Probes::new(sources(board(vec![healthy("database")]), told)));
    let (status, mut page) = ask(&probes, local("/health?verbose")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (&page["checks"]["database"]["p50"], &page["checks"]["database"]["p99"]),
        (&json!(0.42), &json!(0.42))
    );
    let failure = page["supervision"][0]["lastFailure"].as_object_mut().unwrap();
    assert!((5.0..60.0).contains(&failure.remove("age").unwrap().as_f64().unwrap()));
    assert_eq!(
        page["supervision"],
        json!([{"name": "redis", "state": "running", "epoch": 3, "restarts": 2,
            "lastFailure": {"reason": "panicked: a bug"}, "mailbox": 7}])
    );
}

#[actix_web::test]
async fn who_may_not_see_the_verbose_page_gets_the_plain_one() {
    let probes = web::Data::new(Probes::new(all_well()));
    let bearer = ("authorization", "Bearer the operator's token");
    for (request, verbose) in [
        (local("/health?verbose"), true),
        (local("/health?verbose=1"), true),
        (local("/health?a=b&verbose"), true),
        (local("/health"), false),
        (local("/health?verbosely"), false),
        (local("/health?verbose").insert_header(("x-forwarded-for", "127.0.0.1")), false),
        (stranger("/health?verbose"), false),
        (stranger("/health?verbose").insert_header(bearer), true),
        (stranger("/health").insert_header(bearer), false),
    ] {
        let (status, page) = ask(&probes, request).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(page.get("supervision").is_some(), verbose, "{page}");
        assert_eq!(page["checks"]["database"].get("p50").is_some(), verbose, "{page}");
    }
}

/// The seconds are counted from `started`, so that a test which begins one sees both asks in it.
#[actix_web::test]
async fn the_body_is_encoded_once_for_each_snapshot_and_second() {
    let mut sources = all_well();
    let draining = Arc::clone(&sources.draining);
    sources.started = Instant::now();
    let mut probes = Probes::new(sources);
    let (_, first) = probes.page().unwrap();
    let (_, again) = probes.page().unwrap();
    assert_eq!(first.as_ptr(), again.as_ptr(), "encoded again");

    draining.store(true, Ordering::Release);
    let (status, drained) = probes.page().unwrap();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    draining.store(false, Ordering::Release);
    let (status, _) = probes.page().unwrap();
    assert_eq!(status, StatusCode::OK);
    assert_ne!(first.as_ptr(), drained.as_ptr());

    let (_, before) = probes.page().unwrap();
    probes.sources.started = probes.sources.started.checked_sub(Duration::from_secs(1)).unwrap();
    let (_, later) = probes.page().unwrap();
    assert_ne!(before, later, "the uptime stands still");

    probes.sources.board = board(vec![ill("database", CheckStatus::Unhealthy, "closed")]);
    let (status, _) = probes.page().unwrap();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

/// A database that can be taken away.
struct Switch {
    on: AtomicBool,
    stir: Notify,
}

impl Probe for Switch {
    fn name(&self) -> &'static str {
        "database"
    }

    fn check(&self) -> BoxFuture<'_, Heard> {
        let on = self.on.load(Ordering::SeqCst);
        Box::pin(async move { if on { Ok(()) } else { Err("connection refused") } })
    }

    fn stirred(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.stir.notified())
    }
}

#[actix_web::test]
async fn a_database_that_goes_away_is_told_within_a_second_and_so_is_its_return() {
    let switch = Arc::new(Switch { on: AtomicBool::new(true), stir: Notify::new() });
    let watched: [Arc<dyn Probe>; 1] = [Arc::clone(&switch) as Arc<dyn Probe>];
    let board = Board::awaiting(&watched, Instant::now(), noon());
    let supervisor = Supervisor::start(Logger::root(Discard, o!())).unwrap();
    let rhythm = Rhythm::every(Duration::from_secs(3600));
    supervisor.add(Health::child(&watched, board.clone(), rhythm, wall_clock)).await.unwrap();
    let supervision = Arc::new(supervisor);
    let sources =
        Sources { supervision, stale_after: rhythm.stale_after(), ..sources(board, Told::default()) };
    let probes = web::Data::new(Probes::new(sources));
    for (on, expected) in
        [(true, StatusCode::OK), (false, StatusCode::SERVICE_UNAVAILABLE), (true, StatusCode::OK)]
    {
        switch.on.store(on, Ordering::SeqCst);
        switch.stir.notify_one();
        let deadline = Instant::now() + Duration::from_secs(1);
        let mut look = interval(Duration::from_millis(2));
        while ask(&probes, stranger("/health")).await.0 != expected {
            assert!(Instant::now() < deadline, "on: {on}");
            look.tick().await;
        }
        assert_eq!(ask(&probes, stranger("/readyz")).await.0, expected, "on: {on}");
    }
}
