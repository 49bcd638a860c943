//! The guard against web pages when no signature protects us.
//!
//! A page in the user's browser can reach a server on loopback, by a cross-site request (which
//! carries an `Origin`) or by DNS rebinding (which carries the page's own name as `Host`). So
//! without a credentials file only requests without `Origin` and with a loopback name as `Host`
//! are answered.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hyper::HeaderMap;
use hyper::header::{HOST, ORIGIN};

use super::authorization::cut;
use super::error::AuthError;

/// Refuses what a web page could have sent. `authority` is the host of an absolute request target.
///
/// # Errors
/// [`AuthError::Refused`] with a text that says what to do instead.
pub fn check(headers: &HeaderMap, authority: Option<&str>) -> Result<(), AuthError> {
    if let Some(origin) = headers.get(ORIGIN) {
        let origin = String::from_utf8_lossy(origin.as_bytes());
        return Err(AuthError::Refused(format!(
            "Requests from web pages are refused while the server runs without a credentials file (Origin: {}). \
             Start it with --credentials FILE and sign the requests.",
            cut(&origin)
        )));
    }
    let hosts = headers.get_all(HOST).iter().map(|value| value.to_str().unwrap_or(""));
    match hosts.chain(authority).find(|host| !is_loopback(host)) {
        None => Ok(()),
        Some(host) => Err(AuthError::Refused(format!(
            "The host '{}' is not a name of this machine's loopback interface, which is all that is served without a \
             credentials file. Call http://127.0.0.1 or http://localhost, or start the server with --credentials FILE.",
            cut(host)
        ))),
    }
}

/// Whether a `Host` value, with or without a port, names this machine only.
fn is_loopback(host: &str) -> bool {
    if let Some(rest) = host.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return false };
        return is_port(port) && address.parse::<Ipv6Addr>().is_ok_and(|address| is_loopback_address(address.into()));
    }
    let (name, port) = host.find(':').map_or((host, ""), |colon| host.split_at(colon));
    if !is_port(port) {
        return false;
    }
    if let Ok(address) = name.parse::<Ipv4Addr>() {
        return address.is_loopback();
    }
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

fn is_loopback_address(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Nothing, or a colon and up to five digits.
fn is_port(text: &str) -> bool {
    text.is_empty()
        || text.strip_prefix(':').is_some_and(|port| port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;
    use proptest::prelude::*;

    #[test]
    fn loopback_names_pass() {
        for host in [
            "localhost",
            "localhost:8327",
            "LOCALHOST:1",
            "localhost.",
            "ecs.localhost:8327",
            "127.0.0.1",
            "127.0.0.1:8327",
            "127.8.9.10:80",
            "[::1]",
            "[::1]:8327",
            "[::ffff:127.0.0.1]:8327",
        ] {
            assert!(is_loopback(host), "{host}");
        }
    }

    #[test]
    fn other_names_do_not() {
        for host in [
            "",
            ":80",
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com",
            "notlocalhost",
            "localhost:80:90",
            "localhost:abc",
            "user@localhost",
            "128.0.0.1",
            "0.0.0.0",
            "127.1",
            "2130706433",
            "[::2]:80",
            "[::1",
            "[::1]x",
            "::1",
            "169.254.169.254",
            "host.docker.internal:8327",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn an_origin_is_refused_and_so_is_any_foreign_host_of_several() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("localhost"));
        assert_eq!(check(&headers, None), Ok(()));
        assert_eq!(check(&headers, Some("127.0.0.1:1")), Ok(()));
        assert!(check(&headers, Some("evil.example")).is_err(), "the request target's host counts too");
        headers.append(HOST, HeaderValue::from_static("evil.example"));
        let Err(AuthError::Refused(text)) = check(&headers, None) else { panic!() };
        assert!(text.contains("'evil.example'") && text.contains("--credentials"), "{text}");
        for origin in ["http://localhost:8327", "null"] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("localhost"));
            headers.insert(ORIGIN, HeaderValue::from_static(origin));
            assert!(check(&headers, None).is_err(), "{origin}");
        }
    }

    proptest! {
        #[test]
        fn no_host_panics(host in ".{0,40}", bracketed in any::<bool>()) {
            is_loopback(&if bracketed { format!("[{host}") } else { host });
        }
    }
}
