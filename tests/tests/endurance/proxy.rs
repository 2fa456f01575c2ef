//! The proxy between tills and their server: a share of connections breaks before a request is
//! forwarded, another share after the server has handled it, and some responses are truncated.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tillgate_testkit::Random;

/// Of a thousand requests.
const CUT_BEFORE_PER_MILLE: usize = 10;
const CUT_AFTER_PER_MILLE: usize = 20;
const TRUNCATED_PER_MILLE: usize = 5;
const DELAYED_PER_MILLE: usize = 50;

/// How long the server may take for a request: longer than any till waits.
const SERVER_TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, PartialEq, Eq)]
enum ConnectionFault {
    CutBefore,
    CutAfter,
    Truncated,
    NoFault,
}

struct ProxyState {
    server: Mutex<String>,
    random: Mutex<Random>,
    faults: bool,
    over: AtomicBool,
    spoiled: AtomicUsize,
}

/// A proxy on its own port. It serves until it is dropped.
pub(crate) struct Proxy {
    address: String,
    shared: Arc<ProxyState>,
}

impl Proxy {
    /// Starts a proxy, with faults, or one that passes everything on.
    pub(crate) fn start(random: Random, faults: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(ProxyState {
            server: Mutex::default(),
            random: Mutex::new(random),
            faults,
            over: AtomicBool::new(false),
            spoiled: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                if serving.over.load(Ordering::Relaxed) {
                    return;
                }
                let serving = Arc::clone(&serving);
                std::thread::spawn(move || serving.forward_request(socket));
            }
        });
        Self { address, shared }
    }

    /// The address for clients: `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Forwards to the server at this address from now on.
    pub(crate) fn set_server(&self, server: &str) {
        server.trim_start_matches("http://").clone_into(&mut self.shared.server.lock().unwrap());
    }

    /// The address of the server.
    pub(crate) fn server(&self) -> String {
        self.shared.server.lock().unwrap().clone()
    }

    /// The number of requests that it has broken.
    pub(crate) fn spoiled_count(&self) -> usize {
        self.shared.spoiled.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(&self.address));
    }
}

impl ProxyState {
    fn draw_fault(&self) -> (ConnectionFault, Option<Duration>, Option<Duration>) {
        if !self.faults {
            return (ConnectionFault::NoFault, None, None);
        }
        let mut random = self.random.lock().unwrap();
        let mut held = || random.in_thousand(DELAYED_PER_MILLE).then(|| random.millis_between(1, 400));
        let (before, after) = (held(), held());
        let fate = match random.below(1000) {
            drawn if drawn < CUT_BEFORE_PER_MILLE => ConnectionFault::CutBefore,
            drawn if drawn < CUT_BEFORE_PER_MILLE + CUT_AFTER_PER_MILLE => ConnectionFault::CutAfter,
            drawn if drawn < CUT_BEFORE_PER_MILLE + CUT_AFTER_PER_MILLE + TRUNCATED_PER_MILLE => {
                ConnectionFault::Truncated
            }
            _ => ConnectionFault::NoFault,
        };
        (fate, before, after)
    }

    /// Forwards one request. Returns `None` if either side closed the connection.
    fn forward_request(&self, mut client: TcpStream) -> Option<()> {
        let request = read_request(&mut client)?;
        let (fate, before, after) = self.draw_fault();
        if fate != ConnectionFault::NoFault {
            self.spoiled.fetch_add(1, Ordering::Relaxed);
        }
        std::thread::sleep(before.unwrap_or_default());
        if fate == ConnectionFault::CutBefore {
            return None;
        }
        let server = self.server.lock().unwrap().clone();
        let mut server = TcpStream::connect(server).ok()?;
        server.set_read_timeout(Some(SERVER_TIMEOUT)).ok()?;
        server.write_all(&request).ok()?;
        let mut response = Vec::new();
        // a killed server leaves what it had sent
        let _ = server.read_to_end(&mut response);
        std::thread::sleep(after.unwrap_or_default());
        match fate {
            ConnectionFault::CutBefore | ConnectionFault::CutAfter => None,
            ConnectionFault::Truncated => client.write_all(&response[..response.len() / 2]).ok(),
            ConnectionFault::NoFault => client.write_all(&response).ok(),
        }
    }
}

/// Reads a request with its body.
fn read_request(client: &mut TcpStream) -> Option<Vec<u8>> {
    client.set_read_timeout(Some(SERVER_TIMEOUT)).ok()?;
    let (mut request, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let read = client.read(&mut part).ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(request);
            }
        }
    }
}
