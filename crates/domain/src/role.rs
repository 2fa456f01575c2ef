//! Roles: named sets of rights, and the three built-in ones of every tenant.

use std::collections::BTreeSet;

use crate::{Environment, KnownRight, Rights, RoleId, RoleName, TenantId};

/// A named set of rights that applies on devices of certain environments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The identifier of the role.
    pub id: RoleId,
    /// The tenant to which it belongs.
    pub tenant: TenantId,
    /// The name in requests and commands.
    pub name: RoleName,
    /// The name for people.
    pub label: String,
    /// The purpose of the role, in free text.
    pub description: String,
    /// The rights that the role grants.
    pub rights: Rights,
    /// The environments in which the role applies. It always applies in a session without a device.
    pub environments: BTreeSet<Environment>,
    /// Whether it was created with the tenant; its rights are fixed.
    pub built_in: bool,
    /// Increased by every change.
    pub version: i64,
}

/// The order of the built-in roles, which some calls require instead of a right: cashier < manager
/// < admin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// Works on a till.
    Cashier,
    /// Runs a shop.
    Manager,
    /// Has every right.
    Admin,
}

const CASHIER_RIGHTS: &[KnownRight] = &[
    KnownRight::TicketCreate,
    KnownRight::TicketUpdate,
    KnownRight::TicketSetCustomer,
    KnownRight::TicketClose,
    KnownRight::FiscalOpenDrawer,
];
const MANAGER_RIGHTS: &[KnownRight] = &[
    KnownRight::TicketUpdateAny,
    KnownRight::TicketRename,
    KnownRight::TicketSetDiscount,
    KnownRight::TicketHandover,
    KnownRight::TicketTakeover,
    KnownRight::TicketDelete,
    KnownRight::Storno,
    KnownRight::DeviceEnroll,
    KnownRight::PinReset,
    KnownRight::SessionDelete,
    KnownRight::SessionRead,
    KnownRight::UserRead,
    KnownRight::AuditRead,
];

impl Rank {
    /// All ranks, lowest first.
    pub const ALL: [Self; 3] = [Self::Cashier, Self::Manager, Self::Admin];

    /// The name of the built-in role with this rank.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cashier => "cashier",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }

    /// The rank of a role: only built-in roles have one.
    pub fn of_role(role: &Role) -> Option<Self> {
        Self::ALL.into_iter().find(|rank| role.built_in && role.name.as_str() == rank.name())
    }

    /// The rights of the built-in role with this rank. A manager has all rights of a cashier.
    pub fn rights(self) -> Rights {
        match self {
            Self::Cashier => Rights::of(CASHIER_RIGHTS),
            Self::Manager => Rights::of(&[CASHIER_RIGHTS, MANAGER_RIGHTS].concat()),
            Self::Admin => Rights::of(&[KnownRight::Admin]),
        }
    }

    /// The built-in role with this rank for a new tenant: it applies in every environment.
    pub fn to_role(self, id: RoleId, tenant: TenantId) -> Option<Role> {
        let label = match self {
            Self::Cashier => "Cashier",
            Self::Manager => "Manager",
            Self::Admin => "Administrator",
        };
        Some(Role {
            id,
            tenant,
            name: RoleName::parse(self.name()).ok()?,
            label: label.to_owned(),
            description: String::new(),
            rights: self.rights(),
            environments: Environment::ALL.into_iter().collect(),
            built_in: true,
            version: 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn higher_rank_covers_lower_rank() {
        for (lower, higher) in Rank::ALL.iter().zip(Rank::ALL.iter().skip(1)) {
            assert!(lower < higher);
            assert!(higher.rights().require_all(&lower.rights()).is_ok(), "{lower:?}");
            assert!(lower.rights().require_all(&higher.rights()).is_err(), "{lower:?}");
        }
    }

    #[test]
    fn the_tables_name_each_right_once() {
        assert_eq!(Rank::Cashier.rights().iter().count(), CASHIER_RIGHTS.len());
        assert_eq!(Rank::Manager.rights().iter().count(), CASHIER_RIGHTS.len() + MANAGER_RIGHTS.len());
        assert!(!Rank::Manager.rights().allows(KnownRight::Admin));
    }
}
