//! PosStar's way back to a forgotten password: a token by mail, and another password for it.
//!
//! Asking does the same work whether or not anybody has the address: one row is written, and looked at later by whoever sends mail.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tillgate_auth_core::Auth;
use tillgate_domain::office::{self, ports::ResetRequest};
use tillgate_domain::{Email, PrincipalId, ResetId, Secret};
use validator::Validate;

use crate::answer;
use crate::body;
use crate::call::Call;
use crate::failure::{Failure, FieldFault, Protocol};
use crate::field::{Field, fits, validated, validated_with, weak_password};
use crate::route::Route;

pub(super) const FORGOT: &str = "/api/v1/auth/forgot-password";
pub(super) const RESET: &str = "/api/v1/auth/reset-password";

pub(super) fn routes() -> [Route; 2] {
    [Route::open(Method::POST, FORGOT, forgot), Route::open(Method::POST, RESET, reset)]
}

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
struct Forgotten {
    #[validate(required, custom(function = "fits"))]
    email: Field<String>,
}

#[derive(Default, Deserialize, Validate)]
#[serde(default)]
struct Renewal {
    #[validate(required, custom(function = "fits"))]
    token: Field<String>,
    #[validate(required, custom(function = "fits"))]
    password: Field<String>,
}

#[derive(Serialize)]
struct Told {
    message: &'static str,
}

async fn forgot(call: Call) -> Result<HttpResponse, Failure> {
    let sent: Forgotten = validated(body::object(call.head().headers(), call.body())?)?;
    // what is no address is nobody's
    if let Ok(email) = Email::parse(&sent.email.given().unwrap_or_default()) {
        let (address, tenant) = (call.address(), call.tenant().await?);
        call.office(move |office| {
            let (id, now) = (office.engine.id(ResetId::new)?, office.engine.time().at);
            let request = ResetRequest { id, email, tenant, address, asked_at: now, due_at: now, tries: 0 };
            Ok(office::ask_reset(office.store, &request)?)
        })
        .await?;
    }
    answer::json(StatusCode::OK, &Told { message: "If the email exists, a reset link has been sent." })
}

async fn reset(call: Call) -> Result<HttpResponse, Failure> {
    let sent: Renewal = body::object(call.head().headers(), call.body())?;
    let policy = call.engine().password_policy();
    let sent = validated_with(sent, |sent| weak_password(policy, "password", &sent.password, &[]))?;
    let digest = Auth::reset_digest(&sent.token.given().unwrap_or_default());
    let password = Secret::new(sent.password.given().unwrap_or_default());
    let address = call.address();
    call.office(move |office| {
        // a guess costs no hash
        let holder = office::reset_holder(office.store, &digest, office.engine.time().at)?.ok_or_else(spent)?;
        let words = office::password_words(office.store, holder.tenant, Some(PrincipalId::User(holder.id)))?;
        let verifier = office.engine.verifier_of_stranger(&password, &words, address)?;
        let stamp = office.engine.own_stamp(address)?;
        office::reset_password(office.store, &stamp, &digest, &verifier)?.map(drop).ok_or_else(spent)
    })
    .await?;
    answer::json(StatusCode::OK, &Told { message: "Password has been reset." })
}

/// The token is unknown, used, or past its time: which, nobody is told.
fn spent() -> Failure {
    let (code, message) = ("spent".into(), "is not valid, or no longer".into());
    Protocol::Fields(vec![FieldFault { field: "token".into(), query: false, code, message }]).into()
}
