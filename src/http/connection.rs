//! What every accepted connection is given: a way to cut it, and an end when its peer takes nothing any more.

use std::{any::Any, time::Duration};

use actix_web::dev::Extensions;
use party_gallery_actors::realtime;

use super::admission;

/// For `HttpServer::on_connect`.
pub fn accepted(connection: &dyn Any, data: &mut Extensions) {
    realtime::on_connect(connection, data);
    limit_silence(connection, admission::IDLE);
}

/// Lets the kernel end the connection when what was sent is not taken for so long, be the peer gone or only not
/// reading. Nobody else could: the body of an answer is not asked for more while the socket takes nothing.
fn limit_silence(connection: &dyn Any, limit: Duration) {
    #[cfg(target_os = "linux")]
    if let Some(stream) = connection.downcast_ref::<tokio::net::TcpStream>() {
        // It fails only on a connection that is gone
        _ = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(limit));
    }
    // Elsewhere the kernel has no such word, and the operator's proxy has to do it
    #[cfg(not(target_os = "linux"))]
    let _ = (connection, limit);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{
        convert::Infallible,
        pin::Pin,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        task::{Context, Poll},
    };

    use actix_web::{App, HttpResponse, HttpServer, web};
    use bytes::Bytes;
    use futures_util::Stream;
    use tokio::{io::AsyncWriteExt as _, net::TcpStream, time::sleep};

    use super::*;

    /// Bytes without end, which tell when nobody wants them any more.
    struct Endless(Arc<AtomicBool>);

    impl Stream for Endless {
        type Item = Result<Bytes, Infallible>;

        fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Ready(Some(Ok(Bytes::from_static(&[0; 65_536]))))
        }
    }

    impl Drop for Endless {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Release);
        }
    }

    #[actix_web::test]
    async fn an_answer_that_nobody_reads_ends() {
        let dropped = Arc::new(AtomicBool::new(false));
        let data = web::Data::new(Arc::clone(&dropped));
        let page = async |dropped: web::Data<Arc<AtomicBool>>| {
            HttpResponse::Ok().streaming(Endless(Arc::clone(&dropped)))
        };
        let server =
            HttpServer::new(move || App::new().app_data(data.clone()).route("/", web::get().to(page)))
                .on_connect(|connection, _| limit_silence(connection, Duration::from_millis(500)))
                .workers(1)
                .disable_signals()
                .bind("127.0.0.1:0")
                .unwrap();
        let address = server.addrs()[0];
        let client = async {
            let mut socket = TcpStream::connect(address).await.unwrap();
            socket.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
            while !dropped.load(Ordering::Acquire) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            ended = server.run() => panic!("the server ended: {ended:?}"),
            within = tokio::time::timeout(Duration::from_secs(20), client) => within.unwrap(),
        }
    }
}
