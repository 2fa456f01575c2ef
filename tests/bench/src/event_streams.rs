//! Clients of the event stream.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use memchr::memmem;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::task::LocalSet;

use crate::http_client;
use crate::till::Tokens;

/// How long the server may take to notice that streams were closed.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(30);

/// Open streams, whose events one thread reads.
pub(crate) struct OpenStreams {
    sockets: Vec<TcpStream>,
    reader: JoinHandle<usize>,
    server: String,
}

impl OpenStreams {
    /// Opens a stream for each session, and returns when every one of them has begun.
    pub(crate) fn open(address: &str, sessions: &[Tokens]) -> Self {
        let sockets: Vec<TcpStream> = sessions.iter().map(|tokens| open_stream(address, &tokens.access)).collect();
        let streams = sockets.iter().map(|socket| socket.try_clone().unwrap()).collect();
        Self { sockets, reader: std::thread::spawn(move || count_changes(streams)), server: address.to_owned() }
    }

    /// Closes the streams, and waits until the server has none. Returns the number of changes that
    /// all streams have received.
    pub(crate) fn close(self) -> usize {
        for socket in &self.sockets {
            let _ = socket.shutdown(Shutdown::Both);
        }
        let deadline = Instant::now() + CLOSE_TIMEOUT;
        loop {
            let (_, _, metrics) = http_client::get(&self.server, "/metrics");
            if memmem::find(&metrics, b"\ntillgate_event_streams 0\n").is_some() {
                return self.reader.join().unwrap();
            }
            assert!(Instant::now() < deadline, "the server does not notice the end of its clients");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Opens a stream and waits for the event `reset`, with which it begins.
fn open_stream(address: &str, access: &str) -> TcpStream {
    let mut stream = http_client::connect(address);
    let request =
        format!("GET /api/v1/events HTTP/1.1\r\nhost: till.example\r\nauthorization: Bearer {access}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let (mut response, mut part) = (Vec::new(), [0; 4096]);
    while memmem::find(&response, b"event: reset").is_none() {
        let read = stream.read(&mut part).unwrap();
        response.extend_from_slice(&part[..read]);
        assert!(read > 0 && response.starts_with(b"HTTP/1.1 200"), "no stream: {}", String::from_utf8_lossy(&response));
    }
    stream
}

/// Reads all streams until they are closed, and returns the number of changes.
fn count_changes(streams: Vec<TcpStream>) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let count = |stream: TcpStream| async move {
            stream.set_nonblocking(true).unwrap();
            let mut stream = tokio::net::TcpStream::from_std(stream).unwrap();
            let (mut changes, mut part) = (0, vec![0; 4096]);
            while let Ok(read @ 1..) = stream.read(&mut part).await {
                changes += memmem::find_iter(&part[..read], b"event: change").count();
            }
            changes
        };
        let tasks: Vec<_> = streams.into_iter().map(|stream| tokio::task::spawn_local(count(stream))).collect();
        let mut all = 0;
        for task in tasks {
            all += task.await.unwrap();
        }
        all
    })
}

/// A stream that notes when each session first occurs in it.
pub(crate) struct SessionWatch {
    socket: TcpStream,
    seen: Arc<Mutex<HashMap<String, Instant>>>,
    reader: Option<JoinHandle<()>>,
}

impl SessionWatch {
    /// Opens the stream.
    pub(crate) fn open(address: &str, tokens: &Tokens) -> Self {
        let socket = open_stream(address, &tokens.access);
        let seen = Arc::<Mutex<HashMap<String, Instant>>>::default();
        let (stream, noted) = (BufReader::new(socket.try_clone().unwrap()), Arc::clone(&seen));
        let reader = std::thread::spawn(move || {
            for line in stream.lines().map_while(Result::ok) {
                let Some(change) =
                    line.strip_prefix("data: ").and_then(|text| serde_json::from_str::<Value>(text).ok())
                else {
                    continue;
                };
                if let (Some("session"), Some(id)) = (change["kind"].as_str(), change["id"].as_str()) {
                    noted.lock().unwrap().entry(id.to_owned()).or_insert_with(Instant::now);
                }
            }
        });
        Self { socket, seen, reader: Some(reader) }
    }

    /// When the session first occurred; waits for it until then.
    pub(crate) fn wait_for(&self, session: &str, until: Instant) -> Instant {
        loop {
            if let Some(at) = self.seen.lock().unwrap().get(session) {
                return *at;
            }
            assert!(Instant::now() < until, "no event of the session {session}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for SessionWatch {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Both);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}
