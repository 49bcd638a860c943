//! Request ids: version-4 UUIDs in lower case, one for each answer.
//!
//! They name requests in logs and bug reports and guard nothing, so they come from a small
//! generator for each thread (xoshiro256++, seeded by the operating system) and cost a few
//! nanoseconds.

use std::cell::Cell;
use std::fmt;

use hyper::header::HeaderValue;

/// The id of one request.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId([u8; 36]);

thread_local! {
    static STATE: Cell<[u64; 4]> = Cell::new(seed());
}

fn seed() -> [u64; 4] {
    let word = |fallback: u64| getrandom::u64().unwrap_or(fallback);
    // Without entropy the ids still differ between threads, by the address of a local.
    let local = 0u8;
    let address = std::ptr::from_ref(&local).addr() as u64;
    [word(address | 1), word(0x9e37_79b9_7f4a_7c15), word(0xbf58_476d_1ce4_e5b9), word(0x94d0_49bb_1331_11eb)]
}

fn next_word(state: &mut [u64; 4]) -> u64 {
    let [a, b, c, d] = *state;
    let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
    let (c, d) = (c ^ a, d ^ b);
    *state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
    result
}

impl RequestId {
    /// A new id.
    pub fn next() -> Self {
        let mut state = STATE.get();
        let (high, low) = (next_word(&mut state), next_word(&mut state));
        STATE.set(state);
        let high = high & !0xf000 | 0x4000;
        let low = low & !(0b11 << 62) | 0b10 << 62;
        Self::spell(u128::from(high) << 64 | u128::from(low))
    }

    fn spell(value: u128) -> Self {
        let mut digits = [0; 32];
        if faster_hex::hex_encode(&value.to_be_bytes(), &mut digits).is_err() {
            digits = [b'0'; 32];
        }
        let mut text = [b'-'; 36];
        for (to, from) in [(0..8, 0..8), (9..13, 8..12), (14..18, 12..16), (19..23, 16..20), (24..36, 20..32)] {
            text[to].copy_from_slice(&digits[from]);
        }
        Self(text)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The id as the value of `x-amzn-RequestId`.
    pub fn header(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.0).expect("digits and hyphens are legal in a header")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_version_4_uuids_in_lower_case_and_differ() {
        let ids: HashSet<RequestId> = (0..10_000).map(|_| RequestId::next()).collect();
        assert_eq!(ids.len(), 10_000);
        for id in &ids {
            let text = id.as_str();
            let groups: Vec<usize> = text.split('-').map(str::len).collect();
            assert_eq!(groups, [8, 4, 4, 4, 12], "{text}");
            assert!(text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-')), "{text}");
            assert_eq!(&text[14..15], "4");
            assert!(matches!(&text[19..20], "8" | "9" | "a" | "b"), "{text}");
            assert_eq!(id.header().as_bytes(), text.as_bytes());
        }
    }

    #[test]
    fn threads_do_not_repeat_each_other() {
        let here: Vec<RequestId> = (0..100).map(|_| RequestId::next()).collect();
        let there = std::thread::spawn(|| (0..100).map(|_| RequestId::next()).collect::<Vec<_>>()).join().unwrap();
        assert!(here.iter().all(|id| !there.contains(id)));
    }

    #[test]
    fn digits_stand_in_their_places() {
        let id = RequestId::spell(0x0123_4567_89ab_4def_8123_4567_89ab_cdef);
        assert_eq!(id.as_str(), "01234567-89ab-4def-8123-456789abcdef");
    }
}
