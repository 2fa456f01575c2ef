//! The paths of Fiuu's calls that more than one module refers to, below the prefix of the mount.

pub(super) const LOGIN_PATH: &str = "/auth/login";
pub(super) const REFRESH_PATH: &str = "/auth/refresh";
