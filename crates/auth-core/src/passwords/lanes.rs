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
            self.strangers.len() >= bounds.room.div_ceil(2) || (network.is_some() && same >= bounds.of_address)
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

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { room: 8, of_address: 3, patience: Duration::from_secs(4) };

    fn second(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn host(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    /// Who is offered, in order, with whether there is room: `k` for a known place of address 1, a digit for a stranger of that
    /// address, `-` for a stranger of none.
    fn offered(name: &str, script: &[(char, bool)]) -> Lanes<char> {
        let mut lanes = Lanes::new(BOUNDS);
        for (index, &(who, room)) in script.iter().enumerate() {
            let (lane, address) = match who.to_digit(10) {
                _ if who == 'k' => (Lane::Known, Some(host(1))),
                Some(digit) => (Lane::Stranger, Some(host(u8::try_from(digit).unwrap()))),
                None => (Lane::Stranger, None),
            };
            assert_eq!(lanes.offer(lane, address, second(0), who).is_some(), room, "{name}, {index}");
        }
        lanes
    }

    #[test]
    fn there_is_room_by_these_rules() {
        let known = [('k', true); 8];
        offered("known places take all of it", &[&known[..], &[('k', false), ('2', false)]].concat());
        offered(
            "strangers take half",
            &[('1', true), ('2', true), ('3', true), ('-', true), ('4', false), ('-', false)],
        );
        offered("three of one address", &[('1', true), ('1', true), ('1', true), ('1', false), ('2', true)]);
        offered("three with no address are not of one", &[('-', true), ('-', true), ('-', true), ('-', true)]);
        offered(
            "a known place is not counted by its address",
            &[&known[..4], &[('1', true), ('1', true), ('1', true), ('1', false)]].concat(),
        );
        let half = [('1', true), ('2', true), ('3', true), ('4', true)];
        offered("the other half is for known places", &[&half[..], &known[..4], &[('k', false)]].concat());
        offered(
            "no room is kept free for strangers",
            &[&known[..6], &[('1', true), ('2', true), ('3', false)]].concat(),
        );
    }

    #[test]
    fn known_places_go_first_and_each_lane_in_order() {
        let mut lanes = offered("order", &[('1', true), ('k', true), ('2', true), ('k', true)]);
        let order: String = std::iter::from_fn(|| lanes.take()).collect();
        assert_eq!(order, "kk12");
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let mut lanes = Lanes::new(BOUNDS);
        let address = |last: u16| Some(IpAddr::from([0x2001, 0xdb8, 1, 0x2200 | last, 0, 0, 0, last]));
        for last in 1..=3 {
            assert!(lanes.offer(Lane::Stranger, address(last), second(0), ()).is_some());
        }
        assert!(lanes.offer(Lane::Stranger, address(0xff), second(0), ()).is_none());
    }

    #[test]
    fn whoever_waited_too_long_goes() {
        let mut lanes = Lanes::new(BOUNDS);
        for (at, who) in [(0, 'a'), (1, 'b'), (2, 'c')] {
            lanes.offer(if who == 'b' { Lane::Stranger } else { Lane::Known }, None, second(at), who);
        }
        assert_eq!(lanes.overdue(Duration::from_millis(3999)), []);
        assert_eq!(lanes.overdue(second(5)), ['a', 'b']);
        assert_eq!((lanes.depth(Lane::Known), lanes.depth(Lane::Stranger)), (1, 0));
        assert_eq!(lanes.take(), Some('c'));
    }

    #[test]
    fn one_that_is_withdrawn_is_not_taken() {
        let mut lanes = Lanes::new(BOUNDS);
        let numbers: Vec<u64> =
            "abc".chars().map(|who| lanes.offer(Lane::Stranger, None, second(0), who).unwrap()).collect();
        assert_eq!(lanes.withdraw(numbers[1]), Some('b'));
        assert_eq!(lanes.withdraw(numbers[1]), None);
        assert_eq!(lanes.take(), Some('a'));
        assert_eq!(lanes.withdraw(numbers[0]), None);
        assert_eq!(lanes.take(), Some('c'));
    }
}
