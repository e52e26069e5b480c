//! Stops: new calls are refused, what is queued is served first, and nothing lasts longer than its deadline.

use actix::{Arbiter, AsyncContext as _, WrapFuture as _};

use super::*;
use crate::kernel::{Limits, Stopped};

fn stop(supervisor: &Supervisor) -> JoinHandle<Option<Stopped>> {
    let supervisor = supervisor.clone();
    in_background(async move { supervisor.stop("probe").await })
}

async fn stopped(stopping: JoinHandle<Option<Stopped>>) -> Stopped {
    timeout(PATIENCE, stopping).await.expect("it stops in time").unwrap().unwrap()
}

#[tokio::test]
async fn what_is_queued_is_served_before_the_end_and_new_calls_are_refused() {
    let (supervisor, handle, witness) = house().await;
    let (gate, blocked) = blocked(&handle).await;
    let answers = queue(&handle, 0..10).await;
    let stopping = stop(&supervisor);
    status_where(&handle, |status| status.state == State::Stopping).await;
    assert_eq!(handle.call(Tell(99), PATIENCE).await, Err(CallError::Down));
    gate.open();
    assert_eq!(blocked.await.unwrap(), Ok(()));
    assert!(answers.join_all().await.iter().all(|(number, answer)| *answer == Ok(number + 1)));
    assert!(stopped(stopping).await.clean);
    assert_eq!(witness.heard.lock().len(), 10);
    assert_eq!(witness.stopped.load(SeqCst), 1, "it was told");
    assert_eq!(handle.status().state, State::Stopped);
    assert_eq!(handle.call(Tell(1), PATIENCE).await, Err(CallError::Down));
    eventually("its thread ends", || witness.threads.load(SeqCst) == 0).await;
    assert_eq!(witness.alive.load(SeqCst), 0);
    assert_eq!(supervisor.stop("probe").await, None, "there is none any more");
}

#[tokio::test]
async fn answers_under_way_are_awaited() {
    let (supervisor, handle, _witness) = house().await;
    let (finish, finished) = tokio::sync::oneshot::channel::<()>();
    let work = within(move || async move {
        _ = finished.await;
    });
    let working = calling(&handle, work);
    eventually("the call is under way", || handle.report().calls == 1).await;
    let stopping = stop(&supervisor);
    status_where(&handle, |status| status.state == State::Stopping).await;
    finish.send(()).unwrap();
    assert_eq!(working.await.unwrap(), Ok(()));
    assert!(stopped(stopping).await.clean);
}

#[tokio::test]
async fn work_that_nobody_called_for_is_told_to_end_and_awaited() {
    let (supervisor, handle, witness) = house().await;
    let seen = Arc::clone(&witness);
    let begin = act(move |actor, ctx| {
        let (busy, told) = (actor.life.busy(), actor.life.stopping());
        let work = async move {
            told.await;
            // Longer than the stop of an actor that has nothing to do
            tokio::time::sleep(Duration::from_millis(150)).await;
            seen.heard.lock().push((0, 0));
            drop(busy);
        };
        _ = ctx.spawn(work.into_actor(actor));
    });
    handle.call(begin, PATIENCE).await.unwrap();
    assert!(stopped(stop(&supervisor)).await.clean);
    assert_eq!(*witness.heard.lock(), [(0, 0)], "it came to its end");
}

#[tokio::test]
async fn work_of_a_failed_life_is_not_waited_for() {
    let (supervisor, handle, _witness) = house().await;
    let forever = act(|actor, ctx| {
        let busy = actor.life.busy();
        let work = async move {
            let _busy = busy;
            std::future::pending::<()>().await;
        };
        _ = ctx.spawn(work.into_actor(actor));
    });
    handle.call(forever, PATIENCE).await.unwrap();
    break_down(&handle).await;
    life_running(&handle, 2).await;
    assert!(stopped(stop(&supervisor)).await.clean);
}

#[tokio::test]
async fn a_failure_while_stopping_costs_its_caller_only() {
    let (supervisor, handle, witness) = house().await;
    let (gate, failing) = blocked_before(&handle, |_| panic!("on purpose")).await;
    let answers = queue(&handle, 0..3).await;
    let stopping = stop(&supervisor);
    status_where(&handle, |status| status.state == State::Stopping).await;
    gate.open();
    assert_eq!(failing.await.unwrap(), Err(CallError::Interrupted));
    assert!(answers.join_all().await.iter().all(|(_, answer)| answer.is_ok()));
    assert!(stopped(stopping).await.clean);
    assert_eq!(*witness.heard.lock(), [(2, 0), (2, 1), (2, 2)]);
}

#[tokio::test]
async fn a_hung_child_is_left_behind_at_its_deadline() {
    let stop_within = Duration::from_millis(200);
    let limits = Limits { stop_within, silence: PATIENCE, ..Limits::default() };
    let (supervisor, handle, witness) = house_of(|child| child.limits(limits)).await;
    let (gate, hanging) = blocked(&handle).await;
    let answers = queue(&handle, 0..3).await;
    let stopped = stopped(stop(&supervisor)).await;
    assert!(!stopped.clean);
    assert!(stopped.took >= stop_within, "{:?}", stopped.took);
    assert_eq!(hanging.await.unwrap(), Err(CallError::Interrupted));
    assert!(answers.join_all().await.iter().all(|(_, answer)| *answer == Err(CallError::Interrupted)));
    assert_eq!(handle.status().state, State::Stopped);
    gate.open();
    eventually("its thread ends when it can", || witness.threads.load(SeqCst) == 0).await;
    assert!(witness.heard.lock().is_empty());
}

#[tokio::test]
async fn a_delay_is_cut_short_and_the_queue_is_served() {
    let (supervisor, handle, witness) = house_of(|child| child.backoff(endless())).await;
    let answers = break_down_before(&handle, 0..5, |_| {}).await;
    in_backoff(&handle).await;
    assert!(stopped(stop(&supervisor)).await.clean);
    assert!(answers.join_all().await.iter().all(|(number, answer)| *answer == Ok(number + 1)));
    assert_eq!(witness.heard.lock().first(), Some(&(2, 0)));
}

#[tokio::test]
async fn an_actor_whose_making_failed_does_not_serve_the_queue_as_it_was() {
    let (supervisor, handle, witness) = house_of(|child| child.backoff(endless())).await;
    let answers = break_down_before(&handle, 0..2, |actor| {
        actor.told = 1000;
        actor.witness.bad_makings.store(1, SeqCst);
    })
    .await;
    in_backoff(&handle).await;
    assert!(stopped(stop(&supervisor)).await.clean);
    assert!(answers.join_all().await.iter().all(|(number, answer)| *answer == Ok(number + 1)));
    assert_eq!(*witness.heard.lock(), [(3, 0), (3, 1)]);
}

#[tokio::test]
async fn an_actor_that_cannot_be_made_ends_all_the_same() {
    let supervisor = supervisor();
    let (child, witness) = child("probe");
    witness.bad_makings.store(usize::MAX, SeqCst);
    let handle = supervisor.add(child.backoff(endless())).await.unwrap();
    in_backoff(&handle).await;
    stopped(stop(&supervisor)).await;
    assert_eq!(handle.status().state, State::Stopped);
    assert_eq!(witness.made.load(SeqCst), 0);
}

#[tokio::test]
async fn a_delay_after_a_lost_thread_is_cut_short() {
    let (supervisor, handle, witness) = house_of(|child| child.backoff(endless())).await;
    let leave = act(|_, _| {
        Arbiter::current().stop();
    });
    _ = handle.call(leave, PATIENCE).await;
    in_backoff(&handle).await;
    assert!(stopped(stop(&supervisor)).await.clean, "nothing was queued that could be lost");
    assert_eq!(handle.call(Tell(1), PATIENCE).await, Err(CallError::Down));
    eventually("its thread is gone", || witness.threads.load(SeqCst) == 0).await;
    assert_eq!(witness.made.load(SeqCst), 1);
}

#[tokio::test]
async fn a_thread_that_is_lost_while_stopping_is_not_waited_for() {
    let limits = Limits { stop_within: Duration::from_secs(3600), ..Limits::default() };
    let (supervisor, handle, witness) = house_of(|child| child.limits(limits)).await;
    let (gate, pass) = Gate::new();
    let leave = within(move || {
        pass();
        Arbiter::current().stop();
        std::future::pending()
    });
    let leaving = calling(&handle, leave);
    gate.reached().await;
    let stopping = stop(&supervisor);
    status_where(&handle, |status| status.state == State::Stopping).await;
    gate.open();
    assert_eq!(leaving.await.unwrap(), Err(CallError::Interrupted));
    assert!(!stopped(stopping).await.clean);
    assert_eq!(handle.status().state, State::Stopped);
    eventually("its thread is gone", || witness.threads.load(SeqCst) == 0).await;
}

#[tokio::test]
async fn an_actor_that_wants_to_go_on_is_stopped_all_the_same() {
    let (supervisor, handle, witness) = house().await;
    witness.stubborn.store(true, SeqCst);
    assert!(stopped(stop(&supervisor)).await.clean);
    assert_eq!(handle.status().state, State::Stopped);
    eventually("its thread is gone", || witness.threads.load(SeqCst) == 0).await;
    assert_eq!(witness.alive.load(SeqCst), 0);
}
