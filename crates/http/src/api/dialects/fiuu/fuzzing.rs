//! The readers that the fuzz targets call. No server is built with this module.

use actix_web::http::header::HeaderMap;
use tillgate_auth_core::LoginIdentity;
use tillgate_domain::Secret;

use super::{Fiuu, request};
use crate::error::ApiError;

impl Fiuu {
    /// Reads the body of a login.
    ///
    /// # Errors
    /// The body cannot be read, or the name is not a valid device name.
    pub fn read_login(headers: &HeaderMap, body: &[u8]) -> Result<(LoginIdentity, Secret<String>), ApiError> {
        request::read_login(headers, body)
    }
}
