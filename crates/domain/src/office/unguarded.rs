//! What belongs to no tenant yet, or to all of them, and checks no authority: reads and work of the
//! server itself, and requests that a token proves. Call it only if the request is authorized, or
//! on the server's own behalf.

pub use super::audit::export::start_audit_export;
pub use super::audit::queries::{read_audit, search_audit};
pub use super::audit::sealing::{count_unsealed_audit, has_seal, seal_audit};
pub use super::audit::verification::verify_audit;
pub use super::audit::verifications::finish_verification;
pub use super::devices::enrollment::{sweep_enrollments, sweep_pending_keys};
pub use super::mail::{claim_mail, complete_mail, list_due_mails, release_mail, retry_mail, sweep_mails};
pub use super::queries::{any_user_exists, find_tenant_by_slug, list_tenants};
pub use super::resets::password::{
    abandon_reset, complete_reset, find_reset_user, grant_reset, release_reset, request_reset, reset_password,
    retry_reset, sweep_resets,
};
pub use super::resets::queue::select_pending_resets;
pub use super::set_up::{find_setup_token, put_setup_token};
pub use super::tickets::sweep_idempotency_keys;
pub use super::users::count::count_users;
pub use super::users::email_verification::{find_email_verification, sweep_email_verifications, verify_email};
pub use super::users::invitations::{accept_invitation, find_invited_user, sweep_invitations};
