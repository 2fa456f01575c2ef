//! The pages of the back office for browsers that take a token, which links in mails and in
//! responses open.

/// The path of the page that accepts invitations, below the prefix of the back office for browsers.
pub(crate) const INVITATION_PATH: &str = "/invitation";

/// The path of the page that verifies e-mail addresses, below the same prefix.
pub(crate) const VERIFY_EMAIL_PATH: &str = "/verify-email";

/// The path with the token at which an invited user chooses a password, in the back office for
/// browsers at this prefix. A browser sends no fragment, so that the token is in no log.
pub fn invitation_path(office_prefix: &str, token: &str) -> String {
    format!("{office_prefix}{INVITATION_PATH}#{token}")
}

/// The path with the token at which a user verifies their e-mail address.
pub fn verify_email_path(office_prefix: &str, token: &str) -> String {
    format!("{office_prefix}{VERIFY_EMAIL_PATH}?token={token}")
}
