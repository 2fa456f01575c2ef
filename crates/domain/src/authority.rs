//! The authority of a caller, and the one check of rights: for callers of the API, the people at a
//! till, the access rules of gateways and the command line. Nobody does what needs a right that
//! they do not have, and nobody grants such a right to others.

use crate::{KnownRight, Right, Rights};

/// The authority of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authority {
    /// A command on the server's own machine, which may do everything.
    Host,
    /// A caller with these rights.
    Rights(Rights),
}

/// The caller does not have this right, which the operation requires or would grant to others.
/// Somebody who has it can do or approve the operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("requires the {0} right")]
pub struct MissingRight(pub Right);

impl From<KnownRight> for MissingRight {
    fn from(right: KnownRight) -> Self {
        Self(right.into())
    }
}

impl Authority {
    /// Whether it includes every right, including rights that are added later.
    pub(crate) fn covers_everything(&self) -> bool {
        match self {
            Self::Host => true,
            Self::Rights(rights) => rights.covers_everything(),
        }
    }

    /// Checks that the caller has a right.
    ///
    /// # Errors
    ///
    /// The right, if the caller does not have it.
    pub fn require(&self, right: impl Into<Right>) -> Result<(), MissingRight> {
        match self {
            Self::Host => Ok(()),
            Self::Rights(rights) => rights.require(right),
        }
    }

    /// Checks that the caller has at least one of these rights.
    ///
    /// # Errors
    ///
    /// The first of them, if the caller has none. Of no rights at all, only `admin` has any.
    pub fn require_any(&self, rights: &[KnownRight]) -> Result<(), MissingRight> {
        match self {
            Self::Host => Ok(()),
            Self::Rights(own) => own.require_any(rights),
        }
    }

    /// Checks that the caller has all of these rights, so that nobody grants or controls more
    /// rights than their own.
    ///
    /// # Errors
    ///
    /// The first right by name that the caller does not have.
    pub fn require_all(&self, rights: &Rights) -> Result<(), MissingRight> {
        match self {
            Self::Host => Ok(()),
            Self::Rights(own) => own.require_all(rights),
        }
    }
}

impl Rights {
    /// Checks that the set grants the right; [`Authority::require`] without the exception for the
    /// server's own machine.
    ///
    /// # Errors
    ///
    /// The right, if the set does not grant it.
    pub fn require(&self, right: impl Into<Right>) -> Result<(), MissingRight> {
        let right = right.into();
        if self.allows(&right) { Ok(()) } else { Err(MissingRight(right)) }
    }

    /// Checks that the set grants at least one of these rights.
    ///
    /// # Errors
    ///
    /// The first of them, if the set grants none. Of no rights at all, only `admin` has any.
    pub fn require_any(&self, rights: &[KnownRight]) -> Result<(), MissingRight> {
        let first = rights.first().copied().unwrap_or(KnownRight::Admin);
        if rights.iter().any(|right| self.allows(*right)) { Ok(()) } else { self.require(first) }
    }

    /// Checks that the set grants everything that `other` grants.
    ///
    /// # Errors
    ///
    /// The first right of `other`, by name, that this set does not grant.
    pub fn require_all(&self, other: &Self) -> Result<(), MissingRight> {
        other.iter().try_for_each(|right| self.require(right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(names: &[&str]) -> Authority {
        Authority::Rights(names.iter().map(|name| Right::parse(name).unwrap()).collect())
    }

    #[test]
    fn host_holds_every_right_and_caller_their_own() {
        assert_eq!(Authority::Host.require(KnownRight::UserCreate), Ok(()));
        assert_eq!(caller(&["userCreate"]).require(KnownRight::UserCreate), Ok(()));
        assert_eq!(caller(&["admin"]).require(KnownRight::UserCreate), Ok(()));
        assert_eq!(caller(&["userRead"]).require(KnownRight::UserCreate), Err(KnownRight::UserCreate.into()));
        assert_eq!(caller(&[]).require(KnownRight::Admin), Err(KnownRight::Admin.into()));
        let custom = Right::parse("beamUp").unwrap();
        assert_eq!(caller(&["beamUp"]).require(&custom), Ok(()));
        assert_eq!(caller(&["beamDown"]).require(&custom), Err(MissingRight(custom)));
    }

    #[test]
    fn any_of_several_rights_is_enough() {
        let rights = [KnownRight::UserUpdate, KnownRight::UserDelete];
        for enough in ["userUpdate", "userDelete", "admin"] {
            assert_eq!(caller(&[enough]).require_any(&rights), Ok(()), "{enough}");
        }
        assert_eq!(Authority::Host.require_any(&rights), Ok(()));
        assert_eq!(caller(&["userRead"]).require_any(&rights), Err(KnownRight::UserUpdate.into()));
        assert_eq!(
            caller(&["userRead"]).require_any(&[]),
            Err(KnownRight::Admin.into()),
            "an empty list allows nobody"
        );
        assert_eq!(caller(&["admin"]).require_any(&[]), Ok(()));
    }

    #[test]
    fn caller_cannot_grant_rights_they_lack() {
        let admin = Rights::of(&[KnownRight::Admin]);
        assert_eq!(Authority::Host.require_all(&admin), Ok(()));
        assert_eq!(caller(&["admin"]).require_all(&admin), Ok(()));
        assert_eq!(caller(&["userUpdate"]).require_all(&admin), Err(KnownRight::Admin.into()));
        let several = Rights::of(&[KnownRight::UserUpdate, KnownRight::Storno, KnownRight::TicketClose]);
        assert_eq!(caller(&["userUpdate"]).require_all(&several), Err(KnownRight::Storno.into()), "the first by name");
    }
}
