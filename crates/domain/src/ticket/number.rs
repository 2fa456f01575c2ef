//! The series of receipt numbers.

use std::fmt;

use super::text::Label;
use crate::{DeviceId, FoldedText, InvalidText, check_display_name};

/// A series of receipt numbers: that of a fiscal memory, by the name that the till uses, or that of
/// the device itself if the till names none. Receipt numbers are unique in a series of a tenant.
/// Names are compared by folding ([`FoldedText`]): `eKasa` and `EKASA ` are one memory. New names
/// have no invisible characters, so that two memories do not look like one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumberSeries(String);

impl NumberSeries {
    /// The series of tickets that are closed on this device with this fiscal memory.
    pub fn of(device: DeviceId, fiscal: &Label) -> Self {
        Self::of_fiscal_memory(fiscal.as_str()).unwrap_or_else(|| Self(format!("device:{}", device.0.simple())))
    }

    /// The series of a fiscal memory; `None` if the name is blank.
    pub fn of_fiscal_memory(name: &str) -> Option<Self> {
        let name = FoldedText::of(name);
        (!name.as_str().is_empty()).then(|| Self(format!("fiscal:{}", name.as_str())))
    }

    /// Whether a name is given, but blank. Earlier receipts may have such a name; new ones cannot.
    pub fn is_blank(name: &str) -> bool {
        !name.is_empty() && Self::of_fiscal_memory(name).is_none()
    }

    /// Checks that a memory may get this name; a blank one names none.
    ///
    /// # Errors
    ///
    /// The rule that it violates.
    pub fn check_new_name(name: &str) -> Result<(), InvalidText> {
        let name = name.trim();
        if name.is_empty() { Ok(()) } else { check_display_name(name) }
    }

    /// Converts a stored series of a fiscal memory from when names were compared exactly; `None`
    /// for any other series.
    pub fn from_stored(series: &str) -> Option<Self> {
        series.strip_prefix("fiscal:").and_then(Self::of_fiscal_memory)
    }

    /// The name of the series in the database.
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
        for hidden in ['\u{200b}', '\u{2060}', '\u{ad}', '\u{202e}', '\u{2800}'] {
            let name = format!("e{hidden}Kasa");
            assert_eq!(NumberSeries::check_new_name(&name), Err(InvalidText::DisallowedCharacter(hidden)), "{name:?}");
        }
        assert_eq!(
            ["", " \t", " eKasa\n", "Pokladňa č. 5"].map(NumberSeries::check_new_name),
            [Ok(()), Ok(()), Ok(()), Ok(())]
        );
        assert_eq!(["", " \t", "\u{3000}", "x"].map(NumberSeries::is_blank), [false, true, true, false]);
        assert_eq!(NumberSeries::from_stored("fiscal:EKASA ").map(|series| series.to_string()), Some(of(1, "eKasa")));
        assert_eq!(NumberSeries::from_stored(&of(1, "")), None);
        assert_ne!(of(1, "device:00000000000000000000000000000001"), of(1, ""), "whatever a till calls its memory");
    }
}
