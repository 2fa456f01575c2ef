//! Gives an API key a new secret.

use std::time::Duration;

use serde_json::{Map, json};

use crate::office::Office;
use crate::office::api_keys::add::{compute_rights, fix_permissions};
use crate::office::api_keys::change::{conflict_error, invalidate_users, load_key};
use crate::office::error::{FieldName, OfficeError, RangeViolation, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficeTx;
use crate::office::users::last_admin;
use crate::{Action, ApiKey, ApiKeyId, Instant, KnownRight, StoreError, StoreExt, Subject};

/// The default overlap of two secrets after a rotation.
pub const DEFAULT_SECRET_OVERLAP: Duration = Duration::from_hours(24);

/// The longest overlap of two secrets of an API key.
pub const MAX_SECRET_OVERLAP: Duration = Duration::from_hours(24);

/// A new secret of an API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRotation {
    /// The encrypted secret.
    pub wrapped_secret: Vec<u8>,
    /// How long the previous secret is accepted, too; at most [`MAX_SECRET_OVERLAP`].
    pub overlap: Duration,
}

impl Office<'_> {
    /// Gives the key a new secret and returns it. The present secret is accepted until the end of
    /// the overlap. With `versions`, fails if the key has none of them. While the previous secret
    /// is accepted, only a rotation without an overlap is possible, which ends both secrets:
    /// otherwise a repeated rotation would end the secret in use. A revoked or expired key is not
    /// rotated. Codes of enrollments that were started with the key expire with its present secret
    /// at the latest. Requires the right `apiKeyUpdate`, every right that the key grants, and a
    /// recent proof of identity.
    ///
    /// If anybody but an admin does this, a key without permissions is restricted to its current
    /// rights, as in [`add_api_key`](Self::add_api_key).
    pub fn rotate_api_key(
        &self,
        id: ApiKeyId,
        versions: Option<&[i64]>,
        rotation: &SecretRotation,
    ) -> UseCaseResult<ApiKey> {
        self.store.write("rotate_api_key", |tx| commit_refusal(rotate(tx, self, id, versions, rotation)))
    }
}

fn rotate(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    id: ApiKeyId,
    versions: Option<&[i64]>,
    rotation: &SecretRotation,
) -> Result<ApiKey, UseCaseError> {
    office.require(KnownRight::ApiKeyUpdate)?;
    office.require_recent_proof()?;
    if rotation.overlap > MAX_SECRET_OVERLAP {
        let (field, min) = (FieldName::SecretOverlap, Duration::ZERO);
        let span = RangeViolation { field, min, max: MAX_SECRET_OVERLAP, configured: false };
        return Err(OfficeError::OutOfRange(vec![span]).into());
    }
    // An enrollment that is started with the key meanwhile waits, and then sees the new secret.
    last_admin::claim_tenant(tx, office.tenant)?;
    let before = load_key(tx, office.tenant, id, versions)?;
    let granted_rights = compute_rights(tx, &before)?;
    office.require_all(&granted_rights)?;
    let now = office.context.at;
    if !before.active || before.is_expired(now) {
        return Err(OfficeError::ApiKeyEnded.into());
    }
    if !rotation.overlap.is_zero() && before.previous_secret_until.is_some_and(|until| until > now) {
        return Err(OfficeError::SecretOverlap.into());
    }
    let until = (!rotation.overlap.is_zero()).then(|| now.saturating_add(rotation.overlap));
    let mut after = ApiKey { previous_secret_until: until, ..before.clone() };
    fix_permissions(&office.context, &mut after, granted_rights)?;
    if !tx.api_keys().rotate(&after, &rotation.wrapped_secret)? {
        return Err(conflict_error());
    }
    invalidate_users(tx, &before, &after, &office.context)?;
    tx.enrollments().limit_by_api_key(id, until.unwrap_or(now))?;
    let details = Map::from_iter([
        ("name".to_owned(), json!(after.name)),
        ("client".to_owned(), json!(after.client_id)),
        ("previous_secret_until".to_owned(), json!(until.map(Instant::millis))),
    ]);
    tx.audit().record(&office.build_event(Action::ApiKeyRotate, Subject::ApiKey(id), details))?;
    Ok(tx
        .api_keys()
        .find(id)?
        .ok_or_else(|| StoreError::Fault("a rotated API key does not exist any more".to_owned()))?)
}
