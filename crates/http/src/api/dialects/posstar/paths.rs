//! The paths of PosStar's calls, below the prefix of the mount.

pub(super) const LOGIN_PATH: &str = "/api/v1/auth/login";
pub(super) const REFRESH_PATH: &str = "/api/v1/auth/refresh";
pub(super) const REGISTER_PATH: &str = "/api/v1/auth/register";
pub(super) const FORGOT_PASSWORD_PATH: &str = "/api/v1/auth/forgot-password";
pub(super) const RESET_PASSWORD_PATH: &str = "/api/v1/auth/reset-password";
