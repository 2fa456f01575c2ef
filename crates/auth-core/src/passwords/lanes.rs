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
    Setting,
}

/// The bounds of the lanes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// How many wait at most. Logins from unknown networks take at most half, and passwords that are to be set a quarter.
    pub(crate) room: usize,
    /// How many of one network wait at most in each of the lanes of strangers and of passwords that are to be set.
    pub(crate) of_network: usize,
    /// How long one waits at most.
    pub(crate) patience: Duration,
}

/// One that waits.
#[derive(Debug)]
struct Waiting<T> {
    number: u64,
    since: Duration,
    job: T,
}

/// The lanes.
#[derive(Debug)]
pub(crate) struct Lanes<T> {
    bounds: Bounds,
    last: u64,
    known: FairQueue<Waiting<T>>,
    strangers: FairQueue<Waiting<T>>,
    setting: FairQueue<Waiting<T>>,
}

/// Where a job has found room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Offered<T> {
    /// The number of the job.
    pub(crate) number: u64,
    /// The job that had to make room for it, and is to be told to come again.
    pub(crate) displaced: Option<T>,
}

/// The room for one more.
enum Room<T> {
    Free,
    /// This job makes room.
    Displacing(T),
}

impl<T> Lanes<T> {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            last: 0,
            known: FairQueue::default(),
            strangers: FairQueue::default(),
            setting: FairQueue::default(),
        }
    }

    /// Puts a job into its lane; `None` where there is no room. In a full room a job of an earlier lane displaces one of a later
    /// lane, and one of a network that has few waiting displaces one of the network that has the most.
    pub(crate) fn offer(&mut self, lane: Lane, address: Option<IpAddr>, now: Duration, job: T) -> Option<Offered<T>> {
        let room = match lane {
            Lane::Known => self.make_room_for_known(address)?,
            Lane::Stranger | Lane::Setting => self.make_room_in(lane, address)?,
        };
        self.last += 1;
        let waiting = Waiting { number: self.last, since: now, job };
        match lane {
            Lane::Known => self.known.push(address, waiting),
            Lane::Stranger => self.strangers.push(address, waiting),
            Lane::Setting => self.setting.push(address, waiting),
        }
        let displaced = match room {
            Room::Free => None,
            Room::Displacing(job) => Some(job),
        };
        Some(Offered { number: self.last, displaced })
    }

    /// A network of many tills is bounded by the room alone: it makes room when another comes that has fewer waiting.
    fn make_room_for_known(&mut self, address: Option<IpAddr>) -> Option<Room<T>> {
        if self.len() < self.bounds.room {
            return Some(Room::Free);
        }
        let displaced = displace(&mut self.setting, 0).or_else(|| displace(&mut self.strangers, 0));
        let own = self.known.count_of(address, |_| true);
        displaced.or_else(|| displace(&mut self.known, own + 1)).map(Room::Displacing)
    }

    fn make_room_in(&mut self, lane: Lane, address: Option<IpAddr>) -> Option<Room<T>> {
        let room = self.bounds.room;
        let full = self.len() >= room;
        let (shared, share) = match lane {
            Lane::Setting => (&mut self.setting, room.div_ceil(4)),
            Lane::Known | Lane::Stranger => (&mut self.strangers, room.div_ceil(2)),
        };
        let own = shared.count_of(address, |_| true);
        if address.is_some() && own >= self.bounds.of_network {
            return None;
        }
        if shared.len() < share && !full {
            return Some(Room::Free);
        }
        if shared.len() < share && lane == Lane::Stranger {
            if let Some(job) = displace(&mut self.setting, 0) {
                return Some(Room::Displacing(job));
            }
            return displace(&mut self.strangers, own + 1).map(Room::Displacing);
        }
        // the other network keeps at least as many as this one will have
        displace(shared, own + 1).map(Room::Displacing)
    }

    /// The next one: strangers only while no known one waits, and what is to be set only while nobody waits who logs in. So
    /// whatever cores they hold when a known one comes, they hold for the rest of one hash.
    pub(crate) fn take(&mut self) -> Option<T> {
        let next = self.known.take().or_else(|| self.strangers.take()).or_else(|| self.setting.take());
        next.map(|waiting| waiting.job)
    }

    /// Takes out whoever has waited too long.
    pub(crate) fn overdue(&mut self, now: Duration) -> Vec<T> {
        let patience = self.bounds.patience;
        let late = |first: &Waiting<T>| now.saturating_sub(first.since) >= patience;
        let mut jobs = Vec::new();
        for lane in [&mut self.known, &mut self.strangers, &mut self.setting] {
            lane.drain_front(late, &mut jobs);
        }
        jobs.into_iter().map(|waiting| waiting.job).collect()
    }

    /// Takes out one that is no longer waited for; `None` where it has been taken.
    pub(crate) fn withdraw(&mut self, number: u64) -> Option<T> {
        let lanes = [&mut self.known, &mut self.strangers, &mut self.setting];
        let found = lanes.into_iter().find_map(|lane| lane.remove(|waiting| waiting.number == number));
        found.map(|waiting| waiting.job)
    }

    /// How many wait in a lane.
    pub(crate) fn depth(&self, lane: Lane) -> usize {
        match lane {
            Lane::Known => self.known.len(),
            Lane::Stranger => self.strangers.len(),
            Lane::Setting => self.setting.len(),
        }
    }

    /// How many wait in all.
    pub(crate) fn len(&self) -> usize {
        self.known.len() + self.strangers.len() + self.setting.len()
    }
}

fn displace<T>(lane: &mut FairQueue<Waiting<T>>, than: usize) -> Option<T> {
    lane.displace(than, |_| true).map(|waiting| waiting.job)
}

#[cfg(test)]
mod tests;
