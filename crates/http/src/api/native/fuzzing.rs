//! The readers that the fuzz targets call. No server is built with this module.

use actix_web::http::header::HeaderMap;
use tillgate_auth_core::LoginIdentity;
use tillgate_auth_core::passwords::PasswordPolicy;
use tillgate_domain::Secret;

use super::{Native, sessions};
use crate::error::ApiError;

impl Native {
    /// Reads the body of a login: identity, password, and the tenant if one is sent.
    ///
    /// # Errors
    /// The body cannot be read, or fields are invalid.
    pub fn read_login(
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(LoginIdentity, Secret<String>, Option<String>), ApiError> {
        let sessions::LoginInput { who, password, tenant, .. } =
            sessions::read_login(headers, body, &PasswordPolicy::default())?;
        Ok((who, password, tenant))
    }
}
