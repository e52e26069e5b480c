//! What no good client of Socket.IO sends: each is answered by an error or the end, and an honest client goes on.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use crate::support::{
    DEADLINE,
    client::Client,
    engine::{EngineSocket, Heard, Polled, connect},
    house::House,
    pod::measured,
    poll::eventually,
    screen::say,
    stage::{Somebody, Stage},
};

/// How much longer than milliseconds an answer may take on a busy machine.
const SOON: Duration = Duration::from_secs(5);
/// As many handshakes as come at once, and as may be open before they say who they are.
const CROWD: usize = 1_000;
const STRANGERS: usize = 50;

/// Somebody who wants nothing but to talk.
struct Honest {
    socket: EngineSocket,
    asked: u64,
    worst: Duration,
}

impl Honest {
    async fn of(pod: SocketAddr, who: &Somebody, party: Uuid) -> Self {
        let mut honest = Self { socket: EngineSocket::of(pod, who).await, asked: 0, worst: Duration::ZERO };
        let answer = honest.ask("chat:join", &json!({ "partyId": party })).await;
        assert_eq!(answer["error"], json!(null), "{answer}");
        honest
    }

    /// Asks, and is acknowledged. Gives with what.
    async fn ask(&mut self, event: &str, data: &Value) -> Value {
        self.asked += 1;
        let (asked, began) = (self.asked, Instant::now());
        self.socket.say(&format!("42{asked}{}", json!([event, data]))).await;
        let rest = self.socket.find(&format!("43{asked}[")).await;
        let [answer]: [Value; 1] = serde_json::from_str(&format!("[{rest}")).unwrap();
        self.worst = self.worst.max(began.elapsed());
        answer
    }

    /// Goes on for as long as it is let.
    async fn go_on(&mut self, party: Uuid) -> ! {
        loop {
            for nth in 0..10 {
                assert_eq!(self.ask("ping", &json!(nth)).await, json!(nth));
                sleep(Duration::from_millis(50)).await;
            }
            let said = self.ask("chat:message", &json!({ "partyId": party, "content": "Still here" })).await;
            assert!(said["message"]["id"].is_string(), "{said}");
        }
    }
}

/// What is said on a socket, and the code with which it is ended.
struct Outrage {
    name: &'static str,
    packet: String,
    /// What is binary behind it.
    attached: Vec<Vec<u8>>,
    code: u16,
    /// And how a body with the same in it is answered.
    status: u16,
}

fn outrage(name: &'static str, packet: impl Into<String>, code: u16, status: u16) -> Outrage {
    Outrage { name, packet: packet.into(), attached: Vec::new(), code, status }
}

/// `n` attachments, as an event names them.
fn places(n: usize) -> String {
    let places: Vec<_> = (0..n).map(|num| format!(r#"{{"_placeholder":true,"num":{num}}}"#)).collect();
    places.join(",")
}

fn outrages() -> Vec<Outrage> {
    let nested = |depth| format!(r#"42["ping",{}{}]"#, "[".repeat(depth), "]".repeat(depth));
    let long = "x".repeat(64 * 1024);
    let binary = |mut outrage: Outrage, attached: &[usize]| {
        outrage.attached = attached.iter().map(|size| vec![7; *size]).collect();
        outrage
    };
    vec![
        outrage("a hundred thousand arrays", nested(100_000), 1009, 413),
        outrage("a packet over 64 KiB", format!(r#"42["ping","{long}"]"#), 1009, 413),
        outrage("a namespace of 64 KiB", format!("40/{long},"), 1009, 413),
        outrage("a namespace that fits", format!("40/{}", &long[..65_000]), 1002, 200),
        outrage("an attachment that has no place", r#"451-["ping"]"#, 1002, 200),
        outrage("a place that has no attachment", format!(r#"451-["ping",{}]"#, places(2)), 1002, 200),
        outrage("too many attachments", format!(r#"4517-["ping",{}]"#, places(17)), 1002, 200),
        outrage("a count that is none", r#"45-1-["ping"]"#, 1002, 200),
        outrage("a count that is endless", format!(r#"45{}-["ping"]"#, "9".repeat(1_000)), 1002, 200),
        outrage(
            "an acknowledgement of what was not sent",
            r#"461-0[{"_placeholder":true,"num":1}]"#,
            1002,
            200,
        ),
        // What follows was not announced, is too much together, or too long by itself
        binary(
            outrage("one attachment too many", format!(r#"451-["ping",{}]"#, places(1)), 1002, 200),
            &[1, 1],
        ),
        binary(outrage("300 KB in five", format!(r#"455-["ping",{}]"#, places(5)), 1002, 200), &[60_000; 5]),
        binary(outrage("a long attachment", format!(r#"451-["ping",{}]"#, places(1)), 1009, 413), &[65_537]),
        outrage(
            "text where binary was to come",
            format!("451-[\"ping\",{}]\x1e42[\"ping\"]", places(1)),
            1002,
            200,
        ),
    ]
}

/// On a socket: each is the end of it.
async fn on_sockets(pod: SocketAddr, people: &[Somebody]) {
    for (outrage, who) in outrages().into_iter().zip(people.iter().cycle()) {
        let mut socket = EngineSocket::of(pod, who).await;
        let began = Instant::now();
        for packet in outrage.packet.split('\x1e') {
            socket.say(packet).await;
        }
        for bytes in &outrage.attached {
            socket.say_binary(bytes).await;
        }
        assert_eq!(socket.closed().await, outrage.code, "{}", outrage.name);
        assert!(began.elapsed() < SOON, "{}: {:?}", outrage.name, began.elapsed());
    }
    let mut socket = EngineSocket::of(pod, &people[0]).await;
    socket.say_binary(&[1, 2, 3]).await;
    assert_eq!(socket.closed().await, 1002, "binary without a header");
    // As deep as a packet may be long is refused, and that is all
    let mut socket = EngineSocket::of(pod, &people[0]).await;
    socket.say(&format!(r#"427["ping",{}{}]"#, "[".repeat(32_000), "]".repeat(32_000))).await;
    let refused: Value = serde_json::from_str(&socket.expect("437").await).unwrap();
    assert_eq!(refused[0]["error"]["code"], "MALFORMED_BODY");
    socket.say(r#"428["ping",1]"#).await;
    assert_eq!(socket.expect("438").await, "[1]");
}

/// A session that is over: whoever waits is told so, and nothing is served any more.
async fn is_over(session: &Polled, name: &str) {
    let (status, body) = session.get().await;
    // What was right before it keeps its answer
    assert!(status == 400 || body.split('\x1e').next_back() == Some("1"), "{name}: {status} {body}");
    assert_eq!(session.get().await.0, 400, "{name}");
    assert_eq!(session.post("42[\"ping\"]").await, 400, "{name}");
}

/// By requests: each is the end of its session.
async fn by_requests(pod: SocketAddr, people: &[Somebody]) {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let mut bodies: Vec<(&str, String, u16)> = outrages()
        .into_iter()
        .map(|Outrage { name, packet, attached, status, .. }| {
            let attached = attached.iter().map(|bytes| format!("\x1eb{}", STANDARD.encode(bytes)));
            (name, packet + &attached.collect::<String>(), status)
        })
        .collect();
    bodies.extend([
        ("three hundred thousand packets", vec!["4"; 300_000].join("\x1e"), 413),
        ("three hundred thousand separators", "\x1e".repeat(300_000), 400),
        ("a body above maxPayload", format!("4{}", "x".repeat(1_000_000)), 413),
        ("binary without a header", "bAQID".to_owned(), 200),
        ("base64 that is none", "b!!!!".to_owned(), 400),
        ("nothing", String::new(), 400),
        ("an upgrade without a socket", "5".to_owned(), 400),
        ("a probe without a socket", "2probe".to_owned(), 400),
    ]);
    for ((name, body, expected), who) in bodies.into_iter().zip(people.iter().cycle()) {
        let session = Polled::of(pod, who).await;
        let began = Instant::now();
        let status = session.post(body).await;
        // Who still writes may only see the connection end
        assert!(status == expected || (expected == 413 && status == 0), "{name}: {status}");
        is_over(&session, name).await;
        assert!(began.elapsed() < SOON, "{name}: {:?}", began.elapsed());
    }
    let session = Polled::of(pod, &people[0]).await;
    let began = Instant::now();
    let (first, second) = tokio::join!(session.get(), session.get());
    let (let_go, refused) = if first.0 == 200 { (first, second) } else { (second, first) };
    assert_eq!((let_go, refused.0), ((200, "1".to_owned()), 400), "two GETs");
    is_over(&session, "two GETs").await;
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

/// A probe that never comes to an upgrade is cut, and its session goes on by requests.
async fn a_probe(pod: SocketAddr, who: &Somebody) {
    let session = Polled::of(pod, who).await;
    let mut socket = session.probe().await;
    socket.say("2probe").await;
    socket.expect("3probe").await;
    socket.closed().await;
    eventually(DEADLINE, "requests carry it again", async || {
        let echo = r#"42["ping","by requests"]"#;
        assert_eq!(session.post(echo).await, 200);
        session.get().await == (200, echo.to_owned())
    })
    .await;
    assert_eq!(session.post("1").await, 200);
}

/// Handshakes of nobody: as many as may be are let in, and out again when they do not say who they are.
async fn a_crowd(pod: SocketAddr) {
    let client = Client::new();
    let mut inside = Vec::new();
    for _ in 0..CROWD / 100 {
        let came = join_all((0..100).map(|_| Polled::open(&client, pod))).await;
        for came in came {
            match came {
                Ok(session) => inside.push(session),
                Err(status) => assert_eq!(status, 429),
            }
        }
    }
    assert!(inside.len() >= STRANGERS, "{}", inside.len());
    assert!(inside.len() <= 3 * STRANGERS, "those who were put out made room: {}", inside.len());
    assert!(measured(&pod, "realtime_sessions").await <= (STRANGERS + 10) as f64);
    let (status, body) = inside[0].get().await;
    assert!(status == 400 || body.ends_with('1'), "{status} {body}");
}

#[tokio::test]
async fn an_honest_client_goes_on_whatever_others_send() {
    let house = House::start().await;
    let (process, pod) = house.pod(&[]).await;
    let stage: Stage = house.stage();
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let (guest, people) = (stage.guest(party).await, stage.guests(party, 12).await);
    let mut honest = Honest::of(pod, &guest, party).await;
    let attack = async {
        let one_by_one = async {
            on_sockets(pod, &people[..5]).await;
            by_requests(pod, &people[5..10]).await;
        };
        tokio::join!(one_by_one, a_probe(pod, &people[11]));
        a_crowd(pod).await;
        eventually(DEADLINE, "nobody is left but the honest one", async || {
            // Asked calmly: each question is a request of its own
            sleep(Duration::from_millis(100)).await;
            measured(&pod, "realtime_sessions").await == 1.0
        })
        .await;
    };
    tokio::select! {
        () = attack => {}
        never = honest.go_on(party) => never,
    }
    assert!(honest.worst < SOON, "{:?}", honest.worst);
    println!("{} questions, the slowest answer after {:?}", honest.asked, honest.worst);
    // And hears what others say, once
    let said = say(&pod, &host, party, "What was that?").await;
    loop {
        let heard: Value = serde_json::from_str(&honest.socket.find("42").await).unwrap();
        if heard[1]["id"] == said["id"] {
            break;
        }
    }
    honest.ask("ping", &json!("the end")).await;
    assert!(process.peak() < 400_000_000, "{}", process.peak());
    let lines = process.lines();
    assert!(
        lines.iter().all(|line| line["message"] != "Actor restarted" && line["message"] != "Session failed")
    );
}

/// A CONNECT takes time, for it is asked whether the token is still worth something: what follows waits.
#[tokio::test]
async fn what_follows_a_connect_at_once_waits_for_it_and_is_answered_in_order() {
    let house = House::start().await;
    let (_process, pod) = house.pod(&[]).await;
    let stage = house.stage();
    let host = stage.user().await;
    let party = stage.party(&host, "LIVE", true).await;
    let guest = stage.guest(party).await;
    let packets = [
        connect(&guest),
        r#"420["ping",1]"#.to_owned(),
        format!(r#"421["chat:join",{{"partyId":"{party}"}}]"#),
        format!(r#"422["chat:message",{{"partyId":"{party}","content":"Hello"}}]"#),
        r#"423["no:such"]"#.to_owned(),
        r#"424["ping",2]"#.to_owned(),
    ];
    let expected = ["40", "430", "431", "432", "433", "434"];
    let answers = |heard: &[String]| -> Vec<String> {
        let is_answer = |packet: &&String| packet.starts_with("40") || packet.starts_with("43");
        let head = |packet: &String| packet.chars().take_while(char::is_ascii_digit).collect();
        heard.iter().filter(is_answer).map(head).collect()
    };

    let session = Polled::open(&Client::new(), pod).await.unwrap();
    assert_eq!(session.post(packets.join("\x1e")).await, 200);
    let mut heard: Vec<String> = Vec::new();
    while answers(&heard).len() < expected.len() {
        let (status, body) = session.get().await;
        assert_eq!(status, 200, "{body}");
        heard.extend(body.split('\x1e').map(str::to_owned));
    }
    assert_eq!(answers(&heard), expected);

    // The same on the socket that takes over
    let mut socket = session.probe().await;
    socket.say("2probe").await;
    socket.expect("3probe").await;
    socket.say("5").await;
    for packet in &packets[1..] {
        socket.say(packet).await;
    }
    let mut heard = Vec::new();
    while answers(&heard).len() < expected.len() - 1 {
        let Heard::Text(packet) = socket.next().await else { panic!("{heard:?}") };
        heard.push(packet);
    }
    assert_eq!(answers(&heard), expected[1..]);
}
