//! Who is in, who is put out, and who is told of it.

use std::{
    sync::{Arc, Barrier},
    thread,
    time::Instant,
};

use super::client::{CHAT, Client, GALLERY, Got, MemoryLog, Names, TOPIC};
use crate::{
    realtime::{mailbag::Mailbag, relay::Ties, *},
    redis,
};

const ANYONE: Audience = Audience(1);
const TALK: Audience = Audience(4);
const BOTH: Audience = Audience(5);

fn removal(id: u128, from: Audience, close: Option<Close>) -> Option<Removal> {
    Some(Removal { id: Some(id), from, grant: None, close })
}

/// Tells everything that the tail has not told yet.
fn tail(registry: &Registry, log: &MemoryLog) {
    let head = log.head(TOPIC);
    registry.topics.hint(TOPIC, head, Instant::now());
    while let Some((after, goal)) = registry.topics.behind(TOPIC) {
        for event in log.read(TOPIC, after, PAGE) {
            registry.topics.deliver(TOPIC, after, &event, &mut Mailbag::default(), Instant::now());
        }
        registry.topics.reach(TOPIC, after, goal);
    }
}

#[test]
fn who_is_put_out_hears_that_and_nothing_more() {
    let (registry, log) = (Registry::new(Config::default()), MemoryLog::default());
    let mut clients = [1, 1, 2].map(|subject| Client::connect(&registry, subject));
    clients[0].enter(TOPIC, GALLERY, BOTH, 0, None);
    clients[1].enter(TOPIC, CHAT, TALK, 0, None);
    clients[2].enter(TOPIC, GALLERY, BOTH, 0, None);
    log.append_with(TOPIC, BOTH, removal(1, BOTH, Some(Close::new(4010, "removed"))), 0);
    log.append(TOPIC, BOTH);
    tail(&registry, &log);
    clients.iter_mut().for_each(|client| client.take(usize::MAX));
    assert_eq!(clients.each_ref().map(Client::events), [vec![1], vec![1], vec![1, 2]]);
    assert_eq!(
        clients.each_ref().map(|client| client.close.map(|close| close.code)),
        [Some(4010), Some(4010), None]
    );
    assert!(clients[0].rooms().is_empty());
}

#[test]
fn who_loses_a_part_keeps_the_rest() {
    let (registry, log) = (Registry::new(Config::default()), MemoryLog::default());
    let mut client = Client::connect(&registry, 1);
    client.enter(TOPIC, GALLERY, BOTH, 0, None);
    client.enter(TOPIC, CHAT, TALK, 0, None);
    log.append_with(TOPIC, ANYONE, removal(1, TALK, None), 0);
    log.append(TOPIC, TALK);
    log.append(TOPIC, ANYONE);
    tail(&registry, &log);
    client.take(usize::MAX);
    assert_eq!(client.events(), [1, 3]);
    assert_eq!(client.rooms(), [(TOPIC, GALLERY)]);
}

/// However the two fall together, the session is in or out, and leaves nothing behind when it ends.
#[test]
fn who_comes_in_again_while_being_put_out_is_no_ghost() {
    let (registry, log) = (Registry::new(Config::default()), MemoryLog::default());
    let start = Barrier::new(2);
    for seq in 1..=2000 {
        let client = Client::connect(&registry, 1);
        client.enter(TOPIC, GALLERY, BOTH, seq - 1, None);
        log.append_with(TOPIC, BOTH, removal(1, BOTH, None), 0);
        let form = client.form(TOPIC, GALLERY, BOTH, seq, None);
        thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                tail(&registry, &log);
            });
            start.wait();
            registry.topics.join(client.entry(), form, Instant::now());
        });
        drop(client);
        assert!(registry.topics.cursors().is_empty(), "a ghost after {seq} rounds");
    }
}

#[test]
fn a_removal_of_everybody_leaves_those_who_hear_more() {
    let (registry, log) = (Registry::new(Config::default()), MemoryLog::default());
    let mut clients = [1, 2].map(|subject| Client::connect(&registry, subject));
    clients[0].enter(TOPIC, GALLERY, ANYONE, 0, None);
    clients[1].enter(TOPIC, GALLERY, BOTH, 0, None);
    log.append_with(TOPIC, TALK, Some(Removal { id: None, from: ANYONE, grant: None, close: None }), 0);
    log.append(TOPIC, BOTH);
    tail(&registry, &log);
    clients.iter_mut().for_each(|client| client.take(usize::MAX));
    assert_eq!(clients.each_ref().map(Client::events), [vec![], vec![1, 2]]);
    assert!(clients[0].rooms().is_empty());
}

#[test]
fn who_may_hear_more_by_now_hears_it_and_is_not_put_out_with_those_who_do_not() {
    let (registry, log) = (Registry::new(Config::default()), MemoryLog::default());
    let mut clients = [1, 2].map(|subject| Client::connect(&registry, subject));
    for client in &clients {
        client.enter(TOPIC, GALLERY, ANYONE, 0, None);
        client.enter(TOPIC, CHAT, Audience(8), 0, None);
    }
    let grant = Some(Grant { whom: ANYONE, to: TALK });
    let moved = Removal { id: Some(1), from: Audience::default(), grant, close: None };
    log.append_with(TOPIC, ANYONE, Some(moved), 0);
    log.append(TOPIC, TALK);
    log.append_with(TOPIC, TALK, Some(Removal { id: None, from: ANYONE, grant: None, close: None }), 0);
    log.append(TOPIC, BOTH);
    log.append(TOPIC, Audience(8));
    tail(&registry, &log);
    clients.iter_mut().for_each(|client| client.take(usize::MAX));
    assert_eq!(clients.each_ref().map(Client::events), [vec![1, 2, 3, 4, 5], vec![1, 5]]);
    assert_eq!(clients.each_ref().map(|client| client.rooms().len()), [2, 1]);
}

#[test]
fn who_came_in_again_after_a_removal_may_read_of_it() {
    let (registry, log) = (Registry::new(Config::default()), MemoryLog::default());
    log.append_with(TOPIC, BOTH, removal(1, BOTH, None), 0);
    log.append(TOPIC, BOTH);
    let mut client = Client::connect(&registry, 1);
    client.enter(TOPIC, GALLERY, BOTH, 2, Some(0));
    let page = log.read(TOPIC, 0, PAGE);
    client.serve(TOPIC, &page);
    client.take(usize::MAX);
    assert_eq!(client.events(), [1, 2]);
    // One that was let in before a removal is put out by it, also while it still reads
    let mut late = Client::connect(&registry, 1);
    late.enter(TOPIC, GALLERY, BOTH, 0, None);
    late.serve(TOPIC, &page);
    late.take(usize::MAX);
    assert_eq!((late.events(), late.welcomes()), (vec![], vec![Joined::Removed]));
}

#[test]
fn a_join_that_is_not_through_is_answered_when_it_is_given_up() {
    let (registry, log) = (Registry::new(Config::default()), MemoryLog::default());
    (0..9).for_each(|_| _ = log.append(TOPIC, BOTH));
    let mut client = Client::connect(&registry, 1);
    client.enter(TOPIC, GALLERY, BOTH, 9, Some(3));
    client.enter(TOPIC, GALLERY, BOTH, 9, Some(5));
    registry.topics.leave(client.entry(), TOPIC, GALLERY, Instant::now());
    client.take(usize::MAX);
    assert_eq!(client.got, [Got::Welcome(Joined::Left), Got::Welcome(Joined::Left)]);
    assert!(registry.topics.cursors().is_empty(), "an empty topic is let go");
}

#[test]
fn a_session_is_in_as_many_rooms_as_it_may_be() {
    let config = Config { rooms_per_session: 3, ..Config::default() };
    let registry = Registry::new(config);
    let mut client = Client::connect(&registry, 1);
    for (topic, room) in [(1, GALLERY), (1, CHAT), (2, GALLERY), (2, CHAT), (1, CHAT)] {
        client.enter(Topic(topic), room, BOTH, 0, None);
    }
    registry.topics.leave(client.entry(), Topic(1), CHAT, Instant::now());
    client.enter(Topic(2), CHAT, BOTH, 0, None);
    client.take(usize::MAX);
    let live = Joined::Live { seq: 0, replayed: 0, present: 0 };
    assert_eq!(client.welcomes(), [live, live, live, Joined::TooMany, live, live]);
    drop(client);
    assert!(registry.topics.cursors().is_empty(), "a session that ends is in nothing");
}

#[test]
fn what_the_log_keeps_no_longer_is_told() {
    let (registry, log) = (Registry::new(Config::default()), MemoryLog::default());
    (0..9).for_each(|_| _ = log.append(TOPIC, BOTH));
    for (page, since) in [(log.read(TOPIC, 5, PAGE), 3), (Vec::new(), 3)] {
        let mut client = Client::connect(&registry, 1);
        // The tail has come further
        let witness = Client::connect(&registry, 2);
        witness.enter(TOPIC, GALLERY, BOTH, 9, None);
        client.enter(TOPIC, GALLERY, BOTH, 9, Some(since));
        client.serve(TOPIC, &page);
        client.take(usize::MAX);
        assert_eq!(client.got, [Got::Welcome(Joined::Expired)]);
    }
    // The tail cannot leave anything out either: its members come back and resume
    let mut client = Client::connect(&registry, 1);
    client.enter(TOPIC, GALLERY, BOTH, 3, None);
    registry.topics.deliver(TOPIC, 3, &log.read(TOPIC, 5, 1)[0], &mut Mailbag::default(), Instant::now());
    client.take(usize::MAX);
    assert_eq!((client.events(), client.close), (vec![], Some(Close::TOO_SLOW)));
}

#[test]
fn what_the_log_keeps_no_longer_for_one_room_costs_no_other() {
    for page in [5, 9] {
        let (registry, log) = (Registry::new(Config::default()), MemoryLog::default());
        (0..9).for_each(|_| _ = log.append(TOPIC, BOTH));
        let mut client = Client::connect(&registry, 1);
        client.enter(TOPIC, CHAT, TALK, 9, Some(9));
        client.enter(TOPIC, GALLERY, ANYONE, 9, Some(3));
        client.serve(TOPIC, &log.read(TOPIC, page, PAGE));
        assert_eq!(client.rooms(), [(TOPIC, CHAT)]);
        log.append(TOPIC, BOTH);
        tail(&registry, &log);
        client.take(usize::MAX);
        assert!(matches!(client.welcomes()[..], [Joined::Live { .. }, Joined::Expired]), "{:?}", client.got);
        assert_eq!((client.events(), client.close), (vec![10], None));
    }
}

#[test]
fn a_room_that_is_in_already_and_lacks_what_is_kept_no_longer_comes_back() {
    let (registry, log) = (Registry::new(Config::default()), MemoryLog::default());
    (0..9).for_each(|_| _ = log.append(TOPIC, BOTH));
    let mut client = Client::connect(&registry, 1);
    client.enter(TOPIC, CHAT, TALK, 3, Some(3));
    client.enter(TOPIC, GALLERY, ANYONE, 9, Some(9));
    client.serve(TOPIC, &log.read(TOPIC, 5, PAGE));
    client.take(usize::MAX);
    assert_eq!((client.events(), client.close), (vec![], Some(Close::TOO_SLOW)));
}

#[test]
fn a_read_that_found_nothing_new_is_not_told_for_a_loss_when_there_is_by_now() {
    let (registry, log) = (Registry::new(Config::default()), MemoryLog::default());
    let page = i64::try_from(PAGE).unwrap();
    (0..page).for_each(|_| _ = log.append(TOPIC, BOTH));
    let mut client = Client::connect(&registry, 1);
    client.enter(TOPIC, GALLERY, BOTH, page, Some(0));
    client.serve(TOPIC, &log.read(TOPIC, 0, PAGE));
    let lack = registry.topics.lacks(TOPIC, client.entry().id()).unwrap();
    let nothing = log.read(TOPIC, lack.after, PAGE);
    log.append(TOPIC, BOTH);
    tail(&registry, &log);
    registry.topics.advance(TOPIC, client.entry().id(), lack, &nothing, Instant::now());
    client.serve(TOPIC, &log.read(TOPIC, lack.after, PAGE));
    client.take(usize::MAX);
    assert_eq!(client.events(), (1..=page + 1).collect::<Vec<_>>());
    assert!(matches!(client.got.last(), Some(Got::Welcome(Joined::Live { .. }))));
}

#[test]
fn a_log_that_has_lost_its_last_events_sends_everybody_back() {
    let (registry, log) = (Registry::new(Config::default()), MemoryLog::default());
    let mut client = Client::connect(&registry, 1);
    client.enter(TOPIC, GALLERY, BOTH, 0, None);
    let before = registry.topics.cursors();
    (0..5).for_each(|_| _ = log.append(TOPIC, BOTH));
    tail(&registry, &log);
    // The question was older than what it is compared with
    let heads = Heads { epoch: 1, last: vec![(TOPIC, 3)] };
    registry.topics.reconcile(&[TOPIC], &heads, &before, Instant::now());
    client.take(usize::MAX);
    assert_eq!(client.close, None);
    registry.topics.reconcile(&[TOPIC], &heads, &registry.topics.cursors(), Instant::now());
    client.take(usize::MAX);
    assert_eq!((client.events().len(), client.close), (5, Some(Close::RESTARTING)));
    assert_eq!(client.words(), ["come back"], "each at another time");
}

#[test]
fn another_line_of_history_sends_everybody_back_whatever_its_numbers() {
    let (registry, other) = (Registry::new(Config::default()), Topic(8));
    let mut clients = [1, 2].map(|subject| Client::connect(&registry, subject));
    clients[0].enter(TOPIC, GALLERY, BOTH, 0, None);
    clients[1].enter(other, GALLERY, BOTH, 0, None);
    for (epoch, close) in [(1, None), (1, None), (2, Some(Close::RESTARTING))] {
        let heads = Heads { epoch, last: vec![(TOPIC, 0)] };
        registry.topics.reconcile(&[TOPIC], &heads, &registry.topics.cursors(), Instant::now());
        clients.iter_mut().for_each(|client| client.take(usize::MAX));
        assert_eq!(clients.each_ref().map(|client| client.close), [close; 2]);
    }
    assert!(clients.iter().all(|client| client.words() == ["come back"]));
}

#[test]
fn another_line_of_history_than_somebody_was_let_in_on_sends_them_back() {
    for (told, close) in [(1, None), (2, Some(Close::RESTARTING))] {
        let registry = Registry::new(Config::default());
        let mut client = Client::connect(&registry, 1);
        client.join(Join { epoch: Some(1), ..client.form(TOPIC, GALLERY, BOTH, 0, None) });
        let heads = Heads { epoch: told, last: vec![(TOPIC, 0)] };
        registry.topics.reconcile(&[TOPIC], &heads, &registry.topics.cursors(), Instant::now());
        client.take(usize::MAX);
        assert_eq!(client.close, close);
    }
}

#[test]
fn a_topic_that_is_gone_keeps_nobody() {
    let (registry, other) = (Registry::new(Config::default()), Topic(8));
    let mut client = Client::connect(&registry, 1);
    client.enter(TOPIC, GALLERY, BOTH, 0, None);
    client.enter(TOPIC, CHAT, TALK, 0, Some(0));
    client.enter(other, GALLERY, BOTH, 0, None);
    let heads = Heads { epoch: 1, last: vec![(other, 0)] };
    registry.topics.reconcile(&[TOPIC, other], &heads, &registry.topics.cursors(), Instant::now());
    client.take(usize::MAX);
    assert_eq!((client.rooms(), client.close), (vec![(other, GALLERY)], None));
    assert_eq!(registry.topics.cursors().len(), 1, "it is let go");
}

/// All leave while the tail reads, and somebody comes who was let in before what was told already.
#[test]
fn what_was_read_for_those_who_have_left_breaks_nobody_off() {
    let (registry, log) = (Registry::new(Config::default()), MemoryLog::default());
    (0..10).for_each(|_| _ = log.append(TOPIC, BOTH));
    let first = Client::connect(&registry, 1);
    first.enter(TOPIC, GALLERY, BOTH, 10, None);
    log.append(TOPIC, BOTH);
    let (after, goal) = registry.topics.behind(TOPIC).unwrap();
    let page = log.read(TOPIC, after, PAGE);
    drop(first);
    let mut second = Client::connect(&registry, 2);
    second.enter(TOPIC, GALLERY, BOTH, 8, None);
    registry.topics.deliver(TOPIC, after, &page[0], &mut Mailbag::default(), Instant::now());
    registry.topics.reach(TOPIC, after, goal);
    tail(&registry, &log);
    second.take(usize::MAX);
    assert_eq!((second.events(), second.close), (vec![9, 10, 11], None));
}

#[test]
fn a_hint_of_what_was_never_logged_is_forgotten() {
    let (registry, log) = (Registry::new(Config::default()), MemoryLog::default());
    let client = Client::connect(&registry, 1);
    client.enter(TOPIC, GALLERY, BOTH, 0, None);
    registry.topics.hint(TOPIC, 1_000_000, Instant::now());
    tail(&registry, &log);
    assert_eq!(registry.topics.behind(TOPIC), None);
}

/// Whoever comes and goes at the same time: each count differs from the one before by one.
#[test]
fn who_came_and_who_went_is_told_in_the_order_in_which_they_did() {
    for _ in 0..20 {
        let registry = Registry::new(Config::default());
        let (redis, _child) = redis::build(&redis::Config::new("redis://127.0.0.1:1"), None).unwrap();
        registry.topics.tie(Ties { redis, voice: Arc::new(Names), pod: 1 });
        let mut witness = Client::connect(&registry, 1);
        witness.enter(TOPIC, GALLERY, BOTH, 0, None);
        let (start, registry) = (Barrier::new(3), &registry);
        thread::scope(|scope| {
            for subject in 2..5 {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    for _ in 0..100 {
                        let client = Client::connect(registry, subject);
                        client.join(client.form(TOPIC, GALLERY, BOTH, 0, None));
                    }
                });
            }
        });
        witness.take(usize::MAX);
        let counts: Vec<i64> = witness
            .words()
            .iter()
            .map(|word| word.rsplit_once(' ').unwrap().1.parse::<i64>().unwrap())
            .collect();
        assert_eq!(counts.len(), 600);
        assert!(counts.windows(2).all(|pair| (pair[0] - pair[1]).abs() == 1), "{counts:?}");
    }
}

#[test]
fn what_is_not_logged_reaches_who_hears_it_but_for_whom_it_is_about() {
    let registry = Registry::new(Config::default());
    let mut clients = [1, 2, 3].map(|subject| Client::connect(&registry, subject));
    clients[0].enter(TOPIC, CHAT, TALK, 0, None);
    clients[1].enter(TOPIC, CHAT, TALK, 0, None);
    clients[2].enter(TOPIC, GALLERY, ANYONE, 0, None);
    let (about, frame) = (Some(Subject { kind: 0, id: 1 }), Frame::text("typing"));
    registry.topics.with(TOPIC, |stream| stream.say(TALK, &frame, about, Instant::now()));
    clients.iter_mut().for_each(|client| client.take(usize::MAX));
    assert_eq!(clients.each_ref().map(|client| client.words().len()), [0, 1, 0]);
}

/// What it has heard in one room it does not hear again in another that lacks it.
#[test]
fn who_comes_back_in_the_middle_of_a_replay_hears_nothing_twice() {
    let (registry, log) = (Registry::new(Config::default()), MemoryLog::default());
    for seq in 1..=10 {
        log.append(TOPIC, if seq % 2 == 0 { ANYONE } else { TALK });
    }
    let mut client = Client::connect(&registry, 1);
    client.enter(TOPIC, GALLERY, BOTH, 10, Some(4));
    let chat = client.form(TOPIC, CHAT, TALK, 10, Some(8));
    client.join(Join { face: None, heard_after: Some(0), ..chat });
    client.serve(TOPIC, &log.read(TOPIC, 4, PAGE));
    client.take(usize::MAX);
    assert_eq!(client.events(), [6, 8, 9, 10]);
}
