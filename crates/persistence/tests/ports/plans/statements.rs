//! Calls of every method of every port, and every form of the lists, whose statements the
//! neighboring tests explain. This module knows no database.

use tillgate_auth_core::ports::{
    Bucket, CountKey, CredentialKind, FeedCursor, FirstUse, KeyKind, KeyState, Node, NodeAcknowledgment, SessionFilter,
    SessionOrder, SessionUse, SignatureDigest, StoredKey, TokenDisposition,
};
use tillgate_domain::audit::seal::Seal;
use tillgate_domain::office::OfficeTx;
use tillgate_domain::office::ports::{
    ApiKeyFilter, ChangeMark, DeviceFilter, EmailVerification, EventFilter, IdempotencyKey, Invitation, MailKind,
    OffsetPageRequest, PageRequest, QueuedMail, Reset, ResetRequest, RoleHolderFilter, ScopedIdempotencyKey,
    StoredResponse, TicketFilter, TicketOrder, TicketSortKey, TillCountSpan, UserFilter, UserOrder,
};
use tillgate_domain::ticket::{Label, NumberSeries, TicketStatus};
use tillgate_domain::{
    Action, ApiKey, ApiKeyId, EndReason, Enrollment, EnrollmentCompletion, Epoch, EventOutcome, FoldedText, KeyId,
    LiveEventKind, NodeId, PrincipalId, ResetId, Scope, Secret, StoreResult, StoredPin, SubjectKind, User,
};
use tillgate_testkit::records::{new_device_key, new_pending_key};

use super::sample_rotation;
use crate::test_database::{StoreFixture, TestDatabase, at, uuid};
use crate::tickets::{close_ticket, open_ticket};

/// Calls every method of every port at least once.
#[expect(clippy::too_many_lines, reason = "a list")]
pub(super) fn call_every_method(fresh: &TestDatabase, fixture: &StoreFixture) {
    let principal = PrincipalId::User(fixture.anna.id);
    let kind = CredentialKind::Password;
    let count = CountKey([1; 32]);
    fresh.write_office(|tx| tx.passwords().set(principal, &Secret::new("hash".into()), at(0)));
    fresh.write(|tx| {
        tx.users().claim(fixture.anna.id, Epoch(0), at(1))?;
        tx.users().clear_password_change_required(fixture.anna.id, at(1))?;
        tx.users().list_operators(fixture.till.id, 100)?;
        tx.devices().claim(fixture.till.id, Epoch(0), at(1))?;
        tx.credentials().claim(principal, kind, 1, None, at(1))?;
        tx.credentials().replace(principal, kind, 7, &Secret::new("other".into()), at(1))?;
        tx.credentials().claim(principal, kind, 1, Some(&Secret::new("other".into())), at(1))?;
        let pin = StoredPin { verifier: Secret::new("pin".into()), key: KeyId(uuid(50)), due: true };
        tx.pins().set(fixture.anna.id, &pin, at(1))?;
        tx.pins().claim(fixture.anna.id, &pin.verifier, Some(&pin), at(1))?;
        tx.pins().claim_key(pin.key)?;
        tx.pins().remove(fixture.anna.id)?;
        tx.pins().set(fixture.anna.id, &pin, at(1))?;
        tx.devices().seat(fixture.till.id, None, Some(fixture.new_session(1).id))?;
        tx.devices().seat(fixture.till.id, Some(fixture.new_session(1).id), None)?;
        tx.devices().pair(fixture.till.id, None, Some(fixture.new_session(1).id))?;
        tx.devices().pair(fixture.till.id, Some(fixture.new_session(1).id), None)?;
        (1..=4).try_for_each(|number| tx.sessions().insert(&fixture.new_session(number)))?;
        tx.sessions().rotate(fixture.new_session(1).id, 1, &sample_rotation())?;
        tx.sessions().extend(fixture.new_session(1).id, 2, Some(at(99)), None)?;
        let first = FirstUse { generation: 2, at: at(2) };
        tx.sessions().record_first_use(fixture.new_session(1).id, first)?;
        tx.sessions().remove_first_uses(fixture.new_session(1).id, 2)?;
        let uses: Vec<SessionUse> = (1..=4)
            .map(|number| SessionUse { session: fixture.new_session(number).id, generation: 1, at: at(3) })
            .collect();
        tx.sessions().record_uses(&uses)?;
        let taken = Bucket { full_at: at(60), open_attempts: 1, ..Bucket::default() };
        tx.attempts().take_token(count, Some(uuid(40)), &Bucket::default(), &taken, at(4))?;
        tx.attempts().take_token(count, Some(uuid(40)), &taken, &Bucket { open_attempts: 2, ..taken }, at(4))?;
        tx.attempts().settle(count, TokenDisposition::Spent, at(5))?;
        tx.attempts().block(count, at(90))?;
        tx.attempts().record_guess(count, &CountKey([3; 32]), at(0), at(5))?;
        tx.known_networks().record_success(uuid(40), &count, at(5))?;
        tx.known_networks().trim(uuid(40), 4)?;
        tx.api_keys().revoke(&sample_api_key(fixture))?;
        tx.api_keys().record_uses(&[(sample_api_key(fixture).id, at(60))])?;
        tx.signatures().insert_if_new(&SignatureDigest([1; 32]), at(5))?;
        let key = StoredKey {
            id: KeyId(uuid(50)),
            kind: KeyKind::Refresh,
            algorithm: "HS256".into(),
            state: KeyState::Next,
            wrapped_secret: vec![1],
            public: None,
            created_at: at(0),
            state_since: at(0),
        };
        tx.keys().insert(&key)?;
        tx.keys().change_state(key.id, KeyState::Next, KeyState::Current, at(1))?;
        tx.keys().change_state(key.id, KeyState::Current, KeyState::Kept, at(1))?;
        let completion = EnrollmentCompletion { at: at(1), thumbprint: [8; 32], session: fixture.new_session(1).id };
        tx.enrollments().complete(&[9; 32], &completion)?;
        tx.device_keys().insert(&new_device_key(fixture.tenant.id, fixture.till.id, 8, at(1)))?;
        tx.device_keys().retire(fixture.tenant.id, &[8; 32], at(9))?;
        tx.device_keys().record_use(fixture.tenant.id, &[8; 32], at(9), at(1))?;
        tx.pending_keys().insert(&new_pending_key(fixture.tenant.id, 7, at(1), at(9)))?;
        tx.pending_keys().renew(&[7; 32], &[9; 32], at(9))?;
        tx.pending_keys().record_poll(&[9; 32], at(2))?;
        tx.pending_keys().extend(&[9; 32], at(9))?;
        tx.nodes().upsert(&Node { id: NodeId(uuid(1)), applied: FeedCursor(0), seen_at: at(1), clock: None })?;
        let (name, applied_at) = (String::new(), Some(at(1)));
        tx.nodes().record_acknowledgment(&NodeAcknowledgment {
            id: NodeId(uuid(1)),
            name,
            applied: FeedCursor(0),
            applied_at,
        })?;
        tx.audit().record(&crate::store::test_event(7))
    });
    // in a unit of work that writes: it runs on this thread, where its statements are recorded
    fresh.write(|tx| {
        tx.sessions().find(fixture.new_session(1).id)?;
        tx.sessions().list_first_uses(fixture.new_session(1).id)?;
        tx.sessions().list_live_dialects(at(1))?;
        let of = SessionFilter { tenant: Some(fixture.tenant.id), ..SessionFilter::default() };
        for filter in [
            of.clone(),
            SessionFilter { live: Some((true, at(9))), ..of.clone() },
            SessionFilter { live: Some((false, at(9))), ..of.clone() },
            SessionFilter { user: Some(fixture.anna.id), ..SessionFilter::default() },
            SessionFilter { user: Some(fixture.anna.id), ..of.clone() },
            SessionFilter { device: Some(fixture.till.id), ..SessionFilter::default() },
            SessionFilter { device: Some(fixture.till.id), ..of.clone() },
            SessionFilter { id: Some(fixture.new_session(1).id), ..of.clone() },
            SessionFilter { branch: Some(fixture.tenant.branches[0].id), ..of.clone() },
            SessionFilter { dialect: Some(fixture.new_session(1).dialect), ..of.clone() },
            SessionFilter { kind: Some(fixture.new_session(1).kind), ..of.clone() },
            SessionFilter { used_since: Some(at(3)), ..of.clone() },
            SessionFilter { text: Some("anna".into()), ..of.clone() },
        ] {
            for order in [SessionOrder::Newest, SessionOrder::Oldest, SessionOrder::LastUsed] {
                tx.sessions().list(&filter, order, None, 9)?;
                tx.sessions().list(&filter, order, Some(order.cursor(&fixture.new_session(3))), 9)?;
            }
        }
        for branch in [None, Some(fixture.tenant.branches[0].id)] {
            tx.attempts().find_depleted(fixture.tenant.id, branch, at(1), 9)?;
        }
        tx.sessions().find_many(&[fixture.new_session(1).id, fixture.new_session(3).id].into())?;
        tx.sessions().uses_key(KeyId(uuid(50)), at(1))?;
        tx.sessions().ids_by_key(KeyId(uuid(50)), at(1), 9)?;
        tx.credentials().find(principal, kind)?;
        tx.pins().find(fixture.anna.id)?;
        tx.pins().uses_key(KeyId(uuid(50)))?;
        tx.tenants().find(fixture.tenant.id)?;
        tx.tenants().find_by_slug(&fixture.tenant.slug)?;
        tx.users().find(fixture.anna.id)?;
        tx.users().find_by_name(fixture.tenant.id, &FoldedText::of("anna"))?;
        tx.users().find_by_email(&FoldedText::of("anna@example.com"))?;
        tx.devices().find(fixture.till.id)?;
        tx.devices().find_by_name(fixture.tenant.id, &FoldedText::of("p01"))?;
        tx.roles().find_many(fixture.tenant.id, &[fixture.role.id])?;
        tx.attempts().find_buckets(&[count, CountKey([2; 32])])?;
        tx.attempts().count_guesses(count, at(0))?;
        tx.known_networks().find(uuid(40), &count)?;
        tx.keys().list()?;
        tx.enrollments().find(&[9; 32])?;
        tx.device_keys().find(fixture.tenant.id, &[8; 32])?;
        tx.device_keys().find_current(fixture.till.id)?;
        tx.pending_keys().find_by_code(&[7; 32])?;
        tx.pending_keys().find_by_device_code(&[8; 32])?;
        tx.pending_keys().count_live(None, at(1))?;
        tx.pending_keys().count_live(Some(fixture.tenant.id), at(1))?;
        tx.api_keys().find_by_client_id("client")?;
        tx.api_keys().list_active_by_user(fixture.tenant.id, fixture.anna.id)?;
        let look = tx.feed().poll(None)?;
        tx.feed().poll(Some(&look.next))?;
        let live = tx.live_events().poll(None, None, 9)?;
        tx.live_events().poll(Some(&live.next), None, 9)?;
        tx.live_events().poll(Some(&live.next), Some(fixture.tenant.id), 9)?;
        tx.feed().find_end()?;
        tx.nodes().list_live(at(0))?;
        tx.nodes().list_acknowledgments(at(0))?;
        tx.nodes().find_origin(uuid(1))?;
        tx.instances().find()?;
        tx.instances().newest_instant()
    });
    fresh.write_office(|tx| {
        let other = User { id: tillgate_domain::UserId(uuid(41)), ..fixture.anna.clone() };
        tx.users().insert(&User { name: "Ben".to_owned().try_into().unwrap(), email: None, ..other })?;
        tx.users().update(&fixture.anna)?;
        tx.users().list(fixture.tenant.id, &PageRequest { after: None, limit: 9 })?;
        let admins = [fixture.role.id];
        let holders = RoleHolderFilter {
            roles: &admins,
            except_user: Some(fixture.anna.id),
            except_device: Some(fixture.till.id),
        };
        tx.users().count_holders(fixture.tenant.id, &holders)?;
        tx.users().find_roles_on_device(fixture.till.id)?;
        tx.users().remove_device(fixture.till.id)?;
        tx.users().set_password_change_required(fixture.anna.id, true, at(8))?;
        tx.roles().find(fixture.role.id)?;
        tx.roles().update(&fixture.role)?;
        tx.roles().find_holders(fixture.role.id, 5)?;
        tx.roles().find_holder_scopes(fixture.role.id, 5)?;
        let free = tillgate_domain::Role {
            id: tillgate_domain::RoleId(uuid(99)),
            name: "free".to_owned().try_into().unwrap(),
            ..fixture.role.clone()
        };
        tx.roles().insert(&free)?;
        assert!(tx.roles().remove(free.id, 1)?);
        for filter in [
            DeviceFilter::default(),
            DeviceFilter { statuses: vec![fixture.till.status], ..DeviceFilter::default() },
            DeviceFilter { environment: Some(fixture.till.environment), ..DeviceFilter::default() },
            DeviceFilter { branch: Some(fixture.tenant.branches[0].id), ..DeviceFilter::default() },
            DeviceFilter {
                statuses: vec![fixture.till.status],
                environment: Some(fixture.till.environment),
                branch: Some(fixture.tenant.branches[0].id),
                text: Some("p".into()),
            },
        ] {
            tx.devices().search(fixture.tenant.id, &filter, &PageRequest { after: None, limit: 9 })?;
        }
        tx.users().any_exists()?;
        tx.devices().find_many(&[fixture.till.id].into())?;
        let any = UserFilter::default();
        for filter in [
            any.clone(),
            UserFilter { statuses: vec![fixture.anna.status], ..any.clone() },
            UserFilter { with_role: Some(fixture.role.id), ..any.clone() },
            UserFilter { assigned_role: Some(fixture.role.id), ..any.clone() },
            UserFilter { without_roles: vec![fixture.role.id], ..any.clone() },
            UserFilter { branch: Some(fixture.tenant.branches[0].id), ..any.clone() },
            UserFilter {
                statuses: vec![fixture.anna.status],
                assigned_role: Some(fixture.role.id),
                with_role: Some(fixture.role.id),
                without_roles: vec![fixture.role.id],
                branch: Some(fixture.tenant.branches[0].id),
                text: Some("a".into()),
                changed_since: None,
            },
        ] {
            for order in [UserOrder::Oldest, UserOrder::Newest, UserOrder::Name, UserOrder::NameDescending] {
                for after in [None, Some(order.cursor(&fixture.anna))] {
                    let part = OffsetPageRequest { after, skip: 9, limit: 9 };
                    tx.users().search(fixture.tenant.id, &filter, order, &part)?;
                }
            }
            tx.users().count(fixture.tenant.id, &filter)?;
        }
        let of = EventFilter { tenant: Some(fixture.tenant.id), ..EventFilter::default() };
        for filter in [
            of.clone(),
            EventFilter { text: Some("a".into()), ..of.clone() },
            EventFilter { from: Some(at(0)), until: Some(at(9)), ..of.clone() },
            EventFilter { user: Some(fixture.anna.id), ..of.clone() },
            EventFilter { session: Some(fixture.new_session(1).id), ..of.clone() },
            EventFilter { subject_id: Some(fixture.anna.id.0), subject_kind: Some(SubjectKind::User), ..of.clone() },
            EventFilter { subject_kind: Some(SubjectKind::User), ..of.clone() },
            EventFilter { outcome: Some(EventOutcome::Refused), ..of.clone() },
            EventFilter { outcome: Some(EventOutcome::Done), ..of.clone() },
            EventFilter { id: Some(crate::store::test_event(7).id), ..of.clone() },
            EventFilter { device: Some(fixture.till.id), ..of.clone() },
            EventFilter { branch: Some(fixture.tenant.branches[0].id), ..of.clone() },
            EventFilter { actions: vec![Action::Login], ..of.clone() },
            EventFilter { actions: vec![Action::Login, Action::Logout], ..of.clone() },
            EventFilter { actions: vec![Action::Login, Action::Logout], ..EventFilter::default() },
            EventFilter { actions: vec![Action::StoreRollback], ..EventFilter::default() },
            EventFilter { actions: vec![Action::StoreRollback], from: Some(at(0)), ..EventFilter::default() },
        ] {
            tx.events()
                .list(&filter, &OffsetPageRequest { after: Some(crate::store::test_event(9).id), skip: 9, limit: 9 })?;
            tx.events().list(&filter, &OffsetPageRequest::first(9))?;
            tx.events().count(&filter)?;
        }
        let since = tx.events().find_change_mark()?;
        for kind in [LiveEventKind::User, LiveEventKind::Ticket] {
            tx.events().knows_changes(fixture.tenant.id, kind, since)?;
        }
        let changed = UserFilter { changed_since: Some(since), ..any };
        for after in [None, Some(UserOrder::Oldest.cursor(&fixture.anna))] {
            let part = OffsetPageRequest { after, skip: 0, limit: 9 };
            tx.users().search(fixture.tenant.id, &changed, UserOrder::Oldest, &part)?;
        }
        tx.devices().update(&fixture.till)?;
        let span = TillCountSpan { now: at(9), idle_since: at(8) };
        for branch in [None, Some(fixture.tenant.branches[0].id)] {
            tx.devices().count_tills(fixture.tenant.id, branch, &span)?;
            tx.events().count_refused(fixture.tenant.id, branch, at(0), 9)?;
        }
        tx.devices().count_in_branch(fixture.tenant.branches[0].id)?;
        tx.devices().list(fixture.tenant.id, &PageRequest { after: None, limit: 9 })?;
        tx.roles().find_by_name(fixture.tenant.id, &fixture.role.name)?;
        tx.roles().list(fixture.tenant.id)?;
        tx.tenants().claim(fixture.tenant.id)?;
        tx.tenants().update(&fixture.tenant)?;
        tx.tenants().list(&PageRequest { after: None, limit: 9 })?;
        let key = sample_api_key(fixture);
        tx.api_keys().insert(&key, &[1])?;
        tx.api_keys().find(key.id)?;
        tx.api_keys().update(&key)?;
        tx.api_keys().list(fixture.tenant.id, &ApiKeyFilter::default(), &PageRequest { after: None, limit: 9 })?;
        let (user, device) = (Some(key.user), Some(key.device));
        let filter = ApiKeyFilter { user, device, active: Some(true) };
        tx.api_keys().list(fixture.tenant.id, &filter, &PageRequest { after: None, limit: 9 })?;
        tx.api_keys().rotate(&key, &[2])?;
        tx.api_keys().remove(key.id, 2)?;
        call_tickets(tx, fixture)?;
        call_resets(tx, fixture)?;
        call_invitations(tx, fixture)?;
        call_enrollments(tx, fixture)?;
        call_email_verifications(tx, fixture)?;
        call_seals(tx)?;
        let device = tillgate_domain::Device {
            id: tillgate_domain::DeviceId(uuid(31)),
            name: tillgate_domain::DeviceName::parse("P09").unwrap(),
            ..fixture.till.clone()
        };
        tx.devices().insert(&device)?;
        let tenant = tillgate_domain::Tenant {
            id: tillgate_domain::TenantId(uuid(12)),
            slug: tillgate_domain::Slug::parse("market").unwrap(),
            branches: Vec::new(),
            ..fixture.tenant.clone()
        };
        tx.tenants().insert(&tenant)?;
        let pin = StoredPin { verifier: Secret::new("pin".into()), key: KeyId(uuid(50)), due: true };
        tx.pins().claim_key(pin.key)?;
        tx.pins().set(fixture.anna.id, &pin, at(1))?;
        tx.pins().remove(fixture.anna.id)?;
        tx.passwords().has(principal)?;
        tx.passwords().find_users_with_password(&[fixture.anna.id].into())?;
        tx.passwords().remove(PrincipalId::Device(fixture.till.id))?;
        tx.passwords().clear_failed_logins(principal)
    });
    fresh.write(|tx| {
        tx.revocations().end_session(fixture.new_session(1).id, EndReason::Logout, at(9))?;
        for scope in [Scope::User(fixture.anna.id), Scope::Device(fixture.till.id), Scope::Tenant(fixture.tenant.id)] {
            tx.revocations().bump_epoch(scope, EndReason::Admin, at(9))?;
            tx.revocations().end_permanent(scope, EndReason::Admin, at(9))?;
        }
        tx.sessions().sweep(at(10), 9)?;
        tx.attempts().clear_failed_logins(uuid(40))?;
        tx.attempts().refill(CountKey([2; 32]))?;
        tx.attempts().sweep(at(10), 9)?;
        tx.attempts().sweep_guesses(at(10), 9)?;
        tx.known_networks().sweep(at(10), 9)?;
        tx.signatures().sweep(at(10), 9)?;
        tx.feed().sweep(at(10), 9)?;
        tx.live_events().sweep(at(10), 9)?;
        tx.keys().remove(KeyId(uuid(50)))?;
        tx.nodes().mark_left(NodeId(uuid(1)), at(400))?;
        tx.nodes().sweep(at(10))
    });
}

/// Calls every method of the ports of tickets, and every form of their lists.
fn call_tickets(tx: &mut (dyn OfficeTx + '_), fixture: &StoreFixture) -> StoreResult<()> {
    let (tenant, ticket) = (fixture.tenant.id, open_ticket(fixture, 1));
    tx.tickets().insert(&ticket)?;
    let key = IdempotencyKey::parse("key").unwrap();
    let key = ScopedIdempotencyKey { tenant, user: fixture.anna.id, key };
    tx.idempotency_keys().insert(&key, &StoredResponse { request_digest: [1; 32], ticket: ticket.clone() }, at(1))?;
    tx.idempotency_keys().find(&key)?;
    tx.idempotency_keys().sweep(at(10), 9)?;
    tx.tickets().update(&close_ticket(&ticket, fixture))?;
    tx.tickets().find(tenant, ticket.id)?;
    tx.tickets().claim(tenant, ticket.id)?;
    tx.tickets().list_refunds(tenant, ticket.id)?;
    let series = NumberSeries::of(fixture.till.id, &Label::default());
    tx.tickets().assign_number(tenant, &series, 1, ticket.id)?;
    tx.tickets().allocate_number(tenant, &series, ticket.id)?;
    let (open, closed) = (TicketStatus::Open, TicketStatus::Closed);
    for filter in [
        TicketFilter::default(),
        TicketFilter { statuses: vec![open], ..TicketFilter::default() },
        TicketFilter { statuses: vec![open, closed], ..TicketFilter::default() },
        TicketFilter { owner: Some(fixture.anna.id), ..TicketFilter::default() },
        TicketFilter { device: Some(fixture.till.id), ..TicketFilter::default() },
        TicketFilter { branch: Some(fixture.tenant.branches[0].id), ..TicketFilter::default() },
        TicketFilter { refund_of: Some(ticket.id), ..TicketFilter::default() },
        TicketFilter { is_refund: Some(true), ..TicketFilter::default() },
        TicketFilter { from: Some(at(0)), ..TicketFilter::default() },
        TicketFilter { from: Some(at(0)), until: Some(at(9)), ..TicketFilter::default() },
        TicketFilter { text: Some("a".into()), ..TicketFilter::default() },
    ] {
        for by in [TicketSortKey::Opened, TicketSortKey::Updated, TicketSortKey::Payable] {
            for backwards in [false, true] {
                let order = TicketOrder { sort_key: by, descending: backwards };
                tx.tickets().list(tenant, &filter, order, &OffsetPageRequest::first(9))?;
                tx.tickets().list(
                    tenant,
                    &filter,
                    order,
                    &OffsetPageRequest { after: Some(by.cursor(&ticket)), skip: 0, limit: 9 },
                )?;
            }
        }
        tx.tickets().count(tenant, &filter)?;
    }
    let by_id = TicketOrder { sort_key: TicketSortKey::Id, descending: false };
    for after in [None, Some(TicketSortKey::Id.cursor(&ticket))] {
        let page = OffsetPageRequest { after, skip: 0, limit: 9 };
        tx.tickets().list(tenant, &TicketFilter::default(), by_id, &page)?;
        let changed = TicketFilter { changed_since: Some(ChangeMark(0)), ..TicketFilter::default() };
        tx.tickets().list(tenant, &changed, by_id, &page)?;
    }
    let numbered = TicketFilter { number: Some(1), ..TicketFilter::default() };
    tx.tickets().list(tenant, &numbered, TicketOrder::default(), &OffsetPageRequest::first(9))?;
    Ok(())
}

/// Calls every method of the port of password resets.
fn call_resets(tx: &mut (dyn OfficeTx + '_), fixture: &StoreFixture) -> StoreResult<()> {
    let email = fixture.anna.email.clone().unwrap();
    let request = ResetRequest {
        id: ResetId(uuid(70)),
        email: email.clone(),
        tenant: Some(fixture.tenant.id),
        address: None,
        requested_at: at(0),
        due_at: at(1),
        tries: 0,
    };
    tx.resets().insert_request(&request)?;
    tx.resets().list_due(at(9), 9)?;
    tx.resets().claim(request.id, at(1), at(2))?;
    tx.resets().postpone(request.id, at(2), at(3))?;
    let (digest, user) = ([7; 32], fixture.anna.id);
    let reset = Reset { digest, request: request.id, user, email, granted_at: at(1), expires_at: at(9) };
    tx.resets().insert_reset(&reset)?;
    tx.resets().find(&digest)?;
    tx.resets().find_newest_grant(user, ResetId(uuid(71)))?;
    tx.resets().consume(&digest)?;
    tx.resets().revoke_by_user(user)?;
    tx.resets().sweep(at(99), 9)?;
    tx.resets().remove_request(request.id)?;
    tx.resets().remove_requests(&[request.id, ResetId(uuid(71))])?;
    let emails = [FoldedText::of("anna@example.com"), FoldedText::of("ben@example.com")];
    tx.users().find_many_by_email(&emails.into()).map(drop)
}

/// Calls every method of the ports of enrollments and of keys of devices.
fn call_enrollments(tx: &mut (dyn OfficeTx + '_), fixture: &StoreFixture) -> StoreResult<()> {
    tx.enrollments().insert_or_replace(&Enrollment {
        device: fixture.till.id,
        tenant: fixture.tenant.id,
        digest: [9; 32],
        replaces_key: false,
        confirms: false,
        started_by: None,
        started_with: None,
        created_at: at(1),
        expires_at: at(9),
        completion: None,
    })?;
    tx.enrollments().find_by_device(fixture.till.id)?;
    tx.enrollments().cancel(fixture.till.id)?;
    tx.enrollments().cancel_by_role(fixture.role.id)?;
    tx.enrollments().limit_by_api_key(ApiKeyId(uuid(9)), at(5))?;
    tx.enrollments().sweep(at(99), 9)?;
    tx.pending_keys().find_by_code(&[9; 32])?;
    tx.pending_keys().list_waiting(fixture.tenant.id, at(1), 9)?;
    tx.pending_keys().count_attempt(&[9; 32])?;
    tx.pending_keys().accept(&[9; 32], fixture.till.id, at(9))?;
    tx.pending_keys().deny(&[9; 32])?;
    tx.pending_keys().sweep(at(99), 9)?;
    tx.device_keys().list_by_device(fixture.till.id)?;
    tx.device_keys().revoke(fixture.tenant.id, &[8; 32], at(9)).map(drop)
}

/// Calls every method of the port of invitations.
fn call_invitations(tx: &mut (dyn OfficeTx + '_), fixture: &StoreFixture) -> StoreResult<()> {
    let (digest, user) = ([7; 32], fixture.anna.id);
    tx.invitations().insert_or_replace(&Invitation {
        digest,
        user,
        email: None,
        created_at: at(1),
        expires_at: at(9),
    })?;
    tx.invitations().find(&digest)?;
    tx.invitations().list_by_users(&[user].into())?;
    tx.invitations().find_by_user(user)?;
    tx.invitations().replace_digest(user, at(1), &[8; 32])?;
    tx.invitations().consume(&digest)?;
    tx.invitations().revoke_by_user(user)?;
    tx.invitations().revoke_by_role(tillgate_domain::RoleId(uuid(20)))?;
    tx.invitations().sweep(at(99), 9).map(drop)
}

/// Calls every method of the ports of verified e-mail addresses and of queued mails.
fn call_email_verifications(tx: &mut (dyn OfficeTx + '_), fixture: &StoreFixture) -> StoreResult<()> {
    let (digest, user, email) = ([7; 32], fixture.anna.id, fixture.anna.email.clone().unwrap());
    let (created_at, expires_at) = (at(1), at(9));
    let verification = EmailVerification { digest, user, email: email.clone(), created_at, expires_at };
    tx.email_verifications().insert_or_replace(&verification)?;
    tx.email_verifications().find(&digest)?;
    tx.email_verifications().find_by_user(user)?;
    tx.email_verifications().replace_digest(user, at(1), &[8; 32])?;
    tx.email_verifications().consume(&digest)?;
    tx.email_verifications().sweep(at(99), 9)?;
    let (kind, requested_at, due_at) = (MailKind::Invitation, at(1), at(2));
    let mail = QueuedMail { kind, user, email, requested_at, expires_at, due_at, tries: 0 };
    tx.mail_queue().insert_or_replace(&mail)?;
    tx.mail_queue().list_due(at(9), 9)?;
    tx.mail_queue().claim(kind, user, at(2), at(3))?;
    tx.mail_queue().postpone(kind, user, at(3), at(4))?;
    tx.mail_queue().remove(kind, user, at(4))?;
    tx.mail_queue().sweep(at(99), 9).map(drop)
}

/// Calls every method of the ports of seals and of the set-up token.
fn call_seals(tx: &mut (dyn OfficeTx + '_)) -> StoreResult<()> {
    tx.seals().count_unsealed(9)?;
    tx.seals().find_newest()?;
    let before = tx.seals().claim()?;
    let lines = tx.seals().list_unsealed(9)?;
    let seal = |number: usize| Seal { sequence: i64::try_from(number).unwrap() + 1, hash: vec![1; 33] };
    let seals: Vec<_> = lines.into_iter().enumerate().map(|(number, line)| (line.id, seal(number))).collect();
    tx.seals().insert_seals(&before, &seals)?;
    tx.seals().list_sealed(1, 9)?;
    tx.setup_tokens().put(&[1; 32], at(1))?;
    tx.setup_tokens().find()?;
    tx.setup_tokens().consume(&[1; 32]).map(drop)
}

fn sample_api_key(fixture: &StoreFixture) -> ApiKey {
    ApiKey {
        id: ApiKeyId(uuid(60)),
        tenant: fixture.tenant.id,
        client_id: "client".into(),
        name: "Shop window".into(),
        description: String::new(),
        active: true,
        user: fixture.anna.id,
        device: fixture.till.id,
        permissions: std::iter::empty().collect(),
        created_at: at(0),
        expires_at: Some(at(900)),
        last_used_at: None,
        previous_secret_until: Some(at(90)),
        version: 1,
    }
}
