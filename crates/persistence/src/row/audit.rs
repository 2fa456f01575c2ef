//! Rows of `audit`: the columns that are read in the same way everywhere. The text columns are read
//! as text to list events, and as bytes to seal them.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Nullable};

/// The instant of an event and its ids: its own, and those of its actor and subject.
#[derive(QueryableByName)]
pub(crate) struct EventKeys {
    #[diesel(sql_type = Binary)]
    pub(crate) id: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    pub(crate) at: i64,
    #[diesel(sql_type = Nullable<Binary>)]
    pub(crate) tenant_id: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub(crate) user_id: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub(crate) device_id: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub(crate) session_id: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub(crate) subject_id: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub(crate) approver_id: Option<Vec<u8>>,
}
