//! Cookies: reading them from a request, and adding them to a response.

use actix_web::HttpResponse;
use actix_web::http::header::{COOKIE, HeaderValue, SET_COOKIE};
use cookie::CookieBuilder;
use tillgate_domain::Secret;

use crate::request::head::RequestHead;

/// Adds a cookie to a response.
pub(crate) fn append_cookie(response: &mut HttpResponse, cookie: CookieBuilder<'_>) {
    if let Ok(line) = HeaderValue::from_str(&cookie.build().to_string()) {
        response.headers_mut().append(SET_COOKIE, line);
    }
}

/// Maximum number of cookies with the same name that are read.
const MAX_COOKIE_VALUES: usize = 16;

/// Returns the distinct, non-empty values of the cookies with this name, in the order in which they
/// were sent. A browser sends several if pages of the domain have set them for different paths or
/// hosts, and a request does not tell which is which (RFC 6265, 4.2.2 and 5.4).
pub(crate) fn read_cookies<'r>(head: &'r RequestHead, name: &str) -> Vec<&'r str> {
    let lines = head.headers().get_all(COOKIE).map(HeaderValue::as_bytes);
    let mut values = Vec::new();
    for value in
        lines.flat_map(|line| line.split(|byte| *byte == b';')).filter_map(|pair| parse_cookie_value(pair, name))
    {
        if values.len() < MAX_COOKIE_VALUES && !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

/// Returns the values of the cookies with this name as secrets.
pub(crate) fn read_secret_cookies(head: &RequestHead, name: &str) -> Vec<Secret<String>> {
    read_cookies(head, name).into_iter().map(|token| Secret::new(token.to_owned())).collect()
}

/// Returns the value of a cookie with this name; bytes of other cookies do not matter.
fn parse_cookie_value<'r>(pair: &'r [u8], name: &str) -> Option<&'r str> {
    let (sent, value) = std::str::from_utf8(pair).ok()?.split_once('=')?;
    let value = value.trim().trim_matches('"');
    (sent.trim() == name && value.is_ascii() && !value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookie_is_found_by_name_among_others() {
        for (pair, found) in [
            (&b"access_token=a.b.c"[..], Some("a.b.c")),
            (b"  access_token = \"a.b.c\" ", Some("a.b.c")),
            (b"access_token=a=b", Some("a=b")),
            (b"access_token=", None),
            (b"access_token=\"\"", None),
            (b"access_token", None),
            (b"Access_Token=a", None),
            (b"access_token=\xc5\x88", None),
            (b"access_token=\xff", None),
            (b"shop=\xff", None),
            (b"=access_token", None),
        ] {
            assert_eq!(parse_cookie_value(pair, "access_token"), found, "{}", String::from_utf8_lossy(pair));
        }
    }
}
