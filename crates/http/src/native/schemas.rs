//! The schemas of single values that the native API's document names: closed sets of words, decimals, currencies. A member refers to one by
//! `value_type` and says besides what it is itself; where a function writes the schema of a member (`schema_with`), that is lost.

use tillgate_domain::ticket::{Means, TicketStatus};
use tillgate_domain::{Action, Outcome, SubjectKind};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::api_keys::Status;
use crate::openapi::words_schema;

/// A type for each name, which nothing is ever of.
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
    UserStatus: words_schema(tillgate_domain::UserStatus::ALL.map(tillgate_domain::UserStatus::name)),
    FirstStatus: words_schema(["active", "pending"]),
    DeviceStatus: words_schema(tillgate_domain::DeviceStatus::ALL.map(tillgate_domain::DeviceStatus::name)),
    ApiKeyStatus: words_schema(Status::ALL.map(Status::name)),
    Environment: words_schema(tillgate_domain::Environment::ALL.map(tillgate_domain::Environment::name)),
    Environments: ArrayBuilder::new().items(Environment::schema()).min_items(Some(1)),
    RightNames: ArrayBuilder::new().items(pattern("^[a-z][A-Za-z0-9]{0,63}$")).min_items(Some(1)),
    EndedWhy: words_schema(tillgate_domain::EndedWhy::ALL.map(tillgate_domain::EndedWhy::name)),
    AuditAction: words_schema(Action::ALL.iter().map(|action| action.name())),
    AuditOutcome: words_schema(Outcome::ALL.iter().map(|outcome| outcome.name())),
    AuditSubjectKind: words_schema(SubjectKind::ALL.iter().map(|kind| kind.name())),
    TicketState: words_schema(TicketStatus::ALL.map(TicketStatus::name)),
    TicketItemKind: words_schema(["positive", "negative", "returned"]),
    PaymentMeans: words_schema(Means::ALL.map(Means::name)),
    Currency: pattern("^[A-Z]{3}$"),
    Decimal: pattern(r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$"),
}

fn pattern(pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern))
}
