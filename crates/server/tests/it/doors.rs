//! Without credentials: web pages are refused, everybody else on this machine is root.

use crate::client::{ask, request, request_with};
use crate::service::serve;

#[tokio::test]
async fn web_pages_are_refused() {
    let served = serve().await;
    let rebound = request("Echo", "{}").replace("Host: localhost", "Host: evil.example:8327");
    let absolute = request("Echo", "{}").replace("POST /", "POST http://evil.example/");
    let crossed = request_with("Echo", "Origin: https://evil.example\r\n", "{}");
    for bytes in [rebound, absolute, crossed] {
        let got = ask(served.address, bytes).await;
        assert_eq!((got.status, got.error_type().as_str()), (403, "AccessDeniedException"));
        let text = got.json()["message"].as_str().unwrap().to_owned();
        assert!(text.contains("evil.example") && text.contains("--credentials"), "{text}");
    }
    let metrics = ask(served.address, "GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n").await;
    assert_eq!(metrics.status, 403);
}

#[tokio::test]
async fn the_names_of_loopback_are_served_and_the_region_is_the_scopes() {
    let served = serve().await;
    for host in ["127.0.0.1:8327", "[::1]:8327", "LOCALHOST", "ecs.localhost:1"] {
        let bytes = request("Echo", "{}").replace("Host: localhost", &format!("Host: {host}"));
        assert_eq!(ask(served.address, bytes).await.status, 200, "{host}");
    }
    let signed = "Authorization: AWS4-HMAC-SHA256 Credential=any/20261123/ap-south-1/ecs/aws4_request, \
                  SignedHeaders=host, Signature=none\r\n";
    let got = ask(served.address, request_with("Echo", signed, "{}")).await;
    assert_eq!(got.json()["region"], "ap-south-1");
}
