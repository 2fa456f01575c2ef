//! The headers that identify the caller: `Authorization`, and those that proxies add.

use std::net::IpAddr;

use actix_web::http::header::{AUTHORIZATION, FORWARDED, HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;
use tillgate_auth_core::{AuthDenied, RequestCredentials, TokenDenied};
use tillgate_http::proxies::{ClientInfo, resolve_client};
use tillgate_http::{ApiError, ProxyHeaders, read_bearer};

/// The trusted proxy, another address, and the client that the proxy has seen.
const PROXY_ADDRESS: &str = "10.1.2.3";
const STRANGER_ADDRESS: &str = "203.0.113.9";
const CLIENT_ADDRESS: &str = "198.51.100.7";

/// The client cannot choose its address by these headers: the address is the one that the trusted
/// proxy saw, or the proxy's own. A bearer token is the content of the single `Authorization` line.
/// The input is one header per line: a letter and the value.
pub fn headers(input: &[u8]) {
    let sent = parse_headers(input);
    check_credentials(&sent);
    check_forwarded(&sent);
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

fn parse_headers(input: &[u8]) -> HeaderMap {
    let mut sent = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n') {
        let Some((letter, value)) = line.split_first() else { continue };
        let name = match letter {
            b'a' => AUTHORIZATION,
            b'f' => X_FORWARDED_FOR,
            b'p' => HeaderName::from_static("x-forwarded-proto"),
            b'h' => HeaderName::from_static("x-forwarded-host"),
            b's' => FORWARDED,
            _ => continue,
        };
        // a server does not receive a line that is no valid header value
        if let Ok(value) = HeaderValue::from_bytes(value) {
            sent.append(name, value);
        }
    }
    sent
}

fn check_credentials(sent: &HeaderMap) {
    let lines: Vec<&HeaderValue> = sent.get_all(AUTHORIZATION).collect();
    match (read_bearer(sent), lines.as_slice()) {
        (Ok(RequestCredentials::None), [])
        | (Err(ApiError::Denied(AuthDenied::Token(TokenDenied::Invalid))), [_, _, ..]) => {}
        (Ok(RequestCredentials::None), [line]) => {
            let line = line.to_str().unwrap().trim().to_ascii_lowercase();
            assert!(line != "bearer" && !line.starts_with("bearer "), "a bearer was passed over");
        }
        (Ok(RequestCredentials::Bearer(token)), [line]) => {
            let line = line.to_str().unwrap();
            assert!(line.trim_end().ends_with(token) && token.trim() == token, "the token is not what was sent");
            assert!(
                line.trim_start().to_ascii_lowercase().starts_with("bearer"),
                "another scheme was taken for a bearer"
            );
        }
        (Err(ApiError::Denied(AuthDenied::Token(TokenDenied::Invalid))), [line]) => assert!(line.to_str().is_err()),
        (resolved, lines) => panic!("{} lines are resolved as {resolved:?}", lines.len()),
    }
}

fn check_forwarded(sent: &HeaderMap) {
    let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
    let [proxy, stranger, client] =
        [PROXY_ADDRESS, STRANGER_ADDRESS, CLIENT_ADDRESS].map(|text| text.parse::<IpAddr>().unwrap());
    let kinds = [
        (ProxyHeaders::XForwarded, X_FORWARDED_FOR, CLIENT_ADDRESS),
        (ProxyHeaders::Forwarded, FORWARDED, "for=198.51.100.7;proto=https;host=pos.example"),
    ];
    for (kind, name, own) in kinds {
        let plain = ClientInfo { address: Some(stranger), ..ClientInfo::default() };
        assert_eq!(resolve_client(&trusted, kind, Some(stranger), sent), plain, "a stranger was believed");

        let seen = resolve_client(&trusted, kind, Some(proxy), sent);
        assert!(seen.via_proxy && seen.address.is_some_and(|address| address.to_canonical() == address));
        assert!(seen.scheme.is_none_or(|scheme| scheme == "http" || scheme == "https"));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
        assert!(seen.host.is_none_or(|host| (1..=255).contains(&host.len()) && host.bytes().all(plain)));

        // a proxy appends a line of its own, or appends to the last line; the other kind of header
        // has no effect
        let resolved = resolve_client(&trusted, kind, Some(proxy), &append_header(sent, &name, own, false));
        assert_eq!(resolved.address, Some(client), "a line of the client's hid the proxy's own");
        if kind == ProxyHeaders::Forwarded {
            assert_eq!((resolved.scheme, resolved.host.as_deref()), (Some("https"), Some("pos.example")));
        }
        let joined =
            resolve_client(&trusted, kind, Some(proxy), &append_header(sent, &name, own, true)).address.unwrap();
        assert!(joined == client || joined == proxy, "the client chose its address: {joined}");
        if kind == ProxyHeaders::XForwarded {
            assert_eq!(joined, client, "what the client sent hid what the proxy appended");
        }
    }
}

/// The headers behind a proxy that appends its own value.
fn append_header(sent: &HeaderMap, name: &HeaderName, own: &str, joined: bool) -> HeaderMap {
    let mut out = HeaderMap::new();
    let last = sent.get_all(name).count();
    let mut seen = 0;
    for (each, value) in sent {
        if *each == *name {
            seen += 1;
            if joined && seen == last {
                out.append(
                    each.clone(),
                    HeaderValue::from_bytes(&[value.as_bytes(), b", ", own.as_bytes()].concat()).unwrap(),
                );
                continue;
            }
        }
        out.append(each.clone(), value.clone());
    }
    if !joined || last == 0 {
        out.append(name.clone(), HeaderValue::from_str(own).unwrap());
    }
    out
}
