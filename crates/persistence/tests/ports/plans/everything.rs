//! Every verb of every port, called once at least, and every shape of the lists: what is sent is explained by the tests beside this
//! one. It knows no database.

use tillgate_auth_core::ports::{
    Bucket, CountKey, CredentialKind, Cursor, FirstUse, KeyKind, KeyState, Node, Rotation, SessionFilter, Settled,
    SignatureDigest, StoredKey, Use,
};
use tillgate_domain::audit::seal::Seal;
use tillgate_domain::office::OfficeTx;
use tillgate_domain::office::ports::{
    Answered, ApiKeyFilter, DeviceFilter, EventFilter, HoldersOf, IdempotencyKey, OrderedBy, Page, Part, RequestKey,
    Reset, ResetRequest, TicketFilter, TicketOrder, UserFilter, UserOrder,
};
use tillgate_domain::ticket::{Label, NumberSeries, TicketStatus};
use tillgate_domain::{
    Action, ApiKey, ApiKeyId, EndedWhy, Epoch, Folded, KeyId, NodeId, Outcome, PrincipalId, ResetId, Scope, Secret,
    Stored, SubjectKind, User,
};

use crate::stores::{Fresh, Shop, at, uuid};
use crate::tickets::{closed, opened};

/// Every verb of every port, once at least.
#[expect(clippy::too_many_lines, reason = "a list")]
pub(super) fn everything(fresh: &Fresh, shop: &Shop) {
    let principal = PrincipalId::User(shop.anna.id);
    let kind = CredentialKind::Password;
    let count = CountKey([1; 32]);
    fresh.office(|tx| tx.passwords().set(principal, &Secret::new("hash".into()), at(0)));
    fresh.write(|tx| {
        tx.users().claim(shop.anna.id, Epoch(0), at(1))?;
        tx.users().clear_password_change_required(shop.anna.id, at(1))?;
        tx.devices().claim(shop.till.id, Epoch(0), at(1))?;
        tx.credentials().claim(principal, kind, 1, None, at(1))?;
        tx.credentials().replace(principal, kind, 7, &Secret::new("other".into()), at(1))?;
        tx.credentials().claim(principal, kind, 1, Some(&Secret::new("other".into())), at(1))?;
        tx.devices().seat(shop.till.id, None, Some(shop.session(1).id))?;
        tx.devices().seat(shop.till.id, Some(shop.session(1).id), None)?;
        tx.devices().pair(shop.till.id, None, Some(shop.session(1).id))?;
        tx.devices().pair(shop.till.id, Some(shop.session(1).id), None)?;
        (1..=4).try_for_each(|number| tx.sessions().insert(&shop.session(number)))?;
        let to = Rotation {
            generation: 2,
            key: KeyId(uuid(51)),
            previous_key: KeyId(uuid(50)),
            at: at(2),
            expires_at: Some(at(99)),
            from: None,
        };
        tx.sessions().rotate(shop.session(1).id, 1, &to)?;
        tx.sessions().extend(shop.session(1).id, 2, Some(at(99)), None)?;
        let first = FirstUse { generation: 2, at: at(2) };
        tx.sessions().note_first_use(shop.session(1).id, first, at(1))?;
        let uses: Vec<Use> =
            (1..=4).map(|number| Use { session: shop.session(number).id, generation: 1, at: at(3) }).collect();
        tx.sessions().note(&uses)?;
        let taken = Bucket { full_at: at(60), open: 1, ..Bucket::default() };
        tx.attempts().charge(count, Some(uuid(40)), &Bucket::default(), &taken, at(4))?;
        tx.attempts().charge(count, Some(uuid(40)), &taken, &Bucket { open: 2, ..taken }, at(4))?;
        tx.attempts().settle(count, Settled::Spent, at(5))?;
        tx.attempts().bar(count, at(90))?;
        tx.attempts().remember(count, &CountKey([3; 32]), at(0), at(5))?;
        tx.places().note(uuid(40), &count, at(5))?;
        tx.places().trim(uuid(40), 4)?;
        tx.api_keys().revoke(&api_key(shop))?;
        tx.signatures().see(&SignatureDigest([1; 32]), at(5))?;
        let key = StoredKey {
            id: KeyId(uuid(50)),
            kind: KeyKind::Refresh,
            algorithm: "HS256".into(),
            state: KeyState::Next,
            wrapped: vec![1],
            public: None,
            created_at: at(0),
            since: at(0),
        };
        tx.keys().insert(&key)?;
        tx.keys().turn(key.id, KeyState::Next, KeyState::Current, at(1))?;
        tx.keys().turn(key.id, KeyState::Current, KeyState::Kept, at(1))?;
        tx.nodes().note(&Node { id: NodeId(uuid(1)), applied: Cursor(0), seen_at: at(1), clock: None })?;
        tx.audit().tell(&crate::store::event(7))
    });
    // in a unit that writes too: it runs on the thread that asks, where its statements are seen
    fresh.write(|tx| {
        tx.sessions().find(shop.session(1).id)?;
        tx.sessions().first_uses(shop.session(1).id)?;
        tx.sessions().dialects(at(1))?;
        let of = SessionFilter { tenant: Some(shop.tenant.id), ..SessionFilter::default() };
        for filter in [
            of.clone(),
            SessionFilter { live: Some((true, at(9))), ..of.clone() },
            SessionFilter { live: Some((false, at(9))), ..of.clone() },
            SessionFilter { user: Some(shop.anna.id), ..SessionFilter::default() },
            SessionFilter { user: Some(shop.anna.id), ..of.clone() },
            SessionFilter { device: Some(shop.till.id), ..SessionFilter::default() },
            SessionFilter { device: Some(shop.till.id), ..of.clone() },
            SessionFilter { session: Some(shop.session(1).id), ..of.clone() },
        ] {
            tx.sessions().list(&filter, None, 9)?;
            tx.sessions().list(&filter, Some(shop.session(3).id), 9)?;
        }
        tx.sessions().names(KeyId(uuid(50)), at(1))?;
        tx.sessions().under(KeyId(uuid(50)), at(1), 9)?;
        tx.credentials().find(principal, kind)?;
        tx.tenants().find(shop.tenant.id)?;
        tx.tenants().named(&shop.tenant.slug)?;
        tx.users().find(shop.anna.id)?;
        tx.users().named(shop.tenant.id, &Folded::of("anna"))?;
        tx.users().mailed(&Folded::of("anna@example.com"))?;
        tx.devices().find(shop.till.id)?;
        tx.devices().named(shop.tenant.id, &Folded::of("p01"))?;
        tx.roles().among(shop.tenant.id, &[shop.role.id])?;
        tx.attempts().buckets(&[count, CountKey([2; 32])])?;
        tx.attempts().remembered(count, at(0))?;
        tx.places().find(uuid(40), &count)?;
        tx.keys().all()?;
        tx.api_keys().named("client")?;
        tx.api_keys().active_of(shop.tenant.id, shop.anna.id)?;
        let look = tx.feed().look(None)?;
        tx.feed().look(Some(&look.next))?;
        tx.nodes().live(at(0))?;
        tx.nodes().origin(uuid(1))?;
        tx.instances().find()?;
        tx.instances().newest()
    });
    fresh.office(|tx| {
        let other = User { id: tillgate_domain::UserId(uuid(41)), ..shop.anna.clone() };
        tx.users().insert(&User { name: "Ben".to_owned().try_into().unwrap(), email: None, ..other })?;
        tx.users().update(&shop.anna)?;
        tx.users().list(shop.tenant.id, &Page { after: None, limit: 9 })?;
        let admins = [shop.role.id];
        let holders = HoldersOf { roles: &admins, but_user: Some(shop.anna.id), but_device: Some(shop.till.id) };
        tx.users().holders(shop.tenant.id, &holders)?;
        tx.users().roles_on(shop.till.id)?;
        tx.users().unlist(shop.till.id)?;
        tx.users().set_password_change_required(shop.anna.id, true, at(8))?;
        tx.roles().find(shop.role.id)?;
        tx.roles().update(&shop.role)?;
        tx.roles().held(shop.role.id, 5)?;
        tx.roles().scopes(shop.role.id, 5)?;
        let free = tillgate_domain::Role {
            id: tillgate_domain::RoleId(uuid(99)),
            name: "free".to_owned().try_into().unwrap(),
            ..shop.role.clone()
        };
        tx.roles().insert(&free)?;
        assert!(tx.roles().remove(free.id, 1)?);
        for filter in [
            DeviceFilter::default(),
            DeviceFilter { statuses: vec![shop.till.status], ..DeviceFilter::default() },
            DeviceFilter { environment: Some(shop.till.environment), ..DeviceFilter::default() },
            DeviceFilter {
                statuses: vec![shop.till.status],
                environment: Some(shop.till.environment),
                text: Some("p".into()),
            },
        ] {
            tx.devices().search(shop.tenant.id, &filter, &Page { after: None, limit: 9 })?;
        }
        tx.users().any()?;
        tx.devices().among(&[shop.till.id].into())?;
        let any = UserFilter::default();
        for filter in [
            any.clone(),
            UserFilter { statuses: vec![shop.anna.status], ..any.clone() },
            UserFilter { holding: Some(shop.role.id), ..any.clone() },
            UserFilter { lacking: vec![shop.role.id], ..any.clone() },
            UserFilter {
                statuses: vec![shop.anna.status],
                holding: Some(shop.role.id),
                lacking: vec![shop.role.id],
                text: Some("a".into()),
            },
        ] {
            for order in [UserOrder::Oldest, UserOrder::Newest, UserOrder::Name, UserOrder::NameBackwards] {
                for after in [None, Some(order.cursor(&shop.anna))] {
                    let part = Part { after, skip: 9, limit: 9 };
                    tx.users().search(shop.tenant.id, &filter, order, &part)?;
                }
            }
            tx.users().count(shop.tenant.id, &filter)?;
        }
        let of = EventFilter { tenant: Some(shop.tenant.id), ..EventFilter::default() };
        for filter in [
            of.clone(),
            EventFilter { text: Some("a".into()), ..of.clone() },
            EventFilter { from: Some(at(0)), until: Some(at(9)), ..of.clone() },
            EventFilter { user: Some(shop.anna.id), ..of.clone() },
            EventFilter { session: Some(shop.session(1).id), ..of.clone() },
            EventFilter { subject: Some(shop.anna.id.0), kind: Some(SubjectKind::User), ..of.clone() },
            EventFilter { kind: Some(SubjectKind::User), ..of.clone() },
            EventFilter { outcome: Some(Outcome::Refused), ..of.clone() },
            EventFilter { outcome: Some(Outcome::Done), ..of.clone() },
            EventFilter { id: Some(crate::store::event(7).id), ..of.clone() },
            EventFilter { device: Some(shop.till.id), ..of.clone() },
            EventFilter { actions: vec![Action::Login], ..of.clone() },
            EventFilter { actions: vec![Action::Login, Action::Logout], ..of.clone() },
            EventFilter { actions: vec![Action::Login, Action::Logout], ..EventFilter::default() },
            EventFilter { actions: vec![Action::StoreWentBack], ..EventFilter::default() },
            EventFilter { actions: vec![Action::StoreWentBack], from: Some(at(0)), ..EventFilter::default() },
        ] {
            tx.events().list(&filter, &Part { after: Some(crate::store::event(9).id), skip: 9, limit: 9 })?;
            tx.events().list(&filter, &Part::first(9))?;
            tx.events().count(&filter)?;
        }
        tx.devices().update(&shop.till)?;
        tx.devices().list(shop.tenant.id, &Page { after: None, limit: 9 })?;
        tx.roles().named(shop.tenant.id, &shop.role.name)?;
        tx.roles().list(shop.tenant.id)?;
        tx.tenants().claim(shop.tenant.id)?;
        tx.tenants().update(&shop.tenant)?;
        tx.tenants().list(&Page { after: None, limit: 9 })?;
        let key = api_key(shop);
        tx.api_keys().insert(&key, &[1])?;
        tx.api_keys().find(key.id)?;
        tx.api_keys().update(&key)?;
        tx.api_keys().list(shop.tenant.id, &ApiKeyFilter::default(), &Page { after: None, limit: 9 })?;
        let (user, device) = (Some(key.user), Some(key.device));
        let filter = ApiKeyFilter { user, device, active: Some(true) };
        tx.api_keys().list(shop.tenant.id, &filter, &Page { after: None, limit: 9 })?;
        tx.api_keys().remove(key.id, 2)?;
        tickets(tx, shop)?;
        resets(tx, shop)?;
        seals(tx)?;
        let device = tillgate_domain::Device {
            id: tillgate_domain::DeviceId(uuid(31)),
            name: tillgate_domain::DeviceName::parse("P09").unwrap(),
            ..shop.till.clone()
        };
        tx.devices().insert(&device)?;
        let tenant = tillgate_domain::Tenant {
            id: tillgate_domain::TenantId(uuid(12)),
            slug: tillgate_domain::Slug::parse("market").unwrap(),
            branches: Vec::new(),
            ..shop.tenant.clone()
        };
        tx.tenants().insert(&tenant)?;
        tx.passwords().has(principal)?;
        tx.passwords().remove(PrincipalId::Device(shop.till.id))?;
        tx.passwords().forgive(principal)
    });
    fresh.write(|tx| {
        tx.endings().end(shop.session(1).id, EndedWhy::Logout, at(9))?;
        for scope in [Scope::User(shop.anna.id), Scope::Device(shop.till.id), Scope::Tenant(shop.tenant.id)] {
            tx.endings().raise(scope, EndedWhy::Admin, at(9))?;
            tx.endings().sever(scope, EndedWhy::Admin, at(9))?;
        }
        tx.sessions().sweep(at(10), 9)?;
        tx.attempts().forgive(uuid(40))?;
        tx.attempts().refill(CountKey([2; 32]))?;
        tx.attempts().sweep(at(10), 9)?;
        tx.attempts().sweep_remembered(at(10), 9)?;
        tx.places().sweep(at(10), 9)?;
        tx.signatures().sweep(at(10), 9)?;
        tx.feed().sweep(at(10), 9)?;
        tx.keys().remove(KeyId(uuid(50)))?;
        tx.nodes().leave(NodeId(uuid(1)), at(400))?;
        tx.nodes().sweep(at(10))
    });
}

/// Every verb of the ports of tickets, and every shape of their lists.
fn tickets(tx: &mut (dyn OfficeTx + '_), shop: &Shop) -> Stored<()> {
    let (tenant, ticket) = (shop.tenant.id, opened(shop, 1));
    tx.tickets().insert(&ticket)?;
    let key = IdempotencyKey::parse("key").unwrap();
    let key = RequestKey { tenant, user: shop.anna.id, key };
    tx.idempotency_keys().insert(&key, &Answered { request: [1; 32], ticket: ticket.clone() }, at(1))?;
    tx.idempotency_keys().find(&key)?;
    tx.idempotency_keys().sweep(at(10), 9)?;
    tx.tickets().update(&closed(&ticket, shop))?;
    tx.tickets().find(tenant, ticket.id)?;
    tx.tickets().claim(tenant, ticket.id)?;
    tx.tickets().refunds(tenant, ticket.id)?;
    let series = NumberSeries::of(shop.till.id, &Label::default());
    tx.tickets().give_number(tenant, &series, 1, ticket.id)?;
    tx.tickets().draw_number(tenant, &series, ticket.id)?;
    let (open, closed) = (TicketStatus::Open, TicketStatus::Closed);
    for filter in [
        TicketFilter::default(),
        TicketFilter { statuses: vec![open], ..TicketFilter::default() },
        TicketFilter { statuses: vec![open, closed], ..TicketFilter::default() },
        TicketFilter { owner: Some(shop.anna.id), ..TicketFilter::default() },
        TicketFilter { device: Some(shop.till.id), ..TicketFilter::default() },
        TicketFilter { refund_of: Some(ticket.id), ..TicketFilter::default() },
        TicketFilter { from: Some(at(0)), ..TicketFilter::default() },
        TicketFilter { from: Some(at(0)), until: Some(at(9)), ..TicketFilter::default() },
        TicketFilter { text: Some("a".into()), ..TicketFilter::default() },
    ] {
        for by in [OrderedBy::Opened, OrderedBy::Updated, OrderedBy::Payable] {
            for backwards in [false, true] {
                let order = TicketOrder { by, backwards };
                tx.tickets().list(tenant, &filter, order, &Part::first(9))?;
                tx.tickets().list(
                    tenant,
                    &filter,
                    order,
                    &Part { after: Some(by.place(&ticket)), skip: 0, limit: 9 },
                )?;
            }
        }
        tx.tickets().count(tenant, &filter)?;
    }
    Ok(())
}

/// The same for resets of forgotten passwords.
fn resets(tx: &mut (dyn OfficeTx + '_), shop: &Shop) -> Stored<()> {
    let email = shop.anna.email.clone().unwrap();
    let request = ResetRequest {
        id: ResetId(uuid(70)),
        email: email.clone(),
        tenant: Some(shop.tenant.id),
        address: None,
        asked_at: at(0),
        due_at: at(1),
        tries: 0,
    };
    tx.resets().ask(&request)?;
    tx.resets().due(at(9), 9)?;
    tx.resets().postpone(request.id, at(1), at(2))?;
    let (digest, user) = ([7; 32], shop.anna.id);
    let reset = Reset { digest, request: request.id, user, email, granted_at: at(1), expires_at: at(9) };
    tx.resets().grant(&reset)?;
    tx.resets().find(&digest)?;
    tx.resets().newest(user, ResetId(uuid(71)))?;
    tx.resets().spend(&digest)?;
    tx.resets().void(user)?;
    tx.resets().sweep(at(99), 9)?;
    tx.resets().settle(request.id)?;
    tx.resets().settle_all(&[request.id, ResetId(uuid(71))])?;
    let emails = [Folded::of("anna@example.com"), Folded::of("ben@example.com")];
    tx.users().mailed_among(&emails.into()).map(drop)
}

/// The same for the seals of the audit.
fn seals(tx: &mut (dyn OfficeTx + '_)) -> Stored<()> {
    tx.seals().waiting(9)?;
    tx.seals().newest()?;
    let before = tx.seals().claim()?;
    let lines = tx.seals().unsealed(9)?;
    let seal = |number: usize| Seal { sequence: i64::try_from(number).unwrap() + 1, hash: vec![1; 33] };
    let seals: Vec<_> = lines.into_iter().enumerate().map(|(number, line)| (line.id, seal(number))).collect();
    tx.seals().seal(&before, &seals)?;
    tx.seals().sealed(1, 9).map(drop)
}

fn api_key(shop: &Shop) -> ApiKey {
    ApiKey {
        id: ApiKeyId(uuid(60)),
        tenant: shop.tenant.id,
        client: "client".into(),
        name: "Shop window".into(),
        description: String::new(),
        active: true,
        user: shop.anna.id,
        device: shop.till.id,
        permissions: std::iter::empty().collect(),
        created_at: at(0),
        version: 1,
    }
}
