//! What a task's containers have for themselves (engine ids and host ports) as bytes without names or lengths.
//!
//! The template says what comes when, so the bytes mean nothing without it. One container with up to three ports, or
//! none, fits into the task itself.

/// Bytes that fit without an allocation: the engine's id of one container and three ports.
const INLINE: usize = 38;

/// A short run of bytes.
#[derive(Debug, Clone)]
pub(super) enum Particulars {
    /// These, and zeros that nobody asks for.
    Inline([u8; INLINE]),
    /// More of them.
    Heap(Box<[u8]>),
}

impl Particulars {
    /// These bytes.
    pub(super) fn new(bytes: &[u8]) -> Self {
        let mut inline = [0; INLINE];
        match inline.get_mut(..bytes.len()) {
            Some(start) => {
                start.copy_from_slice(bytes);
                Self::Inline(inline)
            }
            None => Self::Heap(bytes.into()),
        }
    }

    /// The bytes from the first on.
    pub(super) fn reader(&self) -> Reader<'_> {
        Reader(match self {
            Self::Inline(bytes) => bytes,
            Self::Heap(bytes) => bytes,
        })
    }
}

/// Reads bytes in the order in which they were written; past the end there are zeros.
pub(super) struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    /// The next `N` bytes.
    pub(super) fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk() {
            Some((bytes, rest)) => {
                self.0 = rest;
                *bytes
            }
            None => [0; N],
        }
    }
}

/// The 32 bytes that a text of 64 lower hex digits spells, if it is one.
pub(super) fn bytes_of_hex(text: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    // Without branches, so that many digits are read at once.
    let right = digits.iter().fold(true, |right, c| right & (c.is_ascii_digit() | matches!(c, b'a'..=b'f')));
    // A letter has bit 6 and counts from 1.
    let digit = |c: u8| (c & 15) + 9 * (c >> 6);
    let pairs = digits.as_chunks::<2>().0;
    right.then(|| std::array::from_fn(|at| digit(pairs[at][0]) << 4 | digit(pairs[at][1])))
}

/// The text of 64 lower hex digits that spells these bytes.
pub(super) fn hex_of_bytes(bytes: &[u8; 32]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |of: u8| char::from(DIGITS[usize::from(of & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}
