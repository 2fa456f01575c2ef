//! The use cases for tickets: who may own one, isolation of tenants, idempotency, and rejected
//! batches.

use std::sync::Arc;

use tillgate_domain::office::ports::{
    IdempotencyKey, OffsetPageRequest, ScopedIdempotencyKey, StoredResponse, TicketCursor, TicketFilter, TicketOrder,
};
use tillgate_domain::office::{
    self, FieldName, ItemInput, NewRefund, NewTicket, Office, OfficeError, OwnerRef, TicketAmendment, TicketChange,
    TicketClosing, TicketSearch, UnguardedOffice,
};
use tillgate_domain::ticket::{Note, PaymentMethod, Ticket, TicketError};
use tillgate_domain::{Action, EventId, StoreExt, Subject, TicketId, UserStatus};
use tillgate_test_store::TestStore;
use tillgate_testkit::{CallLog, Fixture, RecordingStore};

use crate::inputs::*;
use crate::staffed_fixture::*;
use crate::ticket_inputs::*;

#[test]
fn ticket_transfer_requires_a_present_user() {
    let shop = StaffedFixture::open();
    let elsewhere = office::add_tenant(shop.store(), &audit_context(), &new_tenant("elsewhere")).unwrap().unwrap().id;
    let stranger = shop.add_user(elsewhere, "stranger");
    let (away, gone, eva) = (
        shop.add_user(shop.tenant_id(), "away"),
        shop.add_user(shop.tenant_id(), "gone"),
        shop.add_user(shop.tenant_id(), "Eva"),
    );
    shop.set_user_status(away.id, UserStatus::Suspended);
    shop.set_user_status(gone.id, UserStatus::Deleted);
    let new = office::NewUser { status: UserStatus::Pending, ..new_user("new", &["cashier"]) };
    let new = shop.office().add_user(&new).unwrap().unwrap();
    let ticket = shop.open_ticket(tea_change("1")).ticket.id;
    let unknown = |value: String| Err(OfficeError::UnknownName { field: FieldName::Owner, value });
    for user in [&stranger, &away, &gone, &new] {
        for owner in [OwnerRef::Id(user.id), OwnerRef::Name(user.name.clone())] {
            let value = if matches!(owner, OwnerRef::Id(_)) { user.id.to_string() } else { user.name.to_string() };
            let change = owner_change(owner);
            assert_eq!(
                shop.amend_ticket(shop.tenant_id(), shop.seller_context(), ticket, &change),
                unknown(value.clone())
            );
            let opened = shop.office_as(shop.seller_context()).open_ticket(&new_ticket(change), None).unwrap();
            assert_eq!(opened.unwrap_err(), OfficeError::UnknownName { field: FieldName::Owner, value });
        }
    }
    let count = shop.store.audit_events().iter().filter(|event| event.action == Action::TicketUpdate).count();
    assert_eq!(count, 0);
    let given = shop
        .amend_ticket(shop.tenant_id(), shop.seller_context(), ticket, &owner_change(OwnerRef::Name(eva.name.clone())))
        .unwrap();
    assert_eq!(given.ticket.sheet.owner, eva.id);
    // a deleted user keeps the ticket, and a till that sends it back unchanged changes nothing
    shop.set_user_status(eva.id, UserStatus::Deleted);
    let other = shop.add_user(shop.tenant_id(), "eva");
    for owner in [OwnerRef::Id(eva.id), OwnerRef::Name(eva.name.clone())] {
        let kept = shop.amend_ticket(shop.tenant_id(), shop.seller_context(), ticket, &owner_change(owner)).unwrap();
        assert_eq!((kept.ticket.sheet.owner, kept.ticket.version), (eva.id, 2), "as it was");
    }
    let over = shop
        .amend_ticket(shop.tenant_id(), shop.seller_context(), ticket, &owner_change(OwnerRef::Id(other.id)))
        .unwrap();
    assert_eq!(over.ticket.sheet.owner, other.id);
}

#[test]
fn ticket_of_another_tenant_is_not_found() {
    let shop = StaffedFixture::open();
    let elsewhere = office::add_tenant(shop.store(), &audit_context(), &new_tenant("elsewhere")).unwrap().unwrap().id;
    let stranger = shop.add_user(elsewhere, "stranger").id;
    let till =
        Office::new(shop.store(), elsewhere, audit_context()).add_device(&new_device("P01")).unwrap().unwrap().id;
    let ticket = shop.open_ticket(tea_change("1")).ticket;
    let sold = shop.open_ticket(tea_change("1")).ticket.id;
    shop.close_ticket(sold, vec![pay(PaymentMethod::Card, "4")]).unwrap();
    let by = || context_at(stranger, till);
    let absent = |id: TicketId| OfficeError::NotFound { field: FieldName::Ticket, value: id.to_string() };
    assert_eq!(UnguardedOffice::new(shop.store(), elsewhere).find_ticket(ticket.id).unwrap(), None);
    assert_eq!(shop.amend_ticket(elsewhere, by(), ticket.id, &name_change("x")), Err(absent(ticket.id)));
    let closing = TicketClosing { assume_cash: true, ..TicketClosing::default() };
    let closed = Office::new(shop.store(), elsewhere, by()).close_ticket(ticket.id, None, &closing).unwrap();
    assert_eq!(closed, Err(absent(ticket.id)));
    let void = Office::new(shop.store(), elsewhere, by()).void_ticket(ticket.id, None, &Note::default()).unwrap();
    assert_eq!(void, Err(absent(ticket.id)));
    let back = NewRefund { id: TicketId::new(NOW, random_bytes()), items: None };
    let back = Office::new(shop.store(), elsewhere, by()).refund_ticket(sold, &back, None).unwrap();
    assert_eq!(back, Err(absent(sold)));
    let every = TicketFilter::default();
    assert_eq!(UnguardedOffice::new(shop.store(), elsewhere).count_tickets(&every).unwrap(), 0);
    let order = TicketOrder::default();
    // starts before the first ticket
    let part = OffsetPageRequest { after: Some(TicketCursor { key: i64::MIN, id: ticket.id }), skip: 0, limit: 9 };
    let search = TicketSearch { filter: every, order, page: part };
    assert!(UnguardedOffice::new(shop.store(), elsewhere).list_tickets(&search).unwrap().is_empty());
    // a ticket with the id of another tenant's ticket is a separate ticket, and the other one stays
    let same = NewTicket { id: ticket.id, ..new_ticket(tea_change("2")) };
    let (own, opened) = Office::new(shop.store(), elsewhere, by()).put_ticket(&same, None).unwrap().unwrap();
    assert!(opened && own.ticket.tenant == elsewhere);
    assert_eq!(shop.unguarded().find_ticket(ticket.id).unwrap().unwrap().ticket, ticket);
    // a device of another tenant cannot sell here
    let foreign = shop.amend_ticket(
        shop.tenant_id(),
        context_at(shop.fixture.user("manager").id, till),
        ticket.id,
        &name_change("x"),
    );
    assert_eq!(foreign, Err(OfficeError::Ticket(TicketError::SaleDeviceRequired)));
}

#[test]
fn put_reads_ticket_and_device_once() {
    let store = Arc::new(TestStore::new());
    let fixture = Fixture::demo(NOW).build();
    fixture.insert_into(&*store).unwrap();
    let new = new_ticket(tea_change("1"));
    // the second time, the ticket exists
    for opens in [true, false] {
        let calls = Arc::<CallLog>::default();
        let store = RecordingStore::new(store.clone(), Arc::clone(&calls));
        let context = context_at(fixture.user("manager").id, fixture.device("P01").id);
        let change = NewTicket { sheet: name_change("table 1"), ..new.clone() };
        let (_, opened) = Office::new(&store, fixture.tenant.id, context)
            .put_ticket(if opens { &new } else { &change }, None)
            .unwrap()
            .unwrap();
        assert_eq!(opened, opens);
        let calls = calls.to_text();
        let before_commit = calls.split("audit.record").next().unwrap();
        assert_eq!(before_commit.matches("tickets.find(").count(), 1, "{calls}");
        assert_eq!(before_commit.matches("devices.find(").count(), 1, "{calls}");
        assert!(calls.contains("a unit of work begins"), "{calls}");
    }
}

#[test]
fn refused_batch_changes_nothing_and_may_change_a_ticket_twice() {
    let shop = StaffedFixture::open();
    let [one, other] = [shop.open_ticket(tea_change("1")).ticket, shop.open_ticket(tea_change("2")).ticket];
    let sold = shop.open_ticket(tea_change("1")).ticket.id;
    shop.close_ticket(sold, vec![pay(PaymentMethod::Card, "4")]).unwrap();
    let batch = |changes: &[(TicketId, Option<i64>, TicketChange)]| {
        let amendment = |(id, version, change): &(TicketId, Option<i64>, TicketChange)| TicketAmendment {
            event_id: EventId::new(NOW, random_bytes()),
            id: *id,
            version: *version,
            change: change.clone(),
        };
        shop.office_as(shop.seller_context()).amend_tickets(&changes.iter().map(amendment).collect::<Vec<_>>()).unwrap()
    };
    let lines = shop.store.audit_events().len();
    let refused =
        batch(&[(one.id, None, name_change("a")), (other.id, None, tea_change("3")), (sold, None, name_change("c"))]);
    assert_eq!(refused, Err(OfficeError::Batch(vec![(2, OfficeError::Ticket(TicketError::Closed))])));
    let moved = batch(&[(one.id, Some(1), name_change("a")), (one.id, Some(1), name_change("b"))]);
    let mismatch = OfficeError::VersionMismatch { subject: Subject::Ticket(one.id), current: 2 };
    assert_eq!(moved, Err(OfficeError::Batch(vec![(1, mismatch)])));
    assert_eq!(shop.store.audit_events().len(), lines);
    for before in [&one, &other] {
        assert_eq!(shop.unguarded().find_ticket(before.id).unwrap().unwrap().ticket, *before);
    }
    let done = batch(&[
        (other.id, Some(1), name_change("x")),
        (one.id, Some(1), name_change("a")),
        (one.id, Some(2), tea_change("9")),
    ]);
    let done: Vec<_> = done.unwrap().into_iter().map(|shown| (shown.ticket.id, shown.ticket.version)).collect();
    assert_eq!(done, [(other.id, 2), (one.id, 2), (one.id, 3)], "in the order of the request");
    let kept = shop.unguarded().find_ticket(one.id).unwrap().unwrap().ticket;
    assert_eq!((kept.version, kept.sheet.name.as_str(), payable_text(&kept)), (3, "a", "36.00".into()));
    assert_eq!(shop.store.audit_events().len(), lines + 3);
}

#[test]
fn refused_batch_names_every_error_of_every_ticket() {
    let shop = StaffedFixture::open();
    let [one, other] = [shop.open_ticket(tea_change("1")).ticket, shop.open_ticket(tea_change("2")).ticket];
    let sold = shop.open_ticket(tea_change("1")).ticket.id;
    shop.close_ticket(sold, vec![pay(PaymentMethod::Card, "4")]).unwrap();
    let absent = TicketId::new(NOW, random_bytes());
    let batch = |context: &office::AuditContext, changes: &[(TicketId, Option<i64>, TicketChange)]| {
        let amendment = |(id, version, change): &(TicketId, Option<i64>, TicketChange)| TicketAmendment {
            event_id: EventId::new(NOW, random_bytes()),
            id: *id,
            version: *version,
            change: change.clone(),
        };
        shop.office_as(context.clone()).amend_tickets(&changes.iter().map(amendment).collect::<Vec<_>>()).unwrap()
    };
    let nobody = || owner_change(OwnerRef::Name("nobody".to_owned().try_into().unwrap()));
    let twice = TicketChange {
        items: Some(vec![ItemInput { id: Some(1), ..tea_line("1", "1") }; 2]),
        rounding: Some("7".parse().unwrap()),
        ..nobody()
    };
    let lines = shop.store.audit_events().len();
    let changes = [
        (one.id, Some(7), twice),
        (sold, None, nobody()),
        (other.id, None, name_change("a")),
        (absent, None, nobody()),
        (other.id, Some(9), nobody()),
        // its state after the first change is unknown, so only the fields are checked
        (one.id, Some(8), nobody()),
    ];
    let Err(OfficeError::Batch(errors)) = batch(&shop.seller_context(), &changes) else { panic!("not refused") };
    let codes: Vec<(usize, Vec<&str>)> = errors
        .iter()
        .map(|(index, error)| match error {
            OfficeError::Several(all) => (*index, all.iter().map(OfficeError::code).collect()),
            one => (*index, vec![one.code()]),
        })
        .collect();
    let expected = [
        (0, vec!["name_unknown", "ticket_invalid"]),
        (0, vec!["version_moved"]),
        (1, vec!["name_unknown"]),
        (1, vec!["ticket_closed"]),
        (3, vec!["not_found"]),
        (4, vec!["name_unknown"]),
        (4, vec!["version_moved"]),
        (5, vec!["name_unknown"]),
    ];
    assert_eq!(codes, expected);
    // a caller who may not make one of the changes learns nothing about the others
    let manager = shop.fixture.user("manager").id;
    let without_owner = context_at_with(manager, shop.fixture.device("P01").id, &["ticketUpdate", "ticketRename"]);
    let mut denied = changes.to_vec();
    denied.push((other.id, None, owner_change(OwnerRef::Id(shop.fixture.user("cashier").id))));
    denied.swap(2, 6);
    let denied = batch(&without_owner, &denied);
    assert!(matches!(denied, Err(OfficeError::RightMissing(_))), "{denied:?}");
    assert_eq!(shop.store.audit_events().len(), lines);
    for before in [&one, &other] {
        assert_eq!(shop.unguarded().find_ticket(before.id).unwrap().unwrap().ticket, *before);
    }
}

#[test]
fn idempotency_key_of_an_earlier_release_counts_for_its_day() {
    let shop = StaffedFixture::open();
    let sold = shop.open_ticket(tea_change("3")).ticket;
    shop.close_ticket(sold.id, vec![pay(PaymentMethod::Card, "12")]).unwrap();
    let kept = |key: IdempotencyKey, request: [u8; 32]| {
        let key = ScopedIdempotencyKey { tenant: shop.tenant_id(), user: shop.fixture.user("manager").id, key };
        let answered = StoredResponse { request_digest: request, ticket: sold.clone() };
        assert!(shop.store().write("test", |tx| tx.idempotency_keys().insert(&key, &answered, NOW)).unwrap());
    };
    // as an earlier release stored them: by a digest of the body's bytes, and one key within its
    // quotation marks
    kept(IdempotencyKey::parse("bare").unwrap(), [101; 32]);
    kept(IdempotencyKey::parse("quoted").unwrap().to_legacy_quoted().unwrap(), [101; 32]);
    for key in ["bare", "\"bare\"", "quoted", "\"quoted\""] {
        let again =
            shop.refund_ticket(&shop.seller_context(), sold.id, None, Some(&idempotent_request(key, 1))).unwrap();
        assert!(again.replayed && again.ticket.ticket.id == sold.id, "{key}");
        let other = shop.refund_ticket(&shop.seller_context(), sold.id, None, Some(&idempotent_request(key, 2)));
        assert_eq!(other.map(|made| made.replayed), Err(OfficeError::IdempotencyKeyReused), "{key}");
    }
}

#[test]
fn item_after_the_highest_id_gets_a_free_id() {
    let shop = StaffedFixture::open();
    let item = |id| ItemInput { id, ..tea_line("1", "1") };
    let sheet = |items: Vec<ItemInput>| TicketChange { items: Some(items), ..TicketChange::default() };
    let opened = shop.open_ticket(sheet(vec![item(Some(u32::MAX)), item(None), item(Some(2)), item(None)])).ticket;
    let ids = |ticket: &Ticket| ticket.sheet.items.iter().map(|item| item.id).collect::<Vec<_>>();
    assert_eq!(ids(&opened), [u32::MAX, 1, 2, 3]);
    // the id of a removed item is not reused while another id is free
    let fewer = sheet(vec![item(Some(u32::MAX)), item(None)]);
    assert_eq!(
        ids(&shop.amend_ticket(shop.tenant_id(), shop.seller_context(), opened.id, &fewer).unwrap().ticket),
        [u32::MAX, 4]
    );
}
