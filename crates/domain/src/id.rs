//! Ids of tasks, container instances and nodes, and the source they come from.
//!
//! An id is 16 bytes, written as 32 lower hex digits. Ids are inputs of a decision, never made inside one: a request
//! carries a random seed, and [`IdSource`] derives as many ids from it as the decision needs, the same ones every time.

use std::fmt;
use std::str::FromStr;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// Sixteen bytes, shown as 32 lower hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EcsId(pub [u8; 16]);

impl EcsId {
    /// The digits, in `text`.
    fn text(self, text: &mut [u8; 32]) -> &str {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *pair = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
        }
        std::str::from_utf8(text).expect("hex digits are ASCII")
    }
}

impl fmt::Display for EcsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 32];
        f.write_str(self.text(&mut text))
    }
}

impl fmt::Debug for EcsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not 32 lower hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 32 lower hex digits")]
pub struct MalformedId;

impl FromStr for EcsId {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        let digits: &[u8; 32] = text.as_bytes().try_into().map_err(|_| MalformedId)?;
        // Without branches, so that many digits are read at once.
        let right = digits.iter().fold(true, |right, c| right & (c.is_ascii_digit() | matches!(c, b'a'..=b'f')));
        if !right {
            return Err(MalformedId);
        }
        // A letter has bit 6 and counts from 1.
        let digit = |c: u8| (c & 15) + 9 * (c >> 6);
        let mut out = [0; 16];
        for (byte, [high, low]) in out.iter_mut().zip(digits.as_chunks::<2>().0) {
            *byte = digit(*high) << 4 | digit(*low);
        }
        Ok(Self(out))
    }
}

impl Serialize for EcsId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text(&mut [0; 32]))
    }
}

impl<'de> Deserialize<'de> for EcsId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Digits)
    }
}

/// Reads an id without a copy of its text.
struct Digits;

impl Visitor<'_> for Digits {
    type Value = EcsId;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("32 lower hex digits")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<EcsId, E> {
        text.parse().map_err(E::custom)
    }
}

/// A version-4 shaped UUID with dashes derived from parts, the same one for the same parts.
pub fn derived_uuid(parts: &[&[u8]]) -> String {
    let mut id = derived(parts);
    id.0[6] = id.0[6] & 0x0f | 0x40;
    id.0[8] = id.0[8] & 0x3f | 0x80;
    let hex = id.to_string();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn derived(parts: &[&[u8]]) -> EcsId {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut out = [0; 16];
    out.copy_from_slice(&hash.finalize()[..16]);
    EcsId(out)
}

/// Ids derived one after another from a request's random seed.
#[derive(Debug, Clone)]
pub struct IdSource {
    seed: EcsId,
    next: u64,
}

impl IdSource {
    /// The source that belongs to this seed.
    pub fn new(seed: EcsId) -> Self {
        Self { seed, next: 0 }
    }

    /// The next id.
    pub fn next_id(&mut self) -> EcsId {
        self.next += 1;
        derived(&[&self.seed.0, &self.next.to_be_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text() {
        let id = IdSource::new(EcsId([7; 16])).next_id();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("0123456789ABCDEF0123456789ABCDEF".parse::<EcsId>(), Err(MalformedId));
        assert_eq!("0123".parse::<EcsId>(), Err(MalformedId));
        assert_eq!("ééééééééééééééé0é".parse::<EcsId>(), Err(MalformedId));
        for beside in "/:@G`g\u{7f}".chars() {
            assert_eq!(format!("{beside}{}", "0".repeat(31)).parse::<EcsId>(), Err(MalformedId), "{beside}");
        }
        assert_eq!(
            "0123456789abcdef".repeat(2).parse(),
            Ok(EcsId([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef].repeat(2).try_into().unwrap()))
        );
    }

    #[test]
    fn a_source_repeats_itself_and_never_within() {
        let mut a = IdSource::new(EcsId([1; 16]));
        let mut b = a.clone();
        let (first, second) = (a.next_id(), a.next_id());
        assert_ne!(first, second);
        assert_eq!((first, second), (b.next_id(), b.next_id()));
    }

    #[test]
    fn a_derived_uuid_has_the_form_of_version_4() {
        let uuid = derived_uuid(&[b"a", b"b"]);
        assert_eq!(uuid.len(), 36);
        assert_eq!(&uuid[14..15], "4");
        assert_ne!(uuid, derived_uuid(&[b"ab", b""]));
    }
}
