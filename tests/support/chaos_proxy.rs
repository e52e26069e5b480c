//! A line in front of a server that can be cut, frozen and healed.
//!
//! It works on a thread and a runtime of its own, so that neither a blocked test nor a paused clock moves it.

use std::{
    future::pending,
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    thread,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    net::{TcpListener, TcpSocket, TcpStream, UnixStream},
    runtime,
    sync::{mpsc, oneshot, watch},
};

/// Where the line leads.
#[derive(Debug, Clone)]
pub enum Upstream {
    /// A TCP address.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// What is done to the line. Each has happened when its method returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Cut,
    Refuse,
    Freeze,
    Heal,
}

/// A TCP proxy on 127.0.0.1 that passes everything until told otherwise.
#[derive(Debug)]
pub struct ChaosProxy {
    address: SocketAddr,
    orders: mpsc::Sender<(Order, oneshot::Sender<()>)>,
}

impl ChaosProxy {
    /// Listens on a free port in front of `upstream`.
    pub async fn start(upstream: Upstream) -> Self {
        let (orders, received) = mpsc::channel(1);
        let (started, address) = oneshot::channel();
        thread::Builder::new()
            .name("chaos-proxy".to_owned())
            .spawn(move || {
                let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(serve(upstream, started, received));
            })
            .unwrap();
        Self { address: address.await.unwrap(), orders }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes every connection; new ones are welcome.
    pub async fn cut(&self) {
        self.order(Order::Cut).await;
    }

    /// New connections are refused; the port stays ours. What is open goes on: [`ChaosProxy::cut`] it after this.
    pub async fn refuse(&self) {
        self.order(Order::Refuse).await;
    }

    /// Connections stay open and new ones are accepted, but no byte passes.
    pub async fn freeze(&self) {
        self.order(Order::Freeze).await;
    }

    /// Listens again and passes everything, also what was held back.
    pub async fn heal(&self) {
        self.order(Order::Heal).await;
    }

    async fn order(&self, order: Order) {
        let (done, carried_out) = oneshot::channel();
        self.orders.send((order, done)).await.unwrap();
        carried_out.await.unwrap();
    }
}

/// Works until the [`ChaosProxy`] is dropped.
async fn serve(
    upstream: Upstream,
    started: oneshot::Sender<SocketAddr>,
    mut orders: mpsc::Receiver<(Order, oneshot::Sender<()>)>,
) {
    let mut listener = Some(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap());
    let address = listener.as_ref().unwrap().local_addr().unwrap();
    started.send(address).unwrap();
    // Bound but not listening: connects are refused, and nobody else takes the port
    let mut reserved = None;
    let frozen = watch::Sender::new(false);
    let mut connections = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            order = orders.recv() => {
                let Some((order, done)) = order else { return };
                match order {
                    Order::Cut => connections.clear(),
                    Order::Refuse => {
                        listener = None;
                        reserved.get_or_insert_with(|| reserve(address).unwrap());
                    }
                    Order::Freeze => drop(frozen.send_replace(true)),
                    Order::Heal => {
                        if let Some(socket) = reserved.take() {
                            listener = Some(socket.listen(1_024).unwrap());
                        }
                        frozen.send_replace(false);
                    }
                }
                // Who asked may have been cancelled meanwhile
                let _ = done.send(());
            }
            Some(client) = accept(listener.as_ref()) => {
                connections.push(connection(client, upstream.clone(), frozen.subscribe()));
            }
            Some(_ended) = connections.next() => {}
        }
    }
}

fn reserve(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// The next client; none, ever, while nobody listens.
async fn accept(listener: Option<&TcpListener>) -> Option<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.ok().map(|(client, _)| client),
        None => pending().await,
    }
}

/// Passes bytes both ways until both sides have closed or one fails.
async fn connection(
    client: TcpStream,
    upstream: Upstream,
    mut frozen: watch::Receiver<bool>,
) -> io::Result<()> {
    client.set_nodelay(true)?;
    thaw(&mut frozen).await?;
    match upstream {
        Upstream::Tcp(address) => pass(client, TcpStream::connect(address).await?, frozen).await,
        Upstream::Unix(path) => pass(client, UnixStream::connect(path).await?, frozen).await,
    }
}

async fn pass(
    client: TcpStream,
    server: impl AsyncRead + AsyncWrite,
    frozen: watch::Receiver<bool>,
) -> io::Result<()> {
    let (from_client, to_client) = split(client);
    let (from_server, to_server) = split(server);
    let there = pump(from_client, to_server, frozen.clone());
    tokio::try_join!(there, pump(from_server, to_client, frozen)).map(drop)
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut frozen: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut bytes = vec![0; 16 * 1_024];
    loop {
        let length = from.read(&mut bytes).await?;
        thaw(&mut frozen).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&bytes[..length]).await?;
    }
}

async fn thaw(frozen: &mut watch::Receiver<bool>) -> io::Result<()> {
    frozen.wait_for(|frozen| !frozen).await.map(drop).map_err(io::Error::other)
}
