//! The kinds of denials, from which a contract takes its default status and text.

/// What kind of denial an error is. A contract that has no response of its own for an error takes
/// the default of its kind, so that a new rule needs no change in any contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DenialKind {
    /// Values of fields are invalid, each on its own; the errors of the fields say why.
    InvalidFields,
    /// The request is invalid; the code of the error says why.
    Invalid,
    /// A login or a refresh lacks a valid proof of the client's key (RFC 9449). Unlike
    /// [`Unauthenticated`](Self::Unauthenticated), it says nothing about the tokens.
    ProofRequired,
    /// The response to a poll for a decision that was not made, or was against the client (RFC
    /// 8628). It says nothing about tokens either.
    PollDenied,
    /// The caller is not authenticated: the token, or the name or password of a login, is wrong.
    Unauthenticated,
    /// The rate limit of failed attempts, or of mails to a user, has been reached.
    TooManyAttempts,
    /// The caller may not do this: a right, a rank or the required kind of login is missing.
    Forbidden,
    /// What the request is about does not exist for the caller.
    NotFound,
    /// The current state does not allow it. The same request can succeed after another change.
    Conflict,
    /// The entity was changed since the caller read it.
    VersionMismatch,
    /// A stored entity contradicts itself, which is a defect.
    Inconsistent,
}
