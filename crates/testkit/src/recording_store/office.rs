//! The recording ports of the back office.

use std::collections::BTreeSet;

use tillgate_domain::audit::seal::{Seal, SealedEvent, StoredEvent};
use tillgate_domain::id::ResetId;
use tillgate_domain::office::ports::{
    ApiKeyFilter, ApiKeys, ChangeMark, DeviceFilter, DeviceKeys, Devices, EmailVerification, EmailVerifications,
    Enrollments, EventFilter, EventView, Events, IdempotencyKeys, Invitation, InvitationDigest, Invitations, MailKind,
    MailQueue, OfficeTx, OffsetPageRequest, PageRequest, Passwords, PendingKeys, Pins, QueuedMail, Reset, ResetDigest,
    ResetRequest, Resets, RoleHolderFilter, RoleHolders, Roles, ScopedIdempotencyKey, Seals, SetupTokenDigest,
    SetupTokens, StoredResponse, Tenants, TicketCursor, TicketFilter, TicketOrder, Tickets, TillCountSpan, TillCounts,
    UnsealedCount, UserCursor, UserFilter, UserOrder, Users, VerificationDigest,
};
use tillgate_domain::ticket::{NumberSeries, Ticket};
use tillgate_domain::{
    ApiKey, ApiKeyId, Audit, BranchId, Device, DeviceId, DeviceKey, EndReason, Enrollment, EnrollmentDigest, Epoch,
    Event, EventId, FoldedText, Instant, KeyId, LiveEventKind, PendingKey, PrincipalId, Revocations, Role, RoleId,
    RoleName, Scope, Secret, SessionId, Slug, StoreResult, StoredPin, Tenant, TenantId, Thumbprint, TicketId, Tx, User,
    UserId,
};

use super::{RecordingTx, record_port};

record_port!(OfficeTx, tenants: Tenants {
    fn find(id: TenantId) -> Option<Tenant>;
    fn find_by_slug(slug: &Slug) -> Option<Tenant>;
    fn insert(tenant: &Tenant) -> bool;
    fn claim(id: TenantId) -> bool;
    fn update(tenant: &Tenant) -> bool;
    fn list(page: &PageRequest<TenantId>) -> Vec<Tenant>;
});

record_port!(OfficeTx, users: Users {
    fn find(id: UserId) -> Option<User>;
    fn find_by_name(tenant: TenantId, name: &FoldedText) -> Option<User>;
    fn find_by_email(email: &FoldedText) -> Option<User>;
    fn find_many_by_email(emails: &BTreeSet<FoldedText>) -> Vec<User>;
    fn insert(user: &User) -> bool;
    fn update(user: &User) -> bool;
    fn list(tenant: TenantId, page: &PageRequest<UserId>) -> Vec<User>;
    fn search(tenant: TenantId, filter: &UserFilter, order: UserOrder, part: &OffsetPageRequest<UserCursor>) -> Vec<User>;
    fn count(tenant: TenantId, filter: &UserFilter) -> u64;
    fn any_exists() -> bool;
    fn count_holders(tenant: TenantId, of: &RoleHolderFilter<'_>) -> u64;
    fn find_roles_on_device(device: DeviceId) -> BTreeSet<RoleId>;
    fn remove_device(device: DeviceId) -> ();
    fn set_password_change_required(id: UserId, required: bool, at: Instant) -> bool;
});

record_port!(OfficeTx, devices: Devices {
    fn find(id: DeviceId) -> Option<Device>;
    fn find_by_name(tenant: TenantId, name: &FoldedText) -> Option<Device>;
    fn find_many(ids: &BTreeSet<DeviceId>) -> Vec<Device>;
    fn insert(device: &Device) -> bool;
    fn update(device: &Device) -> bool;
    fn list(tenant: TenantId, page: &PageRequest<DeviceId>) -> Vec<Device>;
    fn search(tenant: TenantId, filter: &DeviceFilter, page: &PageRequest<DeviceId>) -> Vec<Device>;
    fn count_tills(tenant: TenantId, branch: Option<BranchId>, span: &TillCountSpan) -> TillCounts;
    fn count_in_branch(branch: BranchId) -> u64;
});

record_port!(OfficeTx, enrollments: Enrollments {
    fn insert_or_replace(enrollment: &Enrollment) -> ();
    fn find_by_device(device: DeviceId) -> Option<Enrollment>;
    fn cancel(device: DeviceId) -> bool;
    fn cancel_by_role(role: RoleId) -> ();
    fn limit_by_api_key(key: ApiKeyId, until: Instant) -> ();
    fn sweep(before: Instant, limit: u32) -> u32;
});

record_port!(OfficeTx, device_keys: DeviceKeys {
    fn list_by_device(device: DeviceId) -> Vec<DeviceKey>;
    fn revoke(tenant: TenantId, thumbprint: &Thumbprint, at: Instant) -> bool;
});

record_port!(OfficeTx, pending_keys: PendingKeys {
    fn find_by_code(code: &EnrollmentDigest) -> Option<PendingKey>;
    fn list_waiting(tenant: TenantId, now: Instant, limit: u32) -> Vec<PendingKey>;
    fn count_attempt(code: &EnrollmentDigest) -> Option<PendingKey>;
    fn accept(code: &EnrollmentDigest, device: DeviceId, expires_at: Instant) -> bool;
    fn deny(code: &EnrollmentDigest) -> bool;
    fn sweep(before: Instant, limit: u32) -> u32;
});

record_port!(OfficeTx, roles: Roles {
    fn find(id: RoleId) -> Option<Role>;
    fn find_by_name(tenant: TenantId, name: &RoleName) -> Option<Role>;
    fn insert(role: &Role) -> bool;
    fn update(role: &Role) -> bool;
    fn remove(id: RoleId, version: i64) -> bool;
    fn find_holders(id: RoleId, limit: u32) -> RoleHolders;
    fn find_holder_scopes(id: RoleId, limit: u32) -> Option<Vec<Scope>>;
    fn list(tenant: TenantId) -> Vec<Role>;
});

record_port!(OfficeTx, passwords: Passwords {
    fn set(principal: PrincipalId, verifier: &Secret<String>, at: Instant) -> ();
    fn has(principal: PrincipalId) -> bool;
    fn find_users_with_password(users: &BTreeSet<UserId>) -> BTreeSet<UserId>;
    fn remove(principal: PrincipalId) -> bool;
    fn clear_failed_logins(principal: PrincipalId) -> ();
});

record_port!(OfficeTx, pins: Pins {
    fn claim_key(key: KeyId) -> bool;
    fn set(user: UserId, pin: &StoredPin, at: Instant) -> ();
    fn remove(user: UserId) -> bool;
});

record_port!(OfficeTx, resets: Resets {
    fn insert_request(request: &ResetRequest) -> ();
    fn list_due(now: Instant, limit: u32) -> Vec<ResetRequest>;
    fn claim(id: ResetId, from: Instant, to: Instant) -> bool;
    fn postpone(id: ResetId, from: Instant, to: Instant) -> bool;
    fn remove_request(id: ResetId) -> ();
    fn remove_requests(ids: &[ResetId]) -> u32;
    fn insert_reset(reset: &Reset) -> ();
    fn find(digest: &ResetDigest) -> Option<Reset>;
    fn find_newest_grant(user: UserId, but: ResetId) -> Option<Instant>;
    fn consume(digest: &ResetDigest) -> bool;
    fn revoke_by_user(user: UserId) -> ();
    fn sweep(before: Instant, limit: u32) -> u32;
});

record_port!(OfficeTx, invitations: Invitations {
    fn insert_or_replace(invitation: &Invitation) -> ();
    fn find(digest: &InvitationDigest) -> Option<Invitation>;
    fn list_by_users(users: &BTreeSet<UserId>) -> Vec<Invitation>;
    fn find_by_user(user: UserId) -> Option<Invitation>;
    fn replace_digest(user: UserId, created_at: Instant, digest: &InvitationDigest) -> bool;
    fn consume(digest: &InvitationDigest) -> bool;
    fn revoke_by_user(user: UserId) -> ();
    fn revoke_by_role(role: RoleId) -> ();
    fn sweep(before: Instant, limit: u32) -> u32;
});

record_port!(OfficeTx, email_verifications: EmailVerifications {
    fn insert_or_replace(verification: &EmailVerification) -> ();
    fn find(digest: &VerificationDigest) -> Option<EmailVerification>;
    fn find_by_user(user: UserId) -> Option<EmailVerification>;
    fn replace_digest(user: UserId, created_at: Instant, digest: &VerificationDigest) -> bool;
    fn consume(digest: &VerificationDigest) -> bool;
    fn sweep(before: Instant, limit: u32) -> u32;
});

record_port!(OfficeTx, mail_queue: MailQueue {
    fn insert_or_replace(mail: &QueuedMail) -> ();
    fn list_due(now: Instant, limit: u32) -> Vec<QueuedMail>;
    fn claim(kind: MailKind, user: UserId, from: Instant, to: Instant) -> bool;
    fn postpone(kind: MailKind, user: UserId, from: Instant, to: Instant) -> bool;
    fn remove(kind: MailKind, user: UserId, due_at: Instant) -> bool;
    fn sweep(before: Instant, limit: u32) -> u32;
});

record_port!(OfficeTx, api_keys: ApiKeys {
    fn find(id: ApiKeyId) -> Option<ApiKey>;
    fn insert(key: &ApiKey, wrapped: &[u8]) -> bool;
    fn update(key: &ApiKey) -> bool;
    fn rotate(key: &ApiKey, wrapped: &[u8]) -> bool;
    fn remove(id: ApiKeyId, version: i64) -> bool;
    fn list(tenant: TenantId, filter: &ApiKeyFilter, page: &PageRequest<ApiKeyId>) -> Vec<ApiKey>;
});

record_port!(OfficeTx, tickets: Tickets {
    fn find(tenant: TenantId, id: TicketId) -> Option<Ticket>;
    fn insert(ticket: &Ticket) -> bool;
    fn update(ticket: &Ticket) -> bool;
    fn claim(tenant: TenantId, sold: TicketId) -> ();
    fn list_refunds(tenant: TenantId, sold: TicketId) -> Vec<Ticket>;
    fn assign_number(tenant: TenantId, series: &NumberSeries, number: u64, ticket: TicketId) -> bool;
    fn allocate_number(tenant: TenantId, series: &NumberSeries, ticket: TicketId) -> u64;
    fn list(tenant: TenantId, filter: &TicketFilter, order: TicketOrder, part: &OffsetPageRequest<TicketCursor>) -> Vec<Ticket>;
    fn count(tenant: TenantId, filter: &TicketFilter) -> u64;
});

record_port!(OfficeTx, idempotency_keys: IdempotencyKeys {
    fn find(key: &ScopedIdempotencyKey) -> Option<StoredResponse>;
    fn insert(key: &ScopedIdempotencyKey, answered: &StoredResponse, at: Instant) -> bool;
    fn sweep(before: Instant, limit: u32) -> u32;
});

record_port!(OfficeTx, events: Events {
    fn list(filter: &EventFilter, part: &OffsetPageRequest<EventId>) -> Vec<EventView>;
    fn count_refused(tenant: TenantId, branch: Option<BranchId>, since: Instant, most: u32) -> u64;
    fn count(filter: &EventFilter) -> u64;
    fn find_change_mark() -> ChangeMark;
    fn knows_changes(tenant: TenantId, kind: LiveEventKind, since: ChangeMark) -> bool;
});

record_port!(OfficeTx, seals: Seals {
    fn find_newest() -> Seal;
    fn claim() -> Seal;
    fn count_unsealed(most: u32) -> UnsealedCount;
    fn list_unsealed(limit: u32) -> Vec<StoredEvent>;
    fn insert_seals(before: &Seal, seals: &[(Vec<u8>, Seal)]) -> ();
    fn list_sealed(from: i64, limit: u32) -> Vec<SealedEvent>;
});

record_port!(OfficeTx, setup_tokens: SetupTokens {
    fn find() -> Option<SetupTokenDigest>;
    fn put(digest: &SetupTokenDigest, at: Instant) -> ();
    fn consume(digest: &SetupTokenDigest) -> bool;
});

record_port!(OfficeTx, revocations: Revocations {
    fn end_session(session: SessionId, why: EndReason, at: Instant) -> bool;
    fn bump_epoch(scope: Scope, why: EndReason, at: Instant) -> Option<Epoch>;
    fn end_permanent(scope: Scope, why: EndReason, at: Instant) -> ();
    fn invalidate(scope: Scope, at: Instant) -> ();
    fn invalidate_all(scopes: &[Scope], at: Instant) -> ();
});

record_port!(OfficeTx, audit: Audit {
    fn record(event: &Event) -> ();
});

impl Tx for RecordingTx<'_, dyn OfficeTx + '_> {
    fn revocations(&mut self) -> &mut dyn Revocations {
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

    fn enrollments(&mut self) -> &mut dyn Enrollments {
        self
    }

    fn device_keys(&mut self) -> &mut dyn DeviceKeys {
        self
    }

    fn pending_keys(&mut self) -> &mut dyn PendingKeys {
        self
    }

    fn roles(&mut self) -> &mut dyn Roles {
        self
    }

    fn passwords(&mut self) -> &mut dyn Passwords {
        self
    }

    fn pins(&mut self) -> &mut dyn Pins {
        self
    }

    fn resets(&mut self) -> &mut dyn Resets {
        self
    }

    fn invitations(&mut self) -> &mut dyn Invitations {
        self
    }

    fn email_verifications(&mut self) -> &mut dyn EmailVerifications {
        self
    }

    fn mail_queue(&mut self) -> &mut dyn MailQueue {
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

    fn setup_tokens(&mut self) -> &mut dyn SetupTokens {
        self
    }
}
