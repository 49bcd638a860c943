//! Keep-alive, pipelining, broken requests, and clients that are too slow.

use std::sync::Arc;
use std::time::Duration;

use longshore_server::auth::Authenticator;
use longshore_server::http::Options;

use crate::client::{Client, ask, request, request_with};
use crate::service::{Served, patient, serve, serve_with};

const SHORT: Duration = Duration::from_millis(50);

async fn serve_within(options: Options) -> Served {
    serve_with(Authenticator::open(), options, Arc::new(|| Ok(()))).await
}

#[tokio::test]
async fn a_connection_takes_many_requests_and_ids_differ() {
    let served = serve().await;
    let mut client = Client::connect(served.address).await;
    let mut ids = std::collections::HashSet::new();
    for number in 0..50 {
        let body = format!("{{\"n\":{number}}}");
        let got = client.ask(request("Echo", &body)).await;
        assert_eq!(got.json()["body"].as_str(), Some(body.as_str()));
        ids.insert(got.header("x-amzn-RequestId").unwrap().to_owned());
    }
    assert_eq!(ids.len(), 50);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let served = serve().await;
    let mut client = Client::connect(served.address).await;
    let bodies = ["one", "two", "three", "four"];
    client.send(bodies.map(|body| request("Echo", body)).concat()).await;
    for body in bodies {
        assert_eq!(client.answer().await.json()["body"], body);
    }
}

#[tokio::test]
async fn the_client_may_end_the_connection() {
    let served = serve().await;
    let mut client = Client::connect(served.address).await;
    let got = client.ask(request_with("Echo", "Connection: close\r\n", "{}")).await;
    assert_eq!(got.status, 200);
    assert!(client.is_closed().await);
    let mut client = Client::connect(served.address).await;
    let got = client.ask(request("Echo", "{}").replace("HTTP/1.1", "HTTP/1.0")).await;
    assert_eq!(got.status, 200);
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn what_is_not_http_is_refused_and_others_are_served_on() {
    let served = serve().await;
    let mut other = Client::connect(served.address).await;
    let nonsense: [&[u8]; 7] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"POST\r\n\r\n",
        b"POST / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: minus\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    ];
    for bytes in nonsense {
        let mut client = Client::connect(served.address).await;
        let got = client.ask(bytes).await;
        assert_eq!(got.status, 400, "{}", String::from_utf8_lossy(bytes));
        assert!(client.is_closed().await);
        assert_eq!(other.ask(request("Echo", "{}")).await.status, 200);
    }
    let long = format!("X-Long: {}\r\n", "x".repeat(100_000));
    assert_eq!(ask(served.address, request_with("Echo", &long, "{}")).await.status, 431);
}

#[tokio::test]
async fn there_is_exactly_one_host() {
    let served = serve().await;
    for bytes in
        [request("Echo", "{}").replace("Host: localhost\r\n", ""), request_with("Echo", "Host: localhost\r\n", "{}")]
    {
        let got = ask(served.address, bytes).await;
        assert_eq!((got.status, got.error_type().as_str()), (400, "MalformedHttpRequestException"));
    }
}

#[tokio::test]
async fn a_head_that_does_not_end_is_cut_off() {
    let served = serve_within(Options { head_deadline: SHORT, ..patient() }).await;
    let mut client = Client::connect(served.address).await;
    client.send("POST / HTTP/1.1\r\nHost: local").await;
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn an_idle_connection_is_closed_before_and_after_a_request() {
    let served = serve_within(Options { idle_deadline: SHORT, ..patient() }).await;
    assert!(Client::connect(served.address).await.is_closed().await);
    let mut client = Client::connect(served.address).await;
    assert_eq!(client.ask(request("Echo", "{}")).await.status, 200);
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn an_operation_may_take_longer_than_heads_and_idle_connections() {
    let served = serve_within(Options { head_deadline: SHORT, idle_deadline: SHORT, ..patient() }).await;
    let mut waiting = Client::connect(served.address).await;
    waiting.send(request("Wait", "{}")).await;
    served.begun.notified().await;
    assert!(Client::connect(served.address).await.is_closed().await, "an idle connection of the same age has ended");
    served.go_on.notify_one();
    assert_eq!(waiting.answer().await.status, 200);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_answered_408() {
    let served = serve_within(Options { body_deadline: SHORT, ..patient() }).await;
    let bytes = request("Echo", "{\"a\":1}");
    for sent in [bytes.len() - 7, bytes.len() - 1] {
        let mut client = Client::connect(served.address).await;
        let got = client.ask(&bytes[..sent]).await;
        assert_eq!((got.status, got.error_type().as_str()), (408, "RequestTimeoutException"));
        assert!(client.is_closed().await);
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_harms_nobody() {
    let served = serve().await;
    let bytes = request("Echo", "{\"a\":1}");
    for sent in 1..bytes.len() {
        Client::connect(served.address).await.send(&bytes[..sent]).await;
    }
    assert_eq!(ask(served.address, bytes).await.status, 200);
}

#[tokio::test]
async fn a_body_in_many_pieces_is_read() {
    let served = serve().await;
    let mut client = Client::connect(served.address).await;
    for byte in request("Echo", "{\"a\":1}").as_bytes() {
        client.send([*byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(client.answer().await.json()["body"], "{\"a\":1}");
}
