//! The floors: the same server in a process of its own, and nothing else but the same bytes, or the same statement.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::header::{ETAG, IF_NONE_MATCH},
    web,
};
use tokio_postgres::{Client, NoTls, Statement};

use crate::{load::Answer, page, processor::Clock, support::servers};

/// What makes this program one of them, and which.
const CONSTANT: &str = "--constant";
const STATEMENT: &str = "--statement";

/// A bare handler that runs.
pub struct Bare {
    child: Child,
    address: SocketAddr,
}

impl Bare {
    /// Is one, until it is killed, if this process is to be one.
    pub fn run() -> bool {
        let words: Vec<String> = env::args().skip(1).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            [CONSTANT, body, etag, ..] => constant(Path::new(body), etag),
            [STATEMENT, url, ..] => statement(url),
            _ => return false,
        }
        true
    }

    /// Starts one that answers so, whatever is asked.
    pub fn constant(answer: &Answer) -> Self {
        let file = servers::directory("bare").join("body");
        fs::write(&file, &answer.body).unwrap();
        Self::start(&[CONSTANT, file.to_str().unwrap(), &answer.etag])
    }

    /// Starts one that asks the PostgreSQL at `url` for each page that is asked for, and writes it as JSON.
    pub fn statement(url: &str) -> Self {
        Self::start(&[STATEMENT, url])
    }

    fn start(words: &[&str]) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        let mut child = command.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
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

/// An application of one route, on as many workers as a pod has.
macro_rules! serve {
    ($application:expr) => {
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new($application)
                .workers(thread::available_parallelism().map_or(2, usize::from))
                .disable_signals()
                .bind("127.0.0.1:0")
                .unwrap();
            println!("{}", server.addrs()[0]);
            server.run().await.unwrap();
        })
    };
}

fn constant(body: &Path, etag: &str) {
    let body: &'static [u8] = fs::read(body).unwrap().leak();
    let etag: &'static str = etag.to_owned().leak();
    let answer = move |request: HttpRequest| async move {
        let known = request.headers().get(IF_NONE_MATCH).is_some_and(|known| known == etag);
        let mut reply = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        reply.insert_header((ETAG, etag)).content_type("application/json");
        if known { reply.finish() } else { reply.body(body) }
    };
    serve!(move || App::new().default_service(web::to(answer)));
}

/// A worker's own connection, on which statements follow each other without waiting for answers.
struct Asker {
    client: Client,
    page: Statement,
}

impl Asker {
    #[expect(clippy::disallowed_methods, reason = "a bare handler has no supervisor")]
    async fn new(url: &str) -> Self {
        let (client, driver) = tokio_postgres::connect(url, NoTls).await.unwrap();
        actix_web::rt::spawn(driver);
        let page = client.prepare(page::SQL).await.unwrap();
        Self { client, page }
    }
}

fn statement(url: &str) {
    let url: &'static str = url.to_owned().leak();
    serve!(move || {
        App::new()
            .data_factory(move || async move { Ok::<_, ()>(Asker::new(url).await) })
            .default_service(web::to(answer))
    });
}

async fn answer(request: HttpRequest, asker: web::Data<Asker>) -> HttpResponse {
    let (party, after) = page::asked(request.path(), request.query_string());
    let rows = asker.client.query(&asker.page, &[&party, &"READY", &page::READ, &after]).await.unwrap();
    HttpResponse::Ok().content_type("application/json").body(page::write(&rows))
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
