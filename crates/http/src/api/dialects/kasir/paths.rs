//! The paths of POS Kasir's calls that more than one module refers to, below the prefix of the
//! mount.

pub(super) const LOGIN_PATH: &str = "/api/v1/auth/login";
pub(super) const LOGOUT_PATH: &str = "/api/v1/auth/logout";
pub(super) const PASSWORD_PATH: &str = "/api/v1/auth/me/password";
pub(super) const REFRESH_PATH: &str = "/api/v1/auth/refresh";
pub(super) const USERS_PATH: &str = "/api/v1/users";
pub(super) const USER_PATH: &str = "/api/v1/users/{id}";
