//! The tenant of a mount that serves only one.

use std::sync::Arc;

use tillgate_auth_core::Error;
use tillgate_domain::{Slug, TenantId};

use crate::context::MountContext;
use crate::context::blocking_pool::run_blocking;
use crate::error::ApiError;

/// Finds the id of the tenant that a mount serves. It is looked up once.
///
/// # Errors
/// The store failed, or no tenant has this slug.
pub(crate) async fn find_tenant_id(mount: &Arc<MountContext>, slug: &Slug) -> Result<TenantId, ApiError> {
    if let Some(id) = mount.tenant_id.get() {
        return Ok(*id);
    }
    let slug = slug.clone();
    run_blocking(mount, move |mount| {
        let found = mount.server.auth.find_tenant_id(&slug)?;
        let id = found.ok_or_else(|| Error::unavailable(format!("the tenant {slug} of the mount does not exist")))?;
        Ok::<_, Error>(*mount.tenant_id.get_or_init(|| id))
    })
    .await
}
