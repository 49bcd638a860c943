//! A server on a free port with a service that does what the operation's name says.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use longshore_server::auth::Authenticator;
use longshore_server::http::{Answer, Caller, Drained, Endpoint, Options, Readiness, Server, Service, bind};
use longshore_server::metrics::{Metrics, registry};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

/// How long any wait in these tests may last.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Answers `Echo` with the caller, the operation and the body; misbehaves on request.
pub struct Fake {
    /// Told when `Wait` has begun.
    pub begun: Arc<Notify>,
    /// Ends `Wait`.
    pub go_on: Arc<Notify>,
}

impl Service for Fake {
    async fn call(&self, caller: &Caller, operation: Option<&str>, body: Bytes) -> Answer {
        match operation {
            Some("Panic") => panic!("planted"),
            Some("Forever") => pending().await,
            Some("Wait") => {
                self.begun.notify_one();
                self.go_on.notified().await;
            }
            Some("Refuse") => return Answer { status: 400, body: Bytes::from_static(b"{\"__type\":\"X\"}") },
            Some("Nonsense") => return Answer { status: 99, body: Bytes::new() },
            _ => {}
        }
        let text = serde_json::json!({
            "account": caller.scope.account,
            "region": caller.scope.region,
            "principal": caller.principal,
            "operation": operation,
            "length": body.len(),
            "body": String::from_utf8_lossy(body.get(..100).unwrap_or(&body)),
        });
        Answer { status: 200, body: text.to_string().into() }
    }
}

/// A running server.
pub struct Served {
    /// Where it listens.
    pub address: SocketAddr,
    /// Told when `Wait` has begun.
    pub begun: Arc<Notify>,
    /// Ends `Wait`.
    pub go_on: Arc<Notify>,
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<Drained>,
}

impl Served {
    /// Begins the shutdown.
    pub fn begin_to_stop(&mut self) {
        drop(self.stop.take());
    }

    /// Shuts down and says how that went.
    pub async fn stop(mut self) -> Drained {
        self.begin_to_stop();
        tokio::time::timeout(PATIENCE, self.ended).await.expect("the server ends").unwrap()
    }
}

/// Options whose deadlines no test reaches by chance.
pub fn patient() -> Options {
    Options { head_deadline: PATIENCE, body_deadline: PATIENCE, idle_deadline: PATIENCE, drain_deadline: PATIENCE }
}

/// Serves without credentials.
pub async fn serve() -> Served {
    serve_with(Authenticator::open(), patient(), Arc::new(|| Ok(()))).await
}

/// Serves with other parts.
pub async fn serve_with(authenticator: Authenticator, options: Options, ready: Readiness) -> Served {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let service = Fake { begun: Arc::clone(&begun), go_on: Arc::clone(&go_on) };
    let metrics = Metrics::new(registry(), &["Echo", "Panic"]);
    let endpoint = Endpoint::new(service, authenticator, metrics, ready, options);
    let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let server = Server::new(listener, endpoint).unwrap();
    let address = server.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let ended = tokio::spawn(server.run(async { drop(stopped.await) }));
    Served { address, begun, go_on, stop: Some(stop), ended }
}
