//! The comparison of the URI in a proof with that of the request.

use tillgate_domain::hex;
use url::Url;

/// Brings an `http` or `https` URI into its normal form, without query and fragment (RFC 3986,
/// sections 6.2.2 and 6.2.3; RFC 9449, section 4.3, step 9). `None` if it is no such URI.
pub(super) fn normalize(uri: &str) -> Option<String> {
    // a URL parser for browsers repairs what RFC 3986 does not allow
    if !uri.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return None;
    }
    let url = Url::parse(uri).ok()?;
    let is_plain = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    is_plain.then(|| format!("{}{}", url.origin().ascii_serialization(), normalize_escapes(url.path())))
}

/// Decodes percent-encoded unreserved characters, and writes the rest with upper-case digits.
fn normalize_escapes(path: &str) -> String {
    let (mut normal, mut rest) = (String::with_capacity(path.len()), path);
    while let Some((before, after)) = rest.split_once('%') {
        normal.push_str(before);
        let escape = after.get(..2).unwrap_or_default();
        match decode_pair(escape) {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => normal.push(char::from(byte)),
            Some(_) => {
                normal.push('%');
                normal.push_str(&escape.to_ascii_uppercase());
            }
            None => {
                normal.push('%');
                rest = after;
                continue;
            }
        }
        rest = after.get(2..).unwrap_or_default();
    }
    normal.push_str(rest);
    normal
}

fn decode_pair(digits: &str) -> Option<u8> {
    let &[high, low] = digits.as_bytes() else { return None };
    hex::decode_pair(high, low)
}

#[cfg(test)]
mod tests {
    use super::normalize;

    #[test]
    fn equivalent_uris_have_one_normal_form() {
        for (uri, expected) in [
            ("https://pos.example/api/v1/sessions", Some("https://pos.example/api/v1/sessions")),
            ("HTTPS://POS.Example:443/api/v1/sessions?x=1#y", Some("https://pos.example/api/v1/sessions")),
            ("http://pos.example:80", Some("http://pos.example/")),
            ("https://pos.example:8443/a/./b/../c", Some("https://pos.example:8443/a/c")),
            ("https://pos.example/%7euser/%c3%A9/a%2fb", Some("https://pos.example/~user/%C3%A9/a%2Fb")),
            ("http://[::1]:8080/%", Some("http://[::1]:8080/%")),
            ("https://pos.example/API", Some("https://pos.example/API")),
            ("https://pos.example/a/", Some("https://pos.example/a/")),
            ("", None),
            ("/api/v1/sessions", None),
            ("ftp://pos.example/", None),
            ("https://user@pos.example/", None),
            ("https://pos.example\\a", None),
            (" https://pos.example/", None),
            ("https://pos.example/\u{e9}", None),
        ] {
            assert_eq!(normalize(uri).as_deref(), expected, "{uri}");
        }
    }
}
