//! The rows of the in-memory store: its tables, and the indexes that avoid scans.

use std::sync::Arc;
use std::time::Duration;

use tillgate_domain::audit::seal::Seal;
use tillgate_domain::office::ports::{
    EmailVerification, Invitation, MailKind, QueuedMail, Reset, ResetDigest, ResetRequest, ScopedIdempotencyKey,
    SetupTokenDigest, StoredResponse,
};
use tillgate_domain::ticket::{NumberSeries, Ticket};
use tillgate_domain::{
    ApiKeyId, BranchId, Change, Device, DeviceId, DeviceKey, Enrollment, EnrollmentDigest, Event, EventId, FoldedText,
    Instant, KeyId, LiveEvent, NodeId, PendingKey, PrincipalId, ResetId, Role, RoleId, SessionId, Slug, StoredPin,
    Tenant, TenantId, Thumbprint, TicketId, User, UserId,
};
use uuid::Uuid;

use super::table::{Table, Undo};
use tillgate_auth_core::Session;
use tillgate_auth_core::clock::Clock;
use tillgate_auth_core::ports::{
    Bucket, CountKey, Credential, CredentialKind, Instance, Node, NodeAcknowledgment, SignatureDigest, StoredKey,
    WrappedApiKey,
};

/// A bucket with its principal and the instant of its newest write.
#[derive(Clone)]
pub(super) struct BucketRow {
    pub(super) bucket: Bucket,
    pub(super) principal: Option<Uuid>,
    pub(super) updated_at: Instant,
}

/// A seal with the hash of the previous event.
#[derive(Clone)]
pub(super) struct SealRow {
    pub(super) seal: Seal,
    pub(super) previous: Vec<u8>,
}

impl Tables {
    /// Whether a device is in this store; always without a store to ask for.
    pub(super) fn is_in_branch(&self, device: Option<DeviceId>, branch: Option<BranchId>) -> bool {
        let device = device.and_then(|id| self.devices.get(&id));
        branch.is_none_or(|branch| device.is_some_and(|device| device.branch == Some(branch)))
    }
}

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident: $key:ty => $value:ty),* $(,)?) => {
        /// The tables. All of them are committed or rolled back together.
        #[derive(Default)]
        pub(super) struct Tables { $($(#[$doc])* pub(super) $name: Table<$key, $value>),* }

        impl Undo for Tables {
            fn keep(&mut self) {
                $(self.$name.keep();)*
            }

            fn undo(&mut self) {
                $(self.$name.undo();)*
            }
        }
    };
}

tables! {
    tenants: TenantId => Tenant,
    slugs: Slug => TenantId,
    users: UserId => User,
    /// Users that are not deleted.
    user_names: (TenantId, FoldedText) => UserId,
    /// Users that are not deleted.
    emails: FoldedText => UserId,
    devices: DeviceId => Device,
    /// Devices that are not retired.
    device_names: (TenantId, FoldedText) => DeviceId,
    roles: RoleId => Role,
    role_names: (TenantId, FoldedText) => RoleId,
    credentials: (PrincipalId, CredentialKind) => Credential,
    sessions: SessionId => Session,
    /// First uses of the generations of sessions.
    first_uses: (SessionId, i64) => Instant,
    /// Rotations of sessions, by the store's own clock if it has one.
    rotations: SessionId => (Duration, i64),
    by_user: (UserId, SessionId) => (),
    by_device: (DeviceId, SessionId) => (),
    by_parent: (SessionId, SessionId) => (),
    /// Sessions by the instant of their end or expiry.
    by_end: (Instant, SessionId) => (),
    buckets: CountKey => BucketRow,
    buckets_of: (Uuid, CountKey) => (),
    /// Wrong passwords by the bucket from which they took a token, with their instant.
    guesses: (CountKey, CountKey) => Instant,
    known_networks: (Uuid, CountKey) => Instant,
    keys: KeyId => StoredKey,
    /// By number; the number of a committed change is never used again.
    changes: i64 => (Change, Instant),
    /// The number of the next change.
    next_change: () => i64,
    /// By position; the position of a committed event is never used again.
    live_events: i64 => (LiveEvent, Instant),
    /// The position of the next event.
    next_live_event: () => i64,
    /// The greatest position that was swept.
    swept_live_event: () => i64,
    nodes: NodeId => Node,
    acknowledgments: NodeId => NodeAcknowledgment,
    /// Processes that have stopped in good order.
    left_nodes: NodeId => Node,
    api_keys: ApiKeyId => WrappedApiKey,
    /// API keys by client id.
    api_keys_by_client: String => ApiKeyId,
    reset_requests: ResetId => ResetRequest,
    resets: ResetDigest => Reset,
    invitations: UserId => Invitation,
    email_verifications: UserId => EmailVerification,
    mail_queue: (MailKind, UserId) => QueuedMail,
    tickets: (TenantId, TicketId) => Ticket,
    /// Receipt numbers and their tickets.
    receipt_numbers: (TenantId, NumberSeries, u64) => TicketId,
    /// The last generated number of each series.
    receipt_series: (TenantId, NumberSeries) => u64,
    /// Stored responses of idempotency keys, with the instant of the request.
    responses: ScopedIdempotencyKey => (StoredResponse, Instant),
    signatures: SignatureDigest => Instant,
    signatures_by_time: (Instant, SignatureDigest) => (),
    /// The recorded audit events.
    event_ids: EventId => (),
    /// The seals of sealed audit events.
    seals: EventId => SealRow,
    by_sequence: i64 => EventId,
    newest_seal: () => Seal,
    setup_token: () => SetupTokenDigest,
    enrollments: DeviceId => Enrollment,
    device_keys: (TenantId, Thumbprint) => DeviceKey,
    pins: UserId => StoredPin,
    /// By the digest of the code that people type.
    pending_keys: EnrollmentDigest => PendingKey,
}

/// The tables, the audit events of the open unit of work, and the identity of the store.
pub(super) struct Rows {
    pub(super) tables: Tables,
    pub(super) new_events: Vec<Event>,
    /// The newest instant of the audit events before the open unit of work.
    pub(super) newest_event_at: Option<Instant>,
    pub(super) instance: Instance,
    /// The store's own clock, and the number of its server.
    pub(super) clock: Option<(Arc<dyn Clock>, i64)>,
}

impl Rows {
    pub(super) fn new(instance: Instance) -> Self {
        Self { tables: Tables::default(), new_events: Vec::new(), newest_event_at: None, instance, clock: None }
    }
}
