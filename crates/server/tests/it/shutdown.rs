//! The end of a server: what is in flight is answered, nothing new is taken.

use std::sync::Arc;
use std::time::Duration;

use longshore_server::auth::Authenticator;
use longshore_server::http::{Drained, Options};
use tokio::net::TcpStream;

use crate::client::{Client, request};
use crate::service::{PATIENCE, patient, serve, serve_with};

#[tokio::test]
async fn idle_connections_end_at_once() {
    let served = serve().await;
    let mut fresh = Client::connect(served.address).await;
    let mut used = Client::connect(served.address).await;
    assert_eq!(used.ask(request("Echo", "{}")).await.status, 200);
    assert_eq!(served.stop().await, Drained::Clean);
    assert!(fresh.is_closed().await && used.is_closed().await);
}

#[tokio::test]
async fn a_request_in_flight_is_answered_and_nobody_else_is_let_in() {
    let mut served = serve().await;
    let mut client = Client::connect(served.address).await;
    client.send(request("Wait", "{}")).await;
    served.begun.notified().await;
    served.begin_to_stop();
    let refused = async {
        while TcpStream::connect(served.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, refused).await.expect("the listener closes");
    served.go_on.notify_one();
    let got = client.answer().await;
    assert_eq!(got.status, 200);
    assert_eq!(got.header("connection"), Some("close"));
    assert!(client.is_closed().await);
    assert_eq!(served.stop().await, Drained::Clean);
}

#[tokio::test]
async fn what_does_not_finish_is_dropped() {
    let options = Options { drain_deadline: Duration::from_millis(50), ..patient() };
    let served = serve_with(Authenticator::open(), options, Arc::new(|| Ok(()))).await;
    let mut forever = Client::connect(served.address).await;
    forever.send(request("Forever", "{}")).await;
    let mut half = Client::connect(served.address).await;
    half.send("POST / HT").await;
    let mut other = Client::connect(served.address).await;
    assert_eq!(other.ask(request("Echo", "{}")).await.status, 200);
    let Drained::Dropped(left) = served.stop().await else { panic!("a request that never ends was waited for") };
    assert!(left >= 1);
    assert!(forever.is_closed().await && half.is_closed().await);
}
