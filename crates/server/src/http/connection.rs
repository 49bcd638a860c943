//! One connection: hyper's HTTP/1.1 on a watched stream.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::endpoint::Endpoint;
use super::one_poll::ConnectionWaker;
use super::service::Service;
use super::spelling::Spelled;
use super::watch::{Guard, Order, Phase, Watched};

/// The largest head of a request, in bytes; hyper answers 431 beyond it.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Serves one connection until it ends, is overdue, or is told to finish.
pub(crate) async fn serve<S, T>(stream: T, endpoint: Arc<Endpoint<S>>, guard: Guard)
where
    S: Service,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let (endpoint, guard) = (&*endpoint, &guard);
    let service = service_fn(|request: Request<Incoming>| async {
        guard.note(Phase::Busy);
        let answer = endpoint.answer(request).await;
        guard.note(Phase::Idle);
        Ok::<_, Infallible>(answer)
    });
    let mut builder = http1::Builder::new();
    // Half-closed connections are allowed because hyper else reads ahead, into a new buffer, while a request is answered.
    builder.header_read_timeout(None).max_header_size(MAX_HEAD_BYTES).half_close(true);
    let io = TokioIo::new(Spelled::new(Watched::new(stream, guard)));
    let mut connection = pin!(builder.serve_connection(io, service));
    let waker = ConnectionWaker::new();
    let mut finishing = false;
    let ended = poll_fn(|cx| {
        match guard.order(cx) {
            Order::GoOn => {}
            Order::Drop => return Poll::Ready(Ok(())),
            Order::Finish if finishing => {}
            Order::Finish => {
                finishing = true;
                connection.as_mut().graceful_shutdown();
            }
        }
        connection.as_mut().poll(&mut waker.context(cx))
    })
    .await;
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}
