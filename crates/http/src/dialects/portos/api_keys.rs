//! PORTOS' API keys: the back office's, in this contract's shape. A secret stands in the answer that makes its key and nowhere else.

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderValue, LOCATION};
use actix_web::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tillgate_auth_core::Caller;
use tillgate_domain::office::{
    self, ApiKeyChange, ApiKeyFilter, ApiKeyView, FieldName as Of, NewApiKey, OfficeError, check_description,
    check_new_name, find_api_key, list_api_keys,
};
use tillgate_domain::{ApiKeyId, DeviceName, InvalidText, Right, Rights, UserName};

use super::list::{ListMember, ListQuery, MemberKind};
use super::path::both;
use crate::body;
use crate::error::{ApiError, FieldViolation, ProtocolError};
use crate::field::BodyField;
use crate::office::into_api_result;
use crate::request::Request;
use crate::response;
use crate::route::Route;
use crate::timestamps;

/// What can be asked about in a list.
const LIST_MEMBERS: &[ListMember] = &[
    ListMember::new("id", MemberKind::Text),
    ListMember::new("clientId", MemberKind::Text),
    ListMember::new("isActive", MemberKind::Bool),
    ListMember::new("createdAt", MemberKind::Instant),
    ListMember::new("name", MemberKind::Text),
    ListMember::new("description", MemberKind::Text),
    ListMember::new("userName", MemberKind::Text),
    ListMember::new("deviceName", MemberKind::Text),
    ListMember::new("permissions", MemberKind::Text),
    ListMember::new("_v", MemberKind::Number),
];

pub(super) fn routes() -> Vec<Route> {
    let whole = both!("/apikeys").into_iter().flat_map(|path| {
        [
            Route::authenticated(Method::GET, path, list_api_key_rows),
            Route::authenticated(Method::POST, path, create_api_key),
        ]
    });
    let one = both!("/apikeys/{id}").into_iter().flat_map(|path| {
        [
            Route::authenticated(Method::GET, path, get_api_key),
            Route::authenticated(Method::PUT, path, update_api_key),
            Route::authenticated(Method::DELETE, path, delete_api_key),
        ]
    });
    whole.chain(one).collect()
}

/// A key as it is sent.
#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase", default)]
struct ApiKeyBody {
    name: BodyField<String>,
    description: BodyField<String>,
    isactive: BodyField<bool>,
    username: BodyField<String>,
    devicename: BodyField<String>,
    permissions: BodyField<Vec<String>>,
    #[serde(rename = "_v")]
    version: BodyField<i64>,
}

/// What was sent, as far as it can be.
struct ApiKeyInput {
    change: ApiKeyChange,
    version: Option<i64>,
}

async fn list_api_key_rows(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (asked, tenant) = (ListQuery::from_head(call.head(), LIST_MEMBERS)?, caller.profile.tenant.id);
    let rows = call
        .with_office(move |office| {
            let (authority, every) = (caller.authority(), ApiKeyFilter::default());
            let part = |page: &_| into_api_result(list_api_keys(office.store, tenant, &authority, &every, page));
            let found = office::collect_pages(None, part, |known| known.key.id)?;
            Ok(found.iter().map(|known| build_row(known, None)).collect())
        })
        .await?;
    asked.render(rows)
}

async fn get_api_key(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (id, tenant) = (read_api_key_id(&call)?, caller.profile.tenant.id);
    let row = call
        .with_office(move |office| {
            let found = into_api_result(find_api_key(office.store, tenant, &caller.authority(), id))?;
            let known = found.ok_or_else(|| not_found(&id.to_string()))?;
            Ok(build_row(&known, None))
        })
        .await?;
    response::render_json(StatusCode::OK, &row)
}

async fn create_api_key(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let ApiKeyInput { change, .. } = read_api_key(&call, true)?;
    let ApiKeyChange { name: Some(name), user: Some(user), device: Some(device), .. } = change else {
        return Err(ApiError::Fault("what is required was not asked for".to_owned()));
    };
    let (description, active) = (change.description.unwrap_or_default(), change.active.unwrap_or(true));
    let permissions = change.permissions.unwrap_or_default();
    let tenant = caller.profile.tenant.id;
    let (id, made) = call
        .with_office(move |office| {
            let drawn = office.auth.generate_api_key()?;
            let (id, client, wrapped) = (drawn.id, drawn.client_id, drawn.wrapped_secret);
            let new = NewApiKey {
                id,
                client_id: client,
                wrapped_secret: wrapped,
                name,
                description,
                active,
                user,
                device,
                permissions,
            };
            let key =
                into_api_result(office::add_api_key(office.store, tenant, &office.audit_context(&caller)?, &new))?;
            Ok((id, build_row(&office::load_api_key_view(office.store, &key)?, Some(drawn.secret.expose()))))
        })
        .await?;
    let mut answer = response::render_json(StatusCode::CREATED, &made)?;
    if let Ok(location) = HeaderValue::from_str(&format!("{}/{id}", call.head().path().trim_end_matches('/'))) {
        answer.headers_mut().insert(LOCATION, location);
    }
    Ok(answer)
}

async fn update_api_key(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (id, tenant) = (read_api_key_id(&call)?, caller.profile.tenant.id);
    let ApiKeyInput { change, version } = read_api_key(&call, false)?;
    let row = call
        .with_office(move |office| {
            let stamp = office.audit_context(&caller)?;
            let key = into_api_result(office::change_api_key(office.store, tenant, &stamp, id, version, &change))?;
            Ok(build_row(&office::load_api_key_view(office.store, &key)?, None))
        })
        .await?;
    response::render_json(StatusCode::OK, &row)
}

async fn delete_api_key(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let (id, tenant) = (read_api_key_id(&call)?, caller.profile.tenant.id);
    let row = call
        .with_office(move |office| {
            let stamp = office.audit_context(&caller)?;
            let key = into_api_result(office::delete_api_key(office.store, tenant, &stamp, id, None))?;
            Ok(build_row(&office::load_api_key_view(office.store, &key)?, None))
        })
        .await?;
    response::render_json(StatusCode::OK, &row)
}

/// What is no id names no key.
fn read_api_key_id(call: &Request) -> Result<ApiKeyId, ApiError> {
    let sent = call.head().path_parameter("id");
    sent.parse().map_err(|_| not_found(sent))
}

fn not_found(id: &str) -> ApiError {
    ApiError::Office(OfficeError::NotFound { field: Of::ApiKey, value: id.to_owned() })
}

/// Reads a key. Where it is `new`, it has to say whose it is and what it is called; else what it does not say stays as it is.
fn read_api_key(call: &Request, new: bool) -> Result<ApiKeyInput, ApiError> {
    let sent: ApiKeyBody = body::read_caseless_object(call.head().headers(), call.body())?;
    let mut faults = Vec::new();
    // a name that stays may be kept: of a change the use case judges it
    let fit = |name: &str| if new { check_new_name(name) } else { Ok(()) };
    let name = read_text(&mut faults, "name", sent.name, new, |name| fit(name).map(|()| name.to_owned()));
    let user = read_text(&mut faults, "username", sent.username, new, UserName::parse);
    let device = read_text(&mut faults, "devicename", sent.devicename, new, DeviceName::parse);
    let description = read_value(&mut faults, "description", sent.description).and_then(|text| {
        let fit = check_description(&text).map(|()| text);
        fit.map_err(|why| push_violation(&mut faults, "description", "format", why.to_string())).ok()
    });
    let active = read_value(&mut faults, "isactive", sent.isactive);
    let version = read_value(&mut faults, "_v", sent.version);
    let permissions = read_value(&mut faults, "permissions", sent.permissions).and_then(|names| {
        let rights: Result<Rights, _> = names.iter().map(|name| Right::parse(name)).collect();
        rights.map_err(|why| push_violation(&mut faults, "permissions", "format", why.to_string())).ok()
    });
    if faults.is_empty() {
        Ok(ApiKeyInput { change: ApiKeyChange { name, description, active, user, device, permissions }, version })
    } else {
        faults.sort();
        Err(ProtocolError::InvalidFields(faults).into())
    }
}

fn push_violation(faults: &mut Vec<FieldViolation>, field: &'static str, code: &'static str, message: String) {
    faults.push(FieldViolation { field: field.into(), in_query: false, code: code.into(), message: message.into() });
}

/// A text that is not blank, and is there where it has to be.
fn read_text<T>(
    faults: &mut Vec<FieldViolation>,
    name: &'static str,
    sent: BodyField<String>,
    required: bool,
    parse: impl Fn(&str) -> Result<T, InvalidText>,
) -> Option<T> {
    let missing = sent.is_missing();
    match read_value(faults, name, sent) {
        Some(text) if text.trim().is_empty() => push_violation(faults, name, "required", "is required".to_owned()),
        Some(text) => match parse(&text) {
            Ok(value) => return Some(value),
            Err(why) => push_violation(faults, name, "format", why.to_string()),
        },
        None if missing && required => push_violation(faults, name, "required", "is required".to_owned()),
        None => {}
    }
    None
}

/// A value of its type.
fn read_value<T>(faults: &mut Vec<FieldViolation>, name: &'static str, sent: BodyField<T>) -> Option<T> {
    match sent {
        BodyField::Value(value) => Some(value),
        BodyField::Missing | BodyField::Null => None,
        BodyField::Invalid(_) => {
            push_violation(faults, name, "type", "is of another type".to_owned());
            None
        }
    }
}

/// A key as PORTOS tells of it.
fn build_row(known: &ApiKeyView, secret: Option<&String>) -> Value {
    let key = &known.key;
    let mut row = Map::from_iter([
        ("id".to_owned(), json!(key.id)),
        ("clientId".to_owned(), json!(key.client_id)),
        ("clientSecret".to_owned(), json!(secret)),
        ("isActive".to_owned(), json!(key.active)),
        ("createdAt".to_owned(), json!(timestamps::format_instant(key.created_at))),
        ("name".to_owned(), json!(key.name)),
        ("userName".to_owned(), json!(known.user)),
        ("deviceName".to_owned(), json!(known.device)),
        ("permissions".to_owned(), json!(key.permissions)),
        ("_v".to_owned(), json!(key.version)),
    ]);
    if !key.description.is_empty() {
        row.insert("description".to_owned(), json!(key.description));
    }
    Value::Object(row)
}
