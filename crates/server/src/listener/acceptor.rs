//! Accepts connections and passes each to the worker with the fewest connections.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tillgate_http::{DrainState, Metrics};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};

use super::network_limits::NetworkLimits;
use super::worker::{AcceptedConnection, Worker};
use super::{ListenerOptions, ListenerPhase};

/// The pause after the system failed to accept a connection, for lack of file descriptors or
/// memory.
const ACCEPT_RETRY_PAUSE: Duration = Duration::from_millis(250);

/// The minimum interval between two log lines of one kind.
const WARNING_INTERVAL: Duration = Duration::from_mins(1);

/// How long workers may take to end once they must abort.
const ABORT_TIMEOUT: Duration = Duration::from_secs(2);

/// A warning that is logged at most once per interval, with the number of its occurrences.
#[derive(Default)]
struct RateLimitedWarning {
    last: Option<Instant>,
    since: u64,
}

impl RateLimitedWarning {
    /// Counts an occurrence; returns the number to report if the warning is to be logged now.
    fn count_to_report(&mut self) -> Option<u64> {
        self.since += 1;
        if self.last.is_some_and(|last| last.elapsed() < WARNING_INTERVAL) {
            return None;
        }
        self.last = Some(Instant::now());
        Some(std::mem::take(&mut self.since))
    }
}

/// The accept loop of a listener.
pub(super) struct Acceptor {
    listener: TcpListener,
    workers: Vec<Worker>,
    networks: Arc<NetworkLimits>,
    allowed_networks: Vec<IpNet>,
    metrics: Arc<Metrics>,
    draining: DrainState,
    phase: watch::Receiver<ListenerPhase>,
    vacancy: Arc<Notify>,
    foreign_warning: RateLimitedWarning,
    crowded_warning: RateLimitedWarning,
    accept_error_warning: RateLimitedWarning,
}

impl Acceptor {
    pub(super) fn new(
        listener: TcpListener,
        workers: Vec<Worker>,
        options: &ListenerOptions,
        metrics: Arc<Metrics>,
        draining: DrainState,
        phase: watch::Receiver<ListenerPhase>,
        vacancy: Arc<Notify>,
    ) -> Self {
        let networks = NetworkLimits::new(options.max_per_network, options.uncounted.clone());
        Self {
            listener,
            workers,
            networks,
            allowed_networks: options.allowed_networks.clone(),
            metrics,
            draining,
            phase,
            vacancy,
            foreign_warning: RateLimitedWarning::default(),
            crowded_warning: RateLimitedWarning::default(),
            accept_error_warning: RateLimitedWarning::default(),
        }
    }

    /// Accepts connections until the listener stops, then waits until the workers have answered the
    /// requests in progress.
    pub(super) async fn run(mut self, stopper: &watch::Sender<ListenerPhase>, grace: Duration) {
        while *self.phase.borrow_and_update() == ListenerPhase::Serving {
            if self.workers.iter().all(Worker::is_full) {
                // the system queues new connections meanwhile
                tokio::select! {
                    _ = self.phase.changed() => {}
                    () = self.vacancy.notified() => {}
                }
                continue;
            }
            tokio::select! {
                _ = self.phase.changed() => {}
                accepted = self.listener.accept() => match accepted.and_then(|(stream, peer)| Ok((stream.into_std()?, peer))) {
                    Ok((stream, peer)) => self.dispatch_stream(stream, peer),
                    Err(error) => self.pause_after_error(&error).await,
                }
            }
        }
        let Self { listener, mut workers, networks, allowed_networks, metrics, draining, mut phase, .. } = self;
        // from here on, every response announces that its connection closes
        draining.begin();
        if let Ok(listener) = listener.into_std() {
            // a client that connected before the shutdown may already have sent a request
            while let Ok((stream, peer)) = listener.accept() {
                if may_connect(&allowed_networks, peer.ip()) {
                    send_to_worker(&workers, &networks, &metrics, stream, peer);
                }
            }
        }
        workers.iter_mut().for_each(Worker::stop_accepting);
        let deadline = Instant::now() + grace;
        let mut aborted = *phase.borrow_and_update() == ListenerPhase::Aborted;
        for worker in &mut workers {
            while !aborted {
                tokio::select! {
                    () = worker.wait_until_ended() => break,
                    _ = phase.changed() => aborted = *phase.borrow_and_update() == ListenerPhase::Aborted,
                    () = tokio::time::sleep_until(deadline) => {
                        tracing::warn!(?grace, "requests in progress are aborted: the shutdown grace period \
                                                (server.grace) is over");
                        aborted = true;
                    }
                }
            }
        }
        if aborted {
            stopper.send_replace(ListenerPhase::Aborted);
            for worker in &mut workers {
                let _ = timeout(ABORT_TIMEOUT, worker.wait_until_ended()).await;
            }
        }
    }

    fn dispatch_stream(&mut self, stream: std::net::TcpStream, peer: SocketAddr) {
        if !may_connect(&self.allowed_networks, peer.ip()) {
            self.metrics.count_foreign_connection();
            if let Some(connections) = self.foreign_warning.count_to_report() {
                tracing::warn!(
                    address = %peer.ip().to_canonical(),
                    connections,
                    "connections were closed immediately: without TLS, only the proxies in server.proxies may connect"
                );
            }
            return;
        }
        if let Some(address) = send_to_worker(&self.workers, &self.networks, &self.metrics, stream, peer)
            && let Some(connections) = self.crowded_warning.count_to_report()
        {
            tracing::warn!(
                %address,
                connections,
                "connections were closed immediately: their network has reached limits.per_network"
            );
        }
    }

    async fn pause_after_error(&mut self, error: &io::Error) {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
        if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
            return;
        }
        if let Some(times) = self.accept_error_warning.count_to_report() {
            tracing::warn!(%error, times, "connections cannot be accepted: check the limit of open files \
                                           (docs/operating.md)");
        }
        tokio::select! {
            _ = self.phase.changed() => {}
            () = sleep(ACCEPT_RETRY_PAUSE) => {}
        }
    }
}

/// Whether a peer may connect: it is in one of the networks or on this machine, or there is no
/// restriction.
fn may_connect(allowed_networks: &[IpNet], peer: IpAddr) -> bool {
    let peer = peer.to_canonical();
    allowed_networks.is_empty() || peer.is_loopback() || allowed_networks.iter().any(|network| network.contains(&peer))
}

/// Passes a connection to the worker with the fewest connections. If its network has reached its
/// limit, closes it and returns the peer's address.
fn send_to_worker(
    workers: &[Worker],
    networks: &Arc<NetworkLimits>,
    metrics: &Metrics,
    stream: std::net::TcpStream,
    peer: SocketAddr,
) -> Option<IpAddr> {
    let Some(slot) = networks.acquire(peer.ip()) else {
        metrics.count_crowded_connection();
        return Some(peer.ip().to_canonical());
    };
    if let Some(worker) = workers.iter().min_by_key(|worker| worker.connections()) {
        worker.send(AcceptedConnection { stream, peer, _slot: slot });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peer_outside_the_networks_may_not_connect() {
        let may = |networks: &[&str], peer: &str| {
            let networks: Vec<IpNet> = networks.iter().map(|network| network.parse().unwrap()).collect();
            may_connect(&networks, peer.parse().unwrap())
        };
        assert!(may(&[], "203.0.113.9"));
        for peer in ["10.1.2.3", "::ffff:10.1.2.3", "127.0.0.1", "::1"] {
            assert!(may(&["10.0.0.0/8"], peer), "{peer}");
        }
        for peer in ["11.1.2.3", "::ffff:203.0.113.9", "2001:db8::1"] {
            assert!(!may(&["10.0.0.0/8"], peer), "{peer}");
        }
    }
}
