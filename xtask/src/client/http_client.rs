//! One connection that speaks as much HTTP/1.1 as the API and a container engine need of a client.
//!
//! Blocking, over TCP or a Unix socket, one request after the other on a connection that stays
//! open. It adds next to nothing to what is measured through it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
#[cfg(feature = "bench")]
use std::os::unix::net::UnixStream;
use std::time::Duration;

#[cfg(any(test, feature = "bench"))]
use serde_json::Value;

/// How long one answer may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// An open connection.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    /// What was read and not used yet.
    rest: Vec<u8>,
}

/// Status and body of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body, without the framing.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON, if the status says success.
    ///
    /// # Errors
    /// Another status, with the body; a body that is not JSON. An empty body is `null`.
    #[cfg(any(test, feature = "bench"))]
    pub fn json(&self) -> Result<Value, String> {
        let text = String::from_utf8_lossy(&self.body);
        if !(200..300).contains(&self.status) {
            return Err(format!("status {}: {}", self.status, text.trim()));
        }
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).map_err(|error| format!("an answer is no JSON: {error}"))
    }
}

impl Connection<TcpStream> {
    /// Connects over TCP.
    ///
    /// # Errors
    /// What the system says.
    pub fn tcp(address: &str) -> Result<Self, String> {
        let open = || {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(DEADLINE))?;
            io::Result::Ok(stream)
        };
        open().map(Self::on).map_err(|error| format!("cannot connect to {address}: {error}"))
    }
}

#[cfg(feature = "bench")]
impl Connection<UnixStream> {
    /// Connects to a Unix socket.
    ///
    /// # Errors
    /// What the system says.
    pub fn unix(path: &str) -> Result<Self, String> {
        let open = || {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(DEADLINE))?;
            io::Result::Ok(stream)
        };
        open().map(Self::on).map_err(|error| format!("cannot connect to {path}: {error}"))
    }
}

impl<S: Read + Write> Connection<S> {
    fn on(stream: S) -> Self {
        Self { stream, rest: Vec::new() }
    }

    /// Sends a whole request, head and body, and reads its answer.
    ///
    /// # Errors
    /// The connection broke or was silent for too long, or the answer is not HTTP/1.1.
    pub fn send(&mut self, request: &[u8]) -> Result<Answer, String> {
        self.exchange(request).map_err(|error| format!("no answer to a request: {error}"))
    }

    fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.stream.write_all(request)?;
        let head = self.take_until(b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(not_http)?;
        let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
        let body = if status == 204 {
            Vec::new()
        } else if let Some(length) = header("content-length:") {
            self.take(length.trim().parse().map_err(|_| not_http())?)?
        } else {
            self.take_chunks()?
        };
        Ok(Answer { status, body })
    }

    fn take_chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.take_until(b"\r\n")?;
            let size = std::str::from_utf8(&line).ok().and_then(|text| usize::from_str_radix(text.trim(), 16).ok());
            let size = size.ok_or_else(not_http)?;
            let chunk = self.take(size + 2)?;
            body.extend_from_slice(chunk.get(..size).unwrap_or_default());
            if size == 0 {
                return Ok(body);
            }
        }
    }

    /// What comes up to and with `end`.
    fn take_until(&mut self, end: &[u8]) -> io::Result<Vec<u8>> {
        loop {
            if let Some(at) = self.rest.windows(end.len()).position(|window| window == end) {
                return self.take(at + end.len());
            }
            self.read_more()?;
        }
    }

    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.rest.len() < length {
            self.read_more()?;
        }
        let later = self.rest.split_off(length);
        Ok(std::mem::replace(&mut self.rest, later))
    }

    fn read_more(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            length => {
                self.rest.extend_from_slice(buffer.get(..length).unwrap_or_default());
                Ok(())
            }
        }
    }
}

fn not_http() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP/1.1")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream that was read before and takes every write.
    struct Said(io::Cursor<&'static [u8]>);

    impl Read for Said {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let few = buffer.len().min(7);
            self.0.read(&mut buffer[..few])
        }
    }

    impl Write for Said {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn answers_end_where_their_framing_says() {
        let said = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 204 No Content\r\n\r\n\
            HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n\
            HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone";
        let mut connection = Connection::on(Said(io::Cursor::new(said)));
        let mut next = || connection.send(b"").unwrap().json();
        assert_eq!(next(), Ok(serde_json::json!({})));
        assert_eq!(next(), Ok(Value::Null));
        assert_eq!(next(), Ok(serde_json::json!([1, 2])));
        assert_eq!(next(), Err("status 404: gone".to_owned()));
        assert!(connection.send(b"").is_err());
    }
}
