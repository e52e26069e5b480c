//! Failing again and again: the sixth failure in the window is one too many.

use super::*;
use crate::kernel::Exhausted;

fn quick(child: Child<Probe>) -> Child<Probe> {
    child.backoff(steady(Duration::from_millis(5)))
}

/// Fails that often, each time in another life.
async fn fail(handle: &Handle<Probe>, times: u64) {
    for epoch in 1..=times {
        life_running(handle, epoch).await;
        break_down(handle).await;
    }
}

#[tokio::test]
async fn the_sixth_failure_of_an_essential_actor_is_escalated() {
    let (supervisor, handle, witness) = house_of(quick).await;
    let mut gave_up = supervisor.gave_up();
    fail(&handle, 5).await;
    life_running(&handle, 6).await;
    assert_eq!(*gave_up.borrow(), None, "five are normal");
    break_down(&handle).await;
    let name = *timeout(PATIENCE, gave_up.wait_for(Option::is_some)).await.unwrap().unwrap();
    assert_eq!(name, Some("probe"));
    let status = handle.status();
    assert_eq!((status.state, status.exhausted), (State::GaveUp, true));
    assert_eq!(handle.call(Tell(1), PATIENCE).await, Err(CallError::Down));
    assert_eq!(handle.report().restarts, 5);
    eventually("its thread is let go", || witness.threads.load(SeqCst) == 0).await;
    assert_eq!(witness.made.load(SeqCst), 6, "no life was made only to be dropped");
}

#[tokio::test]
async fn losing_thread_after_thread_is_escalated_too() {
    let (supervisor, handle, witness) = house_of(quick).await;
    let mut gave_up = supervisor.gave_up();
    for generation in 1..=6 {
        status_where(&handle, |status| status.state == State::Running && status.generation == generation)
            .await;
        let leave = act(|_, _| {
            actix::Arbiter::current().stop();
        });
        _ = handle.call(leave, PATIENCE).await;
    }
    assert_eq!(*timeout(PATIENCE, gave_up.wait_for(Option::is_some)).await.unwrap().unwrap(), Some("probe"));
    assert_eq!(handle.call(Tell(1), PATIENCE).await, Err(CallError::Down));
    eventually("no thread is left", || witness.threads.load(SeqCst) == 0).await;
}

#[tokio::test]
async fn an_actor_that_may_degrade_goes_on_at_the_longest_delay_and_is_reported() {
    let longest = Duration::from_millis(300);
    let initial = Duration::from_millis(5);
    let delays = BackoffConfig { initial, longest, factor: 1.0, jitter: 0.0 };
    let (supervisor, handle, _witness) =
        house_of(|child| child.backoff(delays).on_exhausted(Exhausted::Degrade)).await;
    fail(&handle, 5).await;
    assert!(!life_running(&handle, 6).await.exhausted);
    for epoch in 7..=8 {
        let failed = Instant::now();
        break_down(&handle).await;
        let status = life_running(&handle, epoch).await;
        assert!(failed.elapsed() >= longest, "{:?}", failed.elapsed());
        assert!(status.exhausted);
        assert_eq!(handle.call(Tell(1), PATIENCE).await, Ok(1), "it serves all the same");
    }
    assert_eq!(*supervisor.gave_up().borrow(), None);
}

#[tokio::test]
async fn an_exhausted_actor_that_ran_long_enough_is_whole_again() {
    let supervisor = supervisor();
    let (child, _witness) = child("probe");
    let mut child = quick(child).on_exhausted(Exhausted::Degrade);
    child.stable_after = Duration::from_secs(2);
    let handle = supervisor.add(child).await.unwrap();
    fail(&handle, 6).await;
    status_where(&handle, |status| status.exhausted).await;
    let status = status_where(&handle, |status| !status.exhausted).await;
    assert_eq!((status.state, status.epoch), (State::Running, 7), "without another failure");
}
