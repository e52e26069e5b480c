//! What a scrape tells, after a party has gone on for a while.

use serde_json::json;

use crate::support::{
    DEADLINE,
    app::TestApp,
    client,
    gathering::Party,
    pictures,
    poll::eventually,
    screen::{Screen, say},
    stage::stop,
};

/// Each word of the contract's sentence, and the series that it stands for: their beginnings, and whether they have to
/// be more than nothing by now.
const WORDS: [(&str, &[(&str, bool)]); 14] = [
    (
        "requests by route and status",
        &[(r#"http_requests_total{method="POST",route="/api/v1/parties/{id}/media",status="201"}"#, true)],
    ),
    (
        "latency histograms",
        &[
            (r#"http_request_duration_seconds_count{route="/api/v1/parties/{id}/media"}"#, true),
            (r#"http_request_duration_seconds_bucket{le="+Inf",route="/api/v1/parties/{id}/media"}"#, true),
        ],
    ),
    (
        "admission",
        &[
            (r#"http_places{state="all"}"#, true),
            (r#"http_places{state="taken"}"#, false),
            ("http_requests_in_flight", true),
            ("http_requests_shed_total", false),
        ],
    ),
    (
        "pool",
        &[
            (r#"database_connections{state="open"}"#, true),
            (r#"database_connections{state="idle"}"#, false),
            ("database_outstanding", false),
            (r#"redis_connections{state="open"}"#, true),
        ],
    ),
    (
        "mailbox depths",
        &[
            (r#"actor_mailbox_depth{actor="realtime"}"#, false),
            (r#"actor_mailbox_depth{actor="worker"}"#, false),
        ],
    ),
    ("restarts", &[(r#"actor_restarts_total{actor="database"}"#, false)]),
    (
        "breakers",
        &[(r#"breaker_open{dependency="database"}"#, false), (r#"breaker_open{dependency="redis"}"#, false)],
    ),
    (
        "sessions",
        &[
            ("realtime_sessions", true),
            ("realtime_sessions_opened_total", true),
            ("realtime_upgrades_refused_total", false),
            ("realtime_losses_total", false),
        ],
    ),
    (
        "deliveries",
        &[
            ("realtime_deliveries_total", true),
            ("realtime_events_total", true),
            ("realtime_fanned_out_total", true),
            ("realtime_replays_total", true),
            ("realtime_replayed_total", true),
            ("realtime_unpublished_total", false),
        ],
    ),
    ("evictions", &[("realtime_evictions_total", false), ("realtime_cuts_total", false)]),
    (
        "event lag",
        &[
            ("realtime_event_lag_seconds_total", true),
            ("realtime_catch_ups_total", true),
            ("realtime_reconciled_total", false),
            ("realtime_unreadable_total", false),
            ("realtime_log_reads_total", true),
            ("realtime_log_reads_running", false),
        ],
    ),
    (
        "jobs",
        &[
            (r#"jobs_total{outcome="claimed"}"#, true),
            (r#"jobs_total{outcome="completed"}"#, true),
            (r#"jobs_total{outcome="retried"}"#, false),
            (r#"jobs_total{outcome="buried"}"#, false),
            ("jobs_running", false),
            ("jobs_lag_seconds", false),
            ("jobs_due", false),
        ],
    ),
    ("dead letters", &[("jobs_dead", true)]),
    ("drops", &[("log_lines_dropped_total", false)]),
];

async fn scrape(app: &TestApp) -> String {
    let answer = client::get(app.url("/metrics")).await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap()
}

/// The value of a series, if the scrape has it.
fn value(scrape: &str, series: &str) -> Option<f64> {
    let rest = scrape.lines().find_map(|line| line.strip_prefix("party_gallery_")?.strip_prefix(series))?;
    rest.strip_prefix(' ')?.parse().ok()
}

#[tokio::test]
async fn a_scrape_tells_all_that_the_contract_names() {
    let party = Party::new(true).await;
    // Somebody watches, one photo is brought, somebody speaks, and somebody comes late
    let mut screen = Screen::of(&party.app, &party.guest).await;
    screen.join(party.id).await;
    let made = party.upload(Some(&party.guest), pictures::jpeg(64, 64), "a.jpg").await;
    party.developed(made.body["data"]["media"]["id"].as_str().unwrap()).await;
    say(&party.app, &party.host, party.id, "hello").await;
    screen.logged_up_to(3).await;
    let mut late = Screen::of(&party.app, &party.host).await;
    let (events, _) = late.ask("party:join_live", json!({ "partyId": party.id, "since": 0 })).await;
    assert_eq!(events.len(), 3, "{events:?}");
    let bury = "INSERT INTO jobs (kind, payload, buried_at) VALUES ('develop', '{}', now())";
    party.stage.execute(bury, &[]).await;

    // The photo was developed, and whoever is in the party was told of it
    eventually(DEADLINE, "the jobs are done, and the sweep has seen the dead letter", async || {
        let scrape = scrape(&party.app).await;
        value(&scrape, "jobs_dead") == Some(1.0)
            && value(&scrape, r#"jobs_total{outcome="completed"}"#) == Some(2.0)
    })
    .await;
    let scrape = scrape(&party.app).await;
    for (word, series) in WORDS {
        for (series, is_some) in series {
            let value = value(&scrape, series);
            assert!(
                value.is_some_and(|value| value > 0.0 || (!is_some && value == 0.0)),
                "{word}: {series} is {value:?}\n{scrape}"
            );
        }
    }
    assert_eq!(value(&scrape, "realtime_sessions"), Some(2.0));
    assert_eq!(value(&scrape, "realtime_replayed_total"), Some(3.0));
    stop(party.app).await;
}
