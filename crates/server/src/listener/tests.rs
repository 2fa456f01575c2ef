//! The listener over an application of a few lines, with clients that behave badly.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use actix_web::rt::time::sleep;
use actix_web::{HttpResponse, web};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tillgate_http::{Edge, Settings};

use super::*;

mod heads;

/// More than the system buffers on both sides.
const LARGE: usize = 32 * 1024 * 1024;

/// How long a client waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

fn options() -> Options {
    Options {
        tls: None,
        workers: 1,
        priority: crate::priority::SERVING,
        blocking_threads: 2,
        connections: 100,
        per_network: 100,
        uncounted: Vec::new(),
        only_from: Vec::new(),
        head: PATIENCE,
        keep_alive: PATIENCE * 10,
        write: PATIENCE,
        grace: PATIENCE * 10,
    }
}

/// A listener on a runtime of its own. It is stopped when this is dropped.
struct Listening {
    address: SocketAddr,
    handle: Handle,
    metrics: Arc<Metrics>,
    running: Option<thread::JoinHandle<io::Result<()>>>,
}

async fn slow() -> HttpResponse {
    sleep(Duration::from_millis(300)).await;
    HttpResponse::Ok().body("slow")
}

/// Keeps the worker from everything else.
async fn busy() -> HttpResponse {
    thread::sleep(Duration::from_secs(1));
    HttpResponse::Ok().finish()
}

/// Answers nobody.
async fn never() -> HttpResponse {
    std::future::pending().await
}

/// How many tasks the worker has.
async fn tasks() -> HttpResponse {
    HttpResponse::Ok().body(tokio::runtime::Handle::current().metrics().num_alive_tasks().to_string())
}

/// How many of these requests were answered before.
async fn place(served: web::Data<AtomicUsize>) -> HttpResponse {
    HttpResponse::Ok().body(served.fetch_add(1, Ordering::Relaxed).to_string())
}

impl Listening {
    fn start(options: Options) -> Self {
        let (sender, receiver) = std::sync::mpsc::channel();
        let running = thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let metrics = Metrics::new(Vec::new);
                let bound = bind((Ipv4Addr::LOCALHOST, 0).into(), options)?;
                let address = bound.address();
                let served = Arc::new(AtomicUsize::new(0));
                let app = move || {
                    App::new()
                        .app_data(web::Data::from(Arc::clone(&served)))
                        .route("/busy", web::get().to(busy))
                        .route("/never", web::get().to(never))
                        .route("/place", web::get().to(place))
                        .route("/tasks", web::get().to(tasks))
                        .wrap(Edge::new(&Settings::default()))
                        .route("/", web::get().to(|| async { HttpResponse::Ok().body("here") }))
                        .route("/slow", web::get().to(slow))
                        .route("/large", web::get().to(|| async { HttpResponse::Ok().body(vec![b'x'; LARGE]) }))
                };
                let server = bound.serve(app, Arc::clone(&metrics))?;
                sender.send((address, server.handle(), metrics)).unwrap();
                server.stopped().await
            })
        });
        let (address, handle, metrics) = receiver.recv().unwrap();
        Self { address, handle, metrics, running: Some(running) }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Whether the metrics say that so many connections were closed for this reason.
    fn has_closed(&self, reason: &str, count: u32) -> bool {
        self.metrics.render().contains(&format!("tillgate_connections_closed_total{{reason=\"{reason}\"}} {count}"))
    }

    /// Waits until it has stopped.
    fn ended(&mut self) {
        self.running.take().unwrap().join().unwrap().unwrap();
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.handle.stop(false);
        if let Some(running) = self.running.take() {
            let _ = running.join();
        }
    }
}

fn ask(stream: &mut impl Write, path: &str) {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: till\r\n\r\n").unwrap();
}

/// The next answer, of under a kilobyte.
fn answer(stream: &mut impl Read) -> String {
    let mut answer = vec![0; 1024];
    let read = stream.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..read]).to_ascii_lowercase()
}

/// Reads until the server ends the connection; how many bytes came.
fn drain(stream: &mut impl Read) -> usize {
    let (mut part, mut all) = (vec![0; 65_536], 0);
    loop {
        match stream.read(&mut part) {
            Ok(0) => return all,
            Ok(read) => all += read,
            Err(error) => {
                let late = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                assert!(!late, "the connection is still open after {all} bytes: {error}");
                return all;
            }
        }
    }
}

/// The number that the next answer is.
fn number(stream: &mut TcpStream) -> usize {
    let answered = answer(stream);
    answered.rsplit("\r\n").next().and_then(|number| number.parse().ok()).expect("a number")
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..3_000 {
        if holds() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("{what} did not come true");
}

#[test]
fn client_that_takes_nothing_of_its_answer_is_cut_off() {
    let server = Listening::start(Options { write: Duration::from_millis(300), ..options() });
    let mut stream = server.connect();
    ask(&mut stream, "/large");
    until("the end of the connection", || server.has_closed("unread", 1));
    assert!(drain(&mut stream) < LARGE);
}

#[test]
fn client_that_reads_slowly_gets_its_whole_answer() {
    let server = Listening::start(Options { write: Duration::from_millis(1_500), ..options() });
    let mut stream = server.connect();
    ask(&mut stream, "/large");
    let (mut all, mut part) = (0, vec![0; 2 * 1024 * 1024]);
    // longer in all than the deadline
    while all < LARGE {
        let read = stream.read(&mut part).unwrap();
        assert!(read > 0, "it was cut off after {all} bytes");
        all += read;
        if all < LARGE / 2 {
            thread::sleep(Duration::from_millis(100));
        }
    }
    assert!(!server.has_closed("unread", 1));
}

#[test]
fn client_that_takes_nothing_is_cut_off_over_tls_too() {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let tls = Some(Arc::new(config));
    let server = Listening::start(Options { tls, write: Duration::from_millis(300), ..options() });
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = ClientConnection::new(Arc::new(client), ServerName::try_from("localhost").unwrap()).unwrap();
    let mut stream = StreamOwned::new(client, server.connect());
    ask(&mut stream, "/");
    assert!(answer(&mut stream).contains("200 ok"));
    ask(&mut stream, "/large");
    until("the end of the connection", || server.has_closed("unread", 1));
    assert!(drain(&mut stream) < LARGE);
}

#[test]
fn network_with_enough_connections_gets_no_more() {
    let server = Listening::start(Options { per_network: 2, ..options() });
    let mut held: Vec<TcpStream> = (0..2).map(|_| server.connect()).collect();
    for stream in &mut held {
        ask(stream, "/");
        assert!(answer(stream).contains("here"));
    }
    assert_eq!(drain(&mut server.connect()), 0);
    assert!(server.has_closed("network", 1));
    drop(held);
    until("room for another", || {
        let mut stream = server.connect();
        write!(stream, "GET / HTTP/1.1\r\nHost: till\r\n\r\n").is_ok()
            && stream.read(&mut [0; 1024]).is_ok_and(|read| read > 0)
    });
}

#[test]
fn uncounted_networks_are_not_bounded() {
    let uncounted = vec!["127.0.0.0/8".parse().unwrap()];
    let server = Listening::start(Options { per_network: 1, uncounted, ..options() });
    let mut held: Vec<TcpStream> = (0..5).map(|_| server.connect()).collect();
    for stream in &mut held {
        ask(stream, "/");
        assert!(answer(stream).contains("here"));
    }
}

#[test]
fn connection_beyond_the_bound_of_a_worker_waits_for_another_to_end() {
    let server = Listening::start(Options { connections: 1, ..options() });
    let mut first = server.connect();
    ask(&mut first, "/");
    assert!(answer(&mut first).contains("here"));
    let mut second = server.connect();
    ask(&mut second, "/");
    drop(first);
    assert!(answer(&mut second).contains("here"));
}

#[test]
fn stop_answers_what_was_sent_and_ends_idle_connections() {
    let mut server = Listening::start(options());
    let mut kept = server.connect();
    ask(&mut kept, "/");
    assert!(answer(&mut kept).contains("here"));
    let unused = server.connect();
    let mut busy = server.connect();
    ask(&mut busy, "/slow");
    let mut fresh: Vec<TcpStream> = (0..20).map(|_| server.connect()).collect();
    for stream in &mut fresh {
        ask(stream, "/slow");
    }
    server.handle.stop(true);
    for stream in fresh.iter_mut().chain([&mut busy]) {
        let answered = answer(stream);
        assert!(answered.contains("200 ok") && answered.ends_with("slow"), "{answered}");
        assert_eq!(drain(stream), 0);
    }
    assert_eq!(drain(&mut kept), 0);
    server.ended();
    drop(unused);
    assert!(TcpStream::connect(server.address).is_err(), "it still listens");
}

#[test]
fn second_stop_does_not_wait() {
    let mut server = Listening::start(options());
    let mut stream = server.connect();
    ask(&mut stream, "/large");
    // the answer has begun and is never taken
    stream.read_exact(&mut [0; 1024]).unwrap();
    server.handle.stop(true);
    server.handle.stop(false);
    server.ended();
}

#[test]
fn new_connection_does_not_wait_for_all_that_are_kept() {
    const KEPT: usize = 400;
    let server = Listening::start(Options { connections: KEPT + 10, per_network: KEPT + 10, ..options() });
    let mut kept: Vec<TcpStream> = (0..KEPT).map(|_| server.connect()).collect();
    for stream in &mut kept {
        ask(stream, "/");
        assert!(answer(stream).contains("here"));
    }
    let mut blocking = server.connect();
    ask(&mut blocking, "/busy");
    thread::sleep(Duration::from_millis(200));
    for stream in &mut kept {
        ask(stream, "/place");
    }
    let mut new = server.connect();
    ask(&mut new, "/place");
    let came = number(&mut new);
    assert!(came < KEPT / 2, "{came} of {KEPT} went first");
    let mut places: Vec<usize> = kept.iter_mut().map(number).chain([came]).collect();
    places.sort_unstable();
    assert_eq!(places, (0..=KEPT).collect::<Vec<_>>(), "each is answered once");
}

#[test]
fn nothing_is_left_of_a_connection_that_has_ended() {
    let server = Listening::start(options());
    let mut kept = server.connect();
    let mut tasks = || {
        ask(&mut kept, "/tasks");
        number(&mut kept)
    };
    let before = tasks();
    for _ in 0..50 {
        let mut stream = server.connect();
        ask(&mut stream, "/");
        assert!(answer(&mut stream).contains("here"));
    }
    until("the end of every task of theirs", || tasks() <= before);
}
