//! Accepts connections and hands each to the worker with the fewest.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tillgate_http::{Draining, Metrics};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};

use super::networks::Networks;
use super::worker::{Accepted, Worker};
use super::{Options, Phase};

/// How long nothing is accepted after the system refused to, for lack of descriptors or memory.
const PAUSE: Duration = Duration::from_millis(250);

/// How often at most a line of the log says the same.
const QUIET: Duration = Duration::from_mins(1);

/// How long workers may take to end once they were told to end at once.
const ABORT: Duration = Duration::from_secs(2);

/// A line of the log that is written once in a while, with how often it would have been.
#[derive(Default)]
struct Warning {
    last: Option<Instant>,
    since: u64,
}

impl Warning {
    /// How many it stands for, if it is to be written now.
    fn count(&mut self) -> Option<u64> {
        self.since += 1;
        if self.last.is_some_and(|last| last.elapsed() < QUIET) {
            return None;
        }
        self.last = Some(Instant::now());
        Some(std::mem::take(&mut self.since))
    }
}

/// What accepts.
pub(super) struct Accepting {
    listener: TcpListener,
    workers: Vec<Worker>,
    networks: Arc<Networks>,
    only_from: Vec<IpNet>,
    metrics: Arc<Metrics>,
    draining: Draining,
    phase: watch::Receiver<Phase>,
    vacancy: Arc<Notify>,
    foreign: Warning,
    crowded: Warning,
    failing: Warning,
}

impl Accepting {
    pub(super) fn new(
        listener: TcpListener,
        workers: Vec<Worker>,
        options: &Options,
        metrics: Arc<Metrics>,
        draining: Draining,
        phase: watch::Receiver<Phase>,
        vacancy: Arc<Notify>,
    ) -> Self {
        let networks = Networks::new(options.per_network, options.uncounted.clone());
        Self {
            listener,
            workers,
            networks,
            only_from: options.only_from.clone(),
            metrics,
            draining,
            phase,
            vacancy,
            foreign: Warning::default(),
            crowded: Warning::default(),
            failing: Warning::default(),
        }
    }

    /// Accepts until it is told to stop, then waits until the workers have answered what is under way.
    pub(super) async fn run(mut self, stopper: &watch::Sender<Phase>, grace: Duration) {
        while *self.phase.borrow_and_update() == Phase::Serving {
            if self.workers.iter().all(Worker::is_full) {
                // the system holds those who come meanwhile
                tokio::select! {
                    _ = self.phase.changed() => {}
                    () = self.vacancy.notified() => {}
                }
                continue;
            }
            tokio::select! {
                _ = self.phase.changed() => {}
                accepted = self.listener.accept() => match accepted.and_then(|(stream, peer)| Ok((stream.into_std()?, peer))) {
                    Ok((stream, peer)) => self.hand_over(stream, peer),
                    Err(error) => self.pause(&error).await,
                }
            }
        }
        let Self { listener, mut workers, networks, only_from, metrics, draining, mut phase, .. } = self;
        // from here on every answer says that its connection ends
        draining.begin();
        if let Ok(listener) = listener.into_std() {
            // whoever has connected before the end has perhaps sent a request
            while let Ok((stream, peer)) = listener.accept() {
                if may_connect(&only_from, peer.ip()) {
                    dispatch(&workers, &networks, &metrics, stream, peer);
                }
            }
        }
        workers.iter_mut().for_each(Worker::no_more);
        let deadline = Instant::now() + grace;
        let mut aborted = *phase.borrow_and_update() == Phase::Aborted;
        for worker in &mut workers {
            while !aborted {
                tokio::select! {
                    () = worker.ended() => break,
                    _ = phase.changed() => aborted = *phase.borrow_and_update() == Phase::Aborted,
                    () = tokio::time::sleep_until(deadline) => {
                        tracing::warn!(?grace, "requests that were under way are cut off: the time for a shutdown is over");
                        aborted = true;
                    }
                }
            }
        }
        if aborted {
            stopper.send_replace(Phase::Aborted);
            for worker in &mut workers {
                let _ = timeout(ABORT, worker.ended()).await;
            }
        }
    }

    fn hand_over(&mut self, stream: std::net::TcpStream, peer: SocketAddr) {
        if !may_connect(&self.only_from, peer.ip()) {
            self.metrics.connection_foreign();
            if let Some(connections) = self.foreign.count() {
                tracing::warn!(
                    address = %peer.ip().to_canonical(),
                    connections,
                    "connections were closed at once: without TLS only the proxies of server.proxies may connect"
                );
            }
            return;
        }
        if let Some(address) = dispatch(&self.workers, &self.networks, &self.metrics, stream, peer)
            && let Some(connections) = self.crowded.count()
        {
            tracing::warn!(
                %address,
                connections,
                "connections were closed at once: their network has as many as limits.per_network allows"
            );
        }
    }

    async fn pause(&mut self, error: &io::Error) {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
        if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
            return;
        }
        if let Some(times) = self.failing.count() {
            tracing::warn!(%error, times, "connections cannot be accepted: see the limit of open files (docs/operating.md)");
        }
        tokio::select! {
            _ = self.phase.changed() => {}
            () = sleep(PAUSE) => {}
        }
    }
}

/// Whether a peer may connect: it is of one of these networks or of this machine, or there is no network among them.
fn may_connect(only_from: &[IpNet], peer: IpAddr) -> bool {
    let peer = peer.to_canonical();
    only_from.is_empty() || peer.is_loopback() || only_from.iter().any(|network| network.contains(&peer))
}

/// Hands a connection to the worker with the fewest, or closes it; the address of one that was closed since its network has enough.
fn dispatch(
    workers: &[Worker],
    networks: &Arc<Networks>,
    metrics: &Metrics,
    stream: std::net::TcpStream,
    peer: SocketAddr,
) -> Option<IpAddr> {
    let Some(place) = networks.admit(peer.ip()) else {
        metrics.connection_crowded();
        return Some(peer.ip().to_canonical());
    };
    if let Some(worker) = workers.iter().min_by_key(|worker| worker.connections()) {
        worker.take(Accepted { stream, peer, _place: place });
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
