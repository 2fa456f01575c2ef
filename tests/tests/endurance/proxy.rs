//! What stands between tills and their server: a share of connections breaks before a request is forwarded, another after the
//! server has done what was asked, and some answers arrive torn.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::chance::Chance;

/// In a thousand requests.
const CUT_BEFORE: usize = 10;
const CUT_AFTER: usize = 20;
const TORN: usize = 5;
const HELD_UP: usize = 50;

/// How long the server may take over a request: longer than any till waits.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    CutBefore,
    CutAfter,
    Torn,
    Whole,
}

struct Shared {
    server: Mutex<String>,
    chance: Mutex<Chance>,
    faults: bool,
    over: AtomicBool,
    spoiled: AtomicUsize,
}

/// A proxy on a port of its own. It serves until it is dropped.
pub(crate) struct Proxy {
    address: String,
    shared: Arc<Shared>,
}

impl Proxy {
    /// With faults, or one that passes everything on.
    pub(crate) fn start(chance: Chance, faults: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(Shared {
            server: Mutex::default(),
            chance: Mutex::new(chance),
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
                std::thread::spawn(move || serving.pass(socket));
            }
        });
        Self { address, shared }
    }

    /// Where clients ask: `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// From now on forwards to the server at this address.
    pub(crate) fn lead_to(&self, server: &str) {
        server.trim_start_matches("http://").clone_into(&mut self.shared.server.lock().unwrap());
    }

    /// Where that is.
    pub(crate) fn server(&self) -> String {
        self.shared.server.lock().unwrap().clone()
    }

    /// How many requests it has spoiled.
    pub(crate) fn spoiled(&self) -> usize {
        self.shared.spoiled.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(&self.address));
    }
}

impl Shared {
    fn draw(&self) -> (Fate, Option<Duration>, Option<Duration>) {
        if !self.faults {
            return (Fate::Whole, None, None);
        }
        let mut chance = self.chance.lock().unwrap();
        let mut held = || chance.in_thousand(HELD_UP).then(|| chance.between(1, 400));
        let (before, after) = (held(), held());
        let fate = match chance.below(1000) {
            drawn if drawn < CUT_BEFORE => Fate::CutBefore,
            drawn if drawn < CUT_BEFORE + CUT_AFTER => Fate::CutAfter,
            drawn if drawn < CUT_BEFORE + CUT_AFTER + TORN => Fate::Torn,
            _ => Fate::Whole,
        };
        (fate, before, after)
    }

    /// Passes one request on. `None` where somebody hung up.
    fn pass(&self, mut client: TcpStream) -> Option<()> {
        let request = request(&mut client)?;
        let (fate, before, after) = self.draw();
        if fate != Fate::Whole {
            self.spoiled.fetch_add(1, Ordering::Relaxed);
        }
        std::thread::sleep(before.unwrap_or_default());
        if fate == Fate::CutBefore {
            return None;
        }
        let server = self.server.lock().unwrap().clone();
        let mut server = TcpStream::connect(server).ok()?;
        server.set_read_timeout(Some(PATIENCE)).ok()?;
        server.write_all(&request).ok()?;
        let mut answer = Vec::new();
        // a server that is killed leaves what it had sent
        let _ = server.read_to_end(&mut answer);
        std::thread::sleep(after.unwrap_or_default());
        match fate {
            Fate::CutBefore | Fate::CutAfter => None,
            Fate::Torn => client.write_all(&answer[..answer.len() / 2]).ok(),
            Fate::Whole => client.write_all(&answer).ok(),
        }
    }
}

/// A request with its body.
fn request(client: &mut TcpStream) -> Option<Vec<u8>> {
    client.set_read_timeout(Some(PATIENCE)).ok()?;
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
