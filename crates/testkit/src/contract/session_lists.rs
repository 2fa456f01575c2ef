//! Sessions in lists: newest first, in parts, narrowed, with the names of whom they are.

use tillgate_auth_core::ports::{Listed, SessionFilter};
use tillgate_auth_core::{Session, SessionKind};
use tillgate_domain::{EndedWhy, Instant, SessionId};

use crate::Bench;
use crate::shop::{Shop, add, at, read, session_id, write};

/// The numbers of the sessions that a list shows, in its order.
pub(super) fn listed(bench: &Bench, filter: &SessionFilter, after: Option<u8>, limit: u32) -> Vec<SessionId> {
    let list = read(bench, |tx| tx.sessions().list(filter, after.map(session_id), limit));
    list.into_iter().map(|listed| listed.session.id).collect()
}

pub(super) fn ids(numbers: &[u8]) -> Vec<SessionId> {
    numbers.iter().map(|number| session_id(*number)).collect()
}

/// A list shows the newest first, those after `after` only, and `limit` at most.
pub fn a_list_comes_in_parts_newest_first(bench: &Bench) {
    let shop = Shop::open(bench);
    for number in [3, 1, 5, 2, 4] {
        add(bench, &[shop.session(number)]);
    }
    let all = SessionFilter::default();
    assert_eq!(listed(bench, &all, None, 10), ids(&[5, 4, 3, 2, 1]));
    assert_eq!(listed(bench, &all, None, 2), ids(&[5, 4]));
    assert_eq!(listed(bench, &all, Some(4), 2), ids(&[3, 2]));
    assert_eq!(listed(bench, &all, Some(2), 2), ids(&[1]));
    assert_eq!(listed(bench, &all, Some(1), 2), []);
    assert_eq!(listed(bench, &all, None, 0), []);
}

/// Each member of a filter narrows the list, and several hold together.
pub fn a_filter_narrows_a_list(bench: &Bench) {
    let shop = Shop::open(bench);
    let bens = Session { user: Some(shop.ben.id), ..shop.session_on_till(3) };
    let far =
        Session { tenant: shop.other.id, user: Some(shop.namesake.id), device: Some(shop.far.id), ..shop.session(4) };
    let own = Session { kind: SessionKind::Device, user: None, ..shop.session_on_till(5) };
    add(bench, &[shop.session(1), shop.session_on_till(2), bens, far, own]);
    let all = SessionFilter::default;
    for (filter, expected) in [
        (SessionFilter { tenant: Some(shop.tenant.id), ..all() }, ids(&[5, 3, 2, 1])),
        (SessionFilter { tenant: Some(shop.other.id), ..all() }, ids(&[4])),
        (SessionFilter { user: Some(shop.anna.id), ..all() }, ids(&[2, 1])),
        (SessionFilter { device: Some(shop.till.id), ..all() }, ids(&[5, 3, 2])),
        (SessionFilter { session: Some(session_id(3)), ..all() }, ids(&[3])),
        (SessionFilter { session: Some(session_id(9)), ..all() }, ids(&[])),
        (SessionFilter { user: Some(shop.anna.id), device: Some(shop.till.id), ..all() }, ids(&[2])),
        (SessionFilter { tenant: Some(shop.other.id), session: Some(session_id(1)), ..all() }, ids(&[])),
    ] {
        assert_eq!(listed(bench, &filter, None, 10), expected, "{filter:?}");
    }
    let tills = SessionFilter { device: Some(shop.till.id), ..all() };
    assert_eq!(listed(bench, &tills, Some(5), 1), ids(&[3]), "the limit counts what the filter lets through");
}

/// A filter tells the live from those that are over: ended, or expired at that very instant.
pub fn a_filter_tells_the_live_from_the_others(bench: &Bench) {
    let shop = Shop::open(bench);
    let until = |number: u8, end: Option<Instant>| Session { expires_at: end, ..shop.session(number) };
    add(
        bench,
        &[until(1, Some(at(100))), until(2, Some(at(101))), until(3, None), until(4, None), until(5, Some(at(50)))],
    );
    write(bench, |tx| tx.endings().end(session_id(4), EndedWhy::Logout, at(60)));
    let live = |wanted| SessionFilter { live: Some((wanted, at(100))), ..SessionFilter::default() };
    assert_eq!(listed(bench, &live(true), None, 10), ids(&[3, 2]));
    assert_eq!(listed(bench, &live(false), None, 10), ids(&[5, 4, 1]));
    // in parts too, after one that the filter passes over as well
    assert_eq!(
        [listed(bench, &live(true), Some(3), 9), listed(bench, &live(true), Some(4), 1)],
        [ids(&[2]), ids(&[3])]
    );
    assert_eq!(
        [listed(bench, &live(false), Some(4), 9), listed(bench, &live(false), Some(3), 9)],
        [ids(&[1]), ids(&[1])]
    );
    let annas = SessionFilter { user: Some(shop.anna.id), ..live(false) };
    assert_eq!(listed(bench, &annas, Some(5), 1), ids(&[4]));
}

/// A list bears the names of the session's user and device, and the session whole.
pub fn a_list_bears_names(bench: &Bench) {
    let shop = Shop::open(bench);
    let own = Session { kind: SessionKind::Device, user: None, ..shop.session_on_till(2) };
    add(bench, &[shop.session(1), own.clone()]);
    let list = read(bench, |tx| tx.sessions().list(&SessionFilter::default(), None, 10));
    let expected = [
        Listed {
            session: own,
            user_name: None,
            display_name: None,
            device_name: Some(shop.till.name.clone()),
            environment: Some(shop.till.environment),
        },
        Listed {
            session: shop.session(1),
            user_name: Some(shop.anna.name.clone()),
            display_name: Some(shop.anna.display_name.clone()),
            device_name: None,
            environment: None,
        },
    ];
    assert_eq!(list, expected);
}
