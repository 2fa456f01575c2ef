//! Traversals of lists whose items change between the pages, and the marks by which these find what
//! has changed.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use tillgate_auth_core::ports::{SessionCursor, SessionFilter, SessionOrder, SessionUse, SessionView};
use tillgate_domain::office::ports::{
    ChangeMark, MAX_CHANGES_SINCE_MARK, OffsetPageRequest, TicketCursor, TicketFilter, TicketOrder, TicketSortKey,
    UserFilter,
};
use tillgate_domain::office::{
    AuditContext, EventFilter, ItemInput, ListPart, Office, OfficeReader, TicketChange, TicketSearch, TicketView,
    Traversal, TraversalPhase, UnguardedOffice, UserChange, UserCursor, UserOrder, UserView, UserViewQuery,
};
use tillgate_domain::ticket::Draft;
use tillgate_domain::{
    Action, Actor, Authority, Device, Event, EventId, Instant, LiveEventKind, SessionId, Subject, TicketId, User,
    UserId, UserName,
};
use uuid::Uuid;

use super::tickets::{insert_ticket, new_ticket, tea_draft};
use crate::contract_fixture::{
    ContractFixture, after_start, insert_sessions, new_event, new_user, run_office_read, run_office_write, run_read,
    run_write, session_id, user_id,
};
use crate::rendezvous::{ThreadSignal, run_both};
use crate::ticket_samples::{self, ticket_id};
use crate::{Random, StoreHarness};

/// The number of items of a traversed list, and of a page.
const ITEMS: u8 = 12;
const LIMIT: u32 = 3;
/// The number of events that one unit of work records.
const EVENTS_PER_UNIT: u32 = 500;
/// The number of traversals in each order.
const ROUNDS: u64 = 8;

/// The ids of all items of a traversal, and of those among them that were read from the list
/// itself.
struct TraversalResult {
    all: BTreeSet<Uuid>,
    listed: BTreeSet<Uuid>,
}

/// Traverses a list, and runs `between` after each page.
fn traverse<T, C: Clone>(
    since: ChangeMark,
    mut read: impl FnMut(&ListPart<C>) -> Vec<T>,
    id: impl Fn(&T) -> Uuid,
    position: impl Fn(&T, bool) -> C,
    mut between: impl FnMut(),
) -> TraversalResult {
    let mut traversal = Traversal { phase: TraversalPhase::Listed { since }, after: None };
    let mut seen = TraversalResult { all: BTreeSet::new(), listed: BTreeSet::new() };
    loop {
        let mut listed = Vec::new();
        let read_part = |part: &ListPart<C>| {
            let found = read(part);
            if part.changed_since.is_none() {
                listed.extend(found.iter().take(LIMIT as usize).map(&id));
            }
            Ok::<_, Infallible>(found)
        };
        let page = traversal.read_page(LIMIT, <[T]>::len, read_part).unwrap();
        seen.all.extend(page.items().iter().map(&id));
        seen.listed.extend(listed);
        between();
        match page.next(&position) {
            Some(next) => traversal = next,
            None => return seen,
        }
    }
}

/// Checks that every item was read in each round, and that the pages of the list alone would have
/// lost some of them.
fn assert_complete(rounds: &[TraversalResult], expected: &BTreeSet<Uuid>, order: &str) {
    for seen in rounds {
        assert_eq!(&seen.all, expected, "{order}");
    }
    assert!(rounds.iter().any(|seen| seen.listed != *expected), "{order}: nothing moved before the position");
}

fn context(random: &mut Random, at: Instant, actor: Actor, authority: Authority) -> AuditContext {
    let bytes = std::array::from_fn(|_| u8::try_from(random.below(256)).unwrap());
    AuditContext { at, event_id: EventId::new(at, bytes), actor, authority, os_user: None }
}

fn find_mark(harness: &StoreHarness) -> ChangeMark {
    run_office_read(harness, |tx| tx.events().find_change_mark())
}

/// A list of users by name contains every user, however they are renamed between its pages.
pub fn users_renamed_between_pages_are_not_lost(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let ids: Vec<UserId> = (1..=ITEMS).map(|number| user_id(number + 20)).collect();
    for number in 1..=ITEMS {
        let user = new_user(number + 20, fixture.tenant.id, &format!("page {number}"), None);
        assert!(run_office_write(harness, |tx| tx.users().insert(&user)));
    }
    let expected: BTreeSet<Uuid> = ids.iter().map(|id| id.0).collect();
    let reader = OfficeReader::new(&*harness.office, fixture.tenant.id, after_start(0), Authority::Host);
    let mut random = Random::from_seed(1);
    for order in [UserOrder::Name, UserOrder::NameDescending] {
        let search = UserViewQuery {
            text: Some("page".into()),
            statuses: Vec::new(),
            role: None,
            branch: None,
            order,
            after: None,
            limit: LIMIT,
        };
        let rounds: Vec<TraversalResult> = (0..ROUNDS)
            .map(|_| {
                let rename = || {
                    for _ in 0..=random.below(3) {
                        let at = after_start(random.number_below(9));
                        let context = context(&mut random, at, Actor::default(), Authority::Host);
                        let name = UserName::parse(&format!("{} page", random.next_u64())).unwrap();
                        let change = UserChange { name: Some(name), ..UserChange::default() };
                        let office = Office::new(&*harness.office, fixture.tenant.id, context);
                        office.change_user(random.pick(&ids), None, &change).unwrap().unwrap();
                    }
                };
                traverse(
                    find_mark(harness),
                    |part: &ListPart<UserCursor>| {
                        let search = UserViewQuery { after: part.after.clone(), limit: part.limit, ..search.clone() };
                        let found = match part.changed_since {
                            None => reader.list_user_views(&search),
                            Some(since) => reader.list_changed_user_views(&search, since),
                        };
                        found.unwrap().unwrap()
                    },
                    |view: &UserView| view.user.id.0,
                    |view, is_changed| if is_changed { UserOrder::Oldest } else { order }.cursor(&view.user),
                    rename,
                )
            })
            .collect();
        assert_complete(&rounds, &expected, &format!("{order:?}"));
    }
}

/// A list of tickets by change or amount contains every ticket, however they change between its
/// pages.
pub fn tickets_changed_between_pages_are_not_lost(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let ids: Vec<TicketId> = (1..=ITEMS).map(ticket_id).collect();
    for number in 1..=ITEMS {
        assert!(insert_ticket(harness, &new_ticket(&fixture, number, tea_draft(&fixture, &number.to_string()))));
    }
    let expected: BTreeSet<Uuid> = ids.iter().map(|id| id.0).collect();
    let actor = Actor { user: Some(fixture.anna.id), device: Some(fixture.till.id), ..Actor::default() };
    let unguarded = UnguardedOffice::new(&*harness.office, fixture.tenant.id);
    let orders = [(TicketSortKey::Updated, true), (TicketSortKey::Payable, false), (TicketSortKey::Payable, true)];
    let (mut random, mut now) = (Random::from_seed(2), 100);
    for (sort_key, descending) in orders {
        let order = TicketOrder { sort_key, descending };
        let rounds: Vec<TraversalResult> = (0..ROUNDS)
            .map(|_| {
                let amend = || {
                    for _ in 0..=random.below(3) {
                        now += 1;
                        let context = context(&mut random, after_start(now), actor, Authority::Host);
                        let Draft { items, .. } = tea_draft(&fixture, &random.below(500).to_string());
                        let item = items.first().unwrap().draft().clone();
                        let items = vec![ItemInput { id: Some(1), item }];
                        let change = TicketChange { items: Some(items), ..TicketChange::default() };
                        let office = Office::new(&*harness.office, fixture.tenant.id, context);
                        office.amend_ticket(random.pick(&ids), None, &change).unwrap().unwrap();
                    }
                };
                traverse(
                    find_mark(harness),
                    |part: &ListPart<TicketCursor>| {
                        let page = OffsetPageRequest { after: part.after, skip: 0, limit: part.limit };
                        let search = TicketSearch { filter: TicketFilter::default(), order, page };
                        match part.changed_since {
                            None => unguarded.list_tickets(&search),
                            Some(since) => unguarded.list_changed_tickets_while(&search, since, |_| true),
                        }
                        .unwrap()
                    },
                    |view: &TicketView| view.ticket.id.0,
                    |view, is_changed| if is_changed { TicketSortKey::Id } else { sort_key }.cursor(&view.ticket),
                    amend,
                )
            })
            .collect();
        assert_complete(&rounds, &expected, &format!("{order:?}"));
    }
}

/// A list of sessions by the newest use contains every session, however they are used between its
/// pages.
pub fn sessions_used_between_pages_are_not_lost(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let ids: Vec<SessionId> = (1..=ITEMS).map(session_id).collect();
    insert_sessions(&harness.auth, &(1..=ITEMS).map(|number| fixture.new_session(number)).collect::<Vec<_>>());
    let expected: BTreeSet<Uuid> = ids.iter().map(|id| id.0).collect();
    let (mut random, mut now) = (Random::from_seed(3), 100);
    let rounds: Vec<TraversalResult> = (0..ROUNDS)
        .map(|_| {
            now += 60;
            let margin = Duration::from_secs(9);
            let since = ChangeMark(after_start(now).saturating_sub(margin).millis());
            let record = || {
                now += 1;
                let late = Duration::from_secs(random.number_below(9));
                let at = after_start(now).saturating_sub(late);
                let mut used: Vec<SessionId> = (0..=random.below(3)).map(|_| random.pick(&ids)).collect();
                used.sort_unstable();
                used.dedup();
                let uses: Vec<SessionUse> =
                    used.into_iter().map(|session| SessionUse { session, generation: 1, at }).collect();
                run_write(&harness.auth, |tx| tx.sessions().record_uses(&uses));
            };
            traverse(
                since,
                |part: &ListPart<SessionCursor>| {
                    let used_since = part.changed_since.map(|since| Instant::from_millis(since.0));
                    let order = if used_since.is_some() { SessionOrder::Oldest } else { SessionOrder::LastUsed };
                    let filter = SessionFilter { tenant: Some(fixture.tenant.id), used_since, ..Default::default() };
                    run_read(&harness.auth, |tx| tx.sessions().list(&filter, order, part.after, part.limit))
                },
                |view: &SessionView| view.session.id.0,
                |view, is_changed| {
                    if is_changed { SessionOrder::Oldest } else { SessionOrder::LastUsed }.cursor(&view.session)
                },
                record,
            )
        })
        .collect();
    assert_complete(&rounds, &expected, "LastUsed");
}

/// An event about this user, whose number is also its second.
fn user_event(number: u8, user: &User) -> Event {
    let subject = Subject::User(user.id);
    Event {
        action: Action::UserUpdate,
        subject,
        tenant: Some(user.tenant),
        ..new_event(number, after_start(u64::from(number)))
    }
}

fn list_changed(harness: &StoreHarness, since: ChangeMark, after: Option<Uuid>, limit: u32) -> Option<Vec<Uuid>> {
    let part = OffsetPageRequest { after: after.map(|id| UserCursor::from_id(UserId(id))), skip: 0, limit };
    let tenant = ContractFixture::build().tenant.id;
    let filter = UserFilter { changed_since: Some(since), ..UserFilter::default() };
    run_office_read(harness, |tx| {
        if !tx.events().knows_changes(tenant, LiveEventKind::User, since)? {
            return Ok(None);
        }
        let found = tx.users().search(tenant, &filter, UserOrder::Oldest, &part)?;
        Ok(Some(found.iter().map(|user| user.id.0).collect()))
    })
}

/// After a mark, each resource of the kind and the tenant that live events name is listed once, by
/// id, from behind `after`, at most `limit`.
pub fn changed_resources_are_listed_by_id(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let record = |event: &Event| run_write(&harness.auth, |tx| tx.audit().record(event));
    let since = find_mark(harness);
    assert_eq!(list_changed(harness, since, None, 9), Some(Vec::new()));
    for (number, user) in (2..).zip([&fixture.ben, &fixture.namesake, &fixture.anna, &fixture.ben]) {
        record(&user_event(number, user));
    }
    let (anna, ben) = (fixture.anna.id.0, fixture.ben.id.0);
    assert_eq!(list_changed(harness, since, None, 9), Some(vec![anna, ben]));
    assert_eq!(list_changed(harness, since, None, 1), Some(vec![anna]));
    assert_eq!(list_changed(harness, since, Some(anna), 9), Some(vec![ben]));
    assert_eq!(list_changed(harness, since, Some(ben), 9), Some(Vec::new()));
}

/// What has changed since a mark is filtered as the list itself is, whether or not the store still
/// knows what has changed.
pub fn changed_items_are_filtered_like_the_list(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let branch = Some(fixture.tenant.branches[0].id);
    let till = Device { branch, ..fixture.till.clone() };
    assert!(run_office_write(harness, |tx| tx.devices().update(&till)));
    let far = ticket_samples::open_ticket_on(&fixture, 2, tea_draft(&fixture, "2"), fixture.handheld.id);
    assert!(insert_ticket(harness, &new_ticket(&fixture, 1, tea_draft(&fixture, "1"))) && insert_ticket(harness, &far));
    let since = find_mark(harness);
    for (number, user) in (1..).zip([&fixture.ben, &fixture.deleted_user, &fixture.anna]) {
        run_write(&harness.auth, |tx| tx.audit().record(&user_event(number, user)));
    }
    for number in [1, 2] {
        let (action, subject) = (Action::TicketUpdate, Subject::Ticket(ticket_id(number)));
        let event = Event { action, subject, ..user_event(number + 10, &fixture.anna) };
        run_write(&harness.auth, |tx| tx.audit().record(&event));
    }
    let reader = OfficeReader::new(&*harness.office, fixture.tenant.id, after_start(0), Authority::Host);
    let unguarded = UnguardedOffice::new(&*harness.office, fixture.tenant.id);
    let all = UserViewQuery {
        text: None,
        statuses: Vec::new(),
        role: None,
        branch: None,
        order: UserOrder::NameDescending,
        after: None,
        limit: 9,
    };
    for since in [since, ChangeMark::UNKNOWN] {
        for (search, expected) in [
            (all.clone(), vec![fixture.anna.id, fixture.ben.id]),
            (UserViewQuery { branch, ..all.clone() }, vec![fixture.anna.id]),
            (UserViewQuery { text: Some("BEN".into()), ..all.clone() }, vec![fixture.ben.id]),
            (UserViewQuery { limit: 1, ..all.clone() }, vec![fixture.anna.id]),
        ] {
            let found = reader.list_changed_user_views(&search, since).unwrap().unwrap();
            assert_eq!(found.iter().map(|view| view.user.id).collect::<Vec<_>>(), expected, "{since:?} {search:?}");
        }
        for (branch, expected) in [(None, vec![ticket_id(1), ticket_id(2)]), (branch, vec![ticket_id(1)])] {
            let order = TicketOrder { sort_key: TicketSortKey::Payable, descending: true };
            let filter = TicketFilter { branch, ..TicketFilter::default() };
            let search = TicketSearch { filter, order, page: OffsetPageRequest::first(9) };
            let found = unguarded.list_changed_tickets_while(&search, since, |_| true).unwrap();
            assert_eq!(found.iter().map(|view| view.ticket.id).collect::<Vec<_>>(), expected, "{since:?} {branch:?}");
        }
    }
}

/// Nothing is known of the changes after a mark that is beyond the end or unknown, or after which
/// events were removed.
pub fn changes_after_a_lost_mark_are_unknown(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let record = |event: &Event| run_write(&harness.auth, |tx| tx.audit().record(event));
    record(&user_event(1, &fixture.anna));
    let since = find_mark(harness);
    for lost in [ChangeMark::UNKNOWN, ChangeMark(since.0 + 1_000_000_000), ChangeMark(i64::MAX)] {
        assert_eq!(list_changed(harness, lost, None, 9), None, "{lost:?}");
    }
    record(&user_event(2, &fixture.anna));
    assert_eq!(list_changed(harness, since, None, 9), Some(vec![fixture.anna.id.0]));
    run_write(&harness.auth, |tx| tx.live_events().sweep(after_start(99), 99));
    assert_eq!(list_changed(harness, since, None, 9), None, "its events were removed");
}

/// Of a mark that is followed by many changes, the store counts no more than that there are many:
/// all items count as changed then.
pub fn many_changes_after_a_mark_are_unknown(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let since = find_mark(harness);
    let record = |count: u32, user: &User| {
        let mut random = Random::from_seed(u64::from(count));
        for _ in 0..count.div_ceil(EVENTS_PER_UNIT) {
            run_write(&harness.auth, |tx| {
                for _ in 0..count.min(EVENTS_PER_UNIT) {
                    let id = EventId::new(after_start(1), std::array::from_fn(|_| random.next_u64().to_be_bytes()[0]));
                    tx.audit().record(&Event { id, ..user_event(1, user) })?;
                }
                Ok(())
            });
        }
    };
    record(MAX_CHANGES_SINCE_MARK, &fixture.ben);
    record(EVENTS_PER_UNIT, &fixture.namesake);
    assert_eq!(list_changed(harness, since, None, 9), Some(vec![fixture.ben.id.0]));
    let later = find_mark(harness);
    record(1, &fixture.ben);
    assert_eq!(list_changed(harness, since, None, 9), None);
    assert_eq!(list_changed(harness, later, None, 9), Some(vec![fixture.ben.id.0]));
    let reader = OfficeReader::new(&*harness.office, fixture.tenant.id, after_start(0), Authority::Host);
    let search = UserViewQuery {
        text: None,
        statuses: Vec::new(),
        role: None,
        branch: None,
        order: UserOrder::Name,
        after: None,
        limit: 9,
    };
    let all = reader.list_changed_user_views(&search, since).unwrap().unwrap();
    assert_eq!(all.iter().map(|view| view.user.id).collect::<Vec<_>>(), [fixture.anna.id, fixture.ben.id]);
}

/// A change of a unit of work that is open at the mark is after the mark.
pub fn change_that_commits_after_the_mark_is_listed(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (written, marked) = (ThreadSignal::default(), ThreadSignal::default());
    let ((), (since, is_seen)) = run_both(
        || {
            run_write(&harness.auth, |tx| {
                tx.audit().record(&user_event(1, &fixture.anna))?;
                written.set();
                marked.wait_briefly();
                Ok(())
            });
        },
        || {
            written.wait();
            // a store that serializes units of work shows the change already
            let found = run_office_read(harness, |tx| {
                Ok((tx.events().find_change_mark()?, tx.events().count(&EventFilter::default())? > 0))
            });
            marked.set();
            found
        },
    );
    let changed = list_changed(harness, since, None, 9).unwrap();
    assert!(is_seen || changed == [fixture.anna.id.0], "{changed:?}");
}
