//! Rows of the tables, and their conversion from and to domain types. The error for an invalid
//! value names the table and column and never contains the value.

mod api_key;
mod audit;
mod device;
mod email_verification;
mod enrollment;
pub(crate) mod instance;
mod invitation;
mod key;
mod pending_key;
mod queued_mail;
mod reset;
mod role;
mod session;
mod tenant;
mod ticket;
mod user;

use std::net::IpAddr;

use serde_json::error::Category;
use tillgate_domain::{Instant, StoreError, StoreResult};
use uuid::Uuid;

pub(crate) use api_key::ApiKeyRow;
pub(crate) use audit::EventKeys;
pub(crate) use device::{DeviceRow, NewDeviceRow};
pub(crate) use email_verification::EmailVerificationRow;
pub(crate) use enrollment::{DeviceKeyRow, EnrollmentRow};
pub(crate) use invitation::InvitationRow;
pub(crate) use key::KeyRow;
pub(crate) use pending_key::PendingKeyRow;
pub(crate) use queued_mail::QueuedMailRow;
pub(crate) use reset::{ResetRequestRow, ResetRow};
pub(crate) use role::RoleRow;
pub(crate) use session::{SessionRow, day_number};
pub(crate) use tenant::{BranchRow, LimitColumns, TenantRow};
pub(crate) use ticket::{SELECT_COLUMNS as TICKET_COLUMNS, TicketRow, TicketTexts, sheet_json};
pub(crate) use user::{NewUserRow, UserRow};

/// A table and one of its columns, for errors about a stored value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column(pub(crate) &'static str, pub(crate) &'static str);

impl Column {
    /// The error for an invalid value in this column.
    pub(crate) fn corrupt(self, detail: impl Into<String>) -> StoreError {
        StoreError::Corrupt { table: self.0, column: self.1, detail: detail.into() }
    }

    pub(crate) fn parse_uuid(self, bytes: &[u8]) -> StoreResult<Uuid> {
        Uuid::from_slice(bytes)
            .map_err(|_| self.corrupt(format!("an id has 16 bytes, but this one has {}", bytes.len())))
    }

    pub(crate) fn parse_optional_uuid(self, bytes: Option<&[u8]>) -> StoreResult<Option<Uuid>> {
        bytes.map(|bytes| self.parse_uuid(bytes)).transpose()
    }

    /// Parses a digest or a thumbprint of 32 bytes.
    pub(crate) fn parse_digest(self, bytes: &[u8]) -> StoreResult<[u8; 32]> {
        self.check_parsed(<[u8; 32]>::try_from(bytes).map_err(|_| "no digest of 32 bytes"))
    }

    /// Parses one of a closed set of words.
    pub(crate) fn parse_word<T: Copy>(self, all: &[T], name: impl Fn(T) -> &'static str, text: &str) -> StoreResult<T> {
        all.iter().copied().find(|each| name(*each) == text).ok_or_else(|| self.corrupt("an unknown word"))
    }

    /// Passes on a value that the domain has parsed. The domain's errors say what is expected, not
    /// what was found.
    pub(crate) fn check_parsed<T, E: std::fmt::Display>(self, parsed: Result<T, E>) -> StoreResult<T> {
        parsed.map_err(|error| self.corrupt(error.to_string()))
    }

    pub(crate) fn parse_json<T: serde::de::DeserializeOwned>(self, text: &str) -> StoreResult<T> {
        serde_json::from_str(text).map_err(|error| {
            let what = match error.classify() {
                Category::Data => "JSON of another shape",
                Category::Io | Category::Syntax | Category::Eof => "not JSON",
            };
            self.corrupt(format!("{what}, at column {}", error.column()))
        })
    }

    pub(crate) fn parse_address(self, text: Option<&str>) -> StoreResult<Option<IpAddr>> {
        text.map(|text| self.check_parsed(text.parse())).transpose()
    }
}

/// A row with one column, `id`.
#[derive(diesel::QueryableByName)]
pub(crate) struct IdRow {
    #[diesel(sql_type = diesel::sql_types::Binary)]
    pub(crate) id: Vec<u8>,
}

/// A row with one column, `number`, as from a `COUNT`.
#[derive(diesel::QueryableByName)]
pub(crate) struct CountRow {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    number: i64,
}

impl CountRow {
    pub(crate) fn count(&self) -> u64 {
        u64::try_from(self.number).unwrap_or_default()
    }
}

pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> StoreResult<String> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Fault(format!("a value cannot be written as JSON: {error}")))
}

pub(crate) fn uuid_bytes(id: &Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}

pub(crate) fn to_millis(at: Option<Instant>) -> Option<i64> {
    at.map(Instant::millis)
}

pub(crate) fn from_millis(millis: Option<i64>) -> Option<Instant> {
    millis.map(Instant::from_millis)
}
