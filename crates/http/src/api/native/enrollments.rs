//! Operations on enrollments and keys of devices: the back office starts and cancels an enrollment
//! and revokes a key, and a device enrolls its key with the code.

pub(super) mod export;
mod openapi;
mod request;
mod response;

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::dpop::decode_base64url_32;
use tillgate_auth_core::{AuthDenied, Caller, EnrolledDevice, EnrollmentRequest, ProofDenied};
use tillgate_domain::enrollment::DEFAULT_ENROLLMENT_LIFETIME;
use tillgate_domain::office::{FieldName, NewEnrollment};
use tillgate_domain::{DeviceId, KnownRight};

use super::path::{not_found, read_id, render_created};
use super::sessions::response::TokensBody;
use super::till_terms::TillTerms;
use super::{body, no_content, revocations};
use crate::error::ApiError;
use crate::error::office::into_api_result;
use crate::request::Request;
use crate::serving::requirement::Requirement;
use crate::serving::response::render_json;
use crate::serving::route::Route;
use request::{EnrollmentInput, StartEnrollment};
pub use response::EnrollmentBody;
use response::{DeviceKeyBody, DeviceKeysBody};

/// What the operations of the back office require.
const ENROLL: Requirement = Requirement::Right(KnownRight::DeviceEnroll);

/// The operations of the back office.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::authenticated(Method::POST, "/devices/{id}/enrollment", ENROLL, start_enrollment)
            .documented(openapi::start_enrollment),
        Route::authenticated(Method::GET, "/devices/{id}/enrollment", ENROLL, get_enrollment)
            .documented(openapi::get_enrollment),
        Route::authenticated(Method::DELETE, "/devices/{id}/enrollment", ENROLL, cancel_enrollment)
            .documented(openapi::cancel_enrollment),
        Route::authenticated(Method::GET, "/devices/{id}/keys", ENROLL, list_device_keys)
            .documented(openapi::list_device_keys),
        Route::authenticated(Method::DELETE, "/devices/{id}/keys/{thumbprint}", ENROLL, revoke_device_key)
            .documented(openapi::revoke_device_key),
    ]
}

/// The operation of a device, whose session has these terms.
pub(super) fn enrollment_route(terms: &Arc<TillTerms>) -> Route {
    let terms = Arc::clone(terms);
    Route::public(Method::POST, "/enrollments", move |call| enroll_device(call, Arc::clone(&terms)))
        .documented(openapi::enroll_device)
}

async fn start_enrollment(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id: DeviceId = read_id(&call, FieldName::Device)?;
    let sent: StartEnrollment = body::read_optional_request(&call)?;
    let (lifetime, replaces_key) = sent.into_values();
    let lifetime = lifetime.unwrap_or(DEFAULT_ENROLLMENT_LIFETIME);
    let (code, enrollment) = call
        .with_office(move |context| {
            let code = context.auth.generate_enrollment_code(lifetime)?;
            let new = NewEnrollment { digest: code.digest, lifetime, replaces_key };
            let enrollment = into_api_result(context.for_caller(&caller)?.start_enrollment(id, &new))?;
            Ok((code, enrollment))
        })
        .await?;
    let body = EnrollmentBody::from_enrollment(&enrollment, call.auth().time().at).with_code(&code);
    render_json(StatusCode::CREATED, &body)
}

async fn get_enrollment(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id: DeviceId = read_id(&call, FieldName::Device)?;
    let found = call
        .with_office(move |context| into_api_result(context.reader_for_caller(&caller).find_enrollment(id)))
        .await?;
    let enrollment = found.ok_or_else(|| not_found(FieldName::Enrollment, id))?;
    render_json(StatusCode::OK, &EnrollmentBody::from_enrollment(&enrollment, call.auth().time().at))
}

async fn cancel_enrollment(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id: DeviceId = read_id(&call, FieldName::Device)?;
    call.with_office(move |context| into_api_result(context.for_caller(&caller)?.cancel_enrollment(id))).await?;
    Ok(no_content())
}

async fn list_device_keys(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id: DeviceId = read_id(&call, FieldName::Device)?;
    let keys = call
        .with_office(move |context| into_api_result(context.reader_for_caller(&caller).list_device_keys(id)))
        .await?;
    let items = keys.iter().map(DeviceKeyBody::from_key).collect();
    render_json(StatusCode::OK, &DeviceKeysBody { items, next: () })
}

async fn revoke_device_key(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id: DeviceId = read_id(&call, FieldName::Device)?;
    let sent = call.head().path_parameter("thumbprint").to_owned();
    let unknown = not_found(FieldName::DeviceKey, &sent);
    let Some(thumbprint) = decode_base64url_32(&sent) else { return Err(unknown) };
    let revoked = call
        .with_office(move |context| into_api_result(context.for_caller(&caller)?.revoke_device_key(id, &thumbprint)))
        .await?;
    if revoked { Ok(revocations::with_position(&call, no_content()).await) } else { Err(unknown) }
}

async fn enroll_device(call: Request, terms: Arc<TillTerms>) -> Result<HttpResponse, ApiError> {
    let EnrollmentInput { code, storage, label, app } = request::read_enrollment(call.head().headers(), call.body())?;
    let proven_key = call.read_proven_key()?.ok_or(ApiError::Denied(AuthDenied::Proof(ProofDenied::Missing)))?;
    let (tenant, address, dialect) = (call.tenant_id().await?, call.address(), call.mount().dialect_name.clone());
    let EnrolledDevice { tokens, may_have_ended_sessions } = call
        .run_blocking(move |auth| {
            auth.enroll_device(&EnrollmentRequest {
                dialect: &dialect,
                terms: terms.for_storage(storage),
                tenant,
                code: &code,
                proven_key: &proven_key,
                storage,
                trusts_storage: terms.trusts_hardware_claim(),
                label: &label,
                app: &app,
                address,
            })
        })
        .await?;
    let body = render_json(StatusCode::CREATED, &TokensBody::from_issued_tokens(&tokens))?;
    let answer = render_created(&call, "sessions", tokens.session.id, body)?;
    Ok(if may_have_ended_sessions { revocations::with_position(&call, answer).await } else { answer })
}
