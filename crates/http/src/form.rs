//! Reading form bodies (`application/x-www-form-urlencoded`), for contracts whose clients send them.

use serde_json::{Map, Value};

use crate::failure::Failure;

/// The type of a form.
pub(crate) const TYPE: &str = "application/x-www-form-urlencoded";

/// The fields of a form, each a text. Of a repeated one the last counts.
pub(crate) fn fields(body: &[u8]) -> Result<Map<String, Value>, Failure> {
    Ok(pairs(body)?.into_iter().map(|(name, value)| (name, Value::String(value))).collect())
}

/// The fields of a form as they came, repeated ones too.
pub(crate) fn pairs(body: &[u8]) -> Result<Vec<(String, String)>, Failure> {
    let parts = body.split(|byte| *byte == b'&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let mut halves = part.splitn(2, |byte| *byte == b'=');
            let mut half = || decoded(halves.next().unwrap_or_default());
            Ok((half()?, half()?))
        })
        .collect()
}

/// A name or a value: a plus is a blank, `%` and two digits of hex a byte, and a percent sign before anything else is itself, as the
/// URL standard reads it (5.1).
pub(crate) fn decoded(text: &[u8]) -> Result<String, Failure> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match (byte, digit(after.first()), digit(after.get(1))) {
            (b'+', ..) => out.push(b' '),
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = after.get(2..).unwrap_or_default();
            }
            _ => out.push(*byte),
        }
    }
    String::from_utf8(out).map_err(|_| Failure::malformed("the body is no UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Vec<(String, String)> {
        let fields = fields(body.as_bytes()).unwrap();
        fields.into_iter().map(|(name, value)| (name, value.as_str().unwrap().to_owned())).collect()
    }

    #[test]
    fn a_form_is_read_as_browsers_write_it() {
        for (body, pairs) in [
            ("", &[][..]),
            ("&&", &[]),
            ("a=b", &[("a", "b")]),
            ("a", &[("a", "")]),
            ("=b", &[("", "b")]),
            ("a=b=c&d=", &[("a", "b=c"), ("d", "")]),
            ("a=1&a=2", &[("a", "2")]),
            ("a=x+y%2Bz%20w", &[("a", "x y+z w")]),
            ("p%C3%A4%c3%9F=%E2%82%ac", &[("päß", "€")]),
            ("a=%&b=%4&c=%zz&d=%25%34", &[("a", "%"), ("b", "%4"), ("c", "%zz"), ("d", "%4")]),
            ("a=ž%26", &[("a", "ž&")]),
        ] {
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            assert_eq!(read(body), pairs, "{body}");
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for body in [&b"a=%ff"[..], b"a=\xff", b"%c3=a", b"a=%c3%28"] {
            assert!(fields(body).is_err(), "{body:?}");
        }
    }
}
