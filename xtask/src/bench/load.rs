//! Closed-loop load: every connection sends its next request when it has the answer to the last.
//!
//! One thread drives all connections and reads of an answer only what it must: status and length.
//! An answer of another status ends the measurement with an error, and so does one of another length,
//! where that is known.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use super::pages::Request;

/// Load before the counting begins.
const WARM_UP: Duration = Duration::from_millis(100);

/// How long one answer may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// What was counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Answers.
    pub answers: u64,
    /// Time in which they came.
    pub elapsed: Duration,
    /// CPU time the server used in it.
    pub cpu: Duration,
    /// Time from request to answer of each, in nanoseconds.
    pub latencies: Vec<u32>,
}

/// The load to put on a server.
pub struct Load<'a> {
    /// Where the server listens.
    pub address: &'a str,
    /// What is sent, over and over.
    pub pool: Vec<Request>,
    /// Whether somebody writes meanwhile, so that answers may have another length.
    pub lengths_vary: bool,
    /// Connections at once.
    pub connections: u32,
    /// How long is counted.
    pub duration: Duration,
}

/// What the connections share.
struct Shared {
    pool: Vec<Request>,
    lengths_vary: bool,
    next: Cell<usize>,
    stop: Cell<bool>,
    counting: Cell<bool>,
    latencies: RefCell<Vec<u32>>,
}

impl Load<'_> {
    /// Runs the load; `cpu` reads the server's CPU time.
    ///
    /// # Errors
    /// A wrong answer, or a connection that broke.
    pub fn run(self, cpu: impl Fn() -> Result<Duration, String>) -> Result<Measured, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("cannot start the load: {error}"))?;
        LocalSet::new().block_on(&runtime, self.drive(cpu))
    }

    async fn drive(self, cpu: impl Fn() -> Result<Duration, String>) -> Result<Measured, String> {
        let shared = Rc::new(Shared {
            pool: self.pool,
            lengths_vary: self.lengths_vary,
            next: Cell::new(0),
            stop: Cell::new(false),
            counting: Cell::new(false),
            latencies: RefCell::new(Vec::new()),
        });
        let mut running = Vec::new();
        for _ in 0..self.connections {
            let stream = TcpStream::connect(self.address).await.map_err(|error| error.to_string())?;
            stream.set_nodelay(true).map_err(|error| error.to_string())?;
            running.push(tokio::task::spawn_local(connection(stream, Rc::clone(&shared))));
        }
        tokio::time::sleep(WARM_UP).await;
        let (cpu_before, started) = (cpu()?, Instant::now());
        shared.counting.set(true);
        tokio::time::sleep(self.duration).await;
        shared.counting.set(false);
        let (elapsed, cpu_after) = (started.elapsed(), cpu()?);
        shared.stop.set(true);
        for connection in running {
            connection.await.map_err(|error| error.to_string())??;
        }
        let latencies = shared.latencies.take();
        Ok(Measured { answers: latencies.len() as u64, elapsed, cpu: cpu_after - cpu_before, latencies })
    }
}

async fn connection(mut stream: TcpStream, shared: Rc<Shared>) -> Result<(), String> {
    let mut buffer = vec![0; 64 * 1024];
    while !shared.stop.get() {
        let number = shared.next.get();
        shared.next.set((number + 1) % shared.pool.len());
        let request = &shared.pool[number];
        let started = Instant::now();
        stream.write_all(&request.bytes).await.map_err(|error| error.to_string())?;
        let expected = (!shared.lengths_vary).then_some(request.answer_length);
        tokio::time::timeout(DEADLINE, read_answer(&mut stream, &mut buffer, expected))
            .await
            .map_err(|_| format!("no answer within {DEADLINE:?}"))??;
        if shared.counting.get() {
            let nanos = u32::try_from(started.elapsed().as_nanos()).unwrap_or(u32::MAX);
            shared.latencies.borrow_mut().push(nanos);
        }
    }
    Ok(())
}

/// Reads one answer: `expected` bytes after the head, or as many as the head says.
async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8], expected: Option<usize>) -> Result<(), String> {
    let mut filled = 0;
    loop {
        let length = stream.read(&mut buffer[filled..]).await.map_err(|error| error.to_string())?;
        filled += length;
        let read = &buffer[..filled];
        let head = read.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
        let expected = expected.or_else(|| content_length(read.get(..head?)?));
        match head.zip(expected) {
            Some((head, expected)) if filled >= head + expected => return check(read, head, expected),
            _ if length == 0 => return Err(format!("a wrong answer: {}", String::from_utf8_lossy(read))),
            // An error's body is shorter than a page; do not wait for more of it.
            Some((head, expected)) if !read.starts_with(b"HTTP/1.1 200 ") => return check(read, head, expected),
            _ => {}
        }
    }
}

fn content_length(head: &[u8]) -> Option<usize> {
    let head = std::str::from_utf8(head).ok()?;
    let is_length = |line: &&str| line.len() > 15 && line.as_bytes()[..15].eq_ignore_ascii_case(b"content-length:");
    head.lines().find(is_length)?.get(15..)?.trim().parse().ok()
}

fn check(read: &[u8], head: usize, expected: usize) -> Result<(), String> {
    if read.starts_with(b"HTTP/1.1 200 ") && read.len() == head + expected {
        return Ok(());
    }
    Err(format!("not the {expected} bytes expected: {}", String::from_utf8_lossy(read)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_expected_answer_passes() {
        let answer = b"HTTP/1.1 200 OK\r\n\r\nabc";
        assert_eq!(check(answer, 19, 3), Ok(()));
        assert!(check(answer, 19, 2).is_err());
        assert!(check(b"HTTP/1.1 400 Bad Request\r\n\r\nabc", 28, 3).is_err());
    }

    #[test]
    fn the_length_is_found_in_any_case() {
        assert_eq!(content_length(b"HTTP/1.1 200 OK\r\nx: y\r\nContent-Length: 12\r\n\r\n"), Some(12));
        assert_eq!(content_length(b"HTTP/1.1 200 OK\r\ncontent-length:7\r\n\r\n"), Some(7));
        assert_eq!(content_length(b"HTTP/1.1 200 OK\r\n\r\n"), None);
    }
}
