//! The cases of Socket.IO's suite, version 5.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::peer::{Heard, PATIENCE, Polled, SOCKET, Socket, ask, patient, start, text};
use crate::pod::Options;

/// A socket that is in the main namespace.
async fn connected(pod: &crate::pod::Pod) -> Socket {
    let mut socket = Socket::greeted(pod, SOCKET).await;
    enter(&mut socket, "", "{}").await;
    socket
}

/// Enters a namespace, `/name,` or the main one.
async fn enter(socket: &mut Socket, namespace: &str, auth: &str) {
    socket.say(&format!("40{namespace}{auth}")).await;
    let Heard::Text(answer) = socket.next().await else { panic!("no answer") };
    let told: Value = serde_json::from_str(answer.strip_prefix(&format!("40{namespace}")).unwrap()).unwrap();
    let members: Vec<_> = told.as_object().unwrap().keys().collect();
    assert!(members == ["sid"] && told["sid"].is_string(), "{answer}");
    socket.hears(&[&format!(r#"42{namespace}["auth",{auth}]"#)]).await;
}

#[tokio::test]
async fn who_connects_is_told_what_they_brought() {
    let pod = patient().await;
    for (said, namespace, auth) in [
        ("40", "", "{}"),
        (r#"40{"token":"123"}"#, "", r#"{"token":"123"}"#),
        ("40/custom,", "/custom,", "{}"),
        ("40/custom", "/custom,", "{}"),
        (r#"40/custom,{"token":"abc"}"#, "/custom,", r#"{"token":"abc"}"#),
    ] {
        let mut socket = Socket::greeted(&pod, SOCKET).await;
        socket.say(said).await;
        let Heard::Text(answer) = socket.next().await else { panic!("no answer to {said}") };
        let told = answer.strip_prefix(&format!("40{namespace}")).unwrap();
        let told: Value = serde_json::from_str(told).unwrap();
        assert!(told["sid"].is_string() && told.as_object().unwrap().len() == 1, "{answer}");
        socket.hears(&[&format!(r#"42{namespace}["auth",{auth}]"#)]).await;
    }
    pod.stop().await.unwrap();
}

#[tokio::test]
async fn a_namespace_that_is_not_there_is_refused_and_the_others_go_on() {
    let pod = patient().await;
    let mut socket = Socket::greeted(&pod, SOCKET).await;
    socket.say("40/random").await;
    socket.hears(&[r#"44/random,{"message":"Invalid namespace"}"#]).await;
    enter(&mut socket, "", "{}").await;
    socket.say(r#"42["message","hi"]"#).await;
    socket.hears(&[r#"42["message-back","hi"]"#]).await;
    pod.stop().await.unwrap();
}

#[tokio::test]
async fn a_quiet_namespace_acknowledges_and_emits_nothing() {
    let pod = patient().await;
    let mut socket = Socket::greeted(&pod, SOCKET).await;
    socket.say("40/quiet,").await;
    let Heard::Text(answer) = socket.next().await else { panic!("no answer") };
    assert!(answer.starts_with(r#"40/quiet,{"sid":""#), "{answer}");
    socket.say(r#"42/quiet,["message",1]"#).await;
    socket.say(r#"42/quiet,7["message-with-ack",1]"#).await;
    socket.hears(&["43/quiet,7[1]"]).await;
    pod.stop().await.unwrap();
}

#[tokio::test]
async fn who_does_not_connect_in_time_is_over() {
    let within = Duration::from_secs(1);
    let pod = start(Options { ping_every: PATIENCE, answer_within: PATIENCE, ..Options::default() }).await;
    let before = Instant::now();
    let mut socket = Socket::greeted(&pod, SOCKET).await;
    let session = Polled::open(&pod, SOCKET).await;
    let mut refused = Socket::greeted(&pod, SOCKET).await;
    refused.say("40/random").await;
    refused.hears(&[r#"44/random,{"message":"Invalid namespace"}"#]).await;
    let mut inside = connected(&pod).await;
    socket.is_closed().await;
    assert!(before.elapsed() >= within, "{:?}", before.elapsed());
    refused.is_closed().await;
    let (status, body) = session.get().await;
    assert!(status == 400 || body == "1", "{status} {body}");
    // Who came in may stay, also when they are in no namespace any more
    inside.say("41").await;
    enter(&mut inside, "", "{}").await;
    pod.stop().await.unwrap();
}

#[tokio::test]
async fn who_leaves_a_namespace_is_still_in_the_others() {
    let pod = patient().await;
    let mut socket = connected(&pod).await;
    enter(&mut socket, "/custom,", "{}").await;
    socket.say("41/custom").await;
    socket.say(r#"42["message","message to main namespace"]"#).await;
    socket.hears(&[r#"42["message-back","message to main namespace"]"#]).await;
    // And may come back, but says nothing meanwhile
    enter(&mut socket, "/custom,", "{}").await;
    socket.say("41/custom,").await;
    socket.say(r#"42/custom,["message",1]"#).await;
    socket.is_closed().await;
    pod.stop().await.unwrap();
}

#[tokio::test]
async fn who_leaves_the_main_namespace_keeps_the_connection() {
    let pod = start(Options { answer_within: PATIENCE, ..Options::default() }).await;
    let mut socket = connected(&pod).await;
    socket.say("41").await;
    assert_eq!(socket.next().await, text("2"), "the next ping");
    pod.stop().await.unwrap();
}

#[tokio::test]
async fn messages_come_back_and_are_acknowledged() {
    let pod = patient().await;
    let mut socket = connected(&pod).await;
    enter(&mut socket, "/custom,", r#"{"a":1}"#).await;
    for (said, answer) in [
        (r#"42["message",1,"2",{"3":[true]}]"#, r#"42["message-back",1,"2",{"3":[true]}]"#),
        (r#"42["message"]"#, r#"42["message-back"]"#),
        (r#"42["message","€ \" \\ ,/"]"#, r#"42["message-back","€ \" \\ ,/"]"#),
        (r#"42/custom,["message",null]"#, r#"42/custom,["message-back",null]"#),
        (r#"42456["message-with-ack",1,"2",{"3":[false]}]"#, r#"43456[1,"2",{"3":[false]}]"#),
        (r#"42/custom,0["message-with-ack"]"#, "43/custom,0[]"),
        (r#"4218446744073709551615["message-with-ack",1]"#, "4318446744073709551615[1]"),
    ] {
        socket.say(said).await;
        socket.hears(&[answer]).await;
    }
    pod.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_binary_comes_back_as_it_was() {
    let pod = patient().await;
    let mut socket = connected(&pod).await;
    enter(&mut socket, "/custom,", "{}").await;
    let places = r#"{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}"#;
    for (said, answer) in [
        (format!(r#"452-["message",{places}]"#), format!(r#"452-["message-back",{places}]"#)),
        (format!(r#"452-789["message-with-ack",{places}]"#), format!("462-789[{places}]")),
        (format!(r#"452-/custom,["message",{places}]"#), format!(r#"452-/custom,["message-back",{places}]"#)),
        (
            format!(r#"452-["message",{{"a":[{places}],"b":1}}]"#),
            format!(r#"452-["message-back",{{"a":[{places}],"b":1}}]"#),
        ),
    ] {
        socket.say(&said).await;
        socket.say_binary(&[1, 2, 3]).await;
        socket.say_binary(&[4, 5, 6]).await;
        socket.hears(&[&answer]).await;
        assert_eq!(socket.next().await, Heard::Binary(vec![1, 2, 3]));
        assert_eq!(socket.next().await, Heard::Binary(vec![4, 5, 6]));
    }
    // By requests too, where it is base64
    let session = Polled::open(&pod, SOCKET).await;
    session.say("40").await;
    assert!(session.hear().await.ends_with("\x1e42[\"auth\",{}]"));
    session.say(&format!("452-[\"message\",{places}]\x1ebAQID\x1ebBAUG")).await;
    assert_eq!(session.hear().await, format!("452-[\"message-back\",{places}]\x1ebAQID\x1ebBAUG"));
    pod.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_not_the_protocol_closes() {
    let pod = patient().await;
    for said in [
        "4abc",
        "4",
        "47",
        "42{}",
        "42",
        r#"42abc["message-with-ack",1,"2",{"3":[false]}]"#,
        r#"42["message""#,
        r#"42["message"]]"#,
        "42[1]",
        r#"42/other,["message"]"#,
        r#"451-["message"]"#,
        "40",
        "44{}",
        "43[]",
    ] {
        let mut socket = connected(&pod).await;
        socket.say(said).await;
        socket.is_closed().await;
    }
    for said in ["4abc", "41", r#"42["message"]"#, "43[]", "40[]", r#"40"x""#, "407{}"] {
        let mut socket = Socket::greeted(&pod, SOCKET).await;
        socket.say(said).await;
        socket.is_closed().await;
        let session = Polled::open(&pod, SOCKET).await;
        session.post(said).await;
        let (status, body) = session.get().await;
        assert!(status == 400 || body == "1", "{said}: {status} {body}");
    }
    // Binary that nothing has announced
    let mut socket = connected(&pod).await;
    socket.say_binary(&[1]).await;
    socket.is_closed().await;
    pod.stop().await.unwrap();
}

#[tokio::test]
async fn what_follows_a_connect_at_once_is_answered_in_order() {
    let pod = patient().await;
    let session = Polled::open(&pod, SOCKET).await;
    session.say("40\x1e42[\"message\",1]\x1e420[\"message-with-ack\",2]\x1e42[\"message\",3]").await;
    let mut heard = Vec::new();
    while heard.len() < 5 {
        heard.extend(session.hear().await.split('\x1e').map(str::to_owned));
    }
    let rest = [r#"42["auth",{}]"#, r#"42["message-back",1]"#, "430[2]", r#"42["message-back",3]"#];
    assert!(heard[0].starts_with("40{") && heard[1..] == rest, "{heard:?}");
    // The same through an upgrade
    let mut socket = Socket::probing(&session).await;
    socket.say("2probe").await;
    socket.hears(&["3probe"]).await;
    socket.say("5").await;
    socket.say(r#"421["message-with-ack",4]"#).await;
    socket.hears(&["431[4]"]).await;
    assert_eq!(ask(&pod, "GET", "/", "").await.0, 400, "/ is for sockets");
    pod.stop().await.unwrap();
}
