//! Stores in responses of the native API.

use serde::Serialize;
use tillgate_domain::{Branch, BranchId, Zone};
use utoipa::ToSchema;

/// A store of the tenant.
#[derive(Serialize, ToSchema)]
#[schema(as = Store)]
pub struct StoreBody<'b> {
    /// Id of the store; it never changes.
    #[schema(value_type = uuid::Uuid)]
    id: BranchId,
    /// Display name of the store.
    name: &'b str,
    /// Time zone in which the store's times are shown; null for that of the tenant.
    zone: Option<&'b str>,
}

impl<'b> StoreBody<'b> {
    /// Converts a store.
    pub fn from_branch(branch: &'b Branch) -> Self {
        Self { id: branch.id, name: &branch.name, zone: branch.zone.as_ref().map(Zone::name) }
    }
}
