//! Reading JSON bodies, and forms where a contract takes them too: what every contract over JSON shares.

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::failure::{Failure, FieldFault, Protocol};
use crate::form;
use crate::strict::{self, Names};

/// Reads the body as a JSON object. Members that `T` does not know are ignored.
pub(crate) fn object<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(object_bytes(headers, body, Names::Exact)?).map_err(|error| malformed(&error))
}

/// The same where the body may be a form as well, whose fields are members that hold text.
pub(crate) fn object_or_form<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Failure> {
    if !is_encoded(headers) && essence(headers).as_deref() == Some(form::TYPE) {
        return T::deserialize(Value::Object(form::fields(body)?)).map_err(|error| malformed(&error));
    }
    object(headers, body)
}

/// The same where the case of member names does not matter: `T` names its members in lower case.
pub(crate) fn caseless<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Failure> {
    let members: Map<String, Value> = serde_json::from_slice(object_bytes(headers, body, Names::Caseless(&[]))?)
        .map_err(|error| malformed(&error))?;
    // the contracts' names are ASCII: what only looks like one of their letters is another name
    let members = members.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    T::deserialize(Value::Object(members)).map_err(|error| malformed(&error))
}

/// The fields of a body that must be a form, as they came.
pub(crate) fn form(headers: &HeaderMap, body: &[u8]) -> Result<Vec<(String, String)>, Failure> {
    if is_encoded(headers) || essence(headers).as_deref() != Some(form::TYPE) {
        return Err(Protocol::ContentType.into());
    }
    form::pairs(body)
}

/// What Windows programs put before a text (RFC 8259, 8.1, lets readers pass over it).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body)
}

/// Whether the body says nothing, as clients write it that send one with every request: no bytes, `null`, or an empty text.
pub(crate) fn is_nothing(body: &[u8]) -> bool {
    matches!(without_mark(body).trim_ascii(), b"" | b"null" | b"\"\"")
}

/// The bytes of the body, where it claims to be JSON, of whatever kind, and is: no object in it has a member twice.
pub(crate) fn json_of_any_kind<'b>(headers: &HeaderMap, body: &'b [u8], names: Names) -> Result<&'b [u8], Failure> {
    if is_encoded(headers) || !essence(headers).is_some_and(|essence| is_json(&essence)) {
        return Err(Protocol::ContentType.into());
    }
    let body = without_mark(body);
    if std::str::from_utf8(body).is_err() {
        return Err(Failure::malformed("the body is no UTF-8"));
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Failure::malformed("the body is empty"));
    }
    strict::check(body, names)?;
    Ok(body)
}

/// The bytes of the body, where it claims to be JSON and is an object.
pub(crate) fn object_bytes<'b>(headers: &HeaderMap, body: &'b [u8], names: Names) -> Result<&'b [u8], Failure> {
    // members that nobody reads are skipped unread, so what is asked of all JSON is asked of the whole
    let body = json_of_any_kind(headers, body, names)?;
    // a list would be taken for an object's values in order
    if body.trim_ascii_start().starts_with(b"{") {
        return Ok(body);
    }
    Err(Protocol::Fields(vec![FieldFault {
        field: "".into(),
        query: false,
        code: "type".into(),
        message: "must be an object".into(),
    }])
    .into())
}

/// Whether the body is packed: nobody unpacks it.
fn is_encoded(headers: &HeaderMap) -> bool {
    let encoding = headers.get(CONTENT_ENCODING).and_then(|encoding| encoding.to_str().ok());
    encoding.is_some_and(|encoding| !encoding.trim().eq_ignore_ascii_case("identity"))
}

/// The type of the body, whatever its parameters.
fn essence(headers: &HeaderMap) -> Option<String> {
    let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// `application/json`, `text/json` or a type with the suffix `+json` (RFC 6839, 3.1).
fn is_json(essence: &str) -> bool {
    matches!(essence, "application/json" | "text/json")
        || essence.strip_prefix("application/").is_some_and(|subtype| subtype.ends_with("+json"))
}

/// Where the body cannot be read, without a word of what it says: it may hold a password.
pub(crate) fn malformed(error: &serde_json::Error) -> Failure {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "ends too early",
        _ if error.to_string().starts_with("number out of range") => "has a number that is out of range",
        _ => "is no JSON that can be read",
    };
    Failure::malformed(format!("the body {what} (line {}, column {})", error.line(), error.column()))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn typed(content_type: &'static str) -> HeaderMap {
        [(CONTENT_TYPE, HeaderValue::from_static(content_type))].into_iter().collect()
    }

    #[test]
    fn json_is_known_by_its_type() {
        let is_json = |content_type| super::is_json(&essence(&typed(content_type)).unwrap());
        for yes in ["application/json", "Application/JSON; charset=utf-8", "text/json", "application/vnd.pos+json"] {
            assert!(is_json(yes), "{yes}");
        }
        for no in ["", "text/plain", form::TYPE, "application/jsonp", "application/xml+jsonx", "text/x+json"] {
            assert!(!is_json(no), "{no}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        let json = typed("application/json");
        let read = |body: &[u8]| object::<Map<String, Value>>(&json, body).map(Value::Object);
        assert_eq!(read(b"\xef\xbb\xbf{\"a\":1}"), Ok(serde_json::json!({ "a": 1 })));
        assert_eq!(read(b"\xef\xbb\xbf"), Err(Failure::malformed("the body is empty")));
        for no in [&b"\xef\xbb\xbf\xef\xbb\xbf{}"[..], b"{}\xef\xbb\xbf", b"\xfe\xff\0{\0}"] {
            assert!(read(no).is_err(), "{no:?}");
        }
    }

    #[test]
    fn a_body_that_says_nothing_is_known() {
        for nothing in [&b""[..], b" \r\n", b"null", b" null ", b"\"\"", b"\xef\xbb\xbf", b"\xef\xbb\xbfnull"] {
            assert!(is_nothing(nothing), "{nothing:?}");
        }
        for something in [&b"{}"[..], b"0", b"nul", b"\" \"", b"[]", b"\xef\xbb"] {
            assert!(!is_nothing(something), "{something:?}");
        }
    }

    #[test]
    fn a_number_that_is_out_of_range_is_told_as_such() {
        let told = object::<Map<String, Value>>(&typed("application/json"), b"{\"a\": 1e400}");
        assert_eq!(told, Err(Failure::malformed("the body has a number that is out of range (line 1, column 11)")));
    }

    #[test]
    fn a_form_is_taken_where_it_is_asked_for() {
        for content_type in [form::TYPE, "Application/X-WWW-Form-URLEncoded; charset=UTF-8"] {
            let read = object_or_form::<Map<String, Value>>(&typed(content_type), b"a=b").unwrap();
            assert_eq!(Value::Object(read), serde_json::json!({ "a": "b" }));
            let refused = object::<Map<String, Value>>(&typed(content_type), b"a=b");
            assert_eq!(refused, Err(Protocol::ContentType.into()));
        }
        let mut packed = typed(form::TYPE);
        packed.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert_eq!(object_or_form::<Value>(&packed, b"a=b"), Err(Protocol::ContentType.into()));
        assert_eq!(object_or_form::<Value>(&typed("text/plain"), b"a=b"), Err(Protocol::ContentType.into()));
    }
}
