//! A client of the event stream that reads the socket itself, so that a test decides when it reads.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use tillgate_testkit::server_sent_events::{StreamEvent, take_event};

use crate::{RunningServer, now};

/// An open event stream.
pub struct EventStream {
    socket: TcpStream,
    /// What was received of the body and is no complete event yet.
    text: String,
    /// What was received of the response and is no complete chunk yet.
    bytes: Vec<u8>,
    has_ended: bool,
    /// The head of the response.
    pub head: String,
    /// The position of the last event that had one.
    pub position: Option<String>,
}

impl EventStream {
    /// Opens a stream with this access token, from a position if there is one. Panics if there is
    /// no response.
    pub fn open(server: &RunningServer, token: &str, position: Option<&str>) -> Self {
        let mut socket = TcpStream::connect(server.address().trim_start_matches("http://")).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let position = position.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        let request =
            format!("GET /api/v1/events HTTP/1.1\r\nHost: till\r\nAuthorization: Bearer {token}\r\n{position}\r\n");
        socket.write_all(request.as_bytes()).unwrap();
        let mut stream = Self {
            socket,
            text: String::new(),
            bytes: Vec::new(),
            has_ended: false,
            head: String::new(),
            position: None,
        };
        let deadline = now() + Duration::from_secs(20);
        while stream.head.is_empty() {
            assert!(now() < deadline, "no response to the request for a stream");
            stream.receive();
            if let Some(end) = stream.bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let rest = stream.bytes.split_off(end + 4);
                stream.head = String::from_utf8(std::mem::replace(&mut stream.bytes, rest)).unwrap();
            }
        }
        stream
    }

    /// Makes the system keep little of what is not read.
    pub fn shrink_buffer(&self) {
        rustix::net::sockopt::set_socket_recv_buffer_size(&self.socket, 4096).unwrap();
    }

    /// The status of the response.
    pub fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn receive(&mut self) {
        let mut part = vec![0; 65_536];
        match self.socket.read(&mut part) {
            Ok(0) => self.has_ended = true,
            Ok(read) => self.bytes.extend_from_slice(&part[..read]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => self.has_ended = true,
        }
    }

    /// Takes the complete chunks out of what was received.
    fn take_chunks(&mut self) {
        while let Some(end) = self.bytes.windows(2).position(|bytes| bytes == b"\r\n") {
            let size = usize::from_str_radix(std::str::from_utf8(&self.bytes[..end]).unwrap(), 16).unwrap();
            let whole = end + 2 + size + 2;
            if self.bytes.len() < whole {
                return;
            }
            self.text.push_str(std::str::from_utf8(&self.bytes[end + 2..end + 2 + size]).unwrap());
            self.bytes.drain(..whole);
            self.has_ended |= size == 0;
        }
    }

    fn take_event(&mut self) -> Option<StreamEvent> {
        let event = take_event(&mut self.text)?;
        self.position = event.id.clone().or(self.position.take());
        Some(event)
    }

    /// The next event, if it comes within this time; `None` otherwise and at the end of the stream.
    pub fn next_event(&mut self, within: Duration) -> Option<StreamEvent> {
        let deadline = now() + within;
        loop {
            self.take_chunks();
            if let Some(event) = self.take_event() {
                return Some(event);
            }
            if self.has_ended || now() > deadline {
                return None;
            }
            self.receive();
        }
    }

    /// Reads up to the change of this resource, and returns the events before it. Panics if it does
    /// not come within this time.
    #[track_caller]
    pub fn wait_for(&mut self, id: &str, within: Duration) -> Vec<StreamEvent> {
        let deadline = now() + within;
        let mut before = Vec::new();
        while let Some(event) = self.next_event(deadline.saturating_duration_since(now())) {
            if event.data["id"] == id {
                return before;
            }
            before.push(event);
        }
        panic!("no event about {id} within {within:?}, but {before:?}");
    }

    /// Whether the stream ends within this time.
    pub fn ends(&mut self, within: Duration) -> bool {
        let deadline = now() + within;
        while !self.has_ended && now() < deadline {
            self.receive();
            self.take_chunks();
        }
        self.has_ended
    }
}
