//! Everything that the in-memory store holds: the tables, and beside them the indexes that spare a lookup from reading them all.

use std::sync::Arc;
use std::time::Duration;

use tillgate_domain::audit::seal::Seal;
use tillgate_domain::office::ports::{Reset, ResetDigest, ResetRequest, ScopedIdempotencyKey, StoredResponse};
use tillgate_domain::ticket::{NumberSeries, Ticket};
use tillgate_domain::{
    ApiKeyId, Change, Device, DeviceId, Event, EventId, FoldedText, Instant, KeyId, NodeId, PrincipalId, ResetId, Role,
    RoleId, SessionId, Slug, Tenant, TenantId, TicketId, User, UserId,
};
use uuid::Uuid;

use super::seals::SealRow;
use super::table::{Table, Undo};
use crate::Session;
use crate::clock::Clock;
use crate::ports::{
    Bucket, CountKey, Credential, CredentialKind, Instance, Node, SignatureDigest, StoredKey, WrappedApiKey,
};

/// A bucket with what it is grouped by and when it was last touched.
#[derive(Clone)]
pub(super) struct BucketRow {
    pub(super) bucket: Bucket,
    pub(super) principal: Option<Uuid>,
    pub(super) updated_at: Instant,
}

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident: $key:ty => $value:ty),* $(,)?) => {
        /// The tables. What is written to one is kept or undone with all the others.
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
    /// Users who are not deleted.
    user_names: (TenantId, FoldedText) => UserId,
    /// Users who are not deleted.
    emails: FoldedText => UserId,
    devices: DeviceId => Device,
    /// Devices that are not retired.
    device_names: (TenantId, FoldedText) => DeviceId,
    roles: RoleId => Role,
    role_names: (TenantId, FoldedText) => RoleId,
    credentials: (PrincipalId, CredentialKind) => Credential,
    sessions: SessionId => Session,
    /// When generations of sessions were first used.
    first_uses: (SessionId, i64) => Instant,
    /// When sessions were rotated, by the store's own clock where it has one.
    rotations: SessionId => (Duration, i64),
    by_user: (UserId, SessionId) => (),
    by_device: (DeviceId, SessionId) => (),
    by_parent: (SessionId, SessionId) => (),
    /// Sessions by when they were ended, or else are over if nothing happens.
    by_end: (Instant, SessionId) => (),
    buckets: CountKey => BucketRow,
    buckets_of: (Uuid, CountKey) => (),
    /// Wrong passwords by the bucket that they took a token of, and when they were tried.
    guesses: (CountKey, CountKey) => Instant,
    known_networks: (Uuid, CountKey) => Instant,
    keys: KeyId => StoredKey,
    /// By their number, which is never given twice to what was committed.
    changes: i64 => (Change, Instant),
    /// The number of the next change.
    next_change: () => i64,
    nodes: NodeId => Node,
    /// Processes that have stopped in good order.
    left_nodes: NodeId => Node,
    api_keys: ApiKeyId => WrappedApiKey,
    /// Keys of programs by their client ids.
    api_keys_by_client: String => ApiKeyId,
    reset_requests: ResetId => ResetRequest,
    resets: ResetDigest => Reset,
    tickets: (TenantId, TicketId) => Ticket,
    /// The numbers of receipts, and whose they are.
    receipt_numbers: (TenantId, NumberSeries, u64) => TicketId,
    /// The last number that was drawn of a series.
    receipt_series: (TenantId, NumberSeries) => u64,
    /// Requests that count once, and when they were made.
    responses: ScopedIdempotencyKey => (StoredResponse, Instant),
    signatures: SignatureDigest => Instant,
    signatures_by_time: (Instant, SignatureDigest) => (),
    /// Lines of the audit that were told.
    event_ids: EventId => (),
    /// Those of them that are sealed.
    seals: EventId => SealRow,
    by_sequence: i64 => EventId,
    newest_seal: () => Seal,
}

/// The tables, the lines that the open unit of work has told, and the store's own identity.
pub(super) struct Rows {
    pub(super) tables: Tables,
    pub(super) new_events: Vec<Event>,
    /// The newest instant of the lines that were told before.
    pub(super) newest_event_at: Option<Instant>,
    pub(super) instance: Instance,
    /// The store's own clock, and the number of the server that it is.
    pub(super) clock: Option<(Arc<dyn Clock>, i64)>,
}

impl Rows {
    pub(super) fn new(instance: Instance) -> Self {
        Self { tables: Tables::default(), new_events: Vec::new(), newest_event_at: None, instance, clock: None }
    }
}
