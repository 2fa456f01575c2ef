//! Operations on enrollments and keys of devices: the back office starts and cancels an enrollment
//! and revokes a key, and a device enrolls its key with the code.

pub(super) mod export;
mod openapi;
mod pending_keys;
mod request;
mod response;

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::dpop::decode_base64url_32;
use tillgate_auth_core::{AuthDenied, Caller, EnrolledDevice, EnrollmentRequest, EnrollmentResponse, ProofDenied};
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
use request::{MachineInput, StartEnrollment, StartEnrollmentInput};
pub use response::{DeviceKeyBody, EnrollmentBody, PendingKeyBody};
use response::{DeviceKeysBody, IssuedDeviceCodeBody};

/// What the operations of the back office require.
const ENROLL: Requirement = Requirement::Right(KnownRight::DeviceEnroll);

/// The operations of the back office.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = vec![
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
    ];
    routes.extend(pending_keys::routes());
    routes
}

/// The operations of machines, whose sessions have these terms.
pub(super) fn machine_routes(terms: &Arc<TillTerms>) -> Vec<Route> {
    let [enrolling, polling] = [Arc::clone(terms), Arc::clone(terms)];
    vec![
        Route::public(Method::POST, "/enrollments", move |call| enroll_device(call, Arc::clone(&enrolling)))
            .documented(openapi::enroll_device),
        Route::public(Method::POST, "/enrollments/start", pending_keys::start_key)
            .documented(openapi::pending_keys::start_key),
        Route::public(Method::POST, "/enrollments/poll", move |call| {
            pending_keys::poll_key(call, Arc::clone(&polling))
        })
        .documented(openapi::pending_keys::poll_key),
    ]
}

async fn start_enrollment(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id: DeviceId = read_id(&call, FieldName::Device)?;
    let sent = body::read_optional_partial_request::<StartEnrollment>(&call)?;
    let sent = sent.check_body(|sent| Ok(sent.find_rule_violations()))?;
    let StartEnrollmentInput { lifetime, replaces_key, confirms } = sent.into_input();
    let (code, enrollment) = call
        .with_office(move |context| {
            let code = context.auth.generate_enrollment_code(lifetime)?;
            let new = NewEnrollment { digest: code.digest, lifetime, replaces_key, confirms };
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
        .with_office(move |context| into_api_result(context.reader_for_caller(&caller).find_enrollment_with_key(id)))
        .await?;
    let (enrollment, pending) = found.ok_or_else(|| not_found(FieldName::Enrollment, id))?;
    let now = call.auth().time().at;
    let body = EnrollmentBody::from_enrollment(&enrollment, now);
    render_json(StatusCode::OK, &body.with_pending(pending.as_ref(), call.address(), now))
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
    let (code, machine) = request::read_enrollment(call.head().headers(), call.body())?;
    let MachineInput { storage, label, app } = machine;
    let proven_key = call.read_proven_key()?.ok_or(ApiError::Denied(AuthDenied::Proof(ProofDenied::Missing)))?;
    let (tenant, address, dialect) = (call.tenant_id().await?, call.address(), call.mount().dialect_name.clone());
    let response = call
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
    match response {
        EnrollmentResponse::Enrolled(enrolled) => render_enrolled(&call, StatusCode::CREATED, &enrolled).await,
        EnrollmentResponse::Waiting(key) => render_json(StatusCode::ACCEPTED, &IssuedDeviceCodeBody::from_key(&key)),
    }
}

/// Renders the tokens of an enrolled device.
async fn render_enrolled(
    call: &Request,
    status: StatusCode,
    enrolled: &EnrolledDevice,
) -> Result<HttpResponse, ApiError> {
    let EnrolledDevice { tokens, may_have_ended_sessions } = enrolled;
    let body = render_json(status, &TokensBody::from_issued_tokens(tokens))?;
    let response = render_created(call, "sessions", tokens.session.id, body)?;
    Ok(if *may_have_ended_sessions { revocations::with_position(call, response).await } else { response })
}
