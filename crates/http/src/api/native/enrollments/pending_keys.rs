//! Operations on keys of machines that wait to be accepted (RFC 8628): a machine starts and polls,
//! and the back office accepts, denies or confirms it.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::{AuthDenied, Caller, PendingKeyRequest, PollRequest, ProofDenied, ProvenKey};
use tillgate_domain::office::{FieldName, Office, TypedCode, UseCaseResult};
use tillgate_domain::{DeviceId, KeyStorage};

use super::request::{self, AcceptKey, ConfirmEnrollment, MachineInput};
use super::response::{DeviceAuthorizationBody, EnrollmentBody, PendingKeyBody};
use super::{ENROLL, openapi, render_enrolled};
use crate::api::native::path::read_id;
use crate::api::native::till_terms::TillTerms;
use crate::api::native::{body, no_content};
use crate::error::ApiError;
use crate::error::office::into_api_result;
use crate::request::Request;
use crate::serving::response::render_json;
use crate::serving::route::Route;

/// The page of the back office to which a machine sends a person, below the address of the server:
/// there, the person types the code and accepts the machine.
const ENROLL_PATH: &str = "/office/enroll";

/// The operations of the back office.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::authenticated(Method::GET, "/enrollments/{user_code}", ENROLL, get_key)
            .documented(openapi::pending_keys::get_key),
        Route::authenticated(Method::POST, "/enrollments/{user_code}/accept", ENROLL, accept_key)
            .documented(openapi::pending_keys::accept_key),
        Route::authenticated(Method::POST, "/enrollments/{user_code}/deny", ENROLL, deny_key)
            .documented(openapi::pending_keys::deny_key),
        Route::authenticated(Method::POST, "/devices/{id}/enrollment/confirm", ENROLL, confirm_enrollment)
            .documented(openapi::pending_keys::confirm_enrollment),
    ]
}

pub(super) async fn start_key(call: Request) -> Result<HttpResponse, ApiError> {
    let (tenant, machine) = request::read_key(call.head().headers(), call.body())?;
    let MachineInput { storage, label, app } = machine;
    let proven_key = require_proven_key(&call)?;
    let (tenancy, address) = (call.build_tenancy(tenant), call.address());
    let (code, waiting) = call
        .run_blocking(move |auth| {
            auth.start_pending_key(&PendingKeyRequest {
                tenancy: &tenancy,
                proven_key: &proven_key,
                storage,
                label: &label,
                app: &app,
                address,
            })
        })
        .await?;
    let uri = call.head().public_uri();
    let origin = uri.strip_suffix(call.head().path()).unwrap_or_default();
    let page = format!("{origin}{ENROLL_PATH}");
    render_json(StatusCode::OK, &DeviceAuthorizationBody::new(&code, &waiting, &page))
}

pub(super) async fn poll_key(call: Request, terms: Arc<TillTerms>) -> Result<HttpResponse, ApiError> {
    let device_code = request::read_poll(call.head().headers(), call.body())?;
    let proven_key = require_proven_key(&call)?;
    let (tenant, address, dialect) = (call.tenant_id().await?, call.address(), call.mount().dialect_name.clone());
    let enrolled = call
        .run_blocking(move |auth| {
            auth.poll_pending_key(&PollRequest {
                dialect: &dialect,
                terms: [KeyStorage::Hardware, KeyStorage::Software].map(|storage| terms.for_storage(storage)),
                tenant,
                device_code: &device_code,
                proven_key: &proven_key,
                trusts_storage: terms.trusts_hardware_claim(),
                address,
            })
        })
        .await?;
    render_enrolled(&call, StatusCode::OK, &enrolled).await
}

async fn get_key(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let key = with_code(&call, caller, |office, code| office.reader().find_pending_key(code)).await?;
    render_json(StatusCode::OK, &PendingKeyBody::from_key(&key, call.address(), call.auth().time().at))
}

async fn accept_key(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let sent: AcceptKey = body::read_request(&call)?;
    let acceptance = sent.into_acceptance()?;
    let enrollment = with_code(&call, caller, move |office, code| office.accept_pending_key(code, &acceptance)).await?;
    render_json(StatusCode::OK, &EnrollmentBody::from_enrollment(&enrollment, call.auth().time().at))
}

async fn deny_key(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    with_code(&call, caller, |office, code| office.deny_pending_key(code)).await?;
    Ok(no_content())
}

async fn confirm_enrollment(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id: DeviceId = read_id(&call, FieldName::Device)?;
    let sent: ConfirmEnrollment = body::read_request(&call)?;
    let fingerprint = sent.into_fingerprint()?;
    let enrollment = call
        .with_office(move |context| into_api_result(context.for_caller(&caller)?.confirm_enrollment(id, &fingerprint)))
        .await?;
    render_json(StatusCode::OK, &EnrollmentBody::from_enrollment(&enrollment, call.auth().time().at))
}

/// Runs a use case with the code in the path, if the caller has not typed too many unknown ones.
async fn with_code<T: Send + 'static>(
    call: &Request,
    caller: Caller,
    run: impl FnOnce(Office<'_>, TypedCode<'_>) -> UseCaseResult<T> + Send + 'static,
) -> Result<T, ApiError> {
    let code = call.head().path_parameter("user_code").to_owned();
    call.with_office(move |context| {
        let office = context.for_caller(&caller)?;
        into_api_result(Ok(context.auth.with_user_code(&caller, &code, |typed| run(office, typed))?))
    })
    .await
}

fn require_proven_key(call: &Request) -> Result<ProvenKey, ApiError> {
    call.read_proven_key()?.ok_or(ApiError::Denied(AuthDenied::Proof(ProofDenied::Missing)))
}
