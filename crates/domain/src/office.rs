//! The use cases of the back office, each one transaction with its audit event and its changes, and the ports that they need.
//!
//! Every use case takes a [`Stamp`]: when, by whom, with which authority, and the id of the audit line, all drawn before the
//! transaction because its closure may run again. What is decided against comes back as a [`Refused`] inside `Ok`; `Err` means
//! that the store failed. Nothing here knows a command line, a request or a password: verifiers are made outside.

mod add_api_key;
mod add_device;
mod add_role;
mod add_store;
mod add_tenant;
mod add_user;
mod api_keys;
mod assignment;
mod change_api_key;
mod change_device;
mod change_role;
mod change_store;
mod change_tenant;
mod change_user;
mod count_users;
mod devices;
mod differences;
mod end_sessions;
mod growing_keys;
mod last_admin;
mod named_fields;
mod own_tenant;
mod password_words;
mod people;
pub mod ports;
mod read;
mod read_audit;
mod refused;
mod register_user;
mod register_vendor;
mod reset_password;
mod reset_queue;
mod seal_audit;
mod search_devices;
mod search_users;
mod set_password;
mod stamp;
mod text;
mod tickets;
mod unlock;
mod verify_audit;

pub use add_api_key::{NewApiKey, add_api_key};
pub use add_device::{NewDevice, add_device, may_add_device};
pub use add_role::{NewRole, add_role};
pub use add_store::add_store;
pub use add_tenant::{NewTenant, add_tenant};
pub use add_user::{NewUser, add_user, may_add_user};
pub use api_keys::{KnownApiKey, find_api_key, known_api_key, list_api_keys};
pub use assignment::{DeviceRoles, RolesOn};
pub use change_api_key::{ApiKeyChange, change_api_key, delete_api_key};
pub use change_device::{
    DeviceChange, MAX_SETTINGS, PreferencesChange, SettingsChange, bounded_preferences, change_device,
    set_device_status,
};
pub use change_role::{RoleChange, change_role, delete_role};
pub use change_store::{close_store, rename_store};
pub use change_tenant::{LimitsChange, TenantChange, change_tenant};
pub use change_user::{UserChange, assign_roles, change_user, set_user_status, toggle_user};
pub use count_users::{UserCount, count_users};
pub use devices::devices_among;
pub use end_sessions::{Whose, end_sessions};
pub use growing_keys::{api_key_details, growing_api_keys};
pub use named_fields::{NamedFields, refused_names};
pub use password_words::{email_words, password_words};
pub use people::{PeopleSearch, Person, find_person, list_people, person};
pub use ports::{
    ApiKeyFilter, DeviceFilter, EventFilter, Found, OfficeTx, OfficeView, Page, Part, Told, UserCursor, UserOrder,
};
pub use read::{
    all, any_user, device_named, find_device, find_role, find_tenant, find_user, list_devices, list_present_users,
    list_roles, list_tenants, list_users, role_named, tenant_named, user_named,
};
pub use read_audit::{find_event, list_events, read_audit, search_audit};
pub use refused::{Decided, Field, Refused, Span};
pub use register_user::register_user;
pub use register_vendor::{NewVendor, register_vendor};
pub use reset_password::{
    Grant, Taken, abandon_reset, ask_reset, grant_reset, reset_holder, reset_password, retry_reset, settle_reset,
    sweep_resets,
};
pub use reset_queue::pending_resets;
pub use seal_audit::{SealedUp, has_seal, seal_audit, unsealed_audit};
pub use search_devices::{Equipped, equipped, find_equipped, search_devices};
pub use search_users::{Ranked, UserSearch, find_ranked, search_users};
pub use set_password::{PasswordOptions, may_set_password, remove_password, set_password, set_password_with};
pub use stamp::{Authority, SHELL, Stamp};
pub use text::{check_description, check_new_label, check_new_name, check_setting};
pub use tickets::{
    DEFAULT_FISCAL_NAME, Made, NewRefund, NewTicket, Once, Owner, Shown, TicketAmendment, TicketChange, TicketClosing,
    TicketSearch, WantedLine, amend_tickets, close_ticket, count_tickets, find_ticket, find_tickets, list_tickets,
    list_tickets_while, open_ticket, put_ticket, refund_ticket, sweep_idempotency_keys, void_ticket,
};
pub use unlock::unlock;
pub use verify_audit::{Fault, Verified, verify_audit};
