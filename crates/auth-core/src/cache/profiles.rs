//! The cache of profiles, in bounded memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tillgate_domain::{Device, DeviceId, Email, Locale, PrincipalId, RoleId, Tenant, TenantId, User};

use super::allocation_bytes;
use super::bounded_cache::BoundedCache;
use crate::Profile;
use crate::revocations::Version;

/// A profile with the version at which its reading began.
#[derive(Clone)]
struct CachedProfile {
    profile: Arc<Profile>,
    read_version: Version,
}

/// Profiles of principals on devices.
pub(crate) struct ProfileCache {
    profiles: BoundedCache<(PrincipalId, Option<DeviceId>), CachedProfile>,
    tenants: SharedTenants,
}

impl ProfileCache {
    /// An empty cache of at most `limit` bytes.
    pub(crate) fn with_limit(limit: u64) -> Self {
        let profiles = BoundedCache::new(limit, |_, read: &CachedProfile| profile_bytes(&read.profile));
        Self { profiles, tenants: SharedTenants::default() }
    }

    /// The size in bytes, without the tenants.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.profiles.size_bytes()
    }

    /// The profile as a shared value, which shares its tenant with other profiles.
    pub(crate) fn share(&self, mut profile: Profile) -> Arc<Profile> {
        profile.tenant = self.tenants.share(profile.tenant);
        Arc::new(profile)
    }

    /// The profile, if its reading began at or after the version of its newest invalidation.
    pub(crate) fn get(
        &self,
        principal: PrincipalId,
        device: Option<DeviceId>,
        invalidated_at: Version,
    ) -> Option<Arc<Profile>> {
        let read = self.profiles.get(&(principal, device))?;
        (read.read_version >= invalidated_at).then_some(read.profile)
    }

    /// Stores a profile whose reading began at this version. Keeps an entry that was read later,
    /// and this very entry: to store it again would weigh it again at every refresh.
    pub(crate) fn insert(
        &self,
        principal: PrincipalId,
        device: Option<DeviceId>,
        profile: &Arc<Profile>,
        read_version: Version,
    ) {
        let key = (principal, device);
        let is_newer = |read: CachedProfile| read.read_version <= read_version && !Arc::ptr_eq(&read.profile, profile);
        if self.profiles.get(&key).is_none_or(is_newer) {
            self.profiles.insert(key, CachedProfile { profile: Arc::clone(profile), read_version });
        }
    }
}

/// The tenants of the profiles in use, which share the data of their tenant.
#[derive(Default)]
struct SharedTenants(Mutex<HashMap<TenantId, Weak<Tenant>>>);

impl SharedTenants {
    /// The tenant that other profiles use, if it is the same in every respect; otherwise this one,
    /// for profiles from now on.
    fn share(&self, tenant: Arc<Tenant>) -> Arc<Tenant> {
        let mut tenants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = tenants.get(&tenant.id).and_then(Weak::upgrade)
            && shared == tenant
        {
            return shared;
        }
        if tenants.len() == tenants.capacity() {
            tenants.retain(|_, tenant| tenant.strong_count() > 0);
        }
        tenants.insert(tenant.id, Arc::downgrade(&tenant));
        tenant
    }
}

/// The memory of a profile without its tenant, estimated from above.
fn profile_bytes(profile: &Profile) -> usize {
    let roles = allocation_bytes(profile.roles.capacity() * size_of::<String>())
        + profile.roles.iter().map(|role| allocation_bytes(role.len())).sum::<usize>();
    let user = profile.user.as_ref().map_or(0, user_bytes);
    let device = profile.device.as_ref().map_or(0, device_bytes);
    allocation_bytes(size_of::<Profile>() + 2 * size_of::<usize>())
        + profile.rights.heap_bytes()
        + roles
        + user
        + device
}

fn user_bytes(user: &User) -> usize {
    let User { name, email, display_name, feature, locale, .. } = user;
    let texts = [
        name.as_str(),
        email.as_ref().map_or("", Email::as_str),
        display_name,
        feature.as_deref().unwrap_or_default(),
        locale.as_ref().map_or("", Locale::as_str),
    ];
    texts.into_iter().map(|text| allocation_bytes(text.len())).sum()
}

fn device_bytes(device: &Device) -> usize {
    let preferences = serde_json::to_string(&device.preferences).map_or(0, |text| text.len().saturating_mul(4));
    let settings: usize =
        device.settings.iter().map(|(key, value)| allocation_bytes(key.len()) + allocation_bytes(value.len())).sum();
    allocation_bytes(device.name.as_str().len())
        + allocation_bytes(device.description.len())
        + preferences
        + settings
        + tree_bytes(device.settings.len(), 2 * size_of::<String>())
        + tree_bytes(device.roles.len(), size_of::<RoleId>())
}

/// The nodes of a B-tree with entries of this size: each has space for eleven and at least five.
fn tree_bytes(entries: usize, entry_bytes: usize) -> usize {
    const CAPACITY: usize = 11;
    let node_bytes = allocation_bytes(CAPACITY * entry_bytes + 16 + 2 * CAPACITY);
    if entries == 0 { 0 } else { (1 + entries / 5) * node_bytes }
}

#[cfg(test)]
mod tests {
    use tillgate_domain::{Epoch, Instant, SessionLimits, Slug, Zone};
    use uuid::Uuid;

    use super::*;

    fn tenant(id: u128, name: &str) -> Arc<Tenant> {
        Arc::new(Tenant {
            id: TenantId(Uuid::from_u128(id)),
            slug: Slug::parse("shop").unwrap(),
            name: name.to_owned(),
            zone: Zone::UTC,
            locale: Locale::parse("en").unwrap(),
            accent_color: None,
            machine_codes: true,
            limits: SessionLimits::default(),
            branches: Vec::new(),
            epoch: Epoch(1),
            created_at: Instant::from_millis(0),
            version: 1,
        })
    }

    #[test]
    fn equal_tenants_are_shared_and_changed_ones_replaced() {
        let tenants = SharedTenants::default();
        let first = tenants.share(tenant(1, "Shop"));
        assert!(Arc::ptr_eq(&first, &tenants.share(tenant(1, "Shop"))));
        let renamed = tenants.share(tenant(1, "Market"));
        assert_eq!((first.name.as_str(), renamed.name.as_str()), ("Shop", "Market"));
        assert!(Arc::ptr_eq(&renamed, &tenants.share(tenant(1, "Market"))));
    }

    #[test]
    fn tenants_without_profiles_are_forgotten() {
        let tenants = SharedTenants::default();
        let used = tenants.share(tenant(0, "Shop"));
        (1..10_000).for_each(|id| drop(tenants.share(tenant(id, "Shop"))));
        let known = tenants.0.lock().unwrap();
        assert!(known.len() < 100 && known.contains_key(&used.id), "{} tenants", known.len());
    }
}
