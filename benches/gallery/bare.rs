//! The floor: the same server in a process of its own, the same bytes, nothing else.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    thread,
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::header::{ETAG, IF_NONE_MATCH},
    web,
};

use crate::{load::Answer, processor::Clock, support::servers};

const WORD: &str = "--bare";

/// A bare handler that runs.
pub struct Bare {
    child: Child,
    address: SocketAddr,
}

impl Bare {
    /// Whether this process is to be one.
    pub fn is_asked_for() -> bool {
        env::args().nth(1).is_some_and(|word| word == WORD)
    }

    /// Is one, until it is killed. Its words follow: a file that holds the body, and the tag.
    pub fn run() {
        let words: Vec<String> = env::args().collect();
        let body: &'static [u8] = fs::read(&words[2]).unwrap().leak();
        let etag: &'static str = words[3].clone().leak();
        let answer = move |request: HttpRequest| async move {
            let known = request.headers().get(IF_NONE_MATCH).is_some_and(|known| known == etag);
            let mut reply = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
            reply.insert_header((ETAG, etag)).content_type("application/json");
            if known { reply.finish() } else { reply.body(body) }
        };
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new(move || App::new().default_service(web::to(answer)))
                .workers(thread::available_parallelism().map_or(2, usize::from))
                .disable_signals()
                .bind("127.0.0.1:0")
                .unwrap();
            println!("{}", server.addrs()[0]);
            server.run().await.unwrap();
        });
    }

    /// Starts one that answers so.
    pub fn start(answer: &Answer) -> Self {
        let file = servers::directory("bare").join("body");
        fs::write(&file, &answer.body).unwrap();
        let mut command = Command::new(env::current_exe().unwrap());
        command.arg(WORD).arg(file).arg(&answer.etag);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, address: line.trim().parse().unwrap() }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn clock(&self) -> Clock {
        Clock::of_process(self.child.id())
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
