//! Threads that end or hang: a new thread and mailbox take over, and what is left behind may not speak any more.

use actix::Arbiter;
use tokio::time::sleep;

use super::*;
use crate::kernel::{Limits, Restart};

/// A child that is declared hung soon.
async fn watched(child: Child<Probe>) -> (Supervisor, Handle<Probe>) {
    let supervisor = supervisor();
    let limits = Limits { silence: Duration::from_millis(400), ..Limits::default() };
    let handle = supervisor.add(child.limits(limits)).await.unwrap();
    (supervisor, handle)
}

#[tokio::test]
async fn an_actor_whose_thread_ends_goes_on_with_another_thread_and_mailbox() {
    let (_supervisor, handle, witness) = house().await;
    let leave = act(|_, _| {
        Arbiter::current().stop();
    });
    // The answer may still come out
    _ = handle.call(leave, PATIENCE).await;
    let status = life_running(&handle, 2).await;
    assert_eq!(status.generation, 2);
    assert_eq!(handle.call(Tell(1), PATIENCE).await, Ok(1));
    assert_eq!(&*handle.report().last_failure.unwrap().0, "lost its thread");
    assert_eq!(handle.report().restarts, 1);
    eventually("the former thread ends", || witness.threads.load(SeqCst) == 1).await;
    assert_eq!(witness.alive.load(SeqCst), 1);
}

#[tokio::test]
async fn callers_of_a_thread_that_ends_hear_it() {
    let (_supervisor, handle, _witness) = house_of(|child| child.backoff(endless())).await;
    let leave = |_: &mut Probe| {
        Arbiter::current().stop();
        panic!("on purpose");
    };
    let (gate, leaving) = blocked_before(&handle, leave).await;
    let answers = queue(&handle, 0..3).await;
    gate.open();
    assert_eq!(leaving.await.unwrap(), Err(CallError::Interrupted));
    let answers = answers.join_all().await;
    assert!(answers.iter().all(|(_, answer)| *answer == Err(CallError::Interrupted)), "{answers:?}");
}

#[tokio::test]
async fn a_hung_actor_is_replaced_and_the_one_left_behind_cannot_speak() {
    let (child, witness) = child("probe");
    let (_supervisor, handle) = watched(child).await;
    let (gate, pass) = Gate::new();
    let (say, said) = sync_channel(1);
    let hang = act(move |actor, _| {
        let before = actor.life.is_current();
        pass();
        _ = say.send((before, actor.life.is_current()));
    });
    let hanging = calling(&handle, hang);
    gate.reached().await;
    let answers = queue(&handle, 0..3).await;
    assert_eq!(hanging.await.unwrap(), Err(CallError::Interrupted));
    assert!(answers.join_all().await.iter().all(|(_, answer)| *answer == Err(CallError::Interrupted)));
    let status = life_running(&handle, 2).await;
    assert_eq!(status.generation, 2);
    assert_eq!(handle.call(Tell(7), PATIENCE).await, Ok(1));
    assert!(handle.report().last_failure.unwrap().0.starts_with("hung"));
    assert_eq!(witness.alive.load(SeqCst), 2, "nothing can end a thread from outside");

    gate.open();
    assert_eq!(said.recv_timeout(PATIENCE), Ok((true, false)));
    eventually("the thread left behind ends", || witness.threads.load(SeqCst) == 1).await;
    assert_eq!(witness.alive.load(SeqCst), 1);
    assert_eq!(*witness.heard.lock(), [(2, 7)], "it heard nothing of its queue");
}

#[tokio::test]
async fn nobody_is_hung_only_because_the_whole_process_stood_still() {
    let (child, _witness) = child("probe");
    let (supervisor, handle) = watched(child).await;
    let (eye, blink) = Gate::new();
    supervisor.block(blink).await;
    eye.reached().await;
    let (gate, blocked) = blocked(&handle).await;
    // Nothing else makes time pass for a process that does not run
    sleep(Duration::from_millis(1_200)).await;
    eye.open();
    eventually("the supervisor looks", || supervisor.silent_for() < Duration::from_millis(200)).await;
    gate.open();
    assert_eq!(blocked.await.unwrap(), Ok(()));
    assert_eq!((handle.status().generation, handle.report().restarts), (1, 0));
}

#[tokio::test]
async fn a_failure_of_the_one_left_behind_does_not_touch_the_one_that_took_over() {
    let (child, witness) = child("probe");
    let (_supervisor, handle) = watched(child).await;
    let (gate, hanging) = blocked_before(&handle, |_| panic!("too late")).await;
    assert_eq!(hanging.await.unwrap(), Err(CallError::Interrupted));
    let status = life_running(&handle, 2).await;
    gate.open();
    eventually("the thread left behind ends", || witness.threads.load(SeqCst) == 1).await;
    assert_eq!(handle.status(), status);
    assert_eq!(handle.report().restarts, 1);
    assert!(handle.report().last_failure.unwrap().0.starts_with("hung"));
    let (say, said) = sync_channel(1);
    let ask = act(move |actor, _| say.send(actor.life.is_current()).unwrap());
    handle.call(ask, PATIENCE).await.unwrap();
    assert_eq!(said.recv_timeout(PATIENCE), Ok(true));
}

#[tokio::test]
async fn a_life_that_begins_on_a_thread_left_behind_is_never_current() {
    let (child, witness) = child("probe");
    let (_supervisor, handle) = watched(child).await;
    let (say, said) = sync_channel(1);
    let rise = move |actor: &mut Probe| {
        *actor = actor.life.reborn();
        _ = say.send((actor.life.epoch(), actor.life.is_current()));
    };
    let (gate, hanging) = blocked_before(&handle, rise).await;
    assert_eq!(hanging.await.unwrap(), Err(CallError::Interrupted));
    let status = life_running(&handle, 2).await;
    gate.open();
    assert_eq!(said.recv_timeout(PATIENCE), Ok((0, false)));
    assert_eq!(handle.status(), status);
    eventually("the thread left behind ends", || witness.threads.load(SeqCst) == 1).await;
}

#[tokio::test]
async fn a_hung_temporary_actor_is_left_behind_for_good() {
    let (child, witness) = child("probe");
    let (_supervisor, handle) = watched(child.restart(Restart::Temporary)).await;
    let (gate, hanging) = blocked(&handle).await;
    assert_eq!(hanging.await.unwrap(), Err(CallError::Interrupted));
    status_where(&handle, |status| status.state == State::Stopped).await;
    assert_eq!(handle.call(Tell(1), PATIENCE).await, Err(CallError::Down));
    gate.open();
    eventually("its thread ends", || witness.threads.load(SeqCst) == 0).await;
    assert_eq!(witness.made.load(SeqCst), 1);
}

#[tokio::test]
async fn an_idle_actor_in_a_delay_is_not_taken_for_hung() {
    let (child, _witness) = child("probe");
    let (_supervisor, handle) = watched(child.backoff(steady(Duration::from_secs(2)))).await;
    break_down(&handle).await;
    let status = life_running(&handle, 2).await;
    assert_eq!((status.generation, handle.report().restarts), (1, 1), "no thread was given up meanwhile");
}
