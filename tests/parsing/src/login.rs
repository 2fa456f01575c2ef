//! The bodies of logins, as JSON and as a form, and of the refreshes of PORTOS and POS Kasir.

use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde::de::{MapAccess, Visitor};
use serde_json::{Value, json};
use tillgate_auth_core::LoginIdentity;
use tillgate_domain::DeviceName;
use tillgate_http::{ApiError, FieldErrorCode, Fiuu, Kasir, Native, Portos, ProtocolError};

/// A body is parsed as another JSON parser parses it, or rejected without echoing its content. What
/// was parsed is the same after it is serialized and parsed again.
pub fn login(input: &[u8]) {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    check_native(&headers, input);
    check_portos(&headers, input);
    check_refresh(&headers, input);
    check_kasir(&headers, input);
    check_form(input);
}

fn check_native(headers: &HeaderMap, input: &[u8]) {
    match Native::read_login(headers, input) {
        Ok((who, password, tenant)) => {
            let members = parse_members(input);
            let member = |name: &str| text_member(&members, |other| other == name);
            let (login, device) = match &who {
                LoginIdentity::User { login, device } => (Some(login.clone()), device.clone()),
                LoginIdentity::Device { device } => (None, Some(device.clone())),
            };
            assert_eq!((&login, &device, &tenant), (&member("login"), &member("device"), &member("tenant")));
            assert_eq!(Some(password.expose()), member("password").as_ref());
            let again = json!({"login": login, "password": password.expose(), "device": device, "tenant": tenant});
            let (who_again, password_again, tenant_again) =
                Native::read_login(headers, again.to_string().as_bytes()).unwrap();
            assert_eq!(format!("{who:?}"), format!("{who_again:?}"));
            assert!((password, tenant) == (password_again, tenant_again));
        }
        Err(failure) => check_refusal(&failure),
    }
}

fn check_portos(headers: &HeaderMap, input: &[u8]) {
    match Portos::read_login(headers, input) {
        Ok((who, password)) => {
            let members = parse_members(input);
            let member = |name: &str| text_member(&members, |other| other.eq_ignore_ascii_case(name));
            let LoginIdentity::User { login, device } = &who else { panic!("PORTOS knows users alone") };
            assert_eq!((Some(login), device), (member("username").as_ref(), &member("devicename")));
            assert!(!login.trim().is_empty() && device.as_ref().is_some_and(|device| !device.trim().is_empty()));
            assert_eq!(*password.expose(), member("password").unwrap_or_default());
        }
        Err(failure) => check_refusal(&failure),
    }
}

fn check_kasir(headers: &HeaderMap, input: &[u8]) {
    match Kasir::read_login(headers, input) {
        Ok((who, password)) => {
            let members = parse_members(input);
            let member = |name: &str| text_member(&members, |other| other == name);
            let LoginIdentity::User { login, device: None } = &who else {
                panic!("POS Kasir knows users without a device alone")
            };
            assert_eq!((Some(login), Some(password.expose())), (member("email").as_ref(), member("password").as_ref()));
            let again = json!({"email": login, "password": password.expose()});
            let (who_again, password_again) = Kasir::read_login(headers, again.to_string().as_bytes()).unwrap();
            assert!(format!("{who:?}") == format!("{who_again:?}") && password == password_again);
        }
        Err(failure) => check_refusal(&failure),
    }
    match Kasir::read_refresh(headers, input) {
        // an empty value is not a refresh token
        Ok(token) if [&b""[..], b"null", b"\"\""].contains(&without_byte_order_mark(input).trim_ascii()) => {
            assert!(token.is_none());
        }
        Ok(token) => {
            let sent =
                text_member(&parse_members(input), |other| other == "refresh_token").filter(|sent| !sent.is_empty());
            assert_eq!(token.map(|token| token.expose().clone()), sent);
        }
        Err(failure) => check_refusal(&failure),
    }
}

/// Fiuu's form: what was parsed is the same if every byte is percent-encoded.
fn check_form(input: &[u8]) {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))]);
    match Fiuu::read_login(&headers, input) {
        Ok((who, password)) => {
            let LoginIdentity::Device { device } = &who else { panic!("Fiuu knows registers alone") };
            assert!(DeviceName::parse(device).is_ok());
            let encoded = |text: &str| {
                text.bytes().flat_map(|byte| format!("%{byte:02x}").into_bytes()).map(char::from).collect::<String>()
            };
            let again = format!("posId={}&password={}", encoded(device), encoded(password.expose()));
            let (who_again, password_again) = Fiuu::read_login(&headers, again.as_bytes()).unwrap();
            assert_eq!(format!("{who:?}"), format!("{who_again:?}"));
            assert!(password == password_again);
        }
        Err(failure) => check_refusal(&failure),
    }
}

fn check_refresh(headers: &HeaderMap, input: &[u8]) {
    match Portos::read_refresh(headers, input) {
        Ok((token, beside)) => {
            let members = parse_members(input);
            let member = |name: &str| text_member(&members, |other| other.eq_ignore_ascii_case(name));
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(token.expose()).unwrap();
            assert_eq!(Some(BASE64_STANDARD.encode(bytes)), member("refreshtoken"), "two texts for one token");
            assert_eq!(beside.map(|beside| beside.expose().clone()), member("tokenid"));
        }
        Err(ApiError::Denied(_)) => {}
        Err(failure) => check_refusal(&failure),
    }
}

/// The error for a rejected body contains nothing of its content.
fn check_refusal(failure: &ApiError) {
    match failure {
        ApiError::Protocol(ProtocolError::MalformedBody(why)) => {
            let digits = |c: char| c.is_ascii_digit();
            let bare: String = why.chars().filter(|c| !digits(*c)).collect();
            assert!(
                [
                    "the body is not UTF-",
                    "the body is empty",
                    "the body ends too early (line , column )",
                    "the body is not valid JSON (line , column )",
                    "the body has a number that is out of range (line , column )",
                ]
                .contains(&bare.as_str()),
                "{why}"
            );
        }
        ApiError::Protocol(ProtocolError::InvalidFields(faults)) => {
            assert!(!faults.is_empty());
            for fault in faults {
                let known = "login password new_password device tenant username devicename tokenid refreshtoken pos_id email refresh_token";
                let known = |field: &str| field.is_empty() || known.split(' ').any(|each| each == field);
                // a duplicate member may have any name, and its value is not shown
                assert!(
                    (known(&fault.field) || fault.code == FieldErrorCode::Duplicate) && !fault.message.is_empty(),
                    "{fault:?}"
                );
            }
        }
        other => panic!("the error of the caller is reported as {other:?}"),
    }
}

/// The members of an object in their order, including duplicates.
struct JsonMembers(Vec<(String, Value)>);

impl<'de> serde::Deserialize<'de> for JsonMembers {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct JsonMembersVisitor;
        impl<'de> Visitor<'de> for JsonMembersVisitor {
            type Value = JsonMembers;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonMembers, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(JsonMembers(members))
            }
        }
        deserializer.deserialize_map(JsonMembersVisitor)
    }
}

/// The input without a byte order mark.
fn without_byte_order_mark(input: &[u8]) -> &[u8] {
    input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input)
}

fn parse_members(input: &[u8]) -> JsonMembers {
    serde_json::from_slice(without_byte_order_mark(input)).expect("what was taken is no JSON object")
}

/// The text of the last member with this name; `None` if there is none, or if it is null.
fn text_member(members: &JsonMembers, is: impl Fn(&str) -> bool) -> Option<String> {
    members.0.iter().rev().find(|(name, _)| is(name)).and_then(|(_, value)| value.as_str()).map(str::to_owned)
}
