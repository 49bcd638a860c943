//! A client that writes bytes as they are and reads answers as they come.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::service::PATIENCE;

/// One connection.
pub struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// One answer.
#[derive(Debug)]
pub struct Got {
    /// The status code.
    pub status: u16,
    /// The head, with the spelling of the header names as it came.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Got {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The value of a header whose name is spelled exactly so.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The `__type` of an error.
    pub fn error_type(&self) -> String {
        self.json()["__type"].as_str().unwrap_or_default().to_owned()
    }
}

impl Client {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), unread: Vec::new() }
    }

    /// Sends bytes; whether the server still takes them does not matter.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let sent = timeout(PATIENCE, self.stream.write_all(bytes.as_ref())).await;
        drop(sent.expect("the server reads"));
    }

    /// Sends and reads one answer.
    pub async fn ask(&mut self, bytes: impl AsRef<[u8]>) -> Got {
        self.send(bytes).await;
        self.answer().await
    }

    /// Reads one answer.
    pub async fn answer(&mut self) -> Got {
        timeout(PATIENCE, self.read_answer()).await.expect("an answer comes").expect("the connection stays open")
    }

    /// Whether the connection ends without another byte.
    pub async fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        let read = timeout(PATIENCE, self.stream.read_to_end(&mut rest)).await.expect("the connection ends");
        self.unread.is_empty() && (read.is_err() || rest.is_empty())
    }

    async fn read_answer(&mut self) -> Option<Got> {
        let head_end = loop {
            if let Some(end) = self.unread.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            self.read_more().await?;
        };
        let head = String::from_utf8(self.unread.drain(..head_end).collect()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut got = Got { status, head, body: String::new() };
        let length = got.header("Content-Length").or_else(|| got.header("content-length")).unwrap_or("0");
        let length: usize = length.parse().unwrap();
        while self.unread.len() < length {
            self.read_more().await?;
        }
        got.body = String::from_utf8(self.unread.drain(..length).collect()).unwrap();
        Some(got)
    }

    async fn read_more(&mut self) -> Option<()> {
        let read = self.stream.read_buf(&mut self.unread).await.unwrap_or(0);
        (read > 0).then_some(())
    }
}

/// A request of the JSON protocol to loopback.
pub fn request(operation: &str, body: &str) -> String {
    request_with(operation, "", body)
}

/// The same with more headers, each ended by a line break.
pub fn request_with(operation: &str, headers: &str, body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonEC2ContainerServiceV20141113.{operation}\r\n\
         Content-Type: application/x-amz-json-1.1\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// One request on its own connection.
pub async fn ask(address: SocketAddr, bytes: impl AsRef<[u8]>) -> Got {
    Client::connect(address).await.ask(bytes).await
}
