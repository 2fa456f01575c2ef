use super::*;

const BOUNDS: LaneLimits = LaneLimits { capacity: 8, per_network: 3, max_wait: Duration::from_secs(4) };

fn second(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// An address in the network with this number.
fn host(network: u8) -> IpAddr {
    IpAddr::from([192, 0, network, 1])
}

/// The result of offering a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OfferOutcome {
    Room,
    Displaced(char),
    NoRoom,
}

/// Offers a job: `k` is a known one of network 1, `l` one of network 2, a digit an unknown one of
/// that network, a letter from `A` a new password from that network, `-` an unknown one without a
/// network.
fn offer(lanes: &mut Lanes<char>, who: char) -> OfferOutcome {
    let (lane, address) = match who {
        'k' => (Lane::Known, Some(host(1))),
        'l' => (Lane::Known, Some(host(2))),
        '-' => (Lane::Stranger, None),
        'A'..='Z' => (Lane::NewPassword, Some(host(u8::try_from(u32::from(who)).unwrap()))),
        _ => (Lane::Stranger, Some(host(u8::try_from(who.to_digit(10).unwrap()).unwrap()))),
    };
    match lanes.offer(lane, address, second(0), who) {
        Some(QueueTicket { displaced: Some(job), .. }) => OfferOutcome::Displaced(job),
        Some(QueueTicket { displaced: None, .. }) => OfferOutcome::Room,
        None => OfferOutcome::NoRoom,
    }
}

/// The lanes after these jobs were offered in order; all are accepted.
fn offered(script: &str) -> Lanes<char> {
    let mut lanes = Lanes::new(BOUNDS);
    for who in script.chars() {
        assert_eq!(offer(&mut lanes, who), OfferOutcome::Room, "{who} of {script}");
    }
    lanes
}

#[test]
fn lane_capacity_follows_table_of_rules() {
    for (what, there, who, expected) in [
        ("known ones take all of it", "kkkkkkkk", 'k', OfferOutcome::NoRoom),
        ("but what another known network needs", "kkkkkkkk", 'l', OfferOutcome::Displaced('k')),
        ("until both have the same", "kkkkllll", 'l', OfferOutcome::NoRoom),
        ("no room is kept free for strangers", "kkkkkkkk", '2', OfferOutcome::NoRoom),
        ("strangers take half", "1234", '5', OfferOutcome::NoRoom),
        ("strangers of no network too", "1-23", '-', OfferOutcome::NoRoom),
        ("three of one network", "111", '1', OfferOutcome::NoRoom),
        ("three of one network leave room for another", "111", '2', OfferOutcome::Room),
        ("three of no network are not of one", "---", '-', OfferOutcome::Room),
        ("a known one is not counted by its network", "kkkk111", '1', OfferOutcome::NoRoom),
        ("the other half is for known ones", "1234kkk", 'k', OfferOutcome::Room),
        ("a quarter is for what is to be set", "AB", 'C', OfferOutcome::NoRoom),
        ("which takes none of the rest", "kkkkkk11", 'A', OfferOutcome::NoRoom),
        ("a known one displaces what is to be set", "kkkk11AB", 'k', OfferOutcome::Displaced('B')),
        ("and then a stranger, of the network with the most", "kkkkk211", 'k', OfferOutcome::Displaced('1')),
        ("a stranger displaces what is to be set", "kkkk11AA", '2', OfferOutcome::Displaced('A')),
        ("of strangers, one of the network with the most", "1112", '3', OfferOutcome::Displaced('1')),
        ("and with two there is none to spare", "1122", '1', OfferOutcome::NoRoom),
        ("nor one of a network that would have less than the newcomer", "1123", '2', OfferOutcome::NoRoom),
        ("in a room of known ones too", "kkkkk112", '3', OfferOutcome::Displaced('1')),
        ("what is to be set is shared likewise", "AA", 'B', OfferOutcome::Displaced('A')),
    ] {
        assert_eq!(offer(&mut offered(there), who), expected, "{what}");
    }
}

#[test]
fn known_jobs_go_first_then_networks_take_turns() {
    let mut lanes = offered("A1k12k3");
    let order: String = std::iter::from_fn(|| lanes.take_next()).collect();
    assert_eq!(order, "kk1231A");
}

/// Somebody with the right passwords of some accounts cannot delay a till in another network.
#[test]
fn known_networks_take_turns() {
    let mut lanes = offered("kkkkl");
    let order: String = std::iter::from_fn(|| lanes.take_next()).collect();
    assert_eq!(order, "klkkk");
}

/// However many jobs one network has, an unknown one of another network waits for at most one of
/// them.
#[test]
fn busy_network_delays_another_by_one_job() {
    let mut lanes = offered("111");
    assert_eq!(lanes.take_next(), Some('1'));
    assert_eq!(offer(&mut lanes, '1'), OfferOutcome::Room);
    assert_eq!(offer(&mut lanes, '2'), OfferOutcome::Room);
    assert_eq!((lanes.take_next(), lanes.take_next()), (Some('1'), Some('2')));
}

#[test]
fn networks_are_24_and_48_bit_prefixes() {
    let mut lanes = Lanes::new(BOUNDS);
    let v6 = |subnet: u16| Some(IpAddr::from([0x2001, 0xdb8, 1, subnet, 0, 0, 0, subnet]));
    let v4 = |last: u8| Some(IpAddr::from([192, 0, 2, last]));
    for number in 1..=3 {
        assert!(lanes.offer(Lane::Stranger, v6(number), second(0), ()).is_some());
    }
    assert!(lanes.offer(Lane::Stranger, v6(0xffff), second(0), ()).is_none());
    let mut lanes = Lanes::new(BOUNDS);
    for number in 1..=3 {
        assert!(lanes.offer(Lane::Stranger, v4(number), second(0), ()).is_some());
    }
    assert!(lanes.offer(Lane::Stranger, v4(255), second(0), ()).is_none());
}

#[test]
fn overdue_jobs_are_removed() {
    let mut lanes = Lanes::new(BOUNDS);
    for (at, who, lane) in
        [(0, 'a', Lane::Known), (1, 'b', Lane::Stranger), (1, 'c', Lane::NewPassword), (2, 'd', Lane::Stranger)]
    {
        lanes.offer(lane, None, second(at), who);
    }
    assert_eq!(lanes.take_overdue(Duration::from_millis(3999)), Vec::<char>::new());
    assert_eq!(lanes.take_overdue(second(5)), ['a', 'b', 'c']);
    assert_eq!([Lane::Known, Lane::Stranger, Lane::NewPassword].map(|lane| lanes.depth(lane)), [0, 1, 0]);
    assert_eq!(lanes.take_next(), Some('d'));
    assert_eq!(lanes.take_next(), None);
}

#[test]
fn withdrawn_job_is_not_taken() {
    let mut lanes = Lanes::new(BOUNDS);
    let numbers: Vec<u64> =
        "abc".chars().map(|who| lanes.offer(Lane::Stranger, None, second(0), who).unwrap().number).collect();
    assert_eq!(lanes.withdraw(numbers[1]), Some('b'));
    assert_eq!(lanes.withdraw(numbers[1]), None);
    assert_eq!(lanes.take_next(), Some('a'));
    assert_eq!(lanes.withdraw(numbers[0]), None);
    assert_eq!(lanes.take_next(), Some('c'));
}
