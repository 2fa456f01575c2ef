//! The credentials of a program: HTTP Basic, or in the form (RFC 6749, 2.3.1).

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tillgate_auth_core::{Client, Evidence, Refusal, TokenRefusal};
use tillgate_domain::Secret;

use super::form::Form;
use crate::failure::Failure;
use crate::form::decoded;

/// How a program may prove itself, as RFC 8414 lists it.
pub(super) const METHODS: [&str; 2] = ["client_secret_basic", "client_secret_post"];

/// What proves the request.
pub(super) fn evidence<'r>(headers: &HeaderMap, body: &[u8]) -> Result<Evidence<'r>, Failure> {
    // what cannot be read is told by whoever reads it for what else it says
    let posted = Form::read(headers, body).ok().and_then(|mut form| Some((form.take("client_secret")?, form)));
    match (basic(headers)?, posted) {
        (Some(_), Some(_)) => Err(Failure::malformed("the client proves itself in more than one way")),
        (Some(client), None) => Ok(Evidence::Client(client)),
        (None, Some((secret, mut form))) => {
            let id = form.take("client_id").ok_or_else(unproved)?;
            Ok(Evidence::Client(Client { id, secret: Secret::new(secret) }))
        }
        (None, None) => Ok(Evidence::None),
    }
}

/// The credentials in the header: id and secret, each as a form writes it. Nothing where another scheme is named.
fn basic(headers: &HeaderMap) -> Result<Option<Client>, Failure> {
    let mut lines = headers.get_all(AUTHORIZATION);
    let Some(line) = lines.next() else { return Ok(None) };
    let (None, Ok(line)) = (lines.next(), line.to_str()) else { return Err(unproved()) };
    let (scheme, sent) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
    if !scheme.eq_ignore_ascii_case("basic") {
        return Ok(None);
    }
    let sent = BASE64_STANDARD.decode(sent.trim()).map(Secret::new).map_err(|_| unproved())?;
    let colon = sent.expose().iter().position(|byte| *byte == b':').ok_or_else(unproved)?;
    let (id, secret) = sent.expose().split_at(colon);
    let secret = secret.get(1..).unwrap_or_default();
    let (Ok(id), Ok(secret)) = (decoded(id), decoded(secret)) else { return Err(unproved()) };
    Ok(Some(Client { id, secret: Secret::new(secret) }))
}

fn unproved() -> Failure {
    Failure::Refused(Refusal::Token(TokenRefusal::Invalid))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};

    use super::*;

    fn read(headers: &[(HeaderName, &str)], body: &str) -> Result<Option<(String, String)>, Failure> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        map.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        match evidence(&map, body.as_bytes())? {
            Evidence::Client(client) => Ok(Some((client.id, client.secret.expose().clone()))),
            _ => Ok(None),
        }
    }

    fn header(credentials: &str) -> (HeaderName, String) {
        (AUTHORIZATION, format!("Basic {}", BASE64_STANDARD.encode(credentials)))
    }

    #[test]
    fn a_client_proves_itself_in_the_header_or_in_the_form() {
        for (sent, id, secret) in [
            ("till:secret", "till", "secret"),
            ("till:", "till", ""),
            (":", "", ""),
            ("till:a:b", "till", "a:b"),
            ("a%3Ab:c+d%25", "a:b", "c d%"),
            ("tiller%C3%A1:%e2%82%ac", "tillerá", "€"),
        ] {
            let (name, value) = header(sent);
            let read = read(&[(name, &value.replace("Basic", "bAsIc"))], "token=x&client_id=till").unwrap();
            assert_eq!(read, Some((id.to_owned(), secret.to_owned())), "{sent}");
        }
        let posted = read(&[], "client_secret=a%3Ab&token=x&client_id=till").unwrap();
        assert_eq!(posted, Some(("till".to_owned(), "a:b".to_owned())));
    }

    #[test]
    fn who_sends_no_credentials_is_asked_for_them() {
        assert_eq!(read(&[], "token=x").unwrap(), None);
        assert_eq!(read(&[], "token=x&client_id=till").unwrap(), None, "a client without a secret");
        assert_eq!(read(&[(AUTHORIZATION, "Bearer x")], "token=x").unwrap(), None);
    }

    #[test]
    fn what_cannot_be_read_proves_nobody() {
        for line in ["Basic", "Basic !", "Basic dGlsbA==", "Basic dGlsbDo", "Basic /zo="] {
            assert_eq!(read(&[(AUTHORIZATION, line)], "token=x"), Err(unproved()), "{line}");
        }
        let (name, value) = header("till:secret");
        let twice = [(name.clone(), value.as_str()), (name.clone(), value.as_str())];
        assert_eq!(read(&twice, ""), Err(unproved()));
        assert_eq!(read(&[], "client_secret=a"), Err(unproved()), "no id");
        let both = read(&[(name, &value)], "client_id=till&client_secret=secret");
        assert!(matches!(both, Err(Failure::Protocol(_))), "{both:?}");
    }
}
