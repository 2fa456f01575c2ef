//! Who is hashed next and who finds no room: two lanes over one room. Pure: it knows neither threads nor clocks.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use crate::throttle::network;

/// Which lane a password waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Of a principal at a place where it has succeeded before, or of somebody who is logged in.
    Known,
    /// Of anybody else.
    Stranger,
}

/// The bounds of the lanes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// How many wait at most. Strangers take half of it at most.
    pub(super) room: usize,
    /// How many strangers of one address wait at most.
    pub(super) of_address: usize,
    /// How long one waits at most.
    pub(super) patience: Duration,
}

/// One that waits.
#[derive(Debug)]
struct Waiting<T> {
    number: u64,
    network: Option<Vec<u8>>,
    since: Duration,
    job: T,
}

/// The two lanes.
#[derive(Debug)]
pub(super) struct Lanes<T> {
    bounds: Bounds,
    last: u64,
    known: VecDeque<Waiting<T>>,
    strangers: VecDeque<Waiting<T>>,
}

impl<T> Lanes<T> {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, last: 0, known: VecDeque::new(), strangers: VecDeque::new() }
    }

    /// Puts a job at the end of its lane and returns its number; `None` where there is no room.
    pub(super) fn offer(&mut self, lane: Lane, address: Option<IpAddr>, now: Duration, job: T) -> Option<u64> {
        let network = address.map(network);
        let bounds = &self.bounds;
        let full = self.known.len() + self.strangers.len() >= bounds.room;
        let crowded = || {
            let same = self.strangers.iter().filter(|waiting| waiting.network == network).count();
            self.strangers.len() >= bounds.room / 2 || (network.is_some() && same >= bounds.of_address)
        };
        if full || (lane == Lane::Stranger && crowded()) {
            return None;
        }
        self.last += 1;
        let waiting = Waiting { number: self.last, network, since: now, job };
        self.lane(lane).push_back(waiting);
        Some(self.last)
    }

    /// The next one: strangers only while no known place waits. So whatever cores strangers hold when a known place comes, they
    /// hold for the rest of one hash.
    pub(super) fn take(&mut self) -> Option<T> {
        self.known.pop_front().or_else(|| self.strangers.pop_front()).map(|waiting| waiting.job)
    }

    /// Takes out whoever has waited too long.
    pub(super) fn overdue(&mut self, now: Duration) -> Vec<T> {
        let patience = self.bounds.patience;
        let mut jobs = Vec::new();
        for lane in [&mut self.known, &mut self.strangers] {
            while let Some(first) = lane.pop_front_if(|first| now.saturating_sub(first.since) >= patience) {
                jobs.push(first.job);
            }
        }
        jobs
    }

    /// Takes out one that is no longer waited for; `None` where it has been taken.
    pub(super) fn withdraw(&mut self, number: u64) -> Option<T> {
        [&mut self.known, &mut self.strangers].into_iter().find_map(|lane| {
            let at = lane.iter().position(|waiting| waiting.number == number)?;
            lane.remove(at).map(|waiting| waiting.job)
        })
    }

    /// How many wait in a lane.
    pub(super) fn depth(&self, lane: Lane) -> usize {
        match lane {
            Lane::Known => self.known.len(),
            Lane::Stranger => self.strangers.len(),
        }
    }

    fn lane(&mut self, lane: Lane) -> &mut VecDeque<Waiting<T>> {
        match lane {
            Lane::Known => &mut self.known,
            Lane::Stranger => &mut self.strangers,
        }
    }
}
