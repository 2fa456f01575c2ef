//! The access check that gateways ask before they let a request through: may whoever sent it have what it asks for? The answer says who
//! they are in headers.

use std::fmt::Write as _;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use tillgate_auth_core::Caller;
use tillgate_domain::Rank;

use crate::error::ApiError;
use crate::openapi::{OperationDoc, text_schema};
use crate::request::Request;
use crate::route::Route;

pub(super) fn route() -> Route {
    // whoever is asked about proves themselves to one of the mounts that the table names, not to this one
    Route::public(Method::GET, "/access", check_access).with_error_code_header().documented(|| {
        let (method, target) = ("The method that is asked about.", "The target that is asked about.");
        OperationDoc::new("gateways", "Whether a request may go through")
            .description("For gateways: nginx names the request in `X-Original-*` (ingress-nginx its target in `X-Original-URL`), Traefik and Caddy in `X-Forwarded-*`, with the headers that it was sent with. A refusal is worded as the contract words its own whose tokens the row takes, and bears its code in `X-Tillgate-Code`.")
            .header_parameter("X-Original-Method", method, text_schema())
            .header_parameter("X-Original-URI", target, text_schema())
            .header_parameter("X-Original-URL", "The whole URL that is asked about, whose path and query are the target.", text_schema())
            .header_parameter("X-Forwarded-Method", method, text_schema())
            .header_parameter("X-Forwarded-Uri", target, text_schema())
            .no_content("It may; the headers `X-Tillgate-*` say whose it is.")
            .errors(&[400, 401, 403, 429])
    })
}

const USER_HEADER: HeaderName = HeaderName::from_static("x-tillgate-user");
const USER_ID_HEADER: HeaderName = HeaderName::from_static("x-tillgate-user-id");
const DEVICE_ID_HEADER: HeaderName = HeaderName::from_static("x-tillgate-device-id");
const DEVICE_HEADER: HeaderName = HeaderName::from_static("x-tillgate-device");
const ROLE_HEADER: HeaderName = HeaderName::from_static("x-tillgate-role");
const RIGHTS_HEADER: HeaderName = HeaderName::from_static("x-tillgate-rights");
const TENANT_HEADER: HeaderName = HeaderName::from_static("x-tillgate-tenant");

async fn check_access(call: Request) -> Result<HttpResponse, ApiError> {
    match call.mount().access_table.authorize(call.head()).await {
        Ok(caller) => render_identity(&caller),
        Err(denied) => Ok(denied.render(call.mount())),
    }
}

/// Who it is. Every header is there, empty where there is nothing to say, so that a gateway that copies them leaves none of the client's.
fn render_identity(caller: &Caller) -> Result<HttpResponse, ApiError> {
    let profile = &caller.profile;
    let user = profile.user.as_ref().map(|user| user.name.as_str());
    let device = profile.device.as_ref().map(|device| device.name.as_str());
    let rights: Vec<&str> = profile.rights.names().collect();
    let mut answer = HttpResponse::NoContent().finish();
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
        answer.headers_mut().insert(name, value);
    }
    Ok(answer)
}

/// A name as it stands in a header: visible ASCII as it is, but for the percent sign; every other byte percent-encoded.
fn encode_header_text(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut text, byte| {
        if byte.is_ascii_graphic() && byte != b'%' {
            text.push(char::from(byte));
        } else {
            // writing into a text cannot fail
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
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
