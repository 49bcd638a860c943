//! The accept loop and its end.
//!
//! Accepting goes on whatever one connection or the system does: when file descriptors run out it
//! waits a little and tries again. A shutdown stops accepting, lets requests in flight finish
//! within a deadline, closes idle connections at once, and then drops what is left.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::connection;
use super::endpoint::Endpoint;
use super::service::Service;
use super::watch::{Order, Watches};

/// How long to wait after accepting failed for want of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A listener with what answers on it.
#[derive(Debug)]
pub struct Server<S> {
    listener: TcpListener,
    address: SocketAddr,
    endpoint: Arc<Endpoint<S>>,
}

/// How a server came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every request in flight was answered.
    Clean,
    /// The deadline passed first; this many connections were dropped.
    Dropped(usize),
}

impl<S: Service> Server<S> {
    /// A server on a listener that is bound already (see [`bind`]).
    ///
    /// # Errors
    /// When the system does not say which address the listener has.
    pub fn new(listener: TcpListener, endpoint: Endpoint<S>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        Ok(Self { listener, address, endpoint: Arc::new(endpoint) })
    }

    /// The address that is listened on, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` is done, then drains.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Drained {
        let options = &self.endpoint.options;
        let watches = Arc::new(Watches::new(options.head_deadline, options.idle_deadline));
        let (alive, mut all_ended) = mpsc::channel::<()>(1);
        let forever = async {
            let accept = self.accept(&watches, &alive);
            tokio::join!(accept, watches.keep_time()).0
        };
        tokio::select! {
            () = shutdown => {}
            never = forever => match never {},
        }
        let Self { listener, endpoint, .. } = self;
        drop(listener);
        drop(alive);
        watches.give_all(Order::Finish);
        let ended = async { while all_ended.recv().await.is_some() {} };
        if tokio::time::timeout(endpoint.options.drain_deadline, ended).await.is_ok() {
            return Drained::Clean;
        }
        let left = watches.len();
        watches.give_all(Order::Drop);
        Drained::Dropped(left)
    }

    async fn accept(&self, watches: &Arc<Watches>, alive: &mpsc::Sender<()>) -> std::convert::Infallible {
        let mut failing = false;
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    failing = false;
                    self.spawn(stream, watches, alive.clone());
                }
                Err(error) if concerns_one_client(&error) => {
                    tracing::debug!(%error, "a connection was gone before it was accepted");
                }
                Err(error) => {
                    if !failing {
                        tracing::warn!(%error, open = watches.len(), "cannot accept connections, trying again");
                    }
                    failing = true;
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn spawn(&self, stream: TcpStream, watches: &Arc<Watches>, alive: mpsc::Sender<()>) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        let (endpoint, guard) = (Arc::clone(&self.endpoint), watches.enter());
        tokio::spawn(async move {
            connection::serve(stream, endpoint, guard).await;
            drop(alive);
        });
    }
}

/// Binds a listening socket.
///
/// # Errors
/// What the system says, most often that the address is in use.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

fn concerns_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
