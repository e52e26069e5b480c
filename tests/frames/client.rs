//! A WebSocket client that writes its frames by hand, right or wrong, and reads them strictly.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

const FIN: u8 = 0x80;
const MASK: [u8; 4] = [0xa1, 0x00, 0x5e, 0xff];

/// Opcodes, as they stand in a frame's first byte.
pub(crate) mod opcode {
    pub(crate) const CONTINUATION: u8 = 0;
    pub(crate) const TEXT: u8 = 1;
    pub(crate) const BINARY: u8 = 2;
    pub(crate) const CLOSE: u8 = 8;
    pub(crate) const PING: u8 = 9;
    pub(crate) const PONG: u8 = 10;
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Got {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Pong(Vec<u8>),
    /// With its code, if it has one.
    Close(Option<u16>),
    /// The connection has ended.
    End,
}

/// A whole frame as bytes, masked. `first` is its opcode and whatever else is to be set beside FIN.
pub(crate) fn whole(first: u8, payload: &[u8]) -> Vec<u8> {
    frame(FIN | first, payload)
}

/// A frame after which more of its message is to come.
pub(crate) fn part(first: u8, payload: &[u8]) -> Vec<u8> {
    frame(first, payload)
}

/// A close with `code` and `reason`.
pub(crate) fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    whole(opcode::CLOSE, &[&code.to_be_bytes(), reason].concat())
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..126 => bytes.push(0x80 | u8::try_from(short).unwrap()),
        medium @ 126..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&u16::try_from(medium).unwrap().to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&MASK);
    bytes.extend(payload.iter().zip(MASK.into_iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// A client that has shaken hands.
pub(crate) struct Client(TcpStream);

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let request = format!(
            "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.unwrap());
        }
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        // RFC 6455, 1.3: the accept of that key
        assert!(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{answer}");
        Self(stream)
    }

    /// Sends `bytes` in pieces of `size`, unless the other side is gone: it will say so when it is listened to.
    pub(crate) async fn send(&mut self, bytes: &[u8], size: usize) {
        for piece in bytes.chunks(size) {
            if self.0.write_all(piece).await.is_err() {
                return;
            }
        }
    }

    /// The next frame, which must be whole, not masked and without reserved bits. Pings are passed over.
    pub(crate) async fn next(&mut self) -> Got {
        match timeout(PATIENCE, self.receive()).await {
            Ok(Ok(got)) => got,
            Ok(Err(_gone)) => Got::End,
            Err(_late) => panic!("nothing came"),
        }
    }

    async fn receive(&mut self) -> io::Result<Got> {
        loop {
            let first = self.0.read_u8().await?;
            let payload = self.payload().await?;
            assert_eq!(first & 0xf0, FIN, "a server's frame is whole and has no reserved bits: {first:x}");
            return Ok(match first & 0x0f {
                opcode::TEXT => Got::Text(payload),
                opcode::BINARY => Got::Binary(payload),
                opcode::CLOSE => Got::Close(payload.first_chunk().map(|code| u16::from_be_bytes(*code))),
                opcode::PONG => Got::Pong(payload),
                opcode::PING => continue,
                other => panic!("no such opcode: {other}"),
            });
        }
    }

    async fn payload(&mut self) -> io::Result<Vec<u8>> {
        let length = match self.0.read_u8().await? {
            short @ 0..126 => usize::from(short),
            126 => usize::from(self.0.read_u16().await?),
            127 => usize::try_from(self.0.read_u64().await?).unwrap(),
            masked => panic!("a server's frame is not masked: {masked:x}"),
        };
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).await?;
        Ok(payload)
    }
}
