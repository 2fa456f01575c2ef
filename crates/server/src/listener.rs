//! The listener: accepts connections, passes each to a worker thread, and shuts down in order.
//! actix-web reads the requests; no handler sees a socket.
//!
//! actix-web's own server bounds neither how long a client may take to read a response nor how many
//! connections one network has, and at shutdown it drops requests that were sent but not read yet.
//! Therefore this module owns the sockets. Responses are passed to a connection in small pieces, so
//! that a client that does not read occupies one piece and not a whole response. From the first
//! byte of a request, everything else is done by actix (`actix_http::HttpService` over
//! [`stream::Stream`]).

mod acceptor;
mod network_limits;
mod socket;
mod stream;
mod turns;
mod worker;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::App;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use ipnet::IpNet;
use tillgate_http::{DrainState, Metrics};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// The number of connections that the system queues until they are accepted.
const BACKLOG: u32 = 1024;

/// The size of the system's send buffer per connection. By default it grows to megabytes for a
/// client that does not read.
const SEND_BUFFER_BYTES: u32 = 128 * 1024;

/// The options of a listener.
#[derive(Clone)]
pub(crate) struct ListenerOptions {
    /// The TLS configuration; `None` for plain HTTP.
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
    /// The number of threads that serve connections.
    pub(crate) workers: usize,
    /// The niceness of the worker threads (`nice(2)`).
    pub(crate) priority: i32,
    /// The maximum number of blocking threads per worker, on which requests wait for the database
    /// or for a hash. The web server bounds the number that all workers use together.
    pub(crate) blocking_threads: usize,
    /// The maximum number of connections per worker.
    pub(crate) max_connections: usize,
    /// The maximum number of connections per network.
    pub(crate) max_per_network: usize,
    /// Networks whose connections are not counted: trusted proxies and this machine.
    pub(crate) uncounted: Vec<IpNet>,
    /// The networks that may connect in addition to this machine; empty for all.
    pub(crate) allowed_networks: Vec<IpNet>,
    /// The timeout for a TLS handshake, and then for the head of a request.
    pub(crate) head_timeout: Duration,
    /// How long an idle connection is kept.
    pub(crate) keep_alive: Duration,
    /// How long a client may read nothing of a response before its connection is closed.
    pub(crate) write_timeout: Duration,
    /// The shutdown grace period: how long requests in progress may take at shutdown.
    pub(crate) shutdown_grace: Duration,
}

/// The phase of a listener; phases only advance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ListenerPhase {
    Serving,
    /// No connections are accepted; requests in progress are answered.
    Draining,
    /// Nothing is answered any more.
    Aborted,
}

/// A handle that stops a listener.
#[derive(Clone)]
pub(crate) struct StopHandle(Arc<watch::Sender<ListenerPhase>>);

impl StopHandle {
    /// Stops the listener: immediately, or with `graceful` after requests in progress are answered.
    /// A second call can only speed up the shutdown.
    pub(crate) fn stop(&self, graceful: bool) {
        let wanted = if graceful { ListenerPhase::Draining } else { ListenerPhase::Aborted };
        self.0.send_if_modified(|phase| {
            let hastened = wanted > *phase;
            *phase = wanted.max(*phase);
            hastened
        });
    }
}

/// A bound listener that does not accept connections yet.
pub(crate) struct BoundListener {
    listener: TcpListener,
    address: SocketAddr,
    options: ListenerOptions,
}

/// Binds a listener to an address. Must be called on a runtime.
pub(crate) fn bind(address: SocketAddr, options: ListenerOptions) -> io::Result<BoundListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    // accepted connections inherit this
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    let address = listener.local_addr()?;
    Ok(BoundListener { listener, address, options })
}

/// A listener that accepts connections.
pub(crate) struct RunningListener {
    handle: StopHandle,
    acceptor: JoinHandle<()>,
}

impl BoundListener {
    /// The bound address, with the port that the system chose for port 0.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts serving an application, which `application` creates for each worker.
    pub(crate) fn serve<F, A, B>(self, application: F, metrics: Arc<Metrics>) -> io::Result<RunningListener>
    where
        F: Fn() -> App<A> + Send + Clone + 'static,
        A: ServiceFactory<
                ServiceRequest,
                Config = (),
                Response = ServiceResponse<B>,
                Error = actix_web::Error,
                InitError = (),
            > + 'static,
        B: MessageBody + 'static,
    {
        let (phase, _) = watch::channel(ListenerPhase::Serving);
        let phase = Arc::new(phase);
        let draining = DrainState::default();
        let vacancy = Arc::new(Notify::new());
        let workers = (0..self.options.workers.max(1))
            .map(|number| {
                let options = self.options.clone();
                worker::start_worker(
                    number,
                    worker::WorkerSetup {
                        options,
                        address: self.address,
                        draining: draining.clone(),
                        metrics: Arc::clone(&metrics),
                    },
                    Arc::clone(&vacancy),
                    phase.subscribe(),
                    application.clone(),
                )
            })
            .collect::<io::Result<Vec<_>>>()?;
        let phases = phase.subscribe();
        let accepting =
            acceptor::Acceptor::new(self.listener, workers, &self.options, metrics, draining, phases, vacancy);
        let grace = self.options.shutdown_grace;
        let stopper = Arc::clone(&phase);
        Ok(RunningListener {
            handle: StopHandle(phase),
            acceptor: tokio::task::spawn_local(async move { accepting.run(&stopper, grace).await }),
        })
    }
}

impl RunningListener {
    /// A handle that stops the listener.
    pub(crate) fn handle(&self) -> StopHandle {
        self.handle.clone()
    }

    /// Waits until the listener has stopped.
    pub(crate) async fn wait_until_stopped(self) -> io::Result<()> {
        self.acceptor.await.map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests;
