//! NWS4-HMAC-SHA256: parses the signature that a PORTOS client sends instead of a token, and
//! reconstructs the bytes that were signed.
//!
//! These are pure functions of the received request. The engine decides whether the key exists, the
//! time is recent and the signature is new; nothing here has access to a secret.

use std::collections::BTreeSet;

use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use tillgate_auth_core::digest::sha256;
use tillgate_auth_core::{AuthDenied, Signature, TokenDenied};
use tillgate_domain::{Instant, hex};
use time::PrimitiveDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::error::{ApiError, ProtocolError};
use crate::percent::{self, is_unreserved};
use crate::request::head::RequestHead;
use crate::timestamps;

/// Name of the scheme, in the header and in the signed bytes.
const AUTH_SCHEME: &str = "NWS4-HMAC-SHA256";

/// Prefix of the secret in the first derived key.
const SECRET_PREFIX: &str = "NWS4";

const HOST_HEADER: &str = "host";
const DATE_HEADER: &str = "x-nd-date";
const DIGEST_HEADER: &str = "x-nd-content-sha256";

/// Format of timestamps in this contract: UTC with milliseconds.
const TIMESTAMP_FORMAT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// A received request.
#[derive(Clone, Copy)]
pub(crate) struct SignedRequest<'r> {
    pub(crate) method: &'r Method,
    /// Full path including the mount's prefix, percent-encoded.
    pub(crate) path: &'r str,
    /// Query without the question mark.
    pub(crate) query: &'r str,
    /// Host as the client used it.
    pub(crate) host: &'r str,
    pub(crate) headers: &'r HeaderMap,
    /// Body as received; `None` if it was sent elsewhere, in which case the signed digest is
    /// trusted.
    pub(crate) body: Option<&'r [u8]>,
}

impl<'r> SignedRequest<'r> {
    pub(crate) fn from_head(head: &'r RequestHead, body: &'r [u8]) -> Self {
        Self {
            method: head.method(),
            path: head.path(),
            query: head.query(),
            host: head.host(),
            headers: head.headers(),
            body: Some(body),
        }
    }
}

/// The content of the `Authorization` header.
struct SignatureClaims {
    credential: String,
    /// Names in lower case.
    signed_headers: BTreeSet<String>,
    timestamp: String,
    mac: [u8; 32],
}

/// Reads the signature of a request; `None` if the request uses no scheme or another one.
///
/// # Errors
/// The signature is invalid with any secret, or has the chunked form, which is not supported.
pub(crate) fn read_signature(received: &SignedRequest<'_>) -> Result<Option<Signature>, ApiError> {
    let mut lines = received.headers.get_all(AUTHORIZATION).filter_map(|line| line.to_str().ok());
    let named =
        |line: &&str| line.trim().split_once(' ').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case(AUTH_SCHEME));
    if !lines.any(|line| named(&line)) {
        return Ok(None);
    }
    if is_chunked(received.headers) {
        return Err(ProtocolError::ChunkedSignature.into());
    }
    verify_request(received).map(Some).ok_or(ApiError::Denied(AuthDenied::Token(TokenDenied::Invalid)))
}

fn is_chunked(headers: &HeaderMap) -> bool {
    let has_item = |name: &str, item: &str| {
        let lines = headers.get_all(name).filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).any(|each| each.trim().eq_ignore_ascii_case(item))
    };
    has_item(DIGEST_HEADER, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") || has_item("content-encoding", "nws-chunked")
}

fn verify_request(received: &SignedRequest<'_>) -> Option<Signature> {
    let mut lines = received.headers.get_all(AUTHORIZATION);
    let (Some(line), None) = (lines.next(), lines.next()) else { return None };
    let claimed = SignatureClaims::parse(line.to_str().ok()?.trim().split_once(' ')?.1.trim())?;
    let are_signed =
        [HOST_HEADER, DATE_HEADER, DIGEST_HEADER].into_iter().all(|name| claimed.signed_headers.contains(name));
    let is_dated = signed_header_value(received, DATE_HEADER)? == claimed.timestamp.as_bytes();
    let body = decode_digest(std::str::from_utf8(&signed_header_value(received, DIGEST_HEADER)?).ok()?)?;
    let is_body_intact = received.body.is_none_or(|bytes| sha256(bytes) == body);
    if !(are_signed && is_dated && is_body_intact) {
        return None;
    }
    let request = sha256(&build_canonical_request(received, &claimed.signed_headers, &body)?);
    Some(Signature {
        at: parse_timestamp(&claimed.timestamp)?,
        prefix: SECRET_PREFIX,
        scope: claimed.timestamp.split_once('T')?.0.to_owned(),
        message: [AUTH_SCHEME, &claimed.timestamp, &claimed.credential, &hex::encode(&request)].join("\n"),
        client_id: claimed.credential,
        mac: claimed.mac,
    })
}

impl SignatureClaims {
    /// Parses the part after the scheme: four parameters in any order, each exactly once,
    /// percent-encoded as a whole; two of them are percent-encoded a second time.
    fn parse(text: &str) -> Option<Self> {
        let whole = percent::decode(text)?;
        let (mut credential, mut names, mut timestamp, mut mac) = (None, None, None, None);
        for part in whole.split(',') {
            let (name, value) = part.split_once('=')?;
            let parameter = match name.trim() {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut names,
                "Timestamp" => &mut timestamp,
                "Signature" => &mut mac,
                _ => return None,
            };
            if parameter.replace(value).is_some() {
                return None;
            }
        }
        let credential = credential.filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()))?.to_owned();
        let signed = percent::decode(names?)?.split(';').map(str::to_ascii_lowercase).collect();
        Some(Self {
            credential,
            signed_headers: signed,
            timestamp: percent::decode(timestamp?)?,
            mac: decode_digest(mac?)?,
        })
    }
}

/// Decodes the 32 bytes of a digest.
fn decode_digest(text: &str) -> Option<[u8; 32]> {
    hex::decode(text)?.try_into().ok()
}

/// Parses a timestamp in exactly the format of this contract.
fn parse_timestamp(text: &str) -> Option<Instant> {
    let nanos = PrimitiveDateTime::parse(text, TIMESTAMP_FORMAT).ok()?.assume_utc().unix_timestamp_nanos();
    let at = Instant::from_millis(i64::try_from(nanos.div_euclid(1_000_000)).ok()?);
    (timestamps::format_instant(at) == text).then_some(at)
}

/// Builds the canonical request, which has six lines. `None` if a signed header is missing.
fn build_canonical_request(
    received: &SignedRequest<'_>,
    signed: &BTreeSet<String>,
    body: &[u8; 32],
) -> Option<Vec<u8>> {
    // sorted by the lower-case names, in which `_` precedes letters
    let headers: Vec<Vec<u8>> = signed
        .iter()
        .map(|name| Some([name.as_bytes(), b":", &collapse_whitespace(&signed_header_value(received, name)?)].concat()))
        .collect::<Option<_>>()?;
    // sorted by the upper-case names, in which `_` follows letters
    let mut names: Vec<&str> = signed.iter().map(String::as_str).collect();
    names.sort_by_key(|name| name.to_ascii_uppercase());
    let parts = [
        received.method.as_str().as_bytes().to_vec(),
        percent::encode(received.path, |byte| is_unreserved(byte) || b"/:".contains(&byte)).into_bytes(),
        canonicalize_query(received.query).into_bytes(),
        headers.join(&b'\n'),
        names.join(";").into_bytes(),
        hex::encode(body).into_bytes(),
    ];
    Some(parts.join(&b'\n'))
}

/// Builds the canonical query: sorted by key (stable for equal keys), with each key and value
/// encoded a second time. Text after a second `=` is not included.
fn canonicalize_query(raw: &str) -> String {
    if raw.is_empty() {
        return String::new();
    }
    let mut pairs: Vec<(&str, &str)> = raw
        .split('&')
        .map(|pair| {
            let mut parts = pair.split('=');
            (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
        })
        .collect();
    pairs.sort_by_key(|(key, _)| *key);
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(key, value)| {
            format!("{}={}", percent::encode(key, is_unreserved), percent::encode(value, is_unreserved))
        })
        .collect();
    pairs.join("&")
}

/// Whether the canonical query contains everything in the query. Text after the second `=` of a
/// parameter is not included, but readers of the query use it as part of the value. A trailing `=`,
/// as in base64, has no meaning.
pub(super) fn covers_query(query: &str) -> bool {
    query.split('&').all(|pair| pair.split('=').skip(2).all(str::is_empty))
}

/// Returns the value of a header; repeated headers are joined by commas.
fn signed_header_value(received: &SignedRequest<'_>, name: &str) -> Option<Vec<u8>> {
    if name == HOST_HEADER {
        return (!received.host.is_empty()).then(|| received.host.as_bytes().to_vec());
    }
    let name = HeaderName::try_from(name).ok()?;
    let values: Vec<&[u8]> = received.headers.get_all(name).map(HeaderValue::as_bytes).collect();
    (!values.is_empty()).then(|| values.join(&b','))
}

/// Replaces runs of white space by one space, and trims both ends.
fn collapse_whitespace(value: &[u8]) -> Vec<u8> {
    let words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(&b' ')
}

#[cfg(test)]
mod tests;
