//! Several children and several supervisors: their order, what operators see of them, and that nothing leaks.

use super::*;

#[tokio::test]
async fn children_stop_in_the_reverse_order_of_their_start_and_leave_nothing() {
    let supervisor = supervisor();
    let names = ["first", "second", "third"];
    let mut witnesses = Vec::new();
    for name in names {
        let (child, witness) = child(name);
        let handle = supervisor.add(child).await.unwrap();
        assert_eq!(handle.status().state, State::Running, "add() waits for it");
        witnesses.push(witness);
    }
    assert!(supervisor.tree().iter().map(|child| child.name).eq(names));
    let stopped = timeout(PATIENCE, supervisor.stop_all()).await.unwrap();
    assert!(stopped.iter().all(|stopped| stopped.clean));
    assert!(stopped.iter().map(|stopped| stopped.name).eq(["third", "second", "first"]));
    assert!(supervisor.tree().is_empty());
    for witness in witnesses {
        eventually("its thread ends", || witness.threads.load(SeqCst) == 0).await;
        assert_eq!(witness.alive.load(SeqCst), 0);
    }
}

#[tokio::test]
async fn the_tree_shows_state_restarts_last_failure_and_calls() {
    let supervisor = supervisor();
    let (well, _) = child("well");
    let (ill, _) = child("ill");
    supervisor.add(well).await.unwrap();
    let ill = supervisor.add(ill).await.unwrap();
    assert!(supervisor.tree().iter().all(|child| child.restarts == 0 && child.last_failure.is_none()));
    _ = ill.call(act(|_, _| panic!("on purpose")), PATIENCE).await;
    life_running(&ill, 2).await;
    let tree = supervisor.tree();
    let [well, ill] = &tree[..] else { panic!("{tree:?}") };
    assert_eq!((well.name, well.status.state.word(), well.restarts), ("well", "running", 0));
    assert!(well.last_failure.is_none());
    assert_eq!((ill.name, ill.status.state.word(), ill.restarts), ("ill", "running", 1));
    assert_eq!(&*ill.last_failure.clone().unwrap().0, "panicked: on purpose");
    assert_eq!((ill.calls, ill.calls_limit), (0, 1024));
}

#[tokio::test]
async fn a_child_that_cannot_start_does_not_hold_up_the_next() {
    let supervisor = supervisor();
    let (ill, witness) = child("ill");
    witness.bad_makings.store(usize::MAX, SeqCst);
    let ill = timeout(PATIENCE, supervisor.add(ill.backoff(endless()))).await.unwrap().unwrap();
    assert!(matches!(ill.status().state, State::Restarting { .. }));
    let (well, _) = child("well");
    let well = supervisor.add(well).await.unwrap();
    assert_eq!(well.call(Tell(1), PATIENCE).await, Ok(1));
}

#[tokio::test]
async fn two_supervisors_do_not_disturb_each_other() {
    let (left, left_handle, _) = house().await;
    let (right, right_handle, right_witness) = house().await;
    for epoch in 1..=6 {
        life_running(&left_handle, epoch).await;
        break_down(&left_handle).await;
    }
    let mut gave_up = left.gave_up();
    timeout(PATIENCE, gave_up.wait_for(Option::is_some)).await.unwrap().unwrap();
    timeout(PATIENCE, left.stop_all()).await.unwrap();
    drop(left);
    assert_eq!(*right.gave_up().borrow(), None);
    assert_eq!(right_handle.call(Tell(1), PATIENCE).await, Ok(1));
    assert_eq!((right_handle.status().epoch, right_witness.made.load(SeqCst)), (1, 1));
    assert_eq!(right.tree().len(), 1);
}

#[tokio::test]
async fn dropping_the_last_supervisor_stops_what_runs() {
    let (supervisor, handle, witness) = house().await;
    drop(supervisor.clone());
    assert_eq!(handle.call(Tell(1), PATIENCE).await, Ok(1), "another one is left");
    drop(supervisor);
    status_where(&handle, |status| status.state == State::Stopped).await;
    eventually("its thread ends", || witness.threads.load(SeqCst) == 0).await;
    assert_eq!((witness.alive.load(SeqCst), witness.stopped.load(SeqCst)), (0, 1));
}

#[tokio::test]
async fn the_supervisor_shows_that_it_is_awake() {
    let (supervisor, handle, _witness) = house().await;
    let (gate, blocked) = blocked(&handle).await;
    eventually("rounds go on beside a stuck actor", || supervisor.silent_for() < Duration::from_millis(200))
        .await;
    gate.open();
    blocked.await.unwrap().unwrap();
}
