//! Rows of `audit`: the columns that everybody reads alike. The texts are read as texts by whoever shows a line, as bytes by whoever
//! seals it.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Nullable};

/// When a line was told, and the ids in it: its own, of who did it and of what it was done to.
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
