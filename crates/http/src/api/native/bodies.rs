//! The bodies of resources in responses, also for other output of the same data: what the command
//! line prints with `--json` are these bodies.

pub use super::api_keys::{ApiKeyBody, CreatedApiKeyBody};
pub use super::audit::export::AuditExportWriter;
pub use super::audit::fault::{AuditFaultBody, report_fault, report_missing_seal};
pub use super::audit::{AuditEventBody, TenantAuditEventBody};
pub use super::devices::DeviceBody;
pub use super::enrollments::export::{format_code_headings, format_code_row};
pub use super::enrollments::{DeviceKeyBody, EnrollmentBody, PendingKeyBody};
pub use super::export::ExportFormat;
pub use super::roles::RoleBody;
pub use super::sessions::SessionBody;
pub use super::stores::StoreBody;
pub use super::tenants::TenantBody;
pub use super::tickets::TicketBody;
pub use super::users::{InvitationBody, MailedLinkBody, UserBody};
