//! Port: what proves who somebody is.

use tillgate_domain::{Instant, PrincipalId, Secret, StoreResult};

/// What kind of proof a credential is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialKind {
    /// A password.
    Password,
}

impl CredentialKind {
    /// Every kind.
    pub const ALL: [Self; 1] = [Self::Password];

    /// The word in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
        }
    }
}

/// What a proof is compared with: for a password its hash as a PHC string.
pub type Verifier = Secret<String>;

/// A credential as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Whose it is.
    pub principal: PrincipalId,
    /// What kind it is.
    pub kind: CredentialKind,
    /// What a proof is compared with.
    pub verifier: Verifier,
    /// Raised whenever another secret takes its place; a new hash of the same secret raises nothing.
    pub version: i64,
}

/// Credentials.
pub trait Credentials {
    /// The credential of that kind.
    fn find(&mut self, principal: PrincipalId, kind: CredentialKind) -> StoreResult<Option<Credential>>;

    /// Claims the credential for a login: true where it still has this version, and then nobody changes it before this unit of
    /// work ends. A `rehashed` verifier of the same secret is stored with it.
    fn claim(
        &mut self,
        principal: PrincipalId,
        kind: CredentialKind,
        version: i64,
        rehashed: Option<&Verifier>,
        at: Instant,
    ) -> StoreResult<bool>;

    /// Puts another secret in the place of this one: true where it still has this version, which is raised. A login that has
    /// claimed it is waited for; one that comes later has lost its claim.
    fn replace(
        &mut self,
        principal: PrincipalId,
        kind: CredentialKind,
        version: i64,
        verifier: &Verifier,
        at: Instant,
    ) -> StoreResult<bool>;
}
