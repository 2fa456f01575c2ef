//! The terms of the sessions of enrolled devices. They outlive those of people: a till works
//! unattended, and its tokens are worthless without its key.

use std::time::Duration;

use tillgate_auth_core::{RefreshTerms, Terms};
use tillgate_domain::KeyStorage;

/// The terms of the sessions of enrolled devices, by where the device keeps its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TillTerms {
    hardware: Terms,
    software: Terms,
}

impl TillTerms {
    /// The terms with these lifetimes. A key in hardware cannot be copied, so its sessions have no
    /// absolute timeout; those of a key in software end this long after the enrollment.
    pub fn new(access: Duration, idle: Duration, overlap: Duration, software_absolute: Duration) -> Self {
        let refresh = RefreshTerms { idle: Some(idle), overlap: Some(overlap), first_reusable: false };
        let hardware = Terms {
            access,
            refresh: Some(refresh),
            absolute: None,
            midnight: false,
            exchange_overlap: None,
            office: None,
        };
        let software = Terms { absolute: Some(software_absolute), ..hardware.clone() };
        Self { hardware, software }
    }

    /// The terms of the session of a device that keeps its key there.
    pub fn for_storage(&self, storage: KeyStorage) -> &Terms {
        match storage {
            KeyStorage::Hardware => &self.hardware,
            KeyStorage::Software => &self.software,
        }
    }
}

/// 15 minutes for access tokens, 90 days of idle timeout, 2 minutes of grace period, and 400 days
/// of absolute timeout for a key in software.
impl Default for TillTerms {
    fn default() -> Self {
        let days = |days: u64| Duration::from_hours(days * 24);
        Self::new(Duration::from_mins(15), days(90), Duration::from_mins(2), days(400))
    }
}
