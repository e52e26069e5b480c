//! A gallery is read page by page while it grows and shrinks.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::json;
use tokio::join;
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    app::TestApp,
    house::UNHURRIED,
    poll::eventually,
    servers::fresh_redis,
    stage::{Somebody, Stage, ask, stop},
};

const BEFORE: usize = 300;
const ADDED: usize = 500;
const REMOVED: usize = 50;
/// So many rounds are the additions spread over, in each of which both walks take a page.
const ROUNDS: usize = 25;

/// Somebody who reads a gallery from one end to the other.
struct Walk<'a> {
    app: &'a TestApp,
    who: &'a Somebody,
    list: String,
    cursor: String,
    seen: Vec<Uuid>,
    is_over: bool,
}

impl<'a> Walk<'a> {
    fn new(app: &'a TestApp, who: &'a Somebody, party: Uuid, query: &str) -> Self {
        let list = format!("/api/v1/parties/{party}/media?{query}");
        Self { app, who, list, cursor: String::new(), seen: Vec::new(), is_over: false }
    }

    async fn go_on(&mut self) {
        if self.is_over {
            return;
        }
        let path = format!("{}{}", self.list, self.cursor);
        let page = eventually(DEADLINE, "a page", async || {
            let page = ask(self.app, Some(self.who), Method::GET, &path, &[], None).await;
            assert!(matches!(page.status, 200 | 503), "{page:?}");
            (page.status == 200).then_some(page.body)
        })
        .await;
        let ids = page["data"].as_array().unwrap().iter();
        self.seen.extend(ids.map(|media| media["id"].as_str().unwrap().parse::<Uuid>().unwrap()));
        let next = page["meta"]["nextCursor"].as_str();
        assert_eq!(page["meta"]["hasMore"], json!(next.is_some()));
        self.is_over = next.is_none();
        self.cursor = next.map(|next| format!("&cursor={next}")).unwrap_or_default();
    }

    /// How often each came.
    fn counts(&self) -> BTreeMap<Uuid, usize> {
        let mut counts = BTreeMap::new();
        for id in &self.seen {
            *counts.entry(*id).or_default() += 1;
        }
        counts
    }
}

#[tokio::test]
async fn none_comes_twice_and_none_is_missing_while_five_hundred_are_added_and_fifty_removed() {
    let stage = Stage::new().await;
    let redis = fresh_redis().await;
    let pods = [stage.pod_with(&redis, &UNHURRIED).await, stage.pod_with(&redis, &UNHURRIED).await];
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", false).await;
    let guest = stage.guest(party).await;
    let add = |count| stream::iter(0..count).map(|_| stage.shown(party, &guest)).buffer_unordered(6);
    let old: Vec<Uuid> = add(BEFORE).collect().await;
    let removed: Vec<Uuid> = old.iter().step_by(BEFORE / REMOVED).copied().collect();
    assert_eq!(removed.len(), REMOVED);
    let remove = async |media: &Uuid| {
        eventually(DEADLINE, "it is deleted", async || {
            let path = format!("/api/v1/media/{media}");
            let reply = ask(&pods[1], Some(&host), Method::DELETE, &path, &[], None).await;
            assert!(matches!(reply.status, 204 | 503), "{reply:?}");
            reply.status == 204
        })
        .await;
    };

    let mut newest = Walk::new(&pods[0], &guest, party, &format!("limit={}", BEFORE / ROUNDS));
    let mut oldest = Walk::new(&pods[1], &host, party, "sort=oldest&limit=25");
    let mut new = Vec::new();
    for gone in removed.chunks(REMOVED / ROUNDS) {
        let (more, ..) = join!(
            add(ADDED / ROUNDS).collect::<Vec<Uuid>>(),
            newest.go_on(),
            oldest.go_on(),
            stream::iter(gone).for_each_concurrent(None, remove),
        );
        new.extend(more);
    }
    while !(newest.is_over && oldest.is_over) {
        join!(newest.go_on(), oldest.go_on());
    }

    let gone: BTreeSet<_> = removed.into_iter().collect();
    for (name, walk, all) in
        [("newest", &newest, old.clone()), ("oldest", &oldest, [&old[..], &new[..]].concat())]
    {
        let counts = walk.counts();
        let twice: Vec<_> = counts.iter().filter(|(_, count)| **count > 1).collect();
        assert!(twice.is_empty(), "{name}: {twice:?}");
        let stayed = all.iter().filter(|id| !gone.contains(*id));
        let missing: Vec<_> = stayed.filter(|id| !counts.contains_key(*id)).collect();
        assert!(missing.is_empty(), "{name}: {} are missing", missing.len());
    }
    assert_eq!(new.len(), ADDED);
    let counted = "SELECT media_count::bigint FROM parties WHERE id = $1";
    assert_eq!(stage.number(counted, party).await, i64::try_from(BEFORE + ADDED - REMOVED).unwrap());
    for pod in pods {
        stop(pod).await;
    }
}
