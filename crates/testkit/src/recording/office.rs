//! The ports of the back office, each call recorded.

use std::collections::BTreeSet;

use tillgate_domain::audit::seal::{Line, Seal, SealedLine};
use tillgate_domain::id::ResetId;
use tillgate_domain::office::ports::{
    Answered, ApiKeyFilter, ApiKeys, DeviceFilter, Devices, EventFilter, Events, Holders, HoldersOf, IdempotencyKeys,
    OfficeTx, Page, Part, Passwords, RequestKey, Reset, ResetDigest, ResetRequest, Resets, Roles, Seals, Tenants,
    TicketFilter, TicketOrder, TicketPlace, Tickets, Told, Unsealed, UserCursor, UserFilter, UserOrder, Users,
};
use tillgate_domain::ticket::{NumberSeries, Ticket};
use tillgate_domain::{
    ApiKey, ApiKeyId, Audit, Device, DeviceId, EndedWhy, Endings, Epoch, Event, EventId, Folded, Instant, PrincipalId,
    Role, RoleId, RoleName, Scope, Secret, SessionId, Slug, Stored, Tenant, TenantId, TicketId, Tx, User, UserId,
};

use super::{RecordingTx, record_port};

record_port!(OfficeTx, tenants: Tenants {
    fn find(id: TenantId) -> Option<Tenant>;
    fn named(slug: &Slug) -> Option<Tenant>;
    fn insert(tenant: &Tenant) -> bool;
    fn claim(id: TenantId) -> bool;
    fn update(tenant: &Tenant) -> bool;
    fn list(page: &Page<TenantId>) -> Vec<Tenant>;
});

record_port!(OfficeTx, users: Users {
    fn find(id: UserId) -> Option<User>;
    fn named(tenant: TenantId, name: &Folded) -> Option<User>;
    fn mailed(email: &Folded) -> Option<User>;
    fn mailed_among(emails: &BTreeSet<Folded>) -> Vec<User>;
    fn insert(user: &User) -> bool;
    fn update(user: &User) -> bool;
    fn list(tenant: TenantId, page: &Page<UserId>) -> Vec<User>;
    fn search(tenant: TenantId, filter: &UserFilter, order: UserOrder, part: &Part<UserCursor>) -> Vec<User>;
    fn count(tenant: TenantId, filter: &UserFilter) -> u64;
    fn any() -> bool;
    fn holders(tenant: TenantId, of: &HoldersOf<'_>) -> u64;
    fn roles_on(device: DeviceId) -> BTreeSet<RoleId>;
    fn unlist(device: DeviceId) -> ();
    fn set_password_change_required(id: UserId, required: bool, at: Instant) -> bool;
});

record_port!(OfficeTx, devices: Devices {
    fn find(id: DeviceId) -> Option<Device>;
    fn named(tenant: TenantId, name: &Folded) -> Option<Device>;
    fn among(ids: &BTreeSet<DeviceId>) -> Vec<Device>;
    fn insert(device: &Device) -> bool;
    fn update(device: &Device) -> bool;
    fn list(tenant: TenantId, page: &Page<DeviceId>) -> Vec<Device>;
    fn search(tenant: TenantId, filter: &DeviceFilter, page: &Page<DeviceId>) -> Vec<Device>;
});

record_port!(OfficeTx, roles: Roles {
    fn find(id: RoleId) -> Option<Role>;
    fn named(tenant: TenantId, name: &RoleName) -> Option<Role>;
    fn insert(role: &Role) -> bool;
    fn update(role: &Role) -> bool;
    fn remove(id: RoleId, version: i64) -> bool;
    fn held(id: RoleId, limit: u32) -> Holders;
    fn scopes(id: RoleId, limit: u32) -> Option<Vec<Scope>>;
    fn list(tenant: TenantId) -> Vec<Role>;
});

record_port!(OfficeTx, passwords: Passwords {
    fn set(principal: PrincipalId, verifier: &Secret<String>, at: Instant) -> ();
    fn has(principal: PrincipalId) -> bool;
    fn remove(principal: PrincipalId) -> bool;
    fn forgive(principal: PrincipalId) -> ();
});

record_port!(OfficeTx, resets: Resets {
    fn ask(request: &ResetRequest) -> ();
    fn due(now: Instant, limit: u32) -> Vec<ResetRequest>;
    fn postpone(id: ResetId, from: Instant, to: Instant) -> bool;
    fn settle(id: ResetId) -> ();
    fn settle_all(ids: &[ResetId]) -> u32;
    fn grant(reset: &Reset) -> ();
    fn find(digest: &ResetDigest) -> Option<Reset>;
    fn newest(user: UserId, but: ResetId) -> Option<Instant>;
    fn spend(digest: &ResetDigest) -> bool;
    fn void(user: UserId) -> ();
    fn sweep(before: Instant, limit: u32) -> u32;
});

record_port!(OfficeTx, api_keys: ApiKeys {
    fn find(id: ApiKeyId) -> Option<ApiKey>;
    fn insert(key: &ApiKey, wrapped: &[u8]) -> bool;
    fn update(key: &ApiKey) -> bool;
    fn remove(id: ApiKeyId, version: i64) -> bool;
    fn list(tenant: TenantId, filter: &ApiKeyFilter, page: &Page<ApiKeyId>) -> Vec<ApiKey>;
});

record_port!(OfficeTx, tickets: Tickets {
    fn find(tenant: TenantId, id: TicketId) -> Option<Ticket>;
    fn insert(ticket: &Ticket) -> bool;
    fn update(ticket: &Ticket) -> bool;
    fn claim(tenant: TenantId, sold: TicketId) -> ();
    fn refunds(tenant: TenantId, sold: TicketId) -> Vec<Ticket>;
    fn give_number(tenant: TenantId, series: &NumberSeries, number: u64, ticket: TicketId) -> bool;
    fn draw_number(tenant: TenantId, series: &NumberSeries, ticket: TicketId) -> u64;
    fn list(tenant: TenantId, filter: &TicketFilter, order: TicketOrder, part: &Part<TicketPlace>) -> Vec<Ticket>;
    fn count(tenant: TenantId, filter: &TicketFilter) -> u64;
});

record_port!(OfficeTx, idempotency_keys: IdempotencyKeys {
    fn find(key: &RequestKey) -> Option<Answered>;
    fn insert(key: &RequestKey, answered: &Answered, at: Instant) -> bool;
    fn sweep(before: Instant, limit: u32) -> u32;
});

record_port!(OfficeTx, events: Events {
    fn list(filter: &EventFilter, part: &Part<EventId>) -> Vec<Told>;
    fn count(filter: &EventFilter) -> u64;
});

record_port!(OfficeTx, seals: Seals {
    fn newest() -> Seal;
    fn claim() -> Seal;
    fn waiting(most: u32) -> Unsealed;
    fn unsealed(limit: u32) -> Vec<Line>;
    fn seal(before: &Seal, seals: &[(Vec<u8>, Seal)]) -> ();
    fn sealed(from: i64, limit: u32) -> Vec<SealedLine>;
});

record_port!(OfficeTx, endings: Endings {
    fn end(session: SessionId, why: EndedWhy, at: Instant) -> bool;
    fn raise(scope: Scope, why: EndedWhy, at: Instant) -> Option<Epoch>;
    fn sever(scope: Scope, why: EndedWhy, at: Instant) -> ();
    fn touch(scope: Scope, at: Instant) -> ();
    fn touch_each(scopes: &[Scope], at: Instant) -> ();
});

record_port!(OfficeTx, audit: Audit {
    fn tell(event: &Event) -> ();
});

impl Tx for RecordingTx<'_, dyn OfficeTx + '_> {
    fn endings(&mut self) -> &mut dyn Endings {
        self
    }

    fn audit(&mut self) -> &mut dyn Audit {
        self
    }
}

impl OfficeTx for RecordingTx<'_, dyn OfficeTx + '_> {
    fn tenants(&mut self) -> &mut dyn Tenants {
        self
    }

    fn users(&mut self) -> &mut dyn Users {
        self
    }

    fn devices(&mut self) -> &mut dyn Devices {
        self
    }

    fn roles(&mut self) -> &mut dyn Roles {
        self
    }

    fn passwords(&mut self) -> &mut dyn Passwords {
        self
    }

    fn resets(&mut self) -> &mut dyn Resets {
        self
    }

    fn api_keys(&mut self) -> &mut dyn ApiKeys {
        self
    }

    fn tickets(&mut self) -> &mut dyn Tickets {
        self
    }

    fn idempotency_keys(&mut self) -> &mut dyn IdempotencyKeys {
        self
    }

    fn events(&mut self) -> &mut dyn Events {
        self
    }

    fn seals(&mut self) -> &mut dyn Seals {
        self
    }
}
