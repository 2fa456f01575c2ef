//! The codes of invalid fields.

use std::cmp::Ordering;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Why a field or a parameter is invalid: a stable code for programs. Codes are ordered by
        /// their names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum FieldErrorCode { $($(#[$doc])* $variant,)* }

        impl FieldErrorCode {
            /// All codes, ordered by name.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in responses.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

codes! {
    /// Exactly one of several fields is allowed.
    Choice = "choice",
    /// A member of an object, or an item of a list, occurs more than once.
    Duplicate = "duplicate",
    /// The value does not have the required form, or is none of the possible values.
    Format = "format",
    /// The value is too long, too deep or has too many members.
    Length = "length",
    /// The cursor belongs to another list or order.
    OtherList = "other_list",
    /// The number, the amount or the count is out of range.
    Range = "range",
    /// The query parameter occurs more than once.
    Repeated = "repeated",
    /// The value is missing, null or empty.
    Required = "required",
    /// Another entity has the value already.
    Taken = "taken",
    /// The status cannot follow the current one.
    Transition = "transition",
    /// The value does not have the required type.
    Type = "type",
    /// The field does not apply to this request.
    Unexpected = "unexpected",
    /// The field, the parameter or what the value names does not exist.
    Unknown = "unknown",
    /// The password policy does not allow the password.
    Weak = "weak",
}

impl FieldErrorCode {
    /// The code with this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

impl Serialize for FieldErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for FieldErrorCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| D::Error::custom(format!("\"{name}\" is not a code")))
    }
}

impl Ord for FieldErrorCode {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name().cmp(other.name())
    }
}

impl PartialOrd for FieldErrorCode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn codes_are_listed_in_the_documentation() {
        let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/office.md")).unwrap();
        let (_, table) = page.split_once("| `code` of an error | meaning |\n| --- | --- |\n").unwrap();
        let rows = table.lines().take_while(|line| line.starts_with("| "));
        let listed: Vec<&str> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
        let names: Vec<&str> = FieldErrorCode::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(listed, names);
    }

    #[test]
    fn code_is_found_by_its_name_and_ordered_by_it() {
        assert!(FieldErrorCode::ALL.is_sorted_by(|one, other| one < other), "{:?}", FieldErrorCode::ALL);
        for code in FieldErrorCode::ALL {
            assert_eq!(FieldErrorCode::from_name(code.name()), Some(*code));
        }
        assert_eq!(FieldErrorCode::from_name("Type"), None);
    }
}
