//! The series that numbers of receipts belong to.

use std::fmt;

use super::text::Label;
use crate::DeviceId;

/// What numbers receipts one after the other: a fiscal memory, by the name that the till gives it, or the device itself where it names
/// none. In a tenant no two receipts of one series have the same number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumberSeries(String);

impl NumberSeries {
    /// The series of what is closed on this device under this fiscal name.
    pub fn of(device: DeviceId, fiscal: &Label) -> Self {
        if fiscal.as_str().is_empty() {
            Self(format!("device:{}", device.0.simple()))
        } else {
            Self(format!("fiscal:{fiscal}"))
        }
    }

    /// The word for it in the store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NumberSeries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_without_a_fiscal_memory_is_a_series_of_its_own() {
        let of = |device: u128, fiscal: &str| {
            NumberSeries::of(DeviceId(uuid::Uuid::from_u128(device)), &Label::parse(fiscal).unwrap()).to_string()
        };
        assert_eq!(of(1, ""), "device:00000000000000000000000000000001");
        assert_ne!(of(1, ""), of(2, ""));
        assert_eq!(of(1, "eKasa"), "fiscal:eKasa");
        assert_eq!(of(1, "eKasa"), of(2, "eKasa"));
        assert_ne!(of(1, "device:00000000000000000000000000000001"), of(1, ""), "whatever a till calls its memory");
    }
}
