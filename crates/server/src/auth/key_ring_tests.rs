use super::*;
use hyper::header::{AUTHORIZATION, HeaderName};
use proptest::prelude::*;
use serde::Deserialize;
use std::time::{Duration, UNIX_EPOCH};

use crate::auth::Secret;

const SUITE: &str = include_str!("../../tests/fixtures/aws_sigv4_suite.json");
const SIGNED: &str = include_str!("../../tests/fixtures/botocore_signed.json");

/// 2026-11-23T12:00:00Z.
const NOON: i64 = 1_795_435_200;

#[derive(Deserialize)]
struct Fixture<T> {
    cases: Vec<T>,
}

#[derive(Deserialize)]
struct SuiteCase {
    name: String,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
    canonical_request: String,
    token: Option<String>,
}

#[derive(Deserialize, Clone)]
struct SignedCase {
    name: String,
    method: String,
    path: String,
    query: String,
    service: String,
    headers: Vec<(String, String)>,
    body: String,
    token: Option<String>,
}

fn header_map(headers: &[(String, String)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value.trim().as_bytes()).unwrap();
        map.append(name.parse::<HeaderName>().unwrap(), value);
    }
    map
}

fn ring(access_key: &str, secret: &str, token: Option<&str>, now: i64) -> KeyRing {
    let key = Key {
        access_key_id: access_key.into(),
        secret_access_key: Secret::new(secret.to_owned()),
        account: "123456789012".into(),
        principal: "arn:aws:iam::123456789012:user/alice".into(),
        user_id: "AIDAALICE".into(),
        session_token: token.map(|token| Secret::new(token.to_owned())),
    };
    KeyRing::new(vec![key], Arc::new(move || UNIX_EPOCH + Duration::from_secs(now as u64)))
}

fn golden_ring(token: Option<&str>) -> KeyRing {
    ring("AKIDGOLDEN", "golden/secret+key", token, NOON)
}

fn signed_cases() -> Vec<SignedCase> {
    serde_json::from_str::<Fixture<SignedCase>>(SIGNED).unwrap().cases
}

fn plain() -> SignedCase {
    signed_cases().remove(0)
}

impl SignedCase {
    fn verify(&self, ring: &KeyRing) -> Result<Arc<Caller>, AuthError> {
        let request = SignedRequest {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &header_map(&self.headers),
            body: self.body.as_bytes(),
        };
        let service = if self.service == "sts" { SigningName::STS } else { SigningName::ECS };
        ring.verify(&request, service).map(|recognised| Arc::new(Caller::clone(&recognised)))
    }

    fn header(&mut self, name: &str) -> &mut String {
        let found = self.headers.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value).unwrap()
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn replace(mut self, name: &str, from: &str, to: &str) -> Self {
        let value = self.header(name);
        assert!(value.contains(from), "{value} has no {from}");
        *value = value.replace(from, to);
        self
    }

    fn refusal(&self) -> AuthError {
        self.verify(&golden_ring(self.token.as_deref())).unwrap_err()
    }

    /// Signs the request anew, after a test has changed it, with the golden key.
    fn sign_again(mut self) -> Self {
        let value = self.header("authorization").clone();
        let authorization = Authorization::parse(&value, true).unwrap();
        let headers = header_map(&self.headers);
        let request = SignedRequest {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
            body: self.body.as_bytes(),
        };
        let found = Found::of(&headers).unwrap();
        let time = request_time(&found).unwrap();
        let message = string_to_sign(&request, &found, &authorization, &time).unwrap();
        let Credential { date, region, .. } = authorization.credential;
        let ring = golden_ring(None);
        let derived = ring.keys["AKIDGOLDEN"].derive(date, region, SigningName::ECS);
        let signature = hex(&derived.mac.clone().chain_update(&message).finalize().into_bytes().into());
        let signature = std::str::from_utf8(&signature).unwrap();
        *self.header("authorization") = value.replace(authorization.signature, signature);
        self
    }
}

#[test]
fn awss_own_test_suite_is_verified() {
    let cases = serde_json::from_str::<Fixture<SuiteCase>>(SUITE).unwrap().cases;
    assert!(cases.len() >= 30);
    for case in cases {
        let (path, query) = case.target.split_once('?').unwrap_or((&case.target, ""));
        let headers = header_map(&case.headers);
        let request =
            SignedRequest { method: &case.method, path, query, headers: &headers, body: case.body.as_bytes() };
        let authorization = headers[AUTHORIZATION].to_str().unwrap();
        let authorization = Authorization::parse(authorization, true).unwrap();
        let mut canonical = Vec::new();
        let hash = hex_sha256(request.body);
        write_canonical_request(&mut canonical, &request, authorization.signed_headers, &hash).unwrap();
        assert_eq!(String::from_utf8(canonical).unwrap(), case.canonical_request, "{}", case.name);

        let now = amz_date::parse_basic("20150830T123600Z").unwrap();
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let ring = ring("AKIDEXAMPLE", secret, case.token.as_deref(), now);
        let verified = ring.verify(&request, SigningName("service"));
        if case.name == "post-sts-header-after" {
            let text = "'x-amz-security-token' must be a 'SignedHeader' in the AWS Authorization.";
            assert_eq!(verified, Err(AuthError::Invalid(text.to_owned())));
        } else {
            assert!(verified.is_ok(), "{}: {verified:?}", case.name);
        }
    }
}

#[test]
fn what_botocore_signs_is_verified() {
    let cases = signed_cases();
    assert!(cases.len() > 50);
    for case in cases {
        let caller = case.verify(&golden_ring(case.token.as_deref()));
        let caller = caller.unwrap_or_else(|error| panic!("{}: {error:?}", case.name));
        assert_eq!((&*caller.scope.account, &*caller.user_id), ("123456789012", "AIDAALICE"));
        let scope = format!("/{}/{}/aws4_request", caller.scope.region, case.service);
        assert!(case.clone().header("authorization").contains(&scope), "the region is the scope's");
    }
}

#[test]
fn any_change_to_what_was_signed_is_noticed() {
    for case in signed_cases() {
        let mut changed = vec![
            SignedCase { body: format!("{} ", case.body), ..case.clone() },
            SignedCase { method: "PUT".to_owned(), ..case.clone() },
            SignedCase { path: "/x".to_owned(), ..case.clone() },
            SignedCase { query: format!("{}&x=1", case.query), ..case.clone() },
            case.clone().replace("host", ":8327", ":8328"),
            case.clone().with("content-type", "text/plain"),
            case.clone().without("content-type"),
        ];
        let signature = case.clone().header("authorization").split("Signature=").nth(1).unwrap().to_owned();
        let other = if signature.starts_with('0') { "1" } else { "0" };
        for wrong in
            [format!("{other}{}", &signature[1..]), signature[1..].to_owned(), String::new(), signature.to_uppercase()]
        {
            changed.push(case.clone().replace("authorization", &signature, &wrong));
        }
        for (index, changed) in changed.iter().enumerate() {
            assert_eq!(changed.refusal(), AuthError::Mismatch, "{} change {index}", case.name);
        }
        let other_secret = ring("AKIDGOLDEN", "golden/secret+kez", case.token.as_deref(), NOON);
        assert_eq!(case.verify(&other_secret), Err(AuthError::Mismatch));
    }
}

#[test]
fn the_errors_have_amazons_words() {
    let invalid = |text: &str| AuthError::Invalid(text.to_owned());
    assert_eq!(plain().without("authorization").refusal(), AuthError::MissingToken);
    let unknown = plain().replace("authorization", "AKIDGOLDEN", "AKIDOTHER").refusal();
    assert_eq!(unknown, AuthError::UnknownKey);
    for (from, to, text) in [
        ("/us-east-1/", "/US_EAST/", "Credential should be scoped to a valid region."),
        ("/us-east-1/", "//", "Credential should be scoped to a valid region."),
        ("/ecs/", "/s3/", "Credential should be scoped to correct service: 'ecs'."),
        ("/aws4_request", "/aws5", "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'."),
        (
            "/20261123/",
            "/20261122/",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
             '20261122' != '20261123', from '20261123T120000Z'.",
        ),
        ("host;", "", "'host' must be a 'SignedHeader' in the AWS Authorization."),
        (";x-amz-target", "", "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization."),
        ("x-amz-date;", "", "'x-amz-date' must be a 'SignedHeader' in the AWS Authorization."),
    ] {
        assert_eq!(plain().replace("authorization", from, to).refusal(), invalid(text));
    }
    let AuthError::Incomplete(text) = plain().without("x-amz-date").refusal() else { panic!() };
    let start = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=";
    assert!(text.starts_with(start), "{text}");
    let AuthError::Incomplete(text) = plain().replace("x-amz-date", "T", " ").refusal() else { panic!() };
    assert!(text.starts_with("Date must be in ISO-8601 'basic format'. Got '20261123 120000Z'."), "{text}");
    for twice in ["authorization", "x-amz-date", "x-amz-security-token"] {
        let case = plain().with("x-amz-security-token", "t");
        let value = case.clone().header(twice).clone();
        assert!(matches!(case.with(twice, &value).refusal(), AuthError::Incomplete(_)), "{twice}");
    }
}

#[test]
fn the_clock_may_be_five_minutes_off_and_no_more() {
    let at = |seconds: i64| plain().verify(&ring("AKIDGOLDEN", "golden/secret+key", None, NOON + seconds));
    assert!(at(300).is_ok() && at(-300).is_ok());
    let expired =
        "Signature expired: 20261123T120000Z is now earlier than 20261123T120001Z (20261123T120501Z - 5 min.)";
    assert_eq!(at(301), Err(AuthError::Invalid(expired.to_owned())));
    let early =
        "Signature not yet current: 20261123T120000Z is still later than 20261123T115959Z (20261123T115459Z + 5 min.)";
    assert_eq!(at(-301), Err(AuthError::Invalid(early.to_owned())));
}

#[test]
fn the_session_token_must_be_this_keys() {
    let with_token = signed_cases().into_iter().find(|case| case.token.is_some()).unwrap();
    let token = with_token.token.clone().unwrap();
    assert!(with_token.verify(&golden_ring(Some(&token))).is_ok());
    assert_eq!(with_token.verify(&golden_ring(None)), Err(AuthError::UnknownKey));
    assert_eq!(with_token.verify(&golden_ring(Some("other"))), Err(AuthError::UnknownKey));
    assert_eq!(plain().verify(&golden_ring(Some(&token))), Err(AuthError::UnknownKey));
}

#[test]
fn the_payload_hash_is_that_of_the_body() {
    let case = signed_cases().into_iter().find(|case| case.name == "payload hash header").unwrap();
    assert!(case.verify(&golden_ring(None)).is_ok());
    for claim in ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", ""] {
        let mut unsigned = plain().with("x-amz-content-sha256", claim);
        assert_eq!(unsigned.refusal(), AuthError::Mismatch, "not signed: {claim}");
        unsigned = case.clone();
        *unsigned.header("x-amz-content-sha256") = claim.to_owned();
        assert_eq!(unsigned.refusal(), AuthError::Mismatch, "signed: {claim}");
    }
}

#[test]
fn signed_headers_must_be_sorted_lower_case_and_there() {
    assert!(plain().sign_again().verify(&golden_ring(None)).is_ok());
    for list in [
        "host;content-type;x-amz-date;x-amz-target",
        "content-type;host;host;x-amz-date;x-amz-target",
        "Content-Type;host;x-amz-date;x-amz-target",
        "content-type;host;x-amz-date;x-amz-target;",
        ";content-type;host;x-amz-date;x-amz-target",
        "content-type;host;x-amz-date;x-amz-target;x-nothing",
    ] {
        let case = plain().replace("authorization", "content-type;host;x-amz-date;x-amz-target", list);
        assert_eq!(case.refusal(), AuthError::Mismatch, "{list}");
    }
}

#[test]
fn derived_keys_are_remembered_only_for_good_signatures_and_up_to_a_bound() {
    let ring = golden_ring(None);
    let remembered = || ring.keys["AKIDGOLDEN"].derived.load().len();
    for number in 0..100 {
        let region = format!("/r-{number}/");
        let forged = plain().replace("authorization", "/us-east-1/", &region);
        assert_eq!(forged.verify(&ring), Err(AuthError::Mismatch));
    }
    assert_eq!(remembered(), 0);
    let first = plain().verify(&ring).unwrap();
    let second = plain().verify(&ring).unwrap();
    assert!(Arc::ptr_eq(&first.scope.region, &second.scope.region), "the second request derives nothing");
    assert_eq!(remembered(), 1);
    for number in 0..100 {
        let region = format!("/r-{number}/");
        let good = plain().replace("authorization", "/us-east-1/", &region).sign_again();
        assert_eq!(*good.verify(&ring).unwrap().scope.region, format!("r-{number}"));
    }
    assert_eq!(remembered(), DERIVED_KEYS);
}

fn header_text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"AWS4-HMAC-SHA256 ".to_vec()),
        Just(b"Credential=".to_vec()),
        Just(b"AKIDGOLDEN/20261123/us-east-1/ecs/aws4_request".to_vec()),
        Just(b", SignedHeaders=host;x-amz-date".to_vec()),
        Just(b", Signature=".to_vec()),
        Just(b"20261123T120000Z".to_vec()),
        Just(b"/".to_vec()),
        Just(b";".to_vec()),
        prop::collection::vec(any::<u8>(), 0..12),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_make_a_panic_or_a_caller(
        authorization in header_text(),
        date in header_text(),
        other in prop::collection::vec((header_text(), 0usize..5), 0..4),
        path in ".{0,20}",
        query in ".{0,40}",
        body in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut headers = HeaderMap::new();
        let names = ["host", "date", "x-amz-security-token", "x-amz-content-sha256", "x-amz-date"];
        let others = other.iter().map(|(value, name)| (names[*name], value));
        for (name, value) in [("authorization", &authorization), ("x-amz-date", &date)].into_iter().chain(others) {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.append(name, value);
            }
        }
        let request = SignedRequest { method: "POST", path: &path, query: &query, headers: &headers, body: &body };
        prop_assert!(golden_ring(None).verify(&request, SigningName::ECS).is_err());
    }

    #[test]
    fn no_path_query_or_header_panics_when_made_canonical(
        path in "[/.%a-z\\PC]{0,30}",
        query in "[&=+%a-fA-F0-9\\PC]{0,60}",
        value in prop::collection::vec(prop_oneof![Just(b' '), Just(b'\t'), 33u8..=255], 0..40),
        names in "[a-z;A-Z-]{0,30}",
    ) {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            headers.insert("a", value);
        }
        let request = SignedRequest { method: "POST", path: &path, query: &query, headers: &headers, body: b"" };
        let mut out = Vec::new();
        write_canonical_request(&mut out, &request, &names, &[b'0'; 64]);
        out.clear();
        prop_assert!(write_canonical_request(&mut out, &request, "a", &[b'0'; 64]).is_some() || headers.is_empty());
        let folded = out.split(|byte| *byte == b'\n').nth(3).unwrap_or_default();
        prop_assert!(!folded.windows(2).any(|pair| pair == b"  ") && !folded.contains(&b'\t'));
    }
}
