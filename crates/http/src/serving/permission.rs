//! What the caller of a route must have. The table of routes names it once: requests are checked
//! by it, and the OpenAPI document and the list of routes show it.

use std::fmt;

use tillgate_auth_core::{Caller, Error};
use tillgate_domain::{KnownRight, Rank};

/// What a caller must have to use a route that requires authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Every authenticated caller. The response may contain only what the caller may see.
    Authenticated,
    /// Callers who have this right.
    Right(KnownRight),
    /// Callers who have all of these rights.
    AllOf(&'static [KnownRight]),
    /// Callers who have at least one of these rights. The use case decides which of them a request requires.
    AnyOf(&'static [KnownRight]),
    /// Every caller for its own things, and callers who have this right for those of others. The use
    /// case decides, since only the store knows whose they are.
    RightForOthers(KnownRight),
    /// Callers with this role or a higher one.
    Role(Rank),
}

impl Permission {
    /// Checks what can be decided before the request is examined: path, conditions and body.
    ///
    /// # Errors
    /// The caller lacks a right or the role.
    pub fn check(self, caller: &Caller) -> Result<(), Error> {
        let rights = &caller.profile.rights;
        match self {
            Self::Authenticated | Self::RightForOthers(_) => Ok(()),
            Self::Right(right) => Ok(rights.require(right)?),
            Self::AllOf(all) => Ok(all.iter().try_for_each(|right| rights.require(*right))?),
            Self::AnyOf(any) => Ok(rights.require_any(any)?),
            Self::Role(least) => caller.require_rank(least),
        }
    }

    /// The rights that it names.
    pub fn rights(&self) -> &[KnownRight] {
        match self {
            Self::Right(right) | Self::RightForOthers(right) => std::slice::from_ref(right),
            Self::AllOf(rights) | Self::AnyOf(rights) => rights,
            Self::Authenticated | Self::Role(_) => &[],
        }
    }
}

/// A sentence for people; empty if every authenticated caller is allowed.
impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |rights: &[KnownRight], last: &str| {
            let names: Vec<String> = rights.iter().map(|right| format!("`{}`", right.as_str())).collect();
            match names.split_last() {
                Some((end, [])) => end.clone(),
                Some((end, others)) => format!("{} {last} {end}", others.join(", ")),
                None => String::new(),
            }
        };
        match self {
            Self::Authenticated => Ok(()),
            Self::Right(right) => write!(f, "Requires the `{}` right.", right.as_str()),
            Self::AllOf(rights) => write!(f, "Requires the rights {}.", list(rights, "and")),
            Self::AnyOf(rights) => write!(f, "Requires one of the rights {}.", list(rights, "or")),
            Self::RightForOthers(right) => {
                write!(f, "For resources of other users, requires the `{}` right.", right.as_str())
            }
            Self::Role(least) => write!(f, "Requires the {} role or higher.", least.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permission_reads_as_a_sentence() {
        use KnownRight::{Storno, TicketCreate, UserDelete, UserRead, UserUpdate};
        for (permission, text) in [
            (Permission::Authenticated, ""),
            (Permission::Right(UserRead), "Requires the `userRead` right."),
            (Permission::AllOf(&[TicketCreate, Storno]), "Requires the rights `ticketCreate` and `storno`."),
            (
                Permission::AnyOf(&[UserUpdate, UserDelete, UserRead]),
                "Requires one of the rights `userUpdate`, `userDelete` or `userRead`.",
            ),
            (Permission::RightForOthers(UserRead), "For resources of other users, requires the `userRead` right."),
            (Permission::Role(Rank::Manager), "Requires the manager role or higher."),
        ] {
            assert_eq!(permission.to_string(), text);
        }
    }
}
