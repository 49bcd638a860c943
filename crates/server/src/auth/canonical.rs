//! The canonical request of Signature Version 4: the bytes a signature is made over.
//!
//! Follows the published algorithm for services other than S3: the path is normalised and encoded
//! once more, query parameters are sorted, header values trimmed and folded, repeated headers
//! joined by commas. The header names are taken in the order of `SignedHeaders`, which has to be
//! sorted, in lower case and without repetition.

use hyper::HeaderMap;
use sha2::{Digest, Sha256};

use super::authorization::cut_at;

/// The parts of a request that a signature covers.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// The method in upper case.
    pub method: &'a str,
    /// The path as it stood on the request line, still percent-encoded.
    pub path: &'a str,
    /// The query without its question mark, still percent-encoded; empty when there is none.
    pub query: &'a str,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// The whole body.
    pub body: &'a [u8],
}

/// SHA-256 in lower-case hexadecimal digits.
pub(crate) fn hex_sha256(bytes: &[u8]) -> [u8; 64] {
    hex(&Sha256::digest(bytes).into())
}

/// 32 bytes as 64 lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8; 32]) -> [u8; 64] {
    let mut text = [0; 64];
    faster_hex::hex_encode(bytes, &mut text).expect("64 digits have room for 32 bytes");
    text
}

/// Appends the canonical request to `out`. `None` when `signed_headers` is not sorted, not in lower
/// case, repeats a name, or names a header the request does not have: then no signature can be
/// right.
pub(crate) fn write_canonical_request(
    out: &mut Vec<u8>,
    request: &SignedRequest<'_>,
    signed_headers: &str,
    payload_hash: &[u8; 64],
) -> Option<()> {
    out.extend_from_slice(request.method.as_bytes());
    out.push(b'\n');
    write_path(out, request.path);
    out.push(b'\n');
    write_query(out, request.query);
    out.push(b'\n');
    let headers: Vec<(&str, &[u8])> =
        request.headers.iter().map(|(key, value)| (key.as_str(), value.as_bytes())).collect();
    let mut previous = "";
    for name in signed_names(signed_headers) {
        if name <= previous {
            return None;
        }
        write_header(out, name, &headers)?;
        previous = name;
    }
    out.push(b'\n');
    out.extend_from_slice(signed_headers.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(payload_hash);
    Some(())
}

/// The names in a `SignedHeaders` parameter.
pub(crate) fn signed_names(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(list);
    std::iter::from_fn(move || {
        let text = rest?;
        let cut = cut_at(text, b';');
        rest = cut.map(|(_, after)| after);
        Some(cut.map_or(text, |(name, _)| name))
    })
}

/// A request has so few headers that looking at each is cheaper than hashing the name. Their names are in lower case, so
/// that a name with a capital is none of them.
fn write_header(out: &mut Vec<u8>, name: &str, headers: &[(&str, &[u8])]) -> Option<()> {
    out.extend_from_slice(name.as_bytes());
    let mut separator = b':';
    for (_, value) in headers.iter().filter(|(key, _)| *key == name) {
        out.push(separator);
        write_folded(out, value);
        separator = b',';
    }
    out.push(b'\n');
    (separator == b',').then_some(())
}

/// Appends a header value without white space at its ends and with single spaces inside.
fn write_folded(out: &mut Vec<u8>, value: &[u8]) {
    if memchr::memchr2(b' ', b'\t', value).is_none() {
        return out.extend_from_slice(value);
    }
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let mut words = value.split(blank).filter(|word| !word.is_empty());
    out.extend_from_slice(words.next().unwrap_or_default());
    for word in words {
        out.push(b' ');
        out.extend_from_slice(word);
    }
}

fn write_path(out: &mut Vec<u8>, path: &str) {
    if matches!(path, "" | "/") {
        return out.push(b'/');
    }
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            name => segments.push(name),
        }
    }
    for segment in &segments {
        out.push(b'/');
        segment.bytes().for_each(|byte| write_encoded(out, byte));
    }
    if segments.is_empty() || path.ends_with('/') {
        out.push(b'/');
    }
}

fn write_query(out: &mut Vec<u8>, query: &str) {
    if query.is_empty() {
        return;
    }
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (reencoded(name), reencoded(value))
        })
        .collect();
    pairs.sort_unstable();
    for (index, (name, value)) in pairs.iter().enumerate() {
        if index > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(name);
        out.push(b'=');
        out.extend_from_slice(value);
    }
}

/// A query name or value in the one canonical encoding, whichever way the client encoded it.
fn reencoded(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    percent_decode(text).iter().for_each(|byte| write_encoded(&mut out, *byte));
    out
}

/// The bytes behind a form-encoded text: `+` is a space, `%41` is `A`, a broken escape stays as it
/// is.
pub(crate) fn percent_decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escape = match (first, tail) {
            (b'%', [high, low, after @ ..]) => hex_value(*high).zip(hex_value(*low)).map(|(h, l)| (h << 4 | l, after)),
            _ => None,
        };
        match escape {
            Some((byte, after)) => {
                out.push(byte);
                rest = after;
            }
            None => {
                out.push(if *first == b'+' { b' ' } else { *first });
                rest = tail;
            }
        }
    }
    out
}

fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn write_encoded(out: &mut Vec<u8>, byte: u8) {
    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
        return out.push(byte);
    }
    out.push(b'%');
    for nibble in [byte >> 4, byte & 15] {
        out.push(if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 });
    }
}
