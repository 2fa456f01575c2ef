//! A worker: a thread with its own runtime that serves connections.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc as startup;
use std::time::Duration;

use actix_http::{HttpService, Request};
use actix_service::{IntoServiceFactory, ServiceFactoryExt, map_config};
use actix_web::App;
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, Service, ServiceFactory, ServiceRequest, ServiceResponse};
use tillgate_http::{Connection, DrainState, Metrics};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::network_limits::ConnectionSlot;
use super::socket::Socket;
use super::stream::{ConnectionStream, Transport};
use super::turns::{ConnectionTurns, TurnFuture};
use super::{ListenerOptions, ListenerPhase};
use crate::priority;

/// How long an idle blocking thread is kept. The runtime gives work to the thread that has been
/// idle longest, so with a longer time every thread of a burst would stay alive forever, each with
/// its stack and the memory that the allocator caches for it.
const THREAD_KEEP_ALIVE: Duration = Duration::from_millis(50);

/// How long a connection on which nothing has arrived is kept at shutdown: a client that has just
/// connected is about to send.
const FRESH_CONNECTION_GRACE: Duration = Duration::from_millis(200);

/// How long a connection is read from after a response that was sent before the whole request had
/// arrived.
const LINGER_TIMEOUT: Duration = Duration::from_secs(1);

/// The size at which a connection stops buffering a response that the system does not accept yet.
const WRITE_BUFFER_BYTES: usize = 16 * 1024;

/// How long blocking threads are waited for at shutdown.
const BLOCKING_SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(500);

/// The number of its own tasks after which a worker checks for connections and results from other
/// threads. With the runtime's default of 31, these would wait behind the requests of a busy
/// worker.
const REMOTE_INTERVAL: u32 = 1;

/// A connection on its way to a worker.
pub(super) struct AcceptedConnection {
    pub(super) stream: std::net::TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) _slot: ConnectionSlot,
}

/// A connection with its count.
struct CountedConnection {
    accepted: AcceptedConnection,
    count: ConnectionCount,
}

/// Counts a connection until dropped.
struct ConnectionCount {
    connections: Arc<AtomicUsize>,
    vacancy: Arc<Notify>,
}

impl Drop for ConnectionCount {
    fn drop(&mut self) {
        self.connections.fetch_sub(1, Ordering::AcqRel);
        self.vacancy.notify_one();
    }
}

/// The options and shared state of a worker.
pub(super) struct WorkerSetup {
    pub(super) options: ListenerOptions,
    pub(super) address: SocketAddr,
    pub(super) draining: DrainState,
    pub(super) metrics: Arc<Metrics>,
}

/// A worker as seen by the acceptor.
pub(super) struct Worker {
    connections: Arc<AtomicUsize>,
    max_connections: usize,
    vacancy: Arc<Notify>,
    sender: Option<mpsc::UnboundedSender<CountedConnection>>,
    ended: Option<oneshot::Receiver<()>>,
}

impl Worker {
    /// The current number of connections.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Acquire)
    }

    /// Whether the worker has its maximum number of connections.
    pub(super) fn is_full(&self) -> bool {
        self.connections() >= self.max_connections
    }

    /// Passes a connection to the worker.
    pub(super) fn send(&self, accepted: AcceptedConnection) {
        let Some(sender) = &self.sender else { return };
        self.connections.fetch_add(1, Ordering::AcqRel);
        let count = ConnectionCount { connections: Arc::clone(&self.connections), vacancy: Arc::clone(&self.vacancy) };
        if sender.send(CountedConnection { accepted, count }).is_err() {
            tracing::error!("a worker thread has ended unexpectedly");
        }
    }

    /// Passes no more connections: the worker ends when its connections are closed.
    pub(super) fn stop_accepting(&mut self) {
        self.sender = None;
    }

    /// Waits until the worker has ended.
    pub(super) async fn wait_until_ended(&mut self) {
        if let Some(ended) = &mut self.ended {
            let _ = Pin::new(ended).await;
            self.ended = None;
        }
    }
}

/// Starts a worker and waits until its application is created. `vacancy` is notified whenever a
/// connection ends.
pub(super) fn start_worker<F, A, B>(
    number: usize,
    setup: WorkerSetup,
    vacancy: Arc<Notify>,
    phase: watch::Receiver<ListenerPhase>,
    application: F,
) -> io::Result<Worker>
where
    F: Fn() -> App<A> + Send + 'static,
    A: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = actix_web::Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let connections = Arc::new(AtomicUsize::new(0));
    let (sender, receiver) = mpsc::unbounded_channel();
    let (ended, has_ended) = oneshot::channel();
    let (started, has_started) = startup::channel();
    let most = setup.options.max_connections.max(1);
    std::thread::Builder::new().name(format!("worker {number}")).spawn(move || {
        priority::lower_priority(setup.options.priority);
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(setup.options.blocking_threads.max(1))
            .thread_keep_alive(THREAD_KEEP_ALIVE)
            .on_thread_start(|| priority::lower_priority(priority::BLOCKING_NICENESS))
            .global_queue_interval(REMOTE_INTERVAL)
            .build_local(LocalOptions::default());
        match runtime {
            Ok(runtime) => {
                runtime.block_on(run_worker(&Rc::new(setup), receiver, phase, application, started));
                runtime.shutdown_timeout(BLOCKING_SHUTDOWN_TIMEOUT);
            }
            Err(error) => drop(started.send(Err(error))),
        }
        drop(ended);
    })?;
    has_started.recv().map_err(|_| io::Error::other("a worker thread ended during its start"))??;
    Ok(Worker { connections, max_connections: most, vacancy, sender: Some(sender), ended: Some(has_ended) })
}

/// Serves connections until there are no more.
async fn run_worker<F, A, B>(
    setup: &Rc<WorkerSetup>,
    mut receiver: mpsc::UnboundedReceiver<CountedConnection>,
    mut phase: watch::Receiver<ListenerPhase>,
    application: F,
    started: startup::Sender<io::Result<()>>,
) where
    F: Fn() -> App<A>,
    A: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = actix_web::Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let application = IntoServiceFactory::<_, Request>::into_factory(application());
    let application = application.map_err(|error: actix_web::Error| error.error_response());
    let factory = HttpService::build()
        .keep_alive(setup.options.keep_alive)
        // `turns` measures the time for a head: the service's own timer also runs while a
        // connection waits for the worker
        .client_request_timeout(Duration::ZERO)
        .client_disconnect_timeout(LINGER_TIMEOUT)
        // A client that closes its side may have sent a logout as its last request, so its requests
        // are processed. Only a reset aborts a request.
        .h1_allow_half_closed(true)
        .h1_write_buffer_size(WRITE_BUFFER_BYTES)
        .local_addr(setup.address)
        .on_connect_ext(|stream: &ConnectionStream, data| drop(data.insert(Rc::clone(stream.connection()))))
        .h1(map_config(application, |()| AppConfig::default()));
    let Ok(service) = factory.new_service(()).await else {
        drop(started.send(Err(io::Error::other("the application of a worker cannot be created"))));
        return;
    };
    drop(started.send(Ok(())));
    drop(started);
    let service = Rc::new(service);
    let tls = setup.options.tls.clone().map(TlsAcceptor::from);
    let turns = Rc::new(ConnectionTurns::default());
    tokio::task::spawn_local({
        let turns = Rc::clone(&turns);
        async move { turns.give_turns().await }
    });
    let (in_progress, all_done) = (Rc::new(Cell::new(0_usize)), Rc::new(Notify::new()));
    loop {
        let next = tokio::select! {
            next = receiver.recv() => next,
            () = wait_for_phase(&mut phase, ListenerPhase::Aborted) => return,
        };
        let Some(CountedConnection { accepted, count }) = next else { break };
        in_progress.set(in_progress.get() + 1);
        let served = ConnectionServer {
            setup: Rc::clone(setup),
            service: Rc::clone(&service),
            tls: tls.clone(),
            phase: phase.clone(),
            turns: Rc::clone(&turns),
        };
        let (in_progress, all_done) = (Rc::clone(&in_progress), Rc::clone(&all_done));
        tokio::task::spawn_local(async move {
            served.serve(accepted).await;
            drop(count);
            in_progress.set(in_progress.get() - 1);
            all_done.notify_one();
        });
    }
    while in_progress.get() > 0 {
        tokio::select! {
            () = all_done.notified() => {}
            () = wait_for_phase(&mut phase, ListenerPhase::Aborted) => return,
        }
    }
}

/// Waits until the listener is in this phase or a later one.
async fn wait_for_phase(phase: &mut watch::Receiver<ListenerPhase>, least: ListenerPhase) {
    // do not keep the returned guard: it locks the phase
    drop(phase.wait_for(|phase| *phase >= least).await);
}

/// Waits until the listener drains and new connections have had time to send.
async fn wait_for_drain(phase: &mut watch::Receiver<ListenerPhase>) {
    wait_for_phase(phase, ListenerPhase::Draining).await;
    sleep(FRESH_CONNECTION_GRACE).await;
}

/// Serves one connection.
struct ConnectionServer<S> {
    setup: Rc<WorkerSetup>,
    service: Rc<S>,
    tls: Option<TlsAcceptor>,
    phase: watch::Receiver<ListenerPhase>,
    turns: Rc<ConnectionTurns>,
}

impl<S: Service<(ConnectionStream, Option<SocketAddr>)>> ConnectionServer<S> {
    async fn serve(mut self, accepted: AcceptedConnection) {
        let AcceptedConnection { stream, peer, _slot } = accepted;
        let connection = Connection::new(self.tls.is_some(), self.setup.draining.clone());
        let (ending, late) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
        let Some(transport) = self.open_transport(stream).await else { return };
        if std::future::poll_fn(|context| self.service.poll_ready(context)).await.is_err() {
            return;
        }
        let stream = ConnectionStream::new(transport, Rc::clone(&connection), Rc::clone(&ending), Rc::clone(&late));
        let serving = pin!(self.service.call((stream, Some(peer))));
        let mut serving = TurnFuture::new(
            serving,
            Rc::clone(&connection),
            Rc::clone(&self.turns),
            self.setup.options.head_timeout,
            late,
        );
        tokio::select! {
            _ = &mut serving => return,
            () = wait_for_phase(&mut self.phase, ListenerPhase::Draining) => {}
        }
        if !connection.is_used() {
            tokio::select! {
                _ = &mut serving => return,
                () = sleep(FRESH_CONNECTION_GRACE) => {}
            }
        }
        ending.set(true);
        let _ = serving.await;
    }

    /// The socket, after the TLS handshake if there is one.
    async fn open_transport(&mut self, stream: std::net::TcpStream) -> Option<Transport> {
        stream.set_nonblocking(true).ok()?;
        // responses are written in pieces, and the last one must not wait for the client to
        // acknowledge the previous one
        stream.set_nodelay(true).ok()?;
        let stream = TcpStream::from_std(stream).ok()?;
        // Until the first byte arrives, nothing is allocated for the connection. The time for a
        // head begins when a part of it was read.
        tokio::select! {
            readable = timeout(self.setup.options.head_timeout, stream.readable()) => drop(readable.ok()?.ok()?),
            () = wait_for_drain(&mut self.phase) => {}
        }
        let socket = Socket::new(stream, self.setup.options.write_timeout, Arc::clone(&self.setup.metrics));
        let Some(tls) = &self.tls else { return Some(Transport::Plain(socket)) };
        let handshake = timeout(self.setup.options.head_timeout, tls.accept(socket));
        tokio::select! {
            shaken = handshake => Some(Transport::Tls(Box::new(shaken.ok()?.ok()?))),
            () = wait_for_drain(&mut self.phase) => None,
        }
    }
}
