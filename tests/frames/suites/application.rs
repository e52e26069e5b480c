//! The rooms of the fixture's application.

use super::peer::{Heard, Polled, SOCKET, Socket, patient};
use crate::pod::Pod;

/// A socket that is in these namespaces.
async fn inside(pod: &Pod, namespaces: &[&str]) -> Socket {
    let mut socket = Socket::greeted(pod, SOCKET).await;
    for namespace in namespaces {
        socket.say(&format!("40{namespace}")).await;
        assert!(matches!(socket.next().await, Heard::Text(answer) if answer.starts_with("40")));
        socket.hears(&[&format!(r#"42{namespace}["auth",{{}}]"#)]).await;
    }
    socket
}

/// Asks, and is acknowledged without arguments.
async fn done(socket: &mut Socket, said: &str, acknowledged: &str) {
    socket.say(said).await;
    socket.hears(&[acknowledged]).await;
}

#[tokio::test]
async fn who_is_in_a_room_hears_what_is_said_there_once() {
    let pod = patient().await;
    let mut first = inside(&pod, &["", "/custom,"]).await;
    let mut second = inside(&pod, &[""]).await;
    let mut outside = inside(&pod, &[""]).await;
    let polled = Polled::open(&pod, SOCKET).await;
    polled.say("40").await;
    assert!(polled.hear().await.ends_with("[\"auth\",{}]"));
    polled.say("421[\"join\",\"a\"]").await;
    assert_eq!(polled.hear().await, "431[]");
    done(&mut first, r#"421["join","a"]"#, "431[]").await;
    done(&mut first, r#"422["join","a"]"#, "432[]").await;
    done(&mut second, r#"421["join","a"]"#, "431[]").await;
    done(&mut second, r#"422["join","b"]"#, "432[]").await;

    done(&mut outside, r#"421["pub","a",{"x":[1]}]"#, "431[]").await;
    for socket in [&mut first, &mut second] {
        socket.hears(&[r#"42["m",{"x":[1]}]"#]).await;
    }
    assert_eq!(polled.hear().await, r#"42["m",{"x":[1]}]"#);

    // Who says it hears it too, ahead of the acknowledgement
    second.say(r#"423["pub","b",7]"#).await;
    second.hears(&[r#"42["m",7]"#, "433[]"]).await;

    // With all that is binary, and nothing between
    outside.say(r#"451-["pub","a",{"_placeholder":true,"num":0}]"#).await;
    outside.say_binary(&[9, 8]).await;
    for socket in [&mut first, &mut second] {
        socket.hears(&[r#"451-["m",{"_placeholder":true,"num":0}]"#]).await;
        assert_eq!(socket.next().await, Heard::Binary(vec![9, 8]));
    }
    assert_eq!(polled.hear().await, "451-[\"m\",{\"_placeholder\":true,\"num\":0}]\x1ebCQg=");

    // The room of that name in another namespace is another room
    done(&mut first, r#"42/custom,4["pub","a",1]"#, "43/custom,4[]").await;
    done(&mut first, r#"42/custom,5["join","a"]"#, "43/custom,5[]").await;
    first.say(r#"42/custom,6["pub","a",2]"#).await;
    first.hears(&[r#"42/custom,["m",2]"#, "43/custom,6[]"]).await;

    // Out of a room, of a namespace, of the connection
    done(&mut second, r#"424["leave","a"]"#, "434[]").await;
    first.say("41/custom,").await;
    done(&mut outside, r#"422["pub","a",3]"#, "432[]").await;
    first.hears(&[r#"42["m",3]"#]).await;
    done(&mut second, r#"425["message-with-ack"]"#, "435[]").await;
    drop(first);
    polled.say("1").await;
    done(&mut outside, r#"423["pub","a",4]"#, "433[]").await;
    done(&mut second, r#"426["message-with-ack"]"#, "436[]").await;
    pod.stop().await.unwrap();
}
