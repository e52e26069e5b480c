//! Where photos are kept, from outside.

use std::{fs, process::Command};

use party_gallery::app::Exit;

use crate::support::{
    DEADLINE,
    app::TestApp,
    own::{OwnPostgres, OwnRedis},
    poll::eventually,
};

#[tokio::test]
async fn a_store_that_cannot_be_written_costs_health_and_not_readiness() {
    let (postgres, redis) = (OwnPostgres::start().await, OwnRedis::start().await);
    let directory = tempfile::tempdir().unwrap();
    // Root may write everywhere, but not into a file as if it were a directory
    let media = directory.path().join("media");
    fs::write(&media, "in the way").unwrap();
    let url = format!("file://{}", media.display());
    let mut app = TestApp::start(postgres.url(), redis.url(), &[("STORAGE_URL", &url)]).await;

    let storage_is = async |status: &str| {
        eventually(DEADLINE, status, async || {
            app.get("/health").await.1["checks"]["storage"]["status"] == status
        })
        .await;
    };
    storage_is("unhealthy").await;
    eventually(DEADLINE, "ready", async || app.get("/health/ready").await.0 == 200).await;
    let (status, health) = app.get("/health").await;
    assert_eq!((status, &health["status"]), (200, &"degraded".into()), "{health}");
    assert_eq!(health["checks"]["storage"]["error"], "not writable");

    fs::remove_file(&media).unwrap();
    storage_is("healthy").await;
    assert_eq!(app.get("/health").await.1["status"], "healthy");
    assert_eq!(app.stop().await, Exit::Clean);
}

#[test]
fn a_bucket_ends_the_start_with_a_plain_message() {
    let ended = Command::new(env!("CARGO_BIN_EXE_party-gallery"))
        .env_clear()
        .envs([("APP_ENV", "test"), ("PORT", "0"), ("STORAGE_URL", "s3://photos/party")])
        .output()
        .unwrap();
    let said = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(
        said.contains("STORAGE_URL is not one of a directory") && said.contains("not spoken yet"),
        "{said}"
    );
    assert!(!said.contains("photos/party"), "{said}");
}
