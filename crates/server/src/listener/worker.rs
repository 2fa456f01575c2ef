//! A worker: a thread with a runtime of its own that serves connections.

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
use tillgate_http::{Connection, Draining, Metrics};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::networks::Place;
use super::socket::Socket;
use super::stream::{Stream, Transport};
use super::turns::{InTurn, Turns};
use super::{Options, Phase};
use crate::priority;

/// How long a thread that waits for the database is kept without work. The runtime hands work to the thread that has been idle for
/// the longest, so a longer time keeps every thread of a burst alive for good, each with a stack and memory that the allocator
/// caches for it.
const THREAD_KEEP_ALIVE: Duration = Duration::from_millis(50);

/// How long a connection is kept at the end on which nothing has come yet: whoever has just connected is about to send.
const FRESH: Duration = Duration::from_millis(200);

/// How long a connection is read from after an answer that came before the whole request.
const LINGER: Duration = Duration::from_secs(1);

/// From how many bytes on a connection buffers no more of an answer: beyond what the system has not taken, and a piece more.
const WRITE_BUFFER: usize = 16 * 1024;

/// How long threads that wait for a database are waited for at the end.
const LAST: Duration = Duration::from_millis(500);

/// After how many tasks of its own a worker looks at what other threads have handed it: connections, and results from threads that
/// wait. The runtime's own choice is 31, by which they wait behind a busy worker's requests.
const REMOTE_INTERVAL: u32 = 1;

/// A connection on its way to a worker.
pub(super) struct Accepted {
    pub(super) stream: std::net::TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) _place: Place,
}

/// A connection, counted.
struct Counted {
    accepted: Accepted,
    count: Count,
}

/// Counts a connection until it is dropped.
struct Count {
    connections: Arc<AtomicUsize>,
    vacancy: Arc<Notify>,
}

impl Drop for Count {
    fn drop(&mut self) {
        self.connections.fetch_sub(1, Ordering::AcqRel);
        self.vacancy.notify_one();
    }
}

/// What a worker serves by.
pub(super) struct Setup {
    pub(super) options: Options,
    pub(super) address: SocketAddr,
    pub(super) draining: Draining,
    pub(super) metrics: Arc<Metrics>,
}

/// A worker, as the one that accepts knows it.
pub(super) struct Worker {
    connections: Arc<AtomicUsize>,
    most: usize,
    vacancy: Arc<Notify>,
    sender: Option<mpsc::UnboundedSender<Counted>>,
    ended: Option<oneshot::Receiver<()>>,
}

impl Worker {
    /// How many connections it has.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Acquire)
    }

    /// Whether it has as many as it may.
    pub(super) fn is_full(&self) -> bool {
        self.connections() >= self.most
    }

    /// Gives it one more.
    pub(super) fn take(&self, accepted: Accepted) {
        let Some(sender) = &self.sender else { return };
        self.connections.fetch_add(1, Ordering::AcqRel);
        let count = Count { connections: Arc::clone(&self.connections), vacancy: Arc::clone(&self.vacancy) };
        if sender.send(Counted { accepted, count }).is_err() {
            tracing::error!("a worker has ended before its time");
        }
    }

    /// It gets no more: it ends when those that it has are answered.
    pub(super) fn no_more(&mut self) {
        self.sender = None;
    }

    /// Waits until it has ended.
    pub(super) async fn ended(&mut self) {
        if let Some(ended) = &mut self.ended {
            let _ = Pin::new(ended).await;
            self.ended = None;
        }
    }
}

/// Starts a worker and waits until its application is made. `vacancy` is notified whenever a connection ends.
pub(super) fn start<F, A, B>(
    number: usize,
    setup: Setup,
    vacancy: Arc<Notify>,
    phase: watch::Receiver<Phase>,
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
    let most = setup.options.connections.max(1);
    std::thread::Builder::new().name(format!("worker {number}")).spawn(move || {
        priority::lower(setup.options.priority);
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(setup.options.blocking_threads.max(1))
            .thread_keep_alive(THREAD_KEEP_ALIVE)
            .on_thread_start(|| priority::lower(priority::BLOCKING))
            .global_queue_interval(REMOTE_INTERVAL)
            .build_local(LocalOptions::default());
        match runtime {
            Ok(runtime) => {
                runtime.block_on(work(&Rc::new(setup), receiver, phase, application, started));
                runtime.shutdown_timeout(LAST);
            }
            Err(error) => drop(started.send(Err(error))),
        }
        drop(ended);
    })?;
    has_started.recv().map_err(|_| io::Error::other("a worker ended while it started"))??;
    Ok(Worker { connections, most, vacancy, sender: Some(sender), ended: Some(has_ended) })
}

/// Serves connections until there are no more.
async fn work<F, A, B>(
    setup: &Rc<Setup>,
    mut receiver: mpsc::UnboundedReceiver<Counted>,
    mut phase: watch::Receiver<Phase>,
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
        // the time for a head runs in `turns`: the service's own runs while a connection waits for the worker
        .client_request_timeout(Duration::ZERO)
        .client_disconnect_timeout(LINGER)
        // A client that closes its side may have sent a logout as its last act: what it has asked is done. Only a reset ends a
        // request.
        .h1_allow_half_closed(true)
        .h1_write_buffer_size(WRITE_BUFFER)
        .local_addr(setup.address)
        .on_connect_ext(|stream: &Stream, data| drop(data.insert(Rc::clone(stream.connection()))))
        .h1(map_config(application, |()| AppConfig::default()));
    let Ok(service) = factory.new_service(()).await else {
        drop(started.send(Err(io::Error::other("the application of a worker cannot be made"))));
        return;
    };
    drop(started.send(Ok(())));
    drop(started);
    let service = Rc::new(service);
    let tls = setup.options.tls.clone().map(TlsAcceptor::from);
    let turns = Rc::new(Turns::default());
    tokio::task::spawn_local({
        let turns = Rc::clone(&turns);
        async move { turns.give().await }
    });
    let (under_way, all_done) = (Rc::new(Cell::new(0_usize)), Rc::new(Notify::new()));
    loop {
        let next = tokio::select! {
            next = receiver.recv() => next,
            () = reached(&mut phase, Phase::Aborted) => return,
        };
        let Some(Counted { accepted, count }) = next else { break };
        under_way.set(under_way.get() + 1);
        let served = Served {
            setup: Rc::clone(setup),
            service: Rc::clone(&service),
            tls: tls.clone(),
            phase: phase.clone(),
            turns: Rc::clone(&turns),
        };
        let (under_way, all_done) = (Rc::clone(&under_way), Rc::clone(&all_done));
        tokio::task::spawn_local(async move {
            served.serve(accepted).await;
            drop(count);
            under_way.set(under_way.get() - 1);
            all_done.notify_one();
        });
    }
    while under_way.get() > 0 {
        tokio::select! {
            () = all_done.notified() => {}
            () = reached(&mut phase, Phase::Aborted) => return,
        }
    }
}

/// Waits until the listener is in this phase or a later one.
async fn reached(phase: &mut watch::Receiver<Phase>, least: Phase) {
    // the guard that this returns must not be kept: it locks the phase
    drop(phase.wait_for(|phase| *phase >= least).await);
}

/// Waits until a new connection has had its time at the end of the listener.
async fn at_the_end(phase: &mut watch::Receiver<Phase>) {
    reached(phase, Phase::Draining).await;
    sleep(FRESH).await;
}

/// What serves one connection.
struct Served<S> {
    setup: Rc<Setup>,
    service: Rc<S>,
    tls: Option<TlsAcceptor>,
    phase: watch::Receiver<Phase>,
    turns: Rc<Turns>,
}

impl<S: Service<(Stream, Option<SocketAddr>)>> Served<S> {
    async fn serve(mut self, accepted: Accepted) {
        let Accepted { stream, peer, _place } = accepted;
        let connection = Connection::new(self.tls.is_some(), self.setup.draining.clone());
        let (ending, late) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
        let Some(transport) = self.transport(stream).await else { return };
        if std::future::poll_fn(|context| self.service.poll_ready(context)).await.is_err() {
            return;
        }
        let stream = Stream::new(transport, Rc::clone(&connection), Rc::clone(&ending), Rc::clone(&late));
        let serving = pin!(self.service.call((stream, Some(peer))));
        let mut serving =
            InTurn::new(serving, Rc::clone(&connection), Rc::clone(&self.turns), self.setup.options.head, late);
        tokio::select! {
            _ = &mut serving => return,
            () = reached(&mut self.phase, Phase::Draining) => {}
        }
        if !connection.is_used() {
            tokio::select! {
                _ = &mut serving => return,
                () = sleep(FRESH) => {}
            }
        }
        ending.set(true);
        let _ = serving.await;
    }

    /// The socket, after the handshake where there is one.
    async fn transport(&mut self, stream: std::net::TcpStream) -> Option<Transport> {
        stream.set_nonblocking(true).ok()?;
        // answers are written in pieces, and the last must not wait for the client's word on the one before
        stream.set_nodelay(true).ok()?;
        let stream = TcpStream::from_std(stream).ok()?;
        // Until something comes there is nothing to serve, and nothing is held for it. The time for a head begins when a part of it
        // was read.
        tokio::select! {
            readable = timeout(self.setup.options.head, stream.readable()) => drop(readable.ok()?.ok()?),
            () = at_the_end(&mut self.phase) => {}
        }
        let socket = Socket::new(stream, self.setup.options.write, Arc::clone(&self.setup.metrics));
        let Some(tls) = &self.tls else { return Some(Transport::Plain(socket)) };
        let handshake = timeout(self.setup.options.head, tls.accept(socket));
        tokio::select! {
            shaken = handshake => Some(Transport::Tls(Box::new(shaken.ok()?.ok()?))),
            () = at_the_end(&mut self.phase) => None,
        }
    }
}
