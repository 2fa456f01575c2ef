//! Counts the connections of each network: that of one [link](link_network).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use ipnet::IpNet;
use tillgate_domain::network::link_network;

/// The number of connections of each network that has any.
pub(super) struct NetworkLimits {
    max_per_network: usize,
    uncounted: Vec<IpNet>,
    counts: Mutex<HashMap<IpAddr, usize>>,
}

/// The slot of a connection; dropping it frees the slot.
pub(super) struct ConnectionSlot {
    network: Option<(IpAddr, Arc<NetworkLimits>)>,
}

impl NetworkLimits {
    /// Creates the counts: at most `most` connections per network, except for uncounted networks.
    pub(super) fn new(most: usize, uncounted: Vec<IpNet>) -> Arc<Self> {
        Arc::new(Self { max_per_network: most, uncounted, counts: Mutex::default() })
    }

    /// Counts a connection; `None` if its network has reached the maximum.
    pub(super) fn acquire(self: &Arc<Self>, address: IpAddr) -> Option<ConnectionSlot> {
        let address = address.to_canonical();
        if self.uncounted.iter().any(|net| net.contains(&address)) {
            return Some(ConnectionSlot { network: None });
        }
        let network = link_network(address);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(network).or_default();
        if *count >= self.max_per_network {
            return None;
        }
        *count += 1;
        Some(ConnectionSlot { network: Some((network, Arc::clone(self))) })
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let Some((network, networks)) = self.network.take() else { return };
        let mut counts = networks.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn network_has_a_maximum_of_connections() {
        let networks = NetworkLimits::new(2, vec!["10.0.0.0/8".parse().unwrap()]);
        let first = networks.acquire(address("192.0.2.1")).unwrap();
        let _mapped = networks.acquire(address("::ffff:192.0.2.1")).unwrap();
        assert!(networks.acquire(address("192.0.2.1")).is_none());
        let _neighbor = networks.acquire(address("192.0.2.2")).unwrap();
        let proxied: Vec<_> = (0..9).map(|_| networks.acquire(address("::ffff:10.1.2.3")).unwrap()).collect();
        drop(first);
        let again = networks.acquire(address("192.0.2.1")).unwrap();
        drop((again, proxied));
        assert_eq!(networks.counts.lock().unwrap().len(), 2);
    }

    #[test]
    fn ipv6_network_is_a_64() {
        let networks = NetworkLimits::new(1, Vec::new());
        let _one = networks.acquire(address("2001:db8:0:1::1")).unwrap();
        assert!(networks.acquire(address("2001:db8:0:1:ffff::2")).is_none());
        assert!(networks.acquire(address("2001:db8:0:2::1")).is_some());
    }
}
