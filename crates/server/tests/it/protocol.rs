//! Routes, headers, bodies, errors, and the query protocol.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use longshore_server::auth::Authenticator;

use crate::client::{Client, ask, request, request_with};
use crate::service::{patient, serve, serve_with};

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn an_answer_has_exactly_amazons_headers() {
    let served = serve().await;
    let got = ask(served.address, request("Echo", "{}")).await;
    assert_eq!(got.status, 200);
    let names: Vec<&str> =
        got.head.lines().skip(1).filter_map(|line| line.split_once(':')).map(|pair| pair.0).collect();
    assert_eq!(names, ["Content-Type", "x-amzn-RequestId", "Content-Length", "Date"]);
    assert_eq!(got.header("Content-Type"), Some("application/x-amz-json-1.1"));
    let id = got.header("x-amzn-RequestId").unwrap();
    assert_eq!((id.len(), &id[14..15]), (36, "4"));
    let expected = serde_json::json!({
        "account": "000000000000", "region": "us-east-1", "principal": "arn:aws:iam::000000000000:root",
        "operation": "Echo", "length": 2, "body": "{}",
    });
    assert_eq!(got.json(), expected);
}

#[tokio::test]
async fn the_operation_is_what_stands_after_our_prefix() {
    let served = serve().await;
    let target = |line: &str| format!("POST / HTTP/1.1\r\nHost: localhost\r\n{line}Content-Length: 0\r\n\r\n");
    for (line, operation) in [
        ("x-amz-target: AmazonEC2ContainerServiceV20141113.ListTasks\r\n", Some("ListTasks")),
        ("X-AMZ-TARGET: AmazonEC2ContainerServiceV20141113.No.Such\r\n", Some("No.Such")),
        ("X-Amz-Target: DynamoDB_20120810.ListTables\r\n", None),
        ("X-Amz-Target: AmazonEC2ContainerServiceV20141113\r\n", None),
        ("X-Amz-Target: \u{e9}\r\n", None),
        ("", None),
    ] {
        let got = ask(served.address, target(line)).await;
        assert_eq!(got.json()["operation"].as_str(), operation, "{line}");
    }
}

#[tokio::test]
async fn the_content_type_does_not_matter_beside_a_target() {
    let served = serve().await;
    for content_type in ["application/x-amz-json-1.1; charset=utf-8", "application/x-www-form-urlencoded", "text/plain"]
    {
        let bytes = request("Echo", "{}").replace("application/x-amz-json-1.1", content_type);
        assert_eq!(ask(served.address, bytes).await.json()["operation"], "Echo", "{content_type}");
    }
}

#[tokio::test]
async fn a_body_of_one_mebibyte_passes_and_one_more_byte_does_not() {
    let served = serve().await;
    let mut client = Client::connect(served.address).await;
    let got = client.ask(request("Echo", &"x".repeat(MIB))).await;
    assert_eq!((got.status, got.json()["length"].as_u64()), (200, Some(MIB as u64)));
    for size in [MIB + 1, 8 * MIB, 64 * MIB] {
        let bytes = request("Echo", &"x".repeat(size));
        let (got, _) = tokio::join!(read_while_sending(served.address, bytes), async {});
        assert_eq!((got.status, got.error_type().as_str()), (413, "RequestEntityTooLargeException"), "{size}");
    }
}

/// Sends what the server takes and returns its answer. A body that is far too large is answered
/// before it is read, so the rest of it is not sent.
async fn read_while_sending(address: std::net::SocketAddr, bytes: String) -> crate::client::Got {
    let mut client = Client::connect(address).await;
    let sent = if bytes.len() > 32 * MIB { &bytes[..64 * 1024] } else { &bytes };
    client.ask(sent).await
}

#[tokio::test]
async fn a_chunked_body_is_put_together_and_counted() {
    let served = serve().await;
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let head = request("Echo", "").replace("Content-Length: 0", "Transfer-Encoding: chunked");
    let mut client = Client::connect(served.address).await;
    let got = client.ask(format!("{head}{}{}0\r\n\r\n", chunk("{\"a\":"), chunk("1}"))).await;
    assert_eq!(got.json()["body"], "{\"a\":1}");
    let got = client.ask(format!("{head}0\r\n\r\n")).await;
    assert_eq!(got.json()["length"], 0);
    let large = chunk(&"x".repeat(MIB / 2)).repeat(3);
    let got = client.ask(format!("{head}{large}0\r\n\r\n")).await;
    assert_eq!(got.error_type(), "RequestEntityTooLargeException");
    let got = ask(served.address, format!("{head}nothex\r\n")).await;
    assert_eq!((got.status, got.error_type().as_str()), (400, "MalformedHttpRequestException"));
}

#[tokio::test]
async fn a_client_that_asks_before_sending_is_told_to_go_on() {
    let served = serve().await;
    let mut client = Client::connect(served.address).await;
    let bytes = request_with("Echo", "Expect: 100-continue\r\n", "{}");
    let got = client.ask(&bytes[..bytes.len() - 2]).await;
    assert_eq!(got.status, 100);
    assert_eq!(client.ask("{}").await.json()["body"], "{}");
}

#[tokio::test]
async fn a_panic_is_an_answer_and_the_connection_lives_on() {
    let served = serve().await;
    let mut client = Client::connect(served.address).await;
    let got = client.ask(request("Panic", "{}")).await;
    assert_eq!((got.status, got.error_type().as_str()), (500, "ServerException"));
    assert_eq!(got.json()["message"], "Service Unavailable. Please try again later.");
    assert_eq!(client.ask(request("Echo", "{}")).await.status, 200);
}

#[tokio::test]
async fn the_services_status_is_passed_on() {
    let served = serve().await;
    let got = ask(served.address, request("Refuse", "{}")).await;
    assert_eq!((got.status, got.body.as_str()), (400, "{\"__type\":\"X\"}"));
    assert_eq!(ask(served.address, request("Nonsense", "{}")).await.status, 500);
}

#[tokio::test]
async fn other_paths_and_methods_say_what_there_is() {
    let served = serve().await;
    for (line, status, allow) in [
        ("GET /", 405, Some("POST")),
        ("DELETE /", 405, Some("POST")),
        ("POST /healthz", 405, Some("GET, HEAD")),
        ("GET /nothing", 404, None),
        ("POST //", 404, None),
        ("POST /%2e", 404, None),
    ] {
        let got = ask(served.address, format!("{line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")).await;
        assert_eq!(got.status, status, "{line}");
        assert_eq!(got.header("allow"), allow, "{line}");
        assert_eq!(got.error_type(), "UnknownOperationException", "{line}");
    }
}

#[tokio::test]
async fn probes_are_answered() {
    let ready = Arc::new(AtomicBool::new(false));
    let is_ready = Arc::clone(&ready);
    let answer = move || if is_ready.load(Ordering::Relaxed) { Ok(()) } else { Err("no engine \"yet\"".to_owned()) };
    let served = serve_with(Authenticator::open(), patient(), Arc::new(answer)).await;
    let get = |path: &str| ask(served.address, format!("GET {path} HTTP/1.1\r\nHost: anything.example\r\n\r\n"));
    let got = get("/healthz").await;
    assert_eq!((got.status, got.header("Content-Type")), (200, Some("application/json")));
    let got = get("/readyz").await;
    assert_eq!((got.status, got.json()["reason"].as_str()), (503, Some("no engine \"yet\"")));
    ready.store(true, Ordering::Relaxed);
    assert_eq!(get("/readyz").await.status, 200);
}

#[tokio::test]
async fn requests_are_counted() {
    let served = serve().await;
    for operation in ["Echo", "Echo", "Panic", "Invented"] {
        ask(served.address, request(operation, "{}")).await;
    }
    let got = ask(served.address, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(got.header("Content-Type").unwrap().starts_with("application/openmetrics-text; version=1.0.0"));
    for line in [
        "longshore_requests_total{operation=\"Echo\",code=\"200\"} 2",
        "longshore_requests_total{operation=\"Panic\",code=\"500\"} 1",
        "longshore_requests_total{operation=\"Unknown\",code=\"200\"} 1",
    ] {
        assert!(got.body.lines().any(|found| found == line), "{line} is missing in\n{}", got.body);
    }
    assert!(!got.body.contains("Invented"));
}

#[tokio::test]
async fn sts_says_who_is_calling_in_xml() {
    let served = serve().await;
    let form = |body: &str| {
        format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: Application/X-www-form-urlencoded; charset=utf-8\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let got = ask(served.address, form("Action=GetCallerIdentity&Version=2011-06-15")).await;
    assert_eq!((got.status, got.header("Content-Type")), (200, Some("text/xml")));
    assert!(
        got.body.contains("<Arn>arn:aws:iam::000000000000:root</Arn><UserId>000000000000</UserId>"),
        "{}",
        got.body
    );
    let id = got.header("x-amzn-RequestId").unwrap();
    assert!(got.body.contains(&format!("<RequestId>{id}</RequestId>")));
    let metrics = ask(served.address, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(metrics.body.contains("longshore_requests_total{operation=\"GetCallerIdentity\",code=\"200\"} 1"));
    let got = ask(served.address, form("Action=AssumeRole&Version=2011-06-15")).await;
    assert_eq!(got.status, 400);
    assert!(got.body.contains("<Code>InvalidAction</Code>"), "{}", got.body);
    let got = ask(served.address, form(&"x".repeat(MIB + 1))).await;
    assert_eq!(got.status, 413);
    assert!(got.body.contains("<Code>RequestEntityTooLarge</Code>"), "{}", got.body);
}
