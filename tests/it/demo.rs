//! The demo party, for whoever starts the service to see it.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{
    DEADLINE,
    client::Client,
    newcomer::{Newcomer, REPOSITORY},
    poll::eventually,
};

#[tokio::test]
async fn a_demo_party_has_real_pictures_a_code_and_a_qr_code_and_is_found_again() {
    let newcomer = Newcomer::start("demo").await;
    let shown = newcomer.card().await;
    let drawn = newcomer.lines().iter().filter(|line| line.contains('█')).count();
    assert!(drawn > 15, "a QR code is drawn: {:?}", newcomer.lines());

    let api = format!("http://{}/api/v1", newcomer.address);
    let client = Client::new();
    let joins = json!({ "accessCode": shown["Join code"], "displayName": "Grace" });
    let joined = client.post(format!("{api}/parties/join-by-code")).json(&joins).send().await.unwrap();
    assert_eq!(joined.status(), 201);
    let joined: Value = joined.json().await.unwrap();
    let token = joined["data"]["accessToken"].as_str().unwrap().to_owned();
    assert_eq!(joined["data"]["party"]["id"], shown["Demo party"].as_str());
    assert_eq!(joined["data"]["party"]["status"], "LIVE");
    let gallery = format!("{api}/parties/{}/media", shown["Demo party"]);
    let pictures = async || {
        let page: Value =
            client.get(&gallery).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
        page["data"].as_array().unwrap().len()
    };
    eventually(DEADLINE, "all pictures are READY", async || pictures().await == 5).await;

    let again = newcomer.restart().await;
    let shown_again = again.card().await;
    for what in ["Demo party", "Join code", "Host"] {
        assert_eq!(shown_again[what], shown[what], "{what}");
    }
    let gallery = format!("http://{}/api/v1/parties/{}/media", again.address, shown["Demo party"]);
    let page: Value = client.get(&gallery).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
    assert_eq!(page["data"].as_array().unwrap().len(), 5, "none is brought twice");
    again.stop().await;
}

#[test]
fn a_demo_party_is_for_development_only() {
    let refused = Command::new(env!("CARGO_BIN_EXE_party-gallery"))
        .args(["serve", "--demo", "demo"])
        .current_dir(REPOSITORY)
        .env_clear()
        .envs([
            ("APP_ENV", "production"),
            ("DATABASE_URL", "postgres://127.0.0.1:1/none"),
            ("REDIS_URL", "redis://127.0.0.1:1"),
            ("STORAGE_URL", "file:///nowhere"),
            ("PUBLIC_URL", "https://party.example"),
            ("JWT_SECRET", "only the tests of this house know it"),
        ])
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(64));
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(told.contains("--demo is for development"), "{told}");
}
