//! Reading of form bodies (`application/x-www-form-urlencoded`).

use std::collections::BTreeSet;

use percent_encoding::percent_decode;
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::error::{ApiError, FieldViolation};
use crate::json::duplicates::duplicate_violation;

/// Media type of a form.
pub(crate) const FORM_MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// Reads the fields of a form as an object of texts, with a violation for each repeated one.
///
/// # Errors
/// The form cannot be decoded.
pub(crate) fn read_form_object(body: &[u8]) -> Result<(Map<String, Value>, Vec<FieldViolation>), ApiError> {
    let (mut fields, mut repeated) = (Map::new(), BTreeSet::new());
    for (name, value) in read_form_pairs(body)? {
        if fields.insert(name.clone(), Value::String(value)).is_some() {
            repeated.insert(name);
        }
    }
    Ok((fields, repeated.into_iter().map(duplicate_violation).collect()))
}

/// Reads the fields of a form in their order, including repeated ones.
pub(crate) fn read_form_pairs(body: &[u8]) -> Result<Vec<(String, String)>, ApiError> {
    // the parser replaces what is not UTF-8, so that is looked for before
    decode_form_text(body)?;
    Ok(form_urlencoded::parse(body).into_owned().collect())
}

/// Decodes a name or a value (URL standard, 5.1): a plus is a space, `%` with two hexadecimal
/// digits is a byte, and any other percent sign is itself.
pub(crate) fn decode_form_text(text: &[u8]) -> Result<String, ApiError> {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let decoded = percent_decode(&spaced).decode_utf8();
    Ok(decoded.map_err(|_| ApiError::malformed("the body is not UTF-8"))?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_pairs(body: &str) -> Vec<(String, String)> {
        let (fields, _) = read_form_object(body.as_bytes()).unwrap();
        fields.into_iter().map(|(name, value)| (name, value.as_str().unwrap().to_owned())).collect()
    }

    #[test]
    fn form_is_decoded_as_browsers_encode_it() {
        for (body, pairs) in [
            ("", &[][..]),
            ("&&", &[]),
            ("a=b", &[("a", "b")]),
            ("a", &[("a", "")]),
            ("=b", &[("", "b")]),
            ("a=b=c&d=", &[("a", "b=c"), ("d", "")]),
            ("a=x+y%2Bz%20w", &[("a", "x y+z w")]),
            ("p%C3%A4%c3%9F=%E2%82%ac", &[("päß", "€")]),
            ("a=%&b=%4&c=%zz&d=%25%34", &[("a", "%"), ("b", "%4"), ("c", "%zz"), ("d", "%4")]),
            ("a=ž%26", &[("a", "ž&")]),
        ] {
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            assert_eq!(read_pairs(body), pairs, "{body}");
        }
    }

    #[test]
    fn every_duplicate_field_is_reported() {
        let (_, violations) = read_form_object(b"b=1&a=1&c=1&%61=2&b=1&b=2").unwrap();
        let reported: Vec<_> =
            violations.iter().map(|violation| (violation.field.as_ref(), violation.code.name())).collect();
        assert_eq!(reported, [("a", "duplicate"), ("b", "duplicate")]);
    }

    #[test]
    fn invalid_utf8_is_rejected() {
        for body in [&b"a=%ff"[..], b"a=\xff", b"%c3=a", b"a=%c3%28", b"a=%c3&%a4=b"] {
            assert!(read_form_object(body).is_err(), "{body:?}");
        }
    }
}
