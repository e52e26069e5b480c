//! A WebSocket client that speaks the service's frames, and can also speak badly or not listen.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::{HeaderName, HeaderValue},
        protocol::CloseFrame,
    },
};

use super::secrets;

/// What a socket that closed without a close frame is said to have closed with (RFC 6455, 7.1.5).
pub const ABNORMAL: u16 = 1006;

/// A connected client.
pub struct WsClient {
    socket: WebSocketStream<TcpStream>,
    is_personal: bool,
}

/// What comes at any time because of what others do: passed over unless it is what a test is about.
const PERSONAL: [&str; 2] = ["notification:new", "presence:update"];

/// What came.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    /// A text frame, as JSON.
    Json(Value),
    /// A binary frame.
    Binary(Vec<u8>),
    /// The end: the close frame's code, 1005 when it has none, or [`ABNORMAL`].
    Closed(u16),
}

impl WsClient {
    /// Connects. A refused upgrade is `Error::Http` with the response.
    pub async fn connect(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Result<Self, Error> {
        Self::over(TcpStream::connect(address).await?, address, path, headers).await
    }

    /// Connects a client that reads nothing after the handshake and whose kernel takes little for it.
    pub async fn connect_deaf(
        address: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<DeafClient, Error> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4_096)?;
        Self::over(socket.connect(address).await?, address, path, headers).await.map(DeafClient)
    }

    async fn over(
        stream: TcpStream,
        address: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, Error> {
        stream.set_nodelay(true)?;
        let mut request = format!("ws://{address}{path}").into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().append(name.parse::<HeaderName>()?, value.parse::<HeaderValue>()?);
        }
        client_async(request, stream).await.map(|(socket, _response)| Self { socket, is_personal: false })
    }

    /// Is given what is for its user alone as well.
    #[must_use]
    pub fn personal(mut self) -> Self {
        self.is_personal = true;
        self
    }

    /// Sends `{"event","data"}`.
    pub async fn emit(&mut self, event: &str, data: Value) {
        self.send_json(&serde_json::json!({ "event": event, "data": data })).await;
    }

    /// Sends any JSON as a text frame.
    pub async fn send_json(&mut self, value: &Value) {
        self.send_text(&value.to_string()).await;
    }

    /// Sends any JSON as a text frame, unless the other side is gone: it will say so when it is listened to.
    pub async fn try_send_json(&mut self, value: &Value) {
        let _ = self.socket.send(Message::text(value.to_string())).await;
    }

    /// Sends a text frame, whatever it says.
    pub async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// Sends a binary frame.
    pub async fn send_binary(&mut self, bytes: &[u8]) {
        self.socket.send(Message::binary(bytes.to_vec())).await.unwrap();
    }

    /// Sends bytes that need not be a frame at all.
    pub async fn send_raw(&mut self, bytes: &[u8]) {
        self.socket.get_mut().write_all(bytes).await.unwrap();
    }

    /// Closes from this side, as a client that leaves does.
    pub async fn close(&mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        self.socket.close(Some(frame)).await.unwrap();
    }

    /// The next thing that comes. Pings are answered on the way.
    pub async fn next(&mut self, deadline: Duration) -> Received {
        timeout(deadline, self.receive()).await.unwrap_or_else(|_| panic!("nothing came within {deadline:?}"))
    }

    /// The next frame, which must be the event `name`: all of it, for `seq` and `partyId` are beside `data`.
    pub async fn expect_event(&mut self, name: &str, deadline: Duration) -> Value {
        match self.next(deadline).await {
            Received::Json(frame) if frame["event"] == name => frame,
            other => panic!("expected the event {name}, got {other:?}"),
        }
    }

    /// The code that the socket is closed with; what comes before is passed over.
    pub async fn expect_close(&mut self, deadline: Duration) -> u16 {
        let closed = async {
            loop {
                if let Received::Closed(code) = self.receive().await {
                    return code;
                }
            }
        };
        timeout(deadline, closed).await.unwrap_or_else(|_| panic!("not closed within {deadline:?}"))
    }

    /// The next text frame, whatever it says. `None`: the socket is closed.
    pub async fn next_text(&mut self, deadline: Duration) -> Option<String> {
        let text = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Text(text))) => {
                        secrets::look_once(&text);
                        return Some(text.to_string());
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                    Some(Ok(_)) => {}
                }
            }
        };
        timeout(deadline, text).await.unwrap_or_else(|_| panic!("nothing came within {deadline:?}"))
    }

    async fn receive(&mut self) -> Received {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    secrets::look_once(&text);
                    let frame: Value =
                        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e} in the frame {text}"));
                    if self.is_personal || !PERSONAL.iter().any(|event| frame["event"] == *event) {
                        return Received::Json(frame);
                    }
                }
                Some(Ok(Message::Binary(bytes))) => return Received::Binary(bytes.to_vec()),
                Some(Ok(Message::Close(frame))) => {
                    return Received::Closed(frame.map_or(1005, |frame| frame.code.into()));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => {
                    println!("The socket failed: {error}");
                    return Received::Closed(ABNORMAL);
                }
                None => return Received::Closed(ABNORMAL),
            }
        }
    }
}

/// A client that sends but does not read.
pub struct DeafClient(WsClient);

impl DeafClient {
    /// Sends any JSON as a text frame.
    pub async fn send_json(&mut self, value: &Value) {
        self.0.send_json(value).await;
    }

    /// Sends any JSON as a text frame, unless it was cut.
    pub async fn try_send_json(&mut self, value: &Value) {
        self.0.try_send_json(value).await;
    }

    /// It begins to read: what the kernels on both sides have kept comes first.
    pub fn listen(self) -> WsClient {
        self.0
    }
}
