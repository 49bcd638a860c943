//! The spelling of our answers' header names.
//!
//! Amazon sends `x-amzn-RequestId` and `Content-Type`; hyper writes all names in lower case, and its
//! ways to spell them otherwise cost more than the rest of an answer's head. So the head is spelled
//! on its way out: hyper hands it to the stream as a piece of its own, in which the names are written
//! over by names of the same length. Clients do not care; people who compare traces do.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The names as Amazon spells them.
const NAMES: [&str; 4] = ["Content-Type", "x-amzn-RequestId", "Content-Length", "Date"];

const HEAD_START: &[u8] = b"HTTP/1.";

/// Pieces that are written at once; hyper hands over two for one answer.
const PIECES: usize = 8;

/// A stream that spells the heads of the answers written to it.
#[derive(Debug)]
pub(crate) struct Spelled<T> {
    stream: T,
    /// The head under way; empty when there is none.
    head: Vec<u8>,
    /// How much of it is written.
    written: usize,
}

impl<T> Spelled<T> {
    /// Spells what is written to `stream`.
    pub fn new(stream: T) -> Self {
        Self { stream, head: Vec::new(), written: 0 }
    }

    /// Takes a copy of a head that begins in `piece`, or goes on there, and spells it.
    fn take_head(&mut self, piece: &[u8]) {
        let left = self.head.len() - self.written;
        if piece.len() > left && (left > 0 || piece.starts_with(HEAD_START)) {
            self.head.extend_from_slice(&piece[left..]);
            spell(&mut self.head);
        }
    }

    fn note_written(&mut self, bytes: usize) {
        self.written += bytes;
        if self.written >= self.head.len() {
            self.head.clear();
            self.written = 0;
        }
    }
}

/// Writes over the names of the headers in one or several heads.
fn spell(heads: &mut [u8]) {
    let mut start = 0;
    while let Some(length) = memchr::memchr(b'\n', &heads[start..]) {
        start += length + 1;
        let line = &mut heads[start..];
        let is_named = |name: &&&str| {
            line.get(name.len()) == Some(&b':') && line[..name.len()].eq_ignore_ascii_case(name.as_bytes())
        };
        match NAMES.iter().find(is_named) {
            Some(name) => line[..name.len()].copy_from_slice(name.as_bytes()),
            None if line.starts_with(b"\r\n") && !line[2..].starts_with(HEAD_START) => return,
            None => {}
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Spelled<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Spelled<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Some((first, others)) = pieces.split_first() else { return Poll::Ready(Ok(0)) };
        self.take_head(first);
        let Self { stream, head, written } = &mut *self;
        let mut spelled = [IoSlice::new(&[]); PIECES];
        let left = head.get(*written..).filter(|left| left.len() == first.len());
        spelled[0] = IoSlice::new(left.unwrap_or(first));
        let (places, count) = (&mut spelled[1..], others.len().min(PIECES - 1));
        places[..count].copy_from_slice(&others[..count]);
        let polled = Pin::new(stream).poll_write_vectored(cx, &spelled[..=count]);
        if let Poll::Ready(Ok(bytes)) = polled {
            self.note_written(bytes);
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;

    /// Takes a few bytes at a time.
    #[derive(Debug)]
    struct Narrow {
        got: Vec<u8>,
        width: usize,
    }

    impl AsyncWrite for Narrow {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            let bytes = buf.len().min(self.width);
            self.got.extend_from_slice(&buf[..bytes]);
            Poll::Ready(Ok(bytes))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            pieces: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let all: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).collect();
            let bytes = all.len().min(self.width);
            self.got.extend_from_slice(&all[..bytes]);
            Poll::Ready(Ok(bytes))
        }

        fn is_write_vectored(&self) -> bool {
            true
        }
    }

    const HEAD: &str =
        "HTTP/1.1 200 OK\r\ncontent-type: x\r\nx-amzn-requestid: y\r\nx-other: date: z\r\ncontent-length: 9\r\n\r\n";
    const SPELLED: &str =
        "HTTP/1.1 200 OK\r\nContent-Type: x\r\nx-amzn-RequestId: y\r\nx-other: date: z\r\nContent-Length: 9\r\n\r\n";
    /// Looks like a head's lines, and must go out as it is.
    const BODY: &str = "a\r\ndate: b";

    async fn write(spelled: &mut Spelled<Narrow>, pieces: &[&str]) {
        let mut left: Vec<&[u8]> = pieces.iter().map(|piece| piece.as_bytes()).collect();
        while !left.is_empty() {
            let slices: Vec<IoSlice<'_>> = left.iter().map(|piece| IoSlice::new(piece)).collect();
            let mut bytes = spelled.write_vectored(&slices).await.unwrap();
            left.retain_mut(|piece| {
                let taken = bytes.min(piece.len());
                bytes -= taken;
                *piece = &piece[taken..];
                !piece.is_empty()
            });
        }
    }

    #[tokio::test]
    async fn heads_are_spelled_and_bodies_are_not_however_little_is_taken_at_once() {
        for width in 1..300 {
            let mut spelled = Spelled::new(Narrow { got: Vec::new(), width });
            for _ in 0..2 {
                write(&mut spelled, &[HEAD, BODY]).await;
                write(&mut spelled, &[BODY, BODY]).await;
                write(&mut spelled, &[&format!("{HEAD}{HEAD}"), BODY]).await;
                write(&mut spelled, &[&format!("{HEAD}{BODY}")]).await;
            }
            let expected = format!("{SPELLED}{BODY}{BODY}{BODY}{SPELLED}{SPELLED}{BODY}{SPELLED}{BODY}").repeat(2);
            assert_eq!(String::from_utf8(spelled.stream.got).unwrap(), expected, "{width}");
        }
    }

    #[tokio::test]
    async fn a_head_that_grows_while_it_goes_out_is_spelled_to_its_end() {
        let mut spelled = Spelled::new(Narrow { got: Vec::new(), width: 40 });
        let bytes = spelled.write(HEAD.as_bytes()).await.unwrap();
        write(&mut spelled, &[&format!("{}{HEAD}", &HEAD[bytes..]), BODY]).await;
        assert_eq!(String::from_utf8(spelled.stream.got).unwrap(), format!("{SPELLED}{SPELLED}{BODY}"));
    }
}
