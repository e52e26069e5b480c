//! What callers hear: a full queue is an answer, and so is a deadline.

use tokio::sync::oneshot;

use super::*;
use crate::kernel::Limits;

#[tokio::test]
async fn one_call_more_than_the_limit_is_refused_at_once_and_never_heard() {
    let limits = Limits { calls: 4, ..Limits::default() };
    let (_supervisor, handle, witness) = house_of(|child| child.limits(limits)).await;
    let (gate, blocked) = blocked(&handle).await;
    let answers = queue(&handle, 0..3).await;
    assert_eq!((handle.report().calls, handle.report().calls_limit), (4, 4));
    let answer = handle.call(Tell(99), Duration::from_secs(3600)).await;
    assert!(matches!(answer, Err(CallError::Overloaded { .. })), "{answer:?}");
    gate.open();
    assert_eq!(blocked.await.unwrap(), Ok(()));
    assert_eq!(answers.join_all().await.len(), 3);
    assert_eq!(handle.call(Tell(3), PATIENCE).await, Ok(4), "its places are free again");
    assert!(witness.heard.lock().iter().all(|(_, number)| *number != 99));
}

#[tokio::test]
async fn a_call_ends_at_its_deadline_and_gives_its_place_back() {
    let (_supervisor, handle, _witness) = house().await;
    let endless = || within(std::future::pending);
    assert_eq!(handle.call(endless(), Duration::from_millis(20)).await, Err(CallError::Timeout));
    assert_eq!(handle.report().calls, 0);
    assert_eq!(handle.call(Tell(1), PATIENCE).await, Ok(1));
}

#[tokio::test]
async fn a_message_whose_caller_has_gone_is_not_acted_upon() {
    let (_supervisor, handle, witness) = house().await;
    let (gate, blocked) = blocked(&handle).await;
    assert_eq!(handle.call(Tell(1), Duration::from_millis(20)).await, Err(CallError::Timeout));
    gate.open();
    blocked.await.unwrap().unwrap();
    handle.call(Tell(2), PATIENCE).await.unwrap();
    assert_eq!(*witness.heard.lock(), [(1, 2)]);
}

#[tokio::test]
async fn long_work_beside_the_actor_outlives_its_panic() {
    let (_supervisor, handle, _witness) = house().await;
    let (begun, begins) = oneshot::channel();
    let (finish, finished) = oneshot::channel::<()>();
    let work = beside(move || async move {
        begun.send(()).unwrap();
        _ = finished.await;
    });
    let working = calling(&handle, work);
    begins.await.unwrap();
    break_down(&handle).await;
    life_running(&handle, 2).await;
    finish.send(()).unwrap();
    assert_eq!(working.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn limits_beyond_what_can_be_counted_are_taken_and_drained() {
    let limits = Limits { calls: usize::MAX, silence: Duration::MAX, stop_within: Duration::MAX };
    let (supervisor, handle, _witness) = house_of(|child| child.limits(limits)).await;
    let (gate, blocked) = blocked(&handle).await;
    let answers = queue(&handle, 0..3).await;
    let stopping = in_background(async move { supervisor.stop("probe").await });
    status_where(&handle, |status| status.state == State::Stopping).await;
    gate.open();
    assert_eq!(blocked.await.unwrap(), Ok(()));
    assert!(answers.join_all().await.iter().all(|(_, answer)| answer.is_ok()));
    assert_eq!(timeout(PATIENCE, stopping).await.unwrap().unwrap().map(|stopped| stopped.clean), Some(true));
}

#[test]
fn what_was_not_sent_may_be_sent_again() {
    let retry_after = Duration::ZERO;
    for (error, unsent) in [
        (CallError::Unavailable { retry_after }, true),
        (CallError::Overloaded { retry_after }, true),
        (CallError::Down, true),
        (CallError::Interrupted, false),
        (CallError::Timeout, false),
    ] {
        assert_eq!(error.is_unsent(), unsent, "{error:?}");
    }
}
