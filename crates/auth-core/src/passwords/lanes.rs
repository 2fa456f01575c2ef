//! Who is hashed next and who finds no room: three lanes over one room. Pure: it knows neither threads nor clocks.

use std::net::IpAddr;
use std::time::Duration;

use crate::fair_queue::FairQueue;

/// Which lane a password waits in. An earlier lane is served before a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Of a principal in a network where it has succeeded before, of somebody who proves that they have been logged in, or of
    /// somebody who is logged in.
    Known,
    /// Of anybody else who logs in.
    Stranger,
    /// Of somebody who is not logged in and sets a password: a registration, a reset.
    NewPassword,
}

/// The bounds of the lanes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LaneLimits {
    /// How many wait at most. Logins from unknown networks take at most half, and passwords that are to be set a quarter.
    pub(crate) capacity: usize,
    /// How many of one network wait at most in each of the lanes of strangers and of passwords that are to be set.
    pub(crate) per_network: usize,
    /// How long one waits at most.
    pub(crate) max_wait: Duration,
}

/// One that waits.
#[derive(Debug)]
struct QueuedJob<T> {
    number: u64,
    since: Duration,
    job: T,
}

/// The lanes.
#[derive(Debug)]
pub(crate) struct Lanes<T> {
    bounds: LaneLimits,
    last: u64,
    known: FairQueue<QueuedJob<T>>,
    strangers: FairQueue<QueuedJob<T>>,
    new_passwords: FairQueue<QueuedJob<T>>,
}

/// Where a job has found room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct QueueTicket<T> {
    /// The number of the job.
    pub(crate) number: u64,
    /// The job that had to make room for it, and is to be told to come again.
    pub(crate) displaced: Option<T>,
}

/// The room for one more.
enum Vacancy<T> {
    Free,
    /// This job makes room.
    Displacing(T),
}

impl<T> Lanes<T> {
    pub(crate) fn new(bounds: LaneLimits) -> Self {
        Self {
            bounds,
            last: 0,
            known: FairQueue::default(),
            strangers: FairQueue::default(),
            new_passwords: FairQueue::default(),
        }
    }

    /// Puts a job into its lane; `None` where there is no room. In a full room a job of an earlier lane displaces one of a later
    /// lane, and one of a network that has few waiting displaces one of the network that has the most.
    pub(crate) fn offer(
        &mut self,
        lane: Lane,
        address: Option<IpAddr>,
        now: Duration,
        job: T,
    ) -> Option<QueueTicket<T>> {
        let room = match lane {
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
        let displaced = match room {
            Vacancy::Free => None,
            Vacancy::Displacing(job) => Some(job),
        };
        Some(QueueTicket { number: self.last, displaced })
    }

    /// A network of many tills is bounded by the room alone: it makes room when another comes that has fewer waiting.
    fn make_room_for_known(&mut self, address: Option<IpAddr>) -> Option<Vacancy<T>> {
        if self.len() < self.bounds.capacity {
            return Some(Vacancy::Free);
        }
        let displaced = displace_newest(&mut self.new_passwords, 0).or_else(|| displace_newest(&mut self.strangers, 0));
        let own = self.known.count_of(address, |_| true);
        displaced.or_else(|| displace_newest(&mut self.known, own + 1)).map(Vacancy::Displacing)
    }

    fn make_room_in(&mut self, lane: Lane, address: Option<IpAddr>) -> Option<Vacancy<T>> {
        let room = self.bounds.capacity;
        let full = self.len() >= room;
        let (shared, share) = match lane {
            Lane::NewPassword => (&mut self.new_passwords, room.div_ceil(4)),
            Lane::Known | Lane::Stranger => (&mut self.strangers, room.div_ceil(2)),
        };
        let own = shared.count_of(address, |_| true);
        if address.is_some() && own >= self.bounds.per_network {
            return None;
        }
        if shared.len() < share && !full {
            return Some(Vacancy::Free);
        }
        if shared.len() < share && lane == Lane::Stranger {
            if let Some(job) = displace_newest(&mut self.new_passwords, 0) {
                return Some(Vacancy::Displacing(job));
            }
            return displace_newest(&mut self.strangers, own + 1).map(Vacancy::Displacing);
        }
        // the other network keeps at least as many as this one will have
        displace_newest(shared, own + 1).map(Vacancy::Displacing)
    }

    /// The next one: strangers only while no known one waits, and what is to be set only while nobody waits who logs in. So
    /// whatever cores they hold when a known one comes, they hold for the rest of one hash.
    pub(crate) fn take_next(&mut self) -> Option<T> {
        let next = self.known.take().or_else(|| self.strangers.take()).or_else(|| self.new_passwords.take());
        next.map(|waiting| waiting.job)
    }

    /// Takes out whoever has waited too long.
    pub(crate) fn take_overdue(&mut self, now: Duration) -> Vec<T> {
        let patience = self.bounds.max_wait;
        let late = |first: &QueuedJob<T>| now.saturating_sub(first.since) >= patience;
        let mut jobs = Vec::new();
        for lane in [&mut self.known, &mut self.strangers, &mut self.new_passwords] {
            lane.drain_front(late, &mut jobs);
        }
        jobs.into_iter().map(|waiting| waiting.job).collect()
    }

    /// Takes out one that is no longer waited for; `None` where it has been taken.
    pub(crate) fn withdraw(&mut self, number: u64) -> Option<T> {
        let lanes = [&mut self.known, &mut self.strangers, &mut self.new_passwords];
        let found = lanes.into_iter().find_map(|lane| lane.remove(|waiting| waiting.number == number));
        found.map(|waiting| waiting.job)
    }

    /// How many wait in a lane.
    pub(crate) fn depth(&self, lane: Lane) -> usize {
        match lane {
            Lane::Known => self.known.len(),
            Lane::Stranger => self.strangers.len(),
            Lane::NewPassword => self.new_passwords.len(),
        }
    }

    /// How many wait in all.
    pub(crate) fn len(&self) -> usize {
        self.known.len() + self.strangers.len() + self.new_passwords.len()
    }
}

fn displace_newest<T>(lane: &mut FairQueue<QueuedJob<T>>, than: usize) -> Option<T> {
    lane.displace(than, |_| true).map(|waiting| waiting.job)
}

#[cfg(test)]
mod tests;
