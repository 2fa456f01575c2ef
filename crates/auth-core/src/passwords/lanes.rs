//! Who is hashed next and who finds no room: three lanes over one room. Pure: it knows neither threads nor clocks.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use crate::throttle::network;

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
pub(super) struct Bounds {
    /// How many wait at most. Strangers take half of it at most, and passwords that are to be set a quarter.
    pub(super) room: usize,
    /// How many of one network wait at most in each of the lanes of strangers and of passwords that are to be set.
    pub(super) of_network: usize,
    /// How long one waits at most.
    pub(super) patience: Duration,
}

/// One that waits.
#[derive(Debug)]
struct Waiting<T> {
    number: u64,
    since: Duration,
    job: T,
}

/// Those of one network, in the order in which they came.
#[derive(Debug)]
struct Queue<T> {
    /// `None` for those of no network, as on a local socket.
    network: Option<IpAddr>,
    waiting: VecDeque<Waiting<T>>,
}

/// A lane: networks share it, and each has its turn, one job at a time.
#[derive(Debug)]
struct Shared<T> {
    /// In the order of their turns. None of them is empty.
    queues: VecDeque<Queue<T>>,
}

/// The lanes.
#[derive(Debug)]
pub(super) struct Lanes<T> {
    bounds: Bounds,
    last: u64,
    known: Shared<T>,
    strangers: Shared<T>,
    setting: Shared<T>,
}

/// Where a job has found room.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Offered<T> {
    /// The number of the job.
    pub(super) number: u64,
    /// The job that had to make room for it, and is to be told to come again.
    pub(super) displaced: Option<T>,
}

/// The room for one more.
enum Room<T> {
    Free,
    /// This job makes room.
    Displacing(T),
}

impl<T> Shared<T> {
    const fn new() -> Self {
        Self { queues: VecDeque::new() }
    }

    fn len(&self) -> usize {
        self.queues.iter().map(|queue| queue.waiting.len()).sum()
    }

    fn of(&self, network: Option<IpAddr>) -> usize {
        let queue = self.queues.iter().find(|queue| queue.network == network);
        queue.map_or(0, |queue| queue.waiting.len())
    }

    fn push(&mut self, network: Option<IpAddr>, waiting: Waiting<T>) {
        match self.queues.iter_mut().find(|queue| queue.network == network) {
            Some(queue) => queue.waiting.push_back(waiting),
            None => self.queues.push_back(Queue { network, waiting: VecDeque::from([waiting]) }),
        }
    }

    /// The first of the network whose turn it is. The network's next turn is after those of all the others.
    fn take(&mut self) -> Option<T> {
        let mut queue = self.queues.pop_front()?;
        let first = queue.waiting.pop_front();
        if !queue.waiting.is_empty() {
            self.queues.push_back(queue);
        }
        first.map(|waiting| waiting.job)
    }

    /// Takes out the newest of the network that has the most, where that has more than `than`.
    fn displace(&mut self, than: usize) -> Option<T> {
        let longest = self.queues.iter_mut().max_by_key(|queue| queue.waiting.len())?;
        let newest = if longest.waiting.len() > than { longest.waiting.pop_back() } else { None };
        self.tidy();
        newest.map(|waiting| waiting.job)
    }

    fn overdue(&mut self, late: impl Fn(&Waiting<T>) -> bool, into: &mut Vec<T>) {
        for queue in &mut self.queues {
            while let Some(first) = queue.waiting.pop_front_if(|first| late(first)) {
                into.push(first.job);
            }
        }
        self.tidy();
    }

    fn withdraw(&mut self, number: u64) -> Option<T> {
        let found = self.queues.iter_mut().find_map(|queue| withdraw(&mut queue.waiting, number));
        self.tidy();
        found
    }

    fn tidy(&mut self) {
        self.queues.retain(|queue| !queue.waiting.is_empty());
    }
}

fn withdraw<T>(waiting: &mut VecDeque<Waiting<T>>, number: u64) -> Option<T> {
    let at = waiting.iter().position(|waiting| waiting.number == number)?;
    waiting.remove(at).map(|waiting| waiting.job)
}

impl<T> Lanes<T> {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, last: 0, known: Shared::new(), strangers: Shared::new(), setting: Shared::new() }
    }

    /// Puts a job into its lane; `None` where there is no room. In a full room a job of an earlier lane displaces one of a later
    /// lane, and one of a network that has few waiting displaces one of the network that has the most.
    pub(super) fn offer(&mut self, lane: Lane, address: Option<IpAddr>, now: Duration, job: T) -> Option<Offered<T>> {
        let network = address.map(network);
        let room = match lane {
            Lane::Known => self.make_room_for_known(network)?,
            Lane::Stranger | Lane::Setting => self.make_room_in(lane, network)?,
        };
        self.last += 1;
        let waiting = Waiting { number: self.last, since: now, job };
        match lane {
            Lane::Known => self.known.push(network, waiting),
            Lane::Stranger => self.strangers.push(network, waiting),
            Lane::Setting => self.setting.push(network, waiting),
        }
        let displaced = match room {
            Room::Free => None,
            Room::Displacing(job) => Some(job),
        };
        Some(Offered { number: self.last, displaced })
    }

    /// A network of many tills is bounded by the room alone: it makes room when another comes that has fewer waiting.
    fn make_room_for_known(&mut self, network: Option<IpAddr>) -> Option<Room<T>> {
        if self.len() < self.bounds.room {
            return Some(Room::Free);
        }
        let displaced = self.setting.displace(0).or_else(|| self.strangers.displace(0));
        let own = self.known.of(network);
        displaced.or_else(|| self.known.displace(own + 1)).map(Room::Displacing)
    }

    fn make_room_in(&mut self, lane: Lane, network: Option<IpAddr>) -> Option<Room<T>> {
        let room = self.bounds.room;
        let full = self.len() >= room;
        let (shared, share) = match lane {
            Lane::Setting => (&mut self.setting, room.div_ceil(4)),
            Lane::Known | Lane::Stranger => (&mut self.strangers, room.div_ceil(2)),
        };
        let own = shared.of(network);
        if network.is_some() && own >= self.bounds.of_network {
            return None;
        }
        if shared.len() < share && !full {
            return Some(Room::Free);
        }
        if shared.len() < share && lane == Lane::Stranger {
            if let Some(job) = self.setting.displace(0) {
                return Some(Room::Displacing(job));
            }
            return self.strangers.displace(own + 1).map(Room::Displacing);
        }
        // the other network keeps at least as many as this one will have
        shared.displace(own + 1).map(Room::Displacing)
    }

    /// The next one: strangers only while no known one waits, and what is to be set only while nobody waits who logs in. So
    /// whatever cores they hold when a known one comes, they hold for the rest of one hash.
    pub(super) fn take(&mut self) -> Option<T> {
        self.known.take().or_else(|| self.strangers.take()).or_else(|| self.setting.take())
    }

    /// Takes out whoever has waited too long.
    pub(super) fn overdue(&mut self, now: Duration) -> Vec<T> {
        let patience = self.bounds.patience;
        let late = |first: &Waiting<T>| now.saturating_sub(first.since) >= patience;
        let mut jobs = Vec::new();
        self.known.overdue(late, &mut jobs);
        self.strangers.overdue(late, &mut jobs);
        self.setting.overdue(late, &mut jobs);
        jobs
    }

    /// Takes out one that is no longer waited for; `None` where it has been taken.
    pub(super) fn withdraw(&mut self, number: u64) -> Option<T> {
        let lanes = [&mut self.known, &mut self.strangers, &mut self.setting];
        lanes.into_iter().find_map(|lane| lane.withdraw(number))
    }

    /// How many wait in a lane.
    pub(super) fn depth(&self, lane: Lane) -> usize {
        match lane {
            Lane::Known => self.known.len(),
            Lane::Stranger => self.strangers.len(),
            Lane::Setting => self.setting.len(),
        }
    }

    /// How many wait in all.
    pub(super) fn len(&self) -> usize {
        self.known.len() + self.strangers.len() + self.setting.len()
    }
}

#[cfg(test)]
mod tests;
