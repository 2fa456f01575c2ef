//! Rows as the tables hold them, and the way from and to the domain's types. A value that is none names its table and column
//! and never shows itself.

mod api_key;
mod audit;
mod device;
mod key;
mod reset;
mod role;
mod session;
mod tenant;
mod ticket;
mod user;

use std::net::IpAddr;

use serde_json::error::Category;
use tillgate_domain::{Instant, StoreError, Stored};
use uuid::Uuid;

pub(crate) use api_key::ApiKeyRow;
pub(crate) use audit::LineKeys;
pub(crate) use device::{DeviceRow, NewDeviceRow};
pub(crate) use key::KeyRow;
pub(crate) use reset::{ResetRequestRow, ResetRow};
pub(crate) use role::RoleRow;
pub(crate) use session::{SessionRow, day};
pub(crate) use tenant::{BranchRow, LimitColumns, TenantRow};
pub(crate) use ticket::{COLUMNS as TICKET_COLUMNS, TicketRow, TicketTexts, sheet_text};
pub(crate) use user::{NewUserRow, UserRow};

/// A table and one of its columns, for what is wrong with a value in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell(pub(crate) &'static str, pub(crate) &'static str);

impl Cell {
    /// The value is no such thing.
    pub(crate) fn corrupt(self, detail: impl Into<String>) -> StoreError {
        StoreError::Corrupt { table: self.0, column: self.1, detail: detail.into() }
    }

    /// An id.
    pub(crate) fn uuid(self, bytes: &[u8]) -> Stored<Uuid> {
        Uuid::from_slice(bytes).map_err(|_| self.corrupt(format!("an id has 16 bytes, this one {}", bytes.len())))
    }

    /// An id that may be missing.
    pub(crate) fn uuid_or_none(self, bytes: Option<&[u8]>) -> Stored<Option<Uuid>> {
        bytes.map(|bytes| self.uuid(bytes)).transpose()
    }

    /// One of a closed set of words.
    pub(crate) fn word<T: Copy>(self, all: &[T], name: impl Fn(T) -> &'static str, text: &str) -> Stored<T> {
        all.iter().copied().find(|each| name(*each) == text).ok_or_else(|| self.corrupt("a word that is not known"))
    }

    /// What the domain parses; its errors say what is expected, not what was found.
    pub(crate) fn parsed<T, E: std::fmt::Display>(self, parsed: Result<T, E>) -> Stored<T> {
        parsed.map_err(|error| self.corrupt(error.to_string()))
    }

    /// A value in JSON.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(self, text: &str) -> Stored<T> {
        serde_json::from_str(text).map_err(|error| {
            let what = match error.classify() {
                Category::Data => "JSON of another shape",
                Category::Io | Category::Syntax | Category::Eof => "not JSON",
            };
            self.corrupt(format!("{what}, at column {}", error.column()))
        })
    }

    /// A network address that may be missing.
    pub(crate) fn address(self, text: Option<&str>) -> Stored<Option<IpAddr>> {
        text.map(|text| self.parsed(text.parse())).transpose()
    }
}

/// An id that is answered under the name `id`.
#[derive(diesel::QueryableByName)]
pub(crate) struct Id {
    #[diesel(sql_type = diesel::sql_types::Binary)]
    pub(crate) id: Vec<u8>,
}

/// What a `COUNT` answers under the name `number`.
#[derive(diesel::QueryableByName)]
pub(crate) struct Counted {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    number: i64,
}

impl Counted {
    /// How many.
    pub(crate) fn number(&self) -> u64 {
        u64::try_from(self.number).unwrap_or_default()
    }
}

/// A value as JSON.
pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Stored<String> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Fault(format!("a value cannot be written as JSON: {error}")))
}

/// The bytes of an id.
pub(crate) fn bytes(id: &Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}

/// The milliseconds of an instant.
pub(crate) fn millis(at: Option<Instant>) -> Option<i64> {
    at.map(Instant::millis)
}

/// An instant of these milliseconds.
pub(crate) fn instant(millis: Option<i64>) -> Option<Instant> {
    millis.map(Instant::from_millis)
}
