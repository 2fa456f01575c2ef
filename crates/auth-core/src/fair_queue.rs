//! A queue that is fair to networks: they take turns, one job at a time, however many jobs each
//! has. A data structure without threads and clocks.

use std::collections::VecDeque;
use std::net::IpAddr;

use tillgate_domain::network::site_network;

/// The jobs of one network, oldest first.
#[derive(Debug)]
struct NetworkQueue<T> {
    /// `None` for jobs without a network, as on a local socket.
    network: Option<IpAddr>,
    waiting: VecDeque<T>,
}

/// Waiting jobs, grouped by network (IPv4 /24, IPv6 /48).
#[derive(Debug)]
pub struct FairQueue<T> {
    /// The networks in the order of their turns; none is empty.
    queues: VecDeque<NetworkQueue<T>>,
}

impl<T> Default for FairQueue<T> {
    fn default() -> Self {
        Self { queues: VecDeque::new() }
    }
}

impl<T> FairQueue<T> {
    /// The number of waiting jobs.
    pub fn len(&self) -> usize {
        self.queues.iter().map(|queue| queue.waiting.len()).sum()
    }

    /// Whether no job waits.
    pub fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }

    /// The number of waiting jobs of the address's network that satisfy a condition.
    pub fn count_of(&self, address: Option<IpAddr>, which: impl Fn(&T) -> bool) -> usize {
        let network = address.map(site_network);
        let queue = self.queues.iter().find(|queue| queue.network == network);
        queue.map_or(0, |queue| queue.waiting.iter().filter(|job| which(job)).count())
    }

    /// Adds a job behind the other jobs of its network.
    pub fn push(&mut self, address: Option<IpAddr>, job: T) {
        let network = address.map(site_network);
        match self.queues.iter_mut().find(|queue| queue.network == network) {
            Some(queue) => queue.waiting.push_back(job),
            None => self.queues.push_back(NetworkQueue { network, waiting: VecDeque::from([job]) }),
        }
    }

    /// Takes the oldest job of the next network, whose next turn is then after all others.
    pub fn take(&mut self) -> Option<T> {
        let mut queue = self.queues.pop_front()?;
        let first = queue.waiting.pop_front();
        if !queue.waiting.is_empty() {
            self.queues.push_back(queue);
        }
        first
    }

    /// Removes the newest job that satisfies a condition, from the network with the most such jobs,
    /// if it has more than `than`.
    pub fn displace(&mut self, than: usize, which: impl Fn(&T) -> bool) -> Option<T> {
        let count = |queue: &NetworkQueue<T>| queue.waiting.iter().filter(|job| which(job)).count();
        let counted = self.queues.iter_mut().map(|queue| (count(queue), queue));
        let (most, longest) = counted.max_by_key(|(count, _)| *count)?;
        if most <= than {
            return None;
        }
        let newest = longest.waiting.iter().rposition(&which)?;
        let newest = longest.waiting.remove(newest);
        self.tidy();
        newest
    }

    /// Moves the jobs that satisfy a condition from the front of each network's queue to `into`.
    pub fn drain_front(&mut self, which: impl Fn(&T) -> bool, into: &mut Vec<T>) {
        for queue in &mut self.queues {
            while let Some(first) = queue.waiting.pop_front_if(|first| which(first)) {
                into.push(first);
            }
        }
        self.tidy();
    }

    /// Removes the first job that satisfies a condition.
    pub fn remove(&mut self, which: impl Fn(&T) -> bool) -> Option<T> {
        let found = self.queues.iter_mut().find_map(|queue| {
            let at = queue.waiting.iter().position(&which)?;
            queue.waiting.remove(at)
        });
        self.tidy();
        found
    }

    fn tidy(&mut self) {
        self.queues.retain(|queue| !queue.waiting.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(network: u8, host: u8) -> IpAddr {
        IpAddr::from([192, 0, network, host])
    }

    /// A queue of these jobs; the tens digit of a job is its network.
    fn queue(jobs: &[u8]) -> FairQueue<u8> {
        let mut queue = FairQueue::default();
        for job in jobs {
            queue.push(Some(host(job / 10, *job)), *job);
        }
        queue
    }

    fn drain(mut queue: FairQueue<u8>) -> Vec<u8> {
        std::iter::from_fn(|| queue.take()).collect()
    }

    #[test]
    fn networks_take_turns() {
        assert_eq!(drain(queue(&[10, 11, 12, 20, 21, 30])), [10, 20, 30, 11, 21, 12]);
    }

    #[test]
    fn newest_of_the_longest_is_displaced_where_it_has_more() {
        let mut shared = queue(&[10, 11, 12, 20]);
        assert_eq!(shared.displace(3, |_| true), None);
        assert_eq!(shared.displace(2, |_| true), Some(12));
        assert_eq!(shared.displace(0, |job| *job >= 20), Some(20), "of those that count alone");
        assert_eq!((shared.len(), drain(shared)), (2, vec![10, 11]));
    }

    #[test]
    fn jobs_are_counted_and_removed_by_condition() {
        let mut shared = queue(&[10, 11, 20]);
        assert_eq!(shared.count_of(Some(host(1, 200)), |_| true), 2);
        assert_eq!(shared.count_of(Some(host(1, 200)), |job| *job == 11), 1);
        assert_eq!(shared.count_of(None, |_| true), 0);
        assert_eq!((shared.remove(|job| *job == 20), shared.remove(|job| *job == 20)), (Some(20), None));
        let mut front = Vec::new();
        shared.drain_front(|job| *job == 10, &mut front);
        assert_eq!((front, drain(shared)), (vec![10], vec![11]));
    }
}
