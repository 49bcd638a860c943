//! With credentials: only signed requests are served, in both protocols.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use longshore_server::auth::{Authenticator, KeyRing, credentials_file};
use serde_json::Value;

use crate::client::{Got, ask, request};
use crate::service::{Served, patient, serve_with};

const SIGNED: &str = include_str!("../fixtures/botocore_signed.json");

/// 2026-11-23T12:00:00Z.
const NOON: u64 = 1_795_435_200;

async fn serve_golden() -> Served {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let key =
        "[[key]]\naccess_key_id = 'AKIDGOLDEN'\nsecret_access_key = 'golden/secret+key'\naccount = '123456789012'\n";
    file.write_all(key.as_bytes()).unwrap();
    let keys = credentials_file::read(file.path()).unwrap().keys;
    let ring = KeyRing::new(keys, Arc::new(|| UNIX_EPOCH + Duration::from_secs(NOON)));
    serve_with(Authenticator::Keys(ring), patient(), Arc::new(|| Ok(()))).await
}

/// One of the recorded requests as bytes.
fn recorded(name: &str) -> String {
    let fixture: Value = serde_json::from_str(SIGNED).unwrap();
    let case = fixture["cases"].as_array().unwrap().iter().find(|case| case["name"] == name).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let headers: String = case["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| format!("{}: {}\r\n", text(&pair[0]), text(&pair[1])))
        .collect();
    let body = text(&case["body"]);
    format!("POST / HTTP/1.1\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

async fn error(served: &Served, bytes: String) -> (u16, String, String) {
    let got: Got = ask(served.address, bytes).await;
    let message = got.json()["message"].as_str().unwrap_or_default().to_owned();
    (got.status, got.error_type(), message)
}

#[tokio::test]
async fn a_signed_request_is_served_for_the_keys_account() {
    let served = serve_golden().await;
    for name in ["plain", "unicode body", "date header", "IPv6 host", "headers of an SDK"] {
        let bytes = recorded(name).replace("Expect: 100-continue\r\n", "");
        let got = ask(served.address, bytes).await;
        assert_eq!(got.status, 200, "{name}: {got:?}");
        assert_eq!(got.json()["account"], "123456789012");
        assert_eq!(got.json()["principal"], "arn:aws:iam::123456789012:user/AKIDGOLDEN");
    }
    let got = ask(served.address, recorded("other region")).await;
    assert_eq!(got.json()["region"], "eu-central-2");
}

#[tokio::test]
async fn others_are_refused_with_400_in_amazons_words() {
    let served = serve_golden().await;
    let (status, error_type, message) = error(&served, request("Echo", "{}")).await;
    assert_eq!((status, error_type.as_str()), (400, "MissingAuthenticationTokenException"));
    assert_eq!(message, "Missing Authentication Token");
    let (status, error_type, message) = error(&served, recorded("plain").replace("{}", "[]")).await;
    assert_eq!((status, error_type.as_str()), (400, "InvalidSignatureException"));
    assert!(message.starts_with("The request signature we calculated does not match"), "{message}");
    let (status, error_type, message) = error(&served, recorded("plain").replace("AKIDGOLDEN", "AKIDOTHER")).await;
    assert_eq!((status, error_type.as_str()), (400, "UnrecognizedClientException"));
    assert_eq!(message, "The security token included in the request is invalid.");
    let bytes = recorded("sts").replace("application/x-www-form-urlencoded; charset=utf-8", "application/json");
    assert_eq!(error(&served, bytes).await.2, "Credential should be scoped to correct service: 'ecs'.");
}

#[tokio::test]
async fn sts_is_signed_for_sts_and_its_errors_are_xml() {
    let served = serve_golden().await;
    let got = ask(served.address, recorded("sts")).await;
    assert_eq!(got.status, 200);
    assert!(got.body.contains("<Arn>arn:aws:iam::123456789012:user/AKIDGOLDEN</Arn>"), "{}", got.body);
    for (from, to, status, code) in [
        ("AKIDGOLDEN", "AKIDOTHER", 403, "InvalidClientTokenId"),
        ("Version=2011", "Version=2012", 403, "SignatureDoesNotMatch"),
        ("/sts/", "/ecs/", 403, "SignatureDoesNotMatch"),
        ("Authorization", "Nothing", 403, "MissingAuthenticationToken"),
        ("Signature=", "Signatur=", 400, "IncompleteSignature"),
    ] {
        let got = ask(served.address, recorded("sts").replace(from, to)).await;
        assert_eq!(got.status, status, "{code}");
        assert!(got.body.contains(&format!("<Error><Type>Sender</Type><Code>{code}</Code>")), "{}", got.body);
    }
}

#[tokio::test]
async fn with_keys_any_host_and_origin_may_ask_and_metrics_are_open() {
    let served = serve_golden().await;
    let got = ask(served.address, "GET /metrics HTTP/1.1\r\nHost: prometheus.example\r\n\r\n").await;
    assert_eq!(got.status, 200);
    let bytes = recorded("plain").replace("Content-Length", "Origin: https://console.example\r\nContent-Length");
    assert_eq!(ask(served.address, bytes).await.status, 200);
}
