//! The use cases of the back office, and their ports. Each use case is one transaction that
//! includes its audit event and its changes.
//!
//! Every use case takes an [`AuditContext`]: the instant, the actor, its authority, and the id of
//! the audit event. All are determined before the transaction, because its closure may run again. A
//! denial is returned as an [`OfficeError`] inside `Ok`; `Err` means that the store failed. This
//! module knows neither commands nor requests nor passwords: verifiers are computed by the caller.

mod api_keys;
mod audit;
mod context;
mod devices;
mod differences;
mod error;
pub mod ports;
mod queries;
mod resets;
mod roles;
mod sessions;
mod stores;
mod tenants;
mod text;
mod tickets;
mod users;

pub use api_keys::add::{NewApiKey, add_api_key};
pub use api_keys::change::{ApiKeyChange, change_api_key, delete_api_key};
pub use api_keys::unrestricted::{audit_api_keys, list_unrestricted_api_keys};
pub use api_keys::views::{ApiKeyView, find_api_key, list_api_keys, load_api_key_view};
pub use audit::queries::{find_event, list_events, read_audit, search_audit};
pub use audit::sealing::{SealResult, count_unsealed_audit, has_seal, seal_audit};
pub use audit::verification::{AuditFault, AuditVerification, verify_audit};
pub use context::{AuditContext, Authority, OS_USER_DETAIL};
pub use devices::add::{NewDevice, add_device, authorize_add_device};
pub use devices::change::{
    DeviceChange, MAX_SETTINGS, PreferencesChange, SettingsChange, change_device, set_device_status,
    validate_preferences,
};
pub use devices::lookup::find_devices;
pub use devices::search::{DeviceView, find_device_view, load_device_view, search_devices};
pub use error::{FieldName, OfficeError, RangeViolation, UseCaseResult};
pub use ports::{
    ApiKeyFilter, DeviceFilter, EventFilter, EventView, OfficePorts, OfficeTx, OffsetPageRequest, PageRequest,
    PageWithTotal, UserCursor, UserOrder,
};
pub use queries::{
    any_user_exists, collect_pages, find_device, find_device_by_name, find_role, find_role_by_name, find_tenant,
    find_tenant_by_slug, find_user, find_user_by_name, list_devices, list_roles, list_tenants, list_undeleted_users,
    list_users,
};
pub use resets::password::{
    ResetDispatch, ResetGrant, abandon_reset, complete_reset, find_reset_user, grant_reset, request_reset,
    reset_password, retry_reset, sweep_resets,
};
pub use resets::queue::select_pending_resets;
pub use roles::add::{NewRole, add_role};
pub use roles::change::{RoleChange, change_role, delete_role};
pub use sessions::end::{SessionTarget, end_sessions};
pub use stores::add::add_store;
pub use stores::change::{close_store, rename_store};
pub use tenants::add::{NewTenant, add_tenant};
pub use tenants::change::{LimitsChange, TenantChange, change_tenant};
pub use tenants::register::{TenantRegistration, register_tenant};
pub use text::{check_description, check_new_label, check_new_name, check_setting};
pub use tickets::{
    DEFAULT_FISCAL_NAME, IdempotentRequest, ItemInput, NewRefund, NewTicket, OwnerRef, TicketAmendment, TicketChange,
    TicketClosing, TicketCreation, TicketSearch, TicketView, amend_tickets, close_ticket, count_tickets, find_ticket,
    find_tickets, list_tickets, list_tickets_while, open_ticket, put_ticket, refund_ticket, sweep_idempotency_keys,
    void_ticket,
};
pub use users::add::{NewUser, add_user, authorize_add_user};
pub use users::assignment::{DeviceRoleAssignment, DeviceRolesChange};
pub use users::change::{UserChange, assign_roles, change_user, set_user_status, toggle_user};
pub use users::context_words::{email_context_words, list_context_words};
pub use users::count::{UserCount, count_users};
pub use users::named_fields::{NamedFields, refused_names};
pub use users::password::{PasswordOptions, authorize_set_password, remove_password, set_password, set_password_with};
pub use users::register::register_user;
pub use users::search::{RankedUserView, UserSearch, find_ranked_user, search_users};
pub use users::unlock::unlock_principal;
pub use users::views::{UserView, UserViewQuery, find_user_view, list_user_views, load_user_view};
