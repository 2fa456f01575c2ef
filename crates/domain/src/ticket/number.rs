//! The series that numbers of receipts belong to.

use std::fmt;

use super::text::Label;
use crate::{DeviceId, FoldedText};

/// What numbers receipts one after the other: a fiscal memory, by the name that the till gives it, or the device itself where it names
/// none. In a tenant no two receipts of one series have the same number. Names are compared as all names are ([`Folded`]): `eKasa`
/// and `EKASA ` are one memory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumberSeries(String);

impl NumberSeries {
    /// The series of what is closed on this device under this fiscal name.
    pub fn of(device: DeviceId, fiscal: &Label) -> Self {
        Self::of_fiscal_memory(fiscal.as_str()).unwrap_or_else(|| Self(format!("device:{}", device.0.simple())))
    }

    /// The series of a fiscal memory; `None` where the name is blank.
    pub fn of_fiscal_memory(name: &str) -> Option<Self> {
        let name = FoldedText::of(name);
        (!name.as_str().is_empty()).then(|| Self(format!("fiscal:{}", name.as_str())))
    }

    /// Whether a name is given and says nothing: blanks alone. Receipts of before may have one; no new one does.
    pub fn is_blank(name: &str) -> bool {
        !name.is_empty() && Self::of_fiscal_memory(name).is_none()
    }

    /// The same of a series of a fiscal memory as a store has kept it when names were compared to the letter; `None` of any other.
    pub fn from_stored(series: &str) -> Option<Self> {
        series.strip_prefix("fiscal:").and_then(Self::of_fiscal_memory)
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
    fn device_without_fiscal_memory_has_own_number_series() {
        let of = |device: u128, fiscal: &str| {
            NumberSeries::of(DeviceId(uuid::Uuid::from_u128(device)), &Label::parse(fiscal).unwrap()).to_string()
        };
        assert_eq!(of(1, ""), "device:00000000000000000000000000000001");
        assert_ne!(of(1, ""), of(2, ""));
        assert_eq!(of(1, "eKasa"), "fiscal:ekasa");
        for spelling in ["eKasa", "EKASA", " eKasa ", "ｅKasa"] {
            assert_eq!(of(2, spelling), of(1, "eKasa"), "{spelling}");
        }
        assert_eq!(of(1, " \t"), of(1, ""));
        assert_eq!(["", " \t", "\u{3000}", "x"].map(NumberSeries::is_blank), [false, true, true, false]);
        assert_eq!(NumberSeries::from_stored("fiscal:EKASA ").map(|series| series.to_string()), Some(of(1, "eKasa")));
        assert_eq!(NumberSeries::from_stored(&of(1, "")), None);
        assert_ne!(of(1, "device:00000000000000000000000000000001"), of(1, ""), "whatever a till calls its memory");
    }
}
