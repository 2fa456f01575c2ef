//! The terms of the sessions of enrolled devices, and of the operators on them. The sessions of
//! devices outlive those of people: a till works unattended, and its tokens are worthless without
//! its key.

use std::time::Duration;

use tillgate_auth_core::{RefreshTerms, Terms};
use tillgate_domain::KeyStorage;

/// The terms of the sessions of enrolled devices, by where the device keeps its key, and of the
/// operators on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TillTerms {
    hardware: Terms,
    software: Terms,
    operator: Terms,
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
        Self { hardware, software, operator: operator_terms(), trusts_hardware_claim: false }
    }

    /// The same terms with these lifetimes of the sessions of operators. Their grace period is that
    /// of the sessions of devices, or shorter than their access tokens.
    #[must_use]
    pub fn with_operator(self, access: Duration, idle: Duration, absolute: Duration) -> Self {
        let overlap = self.software.refresh.as_ref().and_then(|refresh| refresh.overlap);
        let overlap = overlap.map(|overlap| overlap.min(access.saturating_sub(Duration::from_secs(1))));
        let refresh = Some(RefreshTerms { idle: Some(idle), overlap, first_reusable: false });
        Self { operator: Terms { access, refresh, absolute: Some(absolute), ..operator_terms() }, ..self }
    }

    /// The terms of the session of an operator.
    pub fn for_operator(&self) -> &Terms {
        &self.operator
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

/// 5 minutes for access tokens, 15 minutes of idle timeout, 12 hours of absolute timeout, and 2
/// minutes of grace period.
fn operator_terms() -> Terms {
    let minutes = Duration::from_mins;
    let refresh = RefreshTerms { idle: Some(minutes(15)), overlap: Some(minutes(2)), first_reusable: false };
    Terms {
        access: minutes(5),
        refresh: Some(refresh),
        absolute: Some(Duration::from_hours(12)),
        midnight: false,
        exchange_overlap: None,
        office: None,
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
