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
    trusts_hardware_claim: bool,
}

impl TillTerms {
    /// The terms with these lifetimes. The sessions of a key in software end this long after the
    /// enrollment, and so do all others, unless the devices are
    /// [believed](Self::trust_hardware_claim).
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
        Self { hardware, software, trusts_hardware_claim: false }
    }

    /// Whether a device is believed that says it keeps its key in hardware, which it does not
    /// prove. A key in hardware cannot be copied, so its sessions then have no absolute timeout.
    #[must_use]
    pub fn trust_hardware_claim(self, trusts: bool) -> Self {
        Self { trusts_hardware_claim: trusts, ..self }
    }

    /// Whether devices are believed about where they keep their keys.
    pub fn trusts_hardware_claim(&self) -> bool {
        self.trusts_hardware_claim
    }

    /// The terms of the session of a device that says it keeps its key there.
    pub fn for_storage(&self, storage: KeyStorage) -> &Terms {
        match storage {
            KeyStorage::Hardware if self.trusts_hardware_claim => &self.hardware,
            KeyStorage::Hardware | KeyStorage::Software => &self.software,
        }
    }
}

/// 15 minutes for access tokens, 90 days of idle timeout, 2 minutes of grace period, and 400 days
/// of absolute timeout; devices are not believed about where they keep their keys.
impl Default for TillTerms {
    fn default() -> Self {
        let days = |days: u64| Duration::from_hours(days * 24);
        Self::new(Duration::from_mins(15), days(90), Duration::from_mins(2), days(400))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_claim_extends_the_session_only_if_it_is_trusted() {
        let (strict, trusting) = (TillTerms::default(), TillTerms::default().trust_hardware_claim(true));
        for storage in [KeyStorage::Hardware, KeyStorage::Software] {
            assert_eq!(strict.for_storage(storage).absolute, Some(Duration::from_hours(400 * 24)), "{storage:?}");
        }
        assert_eq!(trusting.for_storage(KeyStorage::Hardware).absolute, None);
        assert_eq!(trusting.for_storage(KeyStorage::Software), strict.for_storage(KeyStorage::Software));
    }
}
