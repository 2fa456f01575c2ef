//! PORTOS' API keys: those of the back office in this contract's format. The secret of a key is
//! only in the response that creates it.

use std::slice;

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderValue, LOCATION};
use actix_web::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tillgate_auth_core::Caller;
use tillgate_domain::office::{
    self, ApiKeyChange, ApiKeyFilter, ApiKeyView, EntityChange, FieldName, NamedFields, NewApiKey, OfficeError,
    check_description, check_new_name,
};
use tillgate_domain::{ApiKeyId, DeviceName, InvalidText, KnownRight, Right, Rights, UserName};

use super::list::{ListMember, ListQuery, MemberKind};
use super::paths::api_paths;
use crate::context::office::name_violations;
use crate::error::office::into_api_result;
use crate::error::{ApiError, FieldErrorCode, FieldViolation};
use crate::request::Request;
use crate::request::body;
use crate::request::field::BodyField;
use crate::request::partial_body::PartialBody;
use crate::serving::requirement::Requirement;
use crate::serving::response;
use crate::serving::route::Route;
use crate::timestamps;

/// Members that can be used in list queries.
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
    let collection = api_paths!("/apikeys").into_iter().flat_map(|path| {
        [
            Route::authenticated(Method::GET, path, Requirement::AnyOf(KnownRight::API_KEY_RIGHTS), list_api_key_rows),
            Route::authenticated(Method::POST, path, Requirement::Right(KnownRight::ApiKeyCreate), create_api_key),
        ]
    });
    let one = api_paths!("/apikeys/{id}").into_iter().flat_map(|path| {
        [
            Route::authenticated(Method::GET, path, Requirement::AnyOf(KnownRight::API_KEY_RIGHTS), get_api_key),
            Route::authenticated(Method::PUT, path, Requirement::Right(KnownRight::ApiKeyUpdate), update_api_key),
            Route::authenticated(Method::DELETE, path, Requirement::Right(KnownRight::ApiKeyDelete), delete_api_key),
        ]
    });
    collection.chain(one).collect()
}

/// The body of a request.
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

/// The valid members of a request.
struct ApiKeyInput {
    change: ApiKeyChange,
    version: Option<i64>,
}

impl ApiKeyInput {
    /// The names in the request that must exist in the tenant.
    fn names(&self) -> NamedFields<'_> {
        NamedFields { user: self.change.user.as_ref(), device: self.change.device.as_ref(), ..NamedFields::default() }
    }
}

async fn list_api_key_rows(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let query = ListQuery::from_head(call.head(), LIST_MEMBERS)?;
    let permit = call.acquire_list_permit(&caller).await?;
    let rows = call
        .with_office(move |context| {
            let (reader, every) = (context.reader_for_caller(&caller), ApiKeyFilter::default());
            let part = |page: &_| into_api_result(reader.list_api_keys(&every, page));
            let found = office::collect_pages(None, part, |view| view.key.id)?;
            Ok(found.iter().map(|view| build_row(view, None)).collect())
        })
        .await?;
    Ok(permit.hold_until_sent(query.render(rows)?))
}

async fn get_api_key(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id = read_api_key_id(&call)?;
    let row = call
        .with_office(move |context| {
            let found = into_api_result(context.reader_for_caller(&caller).find_api_key(id))?;
            let view = found.ok_or_else(|| not_found(&id.to_string()))?;
            Ok(build_row(&view, None))
        })
        .await?;
    response::render_json(StatusCode::OK, &row)
}

async fn create_api_key(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let sent = read_api_key(&call, true)?;
    let (id, made) = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            let ApiKeyInput { change, .. } =
                sent.check_body(|sent| name_violations(&office, KnownRight::ApiKeyCreate, &sent.names()))?;
            let ApiKeyChange { name: Some(name), user: Some(user), device: Some(device), .. } = change else {
                return Err(ApiError::Fault("a required member was not validated".to_owned()));
            };
            let (description, active) = (change.description.unwrap_or_default(), change.active.unwrap_or(true));
            let permissions = change.permissions.unwrap_or_default();
            let generated = context.auth.generate_api_key()?;
            let (id, client, wrapped) = (generated.id, generated.client_id, generated.wrapped_secret);
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
                expires_at: None,
            };
            let key = into_api_result(office.add_api_key(&new))?;
            Ok((id, build_row(&office.unguarded().load_api_key_view(&key)?, Some(generated.secret.expose()))))
        })
        .await?;
    let mut response = response::render_json(StatusCode::CREATED, &made)?;
    if let Ok(location) = HeaderValue::from_str(&format!("{}/{id}", call.head().path().trim_end_matches('/'))) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

async fn update_api_key(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id = read_api_key_id(&call)?;
    let sent = read_api_key(&call, false)?;
    let row = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            let ApiKeyInput { change, version } = sent.check_body(|sent| {
                let names = NamedFields { change: Some(EntityChange::ApiKey(id, &sent.change)), ..sent.names() };
                name_violations(&office, KnownRight::ApiKeyUpdate, &names)
            })?;
            let key = into_api_result(office.change_api_key(id, version.as_ref().map(slice::from_ref), &change))?;
            Ok(build_row(&office.unguarded().load_api_key_view(&key)?, None))
        })
        .await?;
    response::render_json(StatusCode::OK, &row)
}

async fn delete_api_key(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let id = read_api_key_id(&call)?;
    let row = call
        .with_office(move |context| {
            let office = context.for_caller(&caller)?;
            let key = into_api_result(office.delete_api_key(id, None))?;
            Ok(build_row(&office.unguarded().load_api_key_view(&key)?, None))
        })
        .await?;
    response::render_json(StatusCode::OK, &row)
}

/// Reads the id in the path. A malformed id is answered like an unknown one.
fn read_api_key_id(call: &Request) -> Result<ApiKeyId, ApiError> {
    let sent = call.head().path_parameter("id");
    sent.parse().map_err(|_| not_found(sent))
}

fn not_found(id: &str) -> ApiError {
    ApiError::Office(OfficeError::NotFound { field: FieldName::ApiKey, value: id.to_owned() })
}

/// Reads an API key. A `new` key requires name, user and device; otherwise omitted members stay
/// unchanged.
fn read_api_key(call: &Request, new: bool) -> Result<PartialBody<ApiKeyInput>, ApiError> {
    let sent = body::read_caseless_object::<ApiKeyBody>(call.head().headers(), call.body())?;
    let (sent, mut violations) = sent.into_parts();
    // an unchanged name may violate today's rules, so in a change the use case validates it
    let fit = |name: &str| if new { check_new_name(name) } else { Ok(()) };
    let name = read_text(&mut violations, "name", sent.name, new, |name| fit(name).map(|()| name.to_owned()));
    let user = read_text(&mut violations, "username", sent.username, new, UserName::parse);
    let device = read_text(&mut violations, "devicename", sent.devicename, new, DeviceName::parse);
    let description = read_value(&mut violations, "description", sent.description).and_then(|text| {
        let fit = check_description(&text).map(|()| text);
        fit.map_err(|why| push_violation(&mut violations, "description", FieldErrorCode::Format, why.to_string())).ok()
    });
    let active = read_value(&mut violations, "isactive", sent.isactive);
    let version = read_value(&mut violations, "_v", sent.version);
    let permissions = read_value(&mut violations, "permissions", sent.permissions).and_then(|names| {
        let rights: Result<Rights, _> = names.iter().map(|name| Right::parse(name)).collect();
        rights
            .map_err(|why| push_violation(&mut violations, "permissions", FieldErrorCode::Format, why.to_string()))
            .ok()
    });
    let change = ApiKeyChange { name, description, active, user, device, permissions, expires_at: None };
    Ok(PartialBody::new(ApiKeyInput { change, version }, violations))
}

fn push_violation(violations: &mut Vec<FieldViolation>, field: &'static str, code: FieldErrorCode, message: String) {
    violations.push(FieldViolation { field: field.into(), in_query: false, code, message: message.into() });
}

/// Reads a text that must not be blank, and must be present if `required`.
fn read_text<T>(
    violations: &mut Vec<FieldViolation>,
    name: &'static str,
    sent: BodyField<String>,
    required: bool,
    parse: impl Fn(&str) -> Result<T, InvalidText>,
) -> Option<T> {
    let missing = sent.is_missing();
    match read_value(violations, name, sent) {
        Some(text) if text.trim().is_empty() => {
            push_violation(violations, name, FieldErrorCode::Required, "is required".to_owned());
        }
        Some(text) => match parse(&text) {
            Ok(value) => return Some(value),
            Err(why) => push_violation(violations, name, FieldErrorCode::Format, why.to_string()),
        },
        None if missing && required => {
            push_violation(violations, name, FieldErrorCode::Required, "is required".to_owned());
        }
        None => {}
    }
    None
}

/// Reads a value of its type.
fn read_value<T>(violations: &mut Vec<FieldViolation>, name: &'static str, sent: BodyField<T>) -> Option<T> {
    match sent {
        BodyField::Value(value) => Some(value),
        BodyField::Missing | BodyField::Null => None,
        BodyField::Partial(..) | BodyField::Invalid(_) => {
            push_violation(violations, name, FieldErrorCode::Type, "has the wrong type".to_owned());
            None
        }
    }
}

/// Converts an API key to PORTOS' format.
fn build_row(view: &ApiKeyView, secret: Option<&String>) -> Value {
    let key = &view.key;
    let mut row = Map::from_iter([
        ("id".to_owned(), json!(key.id)),
        ("clientId".to_owned(), json!(key.client_id)),
        ("clientSecret".to_owned(), json!(secret)),
        ("isActive".to_owned(), json!(key.active)),
        ("createdAt".to_owned(), json!(timestamps::format_instant(key.created_at))),
        ("name".to_owned(), json!(key.name)),
        ("userName".to_owned(), json!(view.user)),
        ("deviceName".to_owned(), json!(view.device)),
        ("permissions".to_owned(), json!(key.permissions)),
        ("_v".to_owned(), json!(key.version)),
    ]);
    if !key.description.is_empty() {
        row.insert("description".to_owned(), json!(key.description));
    }
    Value::Object(row)
}
