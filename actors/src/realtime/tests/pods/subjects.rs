//! What is said to all sessions of a subject, and how they end: on two pods over a real Redis that is killed.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::{Client, Cluster, MemoryLog, Pod, Register, Server, until};
use crate::realtime::*;

const NEVER: Duration = Duration::from_secs(3600);

fn subject(id: u128) -> Subject {
    Subject { kind: 0, id }
}

/// Two pods that ask `register` about all sessions every `judge_every`.
async fn pods(server: &Server, register: &Arc<Register>, judge_every: Duration) -> [Pod; 2] {
    let log = Arc::new(MemoryLog::default());
    let config = Config { judge_every, ..Config::default() };
    let redis = crate::redis::Config::new(server.url());
    let start = |number| Pod::start_with(&redis, &log, Arc::clone(register), number, config);
    [start(1).await, start(2).await]
}

async fn stop(pods: [Pod; 2]) {
    for pod in pods {
        pod.stop().await;
    }
}

fn has_heard(word: &str) -> impl Fn(&[&mut Client]) -> bool {
    move |clients| clients.iter().all(|client| client.words().last().is_some_and(|last| last == word))
}

fn is_closed(clients: &[&mut Client]) -> bool {
    clients.iter().all(|client| client.close.is_some())
}

#[tokio::test]
async fn what_is_told_a_subject_reaches_all_its_sessions_once_and_no_other() {
    let server = Server::running().await;
    let [a, b] = pods(&server, &Arc::default(), NEVER).await;
    let mut hers = [&a, &a, &b].map(|pod| Client::connect(&pod.registry, 1));
    let [one, two, three] = &mut hers;
    let (mut his, mut other) = (Client::connect(&b.registry, 2), Client::connect(&b.registry, 3));
    a.redis.settled().await.unwrap();
    b.redis.settled().await.unwrap();
    for word in ["one", "two"] {
        a.registry.announcer().tell_many(vec![(subject(1), Frame::text(word))]).await;
    }
    let told = [(subject(1), "three"), (subject(2), "his"), (subject(9), "nobody's")];
    let told = told.map(|(subject, word)| (subject, Frame::text(word)));
    until("both words arrive", &mut [one, two, three], has_heard("two")).await;
    a.registry.announcer().tell_many(told.into()).await;
    until("the third arrives", &mut [one, two, three], has_heard("three")).await;
    until("his arrives", &mut [&mut his], has_heard("his")).await;
    // What pods hear of themselves has come back before what follows it
    b.registry.announcer().tell_many(vec![(subject(1), Frame::text("four"))]).await;
    until("the last arrives", &mut [one, two, three], has_heard("four")).await;
    for client in hers {
        assert_eq!(client.words(), ["one", "two", "three", "four"]);
    }
    other.take(usize::MAX);
    assert_eq!((his.words(), other.words()), (vec!["his".to_owned()], vec![]));
    stop([a, b]).await;
}

#[tokio::test]
async fn on_a_cluster_who_has_sessions_is_known_and_told_on_all_pods_as_well() {
    const CROWD: u128 = 40;
    let (cluster, log) = (Cluster::running().await, Arc::new(MemoryLog::default()));
    let mut redis = crate::redis::Config::at(crate::redis::Place::Cluster(cluster.urls()));
    // With time for a machine that is busy with all the nodes
    redis.command_deadline = Duration::from_secs(5);
    let start = |number| Pod::start_with(&redis, &log, Arc::default(), number, Config::default());
    let (a, b) = (start(1).await, start(2).await);
    // Of all slots, most likely
    let mut crowd: Vec<Client> = (0..CROWD).map(|id| Client::connect(&b.registry, id)).collect();
    b.redis.settled().await.unwrap();
    let asked: Vec<Subject> = (0..2 * CROWD).map(subject).collect();
    let present = a.registry.announcer().present(&asked).await;
    assert_eq!(present, (0..CROWD).map(subject).collect());
    let told = (0..CROWD).map(|id| (subject(id), Frame::text(format!("for {id}"))));
    a.registry.announcer().tell_many(told.collect()).await;
    let mut clients: Vec<&mut Client> = crowd.iter_mut().collect();
    let have_heard = |clients: &[&mut Client]| clients.iter().all(|client| !client.words().is_empty());
    until("all have heard", &mut clients, have_heard).await;
    for (id, client) in crowd.iter().enumerate() {
        assert_eq!(client.words(), [format!("for {id}")]);
    }
    stop([a, b]).await;
}

#[tokio::test]
async fn who_has_sessions_is_known_on_all_pods_and_without_redis_on_their_own() {
    let mut server = Server::running().await;
    let [a, b] = pods(&server, &Arc::default(), NEVER).await;
    let (one, two) = (Client::connect(&a.registry, 1), Client::connect(&b.registry, 2));
    let again = Client::connect(&b.registry, 2);
    a.redis.settled().await.unwrap();
    b.redis.settled().await.unwrap();
    // More than are asked about at once
    let crowd: Vec<Subject> = (0..2500).map(subject).collect();
    let announcer = a.registry.announcer();
    assert_eq!(announcer.present(&crowd).await, [subject(1), subject(2)].into());
    drop(two);
    b.redis.settled().await.unwrap();
    assert!(announcer.present(&crowd).await.contains(&subject(2)), "one is left");
    drop(again);
    b.redis.settled().await.unwrap();
    assert_eq!(announcer.present(&crowd).await, [subject(1)].into());
    server.kill();
    assert_eq!(announcer.present(&crowd).await, [subject(1)].into());
    drop(one);
    assert_eq!(announcer.present(&crowd).await, [].into());
    stop([a, b]).await;
}

#[tokio::test]
async fn sessions_that_are_over_end_at_a_hint_on_all_pods() {
    let server = Server::running().await;
    let register = Arc::<Register>::default();
    // Only hints can end them
    let [a, b] = pods(&server, &register, NEVER).await;
    let mut ended = [&a, &b].map(|pod| Client::connect_by(&pod.registry, 1, Some(7)));
    let mut kept = [&a, &b].map(|pod| Client::connect_by(&pod.registry, 1, Some(8)));
    a.redis.settled().await.unwrap();
    b.redis.settled().await.unwrap();
    register.strike(1, Some(7), Close::UNAUTHENTICATED);
    a.registry.announcer().doubt(subject(1));
    let [one, two] = &mut ended;
    until("they are closed", &mut [one, two], is_closed).await;
    register.strike(1, Some(8), Close::REMOVED);
    kept.iter_mut().for_each(|client| client.take(usize::MAX));
    assert!(kept.iter().all(|client| client.close.is_none()), "another sign-in of the same");
    b.registry.announcer().doubt(subject(1));
    let [three, four] = &mut kept;
    until("these are closed as well", &mut [three, four], is_closed).await;
    assert!(ended.iter().all(|client| client.close == Some(Close::UNAUTHENTICATED)));
    assert!(kept.iter().all(|client| client.close == Some(Close::REMOVED)));
    assert_eq!([&a, &b].map(|pod| pod.registry.counts().revoked), [2, 2]);
    stop([a, b]).await;
}

#[tokio::test]
async fn without_redis_and_after_a_failed_question_they_end_within_two_seconds() {
    let mut server = Server::running().await;
    let register = Arc::<Register>::default();
    let [a, b] = pods(&server, &register, Config::default().judge_every).await;
    let mut clients = [&a, &b].map(|pod| Client::connect_by(&pod.registry, 1, Some(7)));
    let mut bystander = Client::connect_by(&b.registry, 2, Some(7));
    server.kill();
    register.is_away.store(true, Ordering::Relaxed);
    register.strike(1, Some(7), Close::REMOVED);
    a.registry.announcer().doubt(subject(1));
    let mut others = [&a, &b].map(|pod| Client::connect_by(&pod.registry, 3, Some(7)));
    let before = b.registry.counts().unreadable;
    let [one, two] = &mut clients;
    until("the question fails", &mut [one, two], |_| b.registry.counts().unreadable > before).await;
    assert!(!is_closed(&[one, two]));
    register.is_away.store(false, Ordering::Relaxed);
    let took = until("they are closed", &mut [one, two], is_closed).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    bystander.take(usize::MAX);
    assert_eq!(bystander.close, None);
    others.iter_mut().for_each(|client| client.take(usize::MAX));
    assert!(others.iter().all(|client| client.close.is_none()));
    stop([a, b]).await;
}

#[tokio::test]
async fn a_question_is_about_at_most_five_hundred() {
    let server = Server::running().await;
    let register = Arc::<Register>::default();
    let [a, b] = pods(&server, &register, Duration::from_millis(100)).await;
    let mut crowd: Vec<Client> = (0..1201).map(|id| Client::connect_by(&a.registry, id, Some(7))).collect();
    register.strike(0, Some(7), Close::REMOVED);
    register.strike(1200, Some(7), Close::REMOVED);
    let (first, rest) = crowd.split_first_mut().unwrap();
    let last = rest.last_mut().unwrap();
    until("both ends are closed", &mut [first, last], is_closed).await;
    let most = register.questions.lock().iter().copied().max();
    assert_eq!(most, Some(QUESTION));
    stop([a, b]).await;
}
