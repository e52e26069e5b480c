//! The floor: a process with one thread that writes a frame to each socket of a room, by one `send` for each.

use std::{
    collections::HashMap,
    env,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Command,
    time::Duration,
};

use crate::{
    load::{Load, Server},
    service::Service,
    socket::{Control, Hello},
    socketio::first_word,
    support::process::{Process, spent},
};

const WORD: &str = "--floor";
/// The room of who says something.
const CONTROL: &str = "control";
const DONE: &str = "done";

/// A floor that runs.
pub struct Floor {
    process: Process,
    address: SocketAddr,
    control: Control,
}

impl Floor {
    /// Whether this process is to be one.
    pub fn is_asked_for() -> bool {
        env::args().nth(1).is_some_and(|word| word == WORD)
    }

    /// Is one, until it is killed. Its words follow: what it says, and how many come to listen.
    pub fn run() {
        let words: Vec<String> = env::args().collect();
        let (frame, sockets) = (framed(words[2].as_bytes()), words[3].parse().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        println!("{}", listener.local_addr().unwrap());
        let (mut rooms, mut control) = (HashMap::<String, Vec<TcpStream>>::new(), None);
        for _ in 0..=sockets {
            let mut stream = listener.accept().unwrap().0;
            stream.set_nodelay(true).unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let first = lines.next().unwrap().unwrap();
            while !lines.next().unwrap().unwrap().is_empty() {}
            let room = first.split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
            stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\r\n").unwrap();
            if room == CONTROL {
                control = Some(stream);
            } else {
                rooms.entry(room).or_default().push(stream);
            }
        }
        let (mut control, done) = (control.unwrap(), framed(DONE.as_bytes()));
        let mut head = [0; 6];
        while control.read_exact(&mut head).is_ok() {
            let mut room = vec![0; usize::from(head[1] & 0x7f)];
            control.read_exact(&mut room).unwrap();
            for stream in rooms.get_mut(&String::from_utf8(room).unwrap()).unwrap() {
                assert_eq!(stream.write(&frame).unwrap(), frame.len(), "its listener has read enough");
            }
            control.write_all(&done).unwrap();
        }
    }

    /// Starts one for a load.
    pub async fn start(frame: &str, load: &Load) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.arg(WORD).arg(frame).arg((load.rooms * load.each).to_string());
        let process = Process::run(command);
        let address = first_word(&process).await;
        let control =
            Control::connect(address, Hello::new(&format!("/{CONTROL}"), "", Vec::new()), DONE).await;
        Self { process, address, control }
    }
}

impl Server for Floor {
    const DELIVERY: &'static str = Service::DELIVERY;

    fn address(&self) -> SocketAddr {
        self.address
    }

    async fn open(&self, _: usize, _: usize) {}

    fn hello(&self, room: usize, _: usize) -> Hello {
        Hello::new(&format!("/{room}"), "", Vec::new())
    }

    async fn say(&self, room: usize) {
        self.control.ask(&room.to_string()).await;
    }

    async fn attend(&self) {
        self.control.attend().await;
    }

    fn spent(&self) -> Duration {
        spent(self.process.id())
    }

    fn resident(&self) -> u64 {
        self.process.resident()
    }
}

fn framed(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u8::try_from(payload.len()) {
        Ok(short) if short < 126 => frame.push(short),
        _ => {
            frame.push(126);
            frame.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}
