//! The port for credentials.

use tillgate_domain::{Instant, PrincipalId, Secret, StoreResult};

/// The kind of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialKind {
    /// A password of a user or a device.
    Password,
}

impl CredentialKind {
    /// All kinds, in the order of declaration.
    pub const ALL: [Self; 1] = [Self::Password];

    /// The name of the kind in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
        }
    }
}

/// What a secret is compared with: for a password its hash, as a PHC string.
pub type Verifier = Secret<String>;

/// A credential as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The user or device to which it belongs.
    pub principal: PrincipalId,
    /// The kind of the secret.
    pub kind: CredentialKind,
    /// The hash with which a secret is compared.
    pub verifier: Verifier,
    /// Increased when another secret replaces this one; a new hash of the same secret does not
    /// change it.
    pub version: i64,
}

/// Reads and replaces credentials.
pub trait Credentials {
    /// The principal's credential of this kind.
    fn find(&mut self, principal: PrincipalId, kind: CredentialKind) -> StoreResult<Option<Credential>>;

    /// Claims the credential for a login. Returns true if it has this version; then no other unit
    /// of work changes it before this one ends. Stores `rehashed`, a new verifier of the same
    /// secret, if given.
    fn claim(
        &mut self,
        principal: PrincipalId,
        kind: CredentialKind,
        version: i64,
        rehashed: Option<&Verifier>,
        at: Instant,
    ) -> StoreResult<bool>;

    /// Replaces the secret, if the credential has this version, and increases the version;
    /// otherwise returns false. It waits for a login that has claimed the credential; a login that
    /// claims it later fails. A new password of a user removes the user's invitation to choose one.
    fn replace(
        &mut self,
        principal: PrincipalId,
        kind: CredentialKind,
        version: i64,
        verifier: &Verifier,
        at: Instant,
    ) -> StoreResult<bool>;
}
