//! A rule that cannot fail checks nothing: each is shown a house that breaks it.

use std::collections::BTreeMap;

use crate::rules::{
    differences, known_elsewhere, nameless, stray_sql, too_long, unexplained, unwatched, waved_through,
};
use crate::source::Source;
use crate::{ACTORS, BANNED, KNOWN_ONLY_TO, SQL, SQL_ELSEWHERE, SRC, WAVED_THROUGH};

fn house(path: &str, text: &str) -> [Source; 1] {
    [Source::new(path, text)]
}

#[test]
fn an_import_that_goes_up_is_found() {
    let breaks = |path, text| SRC.breaches(&house(path, text));
    assert_eq!(
        breaks("src/http/media.rs", "//! x\nuse crate::db::Db;"),
        ["src/http/media.rs:2: `http` may not use `db`"]
    );
    assert_eq!(breaks("src/domain/party.rs", "use crate::{config, domain::Guest};").len(), 1);
    assert_eq!(breaks("src/domain.rs", "fn f() { crate::config::Config::from_env() }").len(), 1);
    assert_eq!(breaks("src/domain/mod.rs", "pub use super::config::Config;").len(), 1);
    assert_eq!(breaks("src/domain/party.rs", "use super::{super::config, chat};").len(), 1);
    assert_eq!(breaks("src/domain/mod.rs", "use party_gallery_actors::kernel::Handle;").len(), 1);
    assert_eq!(breaks("src/util.rs", "").len(), 1, "a module without a rung");

    assert!(breaks("src/service/mod.rs", "use crate::{db::Db, domain::Party};").is_empty());
    assert!(breaks("src/domain/mod.rs", "// crate::db\nconst A: &str = \"crate::db::Db\";").is_empty());
    assert!(breaks("src/domain/mod.rs", "mod tests {\n    use super::Party;\n}").is_empty());
    assert!(breaks("src/domain/party.rs", "use super::chat::Chat;").is_empty());
}

#[test]
fn an_actor_that_imports_its_neighbour_is_found() {
    let breaks = |path, text| ACTORS.breaches(&house(path, text));
    assert_eq!(breaks("actors/src/health/mod.rs", "use crate::database::Database;").len(), 1);
    assert_eq!(breaks("actors/src/kernel/child.rs", "use crate::breaker::Breaker;").len(), 1);
    assert_eq!(breaks("actors/src/realtime/hub.rs", "use party_gallery::domain::Party;").len(), 1);

    assert!(breaks("actors/src/redis/mod.rs", "use crate::{breaker::Breaker, kernel::Child};").is_empty());
}

#[test]
fn a_crate_in_another_file_than_its_own_is_found() {
    let breaks = |path, text| known_elsewhere(&house(path, text), KNOWN_ONLY_TO).len();
    assert_eq!(breaks("actors/src/redis/mod.rs", "use backoff::ExponentialBackoff;"), 1);
    assert_eq!(breaks("actors/src/redis/mod.rs", "fn f() -> ::backoff::Error { g() }"), 1);
    assert_eq!(breaks("src/http/ws.rs", "use {actix_web_actors::ws, actix_web::web};"), 1);
    assert_eq!(breaks("src/service/mod.rs", "type R = anyhow::Result<()>;"), 1);
    assert_eq!(breaks("src/service/mod.rs", "use anyhow as other;"), 1);
    assert_eq!(breaks("src/http/mod.rs", "use crate::telemetry::{Metrics, root};"), 1);

    assert_eq!(breaks("actors/src/kernel/backoff.rs", "use backoff::ExponentialBackoff;"), 0);
    assert_eq!(breaks("actors/src/kernel/child.rs", "use super::{backoff::Backoff, life::Life};"), 0);
    assert_eq!(breaks("actors/src/kernel/mod.rs", "mod backoff;\npub use backoff::Backoff;"), 0);
    assert_eq!(breaks("src/main.rs", "use party_gallery::telemetry::root;"), 0);
}

#[test]
fn a_test_with_a_client_of_its_own_is_found() {
    let breaks = |path, text| unwatched(&house(path, text), "tests/support/client.rs").len();
    assert_eq!(breaks("tests/it/chat.rs", "use reqwest::{Client, Method};"), 1);
    assert_eq!(breaks("tests/support/scene.rs", "async fn f() { reqwest::get(\"/\").await }"), 1);

    assert_eq!(breaks("tests/it/chat.rs", "use reqwest::{Method, header::HeaderMap};"), 0);
    assert_eq!(breaks("tests/support/client.rs", "struct Client(reqwest::Client);"), 0);
}

#[test]
fn a_file_that_is_too_long_nameless_or_silent_is_found() {
    assert_eq!(too_long(&house("src/a.rs", "//! a\n//! b\n//! c\n"), 2).len(), 1);
    assert_eq!(too_long(&house("src/a.rs", "//! a\n//! b\n"), 2).len(), 0);

    assert_eq!(nameless(&house("src/http/utils.rs", ""), BANNED).len(), 1);
    assert_eq!(nameless(&house("src/common/chat.rs", ""), BANNED).len(), 1);
    assert_eq!(nameless(&house("src/party_manager.rs", ""), BANNED).len(), 1);
    assert_eq!(nameless(&house("src/database.rs", ""), BANNED).len(), 0);

    assert_eq!(unexplained(&house("src/a.rs", "use std::fs;\n//! late")).len(), 1);
    assert_eq!(unexplained(&house("src/a.rs", "//! What it is for.")).len(), 0);
}

#[test]
fn sql_away_from_home_is_found() {
    let breaks = |path, text: &str| {
        stray_sql(&house(path, &format!("fn f() {{ g({text}) }}")), SQL, SQL_ELSEWHERE).len()
    };
    assert_eq!(breaks("src/service/party.rs", r##"r#"SELECT "id" FROM parties"#"##), 1);
    assert_eq!(breaks("src/service/party.rs", r#""select id from parties""#), 1);
    assert_eq!(breaks("src/http/mod.rs", r#""UPDATE parties SET seq = seq + 1""#), 1);
    assert_eq!(breaks("actors/src/database/mod.rs", r#""DELETE FROM parties""#), 1);
    assert_eq!(breaks("actors/src/redis/mod.rs", r#""SELECT 1""#), 1);

    assert_eq!(breaks("src/db/party.rs", r#""SELECT id FROM parties""#), 0);
    assert_eq!(breaks("actors/src/database/mod.rs", r#""SELECT 1""#), 0);
    assert_eq!(breaks("src/http/mod.rs", r#"'"', "DELETE /parties/{id}", "update the party""#), 0);
}

#[test]
fn what_is_waved_through_is_found() {
    let breaks = |path, text| waved_through(&house(path, text), WAVED_THROUGH).len();
    assert_eq!(breaks("src/app.rs", "#[allow(dead_code, reason = \"later\")]\nfn f() {}"), 1);
    assert_eq!(breaks("src/app.rs", "#![allow(\n    missing_docs\n)]"), 1);
    assert_eq!(breaks("src/app.rs", "#[cfg_attr(test, allow(dead_code))]"), 1);
    assert_eq!(breaks("src/app.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}"), 1);
    assert_eq!(breaks("src/app.rs", "#[test]\n#[ignore]\nfn f() {}"), 1);
    assert_eq!(breaks("tests/support/mod.rs", "#![allow(missing_docs)]"), 1);

    assert_eq!(breaks("tests/support/mod.rs", "#![allow(dead_code, reason = \"shared, in part\")]"), 0);
    assert_eq!(breaks("src/app.rs", "#[expect(dead_code, reason = \"not allow(x)\")]\nfn f() {}"), 0);
}

#[test]
fn a_contract_that_was_changed_is_found() {
    let folder = |files: &[(&str, &str)]| -> BTreeMap<String, Vec<u8>> {
        files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
    };
    let theirs = folder(&[("api.md", "a"), ("routes.txt", "b")]);
    assert_eq!(differences(&folder(&[("api.md", "A"), ("routes.txt", "b")]), &theirs).len(), 1);
    assert_eq!(differences(&folder(&[("api.md", "a")]), &theirs).len(), 1, "one is missing");
    assert!(differences(&theirs, &theirs).is_empty());
}
