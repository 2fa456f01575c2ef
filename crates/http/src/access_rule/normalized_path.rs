//! The normal form of a request path, which is compared with the patterns of the access table.
//!
//! The API behind a gateway may resolve dots, merge slashes, decode twice or ignore case. A path
//! that any of these would change to another path has no normal form, so no row matches it.

use tillgate_domain::hex;

use crate::percent::{self, is_unreserved};

/// The segments of a path, without unnecessary percent-encoding (RFC 3986, 6.2.2.2), query and
/// trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NormalizedPath(Vec<String>);

impl NormalizedPath {
    /// Parses the path of a request target; `None` if it has no normal form.
    pub(crate) fn parse(target: &str) -> Option<Self> {
        let path = target.split('?').next()?.strip_prefix('/')?;
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.is_empty() {
            // "/" alone; "//" is two paths
            return (target.split('?').next()? == "/").then(|| Self(Vec::new()));
        }
        path.split('/').map(normalize_segment).collect::<Option<_>>().map(Self)
    }

    pub(crate) fn segments(&self) -> &[String] {
        &self.0
    }
}

fn normalize_segment(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let encoded = hex::decode_pair(bytes.next()?, bytes.next()?)?;
            if is_delimiter(encoded) {
                return None;
            }
            decoded.push(encoded);
            if is_unreserved(encoded) {
                plain.push(char::from(encoded));
            } else {
                percent::push_encoded(&mut plain, encoded);
            }
        } else if is_unreserved(byte) || b"!$&'()*+,=:@".contains(&byte) {
            decoded.push(byte);
            plain.push(char::from(byte));
        } else if b"[]|^".contains(&byte) {
            // not allowed by RFC 3986, but sent unencoded by browsers (URL Standard, path
            // percent-encode set)
            decoded.push(byte);
            percent::push_encoded(&mut plain, byte);
        } else {
            return None;
        }
    }
    let named = std::str::from_utf8(&decoded).ok()?;
    let steps = plain.is_empty() || plain.bytes().all(|byte| byte == b'.');
    // a non-ASCII letter whose case folding is ASCII, such as the Kelvin sign
    let folds = |c: char| !c.is_ascii() && c.to_lowercase().chain(c.to_uppercase()).any(|folded| folded.is_ascii());
    (!steps && !named.chars().any(folds)).then_some(plain)
}

/// Whether a decoded byte would separate segments, end the path, or start another encoding.
fn is_delimiter(byte: u8) -> bool {
    byte.is_ascii_control() || b"/\\%;?#".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_has_one_normal_form() {
        for (target, segments) in [
            ("/", &[][..]),
            ("/?a=/../b", &[]),
            ("/api/v1/products", &["api", "v1", "products"]),
            ("/api/v1/products/", &["api", "v1", "products"]),
            ("/api/v1/%70roducts?x=%2e%2e//", &["api", "v1", "products"]),
            ("/a%2Eb/c.d/e%20f", &["a.b", "c.d", "e%20f"]),
            ("/caf%c3%a9", &["caf%C3%A9"]),
            ("/a:b/@c/d,e=f", &["a:b", "@c", "d,e=f"]),
            ("/a[1]/b|c/d^e", &["a%5B1%5D", "b%7Cc", "d%5Ee"]),
            ("/a%5b1%5d", &["a%5B1%5D"]),
        ] {
            let path = NormalizedPath::parse(target).unwrap_or_else(|| panic!("{target}"));
            assert_eq!(path.segments(), segments, "{target}");
        }
    }

    #[test]
    fn ambiguous_path_is_rejected() {
        for target in [
            "",
            "api",
            "*",
            "http://host/a",
            "//",
            "//a",
            "/a//b",
            "/a//",
            "/.",
            "/a/./b",
            "/a/../b",
            "/a/..",
            "/a/.../b",
            "/a/%2e%2e/b",
            "/a/%2E./b",
            "/a/.%2e",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/a%252e",
            "/a%25",
            "/a;b",
            "/a%3bb",
            "/a%3Fb",
            "/a%23b",
            "/a#b",
            "/a%00",
            "/a%0d%0a",
            "/a%7f",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a b",
            "/a\tb",
            "/a\"b",
            "/a<b",
            "/{a}",
            "/é",
            "/%c0%af",
            "/%c0%ae%c0%ae/b",
            "/%ff",
            "/boo%E2%84%AAs",
            "/u%C5%BFers",
            "/%C4%B0d",
        ] {
            assert_eq!(NormalizedPath::parse(target), None, "{target}");
        }
    }
}
