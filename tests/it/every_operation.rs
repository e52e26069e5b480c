//! The rights of the whole API, through HTTP: every operation, every sort of caller, every state of a party. Whoever is
//! refused has changed nothing.

mod ground;
mod table;

use std::collections::BTreeSet;

use futures_util::future::join_all;
use party_gallery::http::routes::OPERATIONS;
use reqwest::StatusCode;

use self::{
    ground::Ground,
    table::{BY_CODE, CALLERS, ELSEWHERE, OF_A_PARTY, Row},
};

/// A state of the party: its name, its status, whether it is private, and what makes it so.
type State = (&'static str, &'static str, bool, &'static str);

const STATES: &[State] = &[
    ("draft", "DRAFT", false, ""),
    ("planned", "PLANNED", false, ""),
    ("private planned", "PLANNED", true, ""),
    ("live", "LIVE", false, ""),
    ("private live", "LIVE", true, ""),
    ("ended", "ENDED", false, "ended_at = created_at,"),
    ("private ended", "ENDED", true, "ended_at = created_at,"),
    ("cancelled", "CANCELLED", false, ""),
    // Until the day of its erasure it is as cancelled as others
    ("deleted", "CANCELLED", true, "deleted_at = created_at,"),
];

/// The times are those that are kept, so that it is the same state again.
fn made((_, status, is_private, more): &State) -> String {
    let begun = if matches!(*status, "LIVE" | "ENDED") { "created_at" } else { "NULL" };
    format!(
        "UPDATE parties SET {more} status = '{status}', started_at = {begun}, is_private = {is_private}
         WHERE id = (SELECT party_id FROM media LIMIT 1)"
    )
}

/// What the contract lets each caller hear, in the order of the columns.
fn expected((operation, _, right, when): &Row, (_, status, is_private, _): &State) -> String {
    let is_of_a_party = !right.private.is_empty();
    let columns = if *is_private && is_of_a_party { right.private } else { right.public };
    let columns = columns.chars().filter(|column| *column != ' ');
    let heard = CALLERS.iter().zip(columns).map(|(caller, column)| match column {
        // It exists for its host and cohosts only
        _ if *status == "DRAFT" && is_of_a_party && !matches!(*caller, "host" | "cohost") => '4',
        'Y' if !when(status, caller) => '9',
        column => column,
    });
    let heard: String = heard.collect();
    assert_eq!(heard.len(), CALLERS.len(), "{operation}");
    heard
}

fn class(status: StatusCode) -> char {
    match status.as_u16() {
        200..=299 => 'Y',
        401 => '1',
        403 => '3',
        404 => '4',
        409 => '9',
        _ => '?',
    }
}

/// Goes through the rows in one state. Gives what is not as it should be.
async fn differences(ground: &Ground, state: &State, rows: &[Row]) -> Vec<String> {
    let made = made(state);
    ground.restore(&made).await;
    let before = ground.fingerprint().await;
    let mut differences = Vec::new();
    for row in rows {
        let (operation, body, ..) = row;
        let expected = expected(row, state);
        let is_read = operation.starts_with("GET ");
        let mut heard: Vec<(char, String)> = Vec::new();
        // Those who change nothing come together
        let together = CALLERS.iter().zip(expected.chars()).map(async |(caller, expected)| {
            if expected == 'Y' && !is_read {
                return None;
            }
            let (status, said) = ground.ask(operation, body, caller).await;
            Some((class(status), said))
        });
        let together = join_all(together).await;
        if ground.fingerprint().await != before {
            differences.push(format!("{operation}, {}: who was refused has changed something", state.0));
            ground.restore(&made).await;
        }
        for (caller, answer) in CALLERS.iter().zip(together) {
            heard.push(match answer {
                Some(answer) => answer,
                None => {
                    let (status, said) = ground.ask(operation, body, caller).await;
                    ground.restore(&made).await;
                    (class(status), said)
                }
            });
        }
        for ((caller, expected), (heard, said)) in CALLERS.iter().zip(expected.chars()).zip(heard) {
            if heard != expected {
                let said = said.chars().take(160).collect::<String>();
                differences
                    .push(format!("{operation}, {}, {caller}: {heard}, not {expected}: {said}", state.0));
            }
        }
    }
    differences
}

fn rows() -> impl Iterator<Item = &'static Row> {
    OF_A_PARTY.iter().chain(BY_CODE).chain(ELSEWHERE)
}

/// Method and path, whatever a parameter is called.
fn shape(operation: &str) -> String {
    let mut parts = operation.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |shape, part| shape + "{}" + part.split_once('}').unwrap().1)
}

#[test]
fn every_operation_has_its_row() {
    let rows: BTreeSet<_> = rows().map(|(operation, ..)| shape(operation)).collect();
    let operations: BTreeSet<_> = OPERATIONS
        .iter()
        .map(|operation| shape(&format!("{} {}", operation.method.to_uppercase(), operation.template())))
        .collect();
    let without: Vec<_> = operations.difference(&rows).collect();
    let beyond: Vec<_> = rows.difference(&operations).collect();
    assert!(without.is_empty() && beyond.is_empty(), "no row: {without:#?}; no operation: {beyond:#?}");
}

/// Goes through what is done in a party, in the states of these statuses.
async fn holds(statuses: &[&str]) {
    let ground = Ground::new().await;
    let mut differences = Vec::new();
    for state in STATES.iter().filter(|(_, status, ..)| statuses.contains(status)) {
        let is_draft = state.1 == "DRAFT";
        // Nothing was brought to a draft, and nothing said
        let rows = OF_A_PARTY.iter().chain(BY_CODE).copied().filter(|(operation, body, ..)| {
            let is_below =
                operation.contains("/media/") || format!("{operation}{body}").contains("{message}");
            !(is_draft && is_below)
        });
        differences.extend(self::differences(&ground, state, &rows.collect::<Vec<_>>()).await);
    }
    assert!(differences.is_empty(), "{} differences: {differences:#?}", differences.len());
}

#[tokio::test]
async fn who_may_do_what_before_a_party_begins() {
    holds(&["DRAFT", "PLANNED"]).await;
}

#[tokio::test]
async fn who_may_do_what_while_a_party_goes_on() {
    holds(&["LIVE"]).await;
}

#[tokio::test]
async fn who_may_do_what_after_a_party() {
    holds(&["ENDED"]).await;
}

#[tokio::test]
async fn who_may_do_what_in_a_party_that_will_not_be() {
    holds(&["CANCELLED"]).await;
}

#[tokio::test]
async fn who_may_do_what_without_a_party() {
    let ground = Ground::new().await;
    let live = STATES.iter().find(|(name, ..)| *name == "live").unwrap();
    let differences = differences(&ground, live, ELSEWHERE).await;
    assert!(differences.is_empty(), "{} differences: {differences:#?}", differences.len());
}

#[tokio::test]
async fn a_bad_token_and_what_is_not_there_come_first() {
    let ground = Ground::new().await;
    let liar = ground.liar();
    for (operation, body, ..) in rows() {
        let (status, said) = ground.ask_by(operation, body, Some(&liar)).await;
        assert_eq!(status, 401, "{operation}: {said}");
    }
    ground.restore("DELETE FROM parties WHERE id = (SELECT party_id FROM media LIMIT 1)").await;
    let before = ground.fingerprint().await;
    for (operation, body, ..) in OF_A_PARTY.iter().chain(BY_CODE) {
        let asked = CALLERS.iter().map(async |caller| (caller, ground.ask(operation, body, caller).await));
        for (caller, (status, said)) in join_all(asked).await {
            assert_eq!(status, 404, "{operation} of a party that is gone by {caller}: {said}");
        }
    }
    assert_eq!(ground.fingerprint().await, before);
}
