//! An open transaction: every port is implemented on it.

use tillgate_domain::Change;

use crate::connection::AnyConnection;

/// An open transaction on either database.
pub(crate) struct Transaction<'a> {
    /// The connection that it is open on.
    pub(crate) connection: &'a mut AnyConnection,
    /// What the observer is told once it is committed.
    pub(crate) changes: &'a mut Vec<Change>,
}
