//! The use cases of the back office, and their ports. Each use case is one transaction that
//! includes its audit event and its changes.
//!
//! The use cases of a tenant are methods of [`Office`], which has an [`AuditContext`]: the instant,
//! the actor, its authority, and the id of the audit event. All are determined before the
//! transaction, because its closure may run again. Reads are methods of [`OfficeReader`], which
//! checks the authority and records nothing, or of [`UnguardedOffice`], which checks none. What
//! belongs to no tenant yet, or to all of them, is a function of the store: those that check no
//! authority are in [`unguarded`].
//!
//! A denial is returned as an [`OfficeError`] inside `Ok`; `Err` means that the store failed. This
//! module knows neither commands nor requests nor passwords: verifiers are computed by the caller.

mod api_keys;
mod audit;
mod context;
mod devices;
mod differences;
mod error;
mod list_export;
mod mail;
pub mod ports;
mod queries;
mod resets;
mod roles;
mod sessions;
mod set_up;
mod stores;
mod summary;
mod tenants;
mod text;
mod tickets;
mod traversal;
pub mod unguarded;
mod users;

use std::time::Duration;

use serde_json::{Map, Value};

use crate::{Action, ApiKeyId, Authority, Event, Instant, KnownRight, MissingRight, Rights, Store, Subject, TenantId};

pub use api_keys::add::NewApiKey;
pub use api_keys::change::ApiKeyChange;
pub use api_keys::rotate::{DEFAULT_SECRET_OVERLAP, MAX_SECRET_OVERLAP, SecretRotation};
pub use api_keys::unrestricted::audit_api_keys;
pub use api_keys::views::ApiKeyView;
pub use audit::export::export_page;
pub use audit::sealing::SealResult;
pub use audit::verification::{AuditFault, AuditVerification};
pub use audit::verifications::{
    FaultReport, RunningCheck, SealState, VERIFICATION_INTERVAL, Verification, VerificationReport, VerificationState,
};
pub use context::{AuditContext, OS_USER_DETAIL};
pub use devices::add::NewDevice;
pub use devices::change::{DeviceChange, MAX_SETTINGS, PreferencesChange, SettingsChange, validate_preferences};
pub use devices::enrollment::{NewEnrollment, check_enrollment_lifetime};
pub use devices::pending_key::{KeyAcceptance, PendingKeyView, TypedCode};
pub use devices::search::DeviceView;
pub use error::{FieldName, OfficeError, RangeViolation, UseCaseResult};
pub use list_export::ExportedList;
pub use mail::{LinkMail, MailDispatch, MailToken};
pub use ports::{
    ApiKeyFilter, ChangeMark, DEFAULT_PAGE_SIZE, DeviceFilter, EventFilter, EventView, MAX_FETCH_ROWS, MAX_PAGE_SIZE,
    OfficePorts, OfficeTx, OffsetPageRequest, PageRequest, PageWithTotal, UserCursor, UserOrder,
};
pub use queries::collect_pages;
pub use resets::password::{ResetDispatch, ResetGrant};
pub use roles::add::NewRole;
pub use roles::change::RoleChange;
pub use roles::views::RoleView;
pub use sessions::end::SessionTarget;
pub use set_up::{SetUp, SetUpContexts, SetUpOutcome, set_up_tenant};
pub use stores::change::StoreChange;
pub use summary::{OfficeSummary, SealSummary, SeatSummary};
pub use tenants::add::{NewTenant, add_tenant};
pub use tenants::change::{LimitsChange, TenantChange};
pub use tenants::register::{TenantRegistration, register_tenant};
pub use text::{check_description, check_new_label, check_new_name, check_setting, normalize_search_text};
pub use tickets::{
    DEFAULT_FISCAL_NAME, IdempotentRequest, ItemInput, NewRefund, NewTicket, OwnerRef, TicketAmendment, TicketChange,
    TicketClosing, TicketCreation, TicketSearch, TicketView, UncheckedAmendment,
};
pub use traversal::{ListPage, ListPart, Traversal, TraversalPhase};
pub use users::add::NewUser;
pub use users::assignment::{DeviceRoleAssignment, DeviceRolesChange};
pub use users::change::UserChange;
pub use users::context_words::email_context_words;
pub use users::count::UserCount;
pub use users::email_verification::EmailVerificationView;
pub use users::named_fields::{EntityChange, NamedFields};
pub use users::password::PasswordOptions;
pub use users::search::{RankedUserView, UserSearch};
pub use users::views::{UserView, UserViewQuery};

/// The back office of one tenant for one use case: every method checks the authority of the
/// context, and one that changes something records one audit event under the context's event id.
#[derive(Clone)]
pub struct Office<'s> {
    store: &'s dyn Store<OfficePorts>,
    tenant: TenantId,
    context: AuditContext,
    /// The greatest age of a proof, if the caller's is older.
    stale_proof: Option<Duration>,
    /// The API key that authenticates the caller.
    api_key: Option<ApiKeyId>,
}

/// The reads of one tenant that check the authority of the caller. They record nothing, so they
/// need no audit context.
#[derive(Clone)]
pub struct OfficeReader<'s> {
    store: &'s dyn Store<OfficePorts>,
    tenant: TenantId,
    at: Instant,
    authority: Authority,
}

/// The reads of one tenant that check no authority. Call them only if the request is authorized, or
/// if its response does not depend on the result.
#[derive(Clone, Copy)]
pub struct UnguardedOffice<'s> {
    store: &'s dyn Store<OfficePorts>,
    tenant: TenantId,
}

impl<'s> Office<'s> {
    /// The office of the tenant for a use case with this context.
    pub fn new(store: &'s dyn Store<OfficePorts>, tenant: TenantId, context: AuditContext) -> Self {
        Self { store, tenant, context, stale_proof: None, api_key: None }
    }

    /// The same office for a caller whose identity was proved longer ago than this greatest age,
    /// which denies acts that require a recent proof. `None` denies nothing.
    #[must_use]
    pub fn with_stale_proof(self, max_age: Option<Duration>) -> Self {
        Self { stale_proof: max_age, ..self }
    }

    /// The same office for a caller that is authenticated by this API key; `None` for any other.
    #[must_use]
    pub fn with_api_key(self, api_key: Option<ApiKeyId>) -> Self {
        Self { api_key, ..self }
    }

    /// Checks that the caller's identity was proved recently, for an act that gives or takes access
    /// or cannot be undone.
    fn require_recent_proof(&self) -> Result<(), OfficeError> {
        self.stale_proof.map_or(Ok(()), |max_age| Err(OfficeError::ProofTooOld { max_age }))
    }

    /// The reads of the same tenant with the same authority.
    pub fn reader(&self) -> OfficeReader<'s> {
        OfficeReader::new(self.store, self.tenant, self.context.at, self.context.authority.clone())
    }

    /// The reads of the same tenant that check no authority.
    pub fn unguarded(&self) -> UnguardedOffice<'s> {
        UnguardedOffice::new(self.store, self.tenant)
    }

    /// Checks that the caller has the right.
    fn require(&self, right: KnownRight) -> Result<(), MissingRight> {
        self.context.authority.require(right)
    }

    /// Checks that the caller has all of these rights.
    fn require_all(&self, rights: &Rights) -> Result<(), MissingRight> {
        self.context.authority.require_all(rights)
    }

    /// Builds the audit event of the use case.
    fn build_event(&self, action: Action, subject: Subject, details: Map<String, Value>) -> Event {
        self.context.build_event(self.tenant, action, subject, details)
    }
}

impl<'s> OfficeReader<'s> {
    /// The reads of this tenant for a caller with this authority, at this instant.
    pub fn new(store: &'s dyn Store<OfficePorts>, tenant: TenantId, at: Instant, authority: Authority) -> Self {
        Self { store, tenant, at, authority }
    }

    /// Checks that the caller has the right.
    fn require(&self, right: KnownRight) -> Result<(), MissingRight> {
        self.authority.require(right)
    }
}

impl<'s> UnguardedOffice<'s> {
    /// The reads of this tenant.
    pub fn new(store: &'s dyn Store<OfficePorts>, tenant: TenantId) -> Self {
        Self { store, tenant }
    }
}
