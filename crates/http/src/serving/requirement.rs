//! What the caller of a route must have. The table of routes names it once: requests are checked
//! by it, and the OpenAPI document and the list of routes show it.

use std::fmt;

use tillgate_auth_core::{Caller, Error};
use tillgate_domain::{KnownRight, Rank};

/// What a caller must have to use a route that requires authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    /// Every authenticated caller. The response may contain only what the caller may see.
    Authenticated,
    /// Callers who have this right.
    Right(KnownRight),
    /// Callers who have both rights.
    Both(KnownRight, KnownRight),
    /// Callers who have at least one of these rights. The use case decides which of them a request
    /// requires.
    AnyOf(&'static [KnownRight]),
    /// Every caller for its own things, and callers who have this right for those of others. The
    /// use case decides, since only the store knows whose they are.
    RightForOthers(KnownRight),
    /// Callers with this role or a higher one.
    Role(Rank),
}

impl Requirement {
    /// Checks what can be decided before the request is examined: path, conditions and body.
    ///
    /// # Errors
    /// The caller lacks a right or the role.
    pub fn check(self, caller: &Caller) -> Result<(), Error> {
        let rights = &caller.profile.rights;
        match self {
            Self::Authenticated | Self::RightForOthers(_) => Ok(()),
            Self::Right(right) => Ok(rights.require(right)?),
            Self::Both(one, other) => Ok(rights.require(one).and_then(|()| rights.require(other))?),
            Self::AnyOf(any) => Ok(rights.require_any(any)?),
            Self::Role(least) => caller.require_rank(least),
        }
    }

    /// The rights that it names.
    pub fn rights(self) -> Vec<KnownRight> {
        match self {
            Self::Right(right) | Self::RightForOthers(right) => vec![right],
            Self::Both(one, other) => vec![one, other],
            Self::AnyOf(rights) => rights.to_vec(),
            Self::Authenticated | Self::Role(_) => Vec::new(),
        }
    }
}

/// A sentence for people; empty if every authenticated caller is allowed.
impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |rights: &[KnownRight]| {
            let names: Vec<String> = rights.iter().map(|right| format!("`{}`", right.as_str())).collect();
            match names.split_last() {
                Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
                _ => names.concat(),
            }
        };
        match self {
            Self::Authenticated => Ok(()),
            Self::Right(right) => write!(f, "Requires the `{}` right.", right.as_str()),
            Self::Both(one, other) => {
                write!(f, "Requires the rights `{}` and `{}`.", one.as_str(), other.as_str())
            }
            Self::AnyOf(rights) => write!(f, "Requires one of the rights {}.", list(rights)),
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
    fn requirement_reads_as_a_sentence() {
        use KnownRight::{Storno, TicketCreate, UserDelete, UserRead, UserUpdate};
        for (requirement, text) in [
            (Requirement::Authenticated, ""),
            (Requirement::Right(UserRead), "Requires the `userRead` right."),
            (Requirement::Both(TicketCreate, Storno), "Requires the rights `ticketCreate` and `storno`."),
            (
                Requirement::AnyOf(&[UserUpdate, UserDelete, UserRead]),
                "Requires one of the rights `userUpdate`, `userDelete` or `userRead`.",
            ),
            (Requirement::RightForOthers(UserRead), "For resources of other users, requires the `userRead` right."),
            (Requirement::Role(Rank::Manager), "Requires the manager role or higher."),
        ] {
            assert_eq!(requirement.to_string(), text);
        }
    }
}
