//! What a guest's screen does: follows a party over a socket and notes what is logged.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    DEADLINE,
    pod::Pod,
    stage::{Somebody, ask},
    ws::{Received, WsClient},
};

/// A screen: a socket that answers questions and collects what is logged.
pub struct Screen {
    socket: WsClient,
    asked: u64,
}

impl Screen {
    /// Somebody's, at a pod.
    pub async fn of(pod: &impl Pod, somebody: &Somebody) -> Self {
        let headers = [("authorization", somebody.bearer.as_str())];
        Self { socket: WsClient::connect(pod.at(), "/ws", &headers).await.unwrap(), asked: 0 }
    }

    /// As [`Screen::of`], and it notes what is for its user alone as well.
    pub async fn personal(pod: &impl Pod, somebody: &Somebody) -> Self {
        let Self { socket, asked } = Self::of(pod, somebody).await;
        Self { socket: socket.personal(), asked }
    }

    /// Asks for something. Gives the events that came before the answer, and the answer.
    pub async fn ask(&mut self, event: &str, data: Value) -> (Vec<Value>, Value) {
        self.send(event, data).await;
        let mut events = Vec::new();
        loop {
            let frame = self.frame().await;
            if frame["ack"] == self.asked {
                return (events, frame);
            }
            events.push(frame);
        }
    }

    /// Asks for something, and does not wait for the answer.
    pub async fn send(&mut self, event: &str, data: Value) {
        self.asked += 1;
        self.socket.send_json(&json!({ "id": self.asked, "event": event, "data": data })).await;
    }

    /// The next answer; events before it are passed over.
    pub async fn answer(&mut self) -> Value {
        loop {
            let frame = self.frame().await;
            if frame["ack"].is_number() {
                return frame;
            }
        }
    }

    /// Follows a party from now on. Gives the answer's data.
    pub async fn join(&mut self, party: Uuid) -> Value {
        let (events, answer) = self.ask("party:join_live", json!({ "partyId": party })).await;
        assert!(
            events.iter().all(|event| event["seq"].is_null()),
            "nothing logged was asked for: {events:?}"
        );
        assert_eq!(answer["error"], json!(null));
        answer["data"].clone()
    }

    /// Asks for what is refused. Gives the code.
    pub async fn refused(&mut self, event: &str, data: Value) -> String {
        let (_, answer) = self.ask(event, data).await;
        assert_eq!(answer["data"], json!(null), "{answer}");
        answer["error"]["code"].as_str().unwrap().to_owned()
    }

    /// The next logged event.
    pub async fn logged(&mut self) -> Value {
        loop {
            let frame = self.frame().await;
            if frame["seq"].is_number() {
                return frame;
            }
        }
    }

    /// The logged events up to number `seq`, by number and name.
    pub async fn logged_up_to(&mut self, seq: i64) -> Vec<(i64, String)> {
        let mut events = Vec::new();
        while events.last().is_none_or(|(last, _)| *last < seq) {
            events.push(brief(&self.logged().await));
        }
        events
    }

    /// The logged events, by number and name, until the socket is closed.
    pub async fn logged_until_closed(&mut self) -> Vec<(i64, String)> {
        let mut events = Vec::new();
        loop {
            match self.socket.next(DEADLINE).await {
                Received::Json(frame) if frame["seq"].is_number() => events.push(brief(&frame)),
                Received::Json(_) | Received::Binary(_) => {}
                Received::Closed(_) => return events,
            }
        }
    }

    /// The data of the next event of that name; what comes before is passed over.
    pub async fn heard(&mut self, name: &str) -> Value {
        self.heard_within(name, DEADLINE).await
    }

    /// The same of what may take longer: each frame as long as `deadline`.
    pub async fn heard_within(&mut self, name: &str, deadline: Duration) -> Value {
        loop {
            let mut frame = self.frame_within(deadline).await;
            if frame["event"] == name {
                return frame["data"].take();
            }
        }
    }

    /// The next frame, whatever it is.
    pub async fn frame(&mut self) -> Value {
        self.frame_within(DEADLINE).await
    }

    /// The next frame, which may take that long.
    pub async fn frame_within(&mut self, deadline: Duration) -> Value {
        match self.socket.next(deadline).await {
            Received::Json(frame) => frame,
            other => panic!("a frame is expected, not {other:?}"),
        }
    }

    /// The code that its socket is closed with; what comes before is passed over.
    pub async fn closed(&mut self) -> u16 {
        self.socket.expect_close(DEADLINE).await
    }

    /// Whatever has come up to now is through when this is: a question that is answered at once.
    pub async fn settled(&mut self) -> Vec<Value> {
        self.ask("ping", json!(null)).await.0
    }
}

/// Number and name of a logged event.
pub fn brief(event: &Value) -> (i64, String) {
    (event["seq"].as_i64().unwrap(), event["event"].as_str().unwrap().to_owned())
}

/// Says something over REST. Gives the Message.
pub async fn say(pod: &impl Pod, who: &Somebody, party: Uuid, content: &str) -> Value {
    let path = format!("/api/v1/parties/{party}/chat/messages");
    let said = ask(pod, Some(who), Method::POST, &path, &[], Some(json!({ "content": content }))).await;
    assert_eq!(said.status, 201, "{:?}", said.body);
    said.body["data"]["message"].clone()
}
