//! Crowds by a clock that is made.

use super::*;

fn subject(id: u128) -> Subject {
    Subject { kind: 0, id }
}

fn face(id: u128) -> Bytes {
    Bytes::from(id.to_string())
}

/// Those people with their faces.
fn named(ids: &[u128]) -> People {
    ids.iter().map(|id| (subject(*id), Some(face(*id)))).collect()
}

/// Those people without.
fn unnamed(ids: impl IntoIterator<Item = u128>) -> People {
    ids.into_iter().map(|id| (subject(id), None)).collect()
}

/// What is told: `+1 3` somebody came, `-1 2` somebody went, `!1` and `.1` somebody shows their sign and no more.
fn words(changes: impl IntoIterator<Item = Change>) -> Vec<String> {
    let word = |Change { subject, face: shown, what }: Change| {
        assert_eq!(shown, face(subject.id));
        match what {
            What::Came(count) => format!("+{} {count}", subject.id),
            What::Went(count) => format!("-{} {count}", subject.id),
            What::Shows(true) => format!("!{}", subject.id),
            What::Shows(false) => format!(".{}", subject.id),
        }
    };
    let mut words: Vec<_> = changes.into_iter().map(word).collect();
    words.sort();
    words
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn enter(crowd: &mut Crowd, id: u128) -> Vec<String> {
    words(crowd.enter(subject(id), face(id)))
}

fn leave(crowd: &mut Crowd, id: u128) -> Vec<String> {
    words(crowd.leave(subject(id)))
}

#[test]
fn somebody_counts_once_however_many_sockets_and_pods() {
    let now = Instant::now();
    let mut crowd = Crowd::new(now);
    let nothing = Vec::<String>::new();
    assert_eq!(enter(&mut crowd, 1), ["+1 1"]);
    assert_eq!(enter(&mut crowd, 1), nothing, "a second socket");
    assert_eq!(words(crowd.hear(7, named(&[1, 2]), true, now)), ["+2 2"]);
    assert_eq!(words(crowd.hear(8, named(&[2, 3]), true, now)), ["+3 3"]);
    assert_eq!(enter(&mut crowd, 2), nothing, "somebody from another pod");
    assert_eq!(leave(&mut crowd, 1), nothing);
    assert_eq!(leave(&mut crowd, 1), nothing, "still on pod 7");
    assert_eq!(crowd.count(), 3);
    assert_eq!(words(crowd.hear(7, named(&[]), true, now)), ["-1 2"]);
    assert_eq!(words(crowd.hear(8, named(&[2]), true, now)), ["-3 1"]);
    assert_eq!(leave(&mut crowd, 2), nothing);
    assert_eq!(words(crowd.hear(8, named(&[]), true, now)), ["-2 0"]);
    assert_eq!(leave(&mut crowd, 9), nothing, "who was never there");
}

#[test]
fn a_pod_that_is_silent_for_30_s_leaves_no_ghosts() {
    let now = Instant::now();
    let mut crowd = Crowd::new(now);
    enter(&mut crowd, 3);
    crowd.hear(7, named(&[1, 2, 3]), true, now);
    crowd.hear(8, named(&[2]), true, now + seconds(1));
    assert_eq!(crowd.beat(now + seconds(29)), (Vec::new(), None));
    let (changes, count) = crowd.beat(now + seconds(30));
    assert_eq!((words(changes), count), (vec!["-1 2".to_owned()], None));
    let (changes, _) = crowd.beat(now + seconds(31));
    assert_eq!(words(changes), ["-2 1"]);
    // Its people are back when it is heard again, which may be a telling that repeats itself
    assert_eq!(words(crowd.hear(7, named(&[1, 3]), false, now + seconds(32))), ["+1 2"]);
}

#[test]
fn who_was_there_before_is_counted_and_not_announced() {
    let now = Instant::now();
    let mut crowd = Crowd::new(now);
    enter(&mut crowd, 1);
    assert_eq!(words(crowd.hear(7, named(&[2, 3]), false, now + seconds(1))), Vec::<String>::new());
    assert_eq!(crowd.beat(now + seconds(1)), (Vec::new(), Some(3)), "the count is told");
    assert_eq!(words(crowd.hear(7, named(&[2, 3, 4]), false, now + seconds(2))), ["+4 4"]);
    assert_eq!(words(crowd.hear(8, named(&[5]), true, now + seconds(2))), ["+5 5"], "somebody came just now");
}

#[test]
fn above_50_the_count_is_told_once_a_second_if_there_is_news() {
    let now = Instant::now();
    let mut crowd = Crowd::new(now);
    for id in 0..50 {
        assert_eq!(enter(&mut crowd, id).len(), 1);
    }
    assert_eq!(crowd.beat(now), (Vec::new(), None));
    assert_eq!(enter(&mut crowd, 50), Vec::<String>::new());
    assert_eq!(crowd.beat(now).1, Some(51));
    assert_eq!(crowd.beat(now).1, None);
    // By name while they are few, also between two beats
    assert_eq!(leave(&mut crowd, 0), ["-0 50"]);
    enter(&mut crowd, 0);
    assert_eq!(crowd.beat(now).1, Some(51));
    // Of another pod's crowd no names are known
    assert_eq!(words(crowd.hear(7, unnamed(100..200), true, now)), Vec::<String>::new());
    assert_eq!(crowd.beat(now).1, Some(151));
    crowd.hear(7, unnamed([100]), true, now);
    for id in 0..10 {
        leave(&mut crowd, id);
    }
    crowd.beat(now);
    assert_eq!(words(crowd.hear(7, unnamed([]), true, now)), Vec::<String>::new());
    assert_eq!(crowd.beat(now).1, Some(41), "somebody without a name went");
}

#[test]
fn that_nobody_is_left_is_not_forgotten_when_all_is_told_again() {
    let now = Instant::now();
    let mut crowd = Crowd::new(now);
    enter(&mut crowd, 1);
    assert!(crowd.take_announcement(false, now).is_some());
    leave(&mut crowd, 1);
    crowd.announce_again();
    assert_eq!(crowd.take_announcement(false, now), Some((named(&[]), true)));
}

#[test]
fn other_pods_are_told_of_changes_and_every_ten_seconds() {
    let now = Instant::now();
    let mut crowd = Crowd::new(now);
    assert_eq!(crowd.take_announcement(true, now), None, "nobody is here");
    enter(&mut crowd, 1);
    assert_eq!(crowd.take_announcement(false, now), Some((named(&[1]), true)));
    assert_eq!(crowd.take_announcement(true, now + seconds(9)), None);
    assert_eq!(crowd.take_announcement(false, now + seconds(10)), Some((named(&[1]), false)));
    crowd.announce_again();
    assert_eq!(crowd.take_announcement(false, now), Some((named(&[1]), false)), "an answer");
    leave(&mut crowd, 1);
    assert_eq!(crowd.take_announcement(false, now), Some((named(&[]), true)), "the last one is gone");
    for id in 0..51 {
        enter(&mut crowd, id);
    }
    assert_eq!(crowd.take_announcement(false, now), None, "many wait for the beat");
    assert_eq!(crowd.take_announcement(true, now), Some((unnamed(0..51), true)), "without their faces");
}

#[test]
fn signs_are_shown_of_who_is_in_and_end_when_they_go() {
    let now = Instant::now();
    let mut crowd = Crowd::new(now);
    enter(&mut crowd, 1);
    crowd.hear(7, named(&[2]), true, now);
    assert_eq!(words(crowd.show(subject(1), true, now)), ["!1"]);
    assert_eq!(crowd.show(subject(9), true, now), None, "a stranger");
    assert_eq!(crowd.hear_sign(subject(9), face(9), true, now), None, "a stranger elsewhere");
    assert_eq!(words(crowd.hear_sign(subject(2), face(2), true, now)), ["!2"]);
    assert_eq!(leave(&mut crowd, 1), ["-1 1", ".1"]);
    assert_eq!(words(crowd.beat(now + seconds(5)).0), [".2"], "by itself");
    assert_eq!(crowd.beat(now + seconds(6)).0, []);
    crowd.hear_sign(subject(2), face(2), true, now + seconds(7));
    assert_eq!(words(crowd.hear(7, named(&[]), true, now + seconds(8))), ["-2 0", ".2"]);
}
