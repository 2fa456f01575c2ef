//! The listener: accepts connections, hands them to worker threads that each run actix-web's services on a runtime of their own,
//! and stops in good order.
//!
//! actix-web's own server bounds neither how long a client may take to read an answer nor how many connections one network holds,
//! and at the end it drops what was sent but not read yet. So the sockets are ours; everything from the first byte of a request on
//! is actix's (`actix_http::HttpService` over [`stream::Stream`]).

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

/// Connections that the system may hold until they are accepted.
const BACKLOG: u32 = 1024;

/// What the system buffers of answers that a client has not taken yet, per connection. The system's own choice grows to megabytes.
const SEND_BUFFER_BYTES: u32 = 128 * 1024;

/// How a listener serves.
#[derive(Clone)]
pub(crate) struct ListenerOptions {
    /// TLS of the server's own.
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
    /// Threads that serve connections.
    pub(crate) workers: usize,
    /// The priority of the workers, as `nice(2)` counts it.
    pub(crate) priority: i32,
    /// Threads that may wait, for the database or for a hash. A worker has as many at most; what all of them use together is bounded by
    /// what they serve.
    pub(crate) blocking_threads: usize,
    /// Connections per worker.
    pub(crate) max_connections: usize,
    /// Connections per network.
    pub(crate) max_per_network: usize,
    /// Networks whose connections are not counted: trusted proxies and this machine.
    pub(crate) uncounted: Vec<IpNet>,
    /// The networks that may connect, beside this machine; empty: every one.
    pub(crate) allowed_networks: Vec<IpNet>,
    /// How long a TLS handshake, and then the first head of a request, may take.
    pub(crate) head_timeout: Duration,
    /// How long an idle connection is kept.
    pub(crate) keep_alive: Duration,
    /// How long a connection may take nothing of an answer.
    pub(crate) write_timeout: Duration,
    /// How long requests under way may take at the end.
    pub(crate) shutdown_grace: Duration,
}

/// Whether a listener serves or stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ListenerPhase {
    Serving,
    /// Nothing is accepted any more; requests under way are answered.
    Draining,
    /// Nothing is answered any more.
    Aborted,
}

/// Stops a listener.
#[derive(Clone)]
pub(crate) struct StopHandle(Arc<watch::Sender<ListenerPhase>>);

impl StopHandle {
    /// Stops: at once, or when requests under way are answered. A stop under way is only ever hastened.
    pub(crate) fn stop(&self, graceful: bool) {
        let wanted = if graceful { ListenerPhase::Draining } else { ListenerPhase::Aborted };
        self.0.send_if_modified(|phase| {
            let hastened = wanted > *phase;
            *phase = wanted.max(*phase);
            hastened
        });
    }
}

/// An address that is listened on.
pub(crate) struct BoundListener {
    listener: TcpListener,
    address: SocketAddr,
    options: ListenerOptions,
}

/// Listens on an address. Must be called on a runtime.
pub(crate) fn bind(address: SocketAddr, options: ListenerOptions) -> io::Result<BoundListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    // accepted connections have it from here
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    let address = listener.local_addr()?;
    Ok(BoundListener { listener, address, options })
}

/// A listener that serves.
pub(crate) struct RunningListener {
    handle: StopHandle,
    acceptor: JoinHandle<()>,
}

impl BoundListener {
    /// Where it listens: with the port that was chosen for port 0.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves an application, which each worker makes for itself.
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
    /// What stops it.
    pub(crate) fn handle(&self) -> StopHandle {
        self.handle.clone()
    }

    /// Waits until it has stopped.
    pub(crate) async fn wait_until_stopped(self) -> io::Result<()> {
        self.acceptor.await.map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests;
