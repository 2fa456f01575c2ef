//! The signature that PORTOS programs send instead of a token.

use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use tillgate_auth_core::digest::sha256;
use tillgate_auth_core::{AuthDenied, Signature, TokenDenied};
use tillgate_http::{ApiError, Portos, ProtocolError};

const SCHEME: &str = "NWS4-HMAC-SHA256";

/// A signature is parsed in the same way each time, comes from a single `Authorization` header, and
/// contains the date and the key as they were sent. It covers the method, the path, the query and
/// every byte of the body. No input causes a server error. The input is a request: a line with
/// method, path and query, one header per line, an empty line, and the body. `DIGEST` stands for
/// the digest of the body.
pub fn signature(input: &[u8]) {
    let sent = ParsedRequest::parse(input);
    let lines: Vec<&str> = sent.headers.get_all(AUTHORIZATION).filter_map(|line| line.to_str().ok()).collect();
    match sent.read_signature() {
        Ok(Some(signature)) => {
            assert_eq!(sent.headers.get_all(AUTHORIZATION).count(), 1);
            let pairs: Vec<&str> = sent.query.split('&').collect();
            let covered =
                |pair: &&str| pair.matches('=').count() < 2 || pair.trim_end_matches('=').matches('=').count() < 2;
            assert!(pairs.iter().all(covered), "text of the query that was not signed");
            assert_eq!(sent.read_signature(), Ok(Some(signature.clone())), "read twice");
            let spelled: Vec<&str> = signature.message.split('\n').collect();
            let [scheme, date, client, _] = spelled.as_slice() else { panic!("{spelled:?}") };
            assert_eq!((*scheme, *client, &date[..10]), (SCHEME, &*signature.client_id, &*signature.scope));
            assert_eq!(sent.headers.get("x-nd-date").and_then(|value| value.to_str().ok()), Some(*date));
            let other = |sent: ParsedRequest| sent.read_signature().unwrap().unwrap().message;
            let method = Method::from_bytes(format!("X{}", sent.method).as_bytes()).unwrap();
            assert_ne!(other(ParsedRequest { method, ..sent.clone() }), signature.message, "another method");
            assert_ne!(
                other(ParsedRequest { path: format!("{}/", sent.path), ..sent.clone() }),
                signature.message,
                "another path"
            );
            assert_ne!(
                other(ParsedRequest { query: format!("{}&", sent.query), ..sent.clone() }),
                signature.message,
                "another query"
            );
            let longer = ParsedRequest { body: [&sent.body, &b"x"[..]].concat(), ..sent.clone() };
            assert!(longer.read_signature().is_err(), "another body");
        }
        Ok(None) => {
            let named = |line: &&str| line.trim().to_ascii_uppercase().starts_with(&format!("{SCHEME} "));
            assert!(!lines.iter().any(named));
        }
        Err(ApiError::Denied(AuthDenied::Token(TokenDenied::Invalid))) => assert!(!lines.is_empty()),
        Err(ApiError::Protocol(ProtocolError::ChunkedSignature)) => {
            let words = ["nws-chunked", "streaming-aws4-hmac-sha256-payload"];
            let named = |line: &str| words.iter().any(|word| line.to_ascii_lowercase().contains(word));
            assert!(sent.headers.iter().any(|(_, value)| value.to_str().is_ok_and(named)));
        }
        Err(other) => panic!("the error of the caller is reported as {other:?}"),
    }
}

/// A request as it was received.
#[derive(Clone)]
struct ParsedRequest {
    method: Method,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl ParsedRequest {
    fn parse(input: &[u8]) -> Self {
        let at = input.windows(2).position(|pair| pair == b"\n\n");
        let (head, body) = at.map_or((input, &b""[..]), |at| (&input[..at], &input[at + 2..]));
        let digest: String = sha256(body).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        let mut lines = head.split(|byte| *byte == b'\n');
        let first = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
        let (method, target) = first.split_once(' ').unwrap_or((&first, "/"));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = HeaderMap::new();
        for line in lines {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
            let value = match line[colon + 1..].trim_ascii() {
                b"DIGEST" => digest.as_bytes(),
                value => value,
            };
            // a server does not receive an invalid header
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(value)) {
                headers.append(name, value);
            }
        }
        Self {
            method: Method::from_bytes(method.as_bytes()).unwrap_or(Method::GET),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: body.to_vec(),
        }
    }

    fn read_signature(&self) -> Result<Option<Signature>, ApiError> {
        Portos::read_signature(&self.method, &self.path, &self.query, &self.headers, &self.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise the corpus would test errors only.
    #[test]
    fn corpus_covers_valid_signatures() {
        for kept in [
            &include_bytes!("../../../fuzz/corpus/signature/whole")[..],
            include_bytes!("../../../fuzz/corpus/signature/body"),
            include_bytes!("../../../fuzz/corpus/signature/bare"),
            include_bytes!("../../../fuzz/corpus/signature/lower"),
            include_bytes!("../../../fuzz/corpus/signature/tenant"),
        ] {
            assert!(
                matches!(ParsedRequest::parse(kept).read_signature(), Ok(Some(_))),
                "{}",
                String::from_utf8_lossy(kept)
            );
        }
    }
}
