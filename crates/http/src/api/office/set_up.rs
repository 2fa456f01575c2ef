//! The set-up of the first administrator by a form. It exists while the server has no user, and
//! requires the one-time token of the server.

use std::collections::BTreeMap;
use std::net::IpAddr;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::one_time_token::digest_typed_token;
use tillgate_auth_core::{AuthDenied, Error, LoginDenied, OneTimeTokenKind};
use tillgate_domain::office::{
    self, FieldName, NewDevice, NewUser, OfficeError, SetUp, SetUpContexts, SetUpOutcome, TenantChange,
};
use tillgate_domain::{
    DeviceId, DeviceName, DeviceStatus, Email, Environment, JsonObject, Locale, Rank, RoleName, Secret, Slug, TenantId,
    UserId, UserName, UserStatus, Zone,
};
use tillgate_web::{ErrorPage, PageError, SetUpField, SetUpNotice, SetUpPage};

use super::auth_pages::{SIGN_IN_PATH, TOKEN_PAGE_CSP, choose_language, redirect_to, render_page, render_page_with};
use super::cookies::CookieNames;
use crate::context::office::OfficeContext;
use crate::error::{ApiError, ProtocolError};
use crate::request::Request;
use crate::request::body;
use crate::request::head::RequestHead;
use crate::request::origin_check::{TrustedSenders, check_origin};
use crate::serving::route::Route;

const SET_UP_PATH: &str = "/set-up";

/// The tenant that a mount for all tenants sets up.
const DEFAULT_TENANT: &str = "default";

pub(super) fn routes() -> Vec<Route> {
    vec![Route::public(Method::GET, SET_UP_PATH, show_form), Route::public(Method::POST, SET_UP_PATH, set_up)]
}

/// The fields as they were sent.
type FormValues = BTreeMap<SetUpField, String>;

/// What to set up, without the verifier of the password, and the words that the password must not
/// consist of; or the invalid fields.
type ReadFields = Result<(SetUp, Vec<String>), Vec<SetUpField>>;

/// The result of a form whose fields were read.
enum FormOutcome {
    Decided(SetUpOutcome),
    Invalid(Vec<SetUpField>),
}

async fn show_form(call: Request) -> Result<HttpResponse, ApiError> {
    let head = call.head();
    if is_set_up(&call).await? {
        return Ok(render_set_up_already(head));
    }
    CookieNames::require_for(head)?;
    let values = [
        (SetUpField::Zone, Zone::UTC.name().to_owned()),
        (SetUpField::Locale, choose_language(head).tag().to_owned()),
        (SetUpField::UserName, Rank::Admin.name().to_owned()),
    ];
    Ok(render_form(head, StatusCode::OK, &values.into(), &[], None))
}

async fn set_up(call: Request) -> Result<HttpResponse, ApiError> {
    let head = call.head();
    if is_set_up(&call).await? {
        return Ok(render_set_up_already(head));
    }
    check_origin(TrustedSenders::OwnPages, head)?;
    CookieNames::require_for(head)?;
    let sent = body::read_form(head.headers(), call.body())?;
    let field = |field: SetUpField| {
        let found = sent.iter().find(|(name, _)| name == field.name());
        (field, found.map_or_else(String::new, |(_, value)| value.clone()))
    };
    let values: FormValues = SetUpField::ALL.map(field).into();
    let (tenant, address, form) = (call.tenant_id().await?, call.address(), values.clone());
    let decided = call.with_office(move |context| {
        let outcome = process_form(context, tenant, &form, address)?;
        if matches!(outcome, FormOutcome::Decided(SetUpOutcome::WrongToken)) {
            // the token is the server's, so is the event
            context.auth.record_token_denial(OneTimeTokenKind::SetUp, None, address)?;
        }
        Ok(outcome)
    });
    match decided.await {
        Ok(FormOutcome::Decided(SetUpOutcome::Done(_))) => Ok(redirect_to(&format!("{}{SIGN_IN_PATH}", head.prefix()))),
        Ok(FormOutcome::Decided(SetUpOutcome::AlreadySetUp)) => Ok(render_set_up_already(head)),
        Ok(FormOutcome::Decided(SetUpOutcome::WrongToken)) => {
            tracing::warn!(trace = head.trace_id(), "a set-up of the first administrator sent a wrong token");
            head.meta().error_code.set(Some(LoginDenied::Mismatch.code()));
            let faults = [SetUpField::Token];
            Ok(render_form(head, StatusCode::UNAUTHORIZED, &values, &faults, Some(SetUpNotice::WrongToken)))
        }
        Ok(FormOutcome::Invalid(faults)) => {
            head.meta().error_code.set(Some("fields_invalid"));
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(render_form(head, status, &values, &faults, Some(SetUpNotice::Invalid)))
        }
        Err(failure) => render_failure(head, &values, failure),
    }
}

/// Whether any user exists, according to the store.
async fn is_set_up(call: &Request) -> Result<bool, ApiError> {
    call.with_office(|context| Ok(office::unguarded::any_user_exists(context.store)?)).await
}

/// Checks the token, then all fields, and sets up.
fn process_form(
    context: &OfficeContext<'_>,
    tenant: Option<TenantId>,
    form: &FormValues,
    address: Option<IpAddr>,
) -> Result<FormOutcome, ApiError> {
    let value = |field: SetUpField| form.get(&field).map_or("", |value| value.as_str());
    let token = Secret::new(value(SetUpField::Token).to_owned());
    let digest = digest_typed_token(token.expose());
    let is_correct = context.auth.check_setup_guess(&token, address, || {
        Ok(office::unguarded::find_setup_token(context.store)? == Some(digest))
    })?;
    if !is_correct {
        // of two at once, the second finds no token because a user exists
        let faster = office::unguarded::any_user_exists(context.store)?;
        let outcome = if faster { SetUpOutcome::AlreadySetUp } else { SetUpOutcome::WrongToken };
        return Ok(FormOutcome::Decided(outcome));
    }
    let tenant = find_tenant(context, tenant)?;
    let (mut new, words) = match read_fields(context, tenant, digest, form)? {
        Ok(read) => read,
        Err(faults) => return Ok(FormOutcome::Invalid(faults)),
    };
    let password = Secret::new(value(SetUpField::Password).to_owned());
    new.admin.verifier = Some(context.auth.hash_stranger_password(&password, &words, address)?);
    let contexts = SetUpContexts {
        tenant: context.auth.system_context(address)?,
        admin: context.auth.system_context(address)?,
        till: context.auth.system_context(address)?,
    };
    match office::set_up_tenant(context.store, &contexts, &new)? {
        Ok(outcome) => Ok(FormOutcome::Decided(outcome)),
        Err(refused) => match find_faults(&refused) {
            faults if faults.is_empty() => Err(refused.into()),
            faults => Ok(FormOutcome::Invalid(faults)),
        },
    }
}

fn find_tenant(context: &OfficeContext<'_>, tenant: Option<TenantId>) -> Result<TenantId, ApiError> {
    if let Some(tenant) = tenant {
        return Ok(tenant);
    }
    let slug = Slug::parse(DEFAULT_TENANT).map_err(|why| Error::Fault(why.to_string()))?;
    let found = office::unguarded::find_tenant_by_slug(context.store, &slug)?;
    Ok(found.map(|tenant| tenant.id).ok_or(ProtocolError::RouteNotFound)?)
}

/// Reads and checks all fields.
fn read_fields(
    context: &OfficeContext<'_>,
    tenant: TenantId,
    token: [u8; 32],
    form: &FormValues,
) -> Result<ReadFields, ApiError> {
    let value = |field: SetUpField| form.get(&field).map_or("", |value| value.trim());
    let filled = |field: SetUpField| Some(value(field)).filter(|text| !text.is_empty());
    let mut faults = Vec::new();
    let mut check = |field: SetUpField, is_valid: bool| {
        if !is_valid {
            faults.push(field);
        }
    };
    let shop = value(SetUpField::Shop);
    check(SetUpField::Shop, office::check_new_name(shop).is_ok());
    let zone = Zone::parse(value(SetUpField::Zone)).ok();
    check(SetUpField::Zone, zone.is_some());
    let locale = Locale::parse(value(SetUpField::Locale)).ok();
    check(SetUpField::Locale, locale.is_some());
    let user_name = UserName::parse(value(SetUpField::UserName)).and_then(|name| name.check_new().map(|()| name)).ok();
    check(SetUpField::UserName, user_name.is_some());
    let display_name = filled(SetUpField::DisplayName).unwrap_or(value(SetUpField::UserName));
    let typed = filled(SetUpField::DisplayName);
    check(SetUpField::DisplayName, typed.is_none_or(|name| office::check_new_name(name).is_ok()));
    let parse_email = |text: &str| Email::parse(text).and_then(|email| email.check_new().map(|()| email)).ok();
    let email = filled(SetUpField::Email).map(parse_email);
    check(SetUpField::Email, !matches!(email, Some(None)));
    let parse_device = |text: &str| DeviceName::parse(text).and_then(|name| name.check_new().map(|()| name)).ok();
    let till = filled(SetUpField::Till).map(parse_device);
    check(SetUpField::Till, !matches!(till, Some(None)));
    let mut words = context.unguarded(tenant).list_context_words(None)?;
    words.extend([shop, value(SetUpField::UserName), display_name].map(str::to_owned));
    words.extend(email.iter().flatten().flat_map(office::email_context_words));
    let password = Secret::new(form.get(&SetUpField::Password).cloned().unwrap_or_default());
    check(SetUpField::Password, context.auth.check_password(&password, &words).is_ok());
    let (Some(zone), Some(locale), Some(user_name), true) = (zone, locale, user_name, faults.is_empty()) else {
        return Ok(Err(faults));
    };
    let admin = NewUser {
        id: context.auth.new_id(UserId::new)?,
        name: user_name,
        email: email.flatten(),
        display_name: display_name.to_owned(),
        status: UserStatus::Active,
        feature: None,
        roles: vec![RoleName::parse(Rank::Admin.name()).map_err(|why| Error::Fault(why.to_string()))?],
        devices: Vec::new(),
        verifier: None,
        password_change_required: false,
        locale: None,
    };
    let till = till.flatten().map(|name| new_till(context, tenant, name)).transpose()?;
    let change =
        TenantChange { name: Some(shop.to_owned()), zone: Some(zone), locale: Some(locale), ..TenantChange::default() };
    Ok(Ok((SetUp { tenant, token, change, admin, till }, words)))
}

/// An active cash register in the first store of the tenant.
fn new_till(context: &OfficeContext<'_>, tenant: TenantId, name: DeviceName) -> Result<NewDevice, ApiError> {
    let found = context.unguarded(tenant).find_tenant()?;
    Ok(NewDevice {
        id: context.auth.new_id(DeviceId::new)?,
        name,
        environment: Environment::CashRegister,
        status: DeviceStatus::Active,
        description: String::new(),
        preferences: JsonObject::default(),
        settings: BTreeMap::new(),
        branch: found.and_then(|tenant| tenant.branches.first().map(|branch| branch.id)),
        roles: Vec::new(),
        verifier: None,
    })
}

/// The fields of the form that a refusal is about.
fn find_faults(refused: &OfficeError) -> Vec<SetUpField> {
    match refused {
        OfficeError::Several(all) => all.iter().flat_map(find_faults).collect(),
        OfficeError::InvalidValue { field, .. } | OfficeError::AlreadyExists { field, .. } => {
            let field = match field {
                FieldName::Name => Some(SetUpField::Shop),
                FieldName::UserName => Some(SetUpField::UserName),
                FieldName::DisplayName => Some(SetUpField::DisplayName),
                FieldName::Email => Some(SetUpField::Email),
                FieldName::Device => Some(SetUpField::Till),
                _ => None,
            };
            field.into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn render_form(
    head: &RequestHead,
    status: StatusCode,
    values: &FormValues,
    faults: &[SetUpField],
    notice: Option<SetUpNotice>,
) -> HttpResponse {
    let page = SetUpPage { language: choose_language(head), prefix: head.prefix(), values, faults, notice };
    render_page_with(head, status, TOKEN_PAGE_CSP, page.render())
}

/// Shows the form again with what to do, if the person can do something there.
fn render_failure(head: &RequestHead, values: &FormValues, failure: ApiError) -> Result<HttpResponse, ApiError> {
    let seconds = failure.retry_after_seconds();
    let notice = match &failure {
        ApiError::Denied(AuthDenied::TooManyAttempts { .. }) => {
            SetUpNotice::Throttled { retry_after: seconds.unwrap_or(1) }
        }
        ApiError::Unavailable { reason, .. } => {
            tracing::warn!(trace = head.trace_id(), reason, "unavailable");
            SetUpNotice::Unavailable
        }
        _ => return Err(failure),
    };
    head.meta().error_code.set(Some(failure.code()));
    let mut response = render_form(head, failure.status(), values, &[], Some(notice));
    failure.insert_retry_after(response.headers_mut());
    Ok(response)
}

/// The page does not exist any more, and says why.
fn render_set_up_already(head: &RequestHead) -> HttpResponse {
    head.meta().error_code.set(Some(ApiError::from(ProtocolError::RouteNotFound).code()));
    let error = PageError::AlreadySetUp;
    let page = ErrorPage { language: choose_language(head), prefix: head.prefix(), error, trace_id: None };
    render_page(head, StatusCode::NOT_FOUND, page.render())
}
