//! What the native API does alike for users and for devices: it sets the password that they log in with, and lets them log in again
//! whom wrong ones hold back.

use actix_web::HttpResponse;
use serde::Deserialize;
use tillgate_auth_core::Caller;
use tillgate_domain::{PrincipalId, Secret, office};
use utoipa::ToSchema;
use validator::Validate;

use super::{body, done};
use crate::call::Call;
use crate::failure::Failure;
use crate::field::{Field, settable};
use crate::office::decided;

/// A password that is to be set.
#[derive(Deserialize, Validate, ToSchema)]
pub(super) struct NewPassword {
    /// 8 to 128 characters, none of the commonest.
    #[serde(default)]
    #[validate(required, custom(function = "settable"))]
    #[schema(value_type = String, min_length = 8, max_length = 128, write_only, required = true)]
    password: Field<Secret<String>>,
}

/// Sets the password that the body says.
pub(super) async fn set(call: &Call, caller: Caller, principal: PrincipalId) -> Result<HttpResponse, Failure> {
    let sent: NewPassword = body::sent(call)?;
    let password = sent.password.needed()?;
    call.office(move |office| {
        let (tenant, stamp) = (caller.profile.tenant.id, office.stamp(&caller)?);
        // before the password is hashed
        decided(office::may_set_password(office.store, tenant, &stamp, principal))?;
        let verifier = office.engine.verifier(&password)?;
        decided(office::set_password(office.store, tenant, &stamp, principal, &verifier))
    })
    .await?;
    Ok(done())
}

/// Forgets the logins that have failed.
pub(super) async fn unlock(call: &Call, caller: Caller, principal: PrincipalId) -> Result<HttpResponse, Failure> {
    call.office(move |office| {
        let (tenant, stamp) = (caller.profile.tenant.id, office.stamp(&caller)?);
        decided(office::unlock(office.store, tenant, &stamp, principal))
    })
    .await?;
    Ok(done())
}
