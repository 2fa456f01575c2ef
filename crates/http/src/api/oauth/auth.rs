//! Client authentication by HTTP Basic or in the form (RFC 6749, 2.3.1).

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tillgate_auth_core::{AuthDenied, Client, RequestCredentials, TokenDenied};
use tillgate_domain::Secret;

use super::request::FormParameters;
use crate::error::ApiError;
use crate::request::form::decode_form_text;

/// The supported methods of client authentication, as listed in the metadata (RFC 8414, 2).
pub(super) const CLIENT_AUTH_METHODS: [&str; 2] = ["client_secret_basic", "client_secret_post"];

/// Reads the client's credentials.
pub(super) fn read_credentials<'r>(headers: &HeaderMap, body: &[u8]) -> Result<RequestCredentials<'r>, ApiError> {
    // an unreadable form is reported by the handler, which reads it again
    let posted =
        FormParameters::read(headers, body).ok().and_then(|mut form| Some((form.take("client_secret")?, form)));
    match (read_basic_credentials(headers)?, posted) {
        (Some(_), Some(_)) => Err(ApiError::malformed("the client uses more than one authentication method")),
        (Some(client), None) => Ok(RequestCredentials::Client(client)),
        (None, Some((secret, mut form))) => {
            let id = form.take("client_id").ok_or_else(invalid_client_error)?;
            Ok(RequestCredentials::Client(Client { id, secret: Secret::new(secret) }))
        }
        (None, None) => Ok(RequestCredentials::None),
    }
}

/// Reads id and secret from the header, each form-encoded; `None` if it uses another scheme.
fn read_basic_credentials(headers: &HeaderMap) -> Result<Option<Client>, ApiError> {
    let mut lines = headers.get_all(AUTHORIZATION);
    let Some(line) = lines.next() else { return Ok(None) };
    let (None, Ok(line)) = (lines.next(), line.to_str()) else { return Err(invalid_client_error()) };
    let (scheme, sent) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
    if !scheme.eq_ignore_ascii_case("basic") {
        return Ok(None);
    }
    let sent = BASE64_STANDARD.decode(sent.trim()).map(Secret::new).map_err(|_| invalid_client_error())?;
    let colon = sent.expose().iter().position(|byte| *byte == b':').ok_or_else(invalid_client_error)?;
    let (id, secret) = sent.expose().split_at(colon);
    let secret = secret.get(1..).unwrap_or_default();
    let (Ok(id), Ok(secret)) = (decode_form_text(id), decode_form_text(secret)) else {
        return Err(invalid_client_error());
    };
    Ok(Some(Client { id, secret: Secret::new(secret) }))
}

fn invalid_client_error() -> ApiError {
    ApiError::Denied(AuthDenied::Token(TokenDenied::Invalid))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};

    use super::*;

    fn read_client(headers: &[(HeaderName, &str)], body: &str) -> Result<Option<(String, String)>, ApiError> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        map.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        match read_credentials(&map, body.as_bytes())? {
            RequestCredentials::Client(client) => Ok(Some((client.id, client.secret.expose().clone()))),
            _ => Ok(None),
        }
    }

    fn basic_header(credentials: &str) -> (HeaderName, String) {
        (AUTHORIZATION, format!("Basic {}", BASE64_STANDARD.encode(credentials)))
    }

    #[test]
    fn client_authenticates_by_header_or_form() {
        for (sent, id, secret) in [
            ("till:secret", "till", "secret"),
            ("till:", "till", ""),
            (":", "", ""),
            ("till:a:b", "till", "a:b"),
            ("a%3Ab:c+d%25", "a:b", "c d%"),
            ("tiller%C3%A1:%e2%82%ac", "tillerá", "€"),
        ] {
            let (name, value) = basic_header(sent);
            let read = read_client(&[(name, &value.replace("Basic", "bAsIc"))], "token=x&client_id=till").unwrap();
            assert_eq!(read, Some((id.to_owned(), secret.to_owned())), "{sent}");
        }
        let posted = read_client(&[], "client_secret=a%3Ab&token=x&client_id=till").unwrap();
        assert_eq!(posted, Some(("till".to_owned(), "a:b".to_owned())));
    }

    #[test]
    fn missing_credentials_yield_none() {
        assert_eq!(read_client(&[], "token=x").unwrap(), None);
        assert_eq!(read_client(&[], "token=x&client_id=till").unwrap(), None, "a client without a secret");
        assert_eq!(read_client(&[(AUTHORIZATION, "Bearer x")], "token=x").unwrap(), None);
    }

    #[test]
    fn unreadable_credentials_are_rejected() {
        for line in ["Basic", "Basic !", "Basic dGlsbA==", "Basic dGlsbDo", "Basic /zo="] {
            assert_eq!(read_client(&[(AUTHORIZATION, line)], "token=x"), Err(invalid_client_error()), "{line}");
        }
        let (name, value) = basic_header("till:secret");
        let twice = [(name.clone(), value.as_str()), (name.clone(), value.as_str())];
        assert_eq!(read_client(&twice, ""), Err(invalid_client_error()));
        assert_eq!(read_client(&[], "client_secret=a"), Err(invalid_client_error()), "no id");
        let both = read_client(&[(name, &value)], "client_id=till&client_secret=secret");
        assert!(matches!(both, Err(ApiError::Protocol(_))), "{both:?}");
    }
}
