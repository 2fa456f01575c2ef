//! The `Idempotency-Key` of a request (draft-ietf-httpapi-idempotency-key-header).

use ring::digest::{Context, SHA256};
use tillgate_domain::office::IdempotentRequest;
use tillgate_domain::office::ports::{IdempotencyKey, RequestDigest};

use crate::api::native::body;
use crate::error::{ApiError, ProtocolError};
use crate::request::Request;

/// Name of the request header.
pub(super) const IDEMPOTENCY_KEY_HEADER: &str = "Idempotency-Key";

/// Reads the idempotency key with a digest of the request; `None` without the header.
///
/// # Errors
/// The key is invalid, or there are several.
pub(super) fn read_idempotency_key(call: &Request) -> Result<Option<IdempotentRequest>, ApiError> {
    let mut sent = call.head().headers().get_all(IDEMPOTENCY_KEY_HEADER);
    let Some(first) = sent.next() else { return Ok(None) };
    if sent.next().is_some() {
        return Err(ProtocolError::InvalidIdempotencyKey.into());
    }
    let text = first.to_str().map_err(|_| ProtocolError::InvalidIdempotencyKey)?;
    let key = IdempotencyKey::parse(text.trim()).map_err(|_| ProtocolError::InvalidIdempotencyKey)?;
    let (request, earlier) =
        (digest_request(call, body::canonicalize_body(call)?.as_bytes())?, digest_request(call, call.body())?);
    Ok(Some(IdempotentRequest { key, digest: request, legacy_digest: earlier }))
}

/// Computes the digest of a request: method, path and canonical body.
fn digest_request(call: &Request, body: &[u8]) -> Result<RequestDigest, ApiError> {
    let mut context = Context::new(&SHA256);
    for part in [call.head().method().as_str().as_bytes(), call.head().path_in_mount().as_bytes(), body] {
        // length-prefixed, so that different requests have different inputs
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part);
    }
    context.finish().as_ref().try_into().map_err(|_| ApiError::Fault("no SHA-256".to_owned()))
}
