//! Schemas of single values that the document refers to by name: enumerations, decimals,
//! currencies. A member refers to one by `value_type` and keeps its own description; the
//! description is lost if a function writes the schema of the member (`schema_with`).

use tillgate_domain::ticket::{PaymentMethod, TicketStatus};
use tillgate_domain::{Action, EventOutcome, SubjectKind};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::key_status::KeyStatus;
use crate::openapi::enum_schema;

/// A member of a response: omitted if the outer option is `None`, null if the inner one is.
pub(super) type Omittable<T> = Option<Option<T>>;

/// Declares a type without values for each named schema.
macro_rules! named {
    ($($name:ident: $schema:expr),* $(,)?) => {$(
        pub(super) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }

        impl ToSchema for $name {}
    )*};
}

named! {
    UserStatus: enum_schema(tillgate_domain::UserStatus::ALL.map(tillgate_domain::UserStatus::name)),
    FirstStatus: enum_schema(["active", "pending"]),
    InvitationDelivery: enum_schema(["show", "mail"]),
    DeviceStatus: enum_schema(tillgate_domain::DeviceStatus::ALL.map(tillgate_domain::DeviceStatus::name)),
    DeviceKeyState: enum_schema(tillgate_domain::DeviceKeyState::ALL.iter().map(|state| state.name())),
    KeyStorage: enum_schema(tillgate_domain::KeyStorage::ALL.iter().map(|storage| storage.name())),
    EnrollmentState: enum_schema(tillgate_domain::EnrollmentState::ALL.iter().map(|state| state.name())),
    PendingKeyState: enum_schema(tillgate_domain::PendingKeyStatus::ALL.iter().map(|state| state.name())),
    ApiKeyStatus: enum_schema(KeyStatus::ALL.map(KeyStatus::name)),
    Environment: enum_schema(tillgate_domain::Environment::ALL.map(tillgate_domain::Environment::name)),
    Environments: ArrayBuilder::new().items(Environment::schema()).min_items(Some(1)),
    RightNames: ArrayBuilder::new().items(pattern_schema("^[a-z][A-Za-z0-9]{0,63}$")).min_items(Some(1)),
    EndedWhy: enum_schema(tillgate_domain::EndReason::ALL.map(tillgate_domain::EndReason::name)),
    SessionKind: enum_schema(tillgate_auth_core::SessionKind::ALL.map(tillgate_auth_core::SessionKind::name)),
    AuditAction: enum_schema(Action::ALL.iter().map(|action| action.name())),
    AuditOutcome: enum_schema(EventOutcome::ALL.iter().map(|outcome| outcome.name())),
    AuditSubjectKind: enum_schema(SubjectKind::ALL.iter().map(|kind| kind.name())),
    VerificationState: enum_schema(["running", "done", "interrupted"]),
    TicketState: enum_schema(TicketStatus::ALL.map(TicketStatus::name)),
    TicketItemKind: enum_schema(["positive", "negative", "returned"]),
    PaymentMeans: enum_schema(PaymentMethod::ALL.map(PaymentMethod::name)),
    Currency: pattern_schema("^[A-Z]{3}$"),
    Decimal: pattern_schema(r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$"),
}

fn pattern_schema(pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern))
}
