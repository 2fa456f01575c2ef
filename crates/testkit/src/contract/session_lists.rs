//! Lists of sessions: newest first, in pages, filtered, with the names of their users and devices.

use tillgate_auth_core::ports::{SessionCursor, SessionFilter, SessionOrder, SessionUse, SessionView};
use tillgate_auth_core::{DialectName, Session, SessionKind};
use tillgate_domain::{EndReason, Instant, SessionId};

use crate::AuthStoreHarness;
use crate::contract_fixture::{ContractFixture, after_start, insert_sessions, run_read, run_write, session_id};

/// The numbers of the listed sessions, in the order of the list.
pub(super) fn listed_ids(
    harness: &AuthStoreHarness,
    filter: &SessionFilter,
    after: Option<u8>,
    limit: u32,
) -> Vec<SessionId> {
    let after = after.map(|number| SessionCursor::from_id(session_id(number)));
    let list = run_read(harness, |tx| tx.sessions().list(filter, SessionOrder::Newest, after, limit));
    list.into_iter().map(|listed| listed.session.id).collect()
}

pub(super) fn session_ids(numbers: &[u8]) -> Vec<SessionId> {
    numbers.iter().map(|number| session_id(*number)).collect()
}

/// Sessions are listed newest first, from behind `after`, at most `limit`.
pub fn session_list_is_paged_newest_first(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    for number in [3, 1, 5, 2, 4] {
        insert_sessions(harness, &[fixture.new_session(number)]);
    }
    let all = SessionFilter::default();
    assert_eq!(listed_ids(harness, &all, None, 10), session_ids(&[5, 4, 3, 2, 1]));
    assert_eq!(listed_ids(harness, &all, None, 2), session_ids(&[5, 4]));
    assert_eq!(listed_ids(harness, &all, Some(4), 2), session_ids(&[3, 2]));
    assert_eq!(listed_ids(harness, &all, Some(2), 2), session_ids(&[1]));
    assert_eq!(listed_ids(harness, &all, Some(1), 2), []);
    assert_eq!(listed_ids(harness, &all, None, 0), []);
}

/// Each criterion of a filter narrows the list, and several criteria apply together.
pub fn filter_narrows_the_session_list(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let bens = Session { user: Some(fixture.ben.id), ..fixture.new_till_session(3) };
    let far = Session {
        tenant: fixture.other_tenant.id,
        user: Some(fixture.namesake.id),
        device: Some(fixture.foreign_device.id),
        ..fixture.new_session(4)
    };
    let own = Session { kind: SessionKind::Device, user: None, ..fixture.new_till_session(5) };
    insert_sessions(harness, &[fixture.new_session(1), fixture.new_till_session(2), bens, far, own]);
    let all = SessionFilter::default;
    for (filter, expected) in [
        (SessionFilter { tenant: Some(fixture.tenant.id), ..all() }, session_ids(&[5, 3, 2, 1])),
        (SessionFilter { tenant: Some(fixture.other_tenant.id), ..all() }, session_ids(&[4])),
        (SessionFilter { user: Some(fixture.anna.id), ..all() }, session_ids(&[2, 1])),
        (SessionFilter { device: Some(fixture.till.id), ..all() }, session_ids(&[5, 3, 2])),
        (SessionFilter { id: Some(session_id(3)), ..all() }, session_ids(&[3])),
        (SessionFilter { id: Some(session_id(9)), ..all() }, session_ids(&[])),
        (SessionFilter { user: Some(fixture.anna.id), device: Some(fixture.till.id), ..all() }, session_ids(&[2])),
        (SessionFilter { tenant: Some(fixture.other_tenant.id), id: Some(session_id(1)), ..all() }, session_ids(&[])),
    ] {
        assert_eq!(listed_ids(harness, &filter, None, 10), expected, "{filter:?}");
    }
    let tills = SessionFilter { device: Some(fixture.till.id), ..all() };
    assert_eq!(
        listed_ids(harness, &tills, Some(5), 1),
        session_ids(&[3]),
        "the limit counts records that match the filter"
    );
}

/// A filter separates live sessions from those that have ended or expired; a session has expired at
/// the instant of its expiry.
pub fn filter_separates_live_sessions(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let until = |number: u8, end: Option<Instant>| Session { expires_at: end, ..fixture.new_session(number) };
    insert_sessions(
        harness,
        &[
            until(1, Some(after_start(100))),
            until(2, Some(after_start(101))),
            until(3, None),
            until(4, None),
            until(5, Some(after_start(50))),
        ],
    );
    run_write(harness, |tx| tx.revocations().end_session(session_id(4), EndReason::Logout, after_start(60)));
    let live = |wanted| SessionFilter { live: Some((wanted, after_start(100))), ..SessionFilter::default() };
    assert_eq!(listed_ids(harness, &live(true), None, 10), session_ids(&[3, 2]));
    assert_eq!(listed_ids(harness, &live(false), None, 10), session_ids(&[5, 4, 1]));
    // also in pages, starting behind a session that the filter excludes
    assert_eq!(
        [listed_ids(harness, &live(true), Some(3), 9), listed_ids(harness, &live(true), Some(4), 1)],
        [session_ids(&[2]), session_ids(&[3])]
    );
    assert_eq!(
        [listed_ids(harness, &live(false), Some(4), 9), listed_ids(harness, &live(false), Some(3), 9)],
        [session_ids(&[1]), session_ids(&[1])]
    );
    let annas = SessionFilter { user: Some(fixture.anna.id), ..live(false) };
    assert_eq!(listed_ids(harness, &annas, Some(5), 1), session_ids(&[4]));
}

/// Sessions are found by their ids, with the names of their users and devices.
pub fn sessions_are_found_by_id(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    insert_sessions(harness, &[fixture.new_session(1), fixture.new_session(2), fixture.new_till_session(3)]);
    let find = |numbers: &[u8]| {
        let ids = session_ids(numbers).into_iter().collect();
        let mut found = run_read(harness, |tx| tx.sessions().find_many(&ids));
        found.sort_by_key(|view| view.session.id);
        found
    };
    assert_eq!(find(&[]), []);
    let found = find(&[1, 3, 9]);
    assert_eq!(found.iter().map(|view| view.session.id).collect::<Vec<_>>(), session_ids(&[1, 3]));
    let listed = run_read(harness, |tx| tx.sessions().list(&SessionFilter::default(), SessionOrder::Oldest, None, 9));
    assert_eq!([&found[0], &found[1]], [&listed[0], &listed[2]], "as they are listed");
}

/// A filter finds sessions of a dialect and of a kind. Sessions are found by the store of their
/// device, of which there is none unless a device is in it.
pub fn sessions_are_found_by_their_origin(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let own = Session { kind: SessionKind::Device, user: None, ..fixture.new_till_session(2) };
    let portos = Session { dialect: DialectName::new("portos"), ..fixture.new_till_session(3) };
    insert_sessions(harness, &[fixture.new_session(1), own, portos]);
    let all = SessionFilter::default;
    for (filter, expected) in [
        (SessionFilter { dialect: Some(DialectName::new("portos")), ..all() }, session_ids(&[3])),
        (SessionFilter { dialect: Some(DialectName::new("none")), ..all() }, session_ids(&[])),
        (SessionFilter { dialect: Some(DialectName::new("por\0tos")), ..all() }, session_ids(&[])),
        (SessionFilter { kind: Some(SessionKind::Device), ..all() }, session_ids(&[2])),
        (SessionFilter { kind: Some(SessionKind::Person), ..all() }, session_ids(&[3, 1])),
        (SessionFilter { kind: Some(SessionKind::Permanent), ..all() }, session_ids(&[])),
        (SessionFilter { branch: Some(fixture.tenant.branches[0].id), ..all() }, session_ids(&[])),
    ] {
        assert_eq!(listed_ids(harness, &filter, None, 10), expected, "{filter:?}");
    }
}

/// Sessions are found by a text in the name or the display name of their user, or in the name of
/// their device, as names are compared; not by the user's e-mail address.
pub fn sessions_are_found_by_names(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let own = Session { kind: SessionKind::Device, user: None, ..fixture.new_till_session(2) };
    insert_sessions(harness, &[fixture.new_session(1), own, fixture.new_till_session(3)]);
    let found = |text: &str| {
        let filter = SessionFilter { text: Some(text.into()), ..SessionFilter::default() };
        listed_ids(harness, &filter, None, 10)
    };
    assert_eq!(found(&fixture.anna.name.as_str().to_uppercase()), session_ids(&[3, 1]));
    assert_eq!(found(&fixture.anna.display_name), session_ids(&[3, 1]));
    assert_eq!(found(&fixture.till.name.as_str().to_lowercase()), session_ids(&[3, 2]));
    let email = fixture.anna.email.as_ref().expect("Anna has an e-mail address");
    assert_eq!(found(email.as_str()), []);
    for nothing in ["%", "_", "nobody"] {
        assert_eq!(found(nothing), [], "{nothing}");
    }
}

/// Sessions are listed by creation in both directions, and by their newest use; a page starts
/// behind the position of a session, whether or not that session still has it.
pub fn sessions_are_listed_in_every_order(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let sessions: Vec<Session> =
        (1..=4).map(|number| Session { last_used_at: None, ..fixture.new_session(number) }).collect();
    insert_sessions(harness, &sessions);
    let used = |number, seconds| SessionUse { session: session_id(number), generation: 1, at: after_start(seconds) };
    run_write(harness, |tx| tx.sessions().record_uses(&[used(1, 300), used(3, 200), used(4, 300)]));
    for (order, expected) in [
        (SessionOrder::Newest, session_ids(&[4, 3, 2, 1])),
        (SessionOrder::Oldest, session_ids(&[1, 2, 3, 4])),
        (SessionOrder::LastUsed, session_ids(&[4, 1, 3, 2])),
    ] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = run_read(harness, |tx| tx.sessions().list(&SessionFilter::default(), order, after, 1));
            let Some(view) = page.first() else { break };
            after = Some(order.cursor(&view.session));
            seen.push(view.session.id);
        }
        assert_eq!(seen, expected, "{order:?}");
    }
    for (seconds, expected) in [(199, &[4, 3, 1][..]), (200, &[4, 3, 1]), (201, &[4, 1]), (301, &[])] {
        let filter = SessionFilter { used_since: Some(after_start(seconds)), ..SessionFilter::default() };
        assert_eq!(listed_ids(harness, &filter, None, 10), session_ids(expected), "used since {seconds}");
    }
    let gone = SessionCursor { key: after_start(250).millis(), id: session_id(9) };
    let page =
        run_read(harness, |tx| tx.sessions().list(&SessionFilter::default(), SessionOrder::LastUsed, Some(gone), 9));
    assert_eq!(page.iter().map(|view| view.session.id).collect::<Vec<_>>(), session_ids(&[3, 2]));
}

/// A list contains the session with all fields and the names of its user and device.
pub fn session_list_has_names(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    let own = Session { kind: SessionKind::Device, user: None, ..fixture.new_till_session(2) };
    insert_sessions(harness, &[fixture.new_session(1), own.clone()]);
    let list = run_read(harness, |tx| tx.sessions().list(&SessionFilter::default(), SessionOrder::Newest, None, 10));
    let expected = [
        SessionView {
            session: own,
            user_name: None,
            display_name: None,
            device_name: Some(fixture.till.name.clone()),
            environment: Some(fixture.till.environment),
        },
        SessionView {
            session: fixture.new_session(1),
            user_name: Some(fixture.anna.name.clone()),
            display_name: Some(fixture.anna.display_name.clone()),
            device_name: None,
            environment: None,
        },
    ];
    assert_eq!(list, expected);
}
