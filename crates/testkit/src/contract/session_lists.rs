//! Sessions in lists: newest first, in parts, narrowed, with the names of whom they are.

use tillgate_auth_core::ports::{SessionFilter, SessionView};
use tillgate_auth_core::{Session, SessionKind};
use tillgate_domain::{EndReason, Instant, SessionId};

use crate::AuthStoreHarness;
use crate::contract_fixture::{ContractFixture, after_start, insert_sessions, run_read, run_write, session_id};

/// The numbers of the sessions that a list shows, in its order.
pub(super) fn listed_ids(
    bench: &AuthStoreHarness,
    filter: &SessionFilter,
    after: Option<u8>,
    limit: u32,
) -> Vec<SessionId> {
    let list = run_read(bench, |tx| tx.sessions().list(filter, after.map(session_id), limit));
    list.into_iter().map(|listed| listed.session.id).collect()
}

pub(super) fn session_ids(numbers: &[u8]) -> Vec<SessionId> {
    numbers.iter().map(|number| session_id(*number)).collect()
}

/// A list shows the newest first, those after `after` only, and `limit` at most.
pub fn session_list_is_paged_newest_first(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    for number in [3, 1, 5, 2, 4] {
        insert_sessions(bench, &[shop.new_session(number)]);
    }
    let all = SessionFilter::default();
    assert_eq!(listed_ids(bench, &all, None, 10), session_ids(&[5, 4, 3, 2, 1]));
    assert_eq!(listed_ids(bench, &all, None, 2), session_ids(&[5, 4]));
    assert_eq!(listed_ids(bench, &all, Some(4), 2), session_ids(&[3, 2]));
    assert_eq!(listed_ids(bench, &all, Some(2), 2), session_ids(&[1]));
    assert_eq!(listed_ids(bench, &all, Some(1), 2), []);
    assert_eq!(listed_ids(bench, &all, None, 0), []);
}

/// Each member of a filter narrows the list, and several hold together.
pub fn filter_narrows_the_session_list(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let bens = Session { user: Some(shop.ben.id), ..shop.new_till_session(3) };
    let far = Session {
        tenant: shop.other_tenant.id,
        user: Some(shop.namesake.id),
        device: Some(shop.foreign_device.id),
        ..shop.new_session(4)
    };
    let own = Session { kind: SessionKind::Device, user: None, ..shop.new_till_session(5) };
    insert_sessions(bench, &[shop.new_session(1), shop.new_till_session(2), bens, far, own]);
    let all = SessionFilter::default;
    for (filter, expected) in [
        (SessionFilter { tenant: Some(shop.tenant.id), ..all() }, session_ids(&[5, 3, 2, 1])),
        (SessionFilter { tenant: Some(shop.other_tenant.id), ..all() }, session_ids(&[4])),
        (SessionFilter { user: Some(shop.anna.id), ..all() }, session_ids(&[2, 1])),
        (SessionFilter { device: Some(shop.till.id), ..all() }, session_ids(&[5, 3, 2])),
        (SessionFilter { id: Some(session_id(3)), ..all() }, session_ids(&[3])),
        (SessionFilter { id: Some(session_id(9)), ..all() }, session_ids(&[])),
        (SessionFilter { user: Some(shop.anna.id), device: Some(shop.till.id), ..all() }, session_ids(&[2])),
        (SessionFilter { tenant: Some(shop.other_tenant.id), id: Some(session_id(1)), ..all() }, session_ids(&[])),
    ] {
        assert_eq!(listed_ids(bench, &filter, None, 10), expected, "{filter:?}");
    }
    let tills = SessionFilter { device: Some(shop.till.id), ..all() };
    assert_eq!(
        listed_ids(bench, &tills, Some(5), 1),
        session_ids(&[3]),
        "the limit counts what the filter lets through"
    );
}

/// A filter tells the live from those that are over: ended, or expired at that very instant.
pub fn filter_separates_live_sessions(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let until = |number: u8, end: Option<Instant>| Session { expires_at: end, ..shop.new_session(number) };
    insert_sessions(
        bench,
        &[
            until(1, Some(after_start(100))),
            until(2, Some(after_start(101))),
            until(3, None),
            until(4, None),
            until(5, Some(after_start(50))),
        ],
    );
    run_write(bench, |tx| tx.revocations().end_session(session_id(4), EndReason::Logout, after_start(60)));
    let live = |wanted| SessionFilter { live: Some((wanted, after_start(100))), ..SessionFilter::default() };
    assert_eq!(listed_ids(bench, &live(true), None, 10), session_ids(&[3, 2]));
    assert_eq!(listed_ids(bench, &live(false), None, 10), session_ids(&[5, 4, 1]));
    // in parts too, after one that the filter passes over as well
    assert_eq!(
        [listed_ids(bench, &live(true), Some(3), 9), listed_ids(bench, &live(true), Some(4), 1)],
        [session_ids(&[2]), session_ids(&[3])]
    );
    assert_eq!(
        [listed_ids(bench, &live(false), Some(4), 9), listed_ids(bench, &live(false), Some(3), 9)],
        [session_ids(&[1]), session_ids(&[1])]
    );
    let annas = SessionFilter { user: Some(shop.anna.id), ..live(false) };
    assert_eq!(listed_ids(bench, &annas, Some(5), 1), session_ids(&[4]));
}

/// A list bears the names of the session's user and device, and the session whole.
pub fn session_list_has_names(bench: &AuthStoreHarness) {
    let shop = ContractFixture::insert_into(bench);
    let own = Session { kind: SessionKind::Device, user: None, ..shop.new_till_session(2) };
    insert_sessions(bench, &[shop.new_session(1), own.clone()]);
    let list = run_read(bench, |tx| tx.sessions().list(&SessionFilter::default(), None, 10));
    let expected = [
        SessionView {
            session: own,
            user_name: None,
            display_name: None,
            device_name: Some(shop.till.name.clone()),
            environment: Some(shop.till.environment),
        },
        SessionView {
            session: shop.new_session(1),
            user_name: Some(shop.anna.name.clone()),
            display_name: Some(shop.anna.display_name.clone()),
            device_name: None,
            environment: None,
        },
    ];
    assert_eq!(list, expected);
}
