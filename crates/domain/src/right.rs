//! Rights: what a caller may do, by names that tills and back offices already use.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A right by its published name, such as `ticketClose`: a lower-case ASCII letter, then ASCII letters and digits, 64 in all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Right(String);

const KNOWN: &[&str] = &[
    "admin",
    "apiKeyCreate",
    "apiKeyDelete",
    "apiKeyUpdate",
    "articleCategoryCreate",
    "articleCategoryDelete",
    "articleCategoryUpdate",
    "auditRead",
    "companyCreate",
    "companyDelete",
    "companyUpdate",
    "currencyCreate",
    "currencyDelete",
    "currencyUpdate",
    "customerCreate",
    "customerDelete",
    "customerSetCredit",
    "customerSetDiscount",
    "customerUpdate",
    "detailedIntervalSalesReport",
    "deviceCreate",
    "deviceDelete",
    "deviceUpdate",
    "doDailySalesReport",
    "dsrCloseManually",
    "dsrCreate",
    "dsrDelete",
    "dsrUpdate",
    "fiscalCashTransfer",
    "fiscalCreate",
    "fiscalDelete",
    "fiscalOpenDrawer",
    "fiscalPrintDailySalesReportCopy",
    "fiscalPrintRecordCopy",
    "fiscalUpdate",
    "licenseActivate",
    "licenseGet",
    "modifierCreate",
    "modifierDelete",
    "modifierUpdate",
    "orderDelete",
    "orderEndpointCreate",
    "orderEndpointDelete",
    "orderEndpointUpdate",
    "orderProcess",
    "orderUpdate",
    "overviewSalesReport",
    "printNonfiscalRecord",
    "roleCreate",
    "roleDelete",
    "roleUpdate",
    "sessionDelete",
    "storeCreate",
    "storeDelete",
    "storeUpdate",
    "storno",
    "summaryIntervalSalesReport",
    "tenantUpdate",
    "ticketClose",
    "ticketCreate",
    "ticketDelete",
    "ticketHandover",
    "ticketRename",
    "ticketSetCustomer",
    "ticketSetDiscount",
    "ticketTakeover",
    "ticketUpdate",
    "ticketUpdateAny",
    "tokenIntrospect",
    "userCreate",
    "userDelete",
    "userRead",
    "userUpdate",
];

/// A text that names no right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a right is named like ticketClose: a lower-case letter, then letters and digits, 64 at most")]
pub struct InvalidRight;

impl Right {
    /// Every right there is, known or not yet.
    pub const ADMIN: &'static str = "admin";

    /// The rights that are known by name: what tills and back offices ask for. A role may name others.
    pub const KNOWN: &[&str] = KNOWN;

    /// Parses a name.
    pub fn parse(text: &str) -> Result<Self, InvalidRight> {
        let mut chars = text.chars();
        let head = chars.next().is_some_and(|c| c.is_ascii_lowercase());
        if head && text.len() <= 64 && chars.all(|c| c.is_ascii_alphanumeric()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidRight)
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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
        right.0
    }
}

/// A set of rights, in order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rights(BTreeSet<Right>);

impl Rights {
    /// Whether the set allows what `right` names: it holds the right itself, or `admin`.
    pub fn allow(&self, right: &str) -> bool {
        let held = |name: &str| self.0.iter().any(|each| each.as_str() == name);
        held(Right::ADMIN) || held(right)
    }

    /// Whether everything that `other` allows is allowed here too: what a person needs who grants `other`.
    pub fn cover(&self, other: &Self) -> bool {
        other.0.iter().all(|right| self.allow(right.as_str()))
    }

    /// What both allow. `admin` on one side leaves the other as it is.
    pub fn both(&self, other: &Self) -> Self {
        let allowed =
            |one: &Self, by: &Self| one.0.iter().filter(|right| by.allow(right.as_str())).cloned().collect::<Vec<_>>();
        allowed(self, other).into_iter().chain(allowed(other, self)).collect()
    }

    /// The rights by name, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Right> {
        self.0.iter()
    }

    /// True where nothing is allowed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names with single spaces between them: the `scope` of RFC 8693, section 4.2.
    pub fn scope(&self) -> String {
        self.0.iter().map(Right::as_str).collect::<Vec<_>>().join(" ")
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        Self(rights.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(names: &[&str]) -> Rights {
        names.iter().filter_map(|name| Right::parse(name).ok()).collect()
    }

    #[test]
    fn admin_allows_what_nobody_has_named_yet() {
        assert!(rights(&["admin"]).allow("teleportUpdate"));
        assert!(!rights(&["ticketClose"]).allow("ticketCreate"));
        assert!(!rights(&[]).allow("admin"));
    }

    #[test]
    fn nobody_covers_more_than_they_hold() {
        assert!(rights(&["admin"]).cover(&rights(&["admin", "storno"])));
        assert!(rights(&["storno", "ticketClose"]).cover(&rights(&["storno"])));
        assert!(!rights(&["storno"]).cover(&rights(&["admin"])));
    }

    #[test]
    fn what_both_allow_is_no_more_than_either_does() {
        for (one, other, both) in [
            (&["storno", "ticketClose"][..], &["ticketClose", "ticketCreate"][..], &["ticketClose"][..]),
            (&["admin"], &["ticketClose"], &["ticketClose"]),
            (&["admin", "storno"], &["admin"], &["admin", "storno"]),
            (&["storno"], &["ticketClose"], &[]),
            (&["storno"], &[], &[]),
            (&["admin"], &[], &[]),
        ] {
            assert_eq!(rights(one).both(&rights(other)), rights(both), "{one:?} {other:?}");
            assert_eq!(rights(other).both(&rights(one)), rights(both), "{other:?} {one:?}");
        }
    }

    #[test]
    fn the_known_rights_are_in_order_and_hold_what_the_built_in_roles_allow() {
        assert!(Right::KNOWN.is_sorted_by(|one, other| one < other));
        assert!(Right::KNOWN.iter().all(|name| Right::parse(name).is_ok()));
        for rank in crate::Rank::ALL {
            assert!(rank.rights().iter().all(|right| Right::KNOWN.contains(&right.as_str())), "{rank:?}");
        }
    }

    #[test]
    fn a_right_is_a_camel_case_word() {
        for bad in ["", "Admin", "ticket_close", "ticket close", "1st", "größe"] {
            assert_eq!(Right::parse(bad), Err(InvalidRight), "{bad}");
        }
    }
}
