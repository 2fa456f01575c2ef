//! The headers with which the access check describes the caller.

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderName, HeaderValue};
use tillgate_auth_core::Caller;
use tillgate_domain::Rank;

use crate::error::ApiError;
use crate::percent;

const USER_HEADER: HeaderName = HeaderName::from_static("x-tillgate-user");
const USER_ID_HEADER: HeaderName = HeaderName::from_static("x-tillgate-user-id");
const DEVICE_ID_HEADER: HeaderName = HeaderName::from_static("x-tillgate-device-id");
const DEVICE_HEADER: HeaderName = HeaderName::from_static("x-tillgate-device");
const ROLE_HEADER: HeaderName = HeaderName::from_static("x-tillgate-role");
const RIGHTS_HEADER: HeaderName = HeaderName::from_static("x-tillgate-rights");
const TENANT_HEADER: HeaderName = HeaderName::from_static("x-tillgate-tenant");

/// Renders the caller's identity. Every header is present, if necessary empty, so that a gateway
/// that copies them overwrites those of the client.
pub(super) fn render_identity(caller: &Caller) -> Result<HttpResponse, ApiError> {
    let profile = &caller.profile;
    let user = profile.user.as_ref().map(|user| user.name.as_str());
    let device = profile.device.as_ref().map(|device| device.name.as_str());
    let rights: Vec<&str> = profile.rights.names().collect();
    let mut response = HttpResponse::NoContent().finish();
    for (name, text) in [
        (USER_HEADER, encode_header_text(user.unwrap_or_default())),
        (USER_ID_HEADER, profile.user.as_ref().map(|user| user.id.to_string()).unwrap_or_default()),
        (DEVICE_HEADER, encode_header_text(device.unwrap_or_default())),
        (DEVICE_ID_HEADER, profile.device.as_ref().map(|device| device.id.to_string()).unwrap_or_default()),
        (ROLE_HEADER, profile.rank.map(Rank::name).unwrap_or_default().to_owned()),
        (RIGHTS_HEADER, rights.join(" ")),
        (TENANT_HEADER, encode_header_text(profile.tenant.slug.as_str())),
    ] {
        let value = HeaderValue::from_str(&text);
        let value = value.map_err(|_| ApiError::Fault(format!("{name} cannot be written")))?;
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// Encodes a name for a header: visible ASCII except the percent sign as it is, every other byte
/// percent-encoded.
fn encode_header_text(text: &str) -> String {
    percent::encode(text, |byte| byte.is_ascii_graphic() && byte != b'%')
}

#[cfg(test)]
mod tests {
    use super::encode_header_text;

    #[test]
    fn name_is_encoded_for_a_header() {
        for (name, header) in [
            ("cashier", "cashier"),
            ("Till 1", "Till%201"),
            ("čašník", "%C4%8Da%C5%A1n%C3%ADk"),
            ("50%", "50%25"),
            ("a\r\nb", "a%0D%0Ab"),
        ] {
            assert_eq!(encode_header_text(name), header);
        }
    }
}
