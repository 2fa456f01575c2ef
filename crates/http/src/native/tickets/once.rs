//! Requests that count once, by their `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).

use ring::digest::{Context, SHA256};
use tillgate_domain::office::Once;
use tillgate_domain::office::ports::{IdempotencyKey, RequestDigest};

use crate::call::Call;
use crate::failure::{Failure, Protocol};
use crate::native::body;

/// The name of the header.
pub(super) const HEADER: &str = "Idempotency-Key";

/// What makes the request count once; nothing where it bears no key.
///
/// # Errors
/// The key is none, or there are several.
pub(super) fn of(call: &Call) -> Result<Option<Once>, Failure> {
    let mut sent = call.head().headers().get_all(HEADER);
    let Some(first) = sent.next() else { return Ok(None) };
    if sent.next().is_some() {
        return Err(Protocol::IdempotencyKey.into());
    }
    let text = first.to_str().map_err(|_| Protocol::IdempotencyKey)?;
    let key = IdempotencyKey::parse(text.trim()).map_err(|_| Protocol::IdempotencyKey)?;
    let (request, earlier) = (digest(call, body::canonical(call)?.as_bytes())?, digest(call, call.body())?);
    Ok(Some(Once { key, request, earlier }))
}

/// The digest of what the call asks: its method, its path and this body.
fn digest(call: &Call, body: &[u8]) -> Result<RequestDigest, Failure> {
    let mut context = Context::new(&SHA256);
    for part in [call.head().method().as_str().as_bytes(), call.head().path_in_mount().as_bytes(), body] {
        // each behind its length, so that no two requests read alike
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part);
    }
    context.finish().as_ref().try_into().map_err(|_| Failure::Fault("no SHA-256".to_owned()))
}
