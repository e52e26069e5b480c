//! Books by a clock that is made.

use super::*;

const ANN: Uuid = Uuid::from_u128(1);
const BOB: Uuid = Uuid::from_u128(2);
const POD: Pod = 7;
const OTHER: Pod = 8;

/// A book and its clock.
struct Days {
    book: Book,
    start: Instant,
    millis: i64,
}

impl Days {
    fn new() -> Self {
        Self { book: Book::default(), start: Instant::now(), millis: 0 }
    }

    fn now(&self) -> Now {
        let instant = self.start + Duration::from_millis(self.millis.try_into().unwrap());
        Now { instant, millis: 1_000_000 + self.millis }
    }

    fn pass(&mut self, seconds: i64) {
        self.millis += 1000 * seconds;
    }

    fn here(&mut self, people: &[Uuid]) -> Vec<Uuid> {
        let now = self.now();
        self.book.meet(&people.iter().copied().collect(), now)
    }

    fn hear(&mut self, pod: Pod, person: Uuid, said: Option<Said>) {
        let now = self.now();
        self.book.hear(pod, vec![(person, said)], now);
    }

    /// What other pods are told now.
    fn words(&mut self) -> Vec<Word> {
        let words = self.book.words();
        self.book.note_sent(&words);
        words
    }

    fn look(&mut self, pod: Pod, is_there: bool) {
        let now = self.now();
        self.book.look(&HashMap::from([(pod, is_there)]), now);
    }

    /// What is told now, sorted.
    fn told(&mut self) -> Vec<(Uuid, &'static str)> {
        let now = self.now().instant;
        self.book.clear(now);
        let news = self.book.news(now, 100);
        self.book.note_told(&news, now);
        let mut told: Vec<_> = news.iter().map(|news| (news.person, Status::name(news.status))).collect();
        told.sort_unstable();
        told
    }
}

fn said(status: Status, at: i64) -> Option<Said> {
    Some(Said { status, at })
}

#[test]
fn somebody_is_there_while_any_pod_has_sessions_of_theirs() {
    let mut days = Days::new();
    days.here(&[ANN]);
    assert_eq!(days.told(), [(ANN, "online")]);
    days.hear(POD, ANN, Some(Said::NOTHING));
    days.hear(OTHER, ANN, Some(Said::NOTHING));
    assert_eq!(days.here(&[]), [ANN]);
    days.hear(POD, ANN, None);
    days.hear(POD, ANN, None);
    days.pass(60);
    assert_eq!(days.told(), [], "still on the other");
    days.hear(OTHER, ANN, None);
    let left = days.now().millis;
    days.pass(4);
    assert_eq!((days.told(), days.book.status(ANN, days.now().instant)), (vec![], Some(Status::Online)));
    days.pass(1);
    assert_eq!(days.told(), [(ANN, "offline")]);
    assert_eq!((days.book.status(ANN, days.now().instant), days.book.left(ANN)), (None, Some(left)));
    assert_eq!(days.told(), [], "once");
    days.here(&[ANN]);
    assert_eq!((days.told(), days.book.left(ANN)), (vec![(ANN, "online")], None));
}

#[test]
fn who_comes_right_back_was_never_away() {
    let mut days = Days::new();
    days.here(&[ANN]);
    days.told();
    for _ in 0..10 {
        days.here(&[]);
        days.pass(4);
        assert_eq!(days.told(), []);
        days.hear(POD, ANN, Some(Said::NOTHING));
        days.pass(4);
        assert_eq!(days.told(), []);
        days.hear(POD, ANN, None);
        days.here(&[ANN]);
    }
}

#[test]
fn what_is_said_last_counts_on_whichever_device_and_until_they_are_away() {
    let mut days = Days::new();
    days.here(&[ANN]);
    days.told();
    let now = days.now();
    days.book.say(ANN, Status::Busy, now);
    assert_eq!(days.told(), [(ANN, "busy")]);
    // A clock that goes ahead, and one that does not know of it
    days.hear(POD, ANN, said(Status::Away, now.millis + 60_000));
    assert_eq!(days.told(), [(ANN, "away")]);
    days.hear(OTHER, ANN, said(Status::Online, now.millis));
    assert_eq!(days.told(), [], "said before");
    days.book.say(ANN, Status::Busy, now);
    assert_eq!(days.told(), [(ANN, "busy")], "said after, whatever the clock says");
    // It goes along to another pod
    days.words();
    days.hear(POD, ANN, None);
    days.hear(OTHER, ANN, None);
    days.here(&[]);
    days.pass(3);
    days.here(&[ANN]);
    assert_eq!(days.words(), [(ANN, said(Status::Busy, now.millis + 60_001))]);
    // And is over with their being there
    days.here(&[]);
    days.pass(5);
    assert_eq!(days.told(), [(ANN, "offline")]);
    days.here(&[ANN]);
    assert_eq!(days.told(), [(ANN, "online")]);
}

#[test]
fn what_is_said_elsewhere_is_kept_here_as_well() {
    let mut days = Days::new();
    days.here(&[ANN]);
    days.words();
    days.hear(POD, ANN, said(Status::Away, 5));
    assert_eq!(days.words(), [(ANN, said(Status::Away, 5))], "for who asks this pod alone");
    days.hear(POD, ANN, said(Status::Away, 5));
    assert_eq!(days.words(), [], "and no more of it");
}

#[test]
fn what_was_not_sent_or_has_changed_meanwhile_is_sent_again() {
    let mut days = Days::new();
    days.here(&[ANN]);
    let first = days.book.words();
    assert_eq!(first, days.book.words());
    let now = days.now();
    days.book.say(ANN, Status::Busy, now);
    days.book.note_sent(&first);
    assert_eq!(days.words(), [(ANN, said(Status::Busy, now.millis))]);
    assert_eq!(days.words(), []);
}

#[test]
fn a_dead_pod_takes_its_people_along() {
    let mut days = Days::new();
    days.hear(POD, ANN, Some(Said::NOTHING));
    days.hear(POD, BOB, Some(Said::NOTHING));
    days.hear(OTHER, BOB, Some(Said::NOTHING));
    days.told();
    for _ in 0..3 {
        days.look(POD, false);
        assert_eq!(days.told(), []);
        days.pass(1);
    }
    days.look(POD, false);
    assert_eq!(days.told(), [(ANN, "offline")], "at once, and nobody who is on another pod");
    assert_eq!(days.book.left(ANN), Some(days.now().millis - DEAD_FOR));
}

#[test]
fn a_key_that_is_written_again_and_an_outage_of_redis_kill_nobody() {
    let mut days = Days::new();
    days.hear(POD, ANN, Some(Said::NOTHING));
    days.told();
    for back in [true, false] {
        for _ in 0..10 {
            days.look(POD, false);
            days.pass(2);
            if back {
                days.look(POD, true)
            } else {
                days.book.pardon()
            }
            days.pass(2);
        }
        assert_eq!(days.told(), []);
    }
}

#[test]
fn who_was_there_before_this_pod_is_no_news_and_what_was_missed_is() {
    let mut days = Days::new();
    days.here(&[BOB]);
    days.told();
    let now = days.now();
    days.book.hear_all(POD, &HashMap::from([(ANN, Said::NOTHING)]), true, now);
    assert_eq!((days.told(), days.book.is_whole(POD)), (vec![], true));
    assert_eq!(days.book.status(ANN, now.instant), Some(Status::Online));
    days.book.doubt();
    assert!(!days.book.is_whole(POD));
    // Ann went and Cleo came while nobody could tell
    let cleo = Uuid::from_u128(3);
    days.book.hear_all(POD, &HashMap::from([(cleo, Said { status: Status::Away, at: 1 })]), false, now);
    assert_eq!(days.told(), [(cleo, "away")]);
    days.pass(5);
    assert_eq!(days.told(), [(ANN, "offline")]);
}

#[test]
fn a_crowd_is_told_bit_by_bit_and_remembered_up_to_a_limit() {
    let mut days = Days::new();
    let crowd: Vec<Uuid> = (0..250).map(Uuid::from_u128).collect();
    days.here(&crowd);
    assert_eq!(
        [days.told().len(), days.told().len(), days.told().len(), days.told().len()],
        [100, 100, 50, 0]
    );
    let many: Vec<Uuid> = (1000..1000 + 2 * REMEMBERED as u128).map(Uuid::from_u128).collect();
    let now = days.now();
    days.book.hear_all(POD, &many.iter().map(|id| (*id, Said::NOTHING)).collect(), true, now);
    days.book.hear_all(POD, &HashMap::new(), false, now);
    days.pass(5);
    while !days.told().is_empty() {}
    assert_eq!((days.book.people.len(), days.book.left.len() <= REMEMBERED), (250, true));
}

#[test]
fn what_other_pods_cannot_be_told_is_bounded() {
    let mut days = Days::new();
    for crowd in 0..4_u128 {
        let first = crowd * 4000;
        days.here(&Vec::from_iter((first..first + 4000).map(Uuid::from_u128)));
        assert!(days.book.words().len() <= WORDS, "{}", days.book.words().len());
    }
    assert!(!days.book.words().is_empty(), "the latest are kept");
}

#[test]
fn of_more_than_can_be_told_at_once_those_go_first_who_have_waited_longest() {
    let mut days = Days::new();
    let crowd = |ids: std::ops::Range<u128>| Vec::from_iter(ids.map(Uuid::from_u128));
    // The later they come the sooner they would be by their ids
    let (first, second, third) = (crowd(600..750), crowd(400..450), crowd(200..260));
    let mut here = Vec::new();
    let mut told = Vec::new();
    for come in [first.clone(), second.clone(), third.clone(), Vec::new()] {
        here.extend(come);
        days.here(&here);
        told.push(days.told().into_iter().map(|(id, _)| id).collect::<Vec<_>>());
        days.pass(1);
    }
    assert_eq!(told[0], first[..100]);
    assert_eq!(told[1], [&second[..], &first[100..]].concat(), "sorted: all of the first were told");
    assert_eq!((&told[2], &told[3]), (&third, &Vec::new()));

    // Who went is told in turn too, and who has changed once more meanwhile keeps their place
    here = first.clone();
    days.here(&here);
    days.pass(5);
    let now = days.now();
    for id in &first[..60] {
        days.book.say(*id, Status::Busy, now);
    }
    let gone = days.told();
    assert_eq!(gone.len(), 100);
    let now = days.now();
    for id in &first {
        days.book.say(*id, Status::Away, now);
    }
    days.pass(1);
    let next = days.told();
    assert_eq!(next.len(), 100);
    let waited: Vec<_> = [&second[..], &third].concat();
    let told_gone = |told: &[(Uuid, &str)]| {
        told.iter().filter(|(id, how)| *how == "offline" && waited.contains(id)).count()
    };
    assert_eq!(told_gone(&gone) + told_gone(&next), waited.len(), "nobody who waits is overtaken");
}
