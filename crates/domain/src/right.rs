//! Rights: the permissions for single operations, under the names that tills and back offices
//! already use.

mod known;

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use known::KnownRight;

/// A right by its published name, such as `ticketClose`: a lower-case ASCII letter, then ASCII
/// letters and digits, at most 64 in all. Rights are ordered by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Right {
    /// A right that the server checks or a published API names.
    Known(KnownRight),
    /// A right that a tenant has defined for programs of its own. The server never requires it.
    Custom(CustomRight),
}

/// The name of a custom right. Only [`Right::parse`] creates it, so it is never the name of a known
/// right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomRight(Box<str>);

impl CustomRight {
    /// The name as a string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is not the name of a right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a right is a lower-case letter and then letters and digits, at most 64, such as ticketClose")]
pub struct InvalidRight;

impl Right {
    /// Parses the name of a right, known or custom.
    pub fn parse(text: &str) -> Result<Self, InvalidRight> {
        if let Some(known) = KnownRight::named(text) {
            return Ok(Self::Known(known));
        }
        let mut chars = text.chars();
        let head = chars.next().is_some_and(|c| c.is_ascii_lowercase());
        if head && text.len() <= 64 && chars.all(|c| c.is_ascii_alphanumeric()) {
            Ok(Self::Custom(CustomRight(text.into())))
        } else {
            Err(InvalidRight)
        }
    }

    /// The published name as a string.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(known) => known.as_str(),
            Self::Custom(custom) => custom.as_str(),
        }
    }
}

impl Ord for Right {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialOrd for Right {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<KnownRight> for Right {
    fn from(known: KnownRight) -> Self {
        Self::Known(known)
    }
}

impl From<&Right> for Right {
    fn from(right: &Right) -> Self {
        right.clone()
    }
}

impl TryFrom<String> for Right {
    type Error = InvalidRight;
    fn try_from(text: String) -> Result<Self, InvalidRight> {
        Self::parse(&text)
    }
}

impl From<Right> for String {
    fn from(right: Right) -> String {
        right.as_str().to_owned()
    }
}

/// A set of rights, in the order of their names. Known rights need no memory besides the set
/// itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// A bit for each known right.
    known: u128,
    custom: BTreeSet<CustomRight>,
}

impl Rights {
    /// A set of known rights.
    pub fn of(known: &[KnownRight]) -> Self {
        Self { known: known.iter().fold(0, |bits, right| bits | right.bit()), custom: BTreeSet::new() }
    }

    /// Whether the set grants the right: it contains the right itself, or `admin`.
    pub fn allows(&self, right: impl Into<Right>) -> bool {
        self.covers_everything() || self.holds(&right.into())
    }

    /// Whether the set contains `admin`, which grants everything, including rights that are added
    /// later.
    pub fn covers_everything(&self) -> bool {
        self.known & KnownRight::Admin.bit() != 0
    }

    /// What both sets grant. If one of them contains `admin`, the result is the other.
    pub fn intersection(&self, other: &Self) -> Self {
        let of_self = self.iter().filter(|right| other.allows(right));
        of_self.chain(other.iter().filter(|right| self.allows(right))).collect()
    }

    /// The rights, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = Right> + use<> {
        let known = self.known().map(Right::Known);
        let mut rights: Vec<Right> = known.chain(self.custom.iter().cloned().map(Right::Custom)).collect();
        rights.sort_unstable();
        rights.into_iter()
    }

    /// The names of the rights, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let mut names: Vec<&str> = self.custom.iter().map(CustomRight::as_str).collect();
        for known in self.known() {
            names.push(known.as_str());
        }
        names.sort_unstable();
        names.into_iter()
    }

    /// Whether the set grants nothing.
    pub fn is_empty(&self) -> bool {
        self.known == 0 && self.custom.is_empty()
    }

    /// The names, separated by single spaces: the `scope` of RFC 8693, section 4.2.
    pub fn to_scope(&self) -> String {
        self.names().collect::<Vec<_>>().join(" ")
    }

    /// The memory of the set besides itself in bytes, estimated from above.
    pub fn heap_bytes(&self) -> usize {
        self.custom.iter().map(|CustomRight(name)| name.len().saturating_add(48)).sum()
    }

    /// Whether the set contains a right of the back office.
    pub fn opens_office(&self) -> bool {
        self.known().any(KnownRight::is_of_office)
    }

    /// Whether the set contains a known right to change something. The server requires no custom
    /// right, so those do not count.
    pub fn allows_change(&self) -> bool {
        self.known().any(|right| !right.is_read_only())
    }

    fn holds(&self, right: &Right) -> bool {
        match right {
            Right::Known(known) => self.known & known.bit() != 0,
            Right::Custom(custom) => self.custom.contains(custom),
        }
    }

    fn known(&self) -> impl Iterator<Item = KnownRight> {
        KnownRight::ALL.iter().copied().filter(|known| self.known & known.bit() != 0)
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        let mut set = Self::default();
        for right in rights {
            match right {
                Right::Known(known) => set.known |= known.bit(),
                Right::Custom(custom) => {
                    set.custom.insert(custom);
                }
            }
        }
        set
    }
}

impl Serialize for Rights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names())
    }
}

impl<'de> Deserialize<'de> for Rights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Right>::deserialize(deserializer).map(|rights| rights.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MissingRight;

    fn rights(names: &[&str]) -> Rights {
        names.iter().filter_map(|name| Right::parse(name).ok()).collect()
    }

    #[test]
    fn rights_of_sales_open_no_office() {
        let opens = |name: &str| rights(&[name]).opens_office();
        for name in ["admin", "auditRead", "userRead", "sessionDelete", "storeUpdate", "tenantUpdate", "apiKeyCreate"] {
            assert!(opens(name), "{name}");
        }
        for name in ["storno", "ticketClose", "fiscalOpenDrawer", "tokenIntrospect", "orderProcess", "myOwnRight"] {
            assert!(!opens(name), "{name}");
        }
        assert!(!crate::Rank::Cashier.rights().opens_office() && crate::Rank::Manager.rights().opens_office());
    }

    #[test]
    fn rights_that_only_read_allow_no_change() {
        let changes = |names: &[&str]| rights(names).allows_change();
        for name in ["auditRead", "userRead", "licenseGet", "detailedIntervalSalesReport", "overviewSalesReport"] {
            assert!(!changes(&[name]), "{name}");
        }
        for name in ["admin", "doDailySalesReport", "ticketClose", "licenseActivate", "userUpdate"] {
            assert!(changes(&[name]) && changes(&["auditRead", name]), "{name}");
        }
        assert!(!changes(&[]) && !changes(&["myOwnRight"]));
    }

    #[test]
    fn admin_right_allows_unknown_rights() {
        assert!(rights(&["admin"]).allows(Right::parse("teleportUpdate").unwrap()));
        assert!(!rights(&["ticketClose"]).allows(KnownRight::TicketCreate));
        assert!(!rights(&[]).allows(KnownRight::Admin));
    }

    #[test]
    fn rights_cover_no_more_than_they_hold() {
        assert!(rights(&["admin"]).require_all(&rights(&["admin", "storno"])).is_ok());
        assert!(rights(&["storno", "ticketClose"]).require_all(&rights(&["storno"])).is_ok());
        assert!(rights(&["storno"]).require_all(&rights(&["admin"])).is_err());
    }

    #[test]
    fn intersection_allows_no_more_than_either_side() {
        for (one, other, both) in [
            (&["storno", "ticketClose"][..], &["ticketClose", "ticketCreate"][..], &["ticketClose"][..]),
            (&["admin"], &["ticketClose"], &["ticketClose"]),
            (&["admin", "storno"], &["admin"], &["admin", "storno"]),
            (&["storno"], &["ticketClose"], &[]),
            (&["storno"], &[], &[]),
            (&["admin"], &[], &[]),
        ] {
            assert_eq!(rights(one).intersection(&rights(other)), rights(both), "{one:?} {other:?}");
            assert_eq!(rights(other).intersection(&rights(one)), rights(both), "{other:?} {one:?}");
        }
    }

    #[test]
    fn known_rights_are_in_order_and_parse_as_themselves() {
        assert!(KnownRight::ALL.is_sorted_by(|one, other| one < other && one.as_str() < other.as_str()));
        for known in KnownRight::ALL {
            assert_eq!(Right::parse(known.as_str()), Ok(Right::Known(*known)));
        }
    }

    #[test]
    fn rights_are_a_list_of_names_in_order_in_json() {
        let set = rights(&["userRead", "zeroGravity", "admin", "beamUp", "userRead"]);
        let json = serde_json::to_string(&set).unwrap();
        assert_eq!(json, r#"["admin","beamUp","userRead","zeroGravity"]"#);
        assert_eq!(serde_json::from_str::<Rights>(&json).unwrap(), set);
        assert!(serde_json::from_str::<Rights>(r#"["no right"]"#).is_err());
        assert_eq!(set.iter().map(String::from).collect::<Vec<_>>(), set.names().collect::<Vec<_>>());
        assert_eq!(set.to_scope(), "admin beamUp userRead zeroGravity");
    }

    #[test]
    fn custom_rights_are_kept_by_name() {
        let custom = |name: &str| Right::parse(name).unwrap();
        let set = rights(&["beamUp"]);
        assert!(set.allows(custom("beamUp")) && !set.allows(custom("beamDown")) && !set.covers_everything());
        let missing = set.require_all(&rights(&["beamUp", "beamDown", "storno"]));
        assert_eq!(missing, Err(MissingRight(custom("beamDown"))));
    }

    #[test]
    fn right_name_is_camel_case() {
        for bad in ["", "Admin", "ticket_close", "ticket close", "1st", "größe"] {
            assert_eq!(Right::parse(bad), Err(InvalidRight), "{bad}");
        }
    }
}
