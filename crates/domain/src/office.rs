//! The use cases of the back office, each one transaction with its audit event and its changes, and the ports that they need.
//!
//! Every use case takes a [`AuditContext`]: when, by whom, with which authority, and the id of the audit line, all drawn before the
//! transaction because its closure may run again. What is decided against comes back as a [`OfficeError`] inside `Ok`; `Err` means
//! that the store failed. Nothing here knows a command line, a request or a password: verifiers are made outside.

mod add_api_key;
mod add_device;
mod add_role;
mod add_store;
mod add_tenant;
mod add_user;
mod api_keys;
mod assignment;
mod audit_queries;
mod change_api_key;
mod change_device;
mod change_role;
mod change_store;
mod change_tenant;
mod change_user;
mod context;
mod context_words;
mod count_users;
mod devices;
mod differences;
mod end_sessions;
mod error;
mod last_admin;
mod named_fields;
pub mod ports;
mod queries;
mod register_tenant;
mod register_user;
mod reset_password;
mod reset_queue;
mod seal_audit;
mod search_devices;
mod search_users;
mod set_password;
mod tenant_row;
mod text;
mod tickets;
mod unlock;
mod unrestricted_keys;
mod user_views;
mod verify_audit;

pub use add_api_key::{NewApiKey, add_api_key};
pub use add_device::{NewDevice, add_device, authorize_add_device};
pub use add_role::{NewRole, add_role};
pub use add_store::add_store;
pub use add_tenant::{NewTenant, add_tenant};
pub use add_user::{NewUser, add_user, authorize_add_user};
pub use api_keys::{ApiKeyView, find_api_key, list_api_keys, load_api_key_view};
pub use assignment::{DeviceRoleAssignment, DeviceRolesChange};
pub use audit_queries::{find_event, list_events, read_audit, search_audit};
pub use change_api_key::{ApiKeyChange, change_api_key, delete_api_key};
pub use change_device::{
    DeviceChange, MAX_SETTINGS, PreferencesChange, SettingsChange, change_device, set_device_status,
    validate_preferences,
};
pub use change_role::{RoleChange, change_role, delete_role};
pub use change_store::{close_store, rename_store};
pub use change_tenant::{LimitsChange, TenantChange, change_tenant};
pub use change_user::{UserChange, assign_roles, change_user, set_user_status, toggle_user};
pub use context::{AuditContext, Authority, OS_USER_DETAIL};
pub use context_words::{email_context_words, list_context_words};
pub use count_users::{UserCount, count_users};
pub use devices::find_devices;
pub use end_sessions::{SessionTarget, end_sessions};
pub use error::{FieldName, OfficeError, RangeViolation, UseCaseResult};
pub use named_fields::{NamedFields, refused_names};
pub use ports::{
    ApiKeyFilter, DeviceFilter, EventFilter, EventView, OfficePorts, OfficeTx, OffsetPageRequest, PageRequest,
    PageWithTotal, UserCursor, UserOrder,
};
pub use queries::{
    any_user_exists, collect_pages, find_device, find_device_by_name, find_role, find_role_by_name, find_tenant,
    find_tenant_by_slug, find_user, find_user_by_name, list_devices, list_roles, list_tenants, list_undeleted_users,
    list_users,
};
pub use register_tenant::{TenantRegistration, register_tenant};
pub use register_user::register_user;
pub use reset_password::{
    ResetDispatch, ResetGrant, abandon_reset, complete_reset, find_reset_user, grant_reset, request_reset,
    reset_password, retry_reset, sweep_resets,
};
pub use reset_queue::select_pending_resets;
pub use seal_audit::{SealResult, count_unsealed_audit, has_seal, seal_audit};
pub use search_devices::{DeviceView, find_device_view, load_device_view, search_devices};
pub use search_users::{RankedUserView, UserSearch, find_ranked_user, search_users};
pub use set_password::{PasswordOptions, authorize_set_password, remove_password, set_password, set_password_with};
pub use text::{check_description, check_new_label, check_new_name, check_setting};
pub use tickets::{
    DEFAULT_FISCAL_NAME, IdempotentRequest, ItemInput, NewRefund, NewTicket, OwnerRef, TicketAmendment, TicketChange,
    TicketClosing, TicketCreation, TicketSearch, TicketView, amend_tickets, close_ticket, count_tickets, find_ticket,
    find_tickets, list_tickets, list_tickets_while, open_ticket, put_ticket, refund_ticket, sweep_idempotency_keys,
    void_ticket,
};
pub use unlock::unlock_principal;
pub use unrestricted_keys::{audit_api_keys, list_unrestricted_api_keys};
pub use user_views::{UserView, UserViewQuery, find_user_view, list_user_views, load_user_view};
pub use verify_audit::{AuditFault, AuditVerification, verify_audit};
