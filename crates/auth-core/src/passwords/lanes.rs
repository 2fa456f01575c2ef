//! The lanes of a queue: which job is next, and which one is rejected if the queue is full. A data
//! structure without threads and clocks.

use std::net::IpAddr;
use std::time::Duration;

use crate::fair_queue::FairQueue;

/// The lane in which a job waits. An earlier lane is served before a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// A login from a known network or with proof of an earlier session, or a caller that is logged
    /// in.
    Known,
    /// Any other login.
    Stranger,
    /// A new password of somebody who is not logged in: a registration or a reset.
    NewPassword,
}

/// The limits of the lanes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LaneLimits {
    /// The number of jobs that may wait. Logins from unknown networks take at most half of it, new
    /// passwords a quarter.
    pub(crate) capacity: usize,
    /// The number of jobs of one network that may wait in the lane of unknown networks and in that
    /// of new passwords.
    pub(crate) per_network: usize,
    /// How long a job may wait.
    pub(crate) max_wait: Duration,
}

/// A waiting job.
#[derive(Debug)]
struct QueuedJob<T> {
    number: u64,
    since: Duration,
    job: T,
}

/// The lanes with their waiting jobs.
#[derive(Debug)]
pub(crate) struct Lanes<T> {
    bounds: LaneLimits,
    /// The number of jobs that may wait now; at most that of the bounds.
    capacity: usize,
    last: u64,
    known: FairQueue<QueuedJob<T>>,
    strangers: FairQueue<QueuedJob<T>>,
    new_passwords: FairQueue<QueuedJob<T>>,
}

/// The place of a job that was accepted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct QueueTicket<T> {
    /// The number of the job.
    pub(crate) number: u64,
    /// The job that was displaced, which has to be rejected.
    pub(crate) displaced: Option<T>,
}

/// How there is capacity for one more job.
enum Vacancy<T> {
    Free,
    /// By displacing this job.
    Displacing(T),
}

impl<T> Lanes<T> {
    pub(crate) fn new(bounds: LaneLimits) -> Self {
        Self {
            bounds,
            capacity: bounds.capacity,
            last: 0,
            known: FairQueue::default(),
            strangers: FairQueue::default(),
            new_passwords: FairQueue::default(),
        }
    }

    /// Sets the number of jobs that may wait, at most the capacity of the limits. Jobs that wait
    /// already stay.
    pub(crate) fn set_capacity(&mut self, jobs: usize) {
        self.capacity = jobs.min(self.bounds.capacity);
    }

    /// Adds a job to its lane; `None` if there is no capacity. If the lanes are full, a job of an
    /// earlier lane displaces one of a later lane, and a job of a network with few waiting jobs
    /// displaces one of the network with the most.
    pub(crate) fn offer(
        &mut self,
        lane: Lane,
        address: Option<IpAddr>,
        now: Duration,
        job: T,
    ) -> Option<QueueTicket<T>> {
        let vacancy = match lane {
            Lane::Known => self.make_room_for_known(address)?,
            Lane::Stranger | Lane::NewPassword => self.make_room_in(lane, address)?,
        };
        self.last += 1;
        let waiting = QueuedJob { number: self.last, since: now, job };
        match lane {
            Lane::Known => self.known.push(address, waiting),
            Lane::Stranger => self.strangers.push(address, waiting),
            Lane::NewPassword => self.new_passwords.push(address, waiting),
        }
        let displaced = match vacancy {
            Vacancy::Free => None,
            Vacancy::Displacing(job) => Some(job),
        };
        Some(QueueTicket { number: self.last, displaced })
    }

    /// Known networks have no limit of their own, so that a network of many tills is not limited.
    /// The one with the most jobs is displaced by one with fewer.
    fn make_room_for_known(&mut self, address: Option<IpAddr>) -> Option<Vacancy<T>> {
        if self.len() < self.capacity {
            return Some(Vacancy::Free);
        }
        let displaced = displace_newest(&mut self.new_passwords, 0).or_else(|| displace_newest(&mut self.strangers, 0));
        let network_jobs = self.known.count_of(address, |_| true);
        displaced.or_else(|| displace_newest(&mut self.known, network_jobs + 1)).map(Vacancy::Displacing)
    }

    fn make_room_in(&mut self, lane: Lane, address: Option<IpAddr>) -> Option<Vacancy<T>> {
        let capacity = self.capacity;
        let full = self.len() >= capacity;
        let (shared, share) = match lane {
            Lane::NewPassword => (&mut self.new_passwords, capacity.div_ceil(4)),
            Lane::Known | Lane::Stranger => (&mut self.strangers, capacity.div_ceil(2)),
        };
        let network_jobs = shared.count_of(address, |_| true);
        if address.is_some() && network_jobs >= self.bounds.per_network {
            return None;
        }
        if shared.len() < share && !full {
            return Some(Vacancy::Free);
        }
        if shared.len() < share && lane == Lane::Stranger {
            if let Some(job) = displace_newest(&mut self.new_passwords, 0) {
                return Some(Vacancy::Displacing(job));
            }
            return displace_newest(&mut self.strangers, network_jobs + 1).map(Vacancy::Displacing);
        }
        // The other network keeps at least as many jobs as this one will have.
        displace_newest(shared, network_jobs + 1).map(Vacancy::Displacing)
    }

    /// Takes the next job: an unknown one only if no known one waits, a new password only if no
    /// login waits. If those occupy the cores when a known job arrives, it waits for the rest of
    /// one hash only.
    pub(crate) fn take_next(&mut self) -> Option<T> {
        let next = self.known.take().or_else(|| self.strangers.take()).or_else(|| self.new_passwords.take());
        next.map(|waiting| waiting.job)
    }

    /// Removes the jobs that have waited too long.
    pub(crate) fn take_overdue(&mut self, now: Duration) -> Vec<T> {
        let patience = self.bounds.max_wait;
        let late = |first: &QueuedJob<T>| now.saturating_sub(first.since) >= patience;
        let mut jobs = Vec::new();
        for lane in [&mut self.known, &mut self.strangers, &mut self.new_passwords] {
            lane.drain_front(late, &mut jobs);
        }
        jobs.into_iter().map(|waiting| waiting.job).collect()
    }

    /// Removes a job that nobody waits for any longer; `None` if it was taken before.
    pub(crate) fn withdraw(&mut self, number: u64) -> Option<T> {
        let lanes = [&mut self.known, &mut self.strangers, &mut self.new_passwords];
        let found = lanes.into_iter().find_map(|lane| lane.remove(|waiting| waiting.number == number));
        found.map(|waiting| waiting.job)
    }

    /// The number of jobs that wait in a lane.
    pub(crate) fn depth(&self, lane: Lane) -> usize {
        match lane {
            Lane::Known => self.known.len(),
            Lane::Stranger => self.strangers.len(),
            Lane::NewPassword => self.new_passwords.len(),
        }
    }

    /// The number of jobs that wait in all lanes.
    pub(crate) fn len(&self) -> usize {
        self.known.len() + self.strangers.len() + self.new_passwords.len()
    }
}

fn displace_newest<T>(lane: &mut FairQueue<QueuedJob<T>>, than: usize) -> Option<T> {
    lane.displace(than, |_| true).map(|waiting| waiting.job)
}

#[cfg(test)]
mod tests;
