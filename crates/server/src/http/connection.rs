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
use super::service::Service;
use super::watch::{Guard, Order, Phase, Watched};

/// The largest head of a request, in bytes; hyper answers 431 beyond it.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Serves one connection until it ends, is overdue, or is told to finish.
pub(crate) async fn serve<S, T>(stream: T, endpoint: Arc<Endpoint<S>>, guard: Guard)
where
    S: Service,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let guard = Arc::new(guard);
    let service = {
        let guard = Arc::clone(&guard);
        service_fn(move |request: Request<Incoming>| {
            let (endpoint, guard) = (Arc::clone(&endpoint), Arc::clone(&guard));
            async move {
                guard.note(Phase::Busy);
                let answer = endpoint.answer(request).await;
                guard.note(Phase::Idle);
                Ok::<_, Infallible>(answer)
            }
        })
    };
    let mut builder = http1::Builder::new();
    builder.header_read_timeout(None).max_header_size(MAX_HEAD_BYTES);
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&guard)));
    let mut connection = pin!(builder.serve_connection(io, service));
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
        connection.as_mut().poll(cx)
    })
    .await;
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}
