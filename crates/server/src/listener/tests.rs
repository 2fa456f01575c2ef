//! The listener with a small application and misbehaving clients.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use actix_web::rt::time::sleep;
use actix_web::{HttpResponse, web};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tillgate_http::{HttpSettings, RequestLayer};

use super::*;

mod heads;
mod pipelining;

/// More bytes than the system buffers on both sides.
const LARGE_BODY_BYTES: usize = 32 * 1024 * 1024;

/// How long a client waits for an expected response.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(30);

fn test_options() -> ListenerOptions {
    ListenerOptions {
        tls: None,
        workers: 1,
        priority: crate::priority::SERVING_NICENESS,
        blocking_threads: 2,
        max_connections: 100,
        max_per_network: 100,
        uncounted: Vec::new(),
        allowed_networks: Vec::new(),
        head_timeout: CLIENT_TIMEOUT,
        keep_alive: CLIENT_TIMEOUT * 10,
        write_timeout: CLIENT_TIMEOUT,
        shutdown_grace: CLIENT_TIMEOUT * 10,
    }
}

/// A listener on a runtime of its own, stopped when dropped.
struct TestListener {
    address: SocketAddr,
    handle: StopHandle,
    metrics: Arc<Metrics>,
    running: Option<thread::JoinHandle<io::Result<()>>>,
}

async fn slow_handler() -> HttpResponse {
    sleep(Duration::from_millis(300)).await;
    HttpResponse::Ok().body("slow")
}

/// Blocks the worker.
async fn busy_handler() -> HttpResponse {
    thread::sleep(Duration::from_secs(1));
    HttpResponse::Ok().finish()
}

/// Never answers.
async fn never() -> HttpResponse {
    std::future::pending().await
}

/// The number of tasks of the worker.
async fn task_count_handler() -> HttpResponse {
    HttpResponse::Ok().body(tokio::runtime::Handle::current().metrics().num_alive_tasks().to_string())
}

/// The number of requests answered before.
async fn position_handler(served: web::Data<AtomicUsize>) -> HttpResponse {
    HttpResponse::Ok().body(served.fetch_add(1, Ordering::Relaxed).to_string())
}

impl TestListener {
    fn start(options: ListenerOptions) -> Self {
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
                        .route("/busy", web::get().to(busy_handler))
                        .route("/never", web::get().to(never))
                        .route("/position", web::to(position_handler))
                        .route("/tasks", web::get().to(task_count_handler))
                        .wrap(RequestLayer::new(&HttpSettings::default()))
                        .route("/", web::get().to(|| async { HttpResponse::Ok().body("here") }))
                        .route("/slow", web::get().to(slow_handler))
                        .route(
                            "/large",
                            web::get().to(|| async { HttpResponse::Ok().body(vec![b'x'; LARGE_BODY_BYTES]) }),
                        )
                };
                let server = bound.serve(app, Arc::clone(&metrics))?;
                sender.send((address, server.handle(), metrics)).unwrap();
                server.wait_until_stopped().await
            })
        });
        let (address, handle, metrics) = receiver.recv().unwrap();
        Self { address, handle, metrics, running: Some(running) }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(CLIENT_TIMEOUT)).unwrap();
        stream
    }

    /// Whether the metrics count this number of connections closed for a reason.
    fn has_closed_count(&self, reason: &str, count: u32) -> bool {
        self.metrics.render().contains(&format!("tillgate_connections_closed_total{{reason=\"{reason}\"}} {count}"))
    }

    /// Waits until the listener has stopped.
    fn wait_until_ended(&mut self) {
        self.running.take().unwrap().join().unwrap().unwrap();
    }
}

impl Drop for TestListener {
    fn drop(&mut self) {
        self.handle.stop(false);
        if let Some(running) = self.running.take() {
            let _ = running.join();
        }
    }
}

fn send_request(stream: &mut impl Write, path: &str) {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: till\r\n\r\n").unwrap();
}

/// Reads the next response, of less than a kilobyte.
fn read_response(stream: &mut impl Read) -> String {
    let mut response = vec![0; 1024];
    let read = stream.read(&mut response).unwrap();
    String::from_utf8_lossy(&response[..read]).to_ascii_lowercase()
}

/// Reads until the server closes the connection; returns the number of bytes.
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

/// The number in the next response.
fn read_number(stream: &mut TcpStream) -> usize {
    let answered = read_response(stream);
    answered.rsplit("\r\n").next().and_then(|number| number.parse().ok()).expect("a number")
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..3_000 {
        if holds() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("{what} did not come true");
}

#[test]
fn client_that_reads_nothing_is_disconnected() {
    let server = TestListener::start(ListenerOptions { write_timeout: Duration::from_millis(300), ..test_options() });
    let mut stream = server.connect();
    send_request(&mut stream, "/large");
    wait_until("the end of the connection", || server.has_closed_count("unread", 1));
    assert!(drain(&mut stream) < LARGE_BODY_BYTES);
}

#[test]
fn slow_reader_gets_its_whole_response() {
    let server = TestListener::start(ListenerOptions { write_timeout: Duration::from_millis(1_500), ..test_options() });
    let mut stream = server.connect();
    send_request(&mut stream, "/large");
    let (mut all, mut part) = (0, vec![0; 2 * 1024 * 1024]);
    // longer in total than the timeout
    while all < LARGE_BODY_BYTES {
        let read = stream.read(&mut part).unwrap();
        assert!(read > 0, "it was cut off after {all} bytes");
        all += read;
        if all < LARGE_BODY_BYTES / 2 {
            thread::sleep(Duration::from_millis(100));
        }
    }
    assert!(!server.has_closed_count("unread", 1));
}

#[test]
fn client_that_reads_nothing_is_disconnected_over_tls() {
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
    let server =
        TestListener::start(ListenerOptions { tls, write_timeout: Duration::from_millis(300), ..test_options() });
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = ClientConnection::new(Arc::new(client), ServerName::try_from("localhost").unwrap()).unwrap();
    let mut stream = StreamOwned::new(client, server.connect());
    send_request(&mut stream, "/");
    assert!(read_response(&mut stream).contains("200 ok"));
    send_request(&mut stream, "/large");
    wait_until("the end of the connection", || server.has_closed_count("unread", 1));
    assert!(drain(&mut stream) < LARGE_BODY_BYTES);
}

#[test]
fn network_at_its_maximum_gets_no_connection() {
    let server = TestListener::start(ListenerOptions { max_per_network: 2, ..test_options() });
    let mut held: Vec<TcpStream> = (0..2).map(|_| server.connect()).collect();
    for stream in &mut held {
        send_request(stream, "/");
        assert!(read_response(stream).contains("here"));
    }
    assert_eq!(drain(&mut server.connect()), 0);
    assert!(server.has_closed_count("network", 1));
    drop(held);
    wait_until("room for another", || {
        let mut stream = server.connect();
        write!(stream, "GET / HTTP/1.1\r\nHost: till\r\n\r\n").is_ok()
            && stream.read(&mut [0; 1024]).is_ok_and(|read| read > 0)
    });
}

#[test]
fn uncounted_networks_are_not_limited() {
    let uncounted = vec!["127.0.0.0/8".parse().unwrap()];
    let server = TestListener::start(ListenerOptions { max_per_network: 1, uncounted, ..test_options() });
    let mut held: Vec<TcpStream> = (0..5).map(|_| server.connect()).collect();
    for stream in &mut held {
        send_request(stream, "/");
        assert!(read_response(stream).contains("here"));
    }
}

#[test]
fn connection_beyond_a_workers_maximum_waits() {
    let server = TestListener::start(ListenerOptions { max_connections: 1, ..test_options() });
    let mut first = server.connect();
    send_request(&mut first, "/");
    assert!(read_response(&mut first).contains("here"));
    let mut second = server.connect();
    send_request(&mut second, "/");
    drop(first);
    assert!(read_response(&mut second).contains("here"));
}

#[test]
fn graceful_stop_answers_sent_requests_and_closes_idle_connections() {
    let mut server = TestListener::start(test_options());
    let mut kept = server.connect();
    send_request(&mut kept, "/");
    assert!(read_response(&mut kept).contains("here"));
    let unused = server.connect();
    let mut busy = server.connect();
    send_request(&mut busy, "/slow");
    let mut fresh: Vec<TcpStream> = (0..20).map(|_| server.connect()).collect();
    for stream in &mut fresh {
        send_request(stream, "/slow");
    }
    server.handle.stop(true);
    for stream in fresh.iter_mut().chain([&mut busy]) {
        let answered = read_response(stream);
        assert!(answered.contains("200 ok") && answered.ends_with("slow"), "{answered}");
        assert_eq!(drain(stream), 0);
    }
    assert_eq!(drain(&mut kept), 0);
    server.wait_until_ended();
    drop(unused);
    assert!(TcpStream::connect(server.address).is_err(), "it still listens");
}

#[test]
fn second_stop_does_not_wait() {
    let mut server = TestListener::start(test_options());
    let mut stream = server.connect();
    send_request(&mut stream, "/large");
    // the response has begun and is never read
    stream.read_exact(&mut [0; 1024]).unwrap();
    server.handle.stop(true);
    server.handle.stop(false);
    server.wait_until_ended();
}

#[test]
fn new_connection_does_not_wait_for_kept_ones() {
    const KEPT_CONNECTIONS: usize = 400;
    let server = TestListener::start(ListenerOptions {
        max_connections: KEPT_CONNECTIONS + 10,
        max_per_network: KEPT_CONNECTIONS + 10,
        ..test_options()
    });
    let mut kept: Vec<TcpStream> = (0..KEPT_CONNECTIONS).map(|_| server.connect()).collect();
    for stream in &mut kept {
        send_request(stream, "/");
        assert!(read_response(stream).contains("here"));
    }
    let mut blocking = server.connect();
    send_request(&mut blocking, "/busy");
    thread::sleep(Duration::from_millis(200));
    for stream in &mut kept {
        send_request(stream, "/position");
    }
    let mut new = server.connect();
    send_request(&mut new, "/position");
    let position = read_number(&mut new);
    assert!(position < KEPT_CONNECTIONS / 2, "{position} of {KEPT_CONNECTIONS} were answered first");
    let mut positions: Vec<usize> = kept.iter_mut().map(read_number).chain([position]).collect();
    positions.sort_unstable();
    assert_eq!(positions, (0..=KEPT_CONNECTIONS).collect::<Vec<_>>(), "each is answered once");
}

#[test]
fn ended_connection_leaves_nothing() {
    let server = TestListener::start(test_options());
    let mut kept = server.connect();
    let mut tasks = || {
        send_request(&mut kept, "/tasks");
        read_number(&mut kept)
    };
    let before = tasks();
    for _ in 0..50 {
        let mut stream = server.connect();
        send_request(&mut stream, "/");
        assert!(read_response(&mut stream).contains("here"));
    }
    wait_until("the end of all their tasks", || tasks() <= before);
}
