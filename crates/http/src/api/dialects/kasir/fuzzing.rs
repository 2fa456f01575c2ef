//! The readers that the fuzz targets call. No server is built with this module.

use actix_web::http::header::HeaderMap;
use tillgate_auth_core::LoginIdentity;
use tillgate_domain::Secret;

use super::{Kasir, request};
use crate::error::ApiError;

impl Kasir {
    /// Reads the body of a login: identity and password.
    ///
    /// # Errors
    /// The body cannot be read, or fields are invalid.
    pub fn read_login(headers: &HeaderMap, body: &[u8]) -> Result<(LoginIdentity, Secret<String>), ApiError> {
        request::read_login(headers, body)
    }

    /// Reads the body of a refresh: the refresh token, if sent.
    ///
    /// # Errors
    /// There is a body that cannot be read, or the token is not a string.
    pub fn read_refresh(headers: &HeaderMap, body: &[u8]) -> Result<Option<Secret<String>>, ApiError> {
        request::read_refresh(headers, body)
    }
}
